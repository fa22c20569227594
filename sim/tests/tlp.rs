//! The card behind its bus when that is not kind: stalls, answers that are late, lost, out of order, damaged; bus master off, function-level reset, a link that goes
//! down, a card that is pulled out. Besides, every access of the card is held to the rules of the bus all the time ([`writ_sim::pcie::Violation`]).
#![cfg(feature = "rtl-pcie")]

mod common;

use common::frames::udp;
use common::{Bench, Got, MakeCard, TIMEOUT, address_row, tlp};
use std::any::Any;
use std::time::Duration;
use writ_abi::command::{Command, RowState, Status};
use writ_abi::pci::adapter::{self, state};
use writ_abi::pci::{COMPLETION_VECTOR, ERROR_VECTOR, MSIX_ENTRY_BYTES, MSIX_PENDING_AT, MSIX_TABLE_AT, record_vector};
use writ_abi::registers::{control, identity, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{MAGIC, PortSide, Scope};
use writ_driver::{Bar, Card, CardError, CommandError, Completed, RingSizes, examine};
use writ_sim::card::{FunctionState, SimCard};
use writ_sim::pcie::{BusCounts, BusSettings, Credits, FaultRates, Holds, ReadFault};
use writ_sim::rtl::TlpCard;

const TARGET: &str = "192.0.2.1";
const OTHER: &str = "198.51.100.9";
const STARTED: FunctionState = FunctionState { is_bus_master: true, is_msix_enabled: true, is_msix_masked: false };

fn of<T>(bench: &Bench, ask: impl FnOnce(&mut TlpCard) -> T) -> T {
    let mut card = bench.shared.card();
    let any: &mut dyn Any = &mut **card;
    ask(any.downcast_mut().expect("a card behind TLPs"))
}

fn counter(bench: &Bench, name: &str) -> u32 {
    let number = adapter::COUNTERS.iter().position(|(other, _)| *other == name).expect("it exists");
    of(bench, |card| card.read32(adapter::counter_at(number as u32)))
}

fn armed(make: MakeCard) -> Bench {
    let mut bench = Bench::new(make);
    bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
    bench.parts.card.arm().expect("armed");
    bench
}

/// Frames of the target, of all kinds of length, on both ports; every one has to come back as it was.
fn traffic(bench: &mut Bench, frames: usize) {
    let frame = |number: usize| udp(TARGET, OTHER, [number as u16, 2], 26 + number * 397 % 1400);
    for number in 0..frames {
        bench.push(number as u64, [PortSide::A, PortSide::B][number % 2], &frame(number));
    }
    let mut got: Vec<Vec<u8>> = bench.records().into_iter().map(common_bytes).collect();
    let mut sent: Vec<Vec<u8>> = (0..frames).map(frame).collect();
    got.sort();
    sent.sort();
    assert!(got == sent, "{} of {} records, or not as they were sent", got.len(), sent.len());
    assert_eq!(bench.egress().len(), frames, "the wire goes on");
}

fn common_bytes(got: Got) -> Vec<u8> {
    match got {
        Got::Packet { bytes, .. } => bytes,
        Got::Gap { .. } => panic!("nothing is lost: {got:?}"),
    }
}

/// Submits a command and returns its completion, whatever it says.
fn one(bench: &mut Bench, command: &Command) -> Completed {
    bench.parts.commands.submit(std::slice::from_ref(command)).expect("room");
    let mut completed = Vec::new();
    bench.parts.commands.wait_all(TIMEOUT, &mut completed).expect("completion");
    completed[0]
}

fn counts(bench: &Bench) -> BusCounts {
    of(bench, |card| card.bus_counts())
}

/// Everything that a bus may do without breaking its promises.
fn unkind(seed: u64, payload: u32) -> BusSettings {
    BusSettings {
        max_payload_bytes: payload,
        completion_bytes_max: 4 << (seed % 5),
        read_boundary_bytes: 64 << (seed % 2),
        credits: Credits { posted_headers: 2, posted_data: payload / 16, non_posted_headers: 1 },
        hard_block_tlps: 4,
        link_bytes_per_clock: 16,
        faults: FaultRates {
            reordered: 20_000,
            rq_stall: 30_000,
            cc_stall: 30_000,
            gap: 30_000,
            ..FaultRates::default()
        },
        seed,
        ..BusSettings::default()
    }
}

fn unkind_128(memory: &std::sync::Arc<writ_driver::memory::HostMemory>) -> Box<dyn SimCard> {
    Box::new(TlpCard::started(unkind(1, 128), memory.card()))
}

fn unkind_256(memory: &std::sync::Arc<writ_driver::memory::HostMemory>) -> Box<dyn SimCard> {
    Box::new(TlpCard::started(unkind(2, 256), memory.card()))
}

fn unkind_512(memory: &std::sync::Arc<writ_driver::memory::HostMemory>) -> Box<dyn SimCard> {
    Box::new(TlpCard::started(unkind(3, 512), memory.card()))
}

#[test]
fn stalls_splits_and_reordering_change_nothing() {
    for make in [unkind_128 as MakeCard, unkind_256, unkind_512] {
        let mut bench = armed(make);
        // More commands than reads can be under way, over the end of the ring.
        for round in 0..4 {
            let rows: Vec<Command> =
                (0..48).map(|n| address_row(&format!("10.0.{round}.{n}"), 0, 2 + n, Scope::Content)).collect();
            let done = bench.commands(&rows);
            assert!(done.iter().all(|done| done.status == Status::Done), "{done:?}");
        }
        // As many at once as the card's FIFO holds: such a bus is slower than the wire.
        for _ in 0..3 {
            traffic(&mut bench, 20);
        }
        let seen = counts(&bench);
        assert!(seen.rq_waits > 100 && seen.reads >= 192, "{seen:?}");
        assert_eq!(seen.timeouts + seen.late + seen.refused, 0, "{seen:?}");
        assert_eq!(of(&bench, |card| card.dma_faults()), 0);
    }
}

#[test]
fn the_register_walk_finds_nothing_behind_tlps() {
    let bench = Bench::new(tlp::quiet);
    assert_eq!(examine(&bench.shared, TIMEOUT).expect("a good card").findings, []);
    let page = of(&bench, |card| card.read32(adapter::STATE_AT));
    let on = state::BUS_MASTER | state::LINK_UP | state::MSIX_ENABLED;
    assert_eq!(page & 0x1f, on);
    assert_eq!(page >> state::SESSION_LSB & 7, state::SESSION_ON);
    assert_eq!(page >> state::MAX_PAYLOAD_LSB & 3, 2);
}

/// A command whose line cannot be read is one with a bad CRC: the card says so, does nothing, and goes on with the next one.
#[test]
fn a_command_that_cannot_be_read_is_refused_and_the_next_one_done() {
    for (fault, name) in [
        (ReadFault::Lost, "READS_TIMED_OUT"),
        (ReadFault::Late, "READS_TIMED_OUT"),
        (ReadFault::Poisoned, "READS_POISONED"),
        (ReadFault::Unsupported, "READS_UNSUPPORTED"),
        (ReadFault::Aborted, "READS_UNSUPPORTED"),
        (ReadFault::WrongCount, "READS_DAMAGED"),
        (ReadFault::WrongAddress, "READS_DAMAGED"),
        (ReadFault::Short, "READS_DAMAGED"),
    ] {
        let mut bench = armed(|memory| {
            let settings = BusSettings { timeout_clocks: 4000, ..BusSettings::default() };
            Box::new(TlpCard::started(settings, memory.card()))
        });
        of(&bench, |card| card.take_vectors());
        of(&bench, |card| card.script_reads([Some(fault)]));
        let refused = one(&mut bench, &address_row(OTHER, 0, 2, Scope::Content));
        assert_eq!(refused.status, Status::BadCrc, "{fault:?}");
        let vectors = of(&bench, |card| card.take_vectors());
        assert_eq!(vectors, 1 << COMPLETION_VECTOR | 1 << ERROR_VECTOR, "{fault:?}");
        assert_eq!(counter(&bench, name), 1, "{fault:?}");
        // The late answer comes, to nobody.
        bench.run(20_000);
        let done = bench.commands(&[address_row(OTHER, 0, 2, Scope::Content)]);
        assert_eq!(done[0].status, Status::Done);
        traffic(&mut bench, 10);
        assert_eq!(counts(&bench).late > 0, fault == ReadFault::Late);
    }
}

/// Faults by chance under a storm of commands: each command is either done, as a read-back shows, or refused, and that exactly when a read failed.
#[test]
fn no_command_is_half_done_whatever_becomes_of_reads() {
    let mut bench = armed(|memory| {
        let faults = FaultRates {
            lost: 800,
            late: 800,
            reordered: 6000,
            poisoned: 1500,
            unsupported: 1500,
            aborted: 1500,
            wrong_count: 800,
            wrong_address: 800,
            short: 800,
            ..FaultRates::default()
        };
        // Answers in parts, so that it may be any of them that is wrong.
        let settings =
            BusSettings { timeout_clocks: 4000, completion_bytes_max: 24, faults, seed: 7, ..BusSettings::default() };
        Box::new(TlpCard::started(settings, memory.card()))
    });
    let mut refused = 0;
    for number in 0..400_u32 {
        let write = address_row(&format!("10.1.{}.{}", number / 250, number % 250), 0, 2 + number, Scope::Content);
        let done = one(&mut bench, &write);
        let lives = loop {
            let read = one(&mut bench, &common::read_of(&write));
            if read.status == Status::Done {
                break read.row_state == RowState::Valid && read.completion.row.match_index_bits() == 2 + number;
            }
        };
        refused += u32::from(done.status != Status::Done);
        assert!(matches!(done.status, Status::Done | Status::BadCrc), "{done:?}");
        assert_eq!(lives, done.status == Status::Done, "command {number}");
    }
    assert!(refused > 10, "{refused}");
    of(&bench, |card| card.set_faults(FaultRates::default()));
    traffic(&mut bench, 20);
}

/// Interrupts: one vector a ring, one for completions; masked ones wait in the pending bits and come when the mask goes.
#[test]
fn vectors_are_told_apart_and_can_be_masked() {
    let mut bench = armed(tlp::quiet);
    of(&bench, |card| card.take_vectors());
    traffic(&mut bench, 3);
    assert_eq!(of(&bench, |card| card.take_vectors()), 1 << record_vector(0));
    let row = address_row(OTHER, 0, 2, Scope::Content);
    bench.commands(&[common::in_ring(row, 2)]);
    assert_eq!(of(&bench, |card| card.take_vectors()), 1 << COMPLETION_VECTOR);
    let control_at = MSIX_TABLE_AT + u32::from(record_vector(2)) * MSIX_ENTRY_BYTES + 12;
    of(&bench, |card| card.write32(control_at, 1));
    bench.push(0, PortSide::A, &udp(OTHER, "203.0.113.1", [1, 2], 100));
    assert_eq!(bench.records().len(), 1);
    assert_eq!(of(&bench, |card| card.take_vectors()), 0);
    assert_eq!(of(&bench, |card| card.read32(MSIX_PENDING_AT)), 1 << record_vector(2));
    of(&bench, |card| card.write32(control_at, 0));
    bench.run(1000);
    assert_eq!(of(&bench, |card| card.take_vectors()), 1 << record_vector(2));
    assert_eq!(of(&bench, |card| card.read32(MSIX_PENDING_AT)), 0);
}

/// With moderation a vector speaks at most once in so many microseconds, and the last event is never kept back.
#[test]
fn moderation_holds_messages_back_and_loses_none() {
    let mut bench = armed(tlp::quiet);
    of(&bench, |card| card.write32(adapter::MODERATION_AT, 10));
    let before = of(&bench, |card| card.root_counts().messages);
    let start = bench.shared.card().clocks();
    for number in 0..200 {
        bench.push_at(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 60), start + 200 * number);
    }
    bench.settle();
    bench.run(20_000);
    let messages = of(&bench, |card| card.root_counts().messages) - before;
    // 200 frames over 40,000 clocks of the core, 124 us: one message in 10.24 to 11.27 us.
    assert!((11..=14).contains(&messages), "{messages}");
    of(&bench, |card| card.take_vectors());
    assert_eq!(bench.records().len(), 200);
}

