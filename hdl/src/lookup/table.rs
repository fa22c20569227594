//! One match table: four ways, two keys a clock.
//!
//! # Theory of operation
//! `enter` presents two keys with the row numbers that were computed from them. The memories answer one clock later, the comparison's
//! result stands one clock after that. A row is written in all read ports' copies in one clock. While nothing enters, `read` shows a row to the
//! table engine.
//!
//! # Limits
//! A clock serves either two keys or one access of the engine.

use super::matcher::{Choose, Compare};
use super::types::{Hit, RowData};
use crate::axis::XorMatrix;
use crate::prelude::*;
use writ_abi::hash;

/// A table of 4 x 2^A rows with keys of `K` bits.
#[derive(LogicBlock)]
pub struct MatchTable<const K: usize, const A: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Compute row numbers at this clock.
    pub hash_enable: Signal<In, Bit>,
    /// Keys whose row numbers are wanted.
    pub hash_key: [Signal<In, Bits<K>>; 2],
    /// Keys enter at this clock: those of the clock before.
    pub enter: Signal<In, Bit>,
    /// Compare at this clock, the one after `enter`.
    pub compare: Signal<In, Bit>,
    /// With `compare`: the keys.
    pub key: [Signal<In, Bits<K>>; 2],
    /// With `compare`: the frame's tick.
    pub tick: Signal<In, Bits<44>>,
    /// Hits of the two keys, one clock after `compare`.
    pub hit: [Signal<Out, Hit>; 2],
    /// Only expired rows have the key, one clock after `compare`.
    pub expired: [Signal<Out, Bit>; 2],
    /// Read `row` at this clock. Not together with `enter`.
    pub read: Signal<In, Bit>,
    /// Ways to write at this clock.
    pub write_ways: Signal<In, Bits<4>>,
    /// The row to read or write.
    pub row: Signal<In, Bits<A>>,
    /// The row's new key.
    pub write_key: Signal<In, Bits<K>>,
    /// The row's new content.
    pub write_data: Signal<In, RowData>,
    /// One clock after `read`: which way to show.
    pub read_way: Signal<In, Bits<2>>,
    /// Its key.
    pub read_key: Signal<Out, Bits<K>>,
    /// Its content.
    pub read_data: Signal<Out, RowData>,
    hash_0: [XorMatrix<K, A>; 4],
    hash_1: [XorMatrix<K, A>; 4],
    row_0: [Reg<Bits<A>>; 4],
    row_1: [Reg<Bits<A>>; 4],
    keys: [Ram2r1w<Bits<K>, A>; 4],
    data: [Ram2r1w<RowData, A>; 4],
    compare_0: [Compare<K>; 4],
    compare_1: [Compare<K>; 4],
    choose: [Choose; 2],
    compared: Reg<Bit>,
    any_read: Signal<Local, Bit>,
}

