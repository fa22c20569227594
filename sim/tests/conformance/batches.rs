//! Batches: rows and rules that become visible together.

use crate::common::packet::{self, IPV4, UDP};
use crate::common::{Bench, Got, MakeCard, TIMEOUT, Wild, address_row, clear_of, endpoint_row, plain_row, read_of};
use crate::tables::address;
use crate::{OTHER, TARGET, armed, hits};
use writ_abi::command::{Command, Opcode, Status, flags};
use writ_abi::time::TimeQuality;
use writ_abi::{PortSide, Scope, Table, key};
use writ_driver::{CommandError, RingSizes, rule_commands};

fn frame() -> Vec<u8> {
    packet::ethernet(
        &[(0x8100, 42)],
        IPV4,
        &packet::ip([TARGET, OTHER].map(address), UDP, &packet::udp([1000, 2000], &packet::body(20))),
    )
}

fn plain(bench: &mut Bench, opcode: Opcode) {
    bench.parts.commands.execute_plain(opcode, TIMEOUT).expect("done");
}

/// Status of a single command.
fn status(bench: &mut Bench, command: &Command) -> Status {
    match bench.parts.commands.execute(std::slice::from_ref(command), TIMEOUT) {
        Ok(_) => Status::Done,
        Err(CommandError::Refused { status, .. }) => status,
        Err(error) => panic!("{error}"),
    }
}

fn indices(got: &Got) -> Vec<u32> {
    hits(got).iter().map(|(index, ..)| *index).collect()
}

/// What is there before the batch (indices below 100), and what the batch puts in its place (from 100 on).
fn old_rows() -> Vec<Command> {
    vec![
        address_row(TARGET, 0, 1, Scope::Content),
        endpoint_row(OTHER, UDP, 2000, 1, 2, Scope::Content),
        plain_row(Table::Mac, &packet::MAC_A, 2, 3),
        plain_row(Table::Vlan, &key::vlan_key(PortSide::A, 42, None), 3, 4),
    ]
}

fn new_rows() -> Vec<Command> {
    let tuple = key::five_tuple_key(address(TARGET), address(OTHER), UDP, [1000, 2000]).expect("one version");
    vec![
        address_row(TARGET, 1, 101, Scope::Content),
        address_row(OTHER, 3, 102, Scope::Content),
        plain_row(Table::FiveTuple, &tuple, 0, 103),
        plain_row(Table::Vlan, &key::vlan_key(PortSide::A, 42, None), 1, 104),
    ]
}

fn old_rule() -> [Command; 2] {
    let rule = Wild { source: Some((TARGET, 24)), ..Wild::default() }.rule(false, 5, Scope::Content);
    rule_commands(2, 3, &rule, false)
}

fn new_rule() -> [Command; 2] {
    let rule = Wild { source: Some((TARGET, 16)), ..Wild::default() }.rule(true, 105, Scope::Content);
    rule_commands(2, 1, &rule, true)
}

const OLD: [u32; 5] = [1, 2, 3, 4, 5];
const NEW: [u32; 5] = [101, 102, 103, 104, 105];

/// The commands of the batch.
fn batch() -> Vec<Command> {
    let adds = new_rows().into_iter().map(Command::pending).chain(new_rule());
    let clears = old_rows().into_iter().chain([old_rule()[1]]).map(|write| clear_of(&write).pending());
    adds.chain(clears).collect()
}

fn with_old(make: MakeCard) -> Bench {
    let mut bench = armed(make, &old_rows());
    bench.commands(&old_rule());
    bench
}

fn now(bench: &mut Bench) -> Vec<u32> {
    bench.push(0, PortSide::A, &frame());
    bench.records().iter().flat_map(indices).collect()
}