/// The function is as after power-up, the wire did not notice, and a host that brings it up anew has a working card.
fn starts_anew(bench: Bench) {
    let before = bench.shared.card().read32(control::CONTROL_AT);
    assert_eq!(before & control::ARMED.mask(), 0, "disarmed");
    for number in 0..20 {
        bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 300));
    }
    bench.settle();
    assert_eq!(bench.egress().len(), 20, "the wire goes on");
    of(&bench, |card| card.start());
    let mut bench = bench.bring_up_again();
    bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
    bench.parts.card.arm().expect("armed");
    traffic(&mut bench, 30);
}

#[test]
fn without_bus_master_nothing_goes_out() {
    let mut bench = armed(tlp::quiet);
    traffic(&mut bench, 5);
    for number in 0..50 {
        bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 1200));
    }
    // In the middle of the traffic.
    bench.run(400);
    of(&bench, |card| card.set_function(FunctionState { is_bus_master: false, ..STARTED }));
    bench.run(2000);
    let (beats, lines) = (counts(&bench).rq_beats, bench.shared.card().dma_lines());
    bench.settle();
    assert_eq!((counts(&bench).rq_beats, bench.shared.card().dma_lines()), (beats, lines));
    assert_eq!(bench.egress().len(), 50);
    assert_eq!(counter(&bench, "SESSIONS_ENDED"), 1);
    assert_eq!(of(&bench, |card| card.read32(identity::MAGIC_AT)), MAGIC, "registers answer all the same");
    starts_anew(bench);
}

