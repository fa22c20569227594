//! Prints the ABI as text.

use crate::examples;
use std::fmt::Write as _;
use writ_abi::command::{Command, Completion, Opcode, RowState, Status};
use writ_abi::parse::{ParseClass, TunnelKind};
use writ_abi::record::{DropCause, GapRecord, Layer, PacketHeader, RawHit, RecordKind, SecondLine};
use writ_abi::time::TimeQuality;
use writ_abi::{Lookup, PortSide, Scope, Table};
use zerocopy::FromZeros;

/// One line for each constant, under its path.
macro_rules! constants {
    ($out:ident: $($path:path),* $(,)?) => {
        $(writeln!($out, "{} = {:?}", stringify!($path).replace(' ', ""), $path).expect("a string takes everything");)*
    };
}

/// One line for each field. Fails if the fields named do not fill the structure without gap or overlap.
macro_rules! layout {
    ($out:ident: $name:ident { $($field:tt),* $(,)? }) => {{
        let sample = $name::new_zeroed();
        let size = size_of::<$name>();
        writeln!($out, "\nstruct {}: {size} bytes", stringify!($name)).expect("a string takes everything");
        let mut next = 0;
        $({
            let (offset, bytes) = (core::mem::offset_of!($name, $field), size_of_val(&sample.$field));
            assert_eq!(offset, next, "{}.{}: a field before it is not in the snapshot", stringify!($name), stringify!($field));
            next = offset + bytes;
            writeln!($out, "  {offset:3} {bytes:3} {}", stringify!($field)).expect("a string takes everything");
        })*
        assert_eq!(next, size, "{}: a field at the end is not in the snapshot", stringify!($name));
    }};
}

/// One line for each number with a meaning.
macro_rules! numbers {
    ($out:ident: $name:ident) => {{
        writeln!($out, "\nenum {}", stringify!($name)).expect("a string takes everything");
        for (bits, value) in (0..=u8::MAX).filter_map(|bits| Some((bits, $name::from_bits(bits)?))) {
            assert_eq!(value as u8, bits);
            writeln!($out, "  {bits:3} {value:?}").expect("a string takes everything");
        }
    }};
}

pub(crate) fn abi() -> String {
    let mut out = String::from("# Writ ABI. Printed by the test `snapshot` of writ-abi; not to be edited.\n\n");
    constants(&mut out);
    adapter_counters(&mut out);
    numbers(&mut out);
    layouts(&mut out);
    out.push_str("\n# Examples\n");
    examples::write(&mut out);
    out.push('\n');
    writ_abi::registers::write_markdown(&mut out).expect("a string takes everything");
    out
}

fn constants(out: &mut String) {
    use writ_abi::{command, crc, hash, key, limits, parse, pci, record, registers, self_test, time};
    constants!(out:
        writ_abi::ABI_MAJOR, writ_abi::ABI_MINOR, writ_abi::MAGIC,
        crc::POLYNOMIAL_CRC32, crc::POLYNOMIAL_CRC32C, hash::WAY_LSB,
        key::ADDRESS_KEY_BYTES, key::ENDPOINT_KEY_BYTES, key::FIVE_TUPLE_KEY_BYTES, key::TUNNEL_KEY_BYTES,
        key::MAC_KEY_BYTES, key::VLAN_KEY_BYTES, key::KEY_BYTES_MAX, key::NO_VLAN,
        limits::WAYS, limits::ADDRESS_ROWS_PER_WAY, limits::PREFIX_ROWS_PER_WAY, limits::ENDPOINT_ROWS_PER_WAY,
        limits::FIVE_TUPLE_ROWS_PER_WAY, limits::TUNNEL_ROWS_PER_WAY, limits::MAC_ROWS_PER_WAY,
        limits::VLAN_ROWS_PER_WAY, limits::ROWS_PER_WAY_MAX, limits::RULE_BANKS, limits::RULES_PER_BANK,
        limits::MATCH_INDEX_COUNT, limits::SELF_TEST_MATCH_INDEX, limits::HITS_MAX,
        limits::LINE_BYTES, limits::WINDOW_BYTES, limits::FCS_BYTES, limits::FRAME_BYTES_MAX,
        limits::VLAN_TAGS_MAX, limits::INNER_VLAN_TAGS_MAX, limits::MPLS_LABELS_MAX,
        limits::IPV6_EXTENSION_HEADERS_MAX, limits::GTPU_EXTENSION_HEADERS_MAX,
        limits::GTPU_PORTS, limits::VXLAN_PORTS, limits::GENEVE_PORTS, limits::L2TP_PORTS,
        limits::COPY_FIFO_LINES, limits::COPY_FRAMES_MAX,
        limits::RECORD_FIFO_LINES, limits::RECORD_FIFO_RESUME_LINES, limits::TAP_FIFO_BEATS, limits::WINDOW_FIFO_FRAMES, limits::DROP_QUEUE_FRAMES, limits::RECORD_RINGS,
        limits::RING_LINES_MIN, limits::RING_LINES_MAX, limits::INDEX_WRITE_BACK_RECORDS,
        command::flags::RING_MASK, command::flags::PENDING, command::flags::DESTINATION, command::flags::MASK,
        command::flags::PENDING_CLEAR,
        parse::TPIDS,
        pci::VENDOR, pci::DEVICE, pci::SUBSYSTEM_VENDOR, pci::SUBSYSTEM, pci::REVISION, pci::CLASS,
        pci::BAR_0_BYTES, pci::ADAPTER_AT, pci::MSIX_TABLE_AT, pci::MSIX_PENDING_AT, pci::VECTORS, pci::MSIX_ENTRY_BYTES,
        pci::COMPLETION_VECTOR, pci::ERROR_VECTOR,
        pci::adapter::STATE_AT, pci::adapter::MODERATION_AT, pci::adapter::MODERATION_CLOCKS,
        pci::adapter::RQ_PATIENCE_AT, pci::adapter::RQ_PATIENCE_CLOCKS, pci::adapter::RQ_PATIENCE_DEFAULT, pci::adapter::COUNTERS_AT,
        pci::adapter::state::BUS_MASTER, pci::adapter::state::LINK_UP, pci::adapter::state::FUNCTION_RESET,
        pci::adapter::state::MSIX_ENABLED, pci::adapter::state::FUNCTION_MASKED, pci::adapter::state::RQ_STALLED,
        pci::adapter::state::MAX_PAYLOAD_LSB,
        pci::adapter::state::SESSION_LSB, pci::adapter::state::SESSION_FLUSH, pci::adapter::state::SESSION_RELEASE,
        pci::adapter::state::SESSION_OFF, pci::adapter::state::SESSION_ON, pci::adapter::state::SESSION_DRAIN,
        record::HITS_INLINE, record::HITS_SECOND_LINE, record::SKIP_LINE, record::ETHERNET_BYTES,
        record::flags::SECOND_LINE, record::flags::CUT, record::flags::OWN_TUNNEL, record::flags::TIME_QUALITY_LSB,
        record::link::VLAN_TAGS_MASK, record::link::MPLS_LABELS_LSB, record::link::PPPOE, record::link::PSEUDOWIRE,
        record::tunnel::KIND_MASK, record::tunnel::INNER_ETHERNET,
        record::layer_flags::OUTER_PORTS, record::layer_flags::OUTER_FRAGMENT, record::layer_flags::INNER_PORTS,
        record::layer_flags::INNER_FRAGMENT,
        registers::BAR_BYTES, registers::identity::BUILD_HASH_WORDS, registers::rings::RECORD_STRIDE,
        self_test::SOURCE, self_test::DESTINATION, self_test::UDP_PORT, self_test::MAGIC, self_test::TOKEN_AT,
        self_test::SEQUENCE_AT, self_test::PORT_AT, self_test::FRAME_BYTES,
        time::CORE_CLOCK_HZ, time::STAMP_ERROR_NS_MAX, time::INCREMENT_NS, time::INCREMENT_FRACTION,
        time::NOT_AFTER_SHIFT, time::NOT_AFTER_BITS, time::NOT_AFTER_NEVER,
    );
}

