//! Slots in, finished lines out: the cut, the CRCs, the way into the record FIFO.
//!
//! # Theory of operation
//! Slots run through a pipeline that never stalls, because the decider has reserved the room. Its clocks are those of
//! [`super::copier`], from the second on:
//!
//! | clock | a line of payload | a second header line | a first header line, a gap record |
//! |---|---|---|---|
//! | 2 | bytes behind the cut set to zero | | |
//! | 3 | CRC remainder of the line | the same | the same |
//! | 4 | joined to the payload's CRC | remainder kept | payload CRC and header CRC put in place |
//! | 5 | written | written | written |
//!
//! The slot of the first header line is a record's last, so the payload's CRC and the second line's remainder stand when it gets to clock 4. The header's
//! CRC covers the payload's, and then the second line; all of this is linear, so each part's share is added to the remainder instead of computing it
//! again.
//!
//! Zeroing happens in clock 2, before anything is framed: nothing behind the cut gets any further.

use crate::axis::{XorMatrix, xor_matrix};
use crate::prelude::*;
use writ_abi::crc;
use writ_abi::record::PacketHeader;

/// Where the payload's CRC stands in a first header line.
const PAYLOAD_CRC_BYTE: usize = core::mem::offset_of!(PacketHeader, payload_crc32c);
const _: () = assert!(PAYLOAD_CRC_BYTE == 32, "the kernel shifts by this");

/// What is in a slot.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Slot {
    /// Nothing.
    Empty,
    /// A second header line.
    Second,
    /// A line of payload.
    Payload,
    /// A first header line.
    Header,
    /// A gap record.
    Gap,
}

/// Finishes lines.
#[derive(LogicBlock)]
pub struct Framer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// What enters clock 2 next.
    pub slot: Signal<In, Slot>,
    /// The ring's bit.
    pub ring: Signal<In, Bits<4>>,
    /// With a header line or gap record: the line.
    pub built: Signal<In, Bits<512>>,
    /// The record has a second header line.
    pub has_second: Signal<In, Bit>,
    /// With payload: it is the record's last line.
    pub last: Signal<In, Bit>,
    /// With payload: it is port B's.
    pub port: Signal<In, Bit>,
    /// Bytes that the record's payload has.
    pub captured: Signal<In, Bits<16>>,
    /// In clock 2: the line of port A's store.
    pub line_a: Signal<In, Bits<512>>,
    /// In clock 2: the line of port B's store.
    pub line_b: Signal<In, Bits<512>>,
    /// `line` is the first line of a record, for the rings that are set.
    pub write_header: Signal<Out, Bits<4>>,
    /// `line` is another line of a record, for the rings that are set.
    pub write_rest: Signal<Out, Bits<4>>,
    /// A line for a record FIFO.
    pub line: Signal<Out, Bits<512>>,
    /// Nothing inside.
    pub idle: Signal<Out, Bit>,
    // Clock 2
    slot_2: RegR<Slot>,
    built_2: Reg<Bits<512>>,
    last_2: Reg<Bit>,
    tail_2: Reg<Bits<6>>,
    port_2: Reg<Bit>,
    has_payload_2: Reg<Bit>,
    has_second_2: Reg<Bit>,
    ring_2: Reg<Bits<4>>,
    // Clock 3
    slot_3: RegR<Slot>,
    line_3: Reg<Bits<512>>,
    has_payload_3: Reg<Bit>,
    has_second_3: Reg<Bit>,
    ring_3: Reg<Bits<4>>,
    // Clock 4
    slot_4: RegR<Slot>,
    line_4: Reg<Bits<512>>,
    has_payload_4: Reg<Bit>,
    has_second_4: Reg<Bit>,
    ring_4: Reg<Bits<4>>,
    remainder_4: Reg<Bits<32>>,
    payload_remainder: Reg<Bits<32>>,
    second_remainder: Reg<Bits<32>>,
    fresh: RegR<Bit>,
    // Clock 5
    slot_5: RegR<Slot>,
    line_5: Reg<Bits<512>>,
    ring_5: Reg<Bits<4>>,
    line_crc: XorMatrix<512, 32>,
    advance: XorMatrix<32, 32>,
    crc_share: XorMatrix<32, 32>,
    advance_header: XorMatrix<32, 32>,
    crc_share_of_two: XorMatrix<32, 32>,
    crc_start: Constant<Bits<32>>,
    crc_start_of_two: Constant<Bits<32>>,
    fetched: Signal<Local, Bits<512>>,
    keep_shift: Signal<Local, Bits<10>>,
    payload_crc: Signal<Local, Bits<32>>,
    header_crc: Signal<Local, Bits<32>>,
}

