//! More than there is room for: what is lost is counted, by cause, and shows at the receiver as missing numbers.

use writ_sim::wire::Client;
use writ_testbench::lemf::Behaviour;
use writ_testbench::play::Plan;
use writ_testbench::run::{default_warrants, play};
use writ_testbench::traffic;

use crate::{Folder, Scenario};

/// Frames of some 1.5 KB: several times what the arena of this scenario holds.
const FRAMES: u64 = 9_000;

#[test]
fn selected_is_delivered_plus_dropped() {
    let folder = Folder::new("overload");
    let mut scenario = Scenario::set_up(&folder, |mut plan| {
        plan.arena_blocks = 16;
        plan.lemf("agency-1")
    });
    scenario.start();
    let receiver = scenario.rig.receiver("agency-1").expect("it was planned");
    receiver.behave(Behaviour { hold: true, ..Behaviour::default() });
    let mut wire = Client::connect(&scenario.rig.wire_socket()).expect("the simulator listens");
    let warrant = default_warrants().remove(0);
    let flood = Plan::new(&traffic::generate_bulk(1, FRAMES), 1_000);
    let first_ns = wire.card_time_ns().expect("the simulator answers") + 2_000_000;
    let activation = warrant.activation(first_ns, flood.duration_ns());
    scenario.rig.activate(&activation).unwrap_or_else(|error| panic!("{error}"));
    scenario.orders.push(activation.order);
    let played = play(&mut wire, &flood, first_ns, &mut |_, _| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(played.report.problems, [""; 0], "the wire does not notice");
    let mut stamps = played.stamps;

    let receiver = scenario.rig.receiver("agency-1").expect("it was planned");
    receiver.behave(Behaviour::default());
    scenario.rig.wait_until_idle(crate::TIME_MAX, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    // More traffic behind the loss: its numbers tell the receiver how much is missing.
    let rest = Plan::new(&traffic::generate_bulk(2, 50), 1_000);
    let next_ns = wire.card_time_ns().expect("the simulator answers") + 1_000_000;
    let played = play(&mut wire, &rest, next_ns, &mut |_, _| {}).unwrap_or_else(|error| panic!("{error}"));
    stamps.extend(played.stamps);
    scenario.plan = Plan { frames: [flood.frames, rest.frames].concat(), notes: Vec::new() };
    scenario.stamps = stamps;

    let (verdict, status) = scenario.finish_with_status();
    let task = &verdict.tasks[0];
    assert_eq!(task.selected, FRAMES + 50);
    assert_eq!(task.over_collected, 0, "{:?}", task.problems);
    assert!(task.lost > 100, "only {} lost: no overload", task.lost);
    assert_eq!(task.missing_numbers, task.lost, "the receiver can tell what is missing");
    let counts = status.tasks[0].interfaces.iter().find(|counts| counts.interface == "hi3").expect("content has HI3");
    let dropped: u64 = counts.dropped.values().sum();
    assert_eq!(counts.selected.packets, task.selected, "{:?}", counts.dropped);
    assert_eq!((counts.delivered.packets, dropped), (task.delivered, task.lost), "{:?}", counts.dropped);
}
