//! Death and return: nothing that was accepted is lost, nothing that was revoked goes out.

use crate::{
    frames::packet4,
    peer::{Language, Peer},
    site::{Site, activation},
};
use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    time::{Duration, Instant},
};
use writ_handover::pspdu;

const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const CONTENT: [&str; 8] = ["--kind", "title3", "--scope", "content", "--deliver", "hi", "--target", "ipv4=192.0.2.1"];
const HEADERS: [&str; 8] =
    ["--kind", "trap-trace", "--scope", "headers_l4", "--deliver", "hi", "--target", "ipv4=192.0.2.1"];

fn packets(count: u16) -> Vec<Vec<u8>> {
    (0..count).map(|number| packet4(TARGET, OTHER, (4000, number), &[7; 300])).collect()
}

/// PDUs by (LIID, kind of payload, sequence); every repetition has to be the same, octet for octet.
fn without_repetitions(pdus: &[Vec<u8>]) -> BTreeMap<(String, u8, u32), Vec<u8>> {
    let mut found = BTreeMap::new();
    for pdu in pdus {
        let decoded = pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
        let kind = match decoded.pdu.payload {
            pspdu::Payload::Iri(_) => 0,
            pspdu::Payload::Cc(_) => 1,
            pspdu::Payload::Hi1(_) => 2,
            _ => 3,
        };
        let liid = decoded.pdu.header.liid().expect("an LIID").text();
        let first = found.entry((liid, kind, decoded.pdu.header.sequence)).or_insert_with(|| pdu.clone());
        assert_eq!(first, pdu, "a repetition differs");
    }
    found
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn kill_9_loses_nothing_and_numbers_go_on() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    site.done(&activation("CONTENT", "agency", &CONTENT));
    site.done(&activation("HEADERS", "agency", &HEADERS));
    site.play(&packets(20));
    site.wait_idle();
    // From here on the agency confirms nothing, and reads no content.
    hi2.answer(false);
    hi3.answer(false);
    hi3.read(false);
    site.play(&packets(200));
    site.wait("not consumed", |status| status["card"]["records_consumed"] == 220);
    daemon.kill();
    for peer in [&hi2, &hi3] {
        peer.answer(true);
        peer.read(true);
    }

    let daemon = site.start();
    let status = site.wait_idle();
    assert_eq!(status["tasks"].as_array().map(Vec::len), Some(2));
    assert!(status["tasks"].as_array().expect("list").iter().all(|task| task["state"] == "active"));
    site.play(&packets(5));
    let status = site.wait_idle();

    let content = without_repetitions(&hi3.pdus());
    assert_eq!(content.len(), 225);
    assert!((0..225).all(|sequence| content.contains_key(&("CONTENT".into(), 1, sequence))));
    let related = without_repetitions(&hi2.pdus());
    let iri = |liid: &str| related.keys().filter(|(found, kind, _)| found == liid && *kind == 0).count();
    // The beginning, then one report a packet; one beginning only.
    assert_eq!((iri("CONTENT"), iri("HEADERS")), (1, 226));
    assert!((0..226).all(|sequence| related.contains_key(&("HEADERS".into(), 0, sequence))));

    for (task, interface) in [(0, 1), (1, 0)] {
        let counts = &status["tasks"][task]["interfaces"][interface];
        assert_eq!(counts["selected"]["packets"], 225, "{counts}");
        assert_eq!(counts["delivered"]["packets"], 225, "{counts}");
        assert_eq!(counts["dropped"], serde_json::json!({}));
    }
    assert_eq!(site.done(&["audit", "verify"])["verified"], true);
    assert_eq!(daemon.terminate(), Some(0));
}

/// What a destination that was full lost is not taken for delivered by the next process, written down or not.
#[test]
fn what_was_lost_right_before_a_kill_is_counted_as_lost() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let mut daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    site.done(&activation("L", "agency", &CONTENT));
    site.wait_idle();
    hi3.read(false);
    let big: Vec<Vec<u8>> = (0..1500_u16).map(|n| packet4(TARGET, OTHER, (n, 9), &[1; 1400])).collect();
    let mut played = 0;
    for _ in 0..8 {
        site.play(&big);
        played += big.len() as u64;
        // At once: counts are written down once a second. This card dies with the process, so everything has to be consumed.
        site.wait("not consumed", |status| status["card"]["records_consumed"] == 1500);
        daemon.kill();
        daemon = site.start();
    }
    hi3.read(true);
    let status = site.wait_idle();
    let counts = &status["tasks"][0]["interfaces"][1];
    let number = |name: &str| counts[name]["packets"].as_u64().expect("a number");
    let dropped = |cause: &str| counts["dropped"][cause].as_u64().unwrap_or_default();
    assert!(dropped("unrecorded") > 0, "{counts}");
    assert_eq!(number("selected"), played, "{counts}");
    assert_eq!(number("delivered") + dropped("unrecorded") + dropped("destination-full"), played, "{counts}");
    assert_eq!(without_repetitions(&hi3.pdus()).len() as u64, number("delivered"), "{counts}");
    drop(daemon);
}