/// What bit `bit` of the payload's CRC, which stands in a first header line, adds to the CRC remainder of two header lines.
fn share_of_two_column(bit: usize) -> Vec<u8> {
    let mut lines = [0; 128];
    lines[PAYLOAD_CRC_BYTE + bit / 8] = 1 << (bit % 8);
    crc::remainder_crc32c(&lines).to_le_bytes().to_vec()
}

impl Default for Framer {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            slot: Signal::default(),
            ring: Signal::default(),
            built: Signal::default(),
            last: Signal::default(),
            port: Signal::default(),
            has_second: Signal::default(),
            captured: Signal::default(),
            line_a: Signal::default(),
            line_b: Signal::default(),
            write_header: Signal::default(),
            write_rest: Signal::default(),
            line: Signal::default(),
            idle: Signal::default(),
            slot_2: RegR::default(),
            built_2: Reg::default(),
            last_2: Reg::default(),
            tail_2: Reg::default(),
            port_2: Reg::default(),
            has_payload_2: Reg::default(),
            has_second_2: Reg::default(),
            ring_2: Reg::default(),
            slot_3: RegR::default(),
            line_3: Reg::default(),
            has_payload_3: Reg::default(),
            has_second_3: Reg::default(),
            ring_3: Reg::default(),
            slot_4: RegR::default(),
            line_4: Reg::default(),
            has_payload_4: Reg::default(),
            has_second_4: Reg::default(),
            ring_4: Reg::default(),
            remainder_4: Reg::default(),
            payload_remainder: Reg::default(),
            second_remainder: Reg::default(),
            fresh: RegR::new(true),
            slot_5: RegR::default(),
            line_5: Reg::default(),
            ring_5: Reg::default(),
            line_crc: xor_matrix::line_crc(),
            advance: xor_matrix::line_crc_advance(),
            crc_share: xor_matrix::line_crc_of_word_at(PAYLOAD_CRC_BYTE),
            advance_header: xor_matrix::line_crc_advance(),
            crc_share_of_two: XorMatrix::new(share_of_two_column),
            crc_start: Constant::new((!crc::crc32c(&[0; 64]) as LiteralType).into()),
            crc_start_of_two: Constant::new((!crc::crc32c(&[0; 128]) as LiteralType).into()),
            fetched: Signal::default(),
            keep_shift: Signal::default(),
            payload_crc: Signal::default(),
            header_crc: Signal::default(),
        }
    }
}

