//! How long RQ may stand still, and an answer may wait.

use crate::bench::{Bench, number};
use writ_abi::pci::adapter::RQ_PATIENCE_CLOCKS;
use writ_hdl::pcie::StallWatch;

/// Clocks until the watch bites with one of its two inputs up, or `None`.
fn bites(patience: u64, answer: bool, clocks: u64, breath: Option<u64>) -> Option<u64> {
    let mut bench = Bench::new(StallWatch::default(), |block| &mut block.clock);
    bench.block.open.next = true;
    bench.block.patience.next = number(patience);
    bench.tick();
    for clock in 0..clocks {
        let waits = breath.is_none_or(|every| clock % every != every - 1);
        (bench.block.rq_waits.next, bench.block.answer_waits.next) = (waits && !answer, waits && answer);
        bench.tick();
        if bench.block.stuck.val() {
            assert!(bench.block.noticed.val() && bench.block.standing.val() != answer);
            bench.tick();
            assert!(bench.block.stuck.val() && !bench.block.noticed.val(), "noticed once");
            // Over as soon as it moves.
            (bench.block.rq_waits.next, bench.block.answer_waits.next) = (false, false);
            bench.tick();
            assert!(!bench.block.stuck.val() && !bench.block.standing.val());
            return Some(clock + 1);
        }
    }
    None
}

#[test]
fn it_bites_after_the_time_that_it_was_given() {
    let unit = u64::from(RQ_PATIENCE_CLOCKS);
    for patience in [0, 1, 5] {
        for answer in [false, true] {
            assert_eq!(bites(patience, answer, 2_000, None), Some((patience + 1) * unit), "{patience}, {answer}");
            // One clock in which it moves, and the time begins anew.
            assert_eq!(bites(patience, answer, 4_000, Some((patience + 1) * unit)), None, "{patience}, {answer}");
        }
    }
}

#[test]
fn without_a_session_it_says_only_that_rq_stands() {
    let mut bench = Bench::new(StallWatch::default(), |block| &mut block.clock);
    (bench.block.rq_waits.next, bench.block.answer_waits.next) = (true, true);
    let mut stood = 0;
    for _ in 0..600 {
        bench.tick();
        assert!(!bench.block.stuck.val() && !bench.block.noticed.val());
        stood += u64::from(bench.block.standing.val());
    }
    assert_eq!(stood, 601 - u64::from(RQ_PATIENCE_CLOCKS));
}
