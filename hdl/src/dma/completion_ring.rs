//! Writes completions into the completion ring.
//!
//! # Theory of operation
//! Two lines, then the producer index once no further command is on its way or 16 completions are unannounced. The host never has more commands
//! outstanding than the ring holds, so there is always room. Disabling the ring drops what is under way.
//!
//! A line's number and then the two halves of its address are found in one clock each while the writer waits; it waits for as long as that takes.

use super::types::LineWrite;
use crate::prelude::*;

/// What the writer is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum CompletionRingState {
    /// Waiting for a completion.
    Wait,
    /// Writing its first line.
    Head,
    /// Writing its second line.
    Row,
    /// Writing the index line.
    Index,
}

/// Completion ring writer.
#[derive(LogicBlock, Default)]
pub struct CompletionRing {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// The ring is enabled.
    pub enable: Signal<In, Bit>,
    /// Address of the ring.
    pub base: Signal<In, Bits<64>>,
    /// Its completions, a power of two.
    pub ring_completions: Signal<In, Bits<32>>,
    /// Address of the index line.
    pub index_address: Signal<In, Bits<64>>,
    /// There is a completion.
    pub valid: Signal<In, Bit>,
    /// Its first line.
    pub head: Signal<In, Bits<512>>,
    /// Its second line.
    pub row: Signal<In, Bits<512>>,
    /// It is taken.
    pub take: Signal<Out, Bit>,
    /// Commands are being fetched or wait.
    pub more: Signal<In, Bit>,
    /// There is a line to write.
    pub line_valid: Signal<Out, Bit>,
    /// The line.
    pub line: Signal<Out, LineWrite>,
    /// If there is one, it is taken.
    pub line_accept: Signal<In, Bit>,
    state: RegR<CompletionRingState>,
    producer: RegR<Bits<32>>,
    unwritten: RegR<Bits<8>>,
    mask: Reg<Bits<32>>,
    second: RegR<Bit>,
    expecting: Reg<Bit>,
    settled: RegR<Bits<3>>,
    number: Reg<Bits<33>>,
    low_place: Reg<Bits<30>>,
    high_base: Reg<Bits<29>>,
    high_place: Reg<Bits<29>>,
    line_number: Signal<Local, Bits<33>>,
    sending: Signal<Local, Bit>,
    out: Signal<Local, LineWrite>,
}

impl Logic for CompletionRing {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, producer, unwritten, mask, second, expecting, settled, number, low_place, high_base,
            high_place
        );
        self.state.reset.next = self.reset.val();
        self.producer.reset.next = self.reset.val();
        self.unwritten.reset.next = self.reset.val();
        self.second.reset.next = self.reset.val();
        self.settled.reset.next = self.reset.val();

        self.expecting.d.next = self.more.val();
        self.mask.d.next = self.ring_completions.val() - bits::<32>(1);
        self.line_number.next = (bit_cast::<33, 32>(self.producer.q.val() & self.mask.q.val()) << 1)
            | bit_cast::<33, 1>(self.second.q.val().into());
        self.number.d.next = self.line_number.val();
        self.low_place.d.next = bit_cast::<30, 29>(self.base.val().get_bits::<29>(6))
            + bit_cast::<30, 29>(self.number.q.val().get_bits::<29>(0));
        self.high_base.d.next =
            self.base.val().get_bits::<29>(35) + bit_cast::<29, 4>(self.number.q.val().get_bits::<4>(29));
        self.high_place.d.next = self.high_base.q.val() + bit_cast::<29, 1>(self.low_place.q.val().get_bits::<1>(29));
        self.settled.d.next = (self.settled.q.val() << 1) | bits::<3>(1);

        self.sending.next = false;
        self.take.next = false;
        self.out.next.address = bit_cast::<64, 6>(self.base.val().get_bits::<6>(0))
            | (bit_cast::<64, 29>(self.low_place.q.val().get_bits::<29>(0)) << 6)
            | (bit_cast::<64, 29>(self.high_place.q.val()) << 35);
        self.out.next.index = false;
        self.out.next.data = self.head.val();
        match self.state.q.val() {
            CompletionRingState::Wait => {
                if self.unwritten.q.val().any()
                    & ((!self.valid.val() & !self.expecting.q.val()) | (self.unwritten.q.val() >= bits::<8>(16)))
                {
                    self.state.d.next = CompletionRingState::Index;
                } else if self.valid.val() & self.settled.q.val().get_bit(2) {
                    self.state.d.next = CompletionRingState::Head;
                }
            }
            CompletionRingState::Head => {
                self.sending.next = true;
                if self.line_accept.val() {
                    self.second.d.next = true;
                    self.settled.d.next = bits::<3>(0);
                    self.state.d.next = CompletionRingState::Row;
                }
            }
            CompletionRingState::Row => {
                self.sending.next = self.settled.q.val().get_bit(2);
                self.out.next.data = self.row.val();
                if self.line_accept.val() & self.settled.q.val().get_bit(2) {
                    self.take.next = true;
                    self.second.d.next = false;
                    self.settled.d.next = bits::<3>(0);
                    self.producer.d.next = self.producer.q.val() + bits::<32>(1);
                    self.unwritten.d.next = self.unwritten.q.val() + bits::<8>(1);
                    self.state.d.next = CompletionRingState::Wait;
                }
            }
            CompletionRingState::Index => {
                self.sending.next = true;
                self.out.next.address = self.index_address.val();
                self.out.next.index = true;
                self.out.next.data = bit_cast::<512, 32>(self.producer.q.val());
                if self.line_accept.val() {
                    self.unwritten.d.next = bits::<8>(0);
                    self.state.d.next = CompletionRingState::Wait;
                }
            }
        }
        if !self.enable.val() {
            self.state.d.next = CompletionRingState::Wait;
            self.producer.d.next = bits::<32>(0);
            self.unwritten.d.next = bits::<8>(0);
            self.second.d.next = false;
            self.settled.d.next = bits::<3>(0);
        }
        self.line_valid.next = self.sending.val() & self.enable.val();
        self.line.next = self.out.val();
    }
}
