//! The model's parser: against the text, rule by rule; against `etherparse` and `tshark`, which were written by others; against any bytes.

#[path = "../common/mod.rs"]
mod common;

mod captures;
mod link;
mod network;
mod others;
mod tunnels;

use common::packet;
use common::with_fcs;
use std::net::IpAddr;
use writ_abi::parse::ParseClass;
use writ_sim::model::parse::{IpHeader, Parsed, parse};

/// Parses a frame without FCS.
fn parsed(frame: &[u8]) -> Parsed {
    parse(&with_fcs(frame))
}

fn class_of(frame: &[u8]) -> ParseClass {
    parsed(frame).class
}

fn addresses(texts: [&str; 2]) -> [IpAddr; 2] {
    texts.map(|text| text.parse().expect("an address"))
}

const V4: [&str; 2] = ["192.0.2.1", "192.0.2.2"];
const V6: [&str; 2] = ["2001:db8::1", "2001:db8::2"];
const INNER: [&str; 2] = ["10.1.1.1", "10.2.2.2"];

/// An IP packet in Ethernet.
fn frame_of(ip: &[u8]) -> Vec<u8> {
    let ethertype = if ip[0] >> 4 == 4 { packet::IPV4 } else { packet::IPV6 };
    packet::ethernet(&[], ethertype, ip)
}

/// UDP over IPv4 with a payload.
fn over_udp(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    frame_of(&packet::ip(addresses(V4), packet::UDP, &packet::udp(ports, payload)))
}

/// The packet that tunnels carry in these tests: UDP, ports 7 and 8.
fn inner_packet() -> Vec<u8> {
    packet::ip(addresses(INNER), packet::UDP, &packet::udp([7, 8], &packet::body(20)))
}

fn outer(parsed: &Parsed) -> &IpHeader {
    parsed.outer.as_ref().expect("an outer IP header")
}

fn inner(parsed: &Parsed) -> &IpHeader {
    parsed.inner.as_ref().expect("an inner IP header")
}

/// Offsets of a header: start, end, end of the transport header.
fn places(header: &IpHeader) -> (usize, usize, usize) {
    (header.l3_offset, header.l3_end, header.l4_end)
}

/// For every shorter length of a frame its class and what it has found, in runs of equal ones, from the shortest on: (first length, value).
fn by_length<T: PartialEq>(frame: &[u8], of: impl Fn(&Parsed) -> T) -> Vec<(usize, T)> {
    let mut runs: Vec<(usize, T)> = Vec::new();
    for length in 0..=frame.len() {
        let value = of(&parsed(&frame[..length]));
        if runs.last().is_none_or(|(_, last)| *last != value) {
            runs.push((length, value));
        }
    }
    runs
}
