//! One match table: four ways, two keys a clock.
//!
//! # Theory of operation
//! | clock | keys | engine |
//! |---|---|---|
//! | 0 | row numbers from the keys (`look_up`) | |
//! | 1 | the keys enter: memories are read | reads or writes a row |
//! | 2 | memories' outputs into registers | the same |
//! | 3 | key, expiry and parity compared | the same; `shown_key` at its end |
//! | 4 | candidates | the same |
//! | 5 | lowest live way | `row_valid`, `row_damaged`, `shown_row` hold for this clock |
//! | 6 | `found` | |
//!
//! Memory port 0 serves the first key and the engine, read and write; port 1 serves the second key. So two ports are all that a memory needs.
//! Keys and engine never come in the same clock.
//!
//! Batch sweep: the engine reads row after row with `sweep.active`; when a row comes back that the sweep changes, the table keeps its new words
//! and raises `dirty`, until `write_back` puts them into the row that the engine names. Copies of a table do this each for itself; a damaged copy
//! stays as it is and matches nothing.

use super::compare::{Choose, Compare};
use super::engine::SweptRow;
use super::types::{Found, RowData, SweepMode};
use crate::axis::XorMatrix;
use crate::prelude::*;
use writ_abi::hash;

/// A table of 4 x 2^A rows with keys of `K` bits. `W` is `K + 8`, `N` is `W / 32` rounded up.
#[derive(LogicBlock)]
pub struct MatchTable<const K: usize, const W: usize, const N: usize, const A: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Look these keys up.
    pub look_up: Signal<In, Bits<2>>,
    /// With `look_up`.
    pub key: [Signal<In, Bits<K>>; 2],
    /// Three clocks after `look_up`: the frame's tick.
    pub tick: Signal<In, Bits<44>>,
    /// Three clocks after `look_up`: a batch was committed when the keys entered.
    pub committed: Signal<In, Bit>,
    /// Results, six clocks after `look_up`.
    pub found: [Signal<Out, Found>; 2],
    /// Read `row` at this clock. No keys enter.
    pub read: Signal<In, Bit>,
    /// Ways whose `row` to write at this clock. No keys enter.
    pub write_ways: Signal<In, Bits<4>>,
    /// With `write_ways`: and their keys.
    pub write_keys: Signal<In, Bit>,
    /// Write back what the sweep has changed at this clock, to `row`. No keys enter, and `write_word` is zero.
    pub write_back: Signal<In, Bit>,
    /// Which row.
    pub row: Signal<In, Bits<A>>,
    /// Key and parity to write.
    pub write_word: Signal<In, Bits<W>>,
    /// Row to write.
    pub write_row: Signal<In, RowData>,
    /// The batch sweep.
    pub sweep: Signal<In, SweepMode>,
    /// There is something to write back.
    pub dirty: Signal<Out, Bit>,
    /// The way to show.
    pub way: Signal<In, Bits<2>>,
    /// Four clocks after `read`: ways whose row is valid.
    pub row_valid: Signal<Out, Bits<4>>,
    /// Four clocks after `read`: ways whose row is damaged.
    pub row_damaged: Signal<Out, Bits<4>>,
    /// Four clocks after `read`: the row of `way`.
    pub shown_row: Signal<Out, RowData>,
    /// Four clocks after `read` and on: the key of `way`.
    pub shown_key: Signal<Out, Bits<K>>,
    hash_0: [XorMatrix<K, A>; 4],
    hash_1: [XorMatrix<K, A>; 4],
    row_0: [Reg<Bits<A>>; 4],
    row_1: [Reg<Bits<A>>; 4],
    entered_key: [Reg<Bits<K>>; 2],
    fetched_key: [Reg<Bits<K>>; 2],
    compared_key: [Reg<Bits<K>>; 2],
    entered: Reg<Bits<2>>,
    fetching: Reg<Bits<2>>,
    comparing: Reg<Bits<2>>,
    judging: Reg<Bits<2>>,
    choosing: Reg<Bits<2>>,
    read_fetching: Reg<Bit>,
    read_comparing: Reg<Bit>,
    read_judging: Reg<Bit>,
    read_back: Reg<Bit>,
    words: [Ram2p<Bits<W>, A>; 4],
    rows: [Ram2p<RowData, A>; 4],
    compare_0: [Compare<K, W, N>; 4],
    compare_1: [Compare<K, W, N>; 4],
    choose: [Choose; 2],
    back: [SweptRow; 4],
    shown: Reg<Bits<K>>,
    port_row: [Signal<Local, Bits<A>>; 4],
    writes_word: [Signal<Local, Bit>; 4],
    writes_row: [Signal<Local, Bit>; 4],
    read_bits: [Signal<Local, Bits<76>>; 4],
    shown_word: Signal<Local, Bits<W>>,
    read_0: Signal<Local, Bit>,
    fetch_0: Signal<Local, Bit>,
    compares_0: Signal<Local, Bit>,
    judge_0: Signal<Local, Bit>,
}

