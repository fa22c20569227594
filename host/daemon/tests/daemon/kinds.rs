//! Every kind of target, from the command line over the card to the PDU.

use crate::{
    frames::{self, gtpu4, link_frame, packet4, packet6},
    peer::{Language, Peer},
    site::{Site, activation},
};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};
use writ_handover::{
    pspdu::{self, IriContents, PacketReportContents, Payload},
    x2x3::{self, PayloadDirection, PayloadFormat},
};

const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const GATEWAYS: [Ipv4Addr; 2] = [Ipv4Addr::new(203, 0, 113, 1), Ipv4Addr::new(203, 0, 113, 2)];
const MOBILE: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 1);
const STATION: [u8; 6] = [2, 0, 0, 0, 0, 0x77];
const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 0x99];
const SECRET: &[u8] = b"SECRETSECRETSECRETSECRET";

/// A task for content over X.
fn content_over_x(xid: &str, target: &str) -> Vec<String> {
    let more = ["--xid", xid, "--kind", "title3", "--scope", "content", "--deliver", "x", "--target", target];
    let liid = format!("L{}", &xid[..8]);
    activation(&liid, "mdf", &more).into_iter().map(str::to_owned).collect()
}

fn as_words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// What each XID got: format, direction, payload.
type Got = BTreeMap<String, Vec<(PayloadFormat, PayloadDirection, Vec<u8>)>>;

fn got(peer: &Peer) -> Got {
    let mut got = Got::new();
    for pdu in peer.pdus() {
        let (pdu, _) = x2x3::decode(&pdu, &x2x3::Limits::default()).expect("an X3 PDU").expect("whole");
        let header = &pdu.header;
        let content = (header.payload_format, header.payload_direction, pdu.payload.to_vec());
        got.entry(header.xid.text()).or_default().push(content);
    }
    got
}

/// A kind of target, its keys as the card's tables show them, and the frames that it selects.
struct Case {
    target: &'static str,
    keys: &'static [&'static str],
    frames: Vec<usize>,
    format: PayloadFormat,
    directions: &'static [PayloadDirection],
}

/// Frames, each with the IP packet that a hit in it is of.
fn played() -> Vec<(Vec<u8>, Vec<u8>)> {
    let v6: Ipv6Addr = "2001:db8:0:1ff::7".parse().expect("an address");
    let other_v6: Ipv6Addr = "2001:db8:0:200::7".parse().expect("an address");
    let inner = packet4(MOBILE, OTHER, (7, 8), SECRET);
    vec![
        plain(packet4(TARGET, OTHER, (1000, 443), b"from the target")),
        plain(packet4(OTHER, TARGET, (443, 1000), b"to the target")),
        plain(packet4(OTHER, NEIGHBOUR, (443, 1000), b"to its neighbour")),
        (frames::frame(&gtpu4(GATEWAYS[0], GATEWAYS[1], 0x1a2b, &inner)), inner),
        plain(packet4(OTHER, GATEWAYS[1], (1, 2), b"not in the tunnel")),
        // VLAN 100 with something that is no IP.
        (link_frame(ROUTER, [2, 0, 0, 0, 0, 1], &[&[0x81, 0, 0, 100, 8, 6], &[1; 28]]), Vec::new()),
        (
            link_frame(ROUTER, STATION, &[&[0x86, 0xdd], &packet6(v6, other_v6, (1, 2), b"a station's")]),
            packet6(v6, other_v6, (1, 2), b"a station's"),
        ),
        // Control of PPPoE session 17.
        (
            link_frame(
                ROUTER,
                [2, 0, 0, 0, 0, 1],
                &[&[0x88, 0x64, 0x11, 0, 0, 17, 0, 10, 0xc0, 0x21], &[9, 1, 0, 8, 1, 2, 3, 4]],
            ),
            Vec::new(),
        ),
        // Label 16001 at the bottom.
        (
            link_frame(
                ROUTER,
                [2, 0, 0, 0, 0, 1],
                &[&[0x88, 0x47, 0x03, 0xe8, 0x11, 0x40], &packet4(OTHER, GATEWAYS[0], (1, 2), b"labelled")],
            ),
            Vec::new(),
        ),
        plain(packet6(other_v6, v6, (3, 4), b"to the prefix")),
        plain(packet6(other_v6, other_v6, (3, 4), b"beside the prefix")),
    ]
}