#[test]
fn what_waits_for_a_peer_survives_a_stop_and_a_task_that_ended_meanwhile_stays_ended() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    hi2.answer(false);
    hi3.answer(false);
    let daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let change = site.done(&activation("L", "agency", &CONTENT));
    site.play(&packets(30));
    site.wait("not consumed", |status| status["card"]["records_consumed"] == 30);
    site.done(&["task", "deactivate", change["after"]["xid"].as_str().expect("a UUID")]);
    assert_eq!(daemon.terminate(), Some(0));
    let before = hi3.pdus().len();
    assert_eq!(before, 30, "sent, though not confirmed");

    hi2.answer(true);
    hi3.answer(true);
    let _daemon = site.start();
    site.play(&packets(10));
    let status = site.wait("not ended", |status| status["tasks"][0]["state"] == "ended");
    assert_eq!(status["tasks"][0]["interfaces"][1]["delivered"]["packets"], 30);
    let content = without_repetitions(&hi3.pdus());
    assert_eq!(content.len(), 30, "the same again, nothing new");
    let notices = without_repetitions(&hi2.pdus()).into_keys().filter(|(_, kind, _)| *kind == 2).count();
    assert_eq!(notices, 2);
}

#[test]
fn a_revoked_task_sends_nothing_more_not_even_after_a_restart() {
    let site = Site::new();
    site.write_config(|config| config.replace("blocks = 32", "blocks = 128"));
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let change = site.done(&activation("L", "agency", &CONTENT));
    site.wait_idle();
    // A receiver that reads nothing: what is written stays in the buffers of the network.
    hi3.read(false);
    let big: Vec<Vec<u8>> = (0..8000_u16).map(|n| packet4(TARGET, OTHER, (n, 9), &[1; 1400])).collect();
    site.play(&big);
    site.wait("not consumed", |status| status["card"]["records_consumed"] == 8000);
    let revoked = site.done(&["task", "revoke", change["after"]["xid"].as_str().expect("a UUID")]);
    assert_eq!(revoked["after"]["state"], "revoked");
    hi3.read(true);
    let status = site.wait("not withheld", |status| {
        let counts = &status["tasks"][0]["interfaces"][1];
        status["idle"] == true && counts["buffered"]["pdus"] == 0
    });
    let counts = &status["tasks"][0]["interfaces"][1];
    let number = |name: &str| counts[name]["packets"].as_u64().expect("a number");
    assert_eq!(number("selected"), 8000);
    assert_eq!(number("delivered") + number("withheld"), 8000);
    assert!(number("withheld") > 0, "{counts}");
    let sent = hi3.pdus().len() as u64;
    assert_eq!(sent, number("delivered"));
    assert!(site.folder.join("state/withheld/00000-hi3.withheld").exists());
    daemon.kill();

    let _daemon = site.start();
    site.play(&packets(10));
    site.wait_idle();
    assert_eq!(hi3.pdus().len() as u64, sent, "nothing more");
}

