//! Rows, commands and the card's clock.

use crate::common::frames::udp;
use crate::common::{
    Bench, EPOCH_NS, Got, MakeCard, TIMEOUT, Wild, address_row, address_row_until, clear_of, endpoint_row, read_of,
};
use crate::{OTHER, TARGET, TARGET6, armed, hits, packet_bytes};
use writ_abi::command::{Command, Opcode, Status};
use writ_abi::limits;
use writ_abi::registers::{Counter, clock, control};
use writ_abi::time::{self, NOT_AFTER_SHIFT, TimeQuality};
use writ_abi::{PortSide, Scope, Table};
use writ_driver::{Bar, CardError, CommandError, RingSizes, register_walk};
use zerocopy::little_endian::U32;

pub(crate) fn comes_up(make: MakeCard) {
    let bench = Bench::new(make);
    let identity = bench.parts.card.identity();
    assert_eq!(identity.abi_major, writ_abi::ABI_MAJOR);
    for table in Table::ALL {
        assert_eq!(identity.rows_per_way(table), table.rows_per_way());
    }
    assert_eq!(identity.rules_per_bank, limits::RULES_PER_BANK);
    assert_eq!(bench.parts.rings.len(), limits::RECORD_RINGS);
    let status = bench.parts.card.status().expect("status");
    assert!(status.tables_ready && status.records_idle && !status.armed && !status.committed);
    let now = bench.parts.card.now_ns().expect("now");
    assert!((EPOCH_NS..EPOCH_NS + 10_000_000).contains(&now), "{now}");
    assert_eq!(bench.parts.card.time_quality(), Ok(TimeQuality::Free));
    let before = bench.parts.card.now_ns().expect("now");
    bench.run(165_000);
    let passed = bench.parts.card.now_ns().expect("now") - before;
    assert!((512_000..513_000).contains(&passed), "165000 clocks are 512000 ns, not {passed}");
}

pub(crate) fn registers_keep_to_the_abi(make: MakeCard) {
    let bench = Bench::new(make);
    bench.shared.write32(control::CONTROL_AT, control::RESET.mask());
    bench.run(200_000);
    assert_eq!(register_walk(&bench.shared), []);
    assert_eq!(bench.shared.card().dma_faults(), 0, "a walk must not make the card reach for memory");
    let status = bench.parts.card.status().expect("status");
    assert!(!status.armed && status.records_idle);
    drop(bench.bring_up_again());
}

pub(crate) fn rows_are_written_read_and_cleared(make: MakeCard) {
    let mut bench = Bench::new(make);
    let rows =
        [address_row(TARGET, 2, 77, Scope::HeadersL4), endpoint_row(TARGET6, 17, 5060, 3, 131_071, Scope::Content)];
    for row in &rows {
        assert_eq!(bench.commands(&[read_of(row)])[0].row(), None);
        bench.commands(std::slice::from_ref(row));
        let mut expected = *row;
        (expected.opcode, expected.tag, expected.crc32c) = (0, U32::ZERO, U32::ZERO);
        assert_eq!(bench.commands(&[read_of(row)])[0].row(), Some(&expected));
    }
    // A row that is written again holds the new content alone.
    let again = address_row_until(TARGET, 2, 78, Scope::Content, 12_345);
    bench.commands(&[again]);
    let done = bench.commands(&[read_of(&again)]);
    assert_eq!(done[0].row().map(|row| (row.match_index_bits(), row.not_after_ticks())), Some((78, 12_345)));
    for row in &rows {
        bench.commands(&[clear_of(row)]);
        let done = bench.commands(&[read_of(row)]);
        assert_eq!(done[0].row(), None);
        assert_eq!(zerocopy::IntoBytes::as_bytes(&done[0].completion.row), [0; 64]);
    }
}