impl<const K: usize, const W: usize, const N: usize, const A: usize> MatchTable<K, W, N, A> {
    /// A table in memories of `style`.
    ///
    /// # Panics
    /// If the key is no whole number of bytes, or the widths do not fit together.
    pub fn new(style: RamStyle) -> Self {
        assert!(K.is_multiple_of(8) && W == K + 8 && N == W.div_ceil(32), "a table with K = {K}, W = {W}, N = {N}");
        Self {
            clock: Signal::default(),
            look_up: Signal::default(),
            key: Default::default(),
            tick: Signal::default(),
            committed: Signal::default(),
            found: Default::default(),
            read: Signal::default(),
            write_ways: Signal::default(),
            write_keys: Signal::default(),
            write_back: Signal::default(),
            row: Signal::default(),
            write_word: Signal::default(),
            write_row: Signal::default(),
            sweep: Signal::default(),
            dirty: Signal::default(),
            way: Signal::default(),
            row_valid: Signal::default(),
            row_damaged: Signal::default(),
            shown_row: Signal::default(),
            shown_key: Signal::default(),
            hash_0: core::array::from_fn(row_number::<K, A>),
            hash_1: core::array::from_fn(row_number::<K, A>),
            row_0: Default::default(),
            row_1: Default::default(),
            entered_key: Default::default(),
            fetched_key: Default::default(),
            compared_key: Default::default(),
            entered: Reg::default(),
            fetching: Reg::default(),
            comparing: Reg::default(),
            judging: Reg::default(),
            choosing: Reg::default(),
            read_fetching: Reg::default(),
            read_comparing: Reg::default(),
            read_judging: Reg::default(),
            read_back: Reg::default(),
            words: core::array::from_fn(|_| Ram2p::new(style)),
            rows: core::array::from_fn(|_| Ram2p::new(style)),
            compare_0: Default::default(),
            compare_1: Default::default(),
            choose: Default::default(),
            back: Default::default(),
            shown: Reg::default(),
            port_row: Default::default(),
            writes_word: Default::default(),
            writes_row: Default::default(),
            read_bits: Default::default(),
            shown_word: Signal::default(),
            read_0: Signal::default(),
            fetch_0: Signal::default(),
            compares_0: Signal::default(),
            judge_0: Signal::default(),
        }
    }
}

/// The row number of a key in way `way`, as a function of the key's bits.
fn row_number<const K: usize, const A: usize>(way: usize) -> XorMatrix<K, A> {
    XorMatrix::new(|bit| {
        let mut key = vec![0; K / 8];
        key[bit / 8] = 1 << (bit % 8);
        hash::rows(&key, 1 << A)[way].to_le_bytes().to_vec()
    })
}