#[test]
fn without_its_arena_a_task_begins_new_numbers_and_says_so() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let [x2, x3] = [(); 2].map(|()| Peer::new(Language::X, Some(&site.pki())));
    let daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    site.add_destination("mdf", "x", [&x2, &x3]);
    site.done(&activation("L", "agency", &CONTENT));
    site.done(&activation("M", "mdf", &CONTENT.map(|word| if word == "hi" { "x" } else { word })));
    site.play(&packets(7));
    site.wait_idle();
    hi3.answer(false);
    hi3.read(false);
    site.play(&packets(3));
    site.wait("not delivered on X", |status| status["tasks"][1]["interfaces"][1]["delivered"]["packets"] == 10);
    // Counts are written down once a second.
    std::thread::sleep(Duration::from_millis(1500));
    daemon.kill();
    // As after a restart of the machine.
    std::fs::remove_file(site.folder.join("run/arena.bin")).expect("there");
    hi3.answer(true);
    let sent = x3.pdus().len();

    let _daemon = site.start();
    site.wait("not connected", |status| status["destinations"][0]["sessions"][1]["state"] == "connected");
    hi3.read(true);
    site.play(&packets(5));
    let status = site.wait_idle();
    let numbers = |pdu: &[u8]| {
        let decoded = pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
        let header = decoded.pdu.header;
        (header.communication.cin.expect("always given").0, header.sequence)
    };
    let content: Vec<(u32, u32)> = hi3
        .pdus()
        .iter()
        .filter(|pdu| {
            let decoded = pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
            matches!(decoded.pdu.payload, pspdu::Payload::Cc(_))
        })
        .map(|pdu| numbers(pdu))
        .collect();
    let (new, old): (Vec<_>, Vec<_>) = content.iter().partition(|(cin, _)| *cin != content[0].0);
    assert!(old.iter().map(|(_, sequence)| *sequence).eq(0..old.len() as u32) && (7..=10).contains(&old.len()));
    assert!(new.iter().map(|(_, sequence)| *sequence).eq(0..5), "{new:?}");
    let reset = hi3.pdus().iter().any(|pdu| {
        let decoded = pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
        matches!(decoded.pdu.payload, pspdu::Payload::Tri(pspdu::Tri::CinReset))
    });
    assert!(reset, "the new numbering was not announced");
    let counts = &status["tasks"][0]["interfaces"][1];
    assert_eq!(counts["selected"]["packets"], 15, "{counts}");
    assert_eq!((&counts["delivered"]["packets"], &counts["dropped"]["restart"]), (&12.into(), &3.into()), "{counts}");

    let correlations: Vec<u64> = x3.pdus()[sent..]
        .iter()
        .map(|pdu| {
            let (pdu, _) = writ_handover::x2x3::decode(pdu, &writ_handover::x2x3::Limits::default())
                .expect("an X3 PDU")
                .expect("whole");
            pdu.header.correlation_id
        })
        .collect();
    assert_eq!(correlations.len(), 5);
    assert!(correlations.iter().all(|id| *id != 0 && *id == correlations[0]), "{correlations:?}");
}

#[test]
fn a_broken_connection_is_opened_again() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    site.write_config(|config| config + "keepalive_answer_ms = 300\n");
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    site.done(&activation("L", "agency", &CONTENT));
    site.wait_idle();
    hi3.answer(false);
    site.play(&packets(50));
    // No answer in time: the connection is given up, opened again, everything sent again.
    wait_for("no second connection", || hi3.connections() >= 2);
    hi3.answer(true);
    site.wait_idle();
    let content = without_repetitions(&hi3.pdus());
    assert_eq!(content.len(), 50);
    assert!(hi3.pdus().len() > 50, "some came twice");
    let events = site.done(&["audit", "show"]).to_string();
    assert!(events.contains("session-down") && events.contains("session-fault"));
}

#[test]
fn a_store_that_lags_behind_the_audit_log_gives_no_number_twice() {
    let site = Site::new();
    let hi2 = Peer::new(Language::Handover, Some(&site.pki()));
    let hi3 = Peer::new(Language::Handover, Some(&site.pki()));
    let daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    daemon.kill();
    for name in ["store.sqlite", "store.sqlite-wal"] {
        std::fs::remove_file(site.folder.join("state").join(name)).expect("own folder");
    }
    // The first attempt makes an empty store, which must not do either.
    for _ in 0..2 {
        let output = site.writd(&["--config", "writd.toml"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("older than the audit log"), "{said}");
    }
}

#[test]
fn an_audit_log_that_lost_its_end_is_refused_and_a_new_one_says_that_there_was_another() {
    let site = Site::new();
    let daemon = site.start();
    assert_eq!(daemon.terminate(), Some(0));
    let log = site.folder.join("state/audit.log");
    let whole = std::fs::read_to_string(&log).expect("own folder");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    std::fs::write(&log, lines[..3].concat()).expect("own folder");
    let output = site.writd(&["--config", "writd.toml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("holds 3 records") && said.contains("its end was cut off"), "{said}");

    std::fs::remove_file(&log).expect("own folder");
    for _ in 0..2 {
        let daemon = site.start();
        let first = site.done(&["audit", "show"])["records"][0].clone();
        assert_eq!(first["event"], "log-begun");
        assert!(first["fields"]["records_of_an_earlier_log"].as_u64() > Some(3), "{first}");
        assert_eq!(daemon.terminate(), Some(0));
    }
}

/// What it holds in memory is intercepted data and keys: none of it may get into swap or into a core dump.
#[test]
fn memory_stays_out_of_swap_and_core_dumps() {
    let site = Site::new();
    let daemon = site.start();
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).expect("the daemon runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field of the kernel's");
        line.trim_start_matches(':').trim().to_owned()
    };
    let may_lock = u64::from_str_radix(&field("CapEff"), 16).expect("hexadecimal") >> 14 & 1 == 1;
    if may_lock {
        assert_ne!(field("VmLck"), "0 kB");
    } else {
        eprintln!("locking of memory was skipped: the test has no CAP_IPC_LOCK");
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.id())).expect("the daemon runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the kernel names it");
    assert_eq!(core.split_whitespace().nth(4), Some("0"));
}
