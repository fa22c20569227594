//! One suite for every card: what the ABI asks for, through the driver, on the golden model and on the Verilated gateware.

mod common;

use common::frames::{tcp_tagged, udp};
use common::{Bench, EPOCH_NS, Got, MakeCard, address_row, address_row_until, clear_of, endpoint_row, with_fcs};
use writ_abi::command::{Command, Opcode, Status};
use writ_abi::limits;
use writ_abi::record::DropCause;
use writ_abi::registers::{Counter, clock, rings};
use writ_abi::time::{self, NOT_AFTER_SHIFT, TimeQuality};
use writ_abi::{MatchIndex, PortSide, Scope};
use writ_driver::{Bar, CardError, CommandError, RingSizes, register_walk};
use writ_sim::card::IngressFrame;
use zerocopy::little_endian::U32;

const TARGET: &str = "192.0.2.1";
const OTHER: &str = "198.51.100.9";
const TARGET6: &str = "2001:db8::1";
const OTHER6: &str = "2001:db8::9";

macro_rules! suite {
    ($name:ident, $make:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            $(#[test]
            fn $test() {
                super::$test($make);
            })*
        }
    };
}

macro_rules! suite_for {
    ($name:ident, $make:expr) => {
        suite!(
            $name,
            $make,
            [
                comes_up,
                registers_keep_to_the_abi,
                rows_are_written_read_and_cleared,
                bad_commands_are_refused_and_change_nothing,
                only_an_armed_card_copies,
                every_lookup_hits_and_says_so,
                scopes_cut,
                the_lowest_way_counts,
                rows_expire_by_the_stamp_and_stay_expired,
                nothing_is_copied_without_time,
                damaged_frames_are_not_copied,
                oversize_frames_make_a_gap,
                a_full_ring_makes_gaps_and_counts_by_match,
                records_wrap_around_the_ring,
                completions_say_where_commands_take_effect,
                reset_empties_everything,
                the_wire_does_not_know_the_tap,
                all_frame_lengths_pass_and_are_copied,
                counters_add_up,
                the_clock_advances_as_set,
                a_reset_at_any_moment_leaves_nothing_behind,
                a_disabled_ring_keeps_its_records_until_the_fifo_is_full,
            ]
        );
    };
}

suite_for!(model, |memory| Box::new(writ_sim::model::ModelCard::new(memory)));
#[cfg(feature = "rtl")]
suite_for!(rtl, |memory| Box::new(writ_sim::rtl::RtlCard::new(memory)));

fn armed(make: MakeCard, rows: &[Command]) -> Bench {
    let mut bench = Bench::new(make);
    bench.commands(rows);
    bench.parts.card.arm().expect("armed");
    bench
}

fn packet_bytes(got: &Got) -> &[u8] {
    match got {
        Got::Packet { bytes, .. } => bytes,
        Got::Gap { .. } => panic!("a gap: {got:?}"),
    }
}

/// Hits of a record as (match index, scope, lookup).
fn hits(got: &Got) -> Vec<(u32, u32, u32)> {
    let Got::Packet { header, .. } = got else { panic!("a gap") };
    let hit = |i: usize| {
        let bits = u32::from_le_bytes([header[40 + 3 * i], header[41 + 3 * i], header[42 + 3 * i], 0]);
        (bits & 0x1_ffff, bits >> 17 & 3, bits >> 19)
    };
    (0..usize::from(header[2])).map(hit).collect()
}

fn comes_up(make: MakeCard) {
    let bench = Bench::new(make);
    let identity = bench.parts.card.identity();
    assert_eq!(identity.abi_major, writ_abi::ABI_MAJOR);
    assert_eq!(identity.address_rows_per_way, limits::ADDRESS_ROWS_PER_WAY);
    let status = bench.parts.card.status().expect("status");
    assert!(status.tables_ready && status.records_idle && !status.armed);
    let now = bench.parts.card.now_ns().expect("now");
    assert!((EPOCH_NS..EPOCH_NS + 10_000_000).contains(&now), "{now}");
    assert_eq!(bench.parts.card.time_quality(), Ok(TimeQuality::Free));
    let before = bench.parts.card.now_ns().expect("now");
    bench.run(165_000);
    let passed = bench.parts.card.now_ns().expect("now") - before;
    assert!((512_000..513_000).contains(&passed), "165000 clocks are 512000 ns, not {passed}");
}

