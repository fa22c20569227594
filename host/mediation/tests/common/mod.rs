//! What the integration tests share: memory that survives a simulated crash, tasks, frames, and a reader of what was delivered.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod delivered;
pub(crate) mod memory;

use std::{collections::BTreeMap, net::IpAddr};
use writ_handover::{
    ids::{CountryCode, Liid, NetworkElementId, NetworkFunctionId, OperatorId, PointOfInterceptionId, Xid},
    x2x3,
};
use writ_mediation::{
    datapath::{EncoderConfig, HitLayer, HitSide, IpHeader, Packet, TaskHit},
    task::{AccessType, Delivery, OrderKind, Responsible, Scope, TargetIdentifier, TaskSpec},
    units::{DestinationIndex, RecordNumber, Sensitive, TaiNs, TaskIndex},
};

/// Card time at which tests begin, in ns.
pub(crate) const T0: u64 = 1_750_000_000_000_000_000;

/// splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ a >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ b >> 31
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

pub(crate) fn encoder_config() -> EncoderConfig {
    EncoderConfig {
        network_element: Some(NetworkElementId::parse("NE-1").expect("good")),
        network_function: Some(NetworkFunctionId::parse("NE-1").expect("good")),
        point_of_interception: Some(PointOfInterceptionId::parse("POI-1").expect("good")),
        ..EncoderConfig::new(CountryCode::parse("US").expect("good"), OperatorId::parse("CARRIER").expect("good"))
    }
}

/// A target with one address.
pub(crate) fn address(text: &str) -> TargetIdentifier {
    let address: IpAddr = text.parse().expect("an address");
    let kind = if address.is_ipv4() { "ipv4" } else { "ipv6" };
    let fragment = match address {
        IpAddr::V4(address) => x2x3::target::ipv4_address(address),
        IpAddr::V6(address) => x2x3::target::ipv6_address(address),
    };
    TargetIdentifier { address: Some(address), ..target(&format!("{kind}={text}"), &[&fragment]) }
}

/// Any target, as the one who reads its text would make it.
pub(crate) fn target(text: &str, x1_fragments: &[&str]) -> TargetIdentifier {
    TargetIdentifier {
        text: Sensitive::new(text),
        address: None,
        prefix_bits: None,
        x1_fragments: x1_fragments.iter().map(|&fragment| fragment.to_owned()).collect(),
        selects_frames: ["mac=", "vlan="].iter().any(|kind| text.starts_with(kind)),
    }
}

/// A task with what matters to a test; number `n` names it.
pub(crate) fn task(
    n: u32,
    target: TargetIdentifier,
    scope: Scope,
    delivery: Delivery,
    destinations: &[u16],
) -> TaskSpec {
    let mut xid = [0x40; 16];
    xid[..4].copy_from_slice(&n.to_be_bytes());
    TaskSpec {
        xid: Xid(xid),
        liid: Liid::parse(&format!("LIID/{n}")).expect("good"),
        kind: OrderKind::Title3,
        authority_reference: Sensitive::new("case"),
        officer: Sensitive::new("officer"),
        signer: Sensitive::new("signer"),
        circuit: Sensitive::new("circuit"),
        username: Sensitive::new(format!("user-{n}")),
        access_type: AccessType::Fttx,
        targets: vec![target],
        scope,
        delivery,
        destinations: destinations.iter().copied().map(DestinationIndex).collect(),
        start: TaiNs(T0),
        end: TaiNs(T0 + 3_600_000_000_000),
        responsible: Responsible { uid: 1, name: Sensitive::new("someone") },
    }
}

/// A frame and where its headers are, as the card would say it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub bytes: Vec<u8>,
    pub outer: Option<IpHeader>,
    pub inner: Option<IpHeader>,
    /// Where the outer IP packet ends; padding follows.
    pub ip_end: usize,
}

