//! Slots in, finished lines out: the cut, the CRCs, the way into the record FIFO.
//!
//! # Theory of operation
//! Slots run through a pipeline that never stalls, because the decider has reserved the room. Its clocks are those of the table in
//! [`super::copier`], from the second on:
//!
//! | clock | a line of payload | a header or gap record |
//! |---|---|---|
//! | 2 | bytes behind the cut set to zero | |
//! | 3 | CRC remainder of the line | the same |
//! | 4 | joined to the payload's CRC | payload CRC and header CRC put in place |
//! | 5 | written | written |
//!
//! The header's slot follows its payload's last line, so the payload's CRC stands when the header gets to clock 4. The header's own CRC covers
//! the payload's; both are linear, so the payload CRC's share is added to the remainder instead of computing it again.
//!
//! Zeroing happens in clock 2, before anything is framed: nothing behind the cut gets any further.

use crate::axis::{XorMatrix, xor_matrix};
use crate::prelude::*;
use writ_abi::crc;

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

/// Finishes lines.
#[derive(LogicBlock)]
pub struct Framer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// What enters clock 2 next.
    pub slot: Signal<In, Slot>,
    /// With a header or gap record: the line.
    pub built: Signal<In, Bits<512>>,
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
    /// `line` is a header or gap record.
    pub write_header: Signal<Out, Bit>,
    /// `line` is a line of payload.
    pub write_payload: Signal<Out, Bit>,
    /// A line for the record FIFO.
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
    fetched: Signal<Local, Bits<512>>,
    keep_shift: Signal<Local, Bits<10>>,
    payload_crc: Signal<Local, Bits<32>>,
    header_crc: Signal<Local, Bits<32>>,
}

impl Default for Framer {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            slot: Signal::default(),
            built: Signal::default(),
            last: Signal::default(),
            port: Signal::default(),
            captured: Signal::default(),
            line_a: Signal::default(),
            line_b: Signal::default(),
            write_header: Signal::default(),
            write_payload: Signal::default(),
            line: Signal::default(),
            idle: Signal::default(),
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
        dff_setup!(self, clock, payload_remainder, fresh, slot_5, line_5);
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
        }
        if (self.slot.val() == Slot::Header) | (self.slot.val() == Slot::Gap) {
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
        self.idle.next = (self.slot_2.q.val() == Slot::Empty)
            & (self.slot_3.q.val() == Slot::Empty)
            & (self.slot_4.q.val() == Slot::Empty)
            & (self.slot_5.q.val() == Slot::Empty);
    }
}