fn registers_keep_to_the_abi(make: MakeCard) {
    let bench = Bench::new(make);
    bench.shared.write32(writ_abi::registers::control::CONTROL_AT, writ_abi::registers::control::RESET.mask());
    bench.run(200_000);
    assert_eq!(register_walk(&bench.shared), []);
    assert_eq!(bench.shared.card().dma_faults(), 0, "a walk must not make the card reach for memory");
    let status = bench.parts.card.status().expect("status");
    assert!(!status.armed && status.records_idle);
    drop(bench.bring_up_again());
}

fn rows_are_written_read_and_cleared(make: MakeCard) {
    let mut bench = Bench::new(make);
    let rows =
        [address_row(TARGET, 2, 77, Scope::HeadersL4), endpoint_row(TARGET6, 17, 5060, 3, 32_767, Scope::Content)];
    let read = |command: &Command| {
        Command::read_row(0, writ_abi::Table::from_bits(command.table).expect("table"), command.way, command.row.get())
    };
    for row in &rows {
        assert_eq!(bench.commands(&[read(row)])[0].row(), None);
        bench.commands(std::slice::from_ref(row));
        let mut expected = *row;
        (expected.opcode, expected.tag, expected.crc32c) = (0, U32::ZERO, U32::ZERO);
        assert_eq!(bench.commands(&[read(row)])[0].row(), Some(&expected));
    }
    // A row that is written again holds the new content alone.
    let again = address_row_until(TARGET, 2, 78, Scope::Content, 12_345);
    bench.commands(&[again]);
    let done = bench.commands(&[read(&again)]);
    assert_eq!(done[0].row().map(|row| (row.match_index_bits(), row.not_after_ticks())), Some((78, 12_345)));
    for row in &rows {
        bench.commands(&[clear_of(row)]);
        let done = bench.commands(&[read(row)]);
        assert_eq!(done[0].row(), None);
        assert_eq!(zerocopy::IntoBytes::as_bytes(&done[0].completion.row), [0; 64]);
    }
}

fn bad_commands_are_refused_and_change_nothing(make: MakeCard) {
    let mut bench = Bench::new(make);
    let good = address_row(TARGET, 0, 5, Scope::Content);
    let mut bad_crc = good;
    bad_crc.key[3] ^= 1;
    let mut bad_opcode = good;
    bad_opcode.opcode = 6;
    let mut bad_table = good;
    bad_table.table = 2;
    let mut bad_way = good;
    bad_way.way = 4;
    let mut bad_row = good;
    bad_row.row = U32::new(limits::ADDRESS_ROWS_PER_WAY);
    let mut bad_scope = good;
    bad_scope.scope = 3;
    let mut bad_index = good;
    bad_index.match_index = [0, 0x80, 0];
    let mut bad_expiry = good;
    bad_expiry.not_after[5] = 0x10;
    let mut bad_drops = Command::new(Opcode::ReadDrops, 0);
    bad_drops.match_index = [0, 0, 1];
    let mut bad_clear = clear_of(&good);
    bad_clear.table = 1;
    bad_clear.row = U32::new(limits::ENDPOINT_ROWS_PER_WAY);
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
    ] {
        let command = sealed(&bench, command);
        let done = bench.raw_command(&command);
        assert_eq!(done.status, expected, "{command:?}");
        assert_eq!(done.completion.opcode, command.opcode);
    }
    let refused = bench.parts.commands.execute(&[Command::new(Opcode::Nop, 0), bad_way], common::TIMEOUT);
    assert_eq!(
        refused.map(|_| ()),
        Err(CommandError::Refused { position: 1, opcode: Opcode::WriteRow as u8, status: Status::BadField })
    );
    let read = Command::read_row(0, writ_abi::Table::Address, good.way, good.row.get());
    assert_eq!(bench.commands(&[read])[0].row(), None, "no refused command may have written the row");
    assert_eq!(bench.shared.card().dma_faults(), 0);
}

