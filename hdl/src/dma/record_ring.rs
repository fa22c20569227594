//! Writes records into a record ring. Each ring has a writer of its own.
//!
//! # Theory of operation
//! A record's first line says how many more there are: perhaps a second header line, and the payload. If the ring has room for all of them, and they fit in
//! front of its end, they go out line by line and the producer index advances by all of them at once. If they do not fit in front of the end, a
//! skip record goes there first and the producer index advances to the end.
//!
//! A first line is fetched before its turn comes; what it takes is summed on the way. In the clock behind that, and behind each move of the
//! producer, it is found out what may be done with it, and in the next one it may go out: records of two lines and more follow each other without a gap. A
//! ring is never shorter than 256 lines, so only the low eight bits of the producer are looked at closely, the others only for being the last.
//!
//! The index is written behind 16 records, when the ring is full, and when `index_delay` has passed since the first record that it does not tell and no more waits.
//!
//! Nothing is written while the ring's size is none that the ABI allows, or the consumer index is one that the producer has not reached:
//! [`RingRoom`] says that nothing is free.

use super::line_place::LinePlace;
use super::ring_room::RingRoom;
use super::types::LineWrite;
use crate::prelude::*;
use writ_abi::record::RecordKind;
use writ_abi::{limits, record};

const _: () = {
    assert!(core::mem::offset_of!(record::PacketHeader, flags) == 1 && record::flags::SECOND_LINE == 1);
    assert!(core::mem::offset_of!(record::PacketHeader, captured_bytes) * 8 == 144);
    assert!(RecordKind::Packet as u8 == 1 && RecordKind::Gap as u8 == 2, "bit 0 tells them apart");
    assert!(limits::INDEX_WRITE_BACK_RECORDS == 16);
    assert!(limits::RING_LINES_MIN == 1 << 8);
};

/// What the writer is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum RecordRingState {
    /// Waiting for a record, for room, or for nothing; writing a record's first line or a skip record.
    Start,
    /// Writing the lines behind a first line.
    Rest,
    /// Writing the index line.
    Index,
}

/// Record ring writer.
#[derive(LogicBlock, Default)]
pub struct RecordRing {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// The ring is enabled.
    pub enable: Signal<In, Bit>,
    /// Address of the ring.
    pub base: Signal<In, Bits<64>>,
    /// Its lines, a power of two.
    pub ring_lines: Signal<In, Bits<32>>,
    /// Address of the index line.
    pub index_address: Signal<In, Bits<64>>,
    /// Lines that the host has released.
    pub consumer: Signal<In, Bits<32>>,
    /// Clocks that the index may be held back.
    pub index_delay: Signal<In, Bits<16>>,
    /// There is a record.
    pub header_valid: Signal<In, Bit>,
    /// Its first line.
    pub header: Signal<In, Bits<512>>,
    /// Take it.
    pub take_header: Signal<Out, Bit>,
    /// The oldest line behind a first line.
    pub rest: Signal<In, Bits<512>>,
    /// There is one.
    pub rest_valid: Signal<In, Bit>,
    /// Take it, if there is one.
    pub take_rest: Signal<Out, Bit>,
    /// There is a line to write.
    pub line_valid: Signal<Out, Bit>,
    /// The line.
    pub line: Signal<Out, LineWrite>,
    /// If there is one, it is taken.
    pub line_accept: Signal<In, Bit>,
    /// Nothing under way, and the host knows of every record.
    pub idle: Signal<Out, Bit>,
    state: RegR<RecordRingState>,
    running: RegR<Bit>,
    low: RegR<Bits<8>>,
    high: RegR<Bits<24>>,
    next_high: Reg<Bits<24>>,
    unwritten: RegR<Bits<5>>,
    dirty: RegR<Bit>,
    held: Reg<Bits<16>>,
    overdue: Reg<Bit>,
    fetched: RegR<Bit>,
    head: Reg<Bits<512>>,
    head_rest: Reg<Bits<8>>,
    head_lines: Reg<Bits<9>>,
    judged: RegR<Bit>,
    may_start: RegR<Bit>,
    may_skip: RegR<Bit>,
    closes: Reg<Bit>,
    to_end: Reg<Bits<9>>,
    left: Reg<Bits<8>>,
    closing: Reg<Bit>,
    room: RingRoom,
    place: LinePlace,
    payload: Signal<Local, Bits<8>>,
    extra: Signal<Local, Bits<2>>,
    fetch: Signal<Local, Bit>,
    after: Signal<Local, Bits<9>>,
    last_line: Signal<Local, Bits<9>>,
    last_lines: Signal<Local, Bit>,
    straddles: Signal<Local, Bit>,
    steady: Signal<Local, Bit>,
    starts: Signal<Local, Bit>,
    skips: Signal<Local, Bit>,
    clears: Signal<Local, Bit>,
    goes: Signal<Local, Bit>,
    ends: Signal<Local, Bit>,
    no_more: Signal<Local, Bit>,
    out: Signal<Local, LineWrite>,
}

