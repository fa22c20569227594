//! Random frames over every path of the parser's grammar, good and bad, for addresses and ports out of small pools so that rows
//! and frames meet.

use proptest::collection::vec;
use proptest::prelude::*;
use writ_abi::command::Command;
use writ_abi::{MatchIndex, Scope, Table, hash, key};

pub(crate) const POOL: u8 = 6;
pub(crate) const PORTS: [u16; 4] = [53, 80, 5060, 40_000];
const PROTOCOLS: [u8; 3] = [6, 17, 132];

fn v4(host: u8) -> [u8; 4] {
    [192, 0, 2, 1 + host % POOL]
}

fn v6(host: u8) -> [u8; 16] {
    let mut address = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    address[15] = 1 + host % POOL;
    address
}

fn address(is_v6: bool, host: u8) -> std::net::IpAddr {
    if is_v6 { v6(host).into() } else { v4(host).into() }
}

/// A length field: right, or off by a little, or anything.
#[derive(Debug, Clone)]
enum Stated {
    Right,
    Off(i16),
    Any(u16),
}

fn stated() -> impl Strategy<Value = Stated> {
    prop_oneof![
        8 => Just(Stated::Right),
        2 => (-30_i16..30).prop_map(Stated::Off),
        1 => any::<u16>().prop_map(Stated::Any),
    ]
}

impl Stated {
    fn value(&self, right: usize) -> u16 {
        match self {
            Self::Right => right as u16,
            Self::Off(by) => (right as u16).wrapping_add_signed(*by),
            Self::Any(value) => *value,
        }
    }
}

/// Protocol number and bytes of what stands behind the IP headers.
fn transport() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let ports = (0..PORTS.len(), 0..PORTS.len()).prop_map(|(source, destination)| {
        let mut bytes = PORTS[source].to_be_bytes().to_vec();
        bytes.extend(PORTS[destination].to_be_bytes());
        bytes
    });
    let offset = prop_oneof![6 => Just(5_u8), 3 => 6_u8..=15, 1 => 0_u8..5];
    let tcp = (ports.clone(), offset, any::<[u8; 60]>()).prop_map(|(mut bytes, offset, rest)| {
        bytes.extend(&rest[..]);
        bytes[12] = offset << 4;
        bytes.truncate(usize::from(offset.max(5)) * 4);
        (6, bytes)
    });
    let with_rest = move |protocol: u8, bytes: usize| {
        (ports.clone(), any::<[u8; 8]>()).prop_map(move |(mut header, rest)| {
            header.extend(rest);
            header.truncate(bytes);
            (protocol, header)
        })
    };
    let other = prop_oneof![Just(1_u8), Just(58), Just(0), Just(43), Just(44), Just(50), Just(59), any::<u8>()];
    prop_oneof![
        4 => tcp,
        4 => with_rest(17, 8),
        2 => with_rest(132, 12),
        3 => (other, any::<[u8; 8]>()).prop_map(|(protocol, bytes)| (protocol, bytes.to_vec())),
    ]
}

fn body() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0_usize..40, 4 => 0_usize..300, 2 => 300_usize..1500, 1 => 1500_usize..9700]
}

fn ipv4() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let version = prop_oneof![19 => Just(4_u8), 1 => 0_u8..16];
    let words = prop_oneof![6 => Just(5_u8), 3 => 6_u8..=15, 1 => 0_u8..5];
    let fragment = prop_oneof![6 => Just(0_u16), 1 => Just(0x4000), 1 => Just(0x2000), 2 => any::<u16>()];
    (version, words, fragment, stated(), any::<(u8, u8)>(), transport(), body()).prop_map(
        |(version, words, fragment, stated, hosts, (protocol, transport), body)| {
            let header_bytes = usize::from(words.max(5)) * 4;
            let mut packet = vec![0; header_bytes];
            packet[0] = version << 4 | words;
            packet[2..4].copy_from_slice(&stated.value(header_bytes + transport.len() + body).to_be_bytes());
            packet[6..8].copy_from_slice(&fragment.to_be_bytes());
            packet[9] = protocol;
            packet[12..16].copy_from_slice(&v4(hosts.0));
            packet[16..20].copy_from_slice(&v4(hosts.1));
            packet.extend(transport);
            packet.extend((0..body).map(|i| i as u8));
            (0x0800, packet)
        },
    )
}

