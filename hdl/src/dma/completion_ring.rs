//! Writes completions into the completion ring.
//!
//! # Theory of operation
//! Two lines, then the producer index once no further command is on its way or 16 completions are unannounced. The host never has more commands
//! outstanding than the ring holds, so there is always room. Disabling the ring drops what is under way.

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
    /// It is taken.
    pub line_take: Signal<In, Bit>,
    state: RegR<CompletionRingState>,
    producer: RegR<Bits<32>>,
    unwritten: RegR<Bits<8>>,
    place: Reg<Bits<64>>,
    sending: Signal<Local, Bit>,
    out: Signal<Local, LineWrite>,
}

impl Logic for CompletionRing {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, producer, unwritten, place);
        self.state.reset.next = self.reset.val();
        self.producer.reset.next = self.reset.val();
        self.unwritten.reset.next = self.reset.val();

        self.sending.next = false;
        self.take.next = false;
        self.out.next.address = self.place.q.val();
        self.out.next.index = false;
        self.out.next.data = self.head.val();
        match self.state.q.val() {
            CompletionRingState::Wait => {
                self.place.d.next = self.base.val()
                    + (bit_cast::<64, 32>(self.producer.q.val() & (self.ring_completions.val() - bits::<32>(1))) << 7);
                if self.unwritten.q.val().any()
                    & ((!self.valid.val() & !self.more.val()) | (self.unwritten.q.val() >= bits::<8>(16)))
                {
                    self.state.d.next = CompletionRingState::Index;
                } else if self.valid.val() {
                    self.state.d.next = CompletionRingState::Head;
                }
            }
            CompletionRingState::Head => {
                self.sending.next = true;
                if self.line_take.val() {
                    self.place.d.next = self.place.q.val() + bits::<64>(64);
                    self.state.d.next = CompletionRingState::Row;
                }
            }
            CompletionRingState::Row => {
                self.sending.next = true;
                self.out.next.data = self.row.val();
                if self.line_take.val() {
                    self.take.next = true;
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
                if self.line_take.val() {
                    self.unwritten.d.next = bits::<8>(0);
                    self.state.d.next = CompletionRingState::Wait;
                }
            }
        }
        if !self.enable.val() {
            self.state.d.next = CompletionRingState::Wait;
            self.producer.d.next = bits::<32>(0);
            self.unwritten.d.next = bits::<8>(0);
        }
        self.line_valid.next = self.sending.val() & self.enable.val();
        self.line.next = self.out.val();
    }
}