fn only_an_armed_card_copies(make: MakeCard) {
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

fn every_lookup_hits_and_says_so(make: MakeCard) {
    let rows = [
        address_row(TARGET, 0, 1, Scope::Content),
        address_row(OTHER, 1, 2, Scope::Content),
        endpoint_row(TARGET, 17, 1000, 2, 3, Scope::HeadersL4),
        endpoint_row(OTHER, 17, 2000, 3, 4, Scope::HeadersL3),
        address_row(TARGET6, 3, 5, Scope::Content),
        endpoint_row(OTHER6, 6, 443, 0, 6, Scope::Content),
    ];
    let mut bench = armed(make, &rows);
    let both = udp(TARGET, OTHER, [1000, 2000], 33);
    let back = udp(OTHER, TARGET, [2000, 1000], 33);
    let v6 = udp(OTHER6, TARGET6, [443, 443], 10);
    let tagged = tcp_tagged(OTHER, TARGET, [1, 2], 2, 5);
    for (number, frame) in [&both, &back, &v6, &tagged].into_iter().enumerate() {
        bench.push_at(number as u64, PortSide::A, frame, 0);
    }
    let got = bench.records();
    let content = Scope::Content as u32;
    assert_eq!(hits(&got[0]), [(1, content, 0), (2, content, 1), (3, 1, 2), (4, 0, 3)]);
    assert_eq!(hits(&got[1]), [(2, content, 0), (1, content, 1), (4, 0, 2), (3, 1, 3)]);
    assert_eq!(hits(&got[2]), [(5, content, 1)], "the endpoint of the other protocol does not match");
    assert_eq!(hits(&got[3]), [(2, content, 0), (1, content, 1)]);
    assert_eq!(got.len(), 4);
}

fn scopes_cut(make: MakeCard) {
    let rows = [
        address_row("192.0.2.3", 0, 1, Scope::HeadersL3),
        address_row("192.0.2.4", 1, 2, Scope::HeadersL4),
        address_row("2001:db8::3", 2, 3, Scope::HeadersL3),
        address_row("2001:db8::4", 3, 4, Scope::HeadersL4),
    ];
    let mut bench = armed(make, &rows);
    let frames = [
        (udp("192.0.2.3", OTHER, [1, 2], 400), 14 + 20),
        (udp("192.0.2.4", OTHER, [1, 2], 400), 14 + 20 + 8),
        (tcp_tagged(OTHER, "192.0.2.4", [1, 2], 1, 400), 18 + 20 + 20),
        (udp("2001:db8::3", OTHER6, [1, 2], 0), 14 + 40),
        (udp(OTHER6, "2001:db8::4", [1, 2], 1000), 14 + 40 + 8),
        // Two hits: the wider one decides.
        (udp("192.0.2.3", "192.0.2.4", [1, 2], 60), 14 + 20 + 8),
    ];
    for (number, (frame, _)) in frames.iter().enumerate() {
        bench.push(number as u64, PortSide::B, frame);
    }
    let got = bench.records();
    assert_eq!(got.len(), frames.len());
    for (got, (frame, cut)) in got.iter().zip(&frames) {
        assert_eq!(packet_bytes(got), &frame[..*cut]);
    }
}

fn the_lowest_way_counts(make: MakeCard) {
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

fn rows_expire_by_the_stamp_and_stay_expired(make: MakeCard) {
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

fn nothing_is_copied_without_time(make: MakeCard) {
    let sizes = RingSizes { record_lines: 4096, commands: 64 };
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
    assert_eq!((header[1] >> 6, *sequence), (TimeQuality::Locked as u8, 0));
}

fn damaged_frames_are_not_copied(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let frame = udp(TARGET, OTHER, [1, 2], 300);
    for number in 0..6 {
        let damaged = number % 3 == 1;
        let mut bytes = with_fcs(&frame);
        if damaged {
            bytes[60] ^= 0xff;
        }
        bench.shared.card().push(IngressFrame { number, port: PortSide::A, earliest_clock: 0, bytes, damaged });
    }
    let got = bench.records();
    let sequences: Vec<u32> = got
        .iter()
        .map(|got| match got {
            Got::Packet { sequence, bytes, .. } => {
                assert_eq!(*bytes, frame);
                *sequence
            }
            Got::Gap { .. } => panic!("a damaged frame takes no number"),
        })
        .collect();
    assert_eq!(sequences, [0, 1, 2, 3]);
    let egress = bench.egress();
    assert_eq!(egress.iter().map(|frame| frame.damaged).collect::<Vec<_>>(), [false, true, false, false, true, false]);
    let counters = bench.parts.card.counters().expect("counters");
    assert_eq!(counters.value(Counter::Drop(DropCause::WireError as u8)), 2);
    assert_eq!(counters.value(Counter::FramesHit), 4);
}

fn oversize_frames_make_a_gap(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::HeadersL4)]);
    let limit = limits::FRAME_BYTES_MAX - limits::FCS_BYTES;
    let headers = 14 + 20 + 8;
    let longest = udp(TARGET, OTHER, [1, 2], limit - headers);
    let mut longer = longest.clone();
    longer.push(0);
    bench.push(0, PortSide::A, &longest);
    bench.push(1, PortSide::A, &longer);
    bench.push(2, PortSide::A, &longer);
    bench.push(3, PortSide::A, &longest);
    let got = bench.records();
    assert!(matches!(got[0], Got::Packet { sequence: 0, .. }));
    let oversize = 1 << DropCause::Oversize as u8;
    let gaps: Vec<&Got> = got[1..got.len() - 1].iter().collect();
    let covered: Vec<(u32, u32)> = gaps
        .iter()
        .map(|got| match got {
            Got::Gap { causes, first, last } if *causes == oversize => (*first, *last),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(covered == [(1, 2)] || covered == [(1, 1), (2, 2)], "{covered:?}");
    assert!(matches!(got[got.len() - 1], Got::Packet { sequence: 3, .. }));
    let index = MatchIndex::new(1).expect("in range");
    let done = bench.commands(&[Command::drops(0, index, true), Command::drops(0, index, false)]);
    let drops = |i: usize| (done[i].completion.drop_packets.get(), done[i].completion.drop_bytes.get());
    assert_eq!(drops(0), (2, 2 * longer.len() as u64));
    assert_eq!(drops(1), (0, 0), "cleared");
}

fn a_full_ring_makes_gaps_and_counts_by_match(make: MakeCard) {
    let sizes = RingSizes { record_lines: 256, commands: 64 };
    let mut bench = Bench::with(make, sizes, TimeQuality::Free);
    bench.commands(&[
        address_row(TARGET, 0, 1, Scope::Content),
        address_row(OTHER, 1, 2, Scope::Content),
        endpoint_row(TARGET, 17, 7, 2, 1, Scope::Content),
    ]);
    bench.parts.card.arm().expect("armed");
    // Ring and FIFO together hold fewer than these 400 records of 3 lines each.
    let frame = udp(TARGET, OTHER, [7, 2], 80);
    let both = 400_u32;
    for number in 0..both {
        bench.push_at(number.into(), PortSide::A, &frame, u64::from(number) * 12);
    }
    bench.settle();
    let counters = bench.parts.card.counters().expect("counters");
    let dropped = counters.value(Counter::Drop(DropCause::RecordFifo as u8));
    assert!(dropped > 100, "{dropped}");
    assert_eq!(counters.value(Counter::Records) + dropped, both.into());
    assert!(!bench.parts.card.status().expect("status").records_idle);
    let got = bench.records();
    check_numbers(&got, both, dropped);
    for index in [1, 2] {
        let index = MatchIndex::new(index).expect("in range");
        let done = bench.commands(&[Command::drops(0, index, false)]);
        let counted = (done[0].completion.drop_packets.get(), done[0].completion.drop_bytes.get());
        assert_eq!(counted, (dropped, dropped * frame.len() as u64), "each distinct index once a frame");
    }
    let counters = bench.parts.card.counters().expect("counters");
    assert_eq!(counters.value(Counter::DropUnattributed), 0);
    // And it goes on.
    bench.push(1000, PortSide::B, &frame);
    assert!(matches!(bench.records()[..], [Got::Packet { sequence, .. }] if sequence == both));
}

/// Every number from 0 on comes exactly once and in order, as a packet or in a gap for a full record FIFO.
fn check_numbers(got: &[Got], numbers: u32, dropped: u64) {
    let (mut next, mut missing) = (0, 0);
    for got in got {
        match got {
            Got::Packet { sequence, .. } => {
                assert_eq!(*sequence, next);
                next += 1;
            }
            Got::Gap { causes, first, last } => {
                assert_eq!((*causes, *first), (1 << DropCause::RecordFifo as u8, next));
                missing += u64::from(last - first) + 1;
                next = last + 1;
            }
        }
    }
    assert_eq!((next, missing), (numbers, dropped));
}

fn records_wrap_around_the_ring(make: MakeCard) {
    let sizes = RingSizes { record_lines: 256, commands: 64 };
    let mut bench = Bench::with(make, sizes, TimeQuality::Free);
    bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
    bench.parts.card.arm().expect("armed");
    // Records of all lengths, up to more than half of the ring, so that skip records of all lengths come up and the index is
    // written although another record waits for room.
    let mut expected = 0;
    for round in 0..60_usize {
        let frames: Vec<Vec<u8>> =
            (0..3).map(|i| udp(TARGET, OTHER, [1, 2], 20 + (round * 397 + i * 3163) % 9500)).collect();
        for (number, frame) in frames.iter().enumerate() {
            bench.push(number as u64, PortSide::ALL[number % 2], frame);
        }
        let mut got = bench.records();
        assert_eq!(got.len(), frames.len(), "round {round}");
        got.sort_by_key(|got| packet_bytes(got).len());
        let mut frames = frames;
        frames.sort_by_key(Vec::len);
        for (got, frame) in got.iter().zip(&frames) {
            assert_eq!(packet_bytes(got), frame);
        }
        expected += frames.len() as u64;
    }
    assert_eq!(bench.parts.records.statistics().packets, expected);
}

fn completions_say_where_commands_take_effect(make: MakeCard) {
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
                Got::Packet { port: side, header, .. } if *side == port => {
                    Some(u64::from_le_bytes(header[8..16].try_into().expect("eight bytes")))
                }
                _ => None,
            })
            .collect();
        assert_eq!(found, expected);
    }
}

