//! Line rate and beyond.

use crate::common::frames::udp;
use crate::common::scenario::{Action, Scenario};
use crate::common::{address_row, clear_of};
use crate::good;
use crate::run::check;
use writ_abi::record::DropCause;
use writ_abi::registers::Counter;
use writ_abi::{PortSide, Scope};

/// 148.81 million frames a second on each port, and 10 million table commands a second all the time: every frame is looked up.
#[test]
fn line_rate_on_both_ports_with_commands() {
    let frame = udp("192.0.2.5", "192.0.2.6", [1, 2], 18);
    assert_eq!(frame.len(), 60);
    let of_target = udp("192.0.2.1", "192.0.2.6", [1, 2], 18);
    let row = address_row("192.0.2.1", 0, 1, Scope::Content);
    let mut actions = Vec::new();
    let frames = 20_000_u64;
    for number in 0..frames {
        // A frame with preamble and gap takes 84 bytes of 33/1280 clocks.
        let clock = (number * 84 * 33).div_ceil(1280);
        let frame = if number % 50 == 0 { &of_target } else { &frame };
        for port in PortSide::ALL {
            actions.push(Action::FrameAt { port, frame: frame.clone(), clock });
        }
    }
    // Five commands in 155 clocks, of which the two register writes take 80.
    let commands = vec![row, clear_of(&row), row, row, row];
    for _ in 0..frames * 84 * 33 / 1280 / 155 {
        actions.push(Action::Commands(commands.clone()));
        actions.push(Action::Run(75));
        actions.push(Action::Consume(15));
    }
    let expected = check(&Scenario::plain(vec![row], actions));
    assert_eq!(expected.counters.get(&Counter::Drop(DropCause::WindowFifo as u8)), None);
    assert_eq!(expected.dropped, 0);
    assert!(expected.records[0].len() > 500, "{}", expected.records[0].len());
    let commits = &expected.completions[1..expected.completions.len() - 10];
    let took_ns = commits[commits.len() - 1].stamp_ns.get() - commits[0].stamp_ns.get();
    assert!(commits.len() as u64 * 100 > took_ns, "{} commands in {took_ns} ns", commits.len());
}

/// More frames than any line carries: what is not looked up is counted, and everything else is right.
#[test]
fn more_than_the_line_carries() {
    let rows = vec![address_row("192.0.2.1", 3, 1, Scope::HeadersL3)];
    let frame = udp("192.0.2.1", "192.0.2.6", [1, 2], 0);
    let actions = (0..6000).map(|number| good(PortSide::ALL[number % 2], &frame)).collect();
    let expected = check(&Scenario::plain(rows, actions));
    let lost = expected.counters.get(&Counter::Drop(DropCause::WindowFifo as u8)).copied();
    assert!(lost.is_some_and(|lost| lost > 1000), "{lost:?}");
}
