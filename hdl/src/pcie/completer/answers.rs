//! Requests of the host: CQ in, CC out.
//!
//! # Theory of operation
//! One request at a time. A request of one or two words to BAR 0 becomes one access a word, the lower one first: page 0 goes to the core's registers, pages 1 to 3
//! to the adapter's own. A read is answered with the bytes that its enables name; a word without any enable is not touched and reads as 0, so a read of
//! length zero touches nothing. A word is written whole or not at all, as registers are.
//!
//! | request | answer |
//! |---|---|
//! | read of one or two words | successful completion; completer abort if the core does not answer |
//! | write of one or two whole words | |
//! | any other memory write, message, anything that the hard block gave up | dropped and counted |
//! | any other read, locked read, I/O, atomic operation | unsupported request, counted |
//!
//! # Limits
//! A request takes 5 clocks and more; no second one waits inside. Straddle is off on both streams.

use crate::pcie::types::{AccessAnswer, AccessRequest};
use crate::prelude::*;

/// Clocks until a core that does not answer is given up.
const PATIENCE_BITS: usize = 12;
const _: () = assert!(PATIENCE_BITS == 12, "the kernel writes the width as 12");

/// What the completer is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum CompleterState {
    /// Waiting for a request.
    Idle,
    /// Looking at its descriptor, with the rest of its beats going by.
    Look,
    /// Deciding what becomes of it.
    Decide,
    /// Accessing a word.
    Access,
    /// Waiting for the word.
    Wait,
    /// Putting the completion together.
    Answer,
    /// Sending it, when what the card wrote before it is out.
    Send,
}

/// Register accesses of the host.
#[derive(LogicBlock, Default)]
pub struct Completer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the hard block's user side.
    pub reset: Signal<In, Bit>,
    /// `m_axis_cq_tvalid`.
    pub cq_valid: Signal<In, Bit>,
    /// `m_axis_cq_tready`.
    pub cq_ready: Signal<Out, Bit>,
    /// `m_axis_cq_tlast`.
    pub cq_last: Signal<In, Bit>,
    /// `m_axis_cq_tdata`.
    pub cq_data: Signal<In, Bits<512>>,
    /// Bits 0 to 3 of `m_axis_cq_tuser`.
    pub cq_first_enables: Signal<In, Bits<4>>,
    /// Bits 8 to 11 of `m_axis_cq_tuser`.
    pub cq_last_enables: Signal<In, Bits<4>>,
    /// Bit 96 of `m_axis_cq_tuser`.
    pub cq_discontinue: Signal<In, Bit>,
    /// `s_axis_cc_tvalid`, and `s_axis_cc_tlast`.
    pub cc_valid: Signal<Out, Bit>,
    /// The answer is made.
    pub cc_asks: Signal<Out, Bit>,
    /// It may go, see [`crate::pcie::ReadOrder`].
    pub cc_may_go: Signal<In, Bit>,
    /// `s_axis_cc_tready`, any of its four bits.
    pub cc_ready: Signal<In, Bit>,
    /// Bits 0 to 159 of `s_axis_cc_tdata`.
    pub cc_data: Signal<Out, Bits<160>>,
    /// Words of the packet: 3 to 5.
    pub cc_words: Signal<Out, Bits<3>>,
    /// There is a request for the core.
    pub request_valid: Signal<Out, Bit>,
    /// The request.
    pub request: Signal<Out, AccessRequest>,
    /// It is taken.
    pub request_ready: Signal<In, Bit>,
    /// There is an answer of the core. It is always taken.
    pub answer_valid: Signal<In, Bit>,
    /// The answer.
    pub answer: Signal<In, AccessAnswer>,
    /// Write a register of the adapter.
    pub local_write: Signal<Out, Bit>,
    /// Read one.
    pub local_read: Signal<Out, Bit>,
    /// Where: byte address in BAR 0.
    pub local_address: Signal<Out, Bits<14>>,
    /// What to write.
    pub local_data: Signal<Out, Bits<32>>,
    /// What was read, up to three clocks after `local_read`, for good.
    pub local_answer: Signal<In, Bits<32>>,
    /// A request was answered as unsupported.
    pub unsupported: Signal<Out, Bit>,
    /// A request was dropped.
    pub dropped: Signal<Out, Bit>,
    /// The core did not answer.
    pub aborted: Signal<Out, Bit>,
    state: RegR<CompleterState>,
    head: Reg<Bits<128>>,
    low: Reg<Bits<32>>,
    high: Reg<Bits<32>>,
    first_enables: Reg<Bits<4>>,
    last_enables: Reg<Bits<4>>,
    broken: Reg<Bit>,
    complete: Reg<Bit>,
    reads: Reg<Bit>,
    posted: Reg<Bit>,
    usable: Reg<Bit>,
    locked: Reg<Bit>,
    low_bytes: Reg<Bits<2>>,
    lost_bytes: Reg<Bits<3>>,
    empty: Reg<Bit>,
    two: Reg<Bit>,
    second: Reg<Bit>,
    place: Reg<Bits<12>>,
    enables: Reg<Bits<4>>,
    value: Reg<Bits<32>>,
    number: RegR<Bits<4>>,
    timer: Reg<Bits<12>>,
    status: Reg<Bits<3>>,
    beat: Reg<Bits<160>>,
    words: Reg<Bits<3>>,
    unknown: RegR<Bit>,
    lost: RegR<Bit>,
    silent: RegR<Bit>,
    kind: Signal<Local, Bits<4>>,
    count: Signal<Local, Bits<11>>,
    whole: Signal<Local, Bit>,
    tail: Signal<Local, Bits<4>>,
    tail_zeros: Signal<Local, Bits<2>>,
    head_zeros: Signal<Local, Bits<2>>,
    in_core: Signal<Local, Bit>,
    touches: Signal<Local, Bit>,
    goes_on: Signal<Local, Bit>,
    result: Signal<Local, Bits<32>>,
    came: Signal<Local, AccessAnswer>,
    bytes: Signal<Local, Bits<13>>,
    first_word: Signal<Local, Bits<32>>,
    second_word: Signal<Local, Bits<32>>,
    third_word: Signal<Local, Bits<32>>,
}

