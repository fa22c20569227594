//! The first line of a packet record, and the line of a gap record, from a job.
//!
//! # Theory of operation
//! No register: the lines are the job's fields in the places that the ABI gives them, CRCs zero. Hits stand in the order of their lookups, without holes.

use super::types::{GapLine, Job, PacketLine};
use crate::lookup::types::{Hit, Verdict};
use crate::parse::types::{Headers, Ticket};
use crate::prelude::*;

/// Builds header lines.
#[derive(LogicBlock, Default)]
pub struct RecordLines {
    /// The job.
    pub job: Signal<In, Job>,
    /// Header of its packet record.
    pub packet: Signal<Out, Bits<512>>,
    /// Its gap record.
    pub gap: Signal<Out, Bits<512>>,
    work: Signal<Local, Job>,
    verdict: Signal<Local, Verdict>,
    ticket: Signal<Local, Ticket>,
    headers: Signal<Local, Headers>,
    hit_0: Signal<Local, Hit>,
    hit_1: Signal<Local, Hit>,
    hit_2: Signal<Local, Hit>,
    hit_3: Signal<Local, Hit>,
    hits: Signal<Local, Bits<192>>,
    hit_count: Signal<Local, Bits<8>>,
    place: Signal<Local, Bits<8>>,
    flags: Signal<Local, Bits<8>>,
    packet_line: Signal<Local, PacketLine>,
    gap_line: Signal<Local, GapLine>,
}

impl Logic for RecordLines {
    #[hdl_gen]
    fn update(&mut self) {
        self.work.next = self.job.val();
        self.verdict.next = self.work.val().verdict;
        self.ticket.next = self.verdict.val().ticket;
        self.headers.next = self.verdict.val().headers;

        // A hit is 24 bits: index, scope from bit 17, lookup from bit 19.
        self.hit_0.next = self.verdict.val().hit_0;
        self.hit_1.next = self.verdict.val().hit_1;
        self.hit_2.next = self.verdict.val().hit_2;
        self.hit_3.next = self.verdict.val().hit_3;
        self.hits.next = bits::<192>(0);
        self.hit_count.next = bits::<8>(0);
        self.place.next = bits::<8>(0);
        if self.hit_0.val().valid {
            self.hits.next =
                bit_cast::<192, 15>(self.hit_0.val().match_index) | (bit_cast::<192, 2>(self.hit_0.val().scope) << 17);
            self.hit_count.next = bits::<8>(1);
            self.place.next = bits::<8>(24);
        }
        if self.hit_1.val().valid {
            self.hits.next = self.hits.val()
                | ((bit_cast::<192, 15>(self.hit_1.val().match_index)
                    | (bit_cast::<192, 2>(self.hit_1.val().scope) << 17)
                    | (bits::<192>(1) << 19))
                    << self.place.val());
            self.hit_count.next = self.hit_count.val() + bits::<8>(1);
            self.place.next = self.place.val() + bits::<8>(24);
        }
        if self.hit_2.val().valid {
            self.hits.next = self.hits.val()
                | ((bit_cast::<192, 15>(self.hit_2.val().match_index)
                    | (bit_cast::<192, 2>(self.hit_2.val().scope) << 17)
                    | (bits::<192>(2) << 19))
                    << self.place.val());
            self.hit_count.next = self.hit_count.val() + bits::<8>(1);
            self.place.next = self.place.val() + bits::<8>(24);
        }
        if self.hit_3.val().valid {
            self.hits.next = self.hits.val()
                | ((bit_cast::<192, 15>(self.hit_3.val().match_index)
                    | (bit_cast::<192, 2>(self.hit_3.val().scope) << 17)
                    | (bits::<192>(3) << 19))
                    << self.place.val());
            self.hit_count.next = self.hit_count.val() + bits::<8>(1);
        }

        self.flags.next = bit_cast::<8, 2>(self.ticket.val().quality) << 6;
        if self.work.val().captured < self.work.val().original {
            self.flags.next = self.flags.val() | bits::<8>(2);
        }
        self.packet_line.next.kind = bits::<8>(1);
        self.packet_line.next.flags = self.flags.val();
        self.packet_line.next.hit_count = self.hit_count.val();
        self.packet_line.next.port_side = bit_cast::<8, 1>(self.ticket.val().port.into());
        self.packet_line.next.record_sequence = self.work.val().sequence;
        self.packet_line.next.stamp_ns = self.ticket.val().stamp;
        self.packet_line.next.original_bytes = self.work.val().original;
        self.packet_line.next.captured_bytes = self.work.val().captured;
        self.packet_line.next.parse_class = bit_cast::<8, 4>(self.headers.val().class);
        self.packet_line.next.vlan_tags = bit_cast::<8, 2>(self.headers.val().vlan_tags);
        self.packet_line.next.l3_offset = self.headers.val().l3_offset;
        self.packet_line.next.l3_end = self.headers.val().l3_end;
        self.packet_line.next.l4_offset = self.headers.val().l4_offset;
        self.packet_line.next.l4_end = self.headers.val().l4_end;
        self.packet_line.next.protocol = self.headers.val().protocol;
        self.packet_line.next.reserved = bits::<40>(0);
        self.packet_line.next.payload_crc32c = bits::<32>(0);
        self.packet_line.next.header_crc32c = bits::<32>(0);
        self.packet_line.next.hits = self.hits.val();

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
        self.gap.next = self.gap_line.val().into();
    }
}
