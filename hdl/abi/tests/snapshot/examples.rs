//! Examples: what the functions of the ABI give for known input. Whoever writes another implementation starts here.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use writ_abi::command::{Command, Opcode, Row, Rule};
use writ_abi::parse::{ParseClass, TunnelKind};
use writ_abi::record::{self, DropCause, GapRecord, Hit, Layer, PacketHeader, RawHit, Record, RecordKind, SecondLine};
use writ_abi::time::{self, TimeQuality};
use writ_abi::{Lookup, MatchIndex, PortSide, Scope, Table, crc, hash, key, limits};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromZeros, IntoBytes};

/// 2026-01-01T00:00:00 UTC in TAI nanoseconds, a little off a tick.
const STAMP_NS: u64 = 1_767_225_637_000_000_123;

fn line(out: &mut String, name: &str, value: impl std::fmt::Display) {
    writeln!(out, "{name}: {value}").expect("a string takes everything");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn index(value: u32) -> MatchIndex {
    MatchIndex::new(value).expect("in range")
}

fn keys() -> Vec<(&'static str, Table, Vec<u8>)> {
    let v4: IpAddr = [192, 0, 2, 1].into();
    let v4_other: IpAddr = [198, 51, 100, 7].into();
    let v6: IpAddr = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into();
    let network = Ipv6Addr::new(0x2001, 0xdb8, 0x1234, 0x56ff, 1, 2, 3, 4);
    let five_tuple = |source, destination, protocol, ports| {
        key::five_tuple_key(source, destination, protocol, ports).expect("one version").to_vec()
    };
    vec![
        ("192.0.2.1", Table::Address, key::address_key(v4).to_vec()),
        ("2001:db8::1", Table::Address, key::address_key(v6).to_vec()),
        ("2001:db8:1234:5600::/56", Table::Prefix, key::prefix_key(network, 56).to_vec()),
        ("192.0.2.1 port 5060 UDP", Table::Endpoint, key::endpoint_key(v4, 17, 5060).to_vec()),
        ("2001:db8::1 port 443 TCP", Table::Endpoint, key::endpoint_key(v6, 6, 443).to_vec()),
        ("192.0.2.1:40000 to 198.51.100.7:443 TCP", Table::FiveTuple, five_tuple(v4, v4_other, 6, [40_000, 443])),
        ("2001:db8::1 to itself, ports 1 and 2, SCTP", Table::FiveTuple, five_tuple(v6, v6, 132, [1, 2])),
        ("GTP-U 0x01020304 to 198.51.100.7", Table::Tunnel, tunnel(TunnelKind::GtpU, 0x0102_0304, v4_other)),
        ("VXLAN 5000 to 2001:db8::1", Table::Tunnel, tunnel(TunnelKind::Vxlan, 5000, v6)),
        ("L2TP tunnel 0x1122 session 0x3344 to 192.0.2.1", Table::Tunnel, tunnel(TunnelKind::L2tp, 0x1122_3344, v4)),
        ("GRE without key to 192.0.2.1", Table::Tunnel, tunnel(TunnelKind::Gre, 0, v4)),
        ("PPPoE session 0x11 to 02:00:00:00:00:01", Table::Tunnel, key::pppoe_key(0x11, MAC).to_vec()),
        ("MPLS label 0xabcde", Table::Tunnel, key::mpls_key(0xa_bcde).to_vec()),
        ("MAC 02:00:00:00:00:01", Table::Mac, MAC.to_vec()),
        ("port A, VLAN 100", Table::Vlan, key::vlan_key(PortSide::A, 100, None).to_vec()),
        ("port B, VLAN 100 and 7", Table::Vlan, key::vlan_key(PortSide::B, 100, Some(7)).to_vec()),
    ]
}

const MAC: [u8; key::MAC_KEY_BYTES] = [2, 0, 0, 0, 0, 1];

fn tunnel(kind: TunnelKind, identifier: u32, outer_destination: IpAddr) -> Vec<u8> {
    key::tunnel_key(kind, identifier, outer_destination).to_vec()
}

/// A key with its zeros behind it, as rows and commands hold it.
fn padded(bytes: &[u8]) -> [u8; key::KEY_BYTES_MAX] {
    let mut key = [0; key::KEY_BYTES_MAX];
    key[..bytes.len()].copy_from_slice(bytes);
    key
}

pub(crate) fn write(out: &mut String) {
    line(out, "crc32c of 123456789", format_args!("{:#010x}", crc::crc32c(b"123456789")));
    line(out, "crc32c_padded of abc", format_args!("{:#010x}", crc::crc32c_padded(b"abc")));
    line(out, "ethernet_fcs of 123456789", format_args!("{:#010x}", crc::ethernet_fcs(b"123456789")));
    for (name, table, key) in keys() {
        line(out, &format!("key of {name}"), hex(&key));
        line(out, &format!("rows of {name}"), format_args!("{:?}", hash::rows(&key, table.rows_per_way())));
    }
    for way in 0..limits::WAYS {
        for table in Table::ALL {
            let rows = table.rows_per_way();
            let matrix = match table {
                Table::Address | Table::Prefix => matrix::<{ key::ADDRESS_KEY_BYTES }>(way, rows),
                Table::Endpoint => matrix::<{ key::ENDPOINT_KEY_BYTES }>(way, rows),
                Table::FiveTuple => matrix::<{ key::FIVE_TUPLE_KEY_BYTES }>(way, rows),
                Table::Tunnel => matrix::<{ key::TUNNEL_KEY_BYTES }>(way, rows),
                Table::Mac => matrix::<{ key::MAC_KEY_BYTES }>(way, rows),
                Table::Vlan => matrix::<{ key::VLAN_KEY_BYTES }>(way, rows),
            };
            line(out, &format!("crc32c of the hash matrix, way {way}, {table:?}"), format_args!("{matrix:#010x}"));
        }
    }
    line(out, "not_after of an order until 1767225637000000123 ns", time::not_after_from_ns(STAMP_NS));
    write_commands(out);
    write_records(out);
}

/// All masks of a way, lowest bit first, under one CRC.
fn matrix<const N: usize>(way: usize, rows_per_way: u32) -> u32 {
    let bytes: Vec<u8> = (0..rows_per_way.ilog2()).flat_map(|bit| hash::bit_masks::<N>(way, bit)).collect();
    crc::crc32c(&bytes)
}

/// All traffic of 192.0.2.1 to ports 8000 to 8007 over UDP, as the target's own.
fn rule() -> Rule {
    let (source, any): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [0, 0, 0, 0].into());
    let value = key::five_tuple_key(source, any, 17, [0, 8000]).expect("one version");
    let mut mask = [0; key::KEY_BYTES_MAX];
    mask[..5].fill(0xff);
    mask[33] = 0xff;
    mask[36..38].copy_from_slice(&0xfff8_u16.to_be_bytes());
    let row = Row { key: mask, match_index: index(0x1_0fff), scope: Scope::HeadersL3, not_after: 77, ring: 3 };
    Rule { row, value: padded(&value), destination: false }
}

