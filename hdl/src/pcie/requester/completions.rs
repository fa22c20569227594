//! Completions from RC, cut into pieces of lines.
//!
//! # Theory of operation
//! A completion is a descriptor of three words and its payload; straddle is off, so each begins at word 0. Word 3 belongs to the line's word that the lower address
//! names, so all words move by that word less three, modulo 16, in all beats of the completion alike. They move in two steps of a clock.
//!
//! The hard block sees to it that completions fit their requests and says so in the error code. What would not fit into a line all the same gets code 15, and so
//! does what it gave up in the middle (`discontinue`).
//!
//! # Limits
//! Requests are lines, aligned. There is no ready: a piece always finds its place.

use crate::pcie::types::Piece;
use crate::prelude::*;

/// RC to pieces.
#[derive(LogicBlock, Default)]
pub struct Completions {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset.
    pub reset: Signal<In, Bit>,
    /// `m_axis_rc_tvalid`.
    pub rc_valid: Signal<In, Bit>,
    /// `m_axis_rc_tlast`.
    pub rc_last: Signal<In, Bit>,
    /// `m_axis_rc_tkeep`.
    pub rc_keep: Signal<In, Bits<16>>,
    /// Bit 96 of `m_axis_rc_tuser`.
    pub rc_discontinue: Signal<In, Bit>,
    /// `m_axis_rc_tdata`.
    pub rc_data: Signal<In, Bits<512>>,
    /// A piece.
    pub piece: Signal<Out, Piece>,
    inside: RegR<Bit>,
    beat: RegR<Bit>,
    first: Reg<Bit>,
    last: Reg<Bit>,
    broken: Reg<Bit>,
    keep: Reg<Bits<16>>,
    data: Reg<Bits<512>>,
    turn: Reg<Bits<4>>,
    tag: Reg<Bits<8>>,
    place: Reg<Bits<6>>,
    completed: Reg<Bit>,
    code: Reg<Bits<4>>,
    half: Reg<Piece>,
    half_turn: Reg<Bits<2>>,
    whole: Reg<Piece>,
    head: Signal<Local, Bits<96>>,
    now_turn: Signal<Local, Bits<4>>,
    now_tag: Signal<Local, Bits<8>>,
    now_place: Signal<Local, Bits<6>>,
    now_completed: Signal<Local, Bit>,
    now_code: Signal<Local, Bits<4>>,
    end: Signal<Local, Bits<12>>,
    long: Signal<Local, Bit>,
    words: Signal<Local, Bits<16>>,
    turned: Signal<Local, Bits<512>>,
    turned_words: Signal<Local, Bits<16>>,
    step: Signal<Local, Piece>,
    gives_up: Signal<Local, Bit>,
    halfway: Signal<Local, Piece>,
    moved: Signal<Local, Bits<512>>,
    moved_words: Signal<Local, Bits<16>>,
    result: Signal<Local, Piece>,
}

