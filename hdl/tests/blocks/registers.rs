//! The register file, walked through the ABI's tables.

use crate::bench::{Bench, Random, number, value};
use writ_abi::limits::RECORD_RINGS;
use writ_abi::registers::{
    Access, BAR_BYTES, BLOCKS, COUNTERS, Register, clock, control, counters, identity, lookup, rings, self_test,
};
use writ_hdl::axis::WIRE_COUNTS;
use writ_hdl::csr::{Counters, Registers};

struct Bus(Bench<Registers>);

impl Bus {
    fn new() -> Self {
        Self(Bench::new(Registers::default(), |block| &mut block.clock))
    }

    fn write(&mut self, address: u32, data: u32) {
        let block = &mut self.0.block;
        block.write_valid.next = true;
        block.write_address.next = number(u64::from(address));
        block.write_data.next = number(u64::from(data));
        self.0.tick();
        self.0.block.write_valid.next = false;
    }

    fn read(&mut self, address: u32) -> u32 {
        let block = &mut self.0.block;
        block.read_valid.next = true;
        block.read_address.next = number(u64::from(address));
        self.0.tick();
        self.0.block.read_valid.next = false;
        self.0.tick();
        self.0.tick();
        assert!(self.0.block.read_data_valid.val());
        value(self.0.block.read_data.val()) as u32
    }
}

fn all() -> impl Iterator<Item = (u32, &'static Register)> {
    BLOCKS.iter().flat_map(|block| block.registers.iter().map(|register| (block.offset + register.offset, register)))
}

/// Registers that show something alive, or act when written.
fn is_plain(address: u32) -> bool {
    ![control::CONTROL_AT, control::STATUS_AT, clock::NOW_LO_AT, clock::NOW_HI_AT].contains(&address)
        && ![clock::SLEW_LEFT_AT, clock::STATE_AT, self_test::SENT_A_AT, self_test::SENT_B_AT].contains(&address)
        && !(clock::PPS_COUNT_AT..=clock::PPS_HI_AT).contains(&address)
        && !(identity::BUILD_HASH_AT..identity::BUILD_HASH_AT + 32).contains(&address)
}

#[test]
fn every_register_resets_stores_and_protects_what_the_abi_says() {
    let mut bus = Bus::new();
    let mut random = Random(18);
    for (address, register) in all().filter(|(address, _)| is_plain(*address)) {
        let reset = register.fields.iter().fold(0, |all, field| all | field.place(field.reset));
        assert_eq!(bus.read(address), reset, "{} after reset", register.name);
        let writable = register.fields.iter().filter(|field| field.access == Access::ReadWrite);
        let mask = writable.fold(0, |all, field| all | field.mask());
        for _ in 0..3 {
            let data = random.next() as u32;
            bus.write(address, data);
            let read_only = register.fields.iter().filter(|field| field.access == Access::ReadOnly);
            let kept = read_only.fold(0, |all, field| all | field.place(field.reset));
            assert_eq!(bus.read(address), data & mask | kept, "{} after a write", register.name);
        }
    }
    // Nothing stands anywhere else, and a write there changes nothing.
    let before: Vec<u32> = all().map(|(address, _)| bus.read(address)).collect();
    let places: Vec<u32> = all().map(|(address, _)| address).collect();
    for address in (0..BAR_BYTES).filter(|address| !places.contains(address) && address % 5 == 0) {
        bus.write(address, u32::MAX);
        assert_eq!(bus.read(address), 0, "address {address:#x}");
    }
    assert_eq!(all().map(|(address, _)| bus.read(address)).collect::<Vec<_>>(), before);
}

