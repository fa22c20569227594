//! The bus's view of the card.
//!
//! # Theory of operation
//! See [`crate::csr`]. CONTROL.RESET acts in two steps: the bank takes its reset values in the clock of the write, everything else in the clock after
//! it (`copy_reset`). A write that follows the reset by one clock therefore stands, and STATUS shows no stale `TABLES_READY` in between.
//!
//! An answer takes three clocks: the request, the registers and the counters' choice, the sum of both. What the rest of the card says about itself is
//! one clock old, but for a reset, behind which nothing old is shown.
//!
//! What decides what a row matches or shows (PREFIX, OWN_TUNNELS) cannot be written while ARMED is set, so that no frame is looked up half by the old
//! and half by the new value.

use super::bank::RegisterBank;
use super::fields::Fields;
use crate::prelude::*;
use writ_abi::limits;
use writ_abi::registers::{clock, control, counters, identity, lookup, self_test};

const _: () = {
    assert!(control::RESET.lsb == 1 && control::SNAPSHOT.lsb == 2 && clock::APPLY.lsb == 0);
    assert!(
        control::TABLES_READY.lsb == 0 && control::RECORDS_IDLE.lsb == 1 && control::COMMITTED.lsb == 2,
        "the kernel writes these as numbers"
    );
    assert!(control::SNAPSHOT_PENDING.lsb == 3 && clock::SLEW_START.lsb == 31);
    assert!(clock::SLEW_LEFT_NS.lsb == 0 && clock::STATE_QUALITY.lsb == 0 && clock::STATE_REFUSED.lsb == 2);
    assert!(counters::OFFSET == 0x400 && identity::BUILD_HASH_WORDS == 8);
};

/// Registers, counters and their bus.
#[derive(LogicBlock)]
pub struct Registers {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the card.
    pub reset: Signal<In, Bit>,
    /// BLAKE3 of the emitted Verilog.
    pub build_hash: Signal<In, Bits<256>>,
    /// Write a register.
    pub write_valid: Signal<In, Bit>,
    /// Where.
    pub write_address: Signal<In, Bits<12>>,
    /// What.
    pub write_data: Signal<In, Bits<32>>,
    /// Read a register.
    pub read_valid: Signal<In, Bit>,
    /// Where.
    pub read_address: Signal<In, Bits<12>>,
    /// The answer.
    pub read_data_valid: Signal<Out, Bit>,
    /// What stands there.
    pub read_data: Signal<Out, Bits<32>>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// CLOCK.STATE.QUALITY.
    pub quality: Signal<In, Bits<2>>,
    /// CLOCK.STATE.REFUSED.
    pub refused: Signal<In, Bit>,
    /// CLOCK.SLEW_LEFT.
    pub slew_left: Signal<In, Bits<24>>,
    /// CLOCK.PPS_COUNT.
    pub pps_count: Signal<In, Bits<32>>,
    /// CLOCK.PPS_LO, PPS_HI, before they are latched.
    pub pps_ns: Signal<In, Bits<64>>,
    /// SELF_TEST.SENT of each port.
    pub self_test_sent: [Signal<In, Bits<32>>; 2],
    /// STATUS.SNAPSHOT_PENDING.
    pub snapshot_pending: Signal<In, Bit>,
    /// STATUS.TABLES_READY.
    pub tables_ready: Signal<In, Bit>,
    /// STATUS.RECORDS_IDLE.
    pub records_idle: Signal<In, Bit>,
    /// STATUS.COMMITTED.
    pub committed: Signal<In, Bit>,
    /// LOOKUP.DAMAGE.
    pub damage: Signal<In, Bits<32>>,
    /// Reset of the copy side.
    pub copy_reset: Signal<Out, Bit>,
    /// CONTROL.ARMED.
    pub armed: Signal<Out, Bit>,
    /// CLOCK.SET.APPLY.
    pub clock_set: Signal<Out, Bit>,
    /// CLOCK.SET_LO, SET_HI.
    pub clock_set_ns: Signal<Out, Bits<64>>,
    /// CLOCK.SET.QUALITY.
    pub clock_quality: Signal<Out, Bits<2>>,
    /// CLOCK.INCREMENT_NS.
    pub increment_ns: Signal<Out, Bits<8>>,
    /// CLOCK.INCREMENT_FRACTION.
    pub increment_fraction: Signal<Out, Bits<32>>,
    /// CLOCK.SLEW.START.
    pub slew: Signal<Out, Bit>,
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
    /// Copy all counters.
    pub snapshot: Signal<Out, Bit>,
    /// Show a counter.
    pub counter_read: Signal<Out, Bit>,
    /// Which.
    pub counter_number: Signal<Out, Bits<6>>,
    /// Its copy, one clock later.
    pub counter: Signal<In, Bits<64>>,
    bank: RegisterBank,
    fields: Fields,
    writing: RegR<Bit>,
    written_address: Reg<Bits<12>>,
    written_data: Reg<Bits<32>>,
    reading: RegR<Bit>,
    asked_address: Reg<Bits<12>>,
    collecting: RegR<Bit>,
    stored: Reg<Bits<32>>,
    live: Reg<Bits<32>>,
    low_half: Reg<Bit>,
    high_half: Reg<Bit>,
    answering: RegR<Bit>,
    answer: Reg<Bits<32>>,
    status: RegR<Bits<32>>,
    seen_damage: RegR<Bits<32>>,
    now_high: RegR<Bits<32>>,
    pps_latched: RegR<Bits<64>>,
    restart: Reg<Bit>,
    set: RegR<Bit>,
    slews: RegR<Bit>,
    control_at: Constant<Bits<12>>,
    status_at: Constant<Bits<12>>,
    set_at: Constant<Bits<12>>,
    slew_at: Constant<Bits<12>>,
    slew_left_at: Constant<Bits<12>>,
    pps_count_at: Constant<Bits<12>>,
    pps_low_at: Constant<Bits<12>>,
    pps_high_at: Constant<Bits<12>>,
    state_at: Constant<Bits<12>>,
    sent_at: [Constant<Bits<12>>; 2],
    prefix_at: Constant<Bits<12>>,
    own_tunnels_at: Constant<Bits<12>>,
    damage_at: Constant<Bits<12>>,
    now_low_at: Constant<Bits<12>>,
    now_high_at: Constant<Bits<12>>,
    hash_at: [Constant<Bits<12>>; 8],
    at_control: Signal<Local, Bit>,
    restarts: Signal<Local, Bit>,
    locked: Signal<Local, Bit>,
    in_counters: Signal<Local, Bit>,
    aligned: Signal<Local, Bit>,
    value: Signal<Local, Bits<32>>,
    half: Signal<Local, Bits<32>>,
}