impl Logic for Completions {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, inside, beat, first, last, broken, keep, data, turn, tag, place, completed, code);
        dff_setup!(self, clock, half, half_turn, whole);
        self.inside.reset.next = self.reset.val();
        self.beat.reset.next = self.reset.val();

        // First clock: the beat.
        self.beat.d.next = self.rc_valid.val();
        if self.rc_valid.val() {
            self.first.d.next = !self.inside.q.val();
            self.inside.d.next = !self.rc_last.val();
            self.last.d.next = self.rc_last.val();
            self.broken.d.next = self.rc_discontinue.val();
            self.keep.d.next = self.rc_keep.val();
            self.data.d.next = self.rc_data.val();
        }

        // Second clock: the descriptor, and words move by 0 to 3.
        self.head.next = self.data.q.val().get_bits::<96>(0);
        self.end.next = bit_cast::<12, 4>(self.head.val().get_bits::<4>(2))
            + bit_cast::<12, 11>(self.head.val().get_bits::<11>(32));
        self.long.next = self.end.val() > bits::<12>(16);
        self.now_turn.next = self.turn.q.val();
        self.now_tag.next = self.tag.q.val();
        self.now_place.next = self.place.q.val();
        self.now_completed.next = self.completed.q.val();
        self.now_code.next = self.code.q.val();
        self.words.next = self.keep.q.val();
        if self.first.q.val() {
            self.now_turn.next = self.head.val().get_bits::<4>(2) - bits::<4>(3);
            self.now_tag.next = self.head.val().get_bits::<8>(64);
            self.now_place.next = self.head.val().get_bits::<6>(6);
            self.now_completed.next = self.head.val().get_bit(30);
            self.now_code.next = self.head.val().get_bits::<4>(12);
            if self.head.val().get_bit(46) {
                self.now_code.next = bits::<4>(1);
            }
            if self.long.val() & !self.head.val().get_bits::<4>(12).any() {
                self.now_code.next = bits::<4>(15);
            }
            self.words.next = self.keep.q.val() & bits::<16>(0xfff8);
        }
        if self.broken.q.val() {
            self.now_code.next = bits::<4>(15);
        }
        if self.beat.q.val() {
            self.turn.d.next = self.now_turn.val();
            self.tag.d.next = self.now_tag.val();
            self.place.d.next = self.now_place.val();
            self.completed.d.next = self.now_completed.val();
            self.code.d.next = self.now_code.val();
        }
        self.turned.next = self.data.q.val();
        self.turned_words.next = self.words.val();
        if self.now_turn.val().get_bits::<2>(0) == bits::<2>(1) {
            self.turned.next = (self.data.q.val() << 32) | (self.data.q.val() >> 480);
            self.turned_words.next = (self.words.val() << 1) | (self.words.val() >> 15);
        }
        if self.now_turn.val().get_bits::<2>(0) == bits::<2>(2) {
            self.turned.next = (self.data.q.val() << 64) | (self.data.q.val() >> 448);
            self.turned_words.next = (self.words.val() << 2) | (self.words.val() >> 14);
        }
        if self.now_turn.val().get_bits::<2>(0) == bits::<2>(3) {
            self.turned.next = (self.data.q.val() << 96) | (self.data.q.val() >> 416);
            self.turned_words.next = (self.words.val() << 3) | (self.words.val() >> 13);
        }
        self.gives_up.next = (self.now_code.val() == bits::<4>(2))
            | (self.now_code.val() == bits::<4>(3))
            | (self.now_code.val() == bits::<4>(6))
            | (self.now_code.val() == bits::<4>(8))
            | (self.now_code.val() == bits::<4>(9))
            | (self.now_code.val() == bits::<4>(15));
        self.step.next.valid = self.beat.q.val();
        self.step.next.tag = self.now_tag.val();
        self.step.next.place = self.now_place.val();
        self.step.next.words = self.turned_words.val();
        self.step.next.ends = self.last.q.val() & (self.now_completed.val() | self.gives_up.val());
        self.step.next.code = self.now_code.val();
        self.step.next.data = self.turned.val();
        self.half.d.next = self.step.val();
        self.half_turn.d.next = self.now_turn.val().get_bits::<2>(2);

        // Third clock: they move by 0, 4, 8 or 12.
        self.halfway.next = self.half.q.val();
        self.moved.next = self.halfway.val().data;
        self.moved_words.next = self.halfway.val().words;
        if self.half_turn.q.val() == bits::<2>(1) {
            self.moved.next = (self.halfway.val().data << 128) | (self.halfway.val().data >> 384);
            self.moved_words.next = (self.halfway.val().words << 4) | (self.halfway.val().words >> 12);
        }
        if self.half_turn.q.val() == bits::<2>(2) {
            self.moved.next = (self.halfway.val().data << 256) | (self.halfway.val().data >> 256);
            self.moved_words.next = (self.halfway.val().words << 8) | (self.halfway.val().words >> 8);
        }
        if self.half_turn.q.val() == bits::<2>(3) {
            self.moved.next = (self.halfway.val().data << 384) | (self.halfway.val().data >> 128);
            self.moved_words.next = (self.halfway.val().words << 12) | (self.halfway.val().words >> 4);
        }
        self.result.next.valid = self.halfway.val().valid;
        self.result.next.tag = self.halfway.val().tag;
        self.result.next.place = self.halfway.val().place;
        self.result.next.words = self.moved_words.val();
        self.result.next.ends = self.halfway.val().ends;
        self.result.next.code = self.halfway.val().code;
        self.result.next.data = self.moved.val();
        self.whole.d.next = self.result.val();
        self.piece.next = self.whole.q.val();
    }
}