impl<const K: usize, const W: usize, const N: usize, const A: usize> Logic for MatchTable<K, W, N, A> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, entered, fetching, comparing, judging, choosing, shown);
        dff_setup!(self, clock, read_fetching, read_comparing, read_judging, read_back);

        // The keys on their way to the comparison, and who uses which stage.
        self.entered.d.next = self.look_up.val();
        self.fetching.d.next = self.entered.q.val();
        self.comparing.d.next = self.fetching.q.val();
        self.judging.d.next = self.comparing.q.val();
        self.choosing.d.next = self.judging.q.val();
        self.read_fetching.d.next = self.read.val();
        self.read_comparing.d.next = self.read_fetching.q.val();
        self.read_judging.d.next = self.read_comparing.q.val();
        self.read_back.d.next = self.read_judging.q.val();
        self.read_0.next = self.entered.q.val().get_bit(0) | self.read.val();
        self.fetch_0.next = self.fetching.q.val().get_bit(0) | self.read_fetching.q.val();
        self.compares_0.next = self.comparing.q.val().get_bit(0) | self.read_comparing.q.val();
        self.judge_0.next = self.judging.q.val().get_bit(0) | self.read_judging.q.val();
        for port in 0..2 {
            self.entered_key[port].clock.next = self.clock.val();
            self.fetched_key[port].clock.next = self.clock.val();
            self.compared_key[port].clock.next = self.clock.val();
            self.entered_key[port].d.next = self.entered_key[port].q.val();
            self.fetched_key[port].d.next = self.fetched_key[port].q.val();
            self.compared_key[port].d.next = self.compared_key[port].q.val();
            if self.look_up.val().get_bit(port) {
                self.entered_key[port].d.next = self.key[port].val();
            }
            if self.entered.q.val().get_bit(port) {
                self.fetched_key[port].d.next = self.entered_key[port].q.val();
            }
            if self.fetching.q.val().get_bit(port) {
                self.compared_key[port].d.next = self.fetched_key[port].q.val();
            }
        }

        for i in 0..4 {
            self.hash_0[i].enable.next = self.look_up.val().get_bit(0);
            self.hash_0[i].operand.next = self.key[0].val();
            self.hash_1[i].enable.next = self.look_up.val().get_bit(1);
            self.hash_1[i].operand.next = self.key[1].val();
            self.row_0[i].clock.next = self.clock.val();
            self.row_1[i].clock.next = self.clock.val();
            self.row_0[i].d.next = self.row_0[i].q.val();
            self.row_1[i].d.next = self.row_1[i].q.val();
            if self.look_up.val().get_bit(0) {
                self.row_0[i].d.next = self.hash_0[i].result.val();
            }
            if self.look_up.val().get_bit(1) {
                self.row_1[i].d.next = self.hash_1[i].result.val();
            }

            // Memories.
            self.words[i].clock.next = self.clock.val();
            self.rows[i].clock.next = self.clock.val();
            self.writes_word[i].next = (self.write_ways.val().get_bit(i) & self.write_keys.val())
                | (self.write_back.val() & self.back[i].gone.val());
            self.writes_row[i].next =
                self.write_ways.val().get_bit(i) | (self.write_back.val() & self.back[i].dirty.val());
            self.words[i].enable_0.next = self.read_0.val() | self.writes_word[i].val();
            self.rows[i].enable_0.next = self.read_0.val() | self.writes_row[i].val();
            self.words[i].write_0.next = self.writes_word[i].val();
            self.rows[i].write_0.next = self.writes_row[i].val();
            self.port_row[i].next = self.row.val();
            if self.entered.q.val().get_bit(0) {
                self.port_row[i].next = self.row_0[i].q.val();
            }
            self.words[i].address_0.next = self.port_row[i].val();
            self.rows[i].address_0.next = self.port_row[i].val();
            self.words[i].enable_1.next = self.entered.q.val().get_bit(1);
            self.rows[i].enable_1.next = self.entered.q.val().get_bit(1);
            self.words[i].address_1.next = self.row_1[i].q.val();
            self.rows[i].address_1.next = self.row_1[i].q.val();
            self.words[i].write_data.next = self.write_word.val();
            self.rows[i].write_data.next = self.write_row.val();
            if self.write_back.val() {
                self.rows[i].write_data.next = self.back[i].row.val();
            }

            // Comparison.
            self.compare_0[i].clock.next = self.clock.val();
            self.compare_0[i].fetch.next = self.fetch_0.val();
            self.compare_0[i].word.next = self.words[i].read_data_0.val();
            self.compare_0[i].row.next = self.rows[i].read_data_0.val();
            self.compare_0[i].compare.next = self.compares_0.val();
            self.compare_0[i].key.next = self.compared_key[0].q.val();
            self.compare_0[i].tick.next = self.tick.val();
            self.compare_0[i].committed.next = self.committed.val();
            self.compare_0[i].judge.next = self.judge_0.val();
            self.choose[0].candidate[i].next = self.compare_0[i].candidate.val();
            self.compare_1[i].clock.next = self.clock.val();
            self.compare_1[i].fetch.next = self.fetching.q.val().get_bit(1);
            self.compare_1[i].word.next = self.words[i].read_data_1.val();
            self.compare_1[i].row.next = self.rows[i].read_data_1.val();
            self.compare_1[i].compare.next = self.comparing.q.val().get_bit(1);
            self.compare_1[i].key.next = self.compared_key[1].q.val();
            self.compare_1[i].tick.next = self.tick.val();
            self.compare_1[i].committed.next = self.committed.val();
            self.compare_1[i].judge.next = self.judging.q.val().get_bit(1);
            self.choose[1].candidate[i].next = self.compare_1[i].candidate.val();

            // Batch sweep.
            self.back[i].clock.next = self.clock.val();
            self.back[i].sweep.next = self.sweep.val();
            self.back[i].returned.next = self.read_back.q.val();
            self.back[i].candidate.next = self.compare_0[i].candidate.val();
            self.back[i].written.next = self.write_back.val();
        }
        for port in 0..2 {
            self.choose[port].clock.next = self.clock.val();
            self.choose[port].enable.next = self.choosing.q.val().get_bit(port);
            self.found[port].next = self.choose[port].found.val();
        }
        self.dirty.next =
            self.back[0].dirty.val() | self.back[1].dirty.val() | self.back[2].dirty.val() | self.back[3].dirty.val();

        // What the engine has read.
        for i in 0..4 {
            self.read_bits[i].next = self.compare_0[i].candidate.val().into();
        }
        self.row_valid.next = bits::<4>(0);
        self.row_damaged.next = bits::<4>(0);
        if self.read_back.q.val() {
            for i in 0..4 {
                self.row_valid.next = self.row_valid.val().replace_bit(i, self.read_bits[i].val().get_bit(4));
                self.row_damaged.next = self.row_damaged.val().replace_bit(i, self.read_bits[i].val().get_bit(2));
            }
        }
        self.shown_row.next = self.compare_0[0].candidate.val().row;
        self.shown_word.next = self.compare_0[0].fetched.val();
        if self.way.val() == bits::<2>(1) {
            self.shown_row.next = self.compare_0[1].candidate.val().row;
            self.shown_word.next = self.compare_0[1].fetched.val();
        } else if self.way.val() == bits::<2>(2) {
            self.shown_row.next = self.compare_0[2].candidate.val().row;
            self.shown_word.next = self.compare_0[2].fetched.val();
        } else if self.way.val() == bits::<2>(3) {
            self.shown_row.next = self.compare_0[3].candidate.val().row;
            self.shown_word.next = self.compare_0[3].fetched.val();
        }
        if self.read_comparing.q.val() {
            self.shown.d.next = self.shown_word.val().get_bits::<K>(8);
        }
        self.shown_key.next = self.shown.q.val();
    }
}