impl<const K: usize, const A: usize> MatchTable<K, A> {
    /// A table in memories of `style`.
    ///
    /// # Panics
    /// If the key is no whole number of bytes.
    pub fn new(style: RamStyle) -> Self {
        assert!(K.is_multiple_of(8), "a key is whole bytes, not {K} bits");
        Self {
            clock: Signal::default(),
            hash_enable: Signal::default(),
            hash_key: Default::default(),
            enter: Signal::default(),
            compare: Signal::default(),
            key: Default::default(),
            tick: Signal::default(),
            hit: Default::default(),
            expired: Default::default(),
            read: Signal::default(),
            write_ways: Signal::default(),
            row: Signal::default(),
            write_key: Signal::default(),
            write_data: Signal::default(),
            read_way: Signal::default(),
            read_key: Signal::default(),
            read_data: Signal::default(),
            hash_0: core::array::from_fn(row_number::<K, A>),
            hash_1: core::array::from_fn(row_number::<K, A>),
            row_0: Default::default(),
            row_1: Default::default(),
            keys: core::array::from_fn(|_| Ram2r1w::new(style)),
            data: core::array::from_fn(|_| Ram2r1w::new(style)),
            compare_0: Default::default(),
            compare_1: Default::default(),
            choose: Default::default(),
            compared: Reg::default(),
            any_read: Signal::default(),
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

impl<const K: usize, const A: usize> Logic for MatchTable<K, A> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, compared);
        self.compared.d.next = self.compare.val();
        self.any_read.next = self.enter.val() | self.read.val();
        for way in 0..4 {
            self.hash_0[way].enable.next = self.hash_enable.val();
            self.hash_0[way].operand.next = self.hash_key[0].val();
            self.hash_1[way].enable.next = self.hash_enable.val();
            self.hash_1[way].operand.next = self.hash_key[1].val();
            self.row_0[way].clock.next = self.clock.val();
            self.row_1[way].clock.next = self.clock.val();
            self.row_0[way].d.next = self.row_0[way].q.val();
            self.row_1[way].d.next = self.row_1[way].q.val();
            if self.hash_enable.val() {
                self.row_0[way].d.next = self.hash_0[way].result.val();
                self.row_1[way].d.next = self.hash_1[way].result.val();
            }

            self.keys[way].clock.next = self.clock.val();
            self.keys[way].write_enable.next = self.write_ways.val().get_bit(way);
            self.keys[way].write_address.next = self.row.val();
            self.keys[way].write_data.next = self.write_key.val();
            self.keys[way].read_enable_0.next = self.any_read.val();
            self.keys[way].read_address_0.next = self.row.val();
            self.keys[way].read_enable_1.next = self.enter.val();
            self.keys[way].read_address_1.next = self.row_1[way].q.val();
            self.data[way].clock.next = self.clock.val();
            self.data[way].write_enable.next = self.write_ways.val().get_bit(way);
            self.data[way].write_address.next = self.row.val();
            self.data[way].write_data.next = self.write_data.val();
            self.data[way].read_enable_0.next = self.any_read.val();
            self.data[way].read_address_0.next = self.row.val();
            self.data[way].read_enable_1.next = self.enter.val();
            self.data[way].read_address_1.next = self.row_1[way].q.val();
            if self.enter.val() {
                self.keys[way].read_address_0.next = self.row_0[way].q.val();
                self.data[way].read_address_0.next = self.row_0[way].q.val();
            }

            self.compare_0[way].clock.next = self.clock.val();
            self.compare_0[way].enable.next = self.compare.val();
            self.compare_0[way].key.next = self.key[0].val();
            self.compare_0[way].tick.next = self.tick.val();
            self.compare_0[way].row_key.next = self.keys[way].read_data_0.val();
            self.compare_0[way].row.next = self.data[way].read_data_0.val();
            self.choose[0].candidate[way].next = self.compare_0[way].candidate.val();
            self.compare_1[way].clock.next = self.clock.val();
            self.compare_1[way].enable.next = self.compare.val();
            self.compare_1[way].key.next = self.key[1].val();
            self.compare_1[way].tick.next = self.tick.val();
            self.compare_1[way].row_key.next = self.keys[way].read_data_1.val();
            self.compare_1[way].row.next = self.data[way].read_data_1.val();
            self.choose[1].candidate[way].next = self.compare_1[way].candidate.val();
        }
        for side in 0..2 {
            self.choose[side].enable.next = self.compared.q.val();
            self.hit[side].next = self.choose[side].hit.val();
            self.expired[side].next = self.choose[side].expired.val();
        }

        self.read_key.next = self.keys[0].read_data_0.val();
        self.read_data.next = self.data[0].read_data_0.val();
        if self.read_way.val() == bits::<2>(1) {
            self.read_key.next = self.keys[1].read_data_0.val();
            self.read_data.next = self.data[1].read_data_0.val();
        } else if self.read_way.val() == bits::<2>(2) {
            self.read_key.next = self.keys[2].read_data_0.val();
            self.read_data.next = self.data[2].read_data_0.val();
        } else if self.read_way.val() == bits::<2>(3) {
            self.read_key.next = self.keys[3].read_data_0.val();
            self.read_data.next = self.data[3].read_data_0.val();
        }
    }
}
