//! Fields of the register bank by their names.
//!
//! # Theory of operation
//! Plain wiring. Where a field lies in the bank follows from its register's address in the ABI.

use super::bank::{BANK_BITS, bank_lsb};
use crate::prelude::*;
use writ_abi::limits;
use writ_abi::registers::{clock, control, lookup, rings, self_test};

const _: () = {
    assert!(control::ARMED.lsb == 0 && clock::QUALITY.lsb == 1 && clock::QUALITY.width == 2);
    assert!(clock::INCREMENT_NS_FIELD.lsb == 0 && clock::INCREMENT_NS_FIELD.width == 8);
    assert!(clock::SLEW_NS.lsb == 0 && clock::SLEW_NS.width == 24);
    assert!(clock::SLEW_INTERVAL.lsb == 0 && clock::SLEW_INTERVAL.width == 16);
    assert!(self_test::ENABLE_PORTS.lsb == 0 && self_test::ENABLE_PORTS.width == 2);
    assert!(self_test::TOKEN_HI_AT == self_test::TOKEN_LO_AT + 4);
    assert!(lookup::PREFIX_BITS.lsb == 0 && lookup::PREFIX_BITS.width == 8);
    assert!(lookup::OWN_TUNNELS.lsb == 0 && lookup::OWN_TUNNELS.width == 10 && limits::RECORD_RINGS == 4);
    assert!(rings::ENABLE_RECORDS.lsb == 0 && rings::ENABLE_COMMANDS.lsb == 4, "the kernel writes these as numbers");
    assert!(rings::INDEX_DELAY_CLOCKS.lsb == 0 && rings::INDEX_DELAY_CLOCKS.width == 16);
    assert!(clock::SET_HI_AT == clock::SET_LO_AT + 4 && rings::RECORD_BASE_HI_AT == rings::RECORD_BASE_LO_AT + 4);
    assert!(rings::RECORD_INDEX_HI_AT == rings::RECORD_INDEX_LO_AT + 4);
    assert!(rings::COMMAND_BASE_HI_AT == rings::COMMAND_BASE_LO_AT + 4);
    assert!(rings::COMPLETION_BASE_HI_AT == rings::COMPLETION_BASE_LO_AT + 4);
    assert!(rings::COMPLETION_INDEX_HI_AT == rings::COMPLETION_INDEX_LO_AT + 4);
};

