//! How a session begins and ends, with the core's end of it on a clock of its own.

use crate::bench::Random;
use rust_hdl::core::prelude::*;
use rust_hdl::core::simulate::simulate;
use writ_hdl::pcie::{CoreReset, Session};

/// Both ends.
#[derive(LogicBlock, Default)]
struct Ends {
    clock: Signal<In, Clock>,
    core_clock: Signal<In, Clock>,
    session: Session,
    core: CoreReset,
}

impl Logic for Ends {
    #[hdl_gen]
    fn update(&mut self) {
        self.session.clock.next = self.clock.val();
        self.core.clock.next = self.core_clock.val();
        self.core.wanted.next = self.session.core_reset_wanted.val();
        self.session.core_reset_done.next = self.core.done.val();
    }
}

struct Run {
    ends: Ends,
    random: Random,
    resets: usize,
    was_reset: bool,
    done: usize,
    ended: usize,
    flushes: usize,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut ends = Ends::default();
        ends.connect_all();
        ends.core.fifos_open.next = true;
        ends.session.between.next = true;
        let mut run = Self { ends, random: Random(seed), resets: 0, was_reset: false, done: 0, ended: 0, flushes: 0 };
        run.run(800);
        run
    }

    fn step(&mut self) {
        let edges = [self.random.one_in(2), self.random.one_in(2)];
        for (level, high) in [[false; 2], edges, [false; 2]].into_iter().enumerate() {
            self.ends.clock.next = Clock { clk: high[0] };
            self.ends.core_clock.next = Clock { clk: high[1] };
            assert!(simulate(&mut self.ends, 1_000));
            // What the path sees at the edge.
            if level == 0 && edges[0] && self.ends.session.flush_path.val() {
                assert!(self.ends.session.between.val() && !self.ends.session.open.val(), "a TLP is cut");
                self.flushes += 1;
            }
        }
        if edges[0] {
            self.done += usize::from(self.ends.session.function_reset_done.val());
            self.ended += usize::from(self.ends.session.ended.val());
            assert!(!(self.ends.session.open.val() && self.ends.session.flush.val()));
        }
        if edges[1] {
            let reset = self.ends.core.core_reset.val();
            assert!(!reset || !self.ends.session.open.val(), "no reset while requests may go out");
            self.resets += usize::from(reset && !self.was_reset);
            self.was_reset = reset;
        }
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
    }

    fn is_open(&self) -> bool {
        self.ends.session.open.val()
    }

    fn start(&mut self) {
        self.ends.session.link_up.next = true;
        self.ends.session.bus_master.next = true;
        self.run(40);
        assert!(self.is_open());
    }
}

#[test]
fn it_opens_with_link_and_bus_master_and_not_before() {
    let mut run = Run::new(101);
    assert_eq!((run.resets, run.is_open()), (1, false), "one reset of the core behind the hard block's");
    run.ends.session.link_up.next = true;
    run.run(200);
    assert!(!run.is_open());
    run.start();
    assert_eq!((run.resets, run.done, run.ended), (1, 0, 0));
}

#[test]
fn bus_master_off_drains_first_and_resets_the_core() {
    let mut run = Run::new(102);
    run.start();
    run.ends.session.between.next = false;
    run.ends.session.bus_master.next = false;
    run.run(300);
    assert_eq!((run.is_open(), run.resets, run.ended), (false, 1, 1), "a TLP is half out");
    run.ends.session.between.next = true;
    run.ends.session.untagged.next = true;
    run.run(300);
    assert_eq!(run.resets, 1, "a tag is owed");
    run.ends.session.untagged.next = false;
    run.ends.core.fifos_open.next = false;
    // On again meanwhile: it has to wait.
    run.ends.session.bus_master.next = true;
    run.run(600);
    assert_eq!((run.is_open(), run.resets), (false, 2), "the FIFOs have not followed");
    run.ends.core.fifos_open.next = true;
    run.run(200);
    assert_eq!((run.is_open(), run.resets, run.done, run.flushes), (true, 2, 0, 1));
}

#[test]
fn a_lost_link_waits_for_nothing() {
    let mut run = Run::new(103);
    run.start();
    run.ends.session.between.next = false;
    run.ends.session.link_up.next = false;
    run.run(400);
    assert_eq!((run.is_open(), run.resets, run.ended, run.flushes), (false, 2, 1, 0));
    // Back, and the TLP that had begun is still there: nothing begins before it is out, and the read that it was has its tag.
    run.ends.session.link_up.next = true;
    run.run(400);
    assert_eq!((run.is_open(), run.flushes), (false, 0));
    run.ends.session.between.next = true;
    run.ends.session.untagged.next = true;
    run.run(200);
    assert_eq!((run.is_open(), run.flushes), (false, 1));
    run.ends.session.untagged.next = false;
    run.run(40);
    assert_eq!((run.is_open(), run.flushes, run.resets), (true, 1, 2));
}

#[test]
fn a_stuck_bus_ends_the_session_and_a_new_one_begins() {
    let mut run = Run::new(104);
    run.start();
    run.ends.session.stuck.next = true;
    run.run(4);
    run.ends.session.stuck.next = false;
    run.run(800);
    assert_eq!((run.is_open(), run.resets, run.ended), (true, 2, 1));
}

#[test]
fn a_function_level_reset_is_reported_done_once() {
    let mut run = Run::new(105);
    run.start();
    for round in 1..4 {
        run.ends.session.function_reset.next = true;
        // With or without the bus master bit, which the hard block clears.
        run.ends.session.bus_master.next = round == 1;
        run.run(800);
        assert_eq!((run.is_open(), run.resets, run.done), (false, 1 + round, round));
        run.ends.session.function_reset.next = false;
        run.run(100);
        if round < 3 {
            run.start();
        }
    }
    // While nothing was open, too.
    run.ends.session.function_reset.next = true;
    run.run(800);
    assert_eq!((run.resets, run.done), (5, 4));
}
