//! `writd` dies without a warning, and loses nothing that it had accepted.

use writ_testbench::lemf::Behaviour;

use crate::{Folder, Scenario, three_warrants};

/// Octets a second at which the receivers read while the daemon dies: far less than it has to send.
const SLOW: u64 = 90_000;

#[test]
fn killed_after_the_last_record_with_slow_receivers() {
    let folder = Folder::new("crash");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf("agency-1").mediation_function("mdf-1"));
    scenario.start();
    for receiver in scenario.rig.receivers() {
        receiver.behave(Behaviour { read_bytes_per_s: Some(SLOW), ..Behaviour::default() });
    }
    let last_ns = scenario.activate_and_play(&three_warrants());
    let before = scenario.wait_until_consumed();
    let window = |name: &str| -> u64 {
        let destination = before.destinations.iter().find(|destination| destination.name == name);
        destination.map_or(0, |found| found.sessions.iter().map(|session| session.unconfirmed_bytes).sum())
    };
    let windows = ["agency-1", "mdf-1"].map(window);
    assert!(windows.iter().sum::<u64>() > 50_000, "too little is unconfirmed to prove anything: {windows:?}");
    // Something has to have arrived, or nothing could come twice.
    let deadline = std::time::Instant::now() + crate::TIME_MAX;
    while scenario.rig.receivers().iter().any(|receiver| receiver.pdus() < 20) {
        assert!(std::time::Instant::now() < deadline, "nothing arrives");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    scenario.rig.kill().unwrap_or_else(|error| panic!("{error}"));
    for receiver in scenario.rig.receivers() {
        receiver.behave(Behaviour::default());
    }
    scenario.rig.restart_at(last_ns + 1_000_000_000).unwrap_or_else(|error| panic!("{error}"));
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
    let duplicates = |name: &str| -> u64 {
        let pairs = scenario.orders.iter().zip(&verdict.tasks).filter(|(order, _)| order.destination == name);
        pairs.map(|(_, task)| task.duplicate_octets).sum()
    };
    let again = ["agency-1", "mdf-1"].map(duplicates);
    assert!(again.iter().sum::<u64>() > 0, "nothing came twice: the scenario missed the window");
    for (again, window) in again.iter().zip(windows) {
        assert!(*again <= window, "{again} octets came twice, {window} were unconfirmed");
    }
}

#[test]
fn killed_twice_in_the_middle_of_delivery() {
    let folder = Folder::new("crash-twice");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf("agency-1").mediation_function("mdf-1"));
    scenario.start();
    for receiver in scenario.rig.receivers() {
        receiver.behave(Behaviour { read_bytes_per_s: Some(SLOW), ..Behaviour::default() });
    }
    let last_ns = scenario.activate_and_play(&three_warrants());
    scenario.wait_until_consumed();
    for crash in 1..=2 {
        scenario.rig.kill().unwrap_or_else(|error| panic!("{error}"));
        scenario.rig.restart_at(last_ns + crash * 1_000_000_000).unwrap_or_else(|error| panic!("{error}"));
        std::thread::sleep(std::time::Duration::from_millis(700));
    }
    for receiver in scenario.rig.receivers() {
        receiver.behave(Behaviour::default());
    }
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
}
