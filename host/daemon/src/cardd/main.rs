//! `writ-cardd`: owns the card and the memory of its rings, so that `writd` may die and come back while the card goes on.
//!
//! # What it does
//! Opens the card (a board in this machine, or one in another process), gives it memory, hands that memory and the interrupts to the one daemon that
//! may have them, carries its indices and register accesses to the card. It understands nothing of records, commands and orders, and looks at none.
//!
//! # What it refuses
//! A second daemon, and any peer whose uid is not the allowed one.
//!
//! # When something dies
//! `writd`: the card runs on, armed or not, keeps to its expiries, and drops and counts when its rings are full. This program: the kernel ends its connection
//! to the card, whose bus master goes off and which is reset: nothing is copied any more. The card: this program ends.
#![forbid(unsafe_code)]

mod adapter;
mod args;
mod owner;
#[path = "../process.rs"]
#[allow(dead_code, reason = "shared with writd, which has state to protect as well")]
mod process;
mod socket;

use adapter::Adapter;
use args::Arguments;
use clap::Parser;
use owner::Owner;
use std::error::Error;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::ExitCode;
use writ_driver::Card;
use writ_driver::bus::place::OwnedCard;
use writ_driver::bus::sysfs::Sysfs;
use writ_driver::memory::{HostMemory, PageSize, SharedError};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// One line for whoever keeps the log. Never anything out of the card's memory.
fn say(what: &str) {
    eprintln!("writ-cardd: {what}");
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    process::harden()?;
    let memory = memory(arguments)?;
    if !process::lock_memory()? {
        say(
            "intercepted data can get into swap: give writ-cardd LimitMEMLOCK=infinity or CAP_IPC_LOCK, or take the machine's swap away",
        );
    }
    // Before the card: a second one of this program shall not even try to take it.
    let listener = match &arguments.listen.socket {
        Some(path) => socket::listen(path, arguments.group)?,
        None => socket::handed_over(std::io::stdin().as_fd())?,
    };
    let place = arguments.place().ok_or("no card is named: --device or --vfio-user")?;
    let card = OwnedCard::open(&Sysfs::default(), &place, memory)?;
    let identity = Card::identify(&*card.bar())?;
    say(&format!(
        "has the card at {place}: ABI {}.{}, {} record rings",
        identity.abi_major, identity.abi_minor, identity.record_rings
    ));
    let adapter = Adapter::of(card.bar());
    match (&adapter, arguments.moderation_us) {
        (Some(adapter), Some(us)) => adapter.moderate(us)?,
        (None, Some(_)) => {
            return Err("--moderation-us: this card stands behind no bus that interrupts could be kept from".into());
        }
        (_, None) => {}
    }
    let mut owner = Owner::new(card, adapter, listener, arguments.allowed_uid())?;
    let mut out = std::io::stdout();
    // Nobody has to listen.
    let _ = writeln!(out, "writ-cardd: ready").and_then(|()| out.flush());
    Err(owner.run().into())
}

/// The ring memory, in pages of the wanted size, or in small ones if that was allowed.
fn memory(arguments: &Arguments) -> Result<std::sync::Arc<HostMemory>, SharedError> {
    let bytes = arguments.memory_mib.get() as usize * (1 << 20);
    match HostMemory::shared(bytes, arguments.pages) {
        Err(error @ SharedError::NoHugePages { .. }) if arguments.small_pages_will_do => {
            say(&format!("{error}; goes on with pages of {}", PageSize::Small.name()));
            HostMemory::shared(bytes, PageSize::Small)
        }
        made => made,
    }
}