#[test]
fn a_function_level_reset_disarms_and_leaves_the_wire_alone() {
    let mut bench = armed(tlp::quiet);
    traffic(&mut bench, 5);
    for number in 0..50 {
        bench.push(number, PortSide::B, &udp(TARGET, OTHER, [1, 2], 1200));
    }
    bench.run(400);
    bench.shared.card().reset_function();
    let page = of(&bench, |card| card.read32(adapter::STATE_AT));
    assert_eq!(page & (state::FUNCTION_RESET | state::BUS_MASTER), 0, "over, or it would have been given up");
    assert_eq!(page >> state::SESSION_LSB & 7, state::SESSION_OFF);
    bench.settle();
    assert_eq!(bench.egress().len(), 50);
    starts_anew(bench);
}

/// Commands are under way when the link goes; their reads end in nothing.
#[test]
fn a_link_that_goes_down_and_comes_back_is_a_new_start() {
    let mut bench = armed(tlp::quiet);
    let rows: Vec<Command> = (0..40).map(|n| address_row(&format!("10.0.0.{n}"), 0, 2 + n, Scope::Content)).collect();
    bench.parts.commands.submit(&rows).expect("room");
    for number in 0..50 {
        bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 1200));
    }
    bench.run(500);
    of(&bench, |card| card.drop_link(5000));
    assert_eq!(bench.shared.read32(identity::MAGIC_AT), u32::MAX, "all ones");
    assert!(matches!(bench.parts.card.status(), Err(CardError::Gone { .. })));
    bench.run(10_000);
    assert_eq!(bench.shared.read32(identity::MAGIC_AT), MAGIC);
    bench.settle();
    assert_eq!(bench.egress().len(), 50);
    starts_anew(bench);
}

