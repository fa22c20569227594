//! Puts TLPs on RQ without gaps.
//!
//! # Theory of operation
//! A TLP is a descriptor of 16 bytes and its payload. With straddle on it may begin at byte 0 of a beat, or at byte 32 if the one before it ends in front of
//! that. A write of n lines takes 2n + 1 halves of a beat, so one that begins at byte 0 ends in a lower half, and the next one begins in the upper
//! half and ends with the beat. What of a line does not fit into its beat, its upper 16 or 48 bytes, is carried to the next.
//!
//! | state | beat | behind it |
//! |---|---|---|
//! | `Idle` | descriptor, 48 bytes of the first line | 16 bytes left |
//! | `Low` | 16 bytes left, 48 bytes of the next line | 16 bytes left |
//! | `Low`, no line left | 16 bytes left; in the upper half the next TLP's descriptor, 16 bytes of its first line | 48 bytes left |
//! | `High` | 48 bytes left, 16 bytes of the next line | 48 bytes left |
//! | `High`, no line left | 48 bytes left | nothing |
//!
//! A read, or an interrupt message, is half a beat. When one begins at byte 0 nothing follows it in its beat.
//!
//! All lines of a TLP are in the FIFO before the TLP is in its queue, so none is waited for in the middle of a TLP.

use crate::pcie::types::{RqBeat, Tlp};
use crate::prelude::*;

/// What the packer is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum PackerState {
    /// No TLP is under way.
    Idle,
    /// One that began in a lower half.
    Low,
    /// One that began in an upper half.
    High,
}

/// TLPs to beats.
#[derive(LogicBlock, Default)]
pub struct Packer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forget what is under way.
    pub reset: Signal<In, Bit>,
    /// Begin no TLP.
    pub stop: Signal<In, Bit>,
    /// There is a TLP.
    pub tlp_valid: Signal<In, Bit>,
    /// The TLP.
    pub tlp: Signal<In, Tlp>,
    /// It is taken.
    pub take_tlp: Signal<Out, Bit>,
    /// The oldest line.
    pub line: Signal<In, Bits<512>>,
    /// It is taken.
    pub take_line: Signal<Out, Bit>,
    /// There is room for a beat.
    pub room: Signal<In, Bit>,
    /// There is a beat.
    pub beat_valid: Signal<Out, Bit>,
    /// The beat.
    pub beat: Signal<Out, RqBeat>,
    /// No TLP is under way.
    pub idle: Signal<Out, Bit>,
    /// There will soon be nothing to do.
    pub hungry: Signal<Out, Bit>,
    state: RegR<PackerState>,
    left: Reg<Bits<4>>,
    carry: Reg<Bits<512>>,
    head: Signal<Local, Tlp>,
    starts: Signal<Local, Bit>,
    bare: Signal<Local, Bit>,
    words: Signal<Local, Bits<11>>,
    last_enables: Signal<Local, Bits<4>>,
    descriptor: Signal<Local, Bits<128>>,
    payload: Signal<Local, Bits<384>>,
    bare_end: Signal<Local, Bits<3>>,
    begins: Signal<Local, Bit>,
    upper: Signal<Local, Bit>,
    ends: Signal<Local, Bits<2>>,
    end_0: Signal<Local, Bits<4>>,
    end_1: Signal<Local, Bits<4>>,
    taken: Signal<Local, Bit>,
    sends: Signal<Local, Bit>,
    data: Signal<Local, Bits<512>>,
    user: Signal<Local, Bits<36>>,
}

