//! A driver dies, another one takes the card over: nothing is reset, nothing is lost.

use crate::common::frames::udp;
use crate::common::{Bench, Got, HOW, MakeCard, TIMEOUT, address_row, clear_of, in_ring, read_of};
use crate::{OTHER, TARGET, armed, hits};
use writ_abi::command::{Command, Opcode, RowState};
use writ_abi::registers::{control, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{PortSide, Scope};
use writ_driver::{AdoptFault, Bar, CardError, Event, Flow, LookupSettings, RingSizes};

const RING: u8 = 1;
/// Small, so that it is gone round while nobody is there.
const SIZES: RingSizes = RingSizes { record_lines: [256, 256, 0, 0], commands: 8 };

fn row() -> Command {
    in_ring(address_row(TARGET, 0, 7, Scope::Content), RING)
}

fn bench(make: MakeCard) -> Bench {
    let mut bench = Bench::with(make, SIZES, TimeQuality::Free);
    bench.commands(&[row()]);
    bench.parts.card.arm().expect("armed");
    bench
}

fn push(bench: &Bench, frames: std::ops::Range<u64>) {
    for number in frames {
        bench.push(number, PortSide::A, &udp(TARGET, OTHER, [1, 2], 100));
    }
    bench.settle();
}

fn adopted(bench: Bench) -> Bench {
    let (bench, left) = bench.adopted(LookupSettings::default()).expect("it is as it was left");
    assert!(left.is_empty(), "{left:?}");
    bench
}

/// The numbers of packets, all of which are hits of the row.
fn numbers(got: &[Got]) -> Vec<u32> {
    let number = |got: &Got| match got {
        Got::Packet { sequence, .. } => {
            assert_eq!(hits(got).len(), 1);
            *sequence
        }
        Got::Gap { .. } => panic!("a gap: {got:?}"),
    };
    got.iter().map(number).collect()
}

pub(crate) fn rings_go_on_behind_the_last_record(make: MakeCard) {
    let mut bench = bench(make);
    let mut expected = 0;
    // Several times around: what was written where before does not matter.
    for round in 0..12 {
        push(&bench, 20 * round..20 * round + 10);
        let mut got = Vec::new();
        bench.poll_ring(RING, &mut got);
        assert_eq!(numbers(&got), (expected..expected + 10).collect::<Vec<_>>(), "round {round}");
        // Nobody is there for these.
        push(&bench, 20 * round + 10..20 * round + 20);
        bench = adopted(bench);
        let got = bench.records();
        assert_eq!(numbers(&got), (expected + 10..expected + 20).collect::<Vec<_>>(), "round {round}");
        expected += 20;
    }
    let status = bench.parts.card.status().expect("status");
    assert!(status.armed, "nothing was reset");
    let statistics = bench.parts.rings.iter().find(|ring| ring.number() == RING).expect("used").statistics();
    assert_eq!((statistics.packets, statistics.lost, statistics.bad_records), (10, 0, 0), "since adoption");
}

/// Killed in the middle of a poll: the ring goes on with the one record that the consumer was at, whatever the card was told.
pub(crate) fn a_record_that_was_not_taken_comes_again(make: MakeCard) {
    let mut bench = bench(make);
    push(&bench, 0..10);
    let ring = bench.parts.rings.iter_mut().find(|ring| ring.number() == RING).expect("used");
    let mut seen = 0;
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        ring.poll(u32::MAX, |event| {
            assert!(matches!(event, Event::Packet(_)));
            seen += 1;
            if seen == 5 {
                std::panic::resume_unwind(Box::new("killed"));
            }
            Flow::Taken
        })
    }));
    assert!(died.is_err());
    let consumer = rings::RECORD_CONSUMER_AT + u32::from(RING) * rings::RECORD_STRIDE;
    assert_eq!(bench.shared.read32(consumer), 0, "the four that were taken are not released");
    let mut bench = adopted(bench);
    assert_ne!(bench.shared.read32(consumer), 0, "now they are");
    assert_eq!(numbers(&bench.records()), [4, 5, 6, 7, 8, 9]);
}