pub(crate) fn a_batch_is_visible_at_once_or_not_at_all(make: MakeCard) {
    let mut bench = with_old(make);
    assert_eq!(now(&mut bench), OLD);
    let batch = batch();
    for command in &batch {
        bench.commands(std::slice::from_ref(command));
        assert_eq!(now(&mut bench), OLD, "before the commit nothing of it is visible");
    }
    assert!(!bench.parts.card.status().expect("status").committed);
    plain(&mut bench, Opcode::Commit);
    assert!(bench.parts.card.status().expect("status").committed);
    assert_eq!(now(&mut bench), NEW);
    plain(&mut bench, Opcode::Settle);
    assert!(!bench.parts.card.status().expect("status").committed);
    assert_eq!(now(&mut bench), NEW);
    // What is settled is as if it had always been there: another batch changes nothing by being committed.
    plain(&mut bench, Opcode::Commit);
    assert_eq!(now(&mut bench), NEW);
    plain(&mut bench, Opcode::Settle);
    plain(&mut bench, Opcode::Abort);
    assert_eq!(now(&mut bench), NEW);
    for old in &old_rows() {
        assert_eq!(bench.commands(&[read_of(old)])[0].row(), None);
    }
}

pub(crate) fn an_aborted_batch_never_was(make: MakeCard) {
    let mut bench = with_old(make);
    let reads: Vec<Command> = old_rows().iter().chain(&new_rows()).map(read_of).collect();
    let rule_reads = [Command::read_rule(0, 2, 3, true), Command::read_rule(0, 2, 1, false)];
    let reads: Vec<Command> = reads.into_iter().chain(rule_reads).collect();
    let content = |bench: &mut Bench| -> Vec<Option<Command>> {
        bench.commands(&reads).iter().map(|done| done.row().copied()).collect()
    };
    let before = content(&mut bench);
    assert_eq!(before.iter().flatten().count(), old_rows().len() + 1);
    let marks = |bench: &mut Bench| -> Vec<u8> {
        let marked = flags::PENDING | flags::PENDING_CLEAR;
        content(bench).iter().flatten().map(|row| row.flags & marked).collect()
    };
    bench.commands(&batch());
    let (clears, adds) = (flags::PENDING_CLEAR, flags::PENDING);
    assert_eq!(marks(&mut bench), [clears, clears, clears, clears, adds, adds, adds, adds, clears, adds]);
    plain(&mut bench, Opcode::Abort);
    assert_eq!(content(&mut bench), before);
    assert_eq!(now(&mut bench), OLD);
    // And once more, to the end: the marks are gone after `Settle`.
    bench.commands(&batch());
    plain(&mut bench, Opcode::Commit);
    assert_eq!(marks(&mut bench), [clears, clears, clears, clears, adds, adds, adds, adds, clears, adds]);
    plain(&mut bench, Opcode::Settle);
    assert_eq!(marks(&mut bench), [0; 5]);
    assert_eq!(now(&mut bench), NEW);
}

