//! Runs tshark over the captures, to see that the tables say what it says.

use std::path::Path;
use std::process::Command;

use super::{CASES, Case, Wanted};
use crate::captures::captures;

/// What is asked for an order: how many frames its filter finds, and the sum of their numbers. Both together are as good as the list, and tshark
/// counts all orders of a capture in one pass.
fn statistics(wanted: &Wanted) -> String {
    let filter = format!("(frame.number) frame.number and ({})", wanted.filter);
    format!(",COUNT{filter},SUM{filter}")
}

/// tshark's options: nothing is reassembled.
const OPTIONS: [&str; 6] =
    ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"];

fn tshark(case: &Case, folder: &Path, words: &[&str]) -> String {
    let file = folder.join(format!("{}.pcap", case.capture));
    let output =
        Command::new("tshark").args(OPTIONS).arg("-r").arg(file).args(words).output().expect("it was just there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", case.capture);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn check(case: &Case, folder: &Path) {
    let statistics: String = case.orders.iter().map(statistics).collect();
    let text = tshark(case, folder, &["-q", "-z", &format!("io,stat,0{statistics}")]);
    let found: Vec<Vec<usize>> = match text.lines().find(|line| line.contains("<>")) {
        Some(row) => numbers(row).chunks(2).map(<[usize]>::to_vec).collect(),
        // A capture of one frame takes no time, and there are no statistics of that.
        None => case.orders.iter().map(|wanted| alone(case, folder, wanted)).collect(),
    };
    assert_eq!(found.len(), case.orders.len(), "{}\n{text}", case.capture);
    for (wanted, found) in case.orders.iter().zip(found) {
        let frames = wanted.frames();
        assert_eq!(found, [frames.len(), frames.iter().sum()], "{}: {}", case.capture, wanted.filter);
    }
}

/// The cells behind the interval's.
fn numbers(row: &str) -> Vec<usize> {
    let cells = row.split('|').skip(2).map(str::trim).filter(|cell| !cell.is_empty());
    cells.map(|cell| cell.parse().unwrap_or_else(|error| panic!("{cell}: {error}"))).collect()
}

fn alone(case: &Case, folder: &Path, wanted: &Wanted) -> Vec<usize> {
    let text = tshark(case, folder, &["-Y", wanted.filter, "-T", "fields", "-e", "frame.number"]);
    let frames: Vec<usize> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    vec![frames.len(), frames.iter().sum()]
}

#[test]
fn the_tables_say_what_tshark_says() {
    let Some(folder) = captures() else { return };
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    for case in CASES {
        check(case, &folder);
    }
}