fn reset_empties_everything(make: MakeCard) {
    let bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let frame = udp(TARGET, OTHER, [1, 2], 500);
    for number in 0..50 {
        bench.push(number, PortSide::A, &frame);
    }
    // In the middle of the traffic.
    bench.run(200);
    let mut bench = bench.bring_up_again();
    bench.settle();
    assert_eq!(bench.egress().len(), 50, "the wire never stops");
    assert_eq!(bench.records(), [], "no record of before the reset, and nothing after it: the card is disarmed");
    let counters = bench.parts.card.counters().expect("counters");
    assert_eq!(counters.value(Counter::Records), 0);
    bench.parts.card.arm().expect("armed");
    bench.push(100, PortSide::A, &frame);
    assert_eq!(bench.records(), [], "the row is gone");
    bench.commands(&[address_row(TARGET, 3, 2, Scope::Content)]);
    bench.push(101, PortSide::A, &frame);
    assert!(matches!(bench.records()[..], [Got::Packet { sequence: 0, .. }]), "numbers start anew");
}

fn the_wire_does_not_know_the_tap(make: MakeCard) {
    let run = |arm: bool| {
        let mut bench = Bench::new(make);
        bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
        if arm {
            bench.parts.card.arm().expect("armed");
        } else {
            // The same accesses, so that both runs have the same clocks.
            bench.parts.card.disarm().expect("disarmed");
        }
        let start = bench.shared.card().clocks() + 1000;
        for number in 0..200_u64 {
            let frame = udp(TARGET, OTHER, [1, 2], (number as usize * 37) % 1400);
            bench.push_at(number, PortSide::ALL[number as usize % 2], &frame, start + number * 20);
        }
        bench.settle();
        let trace: Vec<_> = bench
            .egress()
            .into_iter()
            .map(|frame| {
                (frame.port, frame.number, frame.ingress_clock - start, frame.egress_clock - start, frame.bytes)
            })
            .collect();
        let latency = PortSide::ALL.map(|port| bench.shared.card().latency(port).expect("frames have passed"));
        (trace, latency)
    };
    let (disarmed, latency) = run(false);
    let (armed, _) = run(true);
    assert_eq!(disarmed.len(), 200);
    assert!(disarmed == armed, "same bytes, same order, same clocks");
    for latency in latency {
        assert_eq!(latency.clocks_min, latency.clocks_max);
        assert!((1..=20).contains(&latency.clocks_max));
    }
}

