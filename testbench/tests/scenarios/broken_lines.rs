//! Receivers whose lines break, and receivers that fall silent.

use std::time::{Duration, Instant};

use writ_testbench::lemf::{Behaviour, End};

use crate::{Folder, Scenario, TIME_MAX, three_warrants};

#[test]
fn connections_that_are_cut_again_and_again() {
    let folder = Folder::new("broken-lines");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf("agency-1").mediation_function("mdf-1"));
    scenario.start();
    for receiver in scenario.rig.receivers() {
        let behaviour =
            Behaviour { reset_after_bytes: Some(30_000), read_bytes_per_s: Some(400_000), ..Behaviour::default() };
        receiver.behave(behaviour);
    }
    scenario.activate_and_play(&three_warrants());
    let resets = |scenario: &Scenario| {
        let connections = scenario.rig.receivers().iter().flat_map(|receiver| receiver.connections());
        connections.filter(|connection| connection.end == End::Reset).count()
    };
    let deadline = Instant::now() + TIME_MAX;
    while resets(&scenario) < 4 {
        assert!(Instant::now() < deadline, "{} resets", resets(&scenario));
        std::thread::sleep(Duration::from_millis(10));
    }
    for receiver in scenario.rig.receivers() {
        receiver.behave(Behaviour::default());
    }
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
    assert!(verdict.tasks.iter().map(|task| task.duplicates).sum::<u64>() > 0, "nothing was sent again");
}

#[test]
fn a_silent_lemf_is_left_and_found_again() {
    let folder = Folder::new("silence");
    let mut scenario = Scenario::set_up(&folder, |mut plan| {
        plan.keepalive_idle_ms = 200;
        plan.keepalive_answer_ms = 600;
        plan.lemf("agency-1").mediation_function("mdf-1")
    });
    scenario.start();
    for receiver in scenario.rig.receivers() {
        receiver.behave(Behaviour { silent: true, ..Behaviour::default() });
    }
    scenario.activate_and_play(&three_warrants());
    scenario.wait_until_consumed();
    // A peer that does not answer is disconnected and tried again.
    let deadline = Instant::now() + TIME_MAX;
    while scenario.rig.receivers().iter().any(|receiver| receiver.connections().len() < 4) {
        assert!(Instant::now() < deadline, "the daemon stays with a silent peer");
        std::thread::sleep(Duration::from_millis(10));
    }
    let status = scenario.rig.status().unwrap_or_else(|error| panic!("{error}"));
    assert!(!status.idle, "without an answer nothing is confirmed");
    let delivered: u64 =
        status.tasks.iter().flat_map(|task| &task.interfaces).map(|interface| interface.delivered.packets).sum();
    assert_eq!(delivered, 0, "without an answer nothing is confirmed");
    for receiver in scenario.rig.receivers() {
        receiver.behave(Behaviour::default());
    }
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
}
