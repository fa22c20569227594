//! Compares keys with what the memories returned, and picks the hit.
//!
//! # Theory of operation
//! Three clocks behind a memory: `fetch` takes its outputs into registers (which memory blocks have inside), `compare` compares key and
//! expiry and sums the parity, all side by side, `judge` puts the results together. Each step has an enable of its own, so that what is not
//! looked up moves nothing.

use super::types::{Candidate, Found, Hit, RowData};
use crate::prelude::*;

/// Looks at a row's own word: parity, expiry, marks. No register.
#[derive(LogicBlock, Default)]
pub struct RowCheck {
    /// There is a row.
    pub enable: Signal<In, Bit>,
    /// The row.
    pub row: Signal<In, RowData>,
    /// The frame's tick: the later of its stamp's and the expiry floor.
    pub tick: Signal<In, Bits<44>>,
    /// A batch is committed and not settled.
    pub committed: Signal<In, Bit>,
    /// Not zero: the parity does not fit.
    pub syndrome: Signal<Out, Bits<4>>,
    /// Not expired.
    pub live: Signal<Out, Bit>,
    /// Valid, and not hidden by a batch.
    pub visible: Signal<Out, Bit>,
    bits: Signal<Local, Bits<72>>,
    fold: Signal<Local, Bits<16>>,
}

impl Logic for RowCheck {
    #[hdl_gen]
    fn update(&mut self) {
        self.bits.next = self.row.val().into();
        self.fold.next = bits::<16>(0);
        self.live.next = false;
        self.visible.next = false;
        if self.enable.val() {
            self.fold.next = self.bits.val().get_bits::<16>(0)
                ^ self.bits.val().get_bits::<16>(16)
                ^ self.bits.val().get_bits::<16>(32)
                ^ self.bits.val().get_bits::<16>(48)
                ^ bit_cast::<16, 8>(self.bits.val().get_bits::<8>(64));
            self.live.next = self.tick.val() < self.row.val().not_after;
            self.visible.next = self.row.val().valid
                & !(self.row.val().pending & !self.committed.val())
                & !(self.row.val().pending_clear & self.committed.val());
        }
        self.syndrome.next = self.fold.val().get_bits::<4>(0)
            ^ self.fold.val().get_bits::<4>(4)
            ^ self.fold.val().get_bits::<4>(8)
            ^ self.fold.val().get_bits::<4>(12);
    }
}

/// One read port of one way. `W` is `K + 8`: the key above its parity; `N` is `W / 32`, rounded up.
#[derive(LogicBlock, Default)]
pub struct Compare<const K: usize, const W: usize, const N: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Take the memories' outputs.
    pub fetch: Signal<In, Bit>,
    /// Key and parity.
    pub word: Signal<In, Bits<W>>,
    /// The row.
    pub row: Signal<In, RowData>,
    /// One clock after `fetch`.
    pub compare: Signal<In, Bit>,
    /// With `compare`: the frame's key.
    pub key: Signal<In, Bits<K>>,
    /// With `compare`: see [`RowCheck`].
    pub tick: Signal<In, Bits<44>>,
    /// With `compare`: see [`RowCheck`].
    pub committed: Signal<In, Bit>,
    /// One clock after `compare`.
    pub judge: Signal<In, Bit>,
    /// What was fetched.
    pub fetched: Signal<Out, Bits<W>>,
    /// What the way says, one clock after `judge`.
    pub candidate: Signal<Out, Candidate>,
    word_register: Reg<Bits<W>>,
    row_register: Reg<RowData>,
    check: RowCheck,
    equal: Reg<Bit>,
    live: Reg<Bit>,
    visible: Reg<Bit>,
    key_syndrome: Reg<Bits<8>>,
    row_syndrome: Reg<Bits<4>>,
    compared_row: Reg<RowData>,
    judged: Reg<Candidate>,
    fold: Signal<Local, Bits<32>>,
    fold_16: Signal<Local, Bits<16>>,
    damaged: Signal<Local, Bit>,
    result: Signal<Local, Candidate>,
}