pub(crate) fn bad_commands_are_refused_and_change_nothing(make: MakeCard) {
    let mut bench = Bench::new(make);
    let good = address_row(TARGET, 0, 5, Scope::Content);
    let mut bad_crc = good;
    bad_crc.key[3] ^= 1;
    let mut bad_opcode = good;
    bad_opcode.opcode = Opcode::ALL.len() as u8;
    let mut bad_table = good;
    bad_table.table = Table::ALL.len() as u8;
    let mut bad_way = good;
    bad_way.way = 4;
    let mut bad_row = good;
    bad_row.row = U32::new(limits::ADDRESS_ROWS_PER_WAY);
    let mut bad_scope = good;
    bad_scope.scope = 3;
    let mut bad_index = good;
    bad_index.match_index = [0, 0, 2];
    let mut bad_expiry = good;
    bad_expiry.not_after[5] = 0x10;
    let mut bad_drops = Command::new(Opcode::ReadDrops, 0);
    bad_drops.match_index = [0xff, 0xff, 0xff];
    let mut bad_clear = clear_of(&good);
    bad_clear.table = Table::Vlan as u8;
    bad_clear.row = U32::new(limits::VLAN_ROWS_PER_WAY);
    let rule = Wild { protocol: Some(17), ..Wild::default() }.rule(false, 1, Scope::Content);
    let bad_bank = Command::clear_rule(0, limits::RULE_BANKS as u8, 0);
    let bad_number = Command::read_rule(0, 0, limits::RULES_PER_BANK, true);
    let unstaged = Command::write_rule(0, 0, 0, &rule);
    let unsettled = Command::new(Opcode::Settle, 0);
    // The channel replaces the tag; a CRC over the final tag is what the card has to see.
    let sealed = |bench: &Bench, mut command: Command| {
        command.tag = U32::new(bench.parts.commands.next_tag());
        command.seal()
    };
    bad_crc.tag = U32::new(u32::MAX);
    assert_eq!(bench.raw_command(&bad_crc).status, Status::BadCrc);
    for (command, expected) in [
        (bad_opcode, Status::BadOpcode),
        (bad_table, Status::BadField),
        (bad_way, Status::BadField),
        (bad_row, Status::BadField),
        (bad_scope, Status::BadField),
        (bad_index, Status::BadField),
        (bad_expiry, Status::BadField),
        (bad_drops, Status::BadField),
        (bad_clear, Status::BadField),
        (bad_bank, Status::BadField),
        (bad_number, Status::BadField),
        (unstaged, Status::BadState),
        (unsettled, Status::BadState),
    ] {
        let command = sealed(&bench, command);
        let done = bench.raw_command(&command);
        assert_eq!(done.status, expected, "{command:?}");
        assert_eq!(done.completion.opcode, command.opcode);
    }
    let refused = bench.parts.commands.execute(&[Command::new(Opcode::Nop, 0), bad_way], TIMEOUT);
    assert_eq!(
        refused.map(|_| ()),
        Err(CommandError::Refused { position: 1, opcode: Opcode::WriteRow as u8, status: Status::BadField })
    );
    let read = Command::read_row(0, Table::Address, good.way, good.row.get());
    assert_eq!(bench.commands(&[read])[0].row(), None, "no refused command may have written the row");
    assert_eq!(bench.shared.card().dma_faults(), 0);
}

pub(crate) fn only_an_armed_card_copies(make: MakeCard) {
    let mut bench = Bench::new(make);
    bench.commands(&[address_row(TARGET, 1, 9, Scope::Content)]);
    let frame = udp(TARGET, OTHER, [1000, 2000], 100);
    bench.push(0, PortSide::A, &frame);
    assert_eq!(bench.records(), [], "disarmed");
    bench.parts.card.arm().expect("armed");
    bench.push(1, PortSide::A, &frame);
    bench.push(2, PortSide::B, &udp(OTHER, OTHER, [1000, 2000], 100));
    let got = bench.records();
    assert_eq!(got.len(), 1, "one frame of the target, one of another");
    assert_eq!(packet_bytes(&got[0]), frame);
    bench.parts.card.disarm().expect("disarmed");
    bench.push(3, PortSide::B, &frame);
    assert_eq!(bench.records(), [], "disarmed again");
    assert_eq!(bench.egress().len(), 4, "the wire carries everything");
}

