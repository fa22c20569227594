//! The seven tables: seventeen lookups a frame.
//!
//! # Theory of operation
//! Four lookups of the address and of the prefix table are two copies with two read ports each. A table in which no row was written since it was
//! last empty is not read at all: `used` says which are. All tables of a frame work in the same clocks ([`super::table`]).
//!
//! All but the two small tables lie in UltraRAM, of which the device has more than the card needs; block RAM is what runs short.

use super::keys::Keys;
use super::table::MatchTable;
use super::types::{Found, RowAccess, RowData, SweepMode};
use crate::parse::types::Parsed;
use crate::prelude::*;
use writ_abi::{Table, limits};

const _: () = {
    assert!(limits::ADDRESS_ROWS_PER_WAY == 1 << 13 && limits::PREFIX_ROWS_PER_WAY == 1 << 10);
    assert!(limits::ENDPOINT_ROWS_PER_WAY == 1 << 11 && limits::FIVE_TUPLE_ROWS_PER_WAY == 1 << 11);
    assert!(limits::TUNNEL_ROWS_PER_WAY == 1 << 11 && limits::MAC_ROWS_PER_WAY == 1 << 10);
    assert!(limits::VLAN_ROWS_PER_WAY == 1 << 8);
    assert!(Table::Address as u8 == 0 && Table::Prefix as u8 == 1 && Table::Endpoint as u8 == 2);
    assert!(Table::FiveTuple as u8 == 3 && Table::Tunnel as u8 == 4 && Table::Mac as u8 == 5);
    assert!(Table::Vlan as u8 == 6, "the kernel writes these as numbers");
};

/// All tables.
#[derive(LogicBlock)]
pub struct ExactLookup {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// The frame.
    pub parsed: Signal<In, Parsed>,
    /// Length of the prefixes.
    pub prefix_bits: Signal<In, Bits<8>>,
    /// Tables that may hold rows.
    pub used: Signal<In, Bits<7>>,
    /// Three clocks after `valid`: the frame's tick.
    pub tick: Signal<In, Bits<44>>,
    /// Three clocks after `valid`: whether a batch was committed when the keys entered.
    pub committed: Signal<In, Bit>,
    /// Results in the order of the lookups, six clocks after `valid`.
    pub found: [Signal<Out, Found>; 17],
    /// The packet's 5-tuple, for the rules.
    pub has_tuple: Signal<Out, Bit>,
    /// With `has_tuple`.
    pub tuple: Signal<Out, Bits<304>>,
    /// The engine's access.
    pub access: Signal<In, RowAccess>,
    /// Key to write.
    pub write_key: Signal<In, Bits<304>>,
    /// Its parity.
    pub write_parity: Signal<In, Bits<8>>,
    /// Row to write.
    pub write_row: Signal<In, RowData>,
    /// The batch sweep.
    pub sweep: Signal<In, SweepMode>,
    /// There is something to write back.
    pub dirty: Signal<Out, Bit>,
    /// See [`MatchTable`].
    pub row_valid: Signal<Out, Bits<4>>,
    /// See [`MatchTable`]; any copy.
    pub row_damaged: Signal<Out, Bits<4>>,
    /// See [`MatchTable`].
    pub shown_row: Signal<Out, RowData>,
    /// See [`MatchTable`].
    pub shown_key: Signal<Out, Bits<304>>,
    keys: Keys,
    addresses: [MatchTable<136, 144, 5, 13>; 2],
    prefixes: [MatchTable<136, 144, 5, 10>; 2],
    endpoints: MatchTable<160, 168, 6, 11>,
    tuples: MatchTable<304, 312, 10, 11>,
    tunnels: MatchTable<176, 184, 6, 11>,
    macs: MatchTable<48, 56, 2, 10>,
    vlans: MatchTable<40, 48, 2, 8>,
    ways: Signal<Local, Bits<4>>,
    chosen: Signal<Local, Bits<7>>,
    reads: Signal<Local, Bits<7>>,
    backs: Signal<Local, Bit>,
    write_ways: [Signal<Local, Bits<4>>; 7],
    write_word: Signal<Local, Bits<312>>,
    high_row: Signal<Local, Bits<13>>,
    write_keys: Signal<Local, Bit>,
}