impl<const K: usize, const W: usize, const N: usize> Logic for Compare<K, W, N> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, word_register, row_register, equal, live, visible);
        dff_setup!(self, clock, key_syndrome, row_syndrome, compared_row, judged);
        if self.fetch.val() {
            self.word_register.d.next = self.word.val();
            self.row_register.d.next = self.row.val();
        }
        self.fetched.next = self.word_register.q.val();

        self.check.enable.next = self.compare.val();
        self.check.row.next = self.row_register.q.val();
        self.check.tick.next = self.tick.val();
        self.check.committed.next = self.committed.val();
        self.fold.next = bits::<32>(0);
        if self.compare.val() {
            for i in 0..N {
                self.fold.next = self.fold.val() ^ self.word_register.q.val().get_bits::<32>(i * 32);
            }
        }
        self.fold_16.next = self.fold.val().get_bits::<16>(0) ^ self.fold.val().get_bits::<16>(16);
        if self.compare.val() {
            self.equal.d.next = self.word_register.q.val().get_bits::<K>(8) == self.key.val();
            self.live.d.next = self.check.live.val();
            self.visible.d.next = self.check.visible.val();
            self.key_syndrome.d.next = self.fold_16.val().get_bits::<8>(0) ^ self.fold_16.val().get_bits::<8>(8);
            self.row_syndrome.d.next = self.check.syndrome.val();
            self.compared_row.d.next = self.row_register.q.val();
        }

        self.damaged.next = self.key_syndrome.q.val().any() | self.row_syndrome.q.val().any();
        self.result.next.live = self.equal.q.val() & self.visible.q.val() & self.live.q.val() & !self.damaged.val();
        self.result.next.expired = self.equal.q.val() & self.visible.q.val() & !self.live.q.val() & !self.damaged.val();
        self.result.next.damaged = self.damaged.val();
        self.result.next.destination = false;
        self.result.next.row = self.compared_row.q.val();
        if self.judge.val() {
            self.judged.d.next = self.result.val();
        }
        self.candidate.next = self.judged.q.val();
    }
}

/// The first of four candidates that lives gives the hit. One clock.
#[derive(LogicBlock, Default)]
pub struct Choose {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// There are candidates.
    pub enable: Signal<In, Bit>,
    /// In the order of their rank.
    pub candidate: [Signal<In, Candidate>; 4],
    /// The result, one clock later; zero without `enable`.
    pub found: Signal<Out, Found>,
    found_register: Reg<Found>,
    bits: [Signal<Local, Bits<76>>; 4],
    lives: Signal<Local, Bits<4>>,
    dies: Signal<Local, Bits<4>>,
    damages: Signal<Local, Bits<4>>,
    best: Signal<Local, RowData>,
    hit: Signal<Local, Hit>,
    result: Signal<Local, Found>,
}

impl Logic for Choose {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, found_register);
        self.lives.next = bits::<4>(0);
        self.dies.next = bits::<4>(0);
        self.damages.next = bits::<4>(0);
        for i in 0..4 {
            self.bits[i].next = self.candidate[i].val().into();
        }
        if self.enable.val() {
            for i in 0..4 {
                self.lives.next = self.lives.val().replace_bit(i, self.bits[i].val().get_bit(0));
                self.dies.next = self.dies.val().replace_bit(i, self.bits[i].val().get_bit(1));
                self.damages.next = self.damages.val().replace_bit(i, self.bits[i].val().get_bit(2));
            }
        }
        self.hit.next.valid = false;
        self.hit.next.match_index = bits::<17>(0);
        self.hit.next.scope = bits::<2>(0);
        self.hit.next.ring = bits::<2>(0);
        self.hit.next.destination = false;
        self.best.next = self.candidate[3].val().row;
        if self.lives.val().get_bit(0) {
            self.best.next = self.candidate[0].val().row;
        } else if self.lives.val().get_bit(1) {
            self.best.next = self.candidate[1].val().row;
        } else if self.lives.val().get_bit(2) {
            self.best.next = self.candidate[2].val().row;
        }
        if self.lives.val().any() {
            self.hit.next.valid = true;
            self.hit.next.match_index = self.best.val().match_index;
            self.hit.next.scope = self.best.val().scope;
            self.hit.next.ring = self.best.val().ring;
        }

        // Any two live candidates that differ: if all equal the hit, none differ.
        self.result.next.multi = false;
        for i in 0..3 {
            for j in 1..4 {
                if self.lives.val().get_bit(i)
                    & self.lives.val().get_bit(j)
                    & (self.bits[i].val().get_bits::<65>(7) != self.bits[j].val().get_bits::<65>(7))
                {
                    self.result.next.multi = true;
                }
            }
        }
        self.result.next.hit = self.hit.val();
        self.result.next.expired = !self.lives.val().any() & self.dies.val().any();
        self.result.next.damaged = self.damages.val().any();
        self.found_register.d.next = self.result.val();
        self.found.next = self.found_register.q.val();
    }
}