pub(crate) fn the_lowest_way_counts(make: MakeCard) {
    // A move writes the new row before it clears the old one; the two may differ when a scope changes on the way.
    let rows = [address_row(TARGET, 3, 30, Scope::Content), address_row(TARGET, 1, 10, Scope::HeadersL4)];
    let mut bench = armed(make, &rows);
    let frame = udp(TARGET, OTHER, [1, 2], 10);
    bench.push(0, PortSide::A, &frame);
    assert_eq!(hits(&bench.records()[0]), [(10, Scope::HeadersL4 as u32, 0)]);
    bench.commands(&[clear_of(&rows[1])]);
    bench.push(1, PortSide::A, &frame);
    assert_eq!(hits(&bench.records()[0]), [(30, Scope::Content as u32, 0)]);
}

pub(crate) fn rows_expire_by_the_stamp_and_stay_expired(make: MakeCard) {
    let mut bench = Bench::new(make);
    let end_tick = (EPOCH_NS >> NOT_AFTER_SHIFT) + 2;
    bench.commands(&[address_row_until(TARGET, 0, 1, Scope::Content, end_tick)]);
    bench.parts.card.arm().expect("armed");
    let frame = udp(TARGET, OTHER, [1, 2], 10);
    let end_ns = end_tick << NOT_AFTER_SHIFT;
    // Frames closely around the end: which of them hit is decided by the stamps alone.
    let (clocks, now_ns) = {
        let card = bench.shared.card();
        (card.clocks(), card.now_ns())
    };
    let end_clock = clocks + (end_ns - now_ns) * 165 / 512;
    for number in 0..40 {
        bench.push_at(number, PortSide::ALL[number as usize % 2], &frame, end_clock - 100 + 5 * number);
    }
    let got = bench.records();
    let live = bench.arrivals().iter().filter(|arrival| arrival.stamp_ns < end_ns).count();
    assert!((10..30).contains(&live), "frames on both sides of the end, {live}");
    assert_eq!(got.len(), live);
    let counters = bench.parts.card.counters().expect("counters");
    assert_eq!(counters.value(Counter::ExpiredHits), 40 - live as u64);
    // The clock goes back; the row does not.
    bench.parts.card.disarm().expect("disarmed");
    bench.parts.card.set_time(EPOCH_NS, TimeQuality::Free).expect("set");
    bench.parts.card.arm().expect("armed");
    bench.push(99, PortSide::A, &frame);
    assert_eq!(bench.records(), []);
    assert!(bench.arrivals()[0].stamp_ns < end_ns);
}

pub(crate) fn completions_say_where_commands_take_effect(make: MakeCard) {
    let mut bench = Bench::new(make);
    bench.parts.card.arm().expect("armed");
    let row = address_row(TARGET, 0, 1, Scope::HeadersL3);
    let frame = udp(TARGET, OTHER, [1, 2], 10);
    // A steady stream on both ports while the row is written and cleared many times.
    let start = bench.shared.card().clocks();
    let frames_each = 1500_u64;
    for number in 0..frames_each {
        for port in PortSide::ALL {
            bench.push_at(number, port, &frame, start + 10 * number);
        }
    }
    let mut windows: [Vec<std::ops::Range<u64>>; 2] = [Vec::new(), Vec::new()];
    let mut got = Vec::new();
    for _ in 0..12 {
        let on = bench.commands(&[row])[0].completion;
        bench.run(150);
        let off = bench.commands(&[clear_of(&row)])[0].completion;
        assert!(off.stamp_ns.get() > on.stamp_ns.get());
        for (side, windows) in windows.iter_mut().enumerate() {
            windows.push(on.frames_looked_up[side].get()..off.frames_looked_up[side].get());
        }
        got.extend(bench.records_now());
    }
    got.extend(bench.records());
    for port in PortSide::ALL {
        let expected: u64 = windows[port as usize].iter().map(|window| window.end - window.start).sum();
        let found = got.iter().filter(|got| matches!(got, Got::Packet { port: side, .. } if *side == port)).count();
        assert!(expected > 50 && expected < frames_each, "{expected}");
        assert_eq!(found as u64, expected, "port {port:?}: exactly the frames between the commands");
    }
    // And exactly those frames, not only as many: the stamps of the frames at those places.
    let arrivals = bench.arrivals();
    for port in PortSide::ALL {
        let stamps: Vec<u64> =
            arrivals.iter().filter(|arrival| arrival.port == port).map(|arrival| arrival.stamp_ns).collect();
        let expected: Vec<u64> = windows[port as usize]
            .iter()
            .flat_map(|window| stamps[window.start as usize..window.end as usize].to_vec())
            .collect();
        let found: Vec<u64> = got
            .iter()
            .filter_map(|got| match got {
                Got::Packet { port: side, header, .. } if *side == port => Some(header.stamp_ns.get()),
                _ => None,
            })
            .collect();
        assert_eq!(found, expected);
    }
}