impl Default for ExactLookup {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            valid: Signal::default(),
            parsed: Signal::default(),
            prefix_bits: Signal::default(),
            used: Signal::default(),
            tick: Signal::default(),
            committed: Signal::default(),
            found: Default::default(),
            has_tuple: Signal::default(),
            tuple: Signal::default(),
            access: Signal::default(),
            write_key: Signal::default(),
            write_parity: Signal::default(),
            write_row: Signal::default(),
            sweep: Signal::default(),
            dirty: Signal::default(),
            row_valid: Signal::default(),
            row_damaged: Signal::default(),
            shown_row: Signal::default(),
            shown_key: Signal::default(),
            keys: Keys::default(),
            addresses: core::array::from_fn(|_| MatchTable::new(RamStyle::Ultra)),
            prefixes: core::array::from_fn(|_| MatchTable::new(RamStyle::Ultra)),
            endpoints: MatchTable::new(RamStyle::Ultra),
            tuples: MatchTable::new(RamStyle::Ultra),
            tunnels: MatchTable::new(RamStyle::Ultra),
            macs: MatchTable::new(RamStyle::Block),
            vlans: MatchTable::new(RamStyle::Block),
            ways: Signal::default(),
            chosen: Signal::default(),
            reads: Signal::default(),
            backs: Signal::default(),
            write_ways: Default::default(),
            write_word: Signal::default(),
            high_row: Signal::default(),
            write_keys: Signal::default(),
        }
    }
}

