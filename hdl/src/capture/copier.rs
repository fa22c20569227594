//! Makes records: moves the captured lines from frame store to record FIFO, and builds the headers.
//!
//! # Theory of operation
//! Each clock is one slot: a line of payload, a header, a gap record, or nothing. Slots run through a pipeline that never stalls, because the decider has
//! reserved the room:
//!
//! | clock | a line of payload | a header or gap record |
//! |---|---|---|
//! | 1 | read from the frame store | built from the job |
//! | 2 | bytes behind the cut set to zero | |
//! | 3 | CRC remainder of the line | the same |
//! | 4 | joined to the payload's CRC | payload CRC and header CRC put in place |
//! | 5 | written | written |
//!
//! The header's slot follows its payload's last line, so the payload's CRC stands when the header gets to clock 4. The header's own CRC covers
//! the payload's; both are linear, so the payload CRC's share is added to the remainder instead of computing it again.
//!
//! Zeroing happens in clock 2, before anything is framed: nothing behind the cut gets any further.
//!
//! # Limits
//! One line a clock, headers included; no bubble between records.

use super::types::{GapLine, Job, PacketLine};
use crate::axis::{XorMatrix, xor_matrix};
use crate::lookup::types::{Hit, Verdict};
use crate::parse::types::{Headers, Ticket};
use crate::prelude::*;
use writ_abi::crc;

/// What the copier is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum CopyState {
    /// Waiting for a job.
    Idle,
    /// Making the slot of a gap record.
    Gap,
    /// Making slots of payload.
    Payload,
    /// Making the slot of a header.
    Header,
}

/// What is in a slot.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Slot {
    /// Nothing.
    Empty,
    /// A line of payload.
    Payload,
    /// A header line.
    Header,
    /// A gap record.
    Gap,
}

/// Makes records.
#[derive(LogicBlock)]
pub struct Copier {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a job.
    pub job_valid: Signal<In, Bit>,
    /// The job.
    pub job: Signal<In, Job>,
    /// The job is taken.
    pub job_take: Signal<Out, Bit>,
    /// Read a line of port A's store.
    pub read_a: Signal<Out, Bit>,
    /// Read a line of port B's store.
    pub read_b: Signal<Out, Bit>,
    /// Which.
    pub read_line: Signal<Out, Bits<11>>,
    /// Line of port A, one clock later.
    pub line_a: Signal<In, Bits<512>>,
    /// Line of port B, one clock later.
    pub line_b: Signal<In, Bits<512>>,
    /// A copy begins.
    pub begun: Signal<Out, Bit>,
    /// With `begun`: which frame.
    pub begun_ticket: Signal<Out, Ticket>,
    /// A copy has read its last line.
    pub copied: Signal<Out, Bit>,
    /// With `copied`: port B.
    pub copied_port: Signal<Out, Bit>,
    /// `line` is a header or gap record.
    pub write_header: Signal<Out, Bit>,
    /// `line` is a line of payload.
    pub write_payload: Signal<Out, Bit>,
    /// A line for the record FIFO.
    pub line: Signal<Out, Bits<512>>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    state: RegR<CopyState>,
    work: Reg<Job>,
    lines_left: Reg<Bits<8>>,
    next_line: Reg<Bits<11>>,
    // Clock 2
    slot_2: RegR<Slot>,
    built_2: Reg<Bits<512>>,
    last_2: Reg<Bit>,
    tail_2: Reg<Bits<6>>,
    port_2: Reg<Bit>,
    has_payload_2: Reg<Bit>,
    // Clock 3
    slot_3: RegR<Slot>,
    line_3: Reg<Bits<512>>,
    has_payload_3: Reg<Bit>,
    // Clock 4
    slot_4: RegR<Slot>,
    line_4: Reg<Bits<512>>,
    has_payload_4: Reg<Bit>,
    remainder_4: Reg<Bits<32>>,
    payload_remainder: Reg<Bits<32>>,
    fresh: RegR<Bit>,
    // Clock 5
    slot_5: RegR<Slot>,
    line_5: Reg<Bits<512>>,
    line_crc: XorMatrix<512, 32>,
    advance: XorMatrix<32, 32>,
    crc_share: XorMatrix<32, 32>,
    crc_start: Constant<Bits<32>>,
    ones: Constant<Bits<512>>,
    new_work: Signal<Local, Job>,
    new_ticket: Signal<Local, Ticket>,
    verdict: Signal<Local, Verdict>,
    ticket: Signal<Local, Ticket>,
    headers: Signal<Local, Headers>,
    take: Signal<Local, Bit>,
    slot: Signal<Local, Slot>,
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
    fetched: Signal<Local, Bits<512>>,
    keep_shift: Signal<Local, Bits<10>>,
    payload_crc: Signal<Local, Bits<32>>,
    header_crc: Signal<Local, Bits<32>>,
}

