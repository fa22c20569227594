//! Writes records into a record ring. Each ring has a writer of its own.
//!
//! # Theory of operation
//! A record's first line says how many more there are: perhaps a second header line, and the payload. If the ring has room for all of them, and they fit in
//! front of its end, they go out line by line and the producer index advances behind the last one. If they do not fit in front of the end, a
//! skip record goes there first and the producer index advances to the end. The host's consumer index is compared afresh for each record. While
//! a record's last line goes out, the next record is already being looked at, so records follow each other without a
//! gap.
//!
//! Nothing is written while the ring's size is none that the ABI allows, or the consumer index is one that the producer has not reached.

use super::types::LineWrite;
use crate::prelude::*;
use writ_abi::{limits, record};

const _: () = {
    assert!(core::mem::offset_of!(record::PacketHeader, flags) == 1 && record::flags::SECOND_LINE == 1);
    assert!(core::mem::offset_of!(record::PacketHeader, captured_bytes) * 8 == 144);
    assert!(limits::INDEX_WRITE_BACK_RECORDS == 16);
    assert!(limits::RING_LINES_MIN == 1 << 8 && limits::RING_LINES_MAX == 1 << 24);
};

/// What the writer is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum RecordRingState {
    /// Waiting for a record, for room, or for nothing.
    Wait,
    /// Writing a skip record.
    Skip,
    /// Writing a record's first line.
    Header,
    /// Writing the lines behind it.
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
    /// Take it.
    pub take_rest: Signal<Out, Bit>,
    /// There is a line to write.
    pub line_valid: Signal<Out, Bit>,
    /// The line.
    pub line: Signal<Out, LineWrite>,
    /// It is taken.
    pub line_take: Signal<In, Bit>,
    /// Nothing under way, and the host knows of every record.
    pub idle: Signal<Out, Bit>,
    state: RegR<RecordRingState>,
    restart: RegR<Bit>,
    producer: RegR<Bits<32>>,
    unwritten: RegR<Bits<8>>,
    dirty: RegR<Bit>,
    left: Reg<Bits<8>>,
    place: Reg<Bits<64>>,
    skip_lines: Reg<Bits<32>>,
    payload_lines: Signal<Local, Bits<8>>,
    rest_lines: Signal<Local, Bits<8>>,
    record_lines: Signal<Local, Bits<32>>,
    position: Signal<Local, Bits<32>>,
    next_place: Signal<Local, Bits<64>>,
    to_end: Signal<Local, Bits<32>>,
    used: Signal<Local, Bits<32>>,
    room: Signal<Local, Bits<32>>,
    sane: Signal<Local, Bit>,
    straddles: Signal<Local, Bit>,
    fits: Signal<Local, Bit>,
    skip_fits: Signal<Local, Bit>,
    startable: Signal<Local, Bit>,
    sending: Signal<Local, Bit>,
    out: Signal<Local, LineWrite>,
}