#[test]
fn a_card_that_is_pulled_out_is_gone_and_says_nothing() {
    let mut bench = armed(tlp::quiet);
    traffic(&mut bench, 5);
    bench.push(0, PortSide::A, &udp(TARGET, OTHER, [1, 2], 1200));
    of(&bench, |card| card.drop_link(u64::MAX));
    bench.settle();
    assert_eq!(bench.records_now().len(), 0);
    let CardError::Gone { .. } = bench.parts.card.arm().expect_err("gone") else { panic!("another error") };
    assert!(matches!(Card::identify(&bench.shared), Err(CardError::Gone { .. })));
    let error = bench.parts.commands.execute(&[address_row(OTHER, 0, 2, Scope::Content)], Duration::from_millis(50));
    assert!(matches!(error, Err(CommandError::Gone | CommandError::Timeout { .. })), "{error:?}");
}

/// Reset of the card by its register in the middle of an update over the bus.
#[test]
fn a_reset_in_mid_update_leaves_nothing_half_done() {
    for clocks in [0, 37, 90, 150, 300, 700] {
        let mut bench = armed(unkind_256);
        let rows: Vec<Command> =
            (0..60).map(|n| address_row(&format!("10.0.0.{n}"), 0, 2 + n, Scope::Content)).collect();
        bench.parts.commands.submit(&rows).expect("room");
        bench.run(clocks);
        let mut bench = bench.bring_up_again();
        let reads: Vec<Command> = rows.iter().map(common::read_of).collect();
        let found = bench.commands(&reads[..30]);
        assert!(found.iter().all(|found| found.row_state == RowState::Invalid), "after {clocks} clocks: {found:?}");
        bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
        bench.parts.card.arm().expect("armed");
        traffic(&mut bench, 5);
    }
}