fn ipv6() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let version = prop_oneof![19 => Just(6_u8), 1 => 0_u8..16];
    let kind = prop_oneof![Just(0_u8), Just(43), Just(44), Just(60)];
    let length = prop_oneof![6 => 0_u8..3, 2 => 3_u8..16, 1 => any::<u8>()];
    let fragment = prop_oneof![4 => 0_u16..8, 1 => any::<u16>()];
    let extensions = prop_oneof![3 => Just(Vec::new()), 5 => vec((kind, length, fragment), 1..=6)];
    (version, extensions, stated(), any::<(u8, u8)>(), transport(), body()).prop_map(
        |(version, extensions, stated, hosts, (protocol, transport), body)| {
            let mut packet = vec![0; 40];
            packet[0] = version << 4;
            packet[8..24].copy_from_slice(&v6(hosts.0));
            packet[24..40].copy_from_slice(&v6(hosts.1));
            let mut next_at = 6;
            for (kind, length, fragment) in extensions {
                packet[next_at] = kind;
                next_at = packet.len();
                let bytes = if kind == 44 { 8 } else { 8 * (usize::from(length) + 1) };
                packet.extend(vec![0x5a; bytes]);
                packet[next_at + 1] = length;
                if kind == 44 {
                    packet[next_at + 2..next_at + 4].copy_from_slice(&fragment.to_be_bytes());
                }
            }
            packet[next_at] = protocol;
            packet.extend(transport);
            packet.extend((0..body).map(|i| i as u8));
            let payload_bytes = packet.len() - 40;
            packet[4..6].copy_from_slice(&stated.value(payload_bytes).to_be_bytes());
            (0x86dd, packet)
        },
    )
}

/// A frame without FCS.
pub(crate) fn frame() -> impl Strategy<Value = Vec<u8>> {
    let other = (any::<u16>(), vec(any::<u8>(), 0..120));
    let network = prop_oneof![9 => ipv4(), 9 => ipv6(), 1 => other];
    let tag = (prop_oneof![Just(0x8100_u16), Just(0x88a8)], any::<u16>());
    let tags = prop_oneof![6 => Just(Vec::new()), 4 => vec(tag, 1..=3)];
    let end = prop_oneof![
        6 => Just(None),
        2 => (0_usize..260).prop_map(Some),
        1 => (0_usize..64).prop_map(Some),
    ];
    let structured = (network, tags, end, 0_usize..20).prop_map(|((ethertype, packet), tags, end, padding)| {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        for (tpid, tci) in tags {
            frame.extend(tpid.to_be_bytes());
            frame.extend(tci.to_be_bytes());
        }
        frame.extend(ethertype.to_be_bytes());
        frame.extend(packet);
        match end {
            Some(end) => frame.truncate(end),
            None => frame.extend(vec![0; padding]),
        }
        frame
    });
    prop_oneof![20 => structured, 1 => vec(any::<u8>(), 0..300)]
}

/// A command that writes a row for something that the frames have.
pub(crate) fn write_row() -> impl Strategy<Value = Command> {
    let expiry = prop_oneof![
        6 => Just(writ_abi::time::NOT_AFTER_NEVER),
        1 => Just((super::EPOCH_NS >> writ_abi::time::NOT_AFTER_SHIFT) + 1),
        1 => Just(super::EPOCH_NS >> writ_abi::time::NOT_AFTER_SHIFT),
    ];
    (any::<bool>(), any::<bool>(), any::<u8>(), 0..3_usize, 0..PORTS.len(), 0..4_usize, 0_u32..40, 0..3_usize, expiry)
        .prop_map(|(endpoint, is_v6, host, protocol, port, way, match_index, scope, not_after)| {
            let address = address(is_v6, host);
            let scope = Scope::ALL[scope];
            // Spread over the whole range of indices.
            let match_index = match_index * 839;
            assert!(MatchIndex::new(match_index).is_some());
            if endpoint {
                let key = key::endpoint_key(address, PROTOCOLS[protocol], PORTS[port]);
                super::row(Table::Endpoint, &key, way, match_index, scope, not_after)
            } else {
                super::row(Table::Address, &key::address_key(address), way, match_index, scope, not_after)
            }
        })
}

/// Clears a row that some frame could hit.
pub(crate) fn clear_row() -> impl Strategy<Value = Command> {
    (any::<bool>(), any::<u8>(), 0..4_usize).prop_map(|(is_v6, host, way)| {
        let key = key::address_key(address(is_v6, host));
        let row = hash::rows(&key, Table::Address.rows_per_way())[way];
        Command::clear_row(0, Table::Address, way as u8, row)
    })
}