/// Fields of the bank.
#[derive(LogicBlock)]
pub struct Fields {
    /// The bank.
    pub values: Signal<In, Bits<BANK_BITS>>,
    /// CONTROL.ARMED.
    pub armed: Signal<Out, Bit>,
    /// CLOCK.SET_LO, SET_HI.
    pub clock_set_ns: Signal<Out, Bits<64>>,
    /// CLOCK.SET.QUALITY.
    pub clock_quality: Signal<Out, Bits<2>>,
    /// CLOCK.INCREMENT_NS.
    pub increment_ns: Signal<Out, Bits<8>>,
    /// CLOCK.INCREMENT_FRACTION.
    pub increment_fraction: Signal<Out, Bits<32>>,
    /// CLOCK.SLEW.NS.
    pub slew_ns: Signal<Out, Bits<24>>,
    /// CLOCK.SLEW_INTERVAL.
    pub slew_interval: Signal<Out, Bits<16>>,
    /// SELF_TEST.ENABLE, one bit a port.
    pub self_test_ports: Signal<Out, Bits<2>>,
    /// SELF_TEST.PERIOD.
    pub self_test_period: Signal<Out, Bits<32>>,
    /// SELF_TEST.TOKEN_LO, TOKEN_HI.
    pub self_test_token: Signal<Out, Bits<64>>,
    /// LOOKUP.PREFIX.
    pub prefix_bits: Signal<Out, Bits<8>>,
    /// LOOKUP.OWN_TUNNELS.
    pub own_tunnels: Signal<Out, Bits<10>>,
    /// RINGS.ENABLE.RECORDS, one bit a ring.
    pub records_enable: Signal<Out, Bits<4>>,
    /// RINGS.RECORD_BASE of each ring.
    pub record_base: [Signal<Out, Bits<64>>; limits::RECORD_RINGS],
    /// RINGS.RECORD_LINES of each ring.
    pub record_lines: [Signal<Out, Bits<32>>; limits::RECORD_RINGS],
    /// RINGS.RECORD_INDEX of each ring.
    pub record_index: [Signal<Out, Bits<64>>; limits::RECORD_RINGS],
    /// RINGS.RECORD_CONSUMER of each ring.
    pub record_consumer: [Signal<Out, Bits<32>>; limits::RECORD_RINGS],
    /// RINGS.INDEX_DELAY.
    pub index_delay: Signal<Out, Bits<16>>,
    /// RINGS.ENABLE.COMMANDS.
    pub commands_enable: Signal<Out, Bit>,
    /// RINGS.COMMAND_BASE.
    pub command_base: Signal<Out, Bits<64>>,
    /// RINGS.COMMAND_COUNT.
    pub command_count: Signal<Out, Bits<32>>,
    /// RINGS.COMMAND_PRODUCER.
    pub command_producer: Signal<Out, Bits<32>>,
    /// RINGS.COMPLETION_BASE.
    pub completion_base: Signal<Out, Bits<64>>,
    /// RINGS.COMPLETION_COUNT.
    pub completion_count: Signal<Out, Bits<32>>,
    /// RINGS.COMPLETION_INDEX.
    pub completion_index: Signal<Out, Bits<64>>,
    control_bit: Constant<Bits<12>>,
    set_ns_bit: Constant<Bits<12>>,
    set_bit: Constant<Bits<12>>,
    increment_ns_bit: Constant<Bits<12>>,
    increment_fraction_bit: Constant<Bits<12>>,
    slew_bit: Constant<Bits<12>>,
    slew_interval_bit: Constant<Bits<12>>,
    self_test_ports_bit: Constant<Bits<12>>,
    self_test_period_bit: Constant<Bits<12>>,
    self_test_token_bit: Constant<Bits<12>>,
    prefix_bit: Constant<Bits<12>>,
    own_tunnels_bit: Constant<Bits<12>>,
    record_base_bit: [Constant<Bits<12>>; limits::RECORD_RINGS],
    record_lines_bit: [Constant<Bits<12>>; limits::RECORD_RINGS],
    record_index_bit: [Constant<Bits<12>>; limits::RECORD_RINGS],
    record_consumer_bit: [Constant<Bits<12>>; limits::RECORD_RINGS],
    index_delay_bit: Constant<Bits<12>>,
    command_base_bit: Constant<Bits<12>>,
    command_count_bit: Constant<Bits<12>>,
    command_producer_bit: Constant<Bits<12>>,
    completion_base_bit: Constant<Bits<12>>,
    completion_count_bit: Constant<Bits<12>>,
    completion_index_bit: Constant<Bits<12>>,
    enable_bit: Constant<Bits<12>>,
}

/// Lowest bit of the register at `address`, for a kernel.
fn place(address: u32) -> Constant<Bits<12>> {
    Constant::new((bank_lsb(address) as LiteralType).into())
}

