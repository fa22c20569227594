//! What the integration tests share: memory that survives a simulated crash, tasks, frames, and a reader of what was delivered.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod delivered;
pub(crate) mod memory;

use std::{collections::BTreeMap, net::IpAddr};
use writ_handover::ids::{
    CountryCode, Liid, NetworkElementId, NetworkFunctionId, OperatorId, PointOfInterceptionId, Xid,
};
use writ_mediation::{
    datapath::{EncoderConfig, KeyKind, Packet, PacketEnd, TaskHit},
    task::{AccessType, Delivery, OrderKind, Responsible, Scope, TargetIdentifier, TaskSpec},
    units::{DestinationIndex, Sensitive, TaiNs, TaskIndex},
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

pub(crate) fn address(text: &str) -> TargetIdentifier {
    TargetIdentifier::Address(text.parse::<IpAddr>().expect("an address"))
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
    pub l3_offset: usize,
    pub l3_end: usize,
    pub l4_offset: usize,
    pub l4_end: usize,
    pub protocol: u8,
    /// Where the IP packet ends; padding follows.
    pub ip_end: usize,
}

/// UDP from `source` to `destination` with `payload`, padded to 60 bytes as Ethernet asks.
pub(crate) fn udp_frame(source: IpAddr, destination: IpAddr, ports: (u16, u16), payload: &[u8]) -> Frame {
    let mut udp = Vec::new();
    udp.extend_from_slice(&ports.0.to_be_bytes());
    udp.extend_from_slice(&ports.1.to_be_bytes());
    udp.extend_from_slice(&(8 + payload.len() as u16).to_be_bytes());
    udp.extend_from_slice(&[0, 0]);
    udp.extend_from_slice(payload);
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    let l3_end = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            bytes.extend_from_slice(&[8, 0, 0x45, 0]);
            bytes.extend_from_slice(&(20 + udp.len() as u16).to_be_bytes());
            bytes.extend_from_slice(&[0, 0, 0, 0, 64, 17, 0, 0]);
            bytes.extend_from_slice(&source.octets());
            bytes.extend_from_slice(&destination.octets());
            34
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            bytes.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0]);
            bytes.extend_from_slice(&(udp.len() as u16).to_be_bytes());
            bytes.extend_from_slice(&[17, 64]);
            bytes.extend_from_slice(&source.octets());
            bytes.extend_from_slice(&destination.octets());
            54
        }
        _ => panic!("both addresses are of one version"),
    };
    bytes.extend_from_slice(&udp);
    let ip_end = bytes.len();
    // Padding that must never be delivered.
    bytes.resize(bytes.len().max(60), 0xee);
    Frame { bytes, l3_offset: 14, l3_end, l4_offset: l3_end, l4_end: l3_end + 8, protocol: 17, ip_end }
}

impl Frame {
    pub(crate) fn packet(&self, record_sequence: u32, stamp: u64) -> Packet<'_> {
        Packet {
            record_sequence,
            stamp: TaiNs(stamp),
            l3_offset: self.l3_offset,
            l3_end: self.l3_end,
            l4_offset: self.l4_offset,
            l4_end: self.l4_end,
            protocol: self.protocol,
            captured: &self.bytes,
        }
    }

    /// What a task with `scope` has to get of it.
    pub(crate) fn expected(&self, scope: Scope) -> &[u8] {
        let end = match scope {
            Scope::Content => self.ip_end,
            Scope::HeadersL4 => self.l4_end,
            Scope::HeadersL3 => self.l3_end,
        };
        &self.bytes[self.l3_offset..end]
    }
}

pub(crate) fn hit(task: u32, end: PacketEnd) -> TaskHit {
    TaskHit { task: TaskIndex(task), end, key: KeyKind::Address }
}

/// Counts by key, for messages.
pub(crate) fn histogram<K: Ord, I: IntoIterator<Item = K>>(items: I) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}
