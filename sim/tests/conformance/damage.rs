//! Parity and its alarm.

use crate::common::frames::udp;
use crate::common::{Bench, MakeCard, TIMEOUT, address_row, clear_of, endpoint_row, in_ring, plain_row, read_of};
use crate::{OTHER, TARGET, hits};
use writ_abi::command::{Command, Opcode, RowState, Status};
use writ_abi::registers::Counter;
use writ_abi::{PortSide, Scope, Table, hash, key};
use writ_driver::{CommandError, DamagedPlace};

fn corrupt(write: &Command) -> Command {
    Command::corrupt_row(0, Table::from_bits(write.table).expect("a table"), write.way, write.row.get())
}

fn place(write: &Command) -> DamagedPlace {
    let table = Table::from_bits(write.table).expect("a table");
    DamagedPlace::Row { table, way: write.way, row: write.row.get() }
}

fn counter(bench: &Bench, counter: Counter) -> u64 {
    bench.parts.card.counters().expect("counters").value(counter)
}

/// Runs until the scrubber has ended so many rounds. In two of them it has come by every row at least once.
fn scrub(bench: &Bench, rounds: u64) {
    let start = counter(bench, Counter::ScrubRounds);
    for _ in 0..400 {
        bench.run(16_384);
        if counter(bench, Counter::ScrubRounds) >= start + rounds {
            return;
        }
    }
    panic!("the scrubber stands still");
}

fn state(bench: &mut Bench, write: &Command) -> RowState {
    bench.commands(&[read_of(write)])[0].row_state
}

pub(crate) fn a_damaged_row_matches_nothing_and_is_reported(make: MakeCard) {
    let mut bench = Bench::new(make);
    let rows = [
        address_row(TARGET, 2, 1, Scope::Content),
        address_row(OTHER, 0, 2, Scope::Content),
        in_ring(endpoint_row(TARGET, 17, 7, 3, 3, Scope::Content), 1),
    ];
    bench.commands(&rows);
    scrub(&bench, 1);
    assert_eq!(bench.parts.card.damage(), Ok(None), "nothing is damaged by itself");
    bench.commands(&[corrupt(&rows[0])]);
    assert_eq!(state(&mut bench, &rows[0]), RowState::Damaged);
    let read = bench.commands(&[read_of(&rows[0])])[0];
    assert_eq!(zerocopy::IntoBytes::as_bytes(&read.completion.row), [0; 64]);
    bench.parts.card.arm().expect("armed");
    let frame = udp(TARGET, OTHER, [7, 8], 30);
    let indices = |bench: &mut Bench| -> Vec<u32> {
        bench.push(0, PortSide::A, &frame);
        bench.records().iter().flat_map(hits).map(|(index, ..)| index).collect()
    };
    assert_eq!(indices(&mut bench), [2, 3]);
    assert_eq!(counter(&bench, Counter::DamagedReads), 1);
    scrub(&bench, 2);
    assert!(counter(&bench, Counter::DamagedRows) >= 1);
    assert_eq!(bench.parts.card.damage(), Ok(Some(place(&rows[0]))));
    // While armed nobody damages anything.
    let refused = bench.parts.commands.execute(&[corrupt(&rows[1])], TIMEOUT).map(|_| ());
    let opcode = Opcode::CorruptRow as u8;
    assert_eq!(refused, Err(CommandError::Refused { position: 0, opcode, status: Status::BadState }));
    assert_eq!(indices(&mut bench), [2, 3]);
    // Writing the row repairs it; what was seen stays known.
    bench.commands(&[rows[0]]);
    assert_eq!(indices(&mut bench), [1, 2, 3]);
    scrub(&bench, 1);
    let found = counter(&bench, Counter::DamagedRows);
    scrub(&bench, 1);
    assert_eq!(counter(&bench, Counter::DamagedRows), found);
    assert_eq!(bench.parts.card.damage(), Ok(Some(place(&rows[0]))));
    let bench = bench.bring_up_again();
    assert_eq!(bench.parts.card.damage(), Ok(None));
}

/// A damaged row of one way does not hide the good one of another; a place without a row can be damaged too.
pub(crate) fn damage_stays_in_its_place(make: MakeCard) {
    let mut bench = Bench::new(make);
    let key = key::address_key(TARGET.parse().expect("an address"));
    let places = hash::rows(&key, Table::Address.rows_per_way());
    let good = plain_row(Table::Address, &key, 3, 9);
    bench.commands(&[good]);
    for (way, row) in (0_u8..).zip(places).take(3) {
        bench.commands(&[Command::corrupt_row(0, Table::Address, way, row)]);
    }
    bench.parts.card.arm().expect("armed");
    let frame = udp(TARGET, OTHER, [7, 8], 30);
    bench.push(0, PortSide::B, &frame);
    let got = bench.records();
    assert_eq!(hits(&got[0]), [(9, Scope::Content as u32, 0)]);
    assert_eq!(counter(&bench, Counter::DamagedReads), 1, "a lookup, not its rows");
    bench.push(1, PortSide::B, &udp(OTHER, TARGET, [7, 8], 30));
    assert_eq!(bench.records().len(), 1);
    assert_eq!(counter(&bench, Counter::DamagedReads), 2);
}

/// A batch leaves damaged rows alone: nobody can know what they held.
pub(crate) fn a_batch_does_not_revive_damaged_rows(make: MakeCard) {
    let mut bench = Bench::new(make);
    let (row, other) = (address_row(TARGET, 1, 1, Scope::Content), address_row(OTHER, 2, 2, Scope::Content));
    let plain = |bench: &mut Bench, opcode| {
        bench.parts.commands.execute_plain(opcode, TIMEOUT).expect("done");
    };
    for settle in [true, false] {
        bench.commands(&[row, corrupt(&row), clear_of(&row).pending(), other.pending(), corrupt(&other)]);
        if settle {
            plain(&mut bench, Opcode::Commit);
            plain(&mut bench, Opcode::Settle);
        } else {
            plain(&mut bench, Opcode::Abort);
        }
        assert_eq!((state(&mut bench, &row), state(&mut bench, &other)), (RowState::Damaged, RowState::Damaged));
        bench.commands(&[corrupt(&row)]);
        assert_eq!(state(&mut bench, &row), RowState::Damaged, "damaged twice");
        bench.commands(&[clear_of(&row), clear_of(&other)]);
        assert_eq!((state(&mut bench, &row), state(&mut bench, &other)), (RowState::Invalid, RowState::Invalid));
    }
    // A pending write is a write: what stood there is gone.
    bench.commands(&[corrupt(&row), row.pending()]);
    assert_eq!(state(&mut bench, &row), RowState::Valid);
}
