//! A whole run: from warrants to a verdict.
//!
//! [`run`] sets a [`Rig`] up, activates warrants, plays a capture through both ports of the card, waits until all is delivered and the
//! tasks are closed, stops the daemon, verifies the audit log with the public key, and holds what the receivers got against the ground truth.
//! `cargo xtask demo` shows it to people; scenario tests run it against the golden model.

mod outputs;
mod warrants;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use writ_control::report::{AuditVerdict, StatusReport, TaskState};
use writ_sim::wire::{Client, Statistics};

use crate::binaries::Binaries;
use crate::check::{Delivery, Inbox, Order, Verdict, judge};
use crate::play::Plan;
use crate::rig::{Activation, Backend, Confirmation, Rig, RigError, RigPlan};
use crate::truth::{StampedFrame, tai_from_utc_ns};

pub use outputs::{Outcome, Summary, TaskSummary, UnsupportedSummary, percent_encoded, write_outputs};
pub use warrants::{End, LEMF, MEDIATION, SECOND_LEMF, Warrant, default_warrants, warrants_for};
pub use wire::{Left, WireReport, play};

/// What to run.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// Folder of the run; made anew.
    pub folder: PathBuf,
    /// The programs.
    pub binaries: Binaries,
    /// What stands behind the driver.
    pub backend: Backend,
    /// UTC time of the capture's first frame, ns since 1970: the card's clock starts there.
    pub first_utc_ns: u64,
    /// The frames.
    pub plan: Plan,
    /// The warrants.
    pub warrants: Vec<Warrant>,
}

/// Sees how a run gets on.
pub trait Watcher {
    /// A part of the run begins.
    fn step(&mut self, what: &str) {
        let _ = what;
    }

    /// So many frames of all have left the card.
    fn played(&mut self, frames: u64, all: u64) {
        let _ = (frames, all);
    }

    /// So many packets are confirmed of those that the tasks selected so far.
    fn delivered(&mut self, packets: u64, selected: u64) {
        let _ = (packets, selected);
    }
}

/// A watcher that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watcher for Unwatched {}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// What stood behind the driver.
    pub backend: Backend,
    /// The orders, with the times that were given to the daemon.
    pub orders: Vec<Order>,
    /// Card time at which the rows of each order were in force, TAI ns.
    pub armed_ns: Vec<Option<u64>>,
    /// Ingress stamp of every frame.
    pub stamps: Vec<u64>,
    /// The verdict.
    pub verdict: Verdict,
    /// What each receiver got.
    pub inboxes: Vec<Inbox>,
    /// The wires.
    pub wire: WireReport,
    /// The audit log as it is after the daemon has stopped, judged with its public key.
    pub audit: AuditVerdict,
    /// The simulator's sums.
    pub statistics: Statistics,
    /// What else is wrong, one sentence each.
    pub problems: Vec<String>,
}

impl Finished {
    /// Everything that is wrong, one sentence each; none if the run is good.
    pub fn all_problems(&self) -> Vec<String> {
        let mut all = self.verdict.all_problems(&self.orders);
        all.extend(self.wire.problems.iter().cloned());
        if !self.audit.verified {
            let why = self.audit.problem.as_deref().unwrap_or("no reason given");
            all.push(format!("the audit log does not verify: {why}"));
        }
        if self.audit.checkpoints == 0 {
            all.push("nothing in the audit log is signed".to_owned());
        }
        all.extend(self.problems.iter().cloned());
        all
    }

    /// Whether nothing at all is wrong.
    pub fn is_good(&self) -> bool {
        self.all_problems().is_empty()
    }
}

/// Card time between the last look at the clock and the first frame.
const LEAD_NS: u64 = 1_500_000;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(180);

/// Runs a plan from beginning to end.
///
/// # Errors
/// [`RigError`] if something did not run at all. What ran, but not as it has to, is in the result.
pub fn run(plan: &RunPlan, watcher: &mut dyn Watcher) -> Result<Finished, RigError> {
    watcher.step("keys, certificates, mock receivers");
    let epoch_ns = tai_from_utc_ns(plan.first_utc_ns);
    let mut rig = Rig::set_up(rig_plan(plan, epoch_ns))?;
    watcher.step("writd brings the card up");
    rig.start_with_destinations(Confirmation::Barrier)?;
    let wire_error = |error: writ_sim::wire::ClientError| RigError::Wire(error.to_string());
    let mut wire = Client::connect(&rig.wire_socket()).map_err(wire_error)?;
    watcher.step("writ activates the warrants");
    let first_ns = wire.card_time_ns().map_err(wire_error)? + LEAD_NS;
    let (orders, armed_ns) = put_into_force(&rig, plan, first_ns)?;
    watcher.step("the capture goes through the card");
    let played = play(&mut wire, &plan.plan, first_ns, &mut |frames, all| watcher.played(frames, all))?;
    watcher.step("everything selected is delivered");
    let mut problems = Vec::new();
    rig.wait_until_idle(DRAIN_TIME_MAX, |status| report_delivery(status, watcher))?;
    watcher.step("the tasks are closed");
    close(&mut rig, &orders)?;
    let status = rig.wait_until_ended(&orders, DRAIN_TIME_MAX)?;
    problems.extend(accounting_problems(&status));
    let running = rig.verify_audit()?;
    let statistics = wire.statistics().map_err(wire_error)?;
    drop(wire);
    // What was delivered can be judged all the same.
    problems.extend(rig.stop().err().map(|error| error.to_string()));
    watcher.step("the audit log is verified");
    // The last signature is made when the daemon stops.
    let audit = rig.verify_audit_offline(&running.head)?;

    watcher.step("the verdict");
    let mut inboxes = Vec::new();
    for receiver in rig.receivers() {
        for refused in receiver.refused() {
            problems.push(format!("{} refused a connection: {refused}", receiver.name()));
        }
        inboxes.push(Inbox::read(receiver.name(), &receiver.connections()).map_err(RigError::io("received streams"))?);
    }
    let frames: Vec<StampedFrame<'_>> = played
        .stamps
        .iter()
        .zip(&plan.plan.frames)
        .map(|(&stamp_ns, frame)| StampedFrame {
            stamp_ns,
            from_b: frame.side == crate::traffic::Side::B,
            data: &frame.data,
        })
        .collect();
    let verdict = judge(&orders, &frames, &inboxes);
    let stamps = played.stamps;
    let wire = played.report.with_statistics(&statistics);
    Ok(Finished {
        backend: plan.backend,
        orders,
        armed_ns,
        stamps,
        verdict,
        inboxes,
        wire,
        audit,
        statistics,
        problems,
    })
}

