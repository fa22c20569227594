//! Examples: what the functions of the ABI give for known input. Whoever writes another implementation starts here.

use std::fmt::Write as _;
use std::net::IpAddr;
use writ_abi::command::{Command, Opcode, Row};
use writ_abi::parse::ParseClass;
use writ_abi::record::{self, DropCause, GapRecord, Hit, PacketHeader, RawHit, Record, RecordKind};
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
    let v6: IpAddr = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into();
    vec![
        ("192.0.2.1", Table::Address, key::address_key(v4).to_vec()),
        ("2001:db8::1", Table::Address, key::address_key(v6).to_vec()),
        ("192.0.2.1 port 5060 UDP", Table::Endpoint, key::endpoint_key(v4, 17, 5060).to_vec()),
        ("2001:db8::1 port 443 TCP", Table::Endpoint, key::endpoint_key(v6, 6, 443).to_vec()),
    ]
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
        let address = matrix::<{ key::ADDRESS_KEY_BYTES }>(way, limits::ADDRESS_ROWS_PER_WAY);
        let endpoint = matrix::<{ key::ENDPOINT_KEY_BYTES }>(way, limits::ENDPOINT_ROWS_PER_WAY);
        line(out, &format!("crc32c of the hash matrix, way {way}, address"), format_args!("{address:#010x}"));
        line(out, &format!("crc32c of the hash matrix, way {way}, endpoint"), format_args!("{endpoint:#010x}"));
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

fn write_commands(out: &mut String) {
    let (_, table, bytes) = keys().swap_remove(2);
    let mut key = [0; key::KEY_BYTES_MAX];
    key[..bytes.len()].copy_from_slice(&bytes);
    let row =
        Row { key, match_index: index(0x5678), scope: Scope::HeadersL4, not_after: time::not_after_from_ns(STAMP_NS) };
    let commands = [
        ("Nop", Command::new(Opcode::Nop, 0x0102_0304)),
        ("WriteRow", Command::write_row(0x0102_0304, table, 2, 1023, &row)),
        ("ClearRow", Command::clear_row(0x0102_0304, Table::Address, 3, 4095)),
        ("ReadRow", Command::read_row(0x0102_0304, Table::Address, 0, 0)),
        ("ReadDrops", Command::drops(0x0102_0304, index(0x5678), false)),
        ("ClearDrops", Command::drops(0x0102_0304, index(0x5678), true)),
    ];
    for (name, command) in commands {
        assert!(command.check().is_ok(), "the example of {name} is no good command");
        line(out, &format!("command {name}"), hex(command.as_bytes()));
    }
}

fn write_records(out: &mut String) {
    let payload: Vec<u8> = (0..100).collect();
    let mut header = PacketHeader::new_zeroed();
    header.kind = RecordKind::Packet as u8;
    header.flags = record::flags::CUT | (TimeQuality::Locked as u8) << record::flags::TIME_QUALITY_LSB;
    header.hit_count = 2;
    header.port_side = PortSide::B as u8;
    header.record_sequence = U32::new(0x0a0b_0c0d);
    header.stamp_ns = U64::new(STAMP_NS);
    header.original_bytes = U16::new(1514);
    header.captured_bytes = U16::new(100);
    header.parse_class = ParseClass::Ports as u8;
    header.vlan_tags = 1;
    (header.l3_offset, header.l3_end, header.l4_offset, header.l4_end) = (18, 38, 38, 46);
    header.protocol = 17;
    header.payload_crc32c = U32::new(crc::crc32c_padded(&payload));
    header.hits[0] =
        RawHit::new(Hit { match_index: index(7), scope: Scope::HeadersL3, lookup: Lookup::AddressDestination });
    header.hits[1] =
        RawHit::new(Hit { match_index: index(0x7fff), scope: Scope::HeadersL4, lookup: Lookup::EndpointSource });
    header.header_crc32c = U32::new(crc::crc32c(header.as_bytes()));
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(&payload);
    bytes.resize(192, 0);
    assert!(matches!(record::parse(&bytes), Ok((Record::Packet(_), 192))), "the example is no good packet record");
    line(out, "packet record", hex(&bytes));

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