fn cases() -> [Case; 10] {
    use PayloadDirection::{FromTarget as From, ToTarget as To, Unknown};
    let ethernet = PayloadFormat::Ethernet;
    let case = |target, keys, frames: &[usize], format, directions| Case {
        target,
        keys,
        frames: frames.into(),
        format,
        directions,
    };
    [
        case(
            "flow=192.0.2.1:1000-198.51.100.9:443/udp",
            &["192.0.2.1:1000-198.51.100.9:443/udp"],
            &[0, 1],
            PayloadFormat::Ipv4,
            &[From, To],
        ),
        case(
            "ipv4=192.0.2.0/24",
            &["192.0.2.0/24 sender", "192.0.2.0/24 receiver"],
            &[0, 1, 2],
            PayloadFormat::Ipv4,
            &[From, To, To],
        ),
        case("endpoint=192.0.2.2:1000/udp", &["192.0.2.2:1000/udp"], &[2], PayloadFormat::Ipv4, &[To]),
        case("tunnel=gtpu:0x1a2b@203.0.113.2", &["gtpu:6699@203.0.113.2"], &[3], PayloadFormat::Ipv4, &[Unknown]),
        case("ipv4=10.1.1.1", &["10.1.1.1"], &[3], PayloadFormat::Ipv4, &[From]),
        case("vlan=a:100", &["a:100"], &[5], ethernet, &[Unknown]),
        case("mac=02:00:00:00:00:77", &["02:00:00:00:00:77"], &[6], ethernet, &[From]),
        case("tunnel=pppoe:17@02:00:00:00:00:99", &["pppoe:17@02:00:00:00:00:99"], &[7], ethernet, &[Unknown]),
        case("tunnel=mpls:16001", &["mpls:16001"], &[8], ethernet, &[Unknown]),
        case("ipv6=2001:db8:0:100::/56", &["2001:db8:0:100::/56"], &[6, 9], PayloadFormat::Ipv6, &[From, To]),
    ]
}