impl Logic for Packer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, left, carry);
        self.state.reset.next = self.reset.val();

        // The next TLP.
        self.head.next = self.tlp.val();
        self.starts.next = self.tlp_valid.val() & !self.stop.val();
        self.bare.next = !self.head.val().lines.any();
        self.words.next = bit_cast::<11, 4>(self.head.val().lines) << 4;
        self.last_enables.next = bits::<4>(15);
        self.payload.next = self.line.val().get_bits::<384>(0);
        if self.bare.val() {
            self.words.next = bits::<11>(1);
            self.last_enables.next = bits::<4>(0);
            self.payload.next = bit_cast::<384, 32>(self.head.val().word);
            if self.head.val().read {
                self.words.next = bits::<11>(16);
                self.last_enables.next = bits::<4>(15);
            }
        }
        self.descriptor.next = bit_cast::<128, 64>(self.head.val().address)
            | (bit_cast::<128, 11>(self.words.val()) << 64)
            | (bit_cast::<128, 1>((!self.head.val().read).into()) << 75);
        // A read, or what an interrupt writes, ends in the fourth or fifth word of its half.
        self.bare_end.next = bits::<3>(4);
        if self.head.val().read {
            self.bare_end.next = bits::<3>(3);
        }

        self.sends.next = false;
        self.taken.next = false;
        self.take_line.next = false;
        self.begins.next = false;
        self.upper.next = false;
        self.ends.next = bits::<2>(0);
        self.end_0.next = bits::<4>(0);
        self.end_1.next = bits::<4>(0);
        self.data.next = bits::<512>(0);
        match self.state.q.val() {
            PackerState::Idle => {
                self.data.next =
                    bit_cast::<512, 128>(self.descriptor.val()) | (bit_cast::<512, 384>(self.payload.val()) << 128);
                self.begins.next = true;
                if self.bare.val() {
                    self.ends.next = bits::<2>(1);
                    self.end_0.next = bit_cast::<4, 3>(self.bare_end.val());
                }
                if self.starts.val() & self.room.val() {
                    self.sends.next = true;
                    self.taken.next = true;
                    if !self.bare.val() {
                        self.take_line.next = true;
                        self.state.d.next = PackerState::Low;
                    }
                }
            }
            PackerState::Low => {
                if self.left.q.val().any() {
                    self.data.next = bit_cast::<512, 128>(self.carry.q.val().get_bits::<128>(384))
                        | (bit_cast::<512, 384>(self.line.val().get_bits::<384>(0)) << 128);
                    self.sends.next = self.room.val();
                    self.take_line.next = self.room.val();
                } else {
                    self.data.next = bit_cast::<512, 128>(self.carry.q.val().get_bits::<128>(384));
                    self.ends.next = bits::<2>(1);
                    self.end_0.next = bits::<4>(3);
                    if self.starts.val() {
                        self.data.next = bit_cast::<512, 128>(self.carry.q.val().get_bits::<128>(384))
                            | (bit_cast::<512, 128>(self.descriptor.val()) << 256)
                            | (bit_cast::<512, 128>(self.payload.val().get_bits::<128>(0)) << 384);
                        self.begins.next = true;
                        self.upper.next = true;
                        if self.bare.val() {
                            self.ends.next = bits::<2>(3);
                            self.end_1.next = bit_cast::<4, 3>(self.bare_end.val()) | bits::<4>(8);
                        }
                    }
                    if self.room.val() {
                        self.sends.next = true;
                        self.state.d.next = PackerState::Idle;
                        if self.starts.val() {
                            self.taken.next = true;
                            if !self.bare.val() {
                                self.take_line.next = true;
                                self.state.d.next = PackerState::High;
                            }
                        }
                    }
                }
            }
            PackerState::High => {
                if self.left.q.val().any() {
                    self.data.next = bit_cast::<512, 384>(self.carry.q.val().get_bits::<384>(128))
                        | (bit_cast::<512, 128>(self.line.val().get_bits::<128>(0)) << 384);
                    self.sends.next = self.room.val();
                    self.take_line.next = self.room.val();
                } else {
                    self.data.next = bit_cast::<512, 384>(self.carry.q.val().get_bits::<384>(128));
                    self.ends.next = bits::<2>(1);
                    self.end_0.next = bits::<4>(11);
                    if self.room.val() {
                        self.sends.next = true;
                        self.state.d.next = PackerState::Idle;
                    }
                }
            }
        }
        // `first_be`, `last_be` of the TLP that begins, `is_sop`, `is_sop0_ptr`, `is_eop`, `is_eop0_ptr`, `is_eop1_ptr`.
        self.user.next = (bit_cast::<36, 1>(self.upper.val().into()) << 23)
            | (bit_cast::<36, 2>(self.ends.val()) << 26)
            | (bit_cast::<36, 4>(self.end_0.val()) << 28)
            | (bit_cast::<36, 4>(self.end_1.val()) << 32);
        if self.begins.val() {
            self.user.next = bits::<36>(0x10_000f)
                | (bit_cast::<36, 4>(self.last_enables.val()) << 8)
                | (bit_cast::<36, 1>(self.upper.val().into()) << 23)
                | (bit_cast::<36, 2>(self.ends.val()) << 26)
                | (bit_cast::<36, 4>(self.end_0.val()) << 28)
                | (bit_cast::<36, 4>(self.end_1.val()) << 32);
        }
        if self.take_line.val() {
            self.carry.d.next = self.line.val();
            self.left.d.next = self.left.q.val() - bits::<4>(1);
            if self.taken.val() {
                self.left.d.next = self.head.val().lines - bits::<4>(1);
            }
        }
        self.take_tlp.next = self.taken.val();
        self.beat_valid.next = self.sends.val();
        self.beat.next.data = self.data.val();
        self.beat.next.user = self.user.val();
        self.beat.next.read = self.taken.val() & self.head.val().read;
        self.beat.next.line = self.take_line.val();
        self.idle.next = self.state.q.val() == PackerState::Idle;
        self.hungry.next = !self.tlp_valid.val() & (self.idle.val() | !self.left.q.val().get_bits::<3>(1).any());
    }
}
