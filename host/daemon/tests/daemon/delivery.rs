//! A warrant goes in, PDUs come out.

use crate::{
    frames::{packet4, packet6},
    peer::{Language, Peer},
    site::{EPOCH_NS, Site, activation},
};
use std::net::{Ipv4Addr, Ipv6Addr};
use writ_handover::{
    pspdu::{self, CcContents, Hi1Operation, IriContents, Payload, PayloadDirection},
    x2x3,
};

const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const CONTENT: [&str; 8] = ["--kind", "title3", "--scope", "content", "--deliver", "hi", "--target", "ipv4=192.0.2.1"];

fn decode(pdu: &[u8]) -> pspdu::PsPdu<'_> {
    let decoded = pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
    assert!(decoded.warnings.is_empty() && decoded.length == pdu.len());
    decoded.pdu
}

/// The packet of a content PDU and its direction.
fn content(pdu: &[u8]) -> (Vec<u8>, PayloadDirection) {
    let Payload::Cc(list) = decode(pdu).payload else { panic!("no content") };
    let [payload] = list.as_slice() else { panic!("one packet a PDU") };
    let CcContents::IpCc(cc) = &payload.contents else { panic!("no IPCC") };
    (packet_of(cc), payload.direction.expect("always said"))
}

fn packet_of(cc: &pspdu::IpCc<'_>) -> Vec<u8> {
    match &cc.contents {
        pspdu::IpCcContents::Packets(octets) => octets.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// What a PDU on HI2 says, in a word.
fn iri_word(pdu: &[u8]) -> String {
    match decode(pdu).payload {
        Payload::Hi1(Hi1Operation::Activated(_)) => "activated".into(),
        Payload::Hi1(Hi1Operation::Deactivated(_)) => "deactivated".into(),
        Payload::Iri(list) => match &list[0].contents {
            IriContents::IpIri(_) => format!("{:?}", list[0].iri_type.expect("always said")).to_lowercase(),
            IriContents::PacketReport(_) => "header".into(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn words(peer: &Peer) -> Vec<String> {
    peer.pdus().iter().map(|pdu| iri_word(pdu)).collect()
}

fn traffic() -> Vec<Vec<u8>> {
    (0..6_u8)
        .flat_map(|number| {
            let payload = [number; 40];
            [
                packet4(TARGET, OTHER, (4000, 53), &payload),
                packet4(OTHER, TARGET, (53, 4000), &payload[..7]),
                packet4(OTHER, Ipv4Addr::new(192, 0, 2, 2), (1, 2), b"somebody else's"),
            ]
        })
        .collect()
}

fn of_target(packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let target = TARGET.octets();
    packets.iter().filter(|packet| packet[12..16] == target || packet[16..20] == target).cloned().collect()
}

#[test]
fn content_goes_to_the_agency_and_the_books_balance() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let change = site.done(&activation("LIID/7", "agency", &CONTENT));
    assert_eq!((&change["applied"], &change["after"]["state"]), (&true.into(), &"active".into()));
    assert_eq!(change["row_commands"], 1);
    assert_eq!(change["after"]["targets"][0]["value"], serde_json::Value::Null, "hidden unless asked for");

    let packets = traffic();
    let stamps = site.play(&packets);
    let status = site.wait_idle();
    let wanted = of_target(&packets);
    let received = hi3.pdus();
    assert_eq!(received.len(), wanted.len());
    for (number, (pdu, packet)) in received.iter().zip(&wanted).enumerate() {
        let (found, direction) = content(pdu);
        assert_eq!(&found, packet, "packet {number}");
        let from_target = packet[12..16] == TARGET.octets();
        let expected = if from_target { PayloadDirection::FromTarget } else { PayloadDirection::ToTarget };
        assert_eq!(direction, expected);
        let header = decode(pdu).header;
        assert_eq!(header.sequence, number as u32);
        assert_eq!(header.liid().expect("an LIID").text(), "LIID/7");
    }
    assert_eq!(words(&hi2), ["activated", "begin"]);

    let task = &status["tasks"][0];
    let counts = &task["interfaces"][1];
    assert_eq!((&counts["interface"], &counts["selected"]["packets"]), (&"hi3".into(), &12.into()));
    assert_eq!((&counts["delivered"]["packets"], &counts["buffered"]["pdus"]), (&12.into(), &0.into()));
    let armed = task["armed_ns"].as_u64().expect("armed");
    assert_eq!(task["first_selected_after_arm_ns"].as_u64(), Some(stamps[0] - armed));
    assert_eq!(status["card"]["records_consumed"], 12);

    let xid = change["after"]["xid"].as_str().expect("a UUID").to_owned();
    let ended = site.done(&["task", "deactivate", &xid]);
    assert_eq!(ended["before"]["state"], "active");
    site.wait("not ended", |status| status["tasks"][0]["state"] == "ended");
    assert_eq!(words(&hi2), ["activated", "begin", "end", "deactivated"]);
    site.play(&packets);
    site.wait_idle();
    assert_eq!(hi3.pdus().len(), wanted.len(), "nothing after the end");

    check_audit(&site, &xid);
    assert_eq!(daemon.terminate(), Some(0));
    let log = site.log();
    for secret in ["192.0.2.1", "LIID/7", "subscriber-17", "C-17", "A. Officer"] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
}

fn check_audit(site: &Site, xid: &str) {
    let verdict = site.done(&["audit", "verify"]);
    assert_eq!((&verdict["verified"], &verdict["head_found"]), (&true.into(), &serde_json::Value::Null));
    let head = verdict["head"].as_str().expect("hex").to_owned();
    assert_eq!(site.done(&["audit", "verify", "--expect-head", &head])["head_found"], true);
    let shown = site.done(&["audit", "show", "--task", xid]);
    let events: Vec<&str> =
        shown["records"].as_array().expect("list").iter().filter_map(|r| r["event"].as_str()).collect();
    let expected = [
        "activation-intended",
        "activation-done",
        "deactivation-intended",
        "deactivation-done",
        "task-draining",
        "task-ended",
    ];
    assert_eq!(events, expected);
    let text = std::fs::read_to_string(site.folder.join("state/audit.log")).expect("written");
    for secret in ["192.0.2.1", "LIID/7", "subscriber-17", "C-17", "A. Officer", xid] {
        assert!(!text.contains(secret), "{secret} in the audit log");
    }
    let offline = ["--verify-audit", "state/audit.log", "--audit-key", "state/audit.pub"];
    assert_eq!(site.writd(&offline).status.code(), Some(0));
    let tampered = text.replacen("\"actor_uid\"", "\"actor_uiD\"", 1);
    std::fs::write(site.folder.join("tampered.log"), tampered).expect("own folder");
    let offline = ["--verify-audit", "tampered.log", "--audit-key", "state/audit.pub"];
    assert_eq!(site.writd(&offline).status.code(), Some(4));
}

#[test]
fn a_pen_register_gets_headers_and_no_octet_more() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    // The same packets are content for somebody else: the card copies them whole.
    site.done(&activation("FULL", "agency", &CONTENT));
    let headers = ["--kind", "pen-register", "--scope", "headers_l4", "--deliver", "hi", "--target", "ipv4=192.0.2.1"];
    site.done(&activation("PEN", "agency", &headers));
    site.play(&[packet4(TARGET, OTHER, (4000, 53), b"SECRETSECRETSECRETSECRET")]);
    let status = site.wait_idle();
    let reports: Vec<Vec<u8>> = hi2.pdus().into_iter().filter(|pdu| iri_word(pdu) == "header").collect();
    assert_eq!(reports.len(), 1);
    assert_eq!(decode(&reports[0]).header.liid().expect("an LIID").text(), "PEN");
    let window_is = |window: &[u8]| window == b"SECRET";
    assert!(hi2.pdus().iter().all(|pdu| !pdu.windows(6).any(window_is)), "contents on HI2");
    assert!(hi3.pdus().iter().all(|pdu| decode(pdu).header.liid().expect("an LIID").text() == "FULL"));
    let interfaces = status["tasks"][1]["interfaces"].as_array().expect("list");
    assert_eq!(interfaces.len(), 1, "a pen register has no content interface");
    assert_eq!(interfaces[0]["selected"]["packets"], 1);
}

#[test]
fn x3_carries_the_packets_of_an_ipv6_target_and_of_an_endpoint() {
    let site = Site::new();
    let [x2, x3] = [(); 2].map(|()| Peer::new(Language::X, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("mdf", "x", [&x2, &x3]);
    let xid = "11111111-2222-4333-8444-555555555555";
    let more = [
        "--xid",
        xid,
        "--kind",
        "title3",
        "--scope",
        "content",
        "--deliver",
        "x",
        "--target",
        "ipv6=2001:db8::1",
        "--target",
        "endpoint=192.0.2.7:5060/udp",
    ];
    let change = site.done(&activation("L1", "mdf", &more));
    assert_eq!((&change["after"]["xid"], &change["row_commands"]), (&xid.into(), &2.into()));
    let target: Ipv6Addr = "2001:db8::1".parse().expect("an address");
    let other: Ipv6Addr = "2001:db8::2".parse().expect("an address");
    let server = Ipv4Addr::new(192, 0, 2, 7);
    let packets = [
        packet6(other, target, (9, 10), b"to the target"),
        packet6(other, "2001:db8::3".parse().expect("an address"), (9, 10), b"not"),
        packet4(server, OTHER, (5060, 5060), b"from the endpoint"),
        packet4(server, OTHER, (5061, 5060), b"another port"),
    ];
    site.play(&packets);
    site.wait_idle();
    let pdus = x3.pdus();
    let decoded: Vec<_> = pdus
        .iter()
        .map(|pdu| x2x3::decode(pdu, &x2x3::Limits::default()).expect("an X3 PDU").expect("whole").0)
        .collect();
    let payloads: Vec<&[u8]> = decoded.iter().map(|pdu| pdu.payload).collect();
    assert_eq!(payloads, [&packets[0][..], &packets[2][..]]);
    assert!(decoded.iter().all(|pdu| pdu.header.xid.text() == xid));
    assert_eq!(decoded.iter().filter_map(|pdu| pdu.sequence_number()).collect::<Vec<_>>(), [0, 1]);
    assert!(x2.pdus().is_empty());
}

#[test]
fn two_agencies_do_not_see_each_other() {
    let site = Site::new();
    let peers: Vec<Peer> = (0..4).map(|_| Peer::new(Language::Handover, Some(&site.pki()))).collect();
    let _daemon = site.start();
    site.add_destination("one", "hi", [&peers[0], &peers[1]]);
    site.add_destination("two", "hi", [&peers[2], &peers[3]]);
    // A LIID is unique per agency only.
    let first = site.done(&activation("SAME", "one", &CONTENT));
    site.done(&activation("SAME", "two", &CONTENT));
    site.play(&traffic());
    site.wait_idle();
    let sequences = |peer: &Peer| peer.pdus().iter().map(|pdu| decode(pdu).header.sequence).collect::<Vec<_>>();
    assert_eq!(sequences(&peers[1]), (0..12).collect::<Vec<_>>());
    assert_eq!(sequences(&peers[3]), (0..12).collect::<Vec<_>>());
    site.done(&["task", "deactivate", first["after"]["xid"].as_str().expect("a UUID")]);
    site.play(&traffic());
    site.wait_idle();
    assert_eq!((peers[1].pdus().len(), peers[3].pdus().len()), (12, 24));
    assert_eq!(sequences(&peers[3]), (0..24).collect::<Vec<_>>());
}

#[test]
fn the_card_s_clock_ends_a_task() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let end_ns = EPOCH_NS + 500_000_000;
    let end = format!("@{end_ns}");
    let change = site.done(&activation("L", "agency", &[&CONTENT[..], &["--end", &end]].concat()));
    let effective_ns = change["after"]["effective_end"]["tai_ns"].as_u64().expect("a stamp");
    assert!(effective_ns <= end_ns && end_ns - effective_ns < 1 << 20);
    site.play(&traffic());
    site.wait_idle();
    assert_eq!(hi3.pdus().len(), 12);
    site.advance_to(effective_ns + 1_000);
    let late = site.play(&traffic());
    assert!(late[0] >= effective_ns);
    let status = site.wait("not ended", |status| status["tasks"][0]["state"] == "ended");
    assert_eq!(hi3.pdus().len(), 12, "nothing stamped at or after the end");
    assert_eq!(words(&hi2), ["activated", "begin", "end", "deactivated"]);
    assert_eq!(status["card"]["armed"], false, "a card without tasks is a wire");
}

#[test]
fn a_task_in_the_future_waits_for_its_start() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let start_ns = EPOCH_NS + 400_000_000;
    let start = format!("@{start_ns}");
    let change = site.done(&activation("L", "agency", &[&CONTENT[..], &["--start", &start]].concat()));
    assert_eq!((&change["after"]["state"], &change["row_commands"]), (&"pending".into(), &0.into()));
    site.play(&traffic());
    site.wait_idle();
    assert!(hi3.pdus().is_empty() && hi2.pdus().is_empty());
    site.advance_to(start_ns + 1);
    site.wait("not active", |status| status["tasks"][0]["state"] == "active");
    site.play(&traffic());
    site.wait_idle();
    assert_eq!(hi3.pdus().len(), 12);
    assert_eq!(words(&hi2), ["activated", "begin"]);
}

#[test]
fn plaintext_is_possible_and_recorded() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, None));
    let _daemon = site.start();
    let [first, second] = [&hi2, &hi3].map(|peer| peer.address.to_string());
    let arguments = ["destination", "add", "lab", "--interface", "hi", "--hi2", &first, "--hi3", &second];
    // Without TLS and without the dangerous word it is not a command.
    assert_eq!(site.writ(&arguments).status.code(), Some(2));
    site.done(&[&arguments[..], &["--danger-plaintext", "--confirm", "written"]].concat());
    site.done(&activation("L", "lab", &CONTENT));
    site.play(&traffic());
    site.wait("not delivered", |status| status["tasks"][0]["interfaces"][1]["delivered"]["packets"] == 12);
    let start = std::time::Instant::now();
    while hi3.pdus().len() < 12 && start.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(hi3.pdus().len(), 12);
    let records = site.done(&["audit", "show"]);
    let events: Vec<&str> =
        records["records"].as_array().expect("list").iter().filter_map(|r| r["event"].as_str()).collect();
    assert!(events.contains(&"plaintext"), "{events:?}");
}

#[test]
fn a_peer_with_the_wrong_certificate_gets_nothing() {
    let site = Site::new();
    let foreign = site.folder.join("foreign");
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&foreign)));
    let _daemon = site.start();
    site.add_destination("impostor", "hi", [&hi2, &hi3]);
    site.done(&activation("L", "impostor", &CONTENT));
    site.play(&traffic());
    let status = site.wait("no error", |status| !status["destinations"][0]["sessions"][1]["last_error"].is_null());
    let error = status["destinations"][0]["sessions"][1]["last_error"].as_str().expect("text").to_owned();
    assert!(error.contains("TLS") && error.contains("certificate"), "{error}");
    assert_eq!(status["idle"], false);
    assert!(hi2.pdus().is_empty() && hi3.pdus().is_empty());

    // Our authority, but the receiver trusts somebody else's clients only: it refuses ours.
    let strict = site.folder.join("strict");
    std::fs::create_dir_all(&strict).expect("own folder");
    for (from, name) in [("foreign/ca.pem", "ca.pem"), ("pki/peer.pem", "peer.pem"), ("pki/peer.key", "peer.key")] {
        std::fs::copy(site.folder.join(from), strict.join(name)).expect("own folder");
    }
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&strict)));
    site.add_destination("strict", "hi", [&hi2, &hi3]);
    site.wait("no error", |status| !status["destinations"][1]["sessions"][1]["last_error"].is_null());
    assert!(hi2.pdus().is_empty() && hi3.pdus().is_empty());
    assert_eq!(hi3.connections(), 0);
}