fn constant(value: usize) -> Constant<Bits<12>> {
    Constant::new((value as LiteralType).into())
}

impl Default for Registers {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            build_hash: Signal::default(),
            write_valid: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_valid: Signal::default(),
            read_address: Signal::default(),
            read_data_valid: Signal::default(),
            read_data: Signal::default(),
            now_ns: Signal::default(),
            quality: Signal::default(),
            refused: Signal::default(),
            slew_left: Signal::default(),
            pps_count: Signal::default(),
            pps_ns: Signal::default(),
            self_test_sent: Default::default(),
            snapshot_pending: Signal::default(),
            tables_ready: Signal::default(),
            records_idle: Signal::default(),
            committed: Signal::default(),
            damage: Signal::default(),
            copy_reset: Signal::default(),
            armed: Signal::default(),
            clock_set: Signal::default(),
            clock_set_ns: Signal::default(),
            clock_quality: Signal::default(),
            increment_ns: Signal::default(),
            increment_fraction: Signal::default(),
            slew: Signal::default(),
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
            snapshot: Signal::default(),
            counter_read: Signal::default(),
            counter_number: Signal::default(),
            counter: Signal::default(),
            bank: RegisterBank::default(),
            fields: Fields::default(),
            writing: RegR::default(),
            written_address: Reg::default(),
            written_data: Reg::default(),
            reading: RegR::default(),
            asked_address: Reg::default(),
            collecting: RegR::default(),
            stored: Reg::default(),
            live: Reg::default(),
            low_half: Reg::default(),
            high_half: Reg::default(),
            answering: RegR::default(),
            answer: Reg::default(),
            status: RegR::default(),
            seen_damage: RegR::default(),
            now_high: RegR::default(),
            pps_latched: RegR::default(),
            restart: Reg::default(),
            set: RegR::default(),
            slews: RegR::default(),
            control_at: constant(control::CONTROL_AT as usize),
            status_at: constant(control::STATUS_AT as usize),
            set_at: constant(clock::SET_AT as usize),
            slew_at: constant(clock::SLEW_AT as usize),
            slew_left_at: constant(clock::SLEW_LEFT_AT as usize),
            pps_count_at: constant(clock::PPS_COUNT_AT as usize),
            pps_low_at: constant(clock::PPS_LO_AT as usize),
            pps_high_at: constant(clock::PPS_HI_AT as usize),
            state_at: constant(clock::STATE_AT as usize),
            sent_at: [self_test::SENT_A_AT, self_test::SENT_B_AT].map(|at| constant(at as usize)),
            prefix_at: constant(lookup::PREFIX_AT as usize),
            own_tunnels_at: constant(lookup::OWN_TUNNELS_AT as usize),
            damage_at: constant(lookup::DAMAGE_AT as usize),
            now_low_at: constant(clock::NOW_LO_AT as usize),
            now_high_at: constant(clock::NOW_HI_AT as usize),
            hash_at: core::array::from_fn(|word| constant(identity::BUILD_HASH_AT as usize + 4 * word)),
            at_control: Signal::default(),
            restarts: Signal::default(),
            locked: Signal::default(),
            in_counters: Signal::default(),
            aligned: Signal::default(),
            value: Signal::default(),
            half: Signal::default(),
        }
    }
}