impl Logic for RecordRing {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, running, low, high, next_high, unwritten, dirty, fetched, head, head_rest);
        dff_setup!(self, clock, held, overdue, head_lines, judged, may_start, may_skip, closes, to_end, left, closing);
        clock!(self, clock, room, place);
        self.state.reset.next = self.reset.val();
        self.running.reset.next = self.reset.val();
        self.low.reset.next = self.reset.val();
        self.high.reset.next = self.reset.val();
        self.unwritten.reset.next = self.reset.val();
        self.dirty.reset.next = self.reset.val();
        self.fetched.reset.next = self.reset.val();
        self.judged.reset.next = self.reset.val();
        self.may_start.reset.next = self.reset.val();
        self.may_skip.reset.next = self.reset.val();

        // What happens in this clock: a first line goes out, a skip record, a line behind a first line; or the ring starts again at 0.
        self.starts.next =
            (self.state.q.val() == RecordRingState::Start) & self.may_start.q.val() & self.line_accept.val();
        self.skips.next =
            (self.state.q.val() == RecordRingState::Start) & self.may_skip.q.val() & self.line_accept.val();
        self.goes.next = (self.state.q.val() == RecordRingState::Rest) & self.rest_valid.val() & self.line_accept.val();
        self.clears.next = (self.state.q.val() == RecordRingState::Start) & !self.running.q.val();

        // The next first line: a gap record stands alone. Bit 8 is the flag of a second header line, bit 144 the first of the captured bytes.
        self.fetch.next = self.header_valid.val() & (!self.fetched.q.val() | self.starts.val());
        self.take_header.next = self.fetch.val();
        self.payload.next = bits::<8>(0);
        self.extra.next = bits::<2>(0);
        if self.header.val().get_bit(0) {
            self.payload.next = self.header.val().get_bits::<8>(150);
            self.extra.next = bit_cast::<2, 1>(self.header.val().get_bits::<1>(8))
                + bit_cast::<2, 1>(self.header.val().get_bits::<6>(144).any().into());
        }
        if self.fetch.val() {
            self.head.d.next = self.header.val();
            self.head_rest.d.next = self.payload.val() + bit_cast::<8, 2>(self.extra.val());
            self.head_lines.d.next =
                bit_cast::<9, 8>(self.payload.val()) + bit_cast::<9, 2>(self.extra.val() + bits::<2>(1));
        }
        self.fetched.d.next = self.fetch.val() | (self.fetched.q.val() & !self.starts.val());

        // What may be done with it.
        self.room.ring_lines.next = self.ring_lines.val();
        self.room.consumer.next = self.consumer.val();
        self.room.producer.next = bit_cast::<32, 8>(self.low.q.val()) | (bit_cast::<32, 24>(self.high.q.val()) << 8);
        self.room.spend.next = self.starts.val();
        self.room.lines.next = self.head_lines.q.val();
        self.room.clear.next = self.skips.val() | self.clears.val();
        self.last_lines.next = (self.high.q.val() | !self.room.mask.val().get_bits::<24>(8)).all();
        self.after.next = bit_cast::<9, 8>(self.low.q.val()) + self.head_lines.q.val();
        self.last_line.next = bit_cast::<9, 8>(self.low.q.val()) + bit_cast::<9, 8>(self.head_rest.q.val());
        self.straddles.next = self.last_lines.val() & self.last_line.val().get_bit(8);
        self.closes.d.next = self.last_lines.val() & (self.low.q.val() == !self.head_rest.q.val());
        self.to_end.d.next = bits::<9>(256) - bit_cast::<9, 8>(self.low.q.val());
        self.steady.next = self.fetched.q.val()
            & self.enable.val()
            & self.running.q.val()
            & !self.unwritten.q.val().get_bit(4)
            & !self.starts.val()
            & !self.skips.val();
        self.judged.d.next = self.steady.val();
        self.may_start.d.next = self.steady.val()
            & !self.straddles.val()
            & (bit_cast::<11, 9>(self.head_lines.q.val()) <= self.room.free.val());
        self.may_skip.d.next = self.steady.val()
            & self.judged.q.val()
            & self.straddles.val()
            & (bit_cast::<11, 9>(self.to_end.q.val()) <= self.room.free.val());
        self.held.d.next = bits::<16>(0);
        if self.dirty.q.val() {
            self.held.d.next = self.held.q.val();
            if !self.held.q.val().all() {
                self.held.d.next = self.held.q.val() + bits::<16>(1);
            }
        }
        self.overdue.d.next = self.held.q.val() >= self.index_delay.val();
        self.no_more.next = self.unwritten.q.val().get_bit(4)
            | (!self.fetched.q.val() & !self.header_valid.val() & self.overdue.q.val())
            | (self.judged.q.val() & self.room.certain.val() & !self.may_start.q.val() & !self.may_skip.q.val());

        // The producer. A record is never longer than 256 lines, so its upper bits move by one at most.
        self.next_high.d.next = self.high.q.val() + bits::<24>(1);
        self.place.base.next = self.base.val();
        self.place.restart.next = self.skips.val()
            | self.clears.val()
            | (self.starts.val() & self.closes.q.val() & !self.head_rest.q.val().any())
            | (self.goes.val() & self.ends.val() & self.closing.q.val());
        self.place.step.next = self.starts.val() | self.goes.val();
        self.ends.next = self.left.q.val() == bits::<8>(1);

        // Whatever the writer is doing, a ring that was disabled starts again at 0.
        if !self.enable.val() {
            self.running.d.next = false;
        }
        self.out.next.address = self.place.address.val();
        self.out.next.index = false;
        self.out.next.data = self.head.q.val();
        self.line_valid.next = false;
        self.take_rest.next = false;
        match self.state.q.val() {
            RecordRingState::Start => {
                self.line_valid.next = self.may_start.q.val() | self.may_skip.q.val();
                self.left.d.next = self.head_rest.q.val();
                self.closing.d.next = self.closes.q.val();
                if self.may_skip.q.val() {
                    self.out.next.data = bits::<512>(3);
                }
                if !self.running.q.val() {
                    self.running.d.next = self.enable.val();
                    self.low.d.next = bits::<8>(0);
                    self.high.d.next = bits::<24>(0);
                    self.unwritten.d.next = bits::<5>(0);
                    self.dirty.d.next = false;
                } else if self.starts.val() {
                    self.low.d.next = self.after.val().get_bits::<8>(0);
                    if self.after.val().get_bit(8) {
                        self.high.d.next = self.next_high.q.val();
                    }
                    self.unwritten.d.next = self.unwritten.q.val() + bits::<5>(1);
                    self.dirty.d.next = true;
                    if self.head_rest.q.val().any() {
                        self.state.d.next = RecordRingState::Rest;
                    }
                } else if self.skips.val() {
                    self.low.d.next = bits::<8>(0);
                    self.high.d.next = self.next_high.q.val();
                    self.dirty.d.next = true;
                } else if self.dirty.q.val() & self.no_more.val() {
                    self.state.d.next = RecordRingState::Index;
                }
            }
            RecordRingState::Rest => {
                self.line_valid.next = self.rest_valid.val();
                self.out.next.data = self.rest.val();
                self.take_rest.next = self.line_accept.val();
                if self.goes.val() {
                    self.left.d.next = self.left.q.val() - bits::<8>(1);
                    if self.ends.val() {
                        self.state.d.next = RecordRingState::Start;
                    }
                }
            }
            RecordRingState::Index => {
                self.line_valid.next = true;
                self.out.next.address = self.index_address.val();
                self.out.next.index = true;
                self.out.next.data = bit_cast::<512, 32>(self.room.producer.val());
                if self.line_accept.val() {
                    self.unwritten.d.next = bits::<5>(0);
                    self.dirty.d.next = false;
                    self.state.d.next = RecordRingState::Start;
                }
            }
        }
        self.line.next = self.out.val();
        self.idle.next = (self.state.q.val() == RecordRingState::Start) & !self.dirty.q.val() & !self.fetched.q.val();
    }
}