pub(crate) fn commands_that_were_left_are_taken(make: MakeCard) {
    let mut bench = bench(make);
    let second = address_row(OTHER, 1, 8, Scope::HeadersL3);
    // More than once around the command ring.
    for _ in 0..5 {
        bench.commands(&[read_of(&row()), second, clear_of(&second)]);
    }
    bench.parts.commands.submit(&[second, read_of(&second)]).expect("room");
    let (mut bench, left) = bench.adopted(LookupSettings::default()).expect("it is as it was left");
    let opcodes: Vec<_> = left.iter().map(|(command, done)| (command.opcode, done.opcode())).collect();
    let expected = [second, read_of(&second)].map(|command| (command.opcode, Opcode::from_bits(command.opcode)));
    assert_eq!(opcodes, expected);
    assert_eq!(left[1].1.row_state, RowState::Valid);
    for place in [row(), second] {
        assert_eq!(bench.commands(&[read_of(&place)])[0].row_state, RowState::Valid);
    }
}

pub(crate) fn an_open_batch_is_ended(make: MakeCard) {
    let second = address_row(OTHER, 1, 8, Scope::Content);
    for committed in [false, true] {
        let mut bench = bench(make);
        let mut pending = second;
        pending.flags |= writ_abi::command::flags::PENDING;
        bench.commands(&[pending]);
        if committed {
            bench.parts.commands.execute_plain(Opcode::Commit, TIMEOUT).expect("done");
        }
        let mut bench = adopted(bench);
        assert!(!bench.parts.card.status().expect("status").committed, "a batch is left");
        let state = bench.commands(&[read_of(&second)])[0].row_state;
        assert_eq!(state == RowState::Valid, committed);
        // And the next batch can be made.
        bench.commands(&[pending]);
        bench.parts.commands.execute_plain(Opcode::Commit, TIMEOUT).expect("done");
        bench.parts.commands.execute_plain(Opcode::Settle, TIMEOUT).expect("done");
    }
}

pub(crate) fn a_card_that_is_not_as_it_was_left_is_refused(make: MakeCard) {
    let fault = |bench: Bench, lookup: LookupSettings| {
        let refused = bench.adopted(lookup).map(|_| ()).expect_err("not as it was left");
        assert!(!refused.to_string().is_empty());
        refused.fault
    };
    let plain = LookupSettings::default();
    // It was reset.
    let bench = armed(make, &[row()]);
    bench.shared.write32(control::CONTROL_AT, control::RESET.mask());
    bench.run(200_000);
    assert!(matches!(fault(bench, plain), AdoptFault::Register { register: rings::ENABLE_AT, found: 0, .. }));
    // A ring is somewhere else.
    let bench = Bench::new(make);
    let base = rings::RECORD_BASE_LO_AT + rings::RECORD_STRIDE;
    let expected = bench.shared.read32(base);
    bench.shared.write32(base, expected + 4096);
    let found = fault(bench, plain);
    assert_eq!(found, AdoptFault::Register { register: base, expected, found: expected + 4096 });
    // Lookups are set otherwise.
    let wanted = LookupSettings { prefix_bits: Some(56), ..plain };
    assert_eq!(fault(Bench::new(make), wanted), AdoptFault::Lookup { found: plain });
    // More was released than was ever consumed.
    let bench = Bench::new(make);
    bench.shared.write32(rings::RECORD_CONSUMER_AT, 5);
    let ring = AdoptFault::Ring { ring: 0, released: 5, consumed: 0, produced: 0 };
    assert_eq!(fault(bench, plain), ring);
    // What is refused can be brought up with the same memory.
    let bench = Bench::new(make);
    bench.shared.write32(rings::RECORD_CONSUMER_AT, 5);
    let shared = bench.shared.clone();
    let memory = bench.memory.clone();
    let refused = bench.adopted(plain).map(|_| ()).expect_err("as before");
    let parts = writ_driver::Card::bring_up(
        std::sync::Arc::new(shared.clone()),
        refused.memory,
        writ_driver::Irqs::none(),
        &HOW,
    );
    let parts = parts.expect("a good card");
    assert!(!matches!(parts.card.status(), Err(CardError::Gone { .. })));
    drop((parts, memory));
}