impl Logic for Registers {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, writing, written_address, written_data, reading, asked_address, answering, answer);
        dff_setup!(
            self,
            clock,
            now_high,
            pps_latched,
            restart,
            set,
            slews,
            collecting,
            stored,
            live,
            low_half,
            high_half
        );
        dff_setup!(self, clock, status, seen_damage);
        clock!(self, clock, bank);
        self.writing.reset.next = self.reset.val();
        self.reading.reset.next = self.reset.val();
        self.collecting.reset.next = self.reset.val();
        self.answering.reset.next = self.reset.val();
        self.status.reset.next = self.copy_reset.val();
        self.seen_damage.reset.next = self.copy_reset.val();
        self.now_high.reset.next = self.reset.val();
        self.pps_latched.reset.next = self.reset.val();
        self.set.reset.next = self.reset.val();
        self.slews.reset.next = self.reset.val();

        // First clock: the request.
        self.writing.d.next = self.write_valid.val();
        if self.write_valid.val() {
            self.written_address.d.next = self.write_address.val();
            self.written_data.d.next = self.write_data.val();
        }
        self.reading.d.next = self.read_valid.val();
        if self.read_valid.val() {
            self.asked_address.d.next = self.read_address.val();
        }

        // Second clock: writes.
        self.at_control.next = self.writing.q.val() & (self.written_address.q.val() == self.control_at.val());
        self.restarts.next = self.at_control.val() & self.written_data.q.val().get_bit(1);
        self.bank.reset.next = self.reset.val() | self.restarts.val();
        self.locked.next = self.fields.armed.val()
            & ((self.written_address.q.val() == self.prefix_at.val())
                | (self.written_address.q.val() == self.own_tunnels_at.val()));
        self.bank.write.next = self.writing.q.val() & !self.locked.val();
        self.bank.write_address.next = self.written_address.q.val();
        self.bank.write_data.next = self.written_data.q.val();
        self.restart.d.next = self.restarts.val();
        self.copy_reset.next = self.reset.val() | self.restart.q.val();
        self.snapshot.next = self.at_control.val() & self.written_data.q.val().get_bit(2);
        self.set.d.next = self.writing.q.val()
            & (self.written_address.q.val() == self.set_at.val())
            & self.written_data.q.val().get_bit(0);
        self.clock_set.next = self.set.q.val();
        self.slews.d.next = self.writing.q.val()
            & (self.written_address.q.val() == self.slew_at.val())
            & self.written_data.q.val().get_bit(31);
        self.slew.next = self.slews.q.val();

        // Second clock: reads. No register is both stored and alive, so that the two only have to be put together.
        self.status.d.next = bit_cast::<32, 1>(self.tables_ready.val().into())
            | (bit_cast::<32, 1>(self.records_idle.val().into()) << 1)
            | (bit_cast::<32, 1>(self.committed.val().into()) << 2);
        self.seen_damage.d.next = self.damage.val();
        self.aligned.next = self.reading.q.val() & !self.asked_address.q.val().get_bits::<2>(0).any();
        self.bank.read.next = self.aligned.val();
        self.bank.read_address.next = self.asked_address.q.val();
        self.in_counters.next = self.aligned.val() & (self.asked_address.q.val().get_bits::<2>(10) == bits::<2>(1));
        self.counter_read.next = self.in_counters.val() & !self.asked_address.q.val().get_bit(9);
        self.counter_number.next = self.asked_address.q.val().get_bits::<6>(3);
        self.value.next = bits::<32>(0);
        if self.aligned.val() {
            if (self.asked_address.q.val() == self.status_at.val()) & !self.copy_reset.val() {
                // That counters are on their way must show to a read right behind the write that asked for them.
                self.value.next = self.status.q.val() | (bit_cast::<32, 1>(self.snapshot_pending.val().into()) << 3);
            }
            if (self.asked_address.q.val() == self.damage_at.val()) & !self.copy_reset.val() {
                self.value.next = self.seen_damage.q.val();
            }
            if self.asked_address.q.val() == self.now_low_at.val() {
                self.value.next = self.now_ns.val().get_bits::<32>(0);
                self.now_high.d.next = self.now_ns.val().get_bits::<32>(32);
            }
            if self.asked_address.q.val() == self.now_high_at.val() {
                self.value.next = self.now_high.q.val();
            }
            if self.asked_address.q.val() == self.slew_left_at.val() {
                self.value.next = bit_cast::<32, 24>(self.slew_left.val());
            }
            if self.asked_address.q.val() == self.pps_count_at.val() {
                self.value.next = self.pps_count.val();
                self.pps_latched.d.next = self.pps_ns.val();
            }
            if self.asked_address.q.val() == self.pps_low_at.val() {
                self.value.next = self.pps_latched.q.val().get_bits::<32>(0);
            }
            if self.asked_address.q.val() == self.pps_high_at.val() {
                self.value.next = self.pps_latched.q.val().get_bits::<32>(32);
            }
            if self.asked_address.q.val() == self.state_at.val() {
                self.value.next =
                    bit_cast::<32, 2>(self.quality.val()) | (bit_cast::<32, 1>(self.refused.val().into()) << 2);
            }
            for port in 0..2 {
                if self.asked_address.q.val() == self.sent_at[port].val() {
                    self.value.next = self.self_test_sent[port].val();
                }
            }
            for word in 0..8 {
                if self.asked_address.q.val() == self.hash_at[word].val() {
                    self.value.next = self.build_hash.val().get_bits::<32>(word * 32);
                }
            }
        }
        self.collecting.d.next = self.reading.q.val();
        if self.reading.q.val() {
            self.stored.d.next = self.bank.read_data.val();
            self.live.d.next = self.value.val();
            self.low_half.d.next = self.counter_read.val() & !self.asked_address.q.val().get_bit(2);
            self.high_half.d.next = self.counter_read.val() & self.asked_address.q.val().get_bit(2);
        }

        // Third clock: the counter.
        self.half.next = bits::<32>(0);
        if self.low_half.q.val() {
            self.half.next = self.counter.val().get_bits::<32>(0);
        }
        if self.high_half.q.val() {
            self.half.next = self.counter.val().get_bits::<32>(32);
        }
        if self.collecting.q.val() {
            self.answer.d.next = self.stored.q.val() | self.live.q.val() | self.half.val();
        }
        self.answering.d.next = self.collecting.q.val();
        self.read_data_valid.next = self.answering.q.val();
        self.read_data.next = self.answer.q.val();

        // Fields.
        self.fields.values.next = self.bank.values.val();
        self.armed.next = self.fields.armed.val();
        self.clock_set_ns.next = self.fields.clock_set_ns.val();
        self.clock_quality.next = self.fields.clock_quality.val();
        self.increment_ns.next = self.fields.increment_ns.val();
        self.increment_fraction.next = self.fields.increment_fraction.val();
        self.records_enable.next = self.fields.records_enable.val();
        self.slew_ns.next = self.fields.slew_ns.val();
        self.slew_interval.next = self.fields.slew_interval.val();
        self.self_test_ports.next = self.fields.self_test_ports.val();
        self.self_test_period.next = self.fields.self_test_period.val();
        self.self_test_token.next = self.fields.self_test_token.val();
        self.prefix_bits.next = self.fields.prefix_bits.val();
        self.own_tunnels.next = self.fields.own_tunnels.val();
        for i in 0..4 {
            self.record_base[i].next = self.fields.record_base[i].val();
            self.record_lines[i].next = self.fields.record_lines[i].val();
            self.record_index[i].next = self.fields.record_index[i].val();
            self.record_consumer[i].next = self.fields.record_consumer[i].val();
        }
        self.index_delay.next = self.fields.index_delay.val();
        self.commands_enable.next = self.fields.commands_enable.val();
        self.command_base.next = self.fields.command_base.val();
        self.command_count.next = self.fields.command_count.val();
        self.command_producer.next = self.fields.command_producer.val();
        self.completion_base.next = self.fields.completion_base.val();
        self.completion_count.next = self.fields.completion_count.val();
        self.completion_index.next = self.fields.completion_index.val();
    }
}