/// Counters of the adapter, under their addresses.
fn adapter_counters(out: &mut String) {
    use writ_abi::pci::adapter;
    writeln!(out, "\npci::adapter::COUNTERS = {}", adapter::COUNTERS.len()).expect("a string takes everything");
    for (at, (name, what)) in (adapter::COUNTERS_AT..).step_by(4).zip(adapter::COUNTERS) {
        writeln!(out, "  {at:#06x} {name}: {what}").expect("a string takes everything");
    }
}

fn numbers(out: &mut String) {
    numbers!(out: PortSide);
    numbers!(out: Scope);
    numbers!(out: Lookup);
    lookups(out);
    numbers!(out: Table);
    numbers!(out: ParseClass);
    numbers!(out: TunnelKind);
    numbers!(out: TimeQuality);
    numbers!(out: Opcode);
    numbers!(out: Status);
    numbers!(out: RowState);
    out.push_str("\nenum RecordKind\n");
    for kind in [RecordKind::Packet, RecordKind::Gap, RecordKind::Skip] {
        // A kind that is added stops the compiler here, and belongs into the list above.
        match kind {
            RecordKind::Packet | RecordKind::Gap | RecordKind::Skip => {}
        }
        writeln!(out, "  {:3} {kind:?}", kind as u8).expect("a string takes everything");
    }
    out.push_str("\nenum DropCause\n");
    for cause in DropCause::ALL {
        writeln!(out, "  {:3} {cause:?}", cause as u8).expect("a string takes everything");
    }
}

/// What each lookup reads and what its hit means.
fn lookups(out: &mut String) {
    out.push_str("\nlookups: number, table, side, layer\n");
    for lookup in Lookup::ALL {
        let table = lookup.table().map_or("rules".to_owned(), |table| format!("{table:?}"));
        writeln!(out, "  {:3} {table} {:?} {:?}", lookup as u8, lookup.side(), lookup.layer())
            .expect("a string takes everything");
    }
}

fn layouts(out: &mut String) {
    layout!(out: RawHit { 0 });
    layout!(out: Layer { l3_offset, l3_end, l4_end, protocol });
    layout!(out: PacketHeader {
        kind, flags, hit_count, port_side, record_sequence, stamp_ns, original_bytes, captured_bytes, parse_class,
        link, tunnel, layer_flags, outer, inner, payload_crc32c, header_crc32c, hits,
    });
    layout!(out: SecondLine { hits, reserved });
    layout!(out: GapRecord {
        kind, causes, reserved, first_sequence, first_stamp_ns, last_sequence, reserved2, last_stamp_ns, header_crc32c,
        reserved3,
    });
    layout!(out: Command {
        opcode, table, way, scope, tag, row, match_index, not_after, key, flags, crc32c,
    });
    layout!(out: Completion {
        tag, status, opcode, row_state, reserved, stamp_ns, frames_looked_up, drop_packets, drop_bytes, reserved2, row,
    });
}