impl Default for Copier {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            job_valid: Signal::default(),
            job: Signal::default(),
            job_take: Signal::default(),
            read_a: Signal::default(),
            read_b: Signal::default(),
            read_line: Signal::default(),
            line_a: Signal::default(),
            line_b: Signal::default(),
            begun: Signal::default(),
            begun_ticket: Signal::default(),
            copied: Signal::default(),
            copied_port: Signal::default(),
            write_header: Signal::default(),
            write_payload: Signal::default(),
            line: Signal::default(),
            idle: Signal::default(),
            state: RegR::default(),
            work: Reg::default(),
            lines_left: Reg::default(),
            next_line: Reg::default(),
            slot_2: RegR::default(),
            built_2: Reg::default(),
            last_2: Reg::default(),
            tail_2: Reg::default(),
            port_2: Reg::default(),
            has_payload_2: Reg::default(),
            slot_3: RegR::default(),
            line_3: Reg::default(),
            has_payload_3: Reg::default(),
            slot_4: RegR::default(),
            line_4: Reg::default(),
            has_payload_4: Reg::default(),
            remainder_4: Reg::default(),
            payload_remainder: Reg::default(),
            fresh: RegR::new(true),
            slot_5: RegR::default(),
            line_5: Reg::default(),
            line_crc: xor_matrix::line_crc(),
            advance: xor_matrix::line_crc_advance(),
            crc_share: xor_matrix::line_crc_of_word_at(32),
            crc_start: Constant::new((!crc::crc32c(&[0; 64]) as LiteralType).into()),
            ones: Constant::new(Bits::<512>::mask()),
            new_work: Signal::default(),
            new_ticket: Signal::default(),
            verdict: Signal::default(),
            ticket: Signal::default(),
            headers: Signal::default(),
            take: Signal::default(),
            slot: Signal::default(),
            hit_0: Signal::default(),
            hit_1: Signal::default(),
            hit_2: Signal::default(),
            hit_3: Signal::default(),
            hits: Signal::default(),
            hit_count: Signal::default(),
            place: Signal::default(),
            flags: Signal::default(),
            packet_line: Signal::default(),
            gap_line: Signal::default(),
            fetched: Signal::default(),
            keep_shift: Signal::default(),
            payload_crc: Signal::default(),
            header_crc: Signal::default(),
        }
    }
}

