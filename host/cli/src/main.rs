//! `writ`: the operator's tool. It speaks to `writd`, through the types of `writ-control`. What comes before there is a daemon, finding a card,
//! binding it and testing it ([`card`]), it does itself, on a card that nobody has.
//!
//! Standard output carries data (readable tables, or one JSON object with `--json`), standard error carries talk. Identities of
//! targets are shown only with `--reveal`, which needs a role and is audited. What it refuses: to decide anything. Every
//! rule is enforced by the daemon; here only the form of what was typed is checked.
//!
//! Exit status: [`exit`].
#![forbid(unsafe_code)]

mod args;
mod ask;
mod card;
mod client;
mod print;
mod table;

use args::{Arguments, CardVerb, Noun};
use clap::{CommandFactory, Parser};
use std::{io::Write, process::ExitCode};
use writ_control::{Answer, Refusal, RefusalCode};

/// Exit status of `writ`; also listed in `writ --help`.
mod exit {
    /// Done.
    pub(crate) const DONE: u8 = 0;
    /// The daemon refused, or a card is not fit for what was asked. Nothing was changed.
    pub(crate) const REFUSED: u8 = 1;
    /// The command line is wrong, or a file that it names cannot be read.
    pub(crate) const USAGE: u8 = 2;
    /// The daemon, or a card to be tested, cannot be reached, or speaks something else.
    pub(crate) const UNREACHABLE: u8 = 3;
    /// The audit log does not verify.
    pub(crate) const AUDIT_BROKEN: u8 = 4;
    /// The daemon refused because this user does not have the role.
    pub(crate) const NOT_PERMITTED: u8 = 5;
    /// The card fails its self-test.
    pub(crate) const CARD_FAULTY: u8 = 6;
    /// A change stopped half-way.
    pub(crate) const HALF_DONE: u8 = 7;
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors: clap knows where each belongs.
            let status = if error.use_stderr() { exit::USAGE } else { exit::DONE };
            return match error.print() {
                Ok(()) => ExitCode::from(status),
                Err(_) => ExitCode::from(exit::USAGE),
            };
        }
    };
    let mut out = Vec::new();
    let status = run(&arguments, &mut out);
    // A reader that went away (`writ audit show | head`) is no failure of the daemon's work.
    let _ = std::io::stdout().write_all(&out);
    ExitCode::from(status)
}

fn run(arguments: &Arguments, out: &mut Vec<u8>) -> u8 {
    match &arguments.noun {
        Noun::Completions { shell } => {
            clap_complete::generate(*shell, &mut Arguments::command(), "writ", out);
            return exit::DONE;
        }
        Noun::Man => {
            return match clap_mangen::Man::new(Arguments::command()).render(out) {
                Ok(()) => exit::DONE,
                Err(_) => exit::UNREACHABLE,
            };
        }
        Noun::Card { roots, verb: CardVerb::Local(verb) } => return card::run(roots, verb, arguments.json, out),
        _ => {}
    }
    let ask = match ask::from_arguments(&arguments.noun) {
        Ok(ask) => ask,
        Err(why) => {
            eprintln!("writ: {why}");
            return exit::USAGE;
        }
    };
    let socket = arguments.socket_path();
    match client::ask_all(&socket, ask, arguments.audit_last()) {
        Ok(Ok(answer)) => done(arguments, &answer, out),
        Ok(Err(refusal)) => refused(arguments, &refusal, out),
        Err(error) => {
            eprintln!("writ: {error}");
            eprintln!("writ: hint: is writd running, and is {} its control socket?", socket.display());
            exit::UNREACHABLE
        }
    }
}

fn done(arguments: &Arguments, answer: &Answer, out: &mut Vec<u8>) -> u8 {
    if arguments.json {
        print::json("answer", answer, out);
    } else {
        print::people(answer, out);
    }
    match answer {
        Answer::AuditVerdict(verdict) if !verdict.verified => exit::AUDIT_BROKEN,
        Answer::TaskChange(change) if !change.applied => dry_run_note(),
        Answer::DestinationChange(change) if !change.applied => dry_run_note(),
        _ => exit::DONE,
    }
}

fn dry_run_note() -> u8 {
    eprintln!("writ: dry run, nothing was changed");
    exit::DONE
}

fn refused(arguments: &Arguments, refusal: &Refusal, out: &mut Vec<u8>) -> u8 {
    if arguments.json {
        print::json("refused", refusal, out);
    }
    eprintln!("writ: refused: {refusal}");
    if !refusal.hint.is_empty() {
        eprintln!("writ: hint: {}", refusal.hint);
    }
    match refusal.code {
        RefusalCode::NotPermitted => exit::NOT_PERMITTED,
        _ => exit::REFUSED,
    }
}