fn all_frame_lengths_pass_and_are_copied(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let lengths: Vec<usize> = (60..330).chain([500, 1000, 1500, 1514, 1518, 2048, 4000, 9000, 9600, 9664]).collect();
    for chunk in lengths.chunks(20) {
        let mut frames = Vec::new();
        for (number, length) in chunk.iter().enumerate() {
            let frame = udp(OTHER, TARGET, [1, 2], length - 42);
            assert_eq!(frame.len(), *length);
            bench.push(number as u64, PortSide::B, &frame);
            frames.push(frame);
        }
        let got = bench.records();
        assert_eq!(got.iter().map(packet_bytes).collect::<Vec<_>>(), frames);
        let left: Vec<Vec<u8>> = bench.egress().into_iter().map(|frame| frame.bytes).collect();
        assert_eq!(left, frames.iter().map(|frame| with_fcs(frame)).collect::<Vec<_>>());
    }
    // Frames that are no Ethernet frames pass as well.
    for (number, length) in (1..64).enumerate() {
        let bytes = vec![0x5a; length];
        let frame = IngressFrame { number: number as u64, port: PortSide::A, earliest_clock: 0, bytes, damaged: false };
        bench.shared.card().push(frame);
    }
    assert_eq!(bench.records(), []);
    let left: Vec<usize> = bench.egress().iter().map(|frame| frame.bytes.len()).collect();
    assert_eq!(left, (1..64).collect::<Vec<_>>());
}