/// The same for the registers of each record ring; `address` is that of ring 0.
fn places(address: u32) -> [Constant<Bits<12>>; limits::RECORD_RINGS] {
    core::array::from_fn(|ring| place(address + rings::RECORD_STRIDE * ring as u32))
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            values: Signal::default(),
            armed: Signal::default(),
            clock_set_ns: Signal::default(),
            clock_quality: Signal::default(),
            increment_ns: Signal::default(),
            increment_fraction: Signal::default(),
            slew_ns: Signal::default(),
            slew_interval: Signal::default(),
            self_test_ports: Signal::default(),
            self_test_period: Signal::default(),
            self_test_token: Signal::default(),
            prefix_bits: Signal::default(),
            own_tunnels: Signal::default(),
            records_enable: Signal::default(),
            record_base: Default::default(),
            record_lines: Default::default(),
            record_index: Default::default(),
            record_consumer: Default::default(),
            index_delay: Signal::default(),
            commands_enable: Signal::default(),
            command_base: Signal::default(),
            command_count: Signal::default(),
            command_producer: Signal::default(),
            completion_base: Signal::default(),
            completion_count: Signal::default(),
            completion_index: Signal::default(),
            control_bit: place(control::CONTROL_AT),
            set_ns_bit: place(clock::SET_LO_AT),
            set_bit: place(clock::SET_AT),
            increment_ns_bit: place(clock::INCREMENT_NS_AT),
            increment_fraction_bit: place(clock::INCREMENT_FRACTION_AT),
            slew_bit: place(clock::SLEW_AT),
            slew_interval_bit: place(clock::SLEW_INTERVAL_AT),
            self_test_ports_bit: place(self_test::ENABLE_AT),
            self_test_period_bit: place(self_test::PERIOD_AT),
            self_test_token_bit: place(self_test::TOKEN_LO_AT),
            prefix_bit: place(lookup::PREFIX_AT),
            own_tunnels_bit: place(lookup::OWN_TUNNELS_AT),
            record_base_bit: places(rings::RECORD_BASE_LO_AT),
            record_lines_bit: places(rings::RECORD_LINES_AT),
            record_index_bit: places(rings::RECORD_INDEX_LO_AT),
            record_consumer_bit: places(rings::RECORD_CONSUMER_AT),
            command_base_bit: place(rings::COMMAND_BASE_LO_AT),
            command_count_bit: place(rings::COMMAND_COUNT_AT),
            command_producer_bit: place(rings::COMMAND_PRODUCER_AT),
            completion_base_bit: place(rings::COMPLETION_BASE_LO_AT),
            index_delay_bit: place(rings::INDEX_DELAY_AT),
            completion_count_bit: place(rings::COMPLETION_COUNT_AT),
            completion_index_bit: place(rings::COMPLETION_INDEX_LO_AT),
            enable_bit: place(rings::ENABLE_AT),
        }
    }
}

impl Logic for Fields {
    #[hdl_gen]
    fn update(&mut self) {
        self.armed.next = self.values.val().get_bit(self.control_bit.val().index());
        self.clock_set_ns.next = self.values.val().get_bits::<64>(self.set_ns_bit.val().index());
        self.clock_quality.next = (self.values.val().get_bits::<32>(self.set_bit.val().index()) >> 1).get_bits::<2>(0);
        self.increment_ns.next = self.values.val().get_bits::<8>(self.increment_ns_bit.val().index());
        self.increment_fraction.next = self.values.val().get_bits::<32>(self.increment_fraction_bit.val().index());
        self.slew_ns.next = self.values.val().get_bits::<24>(self.slew_bit.val().index());
        self.slew_interval.next = self.values.val().get_bits::<16>(self.slew_interval_bit.val().index());
        self.self_test_ports.next = self.values.val().get_bits::<2>(self.self_test_ports_bit.val().index());
        self.self_test_period.next = self.values.val().get_bits::<32>(self.self_test_period_bit.val().index());
        self.self_test_token.next = self.values.val().get_bits::<64>(self.self_test_token_bit.val().index());
        self.prefix_bits.next = self.values.val().get_bits::<8>(self.prefix_bit.val().index());
        self.own_tunnels.next = self.values.val().get_bits::<10>(self.own_tunnels_bit.val().index());
        for i in 0..4 {
            self.record_base[i].next = self.values.val().get_bits::<64>(self.record_base_bit[i].val().index());
            self.record_lines[i].next = self.values.val().get_bits::<32>(self.record_lines_bit[i].val().index());
            self.record_index[i].next = self.values.val().get_bits::<64>(self.record_index_bit[i].val().index());
            self.record_consumer[i].next = self.values.val().get_bits::<32>(self.record_consumer_bit[i].val().index());
        }
        self.command_base.next = self.values.val().get_bits::<64>(self.command_base_bit.val().index());
        self.command_count.next = self.values.val().get_bits::<32>(self.command_count_bit.val().index());
        self.command_producer.next = self.values.val().get_bits::<32>(self.command_producer_bit.val().index());
        self.completion_base.next = self.values.val().get_bits::<64>(self.completion_base_bit.val().index());
        self.index_delay.next = self.values.val().get_bits::<16>(self.index_delay_bit.val().index());
        self.completion_count.next = self.values.val().get_bits::<32>(self.completion_count_bit.val().index());
        self.completion_index.next = self.values.val().get_bits::<64>(self.completion_index_bit.val().index());
        self.records_enable.next = self.values.val().get_bits::<4>(self.enable_bit.val().index());
        self.commands_enable.next = (self.values.val().get_bits::<32>(self.enable_bit.val().index()) >> 4).get_bit(0);
    }
}