pub(crate) fn commands_keep_to_the_state_of_the_batch(make: MakeCard) {
    let mut bench = with_old(make);
    let plain_of = |opcode| Command::new(opcode, 0);
    assert_eq!(status(&mut bench, &plain_of(Opcode::Settle)), Status::BadState);
    bench.commands(&batch());
    assert_eq!(status(&mut bench, &plain_of(Opcode::Commit)), Status::Done);
    let pending_write = new_rows()[0].pending();
    let pending_clear = clear_of(&old_rows()[0]).pending();
    let pending_rule_clear = Command::clear_rule(0, 2, 3).pending();
    for refused in [plain_of(Opcode::Commit), plain_of(Opcode::Abort), pending_write, pending_clear, pending_rule_clear]
    {
        assert_eq!(status(&mut bench, &refused), Status::BadState, "{refused:?}");
    }
    let [stage, write] = new_rule();
    assert_eq!(status(&mut bench, &stage), Status::Done);
    assert_eq!(status(&mut bench, &write), Status::BadState);
    assert_eq!(now(&mut bench), NEW, "what is refused changes nothing");
    // Rows that do not belong to the batch come and go as ever.
    let apart = address_row("203.0.113.5", 2, 50, Scope::Content);
    assert_eq!(status(&mut bench, &apart), Status::Done);
    assert_eq!(status(&mut bench, &clear_of(&new_rows()[1])), Status::Done);
    let without = [101, 103, 104, 105];
    assert_eq!(now(&mut bench), without);
    assert_eq!(status(&mut bench, &plain_of(Opcode::Settle)), Status::Done);
    assert_eq!(status(&mut bench, &plain_of(Opcode::Settle)), Status::BadState);
    assert_eq!(now(&mut bench), without);
    assert!(bench.commands(&[read_of(&apart)])[0].row().is_some());
    // A row that is added and cleared in one batch is never visible; a pending clear of nothing does nothing.
    let row = address_row(OTHER, 0, 60, Scope::Content);
    bench.commands(&[row.pending(), clear_of(&row).pending(), clear_of(&old_rows()[0]).pending()]);
    assert_eq!(now(&mut bench), without);
    plain(&mut bench, Opcode::Commit);
    assert_eq!(now(&mut bench), without);
    plain(&mut bench, Opcode::Settle);
    assert_eq!(bench.commands(&[read_of(&row)])[0].row(), None);
    assert_eq!(now(&mut bench), without);
}

/// Under traffic on both ports each frame sees all of the old state or all of the new one, and the completions say from which frame on.
pub(crate) fn no_frame_sees_half_a_batch(make: MakeCard) {
    // Room for all records: a frame that is missing would not be missed below.
    let mut bench = Bench::with(make, RingSizes::uniform(1 << 15, 64), TimeQuality::Free);
    bench.commands(&old_rows());
    bench.commands(&old_rule());
    bench.parts.card.arm().expect("armed");
    let start = bench.shared.card().clocks();
    let frames_each = 4000_u64;
    for number in 0..frames_each {
        for port in PortSide::ALL {
            bench.push_at(number, port, &frame(), start + 14 * number);
        }
    }
    let mut switches = [Vec::new(), Vec::new()];
    let mut got = Vec::new();
    // There and back again.
    let back: Vec<Command> = {
        let [stage, write] = old_rule();
        let adds = old_rows().into_iter().map(Command::pending).chain([stage, write.pending()]);
        let clears = new_rows().into_iter().chain([new_rule()[1]]).map(|write| clear_of(&write).pending());
        adds.chain(clears).collect()
    };
    for batch in [&batch(), &back, &batch()] {
        bench.commands(batch);
        let done = bench.parts.commands.execute_plain(Opcode::Commit, TIMEOUT).expect("done");
        for (side, switches) in switches.iter_mut().enumerate() {
            switches.push(done.frames_looked_up()[side]);
        }
        bench.parts.commands.execute_plain(Opcode::Settle, TIMEOUT).expect("done");
        got.extend(bench.records_now());
    }
    got.extend(bench.records());
    assert_eq!(got.len() as u64, 2 * frames_each, "every frame has its record");
    for port in PortSide::ALL {
        let switches = &switches[port as usize];
        assert!(switches.is_sorted() && switches[2] < frames_each, "{switches:?}");
        let of_port = got.iter().filter(|got| matches!(got, Got::Packet { port: side, .. } if *side == port));
        let mut frames = 0;
        for (number, got) in (0_u64..).zip(of_port) {
            let is_new = switches.iter().filter(|switch| **switch <= number).count() % 2 == 1;
            let mut expected = if is_new { NEW } else { OLD }.to_vec();
            if port == PortSide::B {
                // The VLAN is another one there.
                expected.retain(|index| index % 100 != 4);
            }
            assert_eq!(indices(got), expected, "frame {number} of {port:?}, switches at {switches:?}");
            frames += 1;
        }
        assert_eq!(frames, frames_each, "no frame without hits");
    }
}