fn write_commands(out: &mut String) {
    const TAG: u32 = 0x0102_0304;
    let (_, table, bytes) = keys().swap_remove(3);
    let row = Row {
        key: padded(&bytes),
        match_index: index(0x1_5678),
        scope: Scope::HeadersL4,
        not_after: time::not_after_from_ns(STAMP_NS),
        ring: 2,
    };
    let (_, tuple_table, tuple) = keys().swap_remove(6);
    let tuple_row = Row { key: padded(&tuple), scope: Scope::Content, not_after: time::NOT_AFTER_NEVER, ..row };
    let receiver = Rule { destination: true, ..rule() };
    let commands = [
        ("Nop", Command::new(Opcode::Nop, TAG)),
        ("WriteRow", Command::write_row(TAG, table, 2, 1023, &row)),
        ("WriteRow of the batch", Command::write_row(TAG, tuple_table, 3, 2047, &tuple_row).pending()),
        ("ClearRow", Command::clear_row(TAG, Table::Address, 3, 8191)),
        ("ClearRow of the batch", Command::clear_row(TAG, Table::Vlan, 1, 255).pending()),
        ("ReadRow", Command::read_row(TAG, Table::Address, 0, 0)),
        ("ReadDrops", Command::drops(TAG, index(0x5678), false)),
        ("ClearDrops", Command::drops(TAG, index(0x5678), true)),
        ("StageRule", Command::stage_rule(TAG, &rule())),
        ("WriteRule", Command::write_rule(TAG, 1, 127, &rule())),
        ("WriteRule for the receiver, of the batch", Command::write_rule(TAG, 3, 0, &receiver).pending()),
        ("ClearRule", Command::clear_rule(TAG, 1, 127)),
        ("ClearRule of the batch", Command::clear_rule(TAG, 1, 127).pending()),
        ("ReadRule, value", Command::read_rule(TAG, 1, 127, false)),
        ("ReadRule, mask", Command::read_rule(TAG, 1, 127, true)),
        ("Commit", Command::new(Opcode::Commit, TAG)),
        ("Settle", Command::new(Opcode::Settle, TAG)),
        ("Abort", Command::new(Opcode::Abort, TAG)),
        ("CorruptRow", Command::corrupt_row(TAG, Table::Mac, 0, 1023)),
    ];
    for opcode in Opcode::ALL {
        assert!(commands.iter().any(|(_, command)| command.opcode == opcode as u8), "no example of {opcode:?}");
    }
    for (name, command) in commands {
        assert!(command.check().is_ok(), "the example of {name} is no good command");
        line(out, &format!("command {name}"), hex(command.as_bytes()));
    }
}