impl Logic for ExactLookup {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, keys, endpoints, tuples, tunnels, macs, vlans);
        self.keys.valid.next = self.valid.val();
        self.keys.parsed.next = self.parsed.val();
        self.keys.prefix_bits.next = self.prefix_bits.val();
        self.has_tuple.next = self.keys.has_tuple.val();
        self.tuple.next = self.keys.tuples[0].val();
        for copy in 0..2 {
            self.addresses[copy].clock.next = self.clock.val();
            self.prefixes[copy].clock.next = self.clock.val();
            self.addresses[copy].look_up.next = bits::<2>(0);
            self.prefixes[copy].look_up.next = bits::<2>(0);
            if self.used.val().get_bit(0) & self.keys.has_addresses[copy].val() {
                self.addresses[copy].look_up.next = bits::<2>(3);
            }
            if self.used.val().get_bit(1) & self.keys.has_prefixes[copy].val() {
                self.prefixes[copy].look_up.next = bits::<2>(3);
            }
            for side in 0..2 {
                self.addresses[copy].key[side].next = self.keys.addresses[copy * 2 + side].val();
                self.prefixes[copy].key[side].next = self.keys.prefixes[copy * 2 + side].val();
                self.found[copy * 2 + side].next = self.addresses[copy].found[side].val();
                self.found[copy * 2 + side + 4].next = self.prefixes[copy].found[side].val();
            }
        }
        for side in 0..2 {
            self.endpoints.key[side].next = self.keys.endpoints[side].val();
            self.tuples.key[side].next = self.keys.tuples[side].val();
            self.tunnels.key[side].next = self.keys.tunnels[side].val();
            self.macs.key[side].next = self.keys.macs[side].val();
            self.vlans.key[side].next = self.keys.vlan.val();
            self.found[side + 8].next = self.endpoints.found[side].val();
            self.found[side + 10].next = self.tuples.found[side].val();
            self.found[side + 12].next = self.tunnels.found[side].val();
            self.found[side + 14].next = self.macs.found[side].val();
        }
        self.found[16].next = self.vlans.found[0].val();
        self.endpoints.look_up.next = bits::<2>(0);
        self.tuples.look_up.next = bits::<2>(0);
        self.tunnels.look_up.next = bits::<2>(0);
        self.macs.look_up.next = bits::<2>(0);
        self.vlans.look_up.next = bits::<2>(0);
        if self.used.val().get_bit(2) & self.keys.has_ports.val() {
            self.endpoints.look_up.next = bits::<2>(3);
        }
        if self.used.val().get_bit(3) & self.keys.has_ports.val() {
            self.tuples.look_up.next = bits::<2>(3);
        }
        if self.used.val().get_bit(4) {
            self.tunnels.look_up.next = bit_cast::<2, 1>(self.keys.has_tunnels[0].val().into())
                | (bit_cast::<2, 1>(self.keys.has_tunnels[1].val().into()) << 1);
        }
        if self.used.val().get_bit(5) & self.keys.has_mac.val() {
            self.macs.look_up.next = bits::<2>(3);
        }
        if self.used.val().get_bit(6) & self.keys.has_vlan.val() {
            self.vlans.look_up.next = bits::<2>(1);
        }

        // Which tables the engine's access is for. Small tables have no rows at the sweep's upper numbers.
        self.ways.next = bits::<4>(1) << self.access.val().way;
        self.chosen.next = bits::<7>(1) << self.access.val().table;
        self.high_row.next = self.access.val().row;
        self.reads.next = bits::<7>(0);
        if self.access.val().read & !self.access.val().rules {
            self.reads.next = self.chosen.val();
            if self.access.val().every {
                self.reads.next = bits::<7>(1);
                if !self.high_row.val().get_bits::<2>(11).any() {
                    self.reads.next = bits::<7>(0x1d);
                }
                if !self.high_row.val().get_bits::<3>(10).any() {
                    self.reads.next = bits::<7>(0x3f);
                }
                if !self.high_row.val().get_bits::<5>(8).any() {
                    self.reads.next = bits::<7>(0x7f);
                }
            }
        }
        for i in 0..7 {
            self.write_ways[i].next = bits::<4>(0);
            if self.access.val().erase {
                self.write_ways[i].next = bits::<4>(15);
            } else if self.access.val().write & !self.access.val().rules & self.chosen.val().get_bit(i) {
                self.write_ways[i].next = self.ways.val();
            }
        }
        self.write_keys.next = self.access.val().erase | self.access.val().write_key;
        self.backs.next = self.access.val().back & !self.access.val().rules;
        self.write_word.next =
            (bit_cast::<312, 304>(self.write_key.val()) << 8) | bit_cast::<312, 8>(self.write_parity.val());
        for copy in 0..2 {
            self.addresses[copy].tick.next = self.tick.val();
            self.addresses[copy].committed.next = self.committed.val();
            self.addresses[copy].read.next = self.reads.val().get_bit(0);
            self.addresses[copy].write_ways.next = self.write_ways[0].val();
            self.addresses[copy].write_keys.next = self.write_keys.val();
            self.addresses[copy].write_back.next = self.backs.val();
            self.addresses[copy].row.next = self.access.val().row;
            self.addresses[copy].write_word.next = self.write_word.val().get_bits::<144>(0);
            self.addresses[copy].write_row.next = self.write_row.val();
            self.addresses[copy].sweep.next = self.sweep.val();
            self.addresses[copy].way.next = self.access.val().way;
            self.prefixes[copy].tick.next = self.tick.val();
            self.prefixes[copy].committed.next = self.committed.val();
            self.prefixes[copy].read.next = self.reads.val().get_bit(1);
            self.prefixes[copy].write_ways.next = self.write_ways[1].val();
            self.prefixes[copy].write_keys.next = self.write_keys.val();
            self.prefixes[copy].write_back.next = self.backs.val();
            self.prefixes[copy].row.next = self.high_row.val().get_bits::<10>(0);
            self.prefixes[copy].write_word.next = self.write_word.val().get_bits::<144>(0);
            self.prefixes[copy].write_row.next = self.write_row.val();
            self.prefixes[copy].sweep.next = self.sweep.val();
            self.prefixes[copy].way.next = self.access.val().way;
        }
        self.endpoints.tick.next = self.tick.val();
        self.endpoints.committed.next = self.committed.val();
        self.endpoints.read.next = self.reads.val().get_bit(2);
        self.endpoints.write_ways.next = self.write_ways[2].val();
        self.endpoints.write_keys.next = self.write_keys.val();
        self.endpoints.write_back.next = self.backs.val();
        self.endpoints.row.next = self.high_row.val().get_bits::<11>(0);
        self.endpoints.write_word.next = self.write_word.val().get_bits::<168>(0);
        self.endpoints.write_row.next = self.write_row.val();
        self.endpoints.sweep.next = self.sweep.val();
        self.endpoints.way.next = self.access.val().way;
        self.tuples.tick.next = self.tick.val();
        self.tuples.committed.next = self.committed.val();
        self.tuples.read.next = self.reads.val().get_bit(3);
        self.tuples.write_ways.next = self.write_ways[3].val();
        self.tuples.write_keys.next = self.write_keys.val();
        self.tuples.write_back.next = self.backs.val();
        self.tuples.row.next = self.high_row.val().get_bits::<11>(0);
        self.tuples.write_word.next = self.write_word.val();
        self.tuples.write_row.next = self.write_row.val();
        self.tuples.sweep.next = self.sweep.val();
        self.tuples.way.next = self.access.val().way;
        self.tunnels.tick.next = self.tick.val();
        self.tunnels.committed.next = self.committed.val();
        self.tunnels.read.next = self.reads.val().get_bit(4);
        self.tunnels.write_ways.next = self.write_ways[4].val();
        self.tunnels.write_keys.next = self.write_keys.val();
        self.tunnels.write_back.next = self.backs.val();
        self.tunnels.row.next = self.high_row.val().get_bits::<11>(0);
        self.tunnels.write_word.next = self.write_word.val().get_bits::<184>(0);
        self.tunnels.write_row.next = self.write_row.val();
        self.tunnels.sweep.next = self.sweep.val();
        self.tunnels.way.next = self.access.val().way;
        self.macs.tick.next = self.tick.val();
        self.macs.committed.next = self.committed.val();
        self.macs.read.next = self.reads.val().get_bit(5);
        self.macs.write_ways.next = self.write_ways[5].val();
        self.macs.write_keys.next = self.write_keys.val();
        self.macs.write_back.next = self.backs.val();
        self.macs.row.next = self.high_row.val().get_bits::<10>(0);
        self.macs.write_word.next = self.write_word.val().get_bits::<56>(0);
        self.macs.write_row.next = self.write_row.val();
        self.macs.sweep.next = self.sweep.val();
        self.macs.way.next = self.access.val().way;
        self.vlans.tick.next = self.tick.val();
        self.vlans.committed.next = self.committed.val();
        self.vlans.read.next = self.reads.val().get_bit(6);
        self.vlans.write_ways.next = self.write_ways[6].val();
        self.vlans.write_keys.next = self.write_keys.val();
        self.vlans.write_back.next = self.backs.val();
        self.vlans.row.next = self.high_row.val().get_bits::<8>(0);
        self.vlans.write_word.next = self.write_word.val().get_bits::<48>(0);
        self.vlans.write_row.next = self.write_row.val();
        self.vlans.sweep.next = self.sweep.val();
        self.vlans.way.next = self.access.val().way;
        self.dirty.next = self.addresses[0].dirty.val()
            | self.addresses[1].dirty.val()
            | self.prefixes[0].dirty.val()
            | self.prefixes[1].dirty.val()
            | self.endpoints.dirty.val()
            | self.tuples.dirty.val()
            | self.tunnels.dirty.val()
            | self.macs.dirty.val()
            | self.vlans.dirty.val();

        // What was read.
        self.row_valid.next = self.addresses[0].row_valid.val();
        self.row_damaged.next = self.addresses[0].row_damaged.val() | self.addresses[1].row_damaged.val();
        self.shown_row.next = self.addresses[0].shown_row.val();
        self.shown_key.next = bit_cast::<304, 136>(self.addresses[0].shown_key.val());
        if self.chosen.val().get_bit(1) {
            self.row_valid.next = self.prefixes[0].row_valid.val();
            self.row_damaged.next = self.prefixes[0].row_damaged.val() | self.prefixes[1].row_damaged.val();
            self.shown_row.next = self.prefixes[0].shown_row.val();
            self.shown_key.next = bit_cast::<304, 136>(self.prefixes[0].shown_key.val());
        } else if self.chosen.val().get_bit(2) {
            self.row_valid.next = self.endpoints.row_valid.val();
            self.row_damaged.next = self.endpoints.row_damaged.val();
            self.shown_row.next = self.endpoints.shown_row.val();
            self.shown_key.next = bit_cast::<304, 160>(self.endpoints.shown_key.val());
        } else if self.chosen.val().get_bit(3) {
            self.row_valid.next = self.tuples.row_valid.val();
            self.row_damaged.next = self.tuples.row_damaged.val();
            self.shown_row.next = self.tuples.shown_row.val();
            self.shown_key.next = self.tuples.shown_key.val();
        } else if self.chosen.val().get_bit(4) {
            self.row_valid.next = self.tunnels.row_valid.val();
            self.row_damaged.next = self.tunnels.row_damaged.val();
            self.shown_row.next = self.tunnels.shown_row.val();
            self.shown_key.next = bit_cast::<304, 176>(self.tunnels.shown_key.val());
        } else if self.chosen.val().get_bit(5) {
            self.row_valid.next = self.macs.row_valid.val();
            self.row_damaged.next = self.macs.row_damaged.val();
            self.shown_row.next = self.macs.shown_row.val();
            self.shown_key.next = bit_cast::<304, 48>(self.macs.shown_key.val());
        } else if self.chosen.val().get_bit(6) {
            self.row_valid.next = self.vlans.row_valid.val();
            self.row_damaged.next = self.vlans.row_damaged.val();
            self.shown_row.next = self.vlans.shown_row.val();
            self.shown_key.next = bit_cast::<304, 40>(self.vlans.shown_key.val());
        }
    }
}