/// The ring is full for a long time: what does not fit is counted, and the bus is not held up.
#[test]
fn a_full_ring_holds_nothing_up_but_itself() {
    let sizes = RingSizes::uniform(256, 64);
    let mut bench = Bench::with(unkind_512, sizes, TimeQuality::Free);
    bench.commands(&[
        address_row(TARGET, 0, 1, Scope::Content),
        common::in_ring(address_row(OTHER, 0, 2, Scope::Content), 1),
    ]);
    bench.parts.card.arm().expect("armed");
    for number in 0..200 {
        bench.push(number, PortSide::A, &udp(TARGET, "203.0.113.1", [1, 2], 1200));
    }
    for number in 200..205 {
        bench.push(number, PortSide::B, &udp(OTHER, "203.0.113.1", [1, 2], 1200));
    }
    bench.settle();
    let mut second = Vec::new();
    bench.poll_ring(1, &mut second);
    assert_eq!(second.len(), 5, "the other ring has its records");
    bench.commands(&[address_row("10.0.0.1", 0, 3, Scope::Content)]);
    let got = bench.records();
    let (mut next, mut lost) = (0, 0);
    for got in got.iter().filter(|got| got.ring() == 0) {
        match got {
            Got::Packet { sequence, .. } => {
                assert_eq!(*sequence, next);
                next += 1;
            }
            Got::Gap { first, last, .. } => {
                assert_eq!(*first, next);
                lost += last - first + 1;
                next = last + 1;
            }
        }
    }
    assert_eq!(next, 200);
    assert!(lost > 50, "{lost}");
}

/// Reads and writes as a host's processor makes them: 8 bytes, some of 8 or 4, none at all. The bus holds each answer to what was asked ([`writ_sim::pcie::Rule`]).
#[test]
fn registers_are_read_by_any_bytes_and_written_by_whole_words() {
    let bench = Bench::new(tlp::quiet);
    let read = |at, enables: &[u8]| of(&bench, |card| card.read_enabled(at, enables));
    let write = |at, words: &[u32], enables: &[u8]| of(&bench, |card| card.write_enabled(at, words, enables));
    let unsupported = counter(&bench, "REQUESTS_UNSUPPORTED");
    // Two words at once are two registers: in the core, in the adapter, in the interrupt table.
    for (at, mask) in
        [(rings::RECORD_BASE_LO_AT, [!0x3f, !0]), (adapter::MODERATION_AT, [0xffff; 2]), (MSIX_TABLE_AT + 16, [!3, !0])]
    {
        for words in [[0x1234_5640, 0x9abc_def0], [0x0fed_cbc0, 0x8765_4321]] {
            write(at, &words, &[0xf, 0xf]);
            let stands = [words[0] & mask[0], words[1] & mask[1]];
            assert_eq!(read(at, &[0xf, 0xf]), Some(stands.to_vec()), "{at:x}");
            // Enables with gaps are for one word, or for two that stand at a multiple of 8.
            let (firsts, lasts) = if at % 8 == 0 { (1..16, 1..16) } else { (12..13, 3..4) };
            for first in 1..16_u8 {
                assert!(read(at, &[first]).is_some_and(|got| same(got[0], stands[0], first)), "{at:x} {first:x}");
            }
            for first in firsts {
                for last in lasts.clone() {
                    let got = read(at, &[first, last]).expect("an answer");
                    assert!(same(got[0], stands[0], first) && same(got[1], stands[1], last), "{first:x} {last:x}");
                }
            }
            // Nothing at all: an answer all the same, and a host uses it to know that what it wrote is there.
            assert!(read(at, &[0]).is_some());
        }
        // Not by halves. A write of nothing is none.
        let (stood, dropped) = (read(at, &[0xf, 0xf]), counter(&bench, "REQUESTS_DROPPED"));
        for enables in [[8, 0xf], [0xf, 1], [0xe, 7]] {
            write(at, &[0; 2], &enables);
        }
        write(at, &[0], &[0xc]);
        write(at, &[0], &[0]);
        assert_eq!(read(at, &[0xf, 0xf]), stood, "{at:x}");
        assert_eq!(counter(&bench, "REQUESTS_DROPPED"), dropped + 4);
    }
    assert_eq!(counter(&bench, "REQUESTS_UNSUPPORTED"), unsupported);
}

