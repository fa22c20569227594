//! Scenarios for equivalence can be written down, read again and made smaller, and the random ones are about everything.

mod common;

use common::random::Rng;
use common::scenario::{Action, Scenario, shrink};
use std::collections::BTreeSet;
use writ_abi::command::Opcode;

#[test]
fn a_scenario_survives_being_written_down() {
    for seed in 0..40 {
        let scenario = Scenario::random(seed, 200);
        let text = scenario.to_string();
        let read: Scenario = text.parse().expect("what was written can be read");
        assert!(read == scenario, "seed {seed}");
        assert_eq!(read.to_string(), text);
    }
    assert!("frame C 0 00".parse::<Scenario>().is_err());
    assert!("commands 00".parse::<Scenario>().is_err());
    assert_eq!("jump 3".parse::<Scenario>().map(|_| ()), Err("line 1: jump is not understood".to_owned()));
    assert_eq!("# nothing\n\nrun 3 # clocks\n".parse::<Scenario>().map(|read| read.actions), Ok(vec![Action::Run(3)]));
}

#[test]
fn the_same_seed_gives_the_same_scenario() {
    assert!(Scenario::random(7, 300) == Scenario::random(7, 300));
    assert!(Scenario::random(7, 300) != Scenario::random(8, 300));
    assert_ne!(Rng::new(1).next(), Rng::new(2).next());
}

#[test]
fn a_failure_shrinks_to_what_it_needs() {
    // Fails with two frames on port A that are damaged and a consume of all rings behind them.
    let fails = |scenario: &Scenario| {
        let damaged = |action: &Action| matches!(action, Action::Frame { damaged: true, .. });
        let last = scenario.actions.iter().rposition(|action| matches!(action, Action::Consume(15)));
        last.is_some_and(|last| scenario.actions[..last].iter().filter(|action| damaged(action)).count() >= 2)
    };
    let mut found = 0;
    for seed in 0..40 {
        let scenario = Scenario::random(seed, 600);
        if !fails(&scenario) {
            continue;
        }
        found += 1;
        let small = shrink(scenario, 4000, &fails);
        assert!(fails(&small));
        assert_eq!((small.actions.len(), small.rows.len()), (3, 0), "seed {seed}: {:?}", small.actions);
        assert_eq!((small.ingress_stalls, small.dma_stalls), (0, 0));
    }
    assert!(found > 5, "{found}");
}

#[test]
fn random_scenarios_use_every_command() {
    let mut opcodes = BTreeSet::new();
    let (mut resets, mut pending) = (0, 0);
    for seed in 0..60 {
        let scenario = Scenario::random(seed, 600);
        let in_actions = scenario.actions.iter().filter_map(|action| match action {
            Action::Commands(commands) => Some(commands),
            _ => None,
        });
        for command in scenario.rows.iter().chain(in_actions).flatten() {
            opcodes.insert(command.opcode);
            pending += u32::from(command.flags & writ_abi::command::flags::PENDING != 0);
        }
        resets += scenario.actions.iter().filter(|action| **action == Action::Reset).count();
        assert!((1..=600).contains(&scenario.frames()));
    }
    // Drop counters are cleared when all is over: while frames are under way nobody can say which drops are counted already.
    for opcode in Opcode::ALL.into_iter().filter(|opcode| *opcode != Opcode::ClearDrops) {
        assert!(opcodes.contains(&(opcode as u8)), "{opcode:?}");
    }
    assert!(resets > 2 && pending > 100, "{resets} resets, {pending} pending commands");
}
