//! What `writ` does with cards itself: list, bind, unbind, self-test.
//!
//! # What it refuses
//! To touch a function that is no Writ card; to take a card whose network interface is up (`--force` allows that alone); to take one whose
//! IOMMU group holds what a process must not get along with it; to touch one that another process has.

mod bind;
mod list;
mod selftest;
#[cfg(test)]
mod tree;

use crate::args::{LocalVerb, Roots};
use crate::{exit, print};
use bind::{Kernel, Plan, Refused, System};
use std::time::Duration;
use writ_control::{Refusal, RefusalCode};
use writ_driver::bus::sysfs::Sysfs;

/// How long a card may take to sweep its tables after a reset.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// Does it and gives the exit status.
pub(crate) fn run(roots: &Roots, verb: &LocalVerb, json: bool, out: &mut Vec<u8>) -> u8 {
    let sysfs = roots.sysfs();
    match verb {
        LocalVerb::List => match sysfs.cards() {
            Ok(cards) => list::print(&sysfs, &cards, json, out),
            Err(error) => refuse(&Refused::Sysfs(error), json, out),
        },
        LocalVerb::Bind { address, force, dry_run } => {
            let plan = bind::bind(&sysfs, *address, *force);
            change(&sysfs, plan, *dry_run, roots.is_system(), json, out)
        }
        LocalVerb::Unbind { address, dry_run } => {
            let plan = bind::unbind(&sysfs, *address, &System);
            change(&sysfs, plan, *dry_run, roots.is_system(), json, out)
        }
        LocalVerb::Selftest(which) => selftest::run(&sysfs, which, READY_TIMEOUT, json, out),
    }
}

fn change(
    sysfs: &Sysfs,
    plan: Result<Plan, Refused>,
    dry_run: bool,
    is_system: bool,
    json: bool,
    out: &mut Vec<u8>,
) -> u8 {
    let plan = match plan {
        Ok(plan) => plan,
        Err(refused) => return refuse(&refused, json, out),
    };
    let is_root = rustix::process::geteuid().is_root();
    if !dry_run && is_system && !is_root && !plan.steps.is_empty() {
        return refuse(&Refused::NotRoot, json, out);
    }
    let kernel: Option<&dyn Kernel> = if dry_run { None } else { Some(&System) };
    let done = kernel.map_or(Ok(()), |kernel| plan.carry_out(sysfs, kernel));
    match done {
        Ok(()) => {
            plan.print(!dry_run, json, out);
            if plan.steps.is_empty() {
                eprintln!("writ: nothing to do, it is so already");
            } else if dry_run {
                eprintln!("writ: dry run, nothing was changed");
            }
            exit::DONE
        }
        Err(stopped) => {
            let refusal = Refusal::new(RefusalCode::Internal, "card", stopped.to_string());
            say(&refusal, "stopped half-way", json, out);
            exit::HALF_DONE
        }
    }
}

fn refuse(refused: &Refused, json: bool, out: &mut Vec<u8>) -> u8 {
    let code = if matches!(refused, Refused::NotRoot) { RefusalCode::NotPermitted } else { RefusalCode::Conflict };
    say(&Refusal::new(code, "card", refused.to_string()), "refused", json, out);
    exit::REFUSED
}

/// In the daemon's form, so that programs have one form to read.
fn say(refusal: &Refusal, how: &str, json: bool, out: &mut Vec<u8>) {
    if json {
        print::json("refused", refusal, out);
    }
    eprintln!("writ: {how}: {}", refusal.what);
}