fn counters_add_up(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let mut bytes = [0, 0];
    for number in 0..120_usize {
        let frame = match number % 4 {
            0 => udp(TARGET, OTHER, [1, 2], number),
            1 => udp(OTHER6, TARGET6, [1, 2], number),
            2 => tcp_tagged(OTHER, OTHER, [1, 2], 1, number),
            _ => vec![0x11; 60],
        };
        let port = PortSide::ALL[number / 4 % 2];
        bytes[port as usize] += frame.len() as u64 + 4;
        bench.push(number as u64, port, &frame);
    }
    assert_eq!(bench.records().len(), 30);
    let counters = bench.parts.card.counters().expect("counters");
    let expect = |name: &str, value: u64| assert_eq!(counters.by_name(name), Some(value), "{name}");
    for name in
        ["FRAMES_IN_A", "FRAMES_IN_B", "FRAMES_OUT_A", "FRAMES_OUT_B", "FRAMES_LOOKED_UP_A", "FRAMES_LOOKED_UP_B"]
    {
        expect(name, 60);
    }
    expect("BYTES_IN_A", bytes[0]);
    expect("BYTES_IN_B", bytes[1]);
    expect("CLASS_PORTS", 90);
    expect("CLASS_NON_IP", 30);
    expect("FRAMES_HIT", 30);
    expect("RECORDS", 30);
    expect("COMMANDS", 1);
    for name in
        ["GAP_RECORDS", "DROP_COPY_FIFO", "DROP_RECORD_FIFO", "DROP_WINDOW_FIFO", "DROP_WIRE_ERROR", "EXPIRED_HITS"]
    {
        expect(name, 0);
    }
    assert_eq!(bench.shared.card().dma_faults(), 0);
}

