//! Child processes with progress.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

const TAIL_LINES: usize = 60;

/// A line that moves while something takes its time; on a terminal only.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Runs a command whose output matters only if it fails; the spinner shows its latest line.
pub(crate) fn quietly(what: &str, command: &mut Command) -> Result<Duration, Failure> {
    let started = Instant::now();
    let bar = spinner(what);
    let outcome = run_with_tail(command, &bar);
    bar.finish_and_clear();
    let (success, tail) = outcome.map_err(Failure::while_doing(format_args!("{what}: {}", shown(command))))?;
    if !success {
        let tail = Vec::from(tail).join("\n");
        return Err(Failure::new(format!("{what} failed\n  command: {}\n{tail}", shown(command))));
    }
    let took = started.elapsed();
    eprintln!("  {what:<44} {:>7.1} s", took.as_secs_f64());
    Ok(took)
}

fn run_with_tail(command: &mut Command, bar: &ProgressBar) -> std::io::Result<(bool, VecDeque<String>)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (sender, lines) = mpsc::channel();
    let mut readers = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        readers.push(forward(stdout, sender.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        readers.push(forward(stderr, sender));
    }
    let mut tail = VecDeque::with_capacity(TAIL_LINES);
    for line in lines {
        bar.set_message(line.trim().to_owned());
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
    }
    for reader in readers {
        let _ = reader.join();
    }
    Ok((child.wait()?.success(), tail))
}

fn forward(stream: impl Read + Send + 'static, sender: mpsc::Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    })
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted: Vec<String> = words
        .map(|word| {
            let word = word.to_string_lossy();
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c));
            if plain && !word.is_empty() { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
        })
        .collect();
    quoted.join(" ")
}