fn rig_plan(plan: &RunPlan, epoch_ns: u64) -> RigPlan {
    let mut rig = RigPlan::new(&plan.folder, plan.binaries.clone(), plan.backend, epoch_ns);
    let mut names: Vec<(&str, Delivery)> = Vec::new();
    for warrant in &plan.warrants {
        if !names.iter().any(|(name, _)| *name == warrant.destination) {
            names.push((&warrant.destination, warrant.delivery));
        }
    }
    for (name, delivery) in names {
        rig = if delivery == Delivery::Hi { rig.lemf(name) } else { rig.mediation_function(name) };
    }
    rig
}

/// Activates all warrants; gives the orders, and when the rows of each were in force.
fn put_into_force(rig: &Rig, plan: &RunPlan, first_ns: u64) -> Result<(Vec<Order>, Vec<Option<u64>>), RigError> {
    let activate = |(index, warrant): (usize, &Warrant)| {
        let activation: Activation = warrant.activation(first_ns, plan.plan.duration_ns());
        let task = rig.activate(&activation).map_err(|error| error.of_warrant(index))?;
        Ok((activation.order, task.armed.map(|armed| armed.tai_ns)))
    };
    plan.warrants.iter().enumerate().map(activate).collect()
}

fn report_delivery(status: &StatusReport, watcher: &mut dyn Watcher) {
    let (mut delivered, mut selected) = (0, 0);
    for interface in status.tasks.iter().flat_map(|task| &task.interfaces) {
        delivered += interface.delivered.packets;
        selected += interface.selected.packets;
    }
    watcher.delivered(delivered, selected);
}

/// Deactivates what has not ended by itself.
fn close(rig: &mut Rig, orders: &[Order]) -> Result<(), RigError> {
    let status = rig.status()?;
    for order in orders {
        let state = status.tasks.iter().find(|task| task.xid == order.xid).map(|task| task.state);
        if matches!(state, Some(TaskState::Active | TaskState::Pending)) {
            rig.deactivate(order)?;
        }
    }
    Ok(())
}

/// The daemon's own books: selected has to be delivered + buffered + withheld + dropped, and at the end all has to be delivered.
fn accounting_problems(status: &StatusReport) -> Vec<String> {
    let mut problems = Vec::new();
    for task in &status.tasks {
        for counts in &task.interfaces {
            let dropped: u64 = counts.dropped.values().sum();
            let (selected, delivered) = (counts.selected.packets, counts.delivered.packets);
            let kept = counts.buffered.packets + counts.withheld.packets;
            if selected != delivered + kept + dropped || kept > 0 || dropped > 0 || counts.outside_term_packets > 0 {
                problems.push(format!(
                    "books of task {} on {}: {selected} selected, {delivered} delivered, {kept} kept back, {dropped} dropped{}, \
                     {} outside of its term",
                    task.xid,
                    counts.interface,
                    causes(&counts.dropped),
                    counts.outside_term_packets
                ));
            }
        }
    }
    problems
}

/// Why packets were dropped, in parentheses; nothing if none were.
fn causes(dropped: &BTreeMap<String, u64>) -> String {
    let causes: Vec<String> = dropped
        .iter()
        .filter(|(_, packets)| **packets > 0)
        .map(|(cause, packets)| format!("{cause} {packets}"))
        .collect();
    if causes.is_empty() { String::new() } else { format!(" ({})", causes.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_told_with_their_causes() {
        let dropped = |counts: &[(&str, u64)]| counts.iter().map(|&(cause, count)| (cause.to_owned(), count)).collect();
        assert_eq!(
            causes(&dropped(&[("destination-full", 7), ("card-mixed", 0), ("revoked", 1)])),
            " (destination-full 7, revoked 1)"
        );
        assert_eq!(causes(&dropped(&[("revoked", 0)])), "");
    }
}