/// The enabled bytes agree.
fn same(got: u32, stands: u32, enables: u8) -> bool {
    (0..4).filter(|byte| enables >> byte & 1 == 1).all(|byte| (got ^ stands) >> (8 * byte) & 0xff == 0)
}

/// A host as fast as light: nothing is lost because an answer comes before anybody could expect it.
#[test]
fn a_bus_without_any_delay_loses_nothing() {
    for seed in 1..4 {
        let mut bench = Bench::new(MAKE_IMMEDIATE[seed - 1]);
        for round in 0..3 {
            let rows: Vec<Command> =
                (0..48).map(|n| address_row(&format!("10.0.{round}.{n}"), 0, 2 + n, Scope::Content)).collect();
            let done = bench.commands(&rows);
            assert!(done.iter().all(|done| done.status == Status::Done), "{done:?}");
        }
        bench.commands(&[address_row(TARGET, 0, 1, Scope::Content)]);
        bench.parts.card.arm().expect("armed");
        traffic(&mut bench, 40);
        assert_eq!(counter(&bench, "COMPLETIONS_UNEXPECTED"), 0);
        assert_eq!(counter(&bench, "SESSIONS_ENDED"), 0);
    }
}

type Memory = std::sync::Arc<writ_driver::memory::HostMemory>;

fn immediate(memory: &Memory, completion_bytes_max: u32, gap: u16) -> Box<dyn SimCard> {
    let faults = FaultRates { gap, ..FaultRates::default() };
    let settings =
        BusSettings { latency_clocks: 0, memory_clocks: 0, completion_bytes_max, faults, ..BusSettings::default() };
    Box::new(TlpCard::started(settings, memory.card()))
}

const MAKE_IMMEDIATE: [MakeCard; 3] = [
    |memory: &Memory| immediate(memory, 64, 0),
    |memory: &Memory| immediate(memory, 12, 0),
    |memory: &Memory| immediate(memory, 64, 30_000),
];

/// Units of `RQ_PATIENCE` in these tests: 21.5 us.
const PATIENCE: u32 = 20;
/// Clocks of the core that they are, with what a register's access takes besides.
const PATIENCE_CLOCKS: u64 = (PATIENCE as u64 + 1) * 256 * 4_000 / 3_103 + 600;

fn session(bench: &Bench) -> u32 {
    of(bench, |card| card.read32(adapter::STATE_AT)) >> state::SESSION_LSB & 7
}

/// Reads a register; how many clocks that took.
fn timed(bench: &Bench) -> u64 {
    let started = bench.shared.card().clocks();
    assert_eq!(of(bench, |card| card.read32(identity::MAGIC_AT)), MAGIC);
    bench.shared.card().clocks() - started
}