/// Seals a packet record made of header lines and payload.
fn packet(mut header: PacketHeader, second: Option<SecondLine>, payload: &[u8]) -> Vec<u8> {
    header.kind = RecordKind::Packet as u8;
    header.captured_bytes = U16::new(payload.len() as u16);
    header.payload_crc32c = U32::new(crc::crc32c_padded(payload));
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(second.iter().flat_map(|line| line.as_bytes()));
    let crc = crc::crc32c(&bytes);
    bytes[36..40].copy_from_slice(&crc.to_le_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(limits::LINE_BYTES), 0);
    let good = matches!(record::parse(&bytes), Ok((Record::Packet(_), used)) if used == bytes.len());
    assert!(good, "the example is no good packet record");
    bytes
}

/// UDP in a tagged frame, two hits.
fn plain_record() -> Vec<u8> {
    let payload: Vec<u8> = (0..100).collect();
    let mut header = PacketHeader::new_zeroed();
    header.flags = record::flags::CUT | (TimeQuality::Locked as u8) << record::flags::TIME_QUALITY_LSB;
    header.hit_count = 2;
    header.port_side = PortSide::B as u8;
    header.record_sequence = U32::new(0x0a0b_0c0d);
    header.stamp_ns = U64::new(STAMP_NS);
    header.original_bytes = U16::new(1514);
    header.parse_class = ParseClass::Ports as u8;
    header.link = 1;
    header.layer_flags = record::layer_flags::OUTER_PORTS;
    header.outer = Layer { l3_offset: 18, l3_end: 38, l4_end: 46, protocol: 17 };
    header.hits[0] =
        RawHit::new(Hit { match_index: index(7), scope: Scope::HeadersL3, lookup: Lookup::OuterDestination });
    header.hits[1] =
        RawHit::new(Hit { match_index: index(0x1_7fff), scope: Scope::HeadersL4, lookup: Lookup::EndpointSource });
    packet(header, None, &payload)
}

/// TCP in GTP-U in MPLS, with a hit of every lookup that can be together: both header lines.
fn tunnel_record() -> Vec<u8> {
    let payload: Vec<u8> = (0..130).map(|i| (i * 3) as u8).collect();
    let mut header = PacketHeader::new_zeroed();
    header.flags = record::flags::SECOND_LINE
        | record::flags::OWN_TUNNEL
        | (TimeQuality::Free as u8) << record::flags::TIME_QUALITY_LSB;
    header.record_sequence = U32::new(1);
    header.stamp_ns = U64::new(STAMP_NS);
    header.original_bytes = U16::new(130);
    header.parse_class = ParseClass::Ports as u8;
    header.link = 1 | 2 << record::link::MPLS_LABELS_LSB;
    header.tunnel = TunnelKind::GtpU as u8;
    header.layer_flags = record::layer_flags::OUTER_PORTS | record::layer_flags::INNER_PORTS;
    header.outer = Layer { l3_offset: 26, l3_end: 46, l4_end: 54, protocol: 17 };
    header.inner = Layer { l3_offset: 66, l3_end: 106, l4_end: 126, protocol: 6 };
    let hits = Lookup::ALL.into_iter().filter(|lookup| lookup.table().is_some() || *lookup as u8 % 2 == 1);
    let hits: Vec<RawHit> = hits
        .map(|lookup| {
            let scope = Scope::ALL[lookup as usize % 3];
            RawHit::new(Hit { match_index: index(1000 * lookup as u32), scope, lookup })
        })
        .collect();
    assert_eq!(hits.len(), limits::HITS_MAX);
    header.hit_count = hits.len() as u8;
    let mut second = SecondLine::new_zeroed();
    for (slot, hit) in header.hits.iter_mut().chain(&mut second.hits).zip(hits) {
        *slot = hit;
    }
    packet(header, Some(second), &payload)
}

fn write_records(out: &mut String) {
    line(out, "packet record", hex(&plain_record()));
    line(out, "packet record of a tunnel, with two header lines", hex(&tunnel_record()));

    let mut gap = GapRecord::new_zeroed();
    gap.kind = RecordKind::Gap as u8;
    gap.causes = 1 << DropCause::RecordFifo as u8 | 1 << DropCause::Oversize as u8;
    gap.first_sequence = U32::new(0x0a0b_0c0e);
    gap.first_stamp_ns = U64::new(STAMP_NS + 1000);
    gap.last_sequence = U32::new(0x0a0b_0c11);
    gap.last_stamp_ns = U64::new(STAMP_NS + 9000);
    gap.header_crc32c = U32::new(crc::crc32c(gap.as_bytes()));
    assert!(matches!(record::parse(gap.as_bytes()), Ok((Record::Gap(_), 64))), "the example is no good gap record");
    line(out, "gap record", hex(gap.as_bytes()));
    assert_eq!(record::parse(&record::SKIP_LINE), Ok((Record::Skip, 64)));
}