impl Logic for Completer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, head, low, high, first_enables, last_enables, broken, complete, reads, posted);
        dff_setup!(self, clock, usable, locked, low_bytes, lost_bytes, empty, two, second, place, enables, value);
        dff_setup!(self, clock, number, timer, status, beat, words, unknown, lost, silent);
        self.state.reset.next = self.reset.val();
        self.number.reset.next = self.reset.val();
        self.unknown.reset.next = self.reset.val();
        self.lost.reset.next = self.reset.val();
        self.silent.reset.next = self.reset.val();

        // The descriptor, and what its enables leave of the first and the last word.
        self.kind.next = self.head.q.val().get_bits::<4>(75);
        self.count.next = self.head.q.val().get_bits::<11>(64);
        self.tail.next = self.last_enables.q.val();
        if self.count.val() == bits::<11>(1) {
            self.tail.next = self.first_enables.q.val();
        }
        self.head_zeros.next = bits::<2>(3);
        if self.first_enables.q.val().get_bit(2) {
            self.head_zeros.next = bits::<2>(2);
        }
        if self.first_enables.q.val().get_bit(1) {
            self.head_zeros.next = bits::<2>(1);
        }
        if self.first_enables.q.val().get_bit(0) | !self.first_enables.q.val().any() {
            self.head_zeros.next = bits::<2>(0);
        }
        self.tail_zeros.next = bits::<2>(3);
        if self.tail.val().get_bit(1) {
            self.tail_zeros.next = bits::<2>(2);
        }
        if self.tail.val().get_bit(2) {
            self.tail_zeros.next = bits::<2>(1);
        }
        if self.tail.val().get_bit(3) {
            self.tail_zeros.next = bits::<2>(0);
        }
        self.whole.next = (self.first_enables.q.val().all() | !self.first_enables.q.val().any())
            & (self.last_enables.q.val().all() | !self.last_enables.q.val().any());

        // The completion: status, length and bytes; requester and tag; the words.
        self.bytes.next = bits::<13>(4);
        if self.reads.q.val() {
            self.bytes.next = (bit_cast::<13, 11>(self.count.val()) << 2) - bit_cast::<13, 3>(self.lost_bytes.q.val());
            if self.empty.q.val() {
                self.bytes.next = bits::<13>(1);
            }
        }
        self.first_word.next =
            (bit_cast::<32, 13>(self.bytes.val()) << 16) | (bit_cast::<32, 1>(self.locked.q.val().into()) << 29);
        if self.reads.q.val() {
            self.first_word.next = (bit_cast::<32, 13>(self.bytes.val()) << 16)
                | (bit_cast::<32, 1>(self.locked.q.val().into()) << 29)
                | (bit_cast::<32, 5>(self.head.q.val().get_bits::<5>(2)) << 2)
                | bit_cast::<32, 2>(self.low_bytes.q.val());
        }
        self.second_word.next = (bit_cast::<32, 3>(self.status.q.val()) << 11)
            | (bit_cast::<32, 16>(self.head.q.val().get_bits::<16>(80)) << 16);
        if !self.status.q.val().any() {
            self.second_word.next =
                bit_cast::<32, 11>(self.count.val()) | (bit_cast::<32, 16>(self.head.q.val().get_bits::<16>(80)) << 16);
        }
        self.third_word.next = bit_cast::<32, 8>(self.head.q.val().get_bits::<8>(96))
            | (bit_cast::<32, 8>(self.head.q.val().get_bits::<8>(104)) << 8)
            | (bit_cast::<32, 6>(self.head.q.val().get_bits::<6>(121)) << 25);

        self.in_core.next = !self.place.q.val().get_bits::<2>(10).any();
        self.touches.next = self.enables.q.val().any();
        self.goes_on.next = false;
        self.result.next = bits::<32>(0);
        self.came.next = self.answer.val();
        self.unknown.d.next = false;
        self.lost.d.next = false;
        self.silent.d.next = false;
        self.cq_ready.next = false;
        self.request_valid.next = false;
        self.local_write.next = false;
        self.local_read.next = false;
        self.cc_valid.next = false;
        self.cc_asks.next = false;
        match self.state.q.val() {
            CompleterState::Idle => {
                self.cq_ready.next = true;
                self.head.d.next = self.cq_data.val().get_bits::<128>(0);
                self.low.d.next = self.cq_data.val().get_bits::<32>(128);
                self.high.d.next = self.cq_data.val().get_bits::<32>(160);
                self.first_enables.d.next = self.cq_first_enables.val();
                self.last_enables.d.next = self.cq_last_enables.val();
                self.broken.d.next = self.cq_discontinue.val();
                self.complete.d.next = self.cq_last.val();
                if self.cq_valid.val() {
                    self.state.d.next = CompleterState::Look;
                }
            }
            CompleterState::Look => {
                self.cq_ready.next = !self.complete.q.val();
                self.locked.d.next = self.kind.val() == bits::<4>(7);
                self.reads.d.next = (self.kind.val() == bits::<4>(0)) | (self.kind.val() == bits::<4>(7));
                self.posted.d.next = (self.kind.val() == bits::<4>(1)) | (self.kind.val() >= bits::<4>(12));
                self.usable.d.next = !self.kind.val().get_bits::<3>(1).any()
                    & (!self.kind.val().get_bit(0) | self.whole.val())
                    & !self.head.q.val().get_bits::<3>(112).any()
                    & !self.head.q.val().get_bits::<8>(104).any()
                    & ((self.count.val() == bits::<11>(1)) | (self.count.val() == bits::<11>(2)));
                self.two.d.next = self.count.val().get_bit(1);
                self.low_bytes.d.next = self.head_zeros.val();
                self.lost_bytes.d.next =
                    bit_cast::<3, 2>(self.head_zeros.val()) + bit_cast::<3, 2>(self.tail_zeros.val());
                self.empty.d.next = !self.first_enables.q.val().any() & (self.count.val() == bits::<11>(1));
                self.second.d.next = false;
                self.place.d.next = self.head.q.val().get_bits::<12>(2);
                self.enables.d.next = self.first_enables.q.val();
                self.value.d.next = self.low.q.val();
                if self.complete.q.val() {
                    self.state.d.next = CompleterState::Decide;
                } else if self.cq_valid.val() {
                    self.complete.d.next = self.cq_last.val();
                    self.broken.d.next = self.broken.q.val() | self.cq_discontinue.val();
                }
            }
            CompleterState::Decide => {
                self.low.d.next = bits::<32>(0);
                self.status.d.next = bits::<3>(0);
                self.state.d.next = CompleterState::Access;
                if !self.usable.q.val() {
                    self.status.d.next = bits::<3>(1);
                    self.unknown.d.next = !self.posted.q.val() & !self.broken.q.val();
                    self.state.d.next = CompleterState::Answer;
                }
                if self.broken.q.val() | (self.posted.q.val() & !self.usable.q.val()) {
                    self.lost.d.next = true;
                    self.unknown.d.next = false;
                    self.state.d.next = CompleterState::Idle;
                }
            }
            CompleterState::Access => {
                self.timer.d.next = bits::<12>(0);
                if !self.touches.val() {
                    self.goes_on.next = true;
                } else if self.in_core.val() {
                    self.request_valid.next = true;
                    if self.request_ready.val() {
                        self.state.d.next = CompleterState::Wait;
                        self.goes_on.next = !self.reads.q.val();
                    }
                } else {
                    self.local_write.next = !self.reads.q.val();
                    self.local_read.next = self.reads.q.val();
                    self.state.d.next = CompleterState::Wait;
                    self.goes_on.next = !self.reads.q.val();
                }
            }
            CompleterState::Wait => {
                self.timer.d.next = self.timer.q.val() + bits::<12>(1);
                if self.in_core.val() {
                    if self.answer_valid.val() & (self.came.val().number == self.number.q.val()) {
                        self.result.next = self.came.val().data;
                        self.goes_on.next = true;
                        if self.came.val().failed {
                            self.status.d.next = bits::<3>(4);
                        }
                    } else if self.timer.q.val().all() {
                        self.status.d.next = bits::<3>(4);
                        self.goes_on.next = true;
                    }
                } else if self.timer.q.val() == bits::<12>(3) {
                    self.result.next = self.local_answer.val();
                    self.goes_on.next = true;
                }
            }
            CompleterState::Answer => {
                // `low` and `value`: the words, or the only one in `value`.
                self.beat.d.next = bit_cast::<160, 32>(self.first_word.val())
                    | (bit_cast::<160, 32>(self.second_word.val()) << 32)
                    | (bit_cast::<160, 32>(self.third_word.val()) << 64);
                self.words.d.next = bits::<3>(3);
                if !self.status.q.val().any() {
                    self.words.d.next = bits::<3>(4);
                    self.beat.d.next = bit_cast::<160, 32>(self.first_word.val())
                        | (bit_cast::<160, 32>(self.second_word.val()) << 32)
                        | (bit_cast::<160, 32>(self.third_word.val()) << 64)
                        | (bit_cast::<160, 32>(self.value.q.val()) << 96);
                    if self.two.q.val() {
                        self.words.d.next = bits::<3>(5);
                        self.beat.d.next = bit_cast::<160, 32>(self.first_word.val())
                            | (bit_cast::<160, 32>(self.second_word.val()) << 32)
                            | (bit_cast::<160, 32>(self.third_word.val()) << 64)
                            | (bit_cast::<160, 32>(self.low.q.val()) << 96)
                            | (bit_cast::<160, 32>(self.value.q.val()) << 128);
                    }
                }
                self.silent.d.next = self.status.q.val().get_bit(2);
                self.state.d.next = CompleterState::Send;
            }
            CompleterState::Send => {
                self.cc_asks.next = true;
                self.cc_valid.next = self.cc_may_go.val();
                if self.cc_ready.val() & self.cc_may_go.val() {
                    self.state.d.next = CompleterState::Idle;
                }
            }
        }
        if self.goes_on.val() {
            self.value.d.next = self.result.val();
            self.number.d.next = self.number.q.val() + bits::<4>(1);
            self.state.d.next = CompleterState::Idle;
            if self.reads.q.val() {
                self.state.d.next = CompleterState::Answer;
            }
            if self.two.q.val() & !self.second.q.val() {
                self.state.d.next = CompleterState::Access;
                self.second.d.next = true;
                self.low.d.next = self.result.val();
                self.place.d.next = self.place.q.val() + bits::<12>(1);
                self.enables.d.next = self.last_enables.q.val();
                self.value.d.next = self.high.q.val();
            }
        }
        self.request.next.write = !self.reads.q.val();
        self.request.next.number = self.number.q.val();
        self.request.next.address = bit_cast::<12, 10>(self.place.q.val().get_bits::<10>(0)) << 2;
        self.request.next.data = self.value.q.val();
        self.local_address.next = bit_cast::<14, 12>(self.place.q.val()) << 2;
        self.local_data.next = self.value.q.val();
        self.cc_data.next = self.beat.q.val();
        self.cc_words.next = self.words.q.val();
        self.unsupported.next = self.unknown.q.val();
        self.dropped.next = self.lost.q.val();
        self.aborted.next = self.silent.q.val();
    }
}