/// The hard block takes nothing: after its patience the card ends the session and says so, answers go on, and it works again when the hard block does. The rest of what had
/// begun comes out, and nothing else of it.
#[test]
fn rq_that_stands_still_under_writes_alone_is_noticed() {
    let mut bench = armed(unkind_128);
    of(&bench, |card| card.write32(adapter::RQ_PATIENCE_AT, PATIENCE));
    traffic(&mut bench, 5);
    assert_eq!((counter(&bench, "SESSIONS_ENDED"), session(&bench)), (0, state::SESSION_ON));
    of(&bench, |card| card.hold(Holds { rq: true, ..Holds::default() }));
    for number in 0..50 {
        bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 1200));
    }
    bench.run(2000);
    let waited = timed(&bench);
    assert!((PATIENCE_CLOCKS / 2..PATIENCE_CLOCKS).contains(&waited), "{waited} clocks");
    bench.run(2000);
    // Answers wait for nothing any more.
    assert!(timed(&bench) < 400);
    assert_eq!((counter(&bench, "RQ_STALLS"), counter(&bench, "SESSIONS_ENDED")), (1, 1));
    let page = of(&bench, |card| card.read32(adapter::STATE_AT));
    assert_eq!(page & state::RQ_STALLED, state::RQ_STALLED, "{page:x}");
    assert_eq!(page >> state::SESSION_LSB & 7, state::SESSION_DRAIN);
    assert_eq!(counter(&bench, "READS_ABANDONED"), 0, "writes alone");
    bench.settle();
    assert_eq!(bench.egress().len(), 50, "the wire goes on");
    let before = counts(&bench).writes;
    of(&bench, |card| card.hold(Holds::default()));
    bench.run(3000);
    assert!(counts(&bench).writes - before <= 2, "the rest of one TLP, and one that began with its last beat");
    assert_eq!((session(&bench), counter(&bench, "RQ_STALLS")), (state::SESSION_ON, 1));
    assert!(counter(&bench, "LINES_DROPPED") > 20);
    starts_anew(bench);
}

/// The host gives no credit for writes. Until it does no answer reaches it either, for none may go past a write that the hard block has; but the card does not wait.
#[test]
fn a_host_without_credit_for_writes_ends_the_session() {
    let mut bench = armed(unkind_128);
    of(&bench, |card| card.write32(adapter::RQ_PATIENCE_AT, PATIENCE));
    traffic(&mut bench, 5);
    of(&bench, |card| card.hold(Holds { writes: true, ..Holds::default() }));
    for number in 0..50 {
        bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 1200));
    }
    bench.run(2 * PATIENCE_CLOCKS + 4000);
    let before = counts(&bench).writes;
    of(&bench, |card| card.hold(Holds::default()));
    bench.run(3000);
    assert!(counts(&bench).writes - before <= 2);
    assert_eq!((counter(&bench, "RQ_STALLS"), counter(&bench, "SESSIONS_ENDED")), (1, 1));
    assert_eq!(counter(&bench, "READS_ABANDONED"), 0, "writes alone");
    bench.settle();
    assert_eq!(bench.egress().len(), 50, "the wire goes on");
    starts_anew(bench);
}

/// The hard block never takes the rest of a TLP: the card is reset all the same, and begins nothing until that TLP is out.
#[test]
fn a_tlp_that_has_begun_is_kept_until_it_is_out() {
    let bench = armed(unkind_512);
    of(&bench, |card| card.write32(adapter::RQ_PATIENCE_AT, PATIENCE));
    for number in 0..50 {
        bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 1200));
    }
    bench.run(700);
    of(&bench, |card| card.hold(Holds { rq: true, ..Holds::default() }));
    bench.run(20_000);
    assert_eq!(session(&bench), state::SESSION_DRAIN);
    // 2^20 clocks of the hard block.
    bench.run(1_400_000);
    let page = of(&bench, |card| card.read32(adapter::STATE_AT));
    assert_eq!((page >> state::SESSION_LSB & 7, page & state::RQ_STALLED), (state::SESSION_OFF, state::RQ_STALLED));
    assert_eq!(bench.shared.card().read32(control::CONTROL_AT) & control::ARMED.mask(), 0, "disarmed");
    let (beats, writes) = (counts(&bench).rq_beats, counts(&bench).writes);
    of(&bench, |card| card.hold(Holds::default()));
    bench.run(2000);
    let after = counts(&bench);
    // A half TLP would be a violation; so would be any of it that is from before and is not its rest.
    assert!((1..=9).contains(&(after.rq_beats - beats)) && after.writes - writes <= 2, "{after:?}");
    assert_eq!(session(&bench), state::SESSION_ON);
    bench.settle();
    bench.egress();
    starts_anew(bench);
}

