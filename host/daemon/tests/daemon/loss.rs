//! What cannot be kept is counted, told to whom it belongs, and to nobody else.

use crate::{
    frames::packet4,
    peer::{Language, Peer},
    site::{Site, activation},
};
use serde_json::Value;
use std::net::Ipv4Addr;
use writ_handover::pspdu;

const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

fn content(target: &'static str) -> [&'static str; 8] {
    ["--kind", "title3", "--scope", "content", "--deliver", "hi", "--target", target]
}

fn packets(source: Ipv4Addr, count: u16) -> Vec<Vec<u8>> {
    (0..count).map(|number| packet4(source, OTHER, (number, 9), &[3; 1400])).collect()
}

fn sequences(peer: &Peer) -> Vec<u32> {
    let sequence = |pdu: &Vec<u8>| {
        let decoded = pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
        decoded.pdu.header.sequence
    };
    peer.pdus().iter().map(sequence).collect()
}

fn packets_of(counts: &Value, name: &str) -> u64 {
    counts[name]["packets"].as_u64().expect("a number")
}

fn dropped(counts: &Value) -> u64 {
    counts["dropped"].as_object().expect("a map").values().map(|packets| packets.as_u64().expect("a number")).sum()
}

#[test]
fn loss_in_the_card_shows_in_the_numbers_and_in_the_books() {
    const PLAYED: u16 = 6000;
    let site = Site::new();
    // Eleven records fill this ring, and the frames come at line rate.
    site.write_config(|config| config.replace("epoch_ns", "record_ring_lines = 256\nepoch_ns"));
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let _daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    site.done(&activation("L", "agency", &content("ipv4=192.0.2.1")));
    site.play_every(&packets(Ipv4Addr::new(192, 0, 2, 1), PLAYED), 120);
    let status = site.wait_idle();
    let counts = &status["tasks"][0]["interfaces"][1];
    let lost = dropped(counts);
    assert!(lost > 0, "the ring was big enough: {counts}");
    assert_eq!(packets_of(counts, "selected"), u64::from(PLAYED), "{counts}");
    assert_eq!(packets_of(counts, "delivered") + lost, u64::from(PLAYED), "{counts}");
    let received = sequences(&hi3);
    assert_eq!(received.len() as u64, packets_of(counts, "delivered"));
    assert!(received.is_sorted(), "in order");

    // The numbers of what was lost are used up: the next packet is number PLAYED.
    site.play(&packets(Ipv4Addr::new(192, 0, 2, 1), 1));
    site.wait_idle();
    assert_eq!(sequences(&hi3).last(), Some(&u32::from(PLAYED)));
    let records = site.done(&["audit", "show"]);
    let losses = records["records"].as_array().expect("list").iter().filter(|record| record["event"] == "loss");
    let told: u64 = losses.map(|record| record["fields"]["packets"].as_u64().expect("a number")).sum();
    assert_eq!(told, lost);
    assert!(status["card"]["gaps_consumed"].as_u64().expect("a number") > 0);
}

#[test]
fn a_slow_agency_loses_its_own_packets_and_nobody_else_s() {
    const PLAYED: u16 = 12_000;
    let site = Site::new();
    let peers: Vec<Peer> = (0..4).map(|_| Peer::new(Language::Handover, Some(&site.pki()))).collect();
    let _daemon = site.start();
    site.add_destination("slow", "hi", [&peers[0], &peers[1]]);
    site.add_destination("quick", "hi", [&peers[2], &peers[3]]);
    for destination in ["slow", "quick"] {
        site.done(&activation("L", destination, &content("ipv4=192.0.2.1")));
    }
    site.wait_idle();
    peers[1].read(false);
    // In parts, so that the quick one keeps up.
    for part in packets(Ipv4Addr::new(192, 0, 2, 1), PLAYED).chunks(500) {
        site.play(part);
        site.wait("the quick one is not drained", |status| {
            status["tasks"][1]["interfaces"][1]["buffered"]["packets"] == 0
        });
    }
    let status = site.done(&["status"]);
    let quick = &status["tasks"][1]["interfaces"][1];
    assert_eq!((packets_of(quick, "delivered"), dropped(quick)), (u64::from(PLAYED), 0), "{quick}");
    assert_eq!(sequences(&peers[3]), (0..u32::from(PLAYED)).collect::<Vec<_>>());

    peers[1].read(true);
    let status = site.wait_idle();
    let slow = &status["tasks"][0]["interfaces"][1];
    let lost = slow["dropped"]["destination-full"].as_u64().unwrap_or_default();
    assert!(lost > 0, "{slow}");
    assert_eq!(packets_of(slow, "delivered") + lost, u64::from(PLAYED), "{slow}");
    let received = sequences(&peers[1]);
    assert!(received.is_sorted() && received.len() as u64 + lost == u64::from(PLAYED));
}