#[test]
fn live_values_and_pulses() {
    let mut bus = Bus::new();
    bus.0.block.build_hash.next = (0..32_u64)
        .fold(Default::default(), |hash: rust_hdl::core::prelude::Bits<256>, byte| {
            hash | (number::<256>(byte + 1) << (byte * 8))
        });
    assert_eq!(bus.read(identity::BUILD_HASH_AT), 0x0403_0201);
    assert_eq!(bus.read(identity::BUILD_HASH_AT + 28), 0x201f_1e1d);
    bus.0.block.now_ns.next = number(0x1122_3344_5566_7788);
    assert_eq!(bus.read(clock::NOW_LO_AT), 0x5566_7788);
    bus.0.block.now_ns.next = number(0);
    assert_eq!(bus.read(clock::NOW_HI_AT), 0x1122_3344, "as latched by reading the low word");
    bus.0.block.tables_ready.next = true;
    assert_eq!(bus.read(control::STATUS_AT), 1);
    bus.0.block.records_idle.next = true;
    assert_eq!(bus.read(control::STATUS_AT), 3);
    bus.0.block.committed.next = true;
    assert_eq!(bus.read(control::STATUS_AT), 7);
    bus.0.block.snapshot_pending.next = true;
    assert_eq!(bus.read(control::STATUS_AT), 15);
    bus.write(clock::SET_AT, 1 | 2 << 1);
    bus.0.settle();
    assert!(!bus.0.block.clock_set.val());
    bus.0.tick();
    assert!(bus.0.block.clock_set.val() && value(bus.0.block.clock_quality.val()) == 2);
    bus.0.tick();
    assert!(!bus.0.block.clock_set.val());
    bus.0.block.counter.next = number(0x0123_4567_89ab_cdef);
    assert_eq!((bus.read(counters::OFFSET), bus.read(counters::OFFSET + 4)), (0x89ab_cdef, 0x0123_4567));
}

#[test]
fn the_clock_is_steered_and_shows_its_state() {
    let mut bus = Bus::new();
    bus.write(clock::SLEW_INTERVAL_AT, 0xffff_1234);
    bus.write(clock::SLEW_AT, 0x7fff_fffe);
    bus.0.tick();
    bus.0.tick();
    assert!(!bus.0.block.slew.val(), "START was not written");
    bus.write(clock::SLEW_AT, 0x80ff_fffd);
    bus.0.settle();
    assert!(!bus.0.block.slew.val());
    bus.0.tick();
    let block = &bus.0.block;
    assert!(block.slew.val());
    assert_eq!((value(block.slew_ns.val()), value(block.slew_interval.val())), (0xff_fffd, 0x1234));
    bus.0.tick();
    assert!(!bus.0.block.slew.val());
    assert_eq!((bus.read(clock::SLEW_AT), bus.read(clock::SLEW_INTERVAL_AT)), (0xff_fffd, 0x1234));

    let block = &mut bus.0.block;
    block.slew_left.next = number(0x80_0001);
    block.quality.next = number(2);
    block.pps_count.next = number(7);
    block.pps_ns.next = number(0x1122_3344_5566_7788);
    assert_eq!((bus.read(clock::SLEW_LEFT_AT), bus.read(clock::STATE_AT)), (0x80_0001, 2));
    assert_eq!(bus.read(clock::PPS_LO_AT), 0, "nothing was latched yet");
    assert_eq!(bus.read(clock::PPS_COUNT_AT), 7);
    bus.0.block.pps_ns.next = number(0);
    assert_eq!((bus.read(clock::PPS_LO_AT), bus.read(clock::PPS_HI_AT)), (0x5566_7788, 0x1122_3344));
    bus.0.block.refused.next = true;
    bus.0.block.quality.next = number(0);
    assert_eq!(bus.read(clock::STATE_AT), 4);
}

#[test]
fn the_cards_own_frames_have_registers() {
    let mut bus = Bus::new();
    assert_eq!(bus.read(self_test::PERIOD_AT), 322_265_624, "a second");
    bus.write(self_test::ENABLE_AT, 0xffff_fffe);
    bus.write(self_test::PERIOD_AT, 99);
    bus.write(self_test::TOKEN_LO_AT, 0x89ab_cdef);
    bus.write(self_test::TOKEN_HI_AT, 0x0123_4567);
    bus.0.tick();
    let block = &mut bus.0.block;
    assert_eq!((value(block.self_test_ports.val()), value(block.self_test_period.val())), (2, 99));
    assert_eq!(value(block.self_test_token.val()), 0x0123_4567_89ab_cdef);
    block.self_test_sent[0].next = number(3);
    block.self_test_sent[1].next = number(0xffff_ffff);
    assert_eq!((bus.read(self_test::SENT_A_AT), bus.read(self_test::SENT_B_AT)), (3, u32::MAX));
}

#[test]
fn damage_is_shown_and_not_behind_a_reset() {
    let mut bus = Bus::new();
    bus.0.block.damage.next = number(0x80f3_0042);
    bus.write(lookup::DAMAGE_AT, 0);
    let found = bus.read(lookup::DAMAGE_AT);
    let fields = [lookup::DAMAGE_ROW, lookup::DAMAGE_WAY, lookup::DAMAGE_TABLE, lookup::DAMAGE_SEEN];
    assert_eq!(fields.map(|field| field.extract(found)), [0x42, 3, 15, 1]);
    bus.write(control::CONTROL_AT, control::RESET.mask());
    assert_eq!(bus.read(lookup::DAMAGE_AT), 0, "whoever keeps it has not reacted yet");
}

