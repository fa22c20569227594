//! The header lines of a packet record, and the line of a gap record, from a job.
//!
//! # Theory of operation
//! No register: the lines are the job's fields in the places that the ABI gives them, CRCs zero.

use crate::capture::types::{GapLine, Job, PacketLine};
use crate::parse::types::{Headers, Layer, Ticket};
use crate::prelude::*;
use writ_abi::record::{flags, layer_flags, link, tunnel};

const _: () = {
    assert!(flags::SECOND_LINE == 1 && flags::CUT == 2 && flags::OWN_TUNNEL == 4 && flags::TIME_QUALITY_LSB == 6);
    assert!(link::VLAN_TAGS_MASK == 3 && link::MPLS_LABELS_LSB == 2 && link::PPPOE == 32 && link::PSEUDOWIRE == 64);
    assert!(tunnel::KIND_MASK == 15 && tunnel::INNER_ETHERNET == 128);
    assert!(layer_flags::OUTER_PORTS == 1 && layer_flags::OUTER_FRAGMENT == 2);
    assert!(layer_flags::INNER_PORTS == 16 && layer_flags::INNER_FRAGMENT == 32, "the kernel writes these as numbers");
};

/// Builds header lines.
#[derive(LogicBlock, Default)]
pub struct RecordLines {
    /// The job.
    pub job: Signal<In, Job>,
    /// First line of its packet record.
    pub packet: Signal<Out, Bits<512>>,
    /// The packet record has a second line.
    pub has_second: Signal<Out, Bit>,
    /// The second line.
    pub second: Signal<Out, Bits<512>>,
    /// Its gap record.
    pub gap: Signal<Out, Bits<512>>,
    work: Signal<Local, Job>,
    ticket: Signal<Local, Ticket>,
    headers: Signal<Local, Headers>,
    outer: Signal<Local, Layer>,
    inner: Signal<Local, Layer>,
    hits: Signal<Local, Bits<504>>,
    two_lines: Signal<Local, Bit>,
    is_cut: Signal<Local, Bit>,
    flags: Signal<Local, Bits<8>>,
    link: Signal<Local, Bits<8>>,
    tunnel: Signal<Local, Bits<8>>,
    layer_flags: Signal<Local, Bits<8>>,
    packet_line: Signal<Local, PacketLine>,
    gap_line: Signal<Local, GapLine>,
}

impl Logic for RecordLines {
    #[hdl_gen]
    fn update(&mut self) {
        self.work.next = self.job.val();
        self.ticket.next = self.work.val().ticket;
        self.headers.next = self.work.val().headers;
        self.outer.next = self.headers.val().outer;
        self.inner.next = self.headers.val().inner;
        self.hits.next = self.work.val().hits.into();

        self.two_lines.next = self.work.val().hit_count > bits::<5>(8);
        self.has_second.next = self.two_lines.val();
        self.is_cut.next = self.work.val().captured < self.work.val().original;
        self.flags.next = bit_cast::<8, 1>(self.two_lines.val().into())
            | (bit_cast::<8, 1>(self.is_cut.val().into()) << 1)
            | (bit_cast::<8, 1>(self.work.val().own_tunnel.into()) << 2)
            | (bit_cast::<8, 2>(self.ticket.val().quality) << 6);
        self.link.next = bit_cast::<8, 2>(self.headers.val().vlan_tags)
            | (bit_cast::<8, 3>(self.headers.val().mpls_labels) << 2)
            | (bit_cast::<8, 1>(self.headers.val().pppoe.into()) << 5)
            | (bit_cast::<8, 1>(self.headers.val().pseudowire.into()) << 6);
        self.tunnel.next = bit_cast::<8, 4>(self.headers.val().tunnel)
            | (bit_cast::<8, 1>(self.headers.val().inner_ethernet.into()) << 7);
        self.layer_flags.next = bit_cast::<8, 1>(self.outer.val().has_ports.into())
            | (bit_cast::<8, 1>(self.outer.val().fragment.into()) << 1)
            | (bit_cast::<8, 1>(self.inner.val().has_ports.into()) << 4)
            | (bit_cast::<8, 1>(self.inner.val().fragment.into()) << 5);
        self.packet_line.next.kind = bits::<8>(1);
        self.packet_line.next.flags = self.flags.val();
        self.packet_line.next.hit_count = bit_cast::<8, 5>(self.work.val().hit_count);
        self.packet_line.next.port_side = bit_cast::<8, 1>(self.ticket.val().port.into());
        self.packet_line.next.record_sequence = self.work.val().sequence;
        self.packet_line.next.stamp_ns = self.ticket.val().stamp;
        self.packet_line.next.original_bytes = self.work.val().original;
        self.packet_line.next.captured_bytes = self.work.val().captured;
        self.packet_line.next.parse_class = bit_cast::<8, 4>(self.headers.val().class);
        self.packet_line.next.link = self.link.val();
        self.packet_line.next.tunnel = self.tunnel.val();
        self.packet_line.next.layer_flags = self.layer_flags.val();
        self.packet_line.next.outer.l3_offset = self.outer.val().l3_offset;
        self.packet_line.next.outer.l3_end = self.outer.val().l3_end;
        self.packet_line.next.outer.l4_end = self.outer.val().l4_end;
        self.packet_line.next.outer.protocol = self.outer.val().protocol;
        self.packet_line.next.inner.l3_offset = self.inner.val().l3_offset;
        self.packet_line.next.inner.l3_end = self.inner.val().l3_end;
        self.packet_line.next.inner.l4_end = self.inner.val().l4_end;
        self.packet_line.next.inner.protocol = self.inner.val().protocol;
        self.packet_line.next.payload_crc32c = bits::<32>(0);
        self.packet_line.next.header_crc32c = bits::<32>(0);
        self.packet_line.next.hits = self.hits.val().get_bits::<192>(0);

        self.gap_line.next.kind = bits::<8>(2);
        self.gap_line.next.causes = self.work.val().gap.causes;
        self.gap_line.next.reserved = bits::<16>(0);
        self.gap_line.next.first_sequence = self.work.val().gap.first_sequence;
        self.gap_line.next.first_stamp_ns = self.work.val().gap.first_stamp;
        self.gap_line.next.last_sequence = self.work.val().sequence - bits::<32>(1);
        self.gap_line.next.reserved_2 = bits::<32>(0);
        self.gap_line.next.last_stamp_ns = self.work.val().gap.last_stamp;
        self.gap_line.next.header_crc32c = bits::<32>(0);
        self.gap_line.next.reserved_3 = bits::<224>(0);
        self.packet.next = self.packet_line.val().into();
        self.second.next = bit_cast::<512, 504>(self.hits.val()) >> 192;
        self.gap.next = self.gap_line.val().into();
    }
}