/// Bus master goes off while RQ stands still for long: whatever stands in front of RQ then is not begun any more.
#[test]
fn what_waits_in_front_of_rq_is_not_begun_when_bus_master_is_off() {
    for clocks in [650, 700, 733, 761] {
        let bench = armed(unkind_256);
        for number in 0..50 {
            bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 1200));
        }
        bench.run(clocks);
        of(&bench, |card| card.hold(Holds { rq: true, ..Holds::default() }));
        bench.run(500);
        of(&bench, |card| card.set_function(FunctionState { is_bus_master: false, ..STARTED }));
        bench.run(2000);
        let refused = counts(&bench).refused;
        of(&bench, |card| card.hold(Holds::default()));
        bench.run(2000);
        assert!(counts(&bench).refused - refused <= 2, "one TLP, and one that was shown with its last beat");
        assert_eq!((session(&bench), counter(&bench, "SESSIONS_ENDED")), (state::SESSION_OFF, 1));
        bench.settle();
        bench.egress();
        starts_anew(bench);
    }
}

/// The host gives no credit for reads, or the hard block has no tags: records and answers go past the reads, which wait where they hold up nobody.
#[test]
fn without_credit_for_reads_records_and_answers_go_on() {
    let scarce = |memory: &Memory| -> Box<dyn SimCard> {
        let credits = Credits { non_posted_headers: 2, ..Credits::default() };
        Box::new(TlpCard::started(BusSettings { credits, ..BusSettings::default() }, memory.card()))
    };
    let mut bench = armed(scarce);
    let rows: Vec<Command> = (0..40).map(|n| address_row(&format!("10.0.0.{n}"), 0, 2 + n, Scope::Content)).collect();
    let reads = counts(&bench).reads;
    of(&bench, |card| card.hold(Holds { reads: true, ..Holds::default() }));
    bench.parts.commands.submit(&rows).expect("room");
    bench.run(2000);
    assert_eq!(counts(&bench).reads - reads, 2, "as many as there are credits");
    for _ in 0..4 {
        traffic(&mut bench, 10);
        assert!(timed(&bench) < 400, "{} clocks", timed(&bench));
    }
    assert_eq!(counts(&bench).reads - reads, 2);
    of(&bench, |card| card.hold(Holds::default()));
    let mut completed = Vec::new();
    bench.parts.commands.wait_all(TIMEOUT, &mut completed).expect("completions");
    assert!(completed.len() == 40 && completed.iter().all(|done| done.status == Status::Done));
    assert_eq!((counter(&bench, "SESSIONS_ENDED"), counter(&bench, "RQ_STALLS")), (0, 0));

    // One tag at a time, and none for long: reads time out before their tags are free again.
    let few = |memory: &Memory| -> Box<dyn SimCard> {
        Box::new(TlpCard::started(
            BusSettings { tags: 3, timeout_clocks: 4000, ..BusSettings::default() },
            memory.card(),
        ))
    };
    let mut bench = armed(few);
    of(&bench, |card| card.script_reads([Some(ReadFault::Lost)]));
    bench.parts.commands.submit(&rows).expect("room");
    traffic(&mut bench, 10);
    assert!(timed(&bench) < 400);
    let mut completed = Vec::new();
    bench.parts.commands.wait_all(TIMEOUT, &mut completed).expect("completions");
    let refused = completed.iter().filter(|done| done.status == Status::BadCrc).count();
    assert_eq!((completed.len(), refused, counter(&bench, "READS_TIMED_OUT")), (40, 1, 1));
}