#[test]
fn what_decides_matches_is_not_written_while_armed() {
    let mut bus = Bus::new();
    let both = |bus: &mut Bus| (bus.read(lookup::PREFIX_AT), bus.read(lookup::OWN_TUNNELS_AT));
    bus.write(lookup::PREFIX_AT, 0xffff_ff40);
    bus.write(lookup::OWN_TUNNELS_AT, 0xffff_f2aa);
    assert_eq!(both(&mut bus), (64, 0x2aa));
    // One clock behind the other: arming counts for the next write, disarming too.
    bus.write(control::CONTROL_AT, control::ARMED.mask());
    bus.write(lookup::PREFIX_AT, 48);
    bus.write(lookup::OWN_TUNNELS_AT, 0);
    bus.write(clock::SET_LO_AT, 5);
    assert_eq!((both(&mut bus), bus.read(clock::SET_LO_AT)), ((64, 0x2aa), 5));
    bus.write(control::CONTROL_AT, 0);
    bus.write(lookup::PREFIX_AT, 56);
    assert_eq!(both(&mut bus), (56, 0x2aa));
    assert_eq!((value(bus.0.block.prefix_bits.val()), value(bus.0.block.own_tunnels.val())), (56, 0x2aa));
}

#[test]
fn each_ring_has_registers_of_its_own() {
    let mut bus = Bus::new();
    let places = [
        rings::RECORD_BASE_LO_AT,
        rings::RECORD_BASE_HI_AT,
        rings::RECORD_LINES_AT,
        rings::RECORD_INDEX_LO_AT,
        rings::RECORD_INDEX_HI_AT,
        rings::RECORD_CONSUMER_AT,
    ];
    for ring in 0..RECORD_RINGS as u32 {
        for (n, at) in places.iter().enumerate() {
            bus.write(at + ring * rings::RECORD_STRIDE, 100 * (ring + 1) + n as u32);
        }
    }
    bus.write(rings::ENABLE_AT, 0b0_1010);
    bus.0.tick();
    let block = &bus.0.block;
    for ring in 0..RECORD_RINGS {
        let n = 100 * (ring as u64 + 1);
        assert_eq!(value(block.record_base[ring].val()), (n + 1) << 32 | n);
        assert_eq!(value(block.record_lines[ring].val()), n + 2);
        assert_eq!(value(block.record_index[ring].val()), (n + 4) << 32 | (n + 3));
        assert_eq!(value(block.record_consumer[ring].val()), n + 5);
    }
    assert_eq!((value(block.records_enable.val()), block.commands_enable.val()), (0b1010, false));
    bus.write(rings::ENABLE_AT, rings::ENABLE_COMMANDS.mask());
    bus.0.tick();
    assert_eq!((value(bus.0.block.records_enable.val()), bus.0.block.commands_enable.val()), (0, true));
}

#[test]
fn a_reset_restores_all_and_a_write_right_behind_it_stands() {
    let mut bus = Bus::new();
    bus.write(clock::SET_LO_AT, 99);
    bus.write(control::CONTROL_AT, control::ARMED.mask());
    assert_eq!(bus.read(control::CONTROL_AT), 1);
    bus.0.block.tables_ready.next = true;
    bus.write(control::CONTROL_AT, control::RESET.mask() | control::ARMED.mask());
    bus.write(clock::SET_HI_AT, 7);
    assert!(bus.0.block.copy_reset.val());
    assert_eq!(bus.read(clock::SET_HI_AT), 7);
    assert!(!bus.0.block.copy_reset.val());
    assert_eq!((bus.read(clock::SET_LO_AT), bus.read(control::CONTROL_AT)), (0, 0));
}

#[test]
fn status_shows_no_stale_readiness_behind_a_reset() {
    let mut bus = Bus::new();
    bus.0.block.tables_ready.next = true;
    bus.write(control::CONTROL_AT, control::RESET.mask());
    // The request follows the write by one clock; whoever resets has not reacted yet.
    assert_eq!(bus.read(control::STATUS_AT) & 1, 0);
}