pub(crate) fn nothing_is_copied_without_time(make: MakeCard) {
    let sizes = RingSizes::uniform(4096, 64);
    let mut bench = Bench::with(make, sizes, TimeQuality::Unset);
    bench.commands(&[address_row(TARGET, 0, 1, Scope::Content), address_row(OTHER, 1, 2, Scope::Content)]);
    bench.parts.card.arm().expect("armed");
    let frame = udp(TARGET, OTHER, [1, 2], 10);
    bench.push(0, PortSide::A, &frame);
    assert_eq!(bench.records(), []);
    let suppressed = bench.parts.card.counters().expect("counters").value(Counter::SuppressedTime);
    assert_eq!(suppressed, 1, "a frame, not its lookups");
    assert_eq!(bench.parts.card.set_time(EPOCH_NS, TimeQuality::Free), Err(CardError::Armed));
    bench.parts.card.set_time_quality(TimeQuality::Locked).expect("set");
    bench.push(1, PortSide::A, &frame);
    let got = bench.records();
    assert_eq!(got.len(), 1);
    let Got::Packet { header, sequence, .. } = &got[0] else { panic!("a gap") };
    assert_eq!((header.flags >> 6, *sequence), (TimeQuality::Locked as u8, 0));
}

pub(crate) fn the_clock_advances_as_set(make: MakeCard) {
    let bench = Bench::new(make);
    let error_ns = u128::from(time::STAMP_ERROR_NS_MAX);
    // (whole ns, fraction); the second is a little faster than nominal, as slewing makes it.
    for (ns, fraction) in
        [(time::INCREMENT_NS, time::INCREMENT_FRACTION), (3, time::INCREMENT_FRACTION + 10_000_000), (4, 0)]
    {
        bench.shared.write32(clock::INCREMENT_NS_AT, ns);
        bench.shared.write32(clock::INCREMENT_FRACTION_AT, fraction);
        let increment = u128::from(ns) << 32 | u128::from(fraction);
        assert_eq!(u128::from(bench.shared.card().increment()), increment);
        let start = bench.shared.card().clocks() + 100;
        for (number, distance) in [0, 1, 2, 165, 1000, 12_345, 100_000].into_iter().enumerate() {
            bench.push_at(number as u64, PortSide::A, &[0; 20], start + distance);
        }
        bench.settle();
        let arrivals = bench.arrivals();
        for arrival in &arrivals {
            let clocks = u128::from(arrival.clock - arrivals[0].clock);
            let passed = u128::from(arrival.stamp_ns - arrivals[0].stamp_ns);
            let whole = (increment * clocks) >> 32;
            assert!(passed.abs_diff(whole) <= 2 * error_ns, "{passed} ns in {clocks} clocks, {whole} expected");
        }
        assert_eq!(arrivals.len(), 7);
        // The clock itself is exact.
        let now = || {
            let card = bench.shared.card();
            (u128::from(card.clocks()), u128::from(card.now_ns()))
        };
        let before = now();
        bench.run(54_321);
        let after = now();
        let (passed, whole) = (after.1 - before.1, (increment * (after.0 - before.0)) >> 32);
        assert!(passed == whole || passed == whole + 1, "{passed} ns in {} clocks", after.0 - before.0);
    }
}
