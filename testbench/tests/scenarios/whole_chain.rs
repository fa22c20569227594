//! From warrants to a verdict, nothing disturbed.

use writ_control::report::{StatusReport, TaskState};
use writ_sim::wire::Client;
use writ_testbench::play::Plan;
use writ_testbench::rig::{Backend, Confirmation};
use writ_testbench::run::{RunPlan, Unwatched, default_warrants, play, run, write_outputs};
use writ_testbench::traffic;

use crate::{Folder, Scenario, binaries, three_warrants};

#[test]
fn default_warrants_on_the_generated_capture() {
    let folder = Folder::new("whole-chain");
    let capture = traffic::generate(traffic::DEFAULT_SEED);
    let plan = RunPlan {
        folder: folder.0.clone(),
        binaries: binaries(),
        backend: Backend::Model,
        first_utc_ns: traffic::FIRST_TIME_NS,
        plan: Plan::new(&capture, 2_000),
        warrants: default_warrants(),
    };
    let finished = run(&plan, &mut Unwatched).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(finished.all_problems(), [""; 0]);
    for (order, task) in finished.orders.iter().zip(&finished.verdict.tasks) {
        assert!(task.selected > 20, "{}: {} packets are too few to prove anything", order.liid, task.selected);
        assert_eq!(task.duplicates, 0, "{}", order.liid);
    }
    // The warrant that ends in the middle has packets on either side of its end.
    let ending = finished.orders.iter().position(|order| order.liid.ends_with("006")).expect("a default warrant");
    let steady = 260;
    let selected = finished.verdict.tasks[ending].selected;
    assert!((steady / 4..steady * 3 / 4).contains(&selected), "{selected} of {steady}");

    let summary = write_outputs(&finished, &folder.0.join("state/audit.log"), &folder.0).expect("the folder is ours");
    assert!(summary.ok && summary.wire.identical && summary.audit.verified);
    assert!(summary.audit.checkpoints > 0, "a log without a signature proves nothing");
    let lines = std::fs::read_to_string(folder.0.join("audit.log")).expect("copied").lines().count();
    assert_eq!(summary.audit.records, lines as u64, "the log as it stays is what was verified");
    // The capture's one packet behind more than the card looks into, and on purpose: a tunnel in a tunnel.
    let unseen: Vec<&str> = summary.unsupported_encapsulation.iter().map(|hidden| hidden.layers.as_str()).collect();
    assert_eq!(unseen, ["ipv4/ipv4/ipv4"]);
    for order in &finished.orders {
        let liid = order.liid.replace('/', "%2F");
        let delivered = folder.0.join(format!("delivered-{}-{liid}.pcapng", order.destination));
        assert!(delivered.metadata().expect("written").len() > 1_000, "{}", delivered.display());
    }
    for name in ["wire-a.pcapng", "wire-b.pcapng", "audit.log", "summary.json", "hi2-agency-1-WRIT%2F2026%2F003.bin"] {
        assert!(folder.0.join(name).is_file(), "{name}");
    }
    let hi3_of_headers = folder.0.join("hi3-agency-1-WRIT%2F2026%2F003.bin");
    assert!(!hi3_of_headers.exists(), "a headers-only order has no content interface");
}

