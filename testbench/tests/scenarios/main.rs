//! Scenarios: the real `writd` and `writ` as processes of their own, on the golden model, with mock receivers around them.
//!
//! Each test gets a folder of its own under cargo's target folder and leaves it there if it fails.

mod broken_lines;
mod captures;
mod certificates;
mod crash;
mod encapsulations;
mod overload;
mod whole_chain;
mod wires;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use writ_control::report::StatusReport;
use writ_sim::wire::Client;
use writ_testbench::binaries::{Binaries, target_folder};
use writ_testbench::check::{Inbox, Order, Verdict, judge};
use writ_testbench::play::Plan;
use writ_testbench::rig::{Backend, Confirmation, Rig, RigError, RigPlan};
use writ_testbench::run::{Warrant, play};
use writ_testbench::traffic::{self, Side};
use writ_testbench::truth::{StampedFrame, tai_from_utc_ns};

const TIME_MAX: Duration = Duration::from_secs(120);

/// A folder for one test, empty; removed when the test is good.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = target_folder().join("scenarios").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the target folder can be written");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for inspection: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

fn binaries() -> Binaries {
    Binaries::for_tests().unwrap_or_else(|error| panic!("writd and writ do not build:\n{error}")).clone()
}

/// A rig whose capture has been chosen: what scenarios that interfere with the delivery have in common.
struct Scenario {
    rig: Rig,
    plan: Plan,
    orders: Vec<Order>,
    stamps: Vec<u64>,
}

impl Scenario {
    /// Sets a rig up around the generated capture; the daemon does not run yet.
    fn set_up(folder: &Folder, change: impl FnOnce(RigPlan) -> RigPlan) -> Self {
        let capture = traffic::generate(traffic::DEFAULT_SEED);
        let epoch_ns = tai_from_utc_ns(traffic::FIRST_TIME_NS);
        let rig_plan = change(RigPlan::new(&folder.0, binaries(), Backend::Model, epoch_ns));
        let rig = Rig::set_up(rig_plan).unwrap_or_else(|error| panic!("{error}"));
        Self { rig, plan: Plan::new(&capture, 2_000), orders: Vec::new(), stamps: Vec::new() }
    }

    fn start(&mut self) {
        self.start_with(Confirmation::Barrier);
    }

    fn start_with(&mut self, confirmation: Confirmation) {
        self.rig.start_with_destinations(confirmation).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Activates warrants and plays the whole capture; gives the stamp of the last frame.
    fn activate_and_play(&mut self, warrants: &[Warrant]) -> u64 {
        let mut wire = Client::connect(&self.rig.wire_socket()).expect("the simulator listens");
        let first_ns = wire.card_time_ns().expect("the simulator answers") + 2_000_000;
        for warrant in warrants {
            let activation = warrant.activation(first_ns, self.plan.duration_ns());
            self.rig.activate(&activation).unwrap_or_else(|error| panic!("{error}"));
            self.orders.push(activation.order);
        }
        let played = play(&mut wire, &self.plan, first_ns, &mut |_, _| {}).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(played.report.problems, [""; 0]);
        self.stamps = played.stamps;
        self.stamps.iter().copied().max().unwrap_or_default()
    }

    /// Waits until the daemon has turned every selected packet into PDUs.
    fn wait_until_consumed(&mut self) -> StatusReport {
        let wanted: u64 = {
            let frames = self.frames();
            self.orders.iter().map(|order| order.selector.select(&frames).selected.len() as u64).sum()
        };
        assert!(wanted > 100, "{wanted} packets are too few for a scenario");
        let reached = self.rig.wait_for(
            "that all records are consumed",
            TIME_MAX,
            |_| {},
            |status| {
                let counts = status.tasks.iter().flat_map(|task| &task.interfaces);
                status.card.records_idle && counts.map(|count| count.selected.packets).sum::<u64>() >= wanted
            },
        );
        reached.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Waits for delivery, closes the tasks, checks the audit log, stops the daemon, and judges.
    fn finish(&mut self) -> Verdict {
        self.finish_with_status().0
    }

    fn finish_with_status(&mut self) -> (Verdict, StatusReport) {
        let finish = |rig: &mut Rig, orders: &[Order]| {
            rig.wait_until_idle(TIME_MAX, |_| {})?;
            for order in orders {
                rig.deactivate(order)?;
            }
            let status = rig.wait_until_ended(orders, TIME_MAX)?;
            let audit = rig.verify_audit()?;
            assert!(audit.verified, "{:?}", audit.problem);
            rig.stop()?;
            Ok(status)
        };
        let status = finish(&mut self.rig, &self.orders).unwrap_or_else(|error: RigError| panic!("{error}"));
        let inboxes: Vec<Inbox> = self
            .rig
            .receivers()
            .iter()
            .map(|receiver| Inbox::read(receiver.name(), &receiver.connections()).expect("written by the receiver"))
            .collect();
        (judge(&self.orders, &self.frames(), &inboxes), status)
    }

    fn frames(&self) -> Vec<StampedFrame<'_>> {
        let pairs = self.stamps.iter().zip(&self.plan.frames);
        pairs
            .map(|(&stamp_ns, frame)| StampedFrame { stamp_ns, from_b: frame.side == Side::B, data: &frame.data })
            .collect()
    }

    fn assert_good(&self, verdict: &Verdict) {
        assert_eq!(verdict.all_problems(&self.orders), [""; 0]);
        assert!(verdict.is_good());
    }
}

/// Content of one subscriber to a LEMF, headers of a second one to the same, content of a third to a mediation function.
fn three_warrants() -> Vec<Warrant> {
    let mut warrants = writ_testbench::run::default_warrants();
    warrants.truncate(3);
    warrants
}
