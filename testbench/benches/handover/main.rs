//! Measures what it costs `writd` to deliver: packets a second of processor time, from records at memory speed to the sockets of receivers on loopback.
//! `cargo xtask bench handover` starts it.
//!
//! Takes the folder of the programs and what to measure. The card is the golden model's registers and tables before rings that are filled at memory speed,
//! in this process; `writ-cardd` owns it, `writd` delivers, receivers in this process count and throw away. The cost is that of `writd` alone, user and
//! system together, as the kernel counts it for each thread; what loopback does in `writd`'s place is in it. So that no packet is dropped, no more are under way
//! than memory has room for; in the end every packet has to have arrived. Prints one JSON object on stdout.
#![forbid(unsafe_code)]

mod card;
mod measure;
mod process;
mod setup;
mod sink;

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use writ_testbench::binaries::Binaries;
use writ_testbench::traffic::load::FrameSizes;

use measure::Case;
use setup::{Path as Way, Setup};

fn main() -> ExitCode {
    match run() {
        Ok(rows) => {
            println!("{}", json!({ "bench": "handover", "rows": rows }));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn run() -> Result<Vec<serde_json::Value>, String> {
    // Cargo says `--bench` to every benchmark.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [programs, seconds, tasks, bytes, ways] = &words[..] else {
        return Err(
            "the programs' folder, seconds, and lists of numbers of tasks, of frame sizes and of ways are wanted"
                .to_owned(),
        );
    };
    let binaries = Binaries::in_folder(Path::new(programs)).map_err(text)?;
    let measured = Duration::from_secs_f64(seconds.parse().map_err(text)?);
    let mut counts: Vec<u16> = list(tasks)?;
    counts.sort_unstable();
    let sizes: Vec<FrameSizes> = list(bytes)?;
    let ways: Vec<Way> = list(ways)?;
    let mut rows = Vec::new();
    for way in ways {
        // A daemon for each: what one case leaves in memory is not seen in the next one's.
        let mut setup = Setup::new(&binaries, way)?;
        for &tasks in &counts {
            setup.activate(tasks)?;
            for &bytes in &sizes {
                let found = setup.measure(&Case { way, tasks, bytes }, measured)?;
                eprintln!("{found}");
                rows.extend(found.rows());
            }
        }
        setup.end()?;
    }
    Ok(rows)
}

fn list<T: std::str::FromStr<Err: Display>>(words: &str) -> Result<Vec<T>, String> {
    words.split(',').map(|word| word.parse().map_err(text)).collect()
}