impl Logic for Framer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, slot_2, built_2, last_2, tail_2, port_2, has_payload_2);
        dff_setup!(self, clock, slot_3, line_3, has_payload_3, slot_4, line_4, has_payload_4, remainder_4);
        dff_setup!(self, clock, payload_remainder, second_remainder, fresh, slot_5, line_5, ring_5);
        dff_setup!(self, clock, has_second_2, ring_2, has_second_3, ring_3, has_second_4, ring_4);
        self.slot_2.reset.next = self.reset.val();
        self.slot_3.reset.next = self.reset.val();
        self.slot_4.reset.next = self.reset.val();
        self.slot_5.reset.next = self.reset.val();
        self.fresh.reset.next = self.reset.val();

        // In.
        self.slot_2.d.next = self.slot.val();
        if self.slot.val() != Slot::Empty {
            self.last_2.d.next = self.last.val();
            self.tail_2.d.next = self.captured.val().get_bits::<6>(0);
            self.port_2.d.next = self.port.val();
            self.has_payload_2.d.next = self.captured.val().any();
            self.has_second_2.d.next = self.has_second.val();
            self.ring_2.d.next = self.ring.val();
        }
        if (self.slot.val() != Slot::Empty) & (self.slot.val() != Slot::Payload) {
            self.built_2.d.next = self.built.val();
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
                self.fetched.next = self.fetched.val() & (!bits::<512>(0) >> self.keep_shift.val());
            }
        }
        self.slot_3.d.next = self.slot_2.q.val();
        if self.slot_2.q.val() != Slot::Empty {
            self.line_3.d.next = self.fetched.val();
            self.has_payload_3.d.next = self.has_payload_2.q.val();
            self.has_second_3.d.next = self.has_second_2.q.val();
            self.ring_3.d.next = self.ring_2.q.val();
        }

        // Clock 3: remainder of the line.
        self.line_crc.enable.next = self.slot_3.q.val() != Slot::Empty;
        self.line_crc.operand.next = self.line_3.q.val();
        self.slot_4.d.next = self.slot_3.q.val();
        if self.slot_3.q.val() != Slot::Empty {
            self.line_4.d.next = self.line_3.q.val();
            self.has_payload_4.d.next = self.has_payload_3.q.val();
            self.has_second_4.d.next = self.has_second_3.q.val();
            self.ring_4.d.next = self.ring_3.q.val();
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
        if self.slot_4.q.val() == Slot::Second {
            self.second_remainder.d.next = self.remainder_4.q.val();
        }
        self.crc_share.enable.next = (self.slot_4.q.val() == Slot::Header) & !self.has_second_4.q.val();
        self.crc_share.operand.next = self.payload_crc.val();
        self.advance_header.enable.next = (self.slot_4.q.val() == Slot::Header) & self.has_second_4.q.val();
        self.advance_header.operand.next = self.remainder_4.q.val();
        self.crc_share_of_two.enable.next = (self.slot_4.q.val() == Slot::Header) & self.has_second_4.q.val();
        self.crc_share_of_two.operand.next = self.payload_crc.val();
        self.header_crc.next = !(self.crc_start.val() ^ self.remainder_4.q.val() ^ self.crc_share.result.val());
        if (self.slot_4.q.val() == Slot::Header) & self.has_second_4.q.val() {
            self.header_crc.next = !(self.crc_start_of_two.val()
                ^ self.advance_header.result.val()
                ^ self.crc_share_of_two.result.val()
                ^ self.second_remainder.q.val());
        }
        self.slot_5.d.next = self.slot_4.q.val();
        if self.slot_4.q.val() != Slot::Empty {
            self.ring_5.d.next = self.ring_4.q.val();
        }
        if (self.slot_4.q.val() == Slot::Payload) | (self.slot_4.q.val() == Slot::Second) {
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
        self.write_rest.next = bits::<4>(0);
        self.write_header.next = bits::<4>(0);
        if (self.slot_5.q.val() == Slot::Payload) | (self.slot_5.q.val() == Slot::Second) {
            self.write_rest.next = self.ring_5.q.val();
        } else if (self.slot_5.q.val() == Slot::Header) | (self.slot_5.q.val() == Slot::Gap) {
            self.write_header.next = self.ring_5.q.val();
        }
        self.idle.next = (self.slot_2.q.val() == Slot::Empty)
            & (self.slot_3.q.val() == Slot::Empty)
            & (self.slot_4.q.val() == Slot::Empty)
            & (self.slot_5.q.val() == Slot::Empty);
    }
}