/// Three clocks of events, and the wires' counts.
fn expected_count(name: &str) -> u64 {
    match name {
        "DROP_UNATTRIBUTED" | "VERDICTS_HIT" | "DROP_WINDOW_FIFO_A" | "SCRUB_ROUNDS" | "TAP_CUT_B" | "SELF_TEST_A" => 3,
        "DROP_WINDOW_FIFO" | "MULTI_HITS" => 6,
        "EXPIRED_HITS" => 9,
        "DAMAGED_READS" => 63,
        "DAMAGED_ROWS" => 15,
        "CLASS_L4_TRUNCATED" | "RECORDS_DUE" => 2,
        "CLASS_INNER_IP" => 1,
        "FRAMES_HIT" | "DROP_OVERSIZE" | "RECORDS" | "FLAGGED_HITS" | "FRAMES_LOOKED_UP_B" => 1,
        // Three enter, as many leave as FRAMES_LOOKED_UP_B and FRAMES_HIT with FLAGGED_HITS say.
        "IN_FLIGHT_B" => 2,
        "IN_FLIGHT_HITS" => 1,
        "DROP_WIRE_ERROR" => 0x4_0000_0014,
        "FRAMES_IN_A" => 0x1_ffff_fff0,
        "BYTES_IN_A" => 0x1_ffff_fff1,
        "FRAMES_OUT_B" => 0x1_ffff_fff3,
        "DROP_TAP_FIFO_A" => 0x1_ffff_fff4,
        "MAC_OVERFLOW_B" => 0x1_ffff_fff5,
        "MAC_UNDERFLOW_B" => 0x1_ffff_fff6,
        "FRAMES_IN_B" => 0x2_0000_0020,
        "BYTES_IN_B" => 0x2_0000_0021,
        "FRAMES_OUT_A" => 0x2_0000_0023,
        "DROP_TAP_FIFO_B" => 0x2_0000_0024,
        "MAC_OVERFLOW_A" => 0x2_0000_0025,
        "MAC_UNDERFLOW_A" => 0x2_0000_0026,
        _ => 0,
    }
}

#[test]
fn counters_count_and_are_copied_together() {
    let mut bench = Bench::new(Counters::default(), |block| &mut block.clock);
    let read = |bench: &mut Bench<Counters>, n: usize| {
        bench.block.read.next = true;
        bench.block.number.next = number(n as u64);
        bench.tick();
        value(bench.block.shown.val())
    };
    let block = &mut bench.block;
    block.tap_cut[1].next = true;
    block.self_test[0].next = true;
    block.done.next = true;
    block.hit.next = true;
    block.window_kept[1].next = true;
    block.looked_up.next = true;
    block.looked_up_port.next = true;
    block.class.next = number(8);
    block.expired.next = number(3);
    block.multiple.next = number(2);
    block.damaged_reads.next = number(21);
    block.damaged_rows.next = number(5);
    block.scrub_round.next = true;
    block.window_dropped[0].next = true;
    block.window_dropped[1].next = true;
    block.unattributed.next = true;
    block.outcome.next = true;
    block.outcome_first.next = true;
    block.outcome_cause.next = number(2);
    bench.tick();
    bench.block.outcome_first.next = false;
    bench.block.outcome_cause.next = number(7);
    bench.block.looked_up.next = false;
    bench.tick();
    // The last class.
    bench.block.class.next = number(15);
    bench.block.outcome.next = false;
    bench.block.flagged.next = true;
    bench.tick();
    // What a counter is told counts one clock later.
    let block = &mut bench.block;
    for signal in [&mut block.done, &mut block.scrub_round, &mut block.unattributed] {
        signal.next = false;
    }
    for signal in [&mut block.tap_cut[1], &mut block.self_test[0], &mut block.flagged, &mut block.window_kept[1]] {
        signal.next = false;
    }
    block.window_dropped.iter_mut().for_each(|signal| signal.next = false);
    for signal in [&mut block.expired, &mut block.multiple, &mut block.damaged_reads] {
        signal.next = number(0);
    }
    block.damaged_rows.next = number(0);
    bench.tick();
    assert!((0..COUNTERS.len()).all(|n| read(&mut bench, n) == 0), "not before the snapshot");
    // Counts of the wires come as they are; flagged frames of both are one counter.
    for index in 0..WIRE_COUNTS {
        bench.block.wire_a[index].next = number(0x1_ffff_fff0 + index as u64);
        bench.block.wire_b[index].next = number(0x2_0000_0020 + index as u64);
    }
    (0..3).for_each(|_| bench.tick());
    bench.block.snapshot.next = true;
    bench.tick();
    for (n, (_, name, _)) in COUNTERS.iter().enumerate() {
        assert_eq!(read(&mut bench, n), expected_count(name), "{name}");
    }
    assert_eq!(read(&mut bench, COUNTERS.len()), 0);
}
