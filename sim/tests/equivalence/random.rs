//! Random scenarios, and those that once failed.

use crate::common::random::Rng;
use crate::common::replay::Expected;
use crate::common::scenario::{Scenario, shrink};
use crate::coverage::Coverage;
use crate::run::check;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// Plays of a failing scenario until what is left is taken for small enough.
const SHRINK_TRIES: u32 = 400;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testbench/corpus/equivalence")
}

fn number(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.replace('_', "").parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
        Err(_) => otherwise,
    }
}

thread_local! {
    static IS_TRYING: Cell<bool> = const { Cell::new(false) };
}

/// Plays a scenario and returns what the model expected, or what went wrong. Panics of trials are not printed.
fn play(scenario: &Scenario) -> Result<Expected, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let other = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IS_TRYING.get() {
                other(info);
            }
        }));
    });
    IS_TRYING.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| check(scenario)));
    IS_TRYING.set(false);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(ToString::to_string));
        text.unwrap_or_else(|| "a panic without a text".to_owned())
    })
}

/// Saves a scenario and says how to play it again.
fn save(scenario: &Scenario, origin: &str, fault: &str) -> String {
    let text = scenario.to_string();
    let name = format!("{:08x}.txt", writ_abi::crc::crc32c(text.as_bytes()));
    let (folder, file) = (corpus(), corpus().join(&name));
    let first_line = fault.lines().next().unwrap_or_default();
    let content = format!("# {origin}: {first_line}\n{text}");
    let saved = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, content));
    let path = format!("testbench/corpus/equivalence/{name}");
    let how = format!("cargo xtask equivalence --case {path}");
    match saved {
        Ok(()) => format!("saved as {path}; play it with\n  {how}"),
        Err(error) => format!("{}: {error}; the case is\n{text}", file.display()),
    }
}

#[test]
fn random_scenarios() {
    let frames = number("WRIT_EQUIVALENCE_FRAMES", 50_000);
    let first = number("WRIT_EQUIVALENCE_SEED", 1);
    let mut seeds = Rng::new(first);
    let (mut played, mut scenarios) = (0, 0);
    let mut coverage = Coverage::default();
    while played < frames {
        let seed = seeds.next();
        let scenario = Scenario::random(seed, (frames - played) as usize);
        match play(&scenario) {
            Ok(expected) => coverage.add(&expected),
            Err(text) => {
                println!("random scenario {seed:#x} fails and is made smaller: {text}");
                let small = shrink(scenario, SHRINK_TRIES, &|scenario| play(scenario).is_err());
                let text = play(&small).err().unwrap_or(text);
                let how = save(&small, &format!("random scenario {seed:#x}"), &text);
                panic!("random scenario {seed:#x}, made smaller:\n{text}\n{how}");
            }
        }
        played += scenario.frames() as u64;
        scenarios += 1;
        if scenarios % 100 == 0 {
            println!("{played} frames in {scenarios} scenarios");
        }
    }
    println!("seed {first}: {played} frames in {scenarios} scenarios");
    coverage.check(played);
}

#[test]
fn saved_cases() {
    let files = match std::env::var("WRIT_EQUIVALENCE_CASE") {
        // Cargo runs tests in the crate's folder; people stand in the workspace's.
        Ok(file) if Path::new(&file).exists() => vec![PathBuf::from(file)],
        Ok(file) => vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)],
        Err(_) => {
            let entries = std::fs::read_dir(corpus()).into_iter().flatten();
            let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
            files.sort();
            files
        }
    };
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let scenario: Scenario = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(scenario.frames() > 0, "{}: no frame in it", file.display());
        println!("{}", file.display());
        check(&scenario);
    }
}