impl Logic for Copier {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, work, lines_left, next_line);
        dff_setup!(self, clock, slot_2, built_2, last_2, tail_2, port_2, has_payload_2);
        dff_setup!(self, clock, slot_3, line_3, has_payload_3, slot_4, line_4, has_payload_4, remainder_4);
        dff_setup!(self, clock, payload_remainder, fresh, slot_5, line_5);
        self.state.reset.next = self.reset.val();
        self.slot_2.reset.next = self.reset.val();
        self.slot_3.reset.next = self.reset.val();
        self.slot_4.reset.next = self.reset.val();
        self.slot_5.reset.next = self.reset.val();
        self.fresh.reset.next = self.reset.val();

        // Which slot is this clock's?
        self.verdict.next = self.work.q.val().verdict;
        self.ticket.next = self.verdict.val().ticket;
        self.headers.next = self.verdict.val().headers;
        self.new_work.next = self.job.val();
        self.new_ticket.next = self.new_work.val().verdict.ticket;
        self.slot.next = Slot::Empty;
        self.take.next = false;
        self.copied.next = false;
        self.copied_port.next = self.ticket.val().port;
        self.read_a.next = false;
        self.read_b.next = false;
        self.read_line.next = self.next_line.q.val();
        match self.state.q.val() {
            CopyState::Idle => {
                self.take.next = self.job_valid.val();
            }
            CopyState::Gap => {
                self.slot.next = Slot::Gap;
                if !self.work.q.val().packet {
                    self.take.next = self.job_valid.val();
                    self.state.d.next = CopyState::Idle;
                } else if self.lines_left.q.val().any() {
                    self.state.d.next = CopyState::Payload;
                } else {
                    self.state.d.next = CopyState::Header;
                }
            }
            CopyState::Payload => {
                self.slot.next = Slot::Payload;
                self.read_a.next = !self.ticket.val().port;
                self.read_b.next = self.ticket.val().port;
                self.next_line.d.next = self.next_line.q.val() + bits::<11>(1);
                self.lines_left.d.next = self.lines_left.q.val() - bits::<8>(1);
                if self.lines_left.q.val() == bits::<8>(1) {
                    self.state.d.next = CopyState::Header;
                }
            }
            CopyState::Header => {
                self.slot.next = Slot::Header;
                self.copied.next = true;
                self.take.next = self.job_valid.val();
                self.state.d.next = CopyState::Idle;
            }
        }
        self.job_take.next = self.take.val();
        self.begun.next = self.take.val() & self.new_work.val().packet;
        self.begun_ticket.next = self.new_ticket.val();
        if self.take.val() {
            self.work.d.next = self.job.val();
            self.lines_left.d.next = self.new_work.val().lines;
            self.next_line.d.next = self.new_ticket.val().start.get_bits::<11>(0);
            if self.new_work.val().gap.open {
                self.state.d.next = CopyState::Gap;
            } else if self.new_work.val().lines.any() {
                self.state.d.next = CopyState::Payload;
            } else {
                self.state.d.next = CopyState::Header;
            }
        }

        // Clock 1: header or gap record from the job. A hit is 24 bits: index, scope from bit 17, lookup from bit 19.
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
        if self.work.q.val().captured < self.work.q.val().original {
            self.flags.next = self.flags.val() | bits::<8>(2);
        }
        self.packet_line.next.kind = bits::<8>(1);
        self.packet_line.next.flags = self.flags.val();
        self.packet_line.next.hit_count = self.hit_count.val();
        self.packet_line.next.port_side = bit_cast::<8, 1>(self.ticket.val().port.into());
        self.packet_line.next.record_sequence = self.work.q.val().sequence;
        self.packet_line.next.stamp_ns = self.ticket.val().stamp;
        self.packet_line.next.original_bytes = self.work.q.val().original;
        self.packet_line.next.captured_bytes = self.work.q.val().captured;
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
        self.gap_line.next.causes = self.work.q.val().gap.causes;
        self.gap_line.next.reserved = bits::<16>(0);
        self.gap_line.next.first_sequence = self.work.q.val().gap.first_sequence;
        self.gap_line.next.first_stamp_ns = self.work.q.val().gap.first_stamp;
        self.gap_line.next.last_sequence = self.work.q.val().sequence - bits::<32>(1);
        self.gap_line.next.reserved_2 = bits::<32>(0);
        self.gap_line.next.last_stamp_ns = self.work.q.val().gap.last_stamp;
        self.gap_line.next.header_crc32c = bits::<32>(0);
        self.gap_line.next.reserved_3 = bits::<224>(0);
        self.slot_2.d.next = self.slot.val();
        self.last_2.d.next = self.lines_left.q.val() == bits::<8>(1);
        self.tail_2.d.next = self.work.q.val().captured.get_bits::<6>(0);
        self.port_2.d.next = self.ticket.val().port;
        self.has_payload_2.d.next = self.work.q.val().captured.any();
        if self.slot.val() == Slot::Header {
            self.built_2.d.next = self.packet_line.val().into();
        } else if self.slot.val() == Slot::Gap {
            self.built_2.d.next = self.gap_line.val().into();
        }

        // Clock 2: the cut. `tail_2` bytes of the last line stay; 0 stands for all 64.
        self.fetched.next = self.built_2.q.val();
        self.keep_shift.next = (bits::<10>(64) - bit_cast::<10, 6>(self.tail_2.q.val())) << 3;
        if self.slot_2.q.val() == Slot::Payload {
            self.fetched.next = self.line_a.val();
            if self.port_2.q.val() {
                self.fetched.next = self.line_b.val();
            }
            if self.last_2.q.val() & self.tail_2.q.val().any() {
                self.fetched.next = self.fetched.val() & (self.ones.val() >> self.keep_shift.val());
            }
        }
        self.slot_3.d.next = self.slot_2.q.val();
        if self.slot_2.q.val() != Slot::Empty {
            self.line_3.d.next = self.fetched.val();
            self.has_payload_3.d.next = self.has_payload_2.q.val();
        }

        // Clock 3: remainder of the line.
        self.line_crc.enable.next = self.slot_3.q.val() != Slot::Empty;
        self.line_crc.operand.next = self.line_3.q.val();
        self.slot_4.d.next = self.slot_3.q.val();
        if self.slot_3.q.val() != Slot::Empty {
            self.line_4.d.next = self.line_3.q.val();
            self.has_payload_4.d.next = self.has_payload_3.q.val();
            self.remainder_4.d.next = self.line_crc.result.val();
        }

        // Clock 4: CRCs. `fresh`: the next line of payload is the first of its record.
        self.advance.enable.next = self.slot_4.q.val() == Slot::Payload;
        self.advance.operand.next = self.payload_remainder.q.val();
        if self.slot_4.q.val() == Slot::Payload {
            self.fresh.d.next = false;
            self.payload_remainder.d.next = self.advance.result.val() ^ self.remainder_4.q.val();
            if self.fresh.q.val() {
                self.payload_remainder.d.next = self.crc_start.val() ^ self.remainder_4.q.val();
            }
        }
        self.payload_crc.next = bits::<32>(0);
        if self.has_payload_4.q.val() {
            self.payload_crc.next = !self.payload_remainder.q.val();
        }
        self.crc_share.enable.next = self.slot_4.q.val() == Slot::Header;
        self.crc_share.operand.next = self.payload_crc.val();
        self.header_crc.next = !(self.crc_start.val() ^ self.remainder_4.q.val() ^ self.crc_share.result.val());
        self.slot_5.d.next = self.slot_4.q.val();
        if self.slot_4.q.val() == Slot::Payload {
            self.line_5.d.next = self.line_4.q.val();
        } else if self.slot_4.q.val() == Slot::Header {
            self.fresh.d.next = true;
            self.line_5.d.next = self.line_4.q.val()
                | (bit_cast::<512, 32>(self.payload_crc.val()) << 256)
                | (bit_cast::<512, 32>(self.header_crc.val()) << 288);
        } else if self.slot_4.q.val() == Slot::Gap {
            self.line_5.d.next = self.line_4.q.val() | (bit_cast::<512, 32>(self.header_crc.val()) << 256);
        }

        // Clock 5.
        self.line.next = self.line_5.q.val();
        self.write_payload.next = self.slot_5.q.val() == Slot::Payload;
        self.write_header.next = (self.slot_5.q.val() == Slot::Header) | (self.slot_5.q.val() == Slot::Gap);
        self.idle.next = (self.state.q.val() == CopyState::Idle)
            & (self.slot_2.q.val() == Slot::Empty)
            & (self.slot_3.q.val() == Slot::Empty)
            & (self.slot_4.q.val() == Slot::Empty)
            & (self.slot_5.q.val() == Slot::Empty);
    }
}
