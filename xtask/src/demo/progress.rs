use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use writ_testbench::run::Watcher;

/// Progress of a run on stderr: a line for each finished step, a bar for the one that goes on.
pub(crate) struct Bars {
    bar: ProgressBar,
    step: Option<(String, Instant)>,
}

impl Bars {
    pub(crate) fn new() -> Self {
        Self { bar: ProgressBar::hidden(), step: None }
    }

    /// Ends the step that goes on.
    pub(crate) fn finish(&mut self) {
        self.bar.finish_and_clear();
        if let Some((what, begun)) = self.step.take() {
            eprintln!("  {what:<44} {:>7.1} s", begun.elapsed().as_secs_f64());
        }
    }

    fn count(&mut self, done: u64, all: u64) {
        if self.bar.length() != Some(all) {
            self.bar.set_length(all);
            let style = ProgressStyle::with_template("{spinner} {prefix} {wide_bar} {pos}/{len} [{elapsed}]");
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        self.bar.set_position(done);
    }
}

impl Watcher for Bars {
    fn step(&mut self, what: &str) {
        self.finish();
        self.bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}]");
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        self.bar.set_prefix(what.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(120));
        self.step = Some((what.to_owned(), Instant::now()));
    }

    fn played(&mut self, frames: u64, all: u64) {
        self.count(frames, all);
    }

    fn delivered(&mut self, packets: u64, selected: u64) {
        self.count(packets, selected);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