/// An IP packet with this protocol and body.
pub(crate) fn ip_packet(source: IpAddr, destination: IpAddr, protocol: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            packet.extend_from_slice(&[0x45, 0]);
            packet.extend_from_slice(&(20 + body.len() as u16).to_be_bytes());
            packet.extend_from_slice(&[0, 0, 0, 0, 64, protocol, 0, 0]);
            packet.extend_from_slice(&source.octets());
            packet.extend_from_slice(&destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            packet.extend_from_slice(&[0x60, 0, 0, 0]);
            packet.extend_from_slice(&(body.len() as u16).to_be_bytes());
            packet.extend_from_slice(&[protocol, 64]);
            packet.extend_from_slice(&source.octets());
            packet.extend_from_slice(&destination.octets());
        }
        _ => panic!("both addresses are of one version"),
    }
    packet.extend_from_slice(body);
    packet
}

/// A UDP datagram.
pub(crate) fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut udp = Vec::new();
    udp.extend_from_slice(&ports.0.to_be_bytes());
    udp.extend_from_slice(&ports.1.to_be_bytes());
    udp.extend_from_slice(&(8 + payload.len() as u16).to_be_bytes());
    udp.extend_from_slice(&[0, 0]);
    udp.extend_from_slice(payload);
    udp
}

/// Where the headers of a UDP packet that begins at `at` stand.
pub(crate) fn udp_header(packet: &[u8], at: usize) -> IpHeader {
    let l3_end = at + if packet[0] >> 4 == 4 { 20 } else { 40 };
    IpHeader { l3_offset: at, l3_end, l4_end: l3_end + 8, protocol: 17, has_ports: true }
}

/// An Ethernet header for an IP packet, with `link` (tags, labels, session) between it and the packet.
pub(crate) fn in_ethernet(link: &[u8], packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    if link.is_empty() {
        let ether_type = if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
        bytes.extend_from_slice(&ether_type);
    }
    bytes.extend_from_slice(link);
    bytes.extend_from_slice(packet);
    bytes
}

/// UDP from `source` to `destination` with `payload`, padded to 60 bytes as Ethernet asks.
pub(crate) fn udp_frame(source: IpAddr, destination: IpAddr, ports: (u16, u16), payload: &[u8]) -> Frame {
    let packet = ip_packet(source, destination, 17, &udp(ports, payload));
    Frame::new(in_ethernet(&[], &packet), Some(udp_header(&packet, 14)), None)
}

impl Frame {
    pub(crate) fn new(mut bytes: Vec<u8>, outer: Option<IpHeader>, inner: Option<IpHeader>) -> Self {
        let ip_end = bytes.len();
        // Padding that must never be delivered with an IP packet.
        bytes.resize(bytes.len().max(60), 0xee);
        Self { bytes, outer, inner, ip_end }
    }

    pub(crate) fn packet(&self, record_sequence: u32, stamp: u64) -> Packet<'_> {
        Packet {
            record: RecordNumber { ring: 0, sequence: record_sequence },
            stamp: TaiNs(stamp),
            outer: self.outer,
            inner: self.inner,
            captured: &self.bytes,
            original_bytes: self.bytes.len(),
        }
    }

    /// What a task with `scope` has to get of it.
    pub(crate) fn expected(&self, scope: Scope) -> &[u8] {
        let outer = self.outer.expect("it has an IP header");
        let end = match scope {
            Scope::Content => self.ip_end,
            Scope::HeadersL4 => outer.l4_end,
            Scope::HeadersL3 => outer.l3_end,
        };
        &self.bytes[outer.l3_offset..end]
    }
}

/// A hit of a task's first target on the outer IP packet.
pub(crate) fn hit(task: u32, side: HitSide) -> TaskHit {
    TaskHit { task: TaskIndex(task), side, target: 0, layer: HitLayer::Outer, frame: false }
}

/// Counts by key, for messages.
pub(crate) fn histogram<K: Ord, I: IntoIterator<Item = K>>(items: I) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}