#[test]
fn an_order_that_starts_in_the_middle() {
    let folder = Folder::new("late-start");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf("agency-1").mediation_function("mdf-1"));
    scenario.start();
    let mut wire = Client::connect(&scenario.rig.wire_socket()).expect("the simulator listens");
    let (before, after) = split(&scenario.plan);
    let first_ns = wire.card_time_ns().expect("the simulator answers") + 3_000_000;
    let start_ns = first_ns + before.duration_ns() + 1_000_000;
    for warrant in three_warrants() {
        let mut activation = warrant.activation(first_ns, scenario.plan.duration_ns());
        activation.order.selector.start_ns = start_ns;
        scenario.rig.activate(&activation).unwrap_or_else(|error| panic!("{error}"));
        scenario.orders.push(activation.order);
    }
    let mut stamps =
        play(&mut wire, &before, first_ns, &mut |_, _| {}).unwrap_or_else(|error| panic!("{error}")).stamps;
    // Card time runs only with traffic, and much faster than the daemon's clock: it is taken to the start by hand.
    let now_ns = wire.advance_to(start_ns).expect("the simulator answers");
    let all_active = |status: &StatusReport| status.tasks.iter().all(|task| task.state == TaskState::Active);
    let reached = scenario.rig.wait_for("that the orders are in force", crate::TIME_MAX, |_| {}, all_active);
    reached.unwrap_or_else(|error| panic!("{error}"));
    let next_ns = now_ns.max(wire.card_time_ns().expect("the simulator answers")) + 1_000_000;
    stamps.extend(play(&mut wire, &after, next_ns, &mut |_, _| {}).unwrap_or_else(|error| panic!("{error}")).stamps);
    scenario.stamps = stamps;
    let outside: usize = {
        let frames = scenario.frames();
        scenario.orders.iter().map(|order| order.selector.select(&frames).outside.len()).sum()
    };
    assert!(outside > 20, "{outside} packets before the start are too few to prove anything");
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
}

/// The first third of a plan, and the rest with its offsets counted anew.
fn split(plan: &Plan) -> (Plan, Plan) {
    let (first, rest) = plan.frames.split_at(plan.frames.len() / 3);
    let start_ns = rest.first().map_or(0, |frame| frame.offset_ns);
    let mut rest = Plan { frames: rest.to_vec(), notes: Vec::new() };
    rest.frames.iter_mut().for_each(|frame| frame.offset_ns -= start_ns);
    (Plan { frames: first.to_vec(), notes: Vec::new() }, rest)
}

#[test]
fn confirmed_by_writing() {
    let folder = Folder::new("written");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf("agency-1").mediation_function("mdf-1"));
    scenario.start_with(Confirmation::Written);
    scenario.activate_and_play(&three_warrants());
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
}

#[test]
fn bad_orders_are_refused_and_change_nothing() {
    let folder = Folder::new("bad-orders");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf("agency-1"));
    scenario.start();
    let rig = &scenario.rig;
    let good = [
        "task",
        "activate",
        "--kind",
        "pen-register",
        "--authority",
        "A",
        "--officer",
        "B",
        "--signer",
        "C",
        "--circuit",
        "D",
        "--username",
        "E",
        "--access-type",
        "fttx",
        "--liid",
        "L1",
        "--destination",
        "agency-1",
        "--scope",
        "headers_l4",
        "--deliver",
        "hi",
        "--target",
        "ipv4=192.0.2.1",
        "--end",
        "+1d",
    ];
    let cases = [
        // A pen register has no content.
        ("headers_l4", "content", 1),
        ("agency-1", "nobody", 1),
        ("hi", "x", 1),
        ("+1d", "+400d", 1),
        ("L1", "a LIID with spaces", 1),
        // What stands behind a kind of target the daemon judges, which reads it in the one place that makes keys of it; the tool knows the kinds.
        ("ipv4=192.0.2.1", "ipv4=192.0.2.999", 1),
        ("ipv4=192.0.2.1", "imsi=262011234567890", 2),
        ("headers_l4", "everything", 2),
    ];
    for (good_word, bad_word, exit) in cases {
        let words = good.map(|word| if word == good_word { bad_word } else { word });
        let error = rig.writ(&words).expect_err(bad_word);
        assert_eq!(error.exit, Some(exit), "{bad_word}: {error}");
    }
    let status = rig.status().unwrap_or_else(|error| panic!("{error}"));
    assert!(status.tasks.is_empty(), "{} tasks came of refused orders", status.tasks.len());
    assert_eq!(status.card.rows.values().map(|rows| rows.used).sum::<u64>(), 0);
    rig.writ(&good).unwrap_or_else(|error| panic!("the good order is refused: {error}"));
    scenario.rig.stop().unwrap_or_else(|error| panic!("{error}"));
}
