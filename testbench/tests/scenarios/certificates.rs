//! Peers with wrong certificates: nothing goes out, nothing is lost, and it flows when the fault is gone.

use std::time::{Duration, Instant};

use writ_control::report::ConnectionState;
use writ_testbench::pki::Authority;

use crate::{Folder, Scenario, TIME_MAX, three_warrants};

/// Waits until every session failed at least once, and says why.
fn wait_for_failures(scenario: &mut Scenario) -> Vec<String> {
    let reached = scenario.rig.wait_for(
        "that every session fails",
        TIME_MAX,
        |_| {},
        |status| {
            let mut sessions = status.destinations.iter().flat_map(|destination| &destination.sessions);
            sessions.all(|session| session.last_error.is_some())
        },
    );
    let status = reached.unwrap_or_else(|error| panic!("{error}"));
    let sessions = status.destinations.iter().flat_map(|destination| &destination.sessions);
    sessions
        .map(|session| {
            assert_ne!(session.state, ConnectionState::Connected, "connected to a stranger");
            session.last_error.clone().unwrap_or_default()
        })
        .collect()
}

#[test]
fn receivers_of_a_foreign_authority() {
    let folder = Folder::new("foreign-receivers");
    let mut scenario = Scenario::set_up(&folder, |mut plan| {
        plan.receivers_of_foreign_authority = true;
        plan.lemf("agency-1").mediation_function("mdf-1")
    });
    scenario.start();
    scenario.activate_and_play(&three_warrants());
    scenario.wait_until_consumed();
    for error in wait_for_failures(&mut scenario) {
        assert!(error.to_lowercase().contains("certificate") || error.contains("Issuer"), "{error}");
    }
    for receiver in scenario.rig.receivers() {
        assert!(receiver.connections().is_empty(), "{} took a connection", receiver.name());
        assert_eq!(receiver.pdus(), 0);
    }
    // The operator finds that the daemon was given the wrong authority.
    scenario.rig.trust_receivers().unwrap_or_else(|error| panic!("{error}"));
    let last_ns = scenario.stamps.iter().copied().max().unwrap_or_default();
    scenario.rig.stop().unwrap_or_else(|error| panic!("{error}"));
    scenario.rig.restart_at(last_ns + 1_000_000_000).unwrap_or_else(|error| panic!("{error}"));
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
}

#[test]
fn a_daemon_with_a_certificate_of_a_foreign_authority() {
    let folder = Folder::new("foreign-daemon");
    let mut scenario = Scenario::set_up(&folder, |plan| plan.lemf("agency-1").mediation_function("mdf-1"));
    let pki = scenario.rig.folder().join("pki");
    let good = ["writd.pem", "writd.key"].map(|name| std::fs::read(pki.join(name)).expect("the rig wrote it"));
    let foreign = Authority::new("foreign").and_then(|authority| authority.client("writd")).expect("a key pair");
    foreign.write(&pki, "writd").expect("the folder is ours");
    scenario.start();
    scenario.activate_and_play(&three_warrants());
    scenario.wait_until_consumed();
    let deadline = Instant::now() + TIME_MAX;
    while scenario.rig.receivers().iter().any(|receiver| receiver.refused().is_empty()) {
        assert!(Instant::now() < deadline, "no receiver refused the foreign certificate");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(scenario.rig.receivers().iter().all(|receiver| receiver.pdus() == 0));
    let last_ns = scenario.stamps.iter().copied().max().unwrap_or_default();
    scenario.rig.stop().unwrap_or_else(|error| panic!("{error}"));
    for (name, octets) in ["writd.pem", "writd.key"].into_iter().zip(good) {
        std::fs::write(pki.join(name), octets).expect("the folder is ours");
    }
    scenario.rig.restart_at(last_ns + 1_000_000_000).unwrap_or_else(|error| panic!("{error}"));
    let verdict = scenario.finish();
    scenario.assert_good(&verdict);
}