impl Logic for RecordRing {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, restart, producer, unwritten, dirty, left, place, skip_lines);
        self.state.reset.next = self.reset.val();
        self.restart.reset.next = self.reset.val();
        self.producer.reset.next = self.reset.val();
        self.unwritten.reset.next = self.reset.val();
        self.dirty.reset.next = self.reset.val();

        // The record at the head of the FIFO: a gap record stands alone. Bit 8 is the flag of a second header line, bit 144 the first of the captured bytes.
        self.payload_lines.next = (self.header.val().get_bits::<16>(144) + bits::<16>(63)).get_bits::<8>(6);
        self.rest_lines.next = bits::<8>(0);
        if self.header_valid.val() & (self.header.val().get_bits::<8>(0) == bits::<8>(1)) {
            self.rest_lines.next = self.payload_lines.val();
            if self.header.val().get_bit(8) {
                self.rest_lines.next = self.payload_lines.val() + bits::<8>(1);
            }
        }
        self.record_lines.next = bit_cast::<32, 8>(self.rest_lines.val()) + bits::<32>(1);
        self.position.next = self.producer.q.val() & (self.ring_lines.val() - bits::<32>(1));
        self.next_place.next = self.base.val() + (bit_cast::<64, 32>(self.position.val()) << 6);
        self.to_end.next = self.ring_lines.val() - self.position.val();
        self.used.next = self.producer.q.val() - self.consumer.val();
        self.room.next = self.ring_lines.val() - self.used.val();
        self.sane.next = self.ring_lines.val().get_bits::<17>(8).any()
            & !self.ring_lines.val().get_bits::<8>(0).any()
            & !self.ring_lines.val().get_bits::<7>(25).any()
            & !(self.ring_lines.val() & (self.ring_lines.val() - bits::<32>(1))).any()
            & (self.used.val() <= self.ring_lines.val());
        self.straddles.next = self.record_lines.val() > self.to_end.val();
        self.fits.next = self.record_lines.val() <= self.room.val();
        self.skip_fits.next = self.to_end.val() <= self.room.val();
        self.startable.next = self.enable.val()
            & self.sane.val()
            & self.header_valid.val()
            & ((self.straddles.val() & self.skip_fits.val()) | (!self.straddles.val() & self.fits.val()));

        // Whatever the writer is doing, a ring that was disabled starts again at 0.
        if !self.enable.val() {
            self.restart.d.next = true;
        }
        self.sending.next = false;
        self.out.next.address = self.place.q.val();
        self.out.next.index = false;
        self.out.next.data = self.header.val();
        self.take_header.next = false;
        self.take_rest.next = false;
        match self.state.q.val() {
            RecordRingState::Wait => {
                self.place.d.next = self.next_place.val();
                self.left.d.next = self.rest_lines.val();
                self.skip_lines.d.next = self.to_end.val();
                if !self.enable.val() | self.restart.q.val() {
                    self.restart.d.next = !self.enable.val();
                    self.producer.d.next = bits::<32>(0);
                    self.unwritten.d.next = bits::<8>(0);
                    self.dirty.d.next = false;
                } else if self.dirty.q.val() & (!self.startable.val() | (self.unwritten.q.val() >= bits::<8>(16))) {
                    self.state.d.next = RecordRingState::Index;
                } else if self.startable.val() & self.straddles.val() {
                    self.state.d.next = RecordRingState::Skip;
                } else if self.startable.val() {
                    self.state.d.next = RecordRingState::Header;
                }
            }
            RecordRingState::Skip => {
                self.sending.next = true;
                self.out.next.data = bits::<512>(3);
                if self.line_take.val() {
                    self.producer.d.next = self.producer.q.val() + self.skip_lines.q.val();
                    self.dirty.d.next = true;
                    self.state.d.next = RecordRingState::Wait;
                }
            }
            RecordRingState::Header => {
                self.sending.next = true;
                if self.line_take.val() {
                    self.take_header.next = true;
                    self.place.d.next = self.place.q.val() + bits::<64>(64);
                    self.producer.d.next = self.producer.q.val() + bits::<32>(1) + bit_cast::<32, 8>(self.left.q.val());
                    self.unwritten.d.next = self.unwritten.q.val() + bits::<8>(1);
                    self.dirty.d.next = true;
                    self.state.d.next = RecordRingState::Wait;
                    if self.left.q.val().any() {
                        self.state.d.next = RecordRingState::Rest;
                    }
                }
            }
            RecordRingState::Rest => {
                self.sending.next = self.rest_valid.val();
                self.out.next.data = self.rest.val();
                if self.line_take.val() {
                    self.take_rest.next = true;
                    self.place.d.next = self.place.q.val() + bits::<64>(64);
                    self.left.d.next = self.left.q.val() - bits::<8>(1);
                    if self.left.q.val() == bits::<8>(1) {
                        self.state.d.next = RecordRingState::Wait;
                        if self.startable.val()
                            & !self.straddles.val()
                            & !self.restart.q.val()
                            & (self.unwritten.q.val() < bits::<8>(16))
                        {
                            self.place.d.next = self.next_place.val();
                            self.left.d.next = self.rest_lines.val();
                            self.state.d.next = RecordRingState::Header;
                        }
                    }
                }
            }
            RecordRingState::Index => {
                self.sending.next = true;
                self.out.next.address = self.index_address.val();
                self.out.next.index = true;
                self.out.next.data = bit_cast::<512, 32>(self.producer.q.val());
                if self.line_take.val() {
                    self.unwritten.d.next = bits::<8>(0);
                    self.dirty.d.next = false;
                    self.state.d.next = RecordRingState::Wait;
                }
            }
        }
        self.line_valid.next = self.sending.val();
        self.line.next = self.out.val();
        self.idle.next = (self.state.q.val() == RecordRingState::Wait) & !self.dirty.q.val();
    }
}