#[test]
fn every_kind_of_target_gets_what_it_names() {
    let site = Site::new();
    site.write_config(|config| config.replace("epoch_ns", "prefix_bits = 56\nepoch_ns"));
    let [x2, x3] = [(); 2].map(|()| Peer::new(Language::X, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("mdf", "x", [&x2, &x3]);

    let (played, cases) = (played(), cases());
    let xid = |number: usize| format!("{number:08}-2222-4333-8444-555555555555");
    for (number, case) in cases.iter().enumerate() {
        let change = site.done(&as_words(&content_over_x(&xid(number), case.target)));
        assert_eq!(change["row_commands"], case.keys.len(), "{}", case.target);
        assert_eq!(change["after"]["targets"][0]["kind"], case.target.split('=').next().expect("a kind"));
    }
    let frames: Vec<Vec<u8>> = played.iter().map(|(frame, _)| frame.clone()).collect();
    site.play_frames(&frames, 1000);
    let status = site.wait_idle();
    let got = got(&x3);
    for (number, case) in cases.iter().enumerate() {
        let payload =
            |frame: &usize| if case.format == PayloadFormat::Ethernet { &played[*frame].0 } else { &played[*frame].1 };
        let wanted: Vec<_> = case
            .frames
            .iter()
            .zip(case.directions)
            .map(|(frame, direction)| (case.format, *direction, payload(frame).clone()))
            .collect();
        assert_eq!(got.get(&xid(number)), Some(&wanted), "{}", case.target);
    }
    assert!(x2.pdus().is_empty() && got.len() == cases.len());

    check_tables(&site, &cases, &status);
}

/// The tables show all of it, with places and rings.
fn check_tables(site: &Site, cases: &[Case], status: &serde_json::Value) {
    let tables = site.done(&["card", "tables", "--reveal"]);
    let rows = tables["rows"].as_array().expect("list");
    let mut keys: Vec<&str> = rows.iter().map(|row| row["key"].as_str().expect("revealed")).collect();
    let mut wanted: Vec<&str> = cases.iter().flat_map(|case| case.keys).copied().collect();
    keys.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
    assert!(rows.iter().all(|row| row["as_planned"] == true), "{tables:#}");
    for (name, used) in [
        ("address", 1),
        ("prefix", 1),
        ("endpoint", 1),
        ("flow", 1),
        ("tunnel", 3),
        ("mac", 1),
        ("vlan", 1),
        ("rules", 2),
    ] {
        assert_eq!(status["card"]["rows"][name]["used"], used, "{name}");
        assert_eq!(rows.iter().filter(|row| row["table"] == name).count(), used, "{name}");
    }
    assert_eq!((&status["card"]["prefix_bits"], &status["card"]["committed"]), (&56.into(), &false.into()));
    let alarms = status["alarms"].as_array().expect("list");
    assert!(!alarms.iter().any(|alarm| alarm.as_str().expect("text").contains("row")), "{alarms:?}");
    let health = &site.done(&["card", "status"])["rows_health"];
    let number = |name: &str| health[name].as_u64().expect("a number");
    assert_eq!((number("damaged_rows"), number("damaged_reads"), number("multi_hits")), (0, 0, 0), "{health}");
}

fn plain(packet: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    (frames::frame(&packet), packet)
}

/// The header reports on HI2.
fn reports(peer: &Peer) -> Vec<Vec<u8>> {
    let header = |pdu: &Vec<u8>| {
        let decoded = pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
        let Payload::Iri(list) = &decoded.pdu.payload else { return None };
        let IriContents::PacketReport(report) = &list[0].contents else { return None };
        let PacketReportContents::Header { header, .. } = &report.report else {
            panic!("headers are reported one by one")
        };
        Some(header.to_vec())
    };
    peer.pdus().iter().filter_map(header).collect()
}

/// A pen register on the gateway, beside an order for the content of who speaks inside the tunnel; and the same where the tunnel is the carrier's
/// own, so that the gateway is nobody's and the customer's packet is what counts.
#[test]
fn a_pen_register_on_a_tunnel_s_end_gets_the_headers_of_its_layer() {
    let inner = packet4(MOBILE, OTHER, (0x5e5e, 0x5d5d), SECRET);
    let outer = gtpu4(GATEWAYS[0], GATEWAYS[1], 7, &inner);
    for (own, wanted) in [("[]", &outer[..28]), ("[\"gtpu\"]", &inner[..28])] {
        let site = Site::new();
        site.write_config(|config| config.replace("epoch_ns", &format!("own_tunnels = {own}\nepoch_ns")));
        let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
        let [x2, x3] = [(); 2].map(|()| Peer::new(Language::X, Some(&site.pki())));
        let _daemon = site.start();
        site.add_destination("agency", "hi", [&hi2, &hi3]);
        site.add_destination("mdf", "x", [&x2, &x3]);
        let pen =
            ["--kind", "pen-register", "--scope", "headers_l4", "--deliver", "hi", "--target", "ipv4=203.0.113.1"];
        site.done(&activation("PEN", "agency", &pen));
        site.done(&as_words(&content_over_x("00000001-2222-4333-8444-555555555555", "ipv4=10.1.1.1")));
        site.play(std::slice::from_ref(&outer));
        let status = site.wait_idle();
        assert_eq!(reports(&hi2), [wanted], "own tunnels: {own}");
        let holds = |pdu: &Vec<u8>, what: &[u8]| pdu.windows(what.len()).any(|window| window == what);
        assert!(!hi2.pdus().iter().any(|pdu| holds(pdu, b"SECRET")), "past the cut");
        if own == "[]" {
            assert!(!hi2.pdus().iter().any(|pdu| holds(pdu, &MOBILE.octets())), "an address of the other layer");
        }
        let content: Vec<_> = got(&x3).into_values().flatten().collect();
        assert_eq!(content, [(PayloadFormat::Ipv4, PayloadDirection::FromTarget, inner.clone())]);
        assert_eq!(status["card"]["own_tunnels"], serde_json::from_str::<serde_json::Value>(own).expect("a list"));
    }
}

#[test]
fn what_cannot_be_delivered_or_matched_is_refused_with_the_reason() {
    let site = Site::new();
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let [x2, x3] = [(); 2].map(|()| Peer::new(Language::X, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    site.add_destination("mdf", "x", [&x2, &x3]);
    let refused = |destination, kind, scope, family, target: &str| {
        let more = ["--kind", kind, "--scope", scope, "--deliver", family, "--target", target];
        site.refused(1, &activation("L", destination, &more))
    };
    for target in ["mac=02:00:00:00:00:77", "vlan=a:100", "tunnel=pppoe:17@02:00:00:00:00:99", "tunnel=mpls:16001"] {
        for refusal in [
            refused("agency", "title3", "content", "hi", target),
            refused("agency", "pen-register", "headers_l4", "hi", target),
            refused("mdf", "trap-trace", "headers_l3", "x", target),
        ] {
            assert_eq!((&refusal["code"], &refusal["where"]), (&"invalid".into(), &"targets".into()), "{refusal}");
            assert!(refusal["what"].as_str().expect("text").contains("content on x3"), "{refusal}");
        }
    }
    for (target, wanted) in [
        ("ipv4=198.51.100.256", "byte 5: not an IPv4 address"),
        ("ipv4=198.51.100.1/24", "bits behind the prefix"),
        ("ipv4=198.51.0.0/15", "16 to 31 bits"),
        ("tunnel=ipsec:1@198.51.100.1", "gtpu"),
        ("mac=01:00:5e:00:00:01", "multicast"),
    ] {
        let refusal = refused("mdf", "title3", "content", "x", target);
        assert_eq!((&refusal["code"], &refusal["where"]), (&"invalid".into(), &"targets".into()), "{refusal}");
        let what = refusal["what"].as_str().expect("text");
        assert!(what.contains("entry 0") && what.contains(wanted) && !what.contains("198.51"), "{refusal}");
    }
    // Prefixes lie in one another two deep.
    for (number, target) in ["ipv4=198.51.100.0/24", "ipv4=198.51.100.0/26"].into_iter().enumerate() {
        site.done(&as_words(&content_over_x(&format!("{number:08}-2222-4333-8444-555555555555"), target)));
    }
    let refusal = refused("mdf", "title3", "content", "x", "ipv4=198.51.100.0/28");
    assert_eq!((&refusal["code"], &refusal["where"]), (&"limit".into(), &"card tables".into()), "{refusal}");
    assert!(refusal["hint"].as_str().expect("text").contains("two deep"), "{refusal}");
    assert_eq!(site.done(&["status"])["tasks"].as_array().map(Vec::len), Some(2), "what is refused changes nothing");
}

#[test]
fn tasks_come_through_all_rings_or_through_those_that_are_configured() {
    for (lines, used) in [("1024", 4), ("[1024, 512]", 2), ("[4096]", 1)] {
        let site = Site::new();
        site.write_config(|config| config.replace("epoch_ns", &format!("record_ring_lines = {lines}\nepoch_ns")));
        let [x2, x3] = [(); 2].map(|()| Peer::new(Language::X, Some(&site.pki())));
        let _daemon = site.start();
        site.add_destination("mdf", "x", [&x2, &x3]);
        let address = |number: u8| Ipv4Addr::new(192, 0, 2, number);
        let xid = |number: u8| format!("{number:08}-2222-4333-8444-555555555555");
        for number in 1..=8 {
            site.done(&as_words(&content_over_x(&xid(number), &format!("ipv4={}", address(number)))));
        }
        let packets: Vec<Vec<u8>> = (0..400).map(|n| packet4(address(1 + n as u8 % 8), OTHER, (n, 1), b"x")).collect();
        site.play(&packets);
        let status = site.wait_idle();
        let rings = status["card"]["rings"].as_array().expect("list");
        assert_eq!(rings.len(), used, "{lines}");
        for ring in rings {
            let number = |name: &str| ring[name].as_u64().expect("a number");
            assert_eq!(number("tasks"), 8 / used as u64);
            assert_eq!((number("packets"), number("gaps"), number("lost")), (400 / used as u64, 0, 0), "{status:#}");
        }
        assert_eq!(status["card"]["records_consumed"], 400);
        for number in 1..=8 {
            let of_task: Vec<Vec<u8>> = got(&x3)[&xid(number)].iter().map(|(_, _, payload)| payload.clone()).collect();
            let wanted: Vec<Vec<u8>> =
                packets.iter().filter(|packet| packet[12..16] == address(number).octets()).cloned().collect();
            assert_eq!(of_task, wanted, "in order");
        }
        // Tasks end while others go on: their rings are known to be empty all the same.
        site.done(&["task", "deactivate", &xid(1)]);
        site.wait("not ended", |status| status["tasks"][0]["state"] == "ended");
    }
}