fn the_clock_advances_as_set(make: MakeCard) {
    let bench = Bench::new(make);
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
            assert!(passed == whole || passed == whole + 1, "{passed} ns in {clocks} clocks, {whole} expected");
        }
        assert_eq!(arrivals.len(), 7);
    }
}

fn a_reset_at_any_moment_leaves_nothing_behind(make: MakeCard) {
    let rows = [address_row(TARGET, 0, 1, Scope::Content)];
    let frames: Vec<Vec<u8>> = (0..24).map(|number| udp(TARGET, OTHER, [1, 2], number * 53 % 700)).collect();
    let mut bench = armed(make, &rows);
    for delay in (0..220).step_by(11) {
        for (number, frame) in frames.iter().enumerate() {
            bench.push(number as u64, PortSide::ALL[number % 2], frame);
        }
        bench.parts.commands.submit(&rows).expect("room");
        bench.run(delay);
        bench = bench.bring_up_again();
        bench.settle();
        let left: Vec<(u64, Vec<u8>)> = bench.egress().into_iter().map(|frame| (frame.number, frame.bytes)).collect();
        assert_eq!(left.len(), frames.len(), "delay {delay}");
        assert!(left.iter().all(|(number, bytes)| *bytes == with_fcs(&frames[*number as usize])));
        bench.commands(&rows);
        bench.parts.card.arm().expect("armed");
        bench.push(0, PortSide::B, &frames[1]);
        let got = bench.records();
        assert_eq!(got.len(), 1, "delay {delay}");
        assert!(matches!(got[0], Got::Packet { sequence: 0, .. }) && packet_bytes(&got[0]) == frames[1]);
        let counters = bench.parts.card.counters().expect("counters");
        assert_eq!((counters.value(Counter::FramesHit), counters.value(Counter::Commands)), (1, 1));
        bench.egress();
    }
    assert_eq!(bench.shared.card().dma_faults(), 0);
}

fn a_disabled_ring_keeps_its_records_until_the_fifo_is_full(make: MakeCard) {
    let mut bench = armed(make, &[address_row(TARGET, 0, 1, Scope::Content)]);
    let (records, commands) = (rings::ENABLE_RECORDS.mask(), rings::ENABLE_COMMANDS.mask());
    bench.shared.write32(rings::ENABLE_AT, commands);
    let frame = udp(TARGET, OTHER, [1, 2], 80);
    let frames = 300_u32;
    for number in 0..frames {
        bench.push_at(number.into(), PortSide::A, &frame, u64::from(number) * 12);
    }
    bench.settle();
    assert_eq!(bench.records_now(), []);
    let counters = bench.parts.card.counters().expect("counters");
    let dropped = counters.value(Counter::Drop(DropCause::RecordFifo as u8));
    let kept = u64::from(frames) - dropped;
    let room = (limits::RECORD_FIFO_LINES / 3) as u64;
    // What stands between FIFO and bus comes on top.
    assert!((room..room + 8).contains(&kept), "{kept} kept");
    bench.shared.write32(rings::ENABLE_AT, commands | records);
    let got = bench.records();
    check_numbers(&got, frames, dropped);
}
