//! `writd`: the host daemon. Brings the card up, keeps tasks, turns records into PDUs, delivers them.
//!
//! # What it does
//! Everything around the pure crates: files, sockets, TLS, threads, clocks, randomness. It may die at any moment, by `kill -9` too, and
//! come back: what was accepted is delivered, tasks are put back into force, numbers go on.
//!
//! # What it refuses
//! To start on a configuration that it does not wholly understand, on state that others can read, on a damaged audit log, or beside another
//! `writd` on the same state. To arm anything while the audit log does not reach the disk. To take an order from a uid without the role.
//!
//! # Threads
//! card (simulated ones only) | ring: records to PDUs, no lock and no allocation per packet | control: tasks, store, audit log, the card's
//! tables | tokio: one task a session, one a control connection. They share no lock over anything that waits.
//!
//! # Order of things
//! Intent in the audit log, synced; order in the store, committed; shares to the ring thread; rows to the card, completed; result in
//! the audit log. What fails is taken back and recorded.
#![forbid(unsafe_code)]

mod card;
mod clock;
mod config;
mod control;
mod convert;
mod delivery;
mod mailbox;
mod process;
mod roles;
mod run;
mod state;

use clap::Parser;
use config::Config;
use std::{path::PathBuf, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Exit status; also in `writd --help`.
mod exit {
    /// Stopped as asked, or the check was good.
    pub(crate) const DONE: u8 = 0;
    /// It could not start, or something broke.
    pub(crate) const FAULT: u8 = 1;
    /// The command line or the configuration is wrong.
    pub(crate) const USAGE: u8 = 2;
    /// `--verify-audit`: the log does not verify.
    pub(crate) const AUDIT_BROKEN: u8 = 4;
}

const AFTER_HELP: &str = "\
Exit status:
  0  stopped as asked, or the check was good
  1  it could not start, or something broke
  2  wrong command line or configuration
  4  --verify-audit: the log does not verify

Signals:
  SIGTERM, SIGINT  stop taking orders, deliver what can be delivered in time, write everything down, end

Environment:
  WRITD_LOG  what to log, like info or writd=debug [default: info]";

/// The host daemon of a Writ tap.
#[derive(Debug, Parser)]
#[command(name = "writd", version, after_help = AFTER_HELP)]
struct Arguments {
    /// Configuration file
    #[arg(long, value_name = "FILE", required_unless_present = "verify_audit")]
    config: Option<PathBuf>,
    /// Only check the configuration, and the certificates and keys that it names
    #[arg(long, requires = "config")]
    check_config: bool,
    /// Only verify an audit log, with nothing but the file and the public key
    #[arg(long, value_name = "FILE", requires = "audit_key", conflicts_with = "config")]
    verify_audit: Option<PathBuf>,
    /// Public key of the audit log (audit.pub)
    #[arg(long, value_name = "FILE", requires = "verify_audit")]
    audit_key: Option<PathBuf>,
    /// Hash that the audit log is known to have reached
    #[arg(long, value_name = "HEX", requires = "verify_audit")]
    expect_head: Option<String>,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let status = if error.use_stderr() { exit::USAGE } else { exit::DONE };
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    ExitCode::from(obey(&arguments))
}

fn obey(arguments: &Arguments) -> u8 {
    if let (Some(log), Some(key)) = (&arguments.verify_audit, &arguments.audit_key) {
        return verify_audit(log, key, arguments.expect_head.as_deref());
    }
    let Some(file) = &arguments.config else { return exit::USAGE };
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("writd: {error}");
            return exit::USAGE;
        }
    };
    if arguments.check_config {
        if let Err(error) = run::check_files(&config) {
            eprintln!("writd: {}: {error}", file.display());
            return exit::USAGE;
        }
        eprintln!("writd: {}: good", file.display());
        return exit::DONE;
    }
    start_log();
    die_quietly_on_panic();
    match run::run(&config) {
        Ok(()) => exit::DONE,
        Err(error) => {
            tracing::error!("{error}");
            exit::FAULT
        }
    }
}

fn verify_audit(log: &std::path::Path, key: &std::path::Path, expect_head: Option<&str>) -> u8 {
    use state::audit;
    let verdict = audit::read_public_key(key).and_then(|key| audit::verify_file(log, key, expect_head));
    match verdict {
        Ok(verdict) => {
            println!("records {}, checkpoints {}, head {}", verdict.records, verdict.checkpoints, verdict.head);
            if let Some(problem) = &verdict.problem {
                println!("{problem}");
            } else if verdict.head_found.is_none() {
                println!("verified up to the last record that is there: no expected head was given");
            }
            if verdict.verified { exit::DONE } else { exit::AUDIT_BROKEN }
        }
        Err(error) => {
            eprintln!("writd: {error}");
            exit::USAGE
        }
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env("WRITD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// A panic is a fault of this program, and half a daemon is worse than none: the process ends, and what it had accepted is found
/// again by the next one. The message stays unsaid, because it might hold what somebody said on a tapped line.
fn die_quietly_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or("an unknown place".to_owned(), ToString::to_string);
        eprintln!("writd: internal fault at {place}; ending");
        std::process::abort();
    }));
}
