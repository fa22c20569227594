//! What the numbers have to be.

use std::fmt;

use writ_testbench::traffic::line;
use writ_testbench::traffic::load::{FCS_BYTES, FrameSizes};

use super::cases::Case;

/// Clocks that a frame may take through the core.
const WIRE_CLOCKS_MAX: f64 = 20.0;
/// Clocks that the FIFO in front of the MAC may add: what its arithmetic says, rounded up.
const MAC_FIFO_CLOCKS_MAX: f64 = 37.0;
/// When a line leaves a ring's FIFO, the calculation of drops follows to within some clocks, and beside table commands completions share the bus with
/// records: it may be off by so much of the drops, and by so many of them. Where everything fits it is exact.
const DROPS_SHARE_OFF_MAX: f64 = 0.03;
const DROPS_OFF_MAX: f64 = 16.0;
/// Clocks that the simulation should run a second, for these sizes.
const CLOCKS_PER_S: f64 = 200e3;
const SIZES_OF_SPEED: [&str; 2] = ["imix", "512"];
/// Of the frames that the line carries and of the commands that were asked for, so much must be done: both are counted over a time that
/// does not end with a frame or a group of commands.
const SHARE_MIN: f64 = 0.98;

/// A goal that a case misses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Miss {
    /// Position of the case.
    pub(super) case: usize,
    what: String,
    is_binding: bool,
}

impl Miss {
    /// Whether it fails the command. How fast the simulation runs depends on the machine, and does not.
    pub(super) fn is_binding(&self) -> bool {
        self.is_binding
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Every goal that is missed, case by case.
pub(super) fn judge(cases: &[Case]) -> Vec<Miss> {
    // One number for every row: the first one's.
    let wire_clocks = cases.first().map_or(0.0, |case| case.wire_clocks.0);
    let mut misses = Vec::new();
    for (position, case) in cases.iter().enumerate() {
        let name = case.name();
        let mut miss = |is_binding: bool, what: String| {
            misses.push(Miss { case: position, what: format!("{name}: {what}"), is_binding });
        };
        for what in core_misses(case, wire_clocks) {
            miss(true, what);
        }
        let is_measured = SIZES_OF_SPEED.contains(&case.frame_bytes.as_str());
        if is_measured && case.clocks_per_s < CLOCKS_PER_S {
            miss(false, format!("{:.0} k clocks/s, not {:.0} k", case.clocks_per_s / 1e3, CLOCKS_PER_S / 1e3));
        }
    }
    misses
}

fn core_misses(case: &Case, wire_clocks: f64) -> Vec<String> {
    let mut misses = Vec::new();
    if case.beats_per_clock < 1.0 {
        misses.push(format!("{} beats a clock are accepted, not 1", case.beats_per_clock));
    }
    let (least, most) = case.wire_clocks;
    if least != most || least != wire_clocks {
        misses.push(format!("wire latency of {least} to {most} clocks, not {wire_clocks} in every case"));
    }
    if most > WIRE_CLOCKS_MAX {
        misses.push(format!("wire latency of {most} clocks, more than {WIRE_CLOCKS_MAX}"));
    }
    if case.mac_fifo_clocks > MAC_FIFO_CLOCKS_MAX {
        misses.push(format!("{} clocks in the MAC-side FIFO, more than {MAC_FIFO_CLOCKS_MAX}", case.mac_fifo_clocks));
    }
    for (cause, drops, expected) in &case.by_cause {
        if are_drops_wrong(*drops, *expected) {
            misses.push(format!("{drops} drops by {cause}, not {expected}"));
        }
    }
    if are_drops_wrong(case.drops, case.drops_expected) {
        misses.push(format!("{} drops, not {}", case.drops, case.drops_expected));
    }
    let commands = case.commands_per_s as f64 * SHARE_MIN;
    if case.table_commands_per_s < commands {
        misses.push(format!("{:.2} M table commands a second", case.table_commands_per_s / 1e6));
    }
    let frames = line_frames_per_clock(case) * SHARE_MIN;
    if case.frames_per_clock < frames {
        misses.push(format!("{:.4} frames a clock are looked up, the lines carry more", case.frames_per_clock));
    }
    misses
}

fn are_drops_wrong(drops: f64, expected: f64) -> bool {
    let is_exact = expected == 0.0;
    let off_max = if is_exact { 0.0 } else { expected * DROPS_SHARE_OFF_MAX + DROPS_OFF_MAX };
    (drops - expected).abs() > off_max
}

/// Frames that both lines carry in a clock, on average.
fn line_frames_per_clock(case: &Case) -> f64 {
    let Ok(sizes) = case.frame_bytes.parse::<FrameSizes>() else { return f64::INFINITY };
    let clocks: f64 =
        (0..12).map(|number| 1.0 / line::frames_per_clock(usize::from(sizes.of(number)) + FCS_BYTES)).sum();
    2.0 * 12.0 / clocks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Case {
        Case {
            frame_bytes: "512".to_owned(),
            matched_percent: 10,
            commands_per_s: 10_000_000,
            beats_per_clock: 1.0,
            frames_per_clock: 0.1445,
            wire_clocks: (4.0, 4.0),
            mac_fifo_clocks: 31.0,
            decision_clocks: (60.0, 80.0),
            drops: 1046.0,
            drops_expected: 1000.0,
            by_cause: vec![("record_fifo".to_owned(), 1046.0, 1000.0)],
            ring_lines_per_clock: 0.5,
            table_commands_per_s: 10e6,
            clocks_per_s: 3e5,
            frames_per_s: 1e5,
        }
    }

    #[test]
    fn what_is_good_is_not_marked() {
        assert_eq!(judge(&[good(), good()]), []);
        assert_eq!(judge(&[]), []);
    }

    /// Makes a good case bad.
    type Change = fn(&mut Case);

    #[test]
    fn every_goal_can_be_missed() {
        let change: [(&str, Change); 12] = [
            ("beats a clock", |case| case.beats_per_clock = 0.9999),
            ("to 5 clocks", |case| case.wire_clocks.1 = 5.0),
            ("not 4 in every", |case| case.wire_clocks = (5.0, 5.0)),
            ("more than 20", |case| case.wire_clocks = (21.0, 21.0)),
            ("MAC-side", |case| case.mac_fifo_clocks = 38.0),
            ("by record_fifo", |case| case.by_cause[0].1 = 1047.0),
            ("1047 drops", |case| case.drops = 1047.0),
            ("953 drops", |case| case.drops = 953.0),
            ("1 drops by copy_fifo", |case| case.by_cause.push(("copy_fifo".to_owned(), 1.0, 0.0))),
            ("table commands", |case| case.table_commands_per_s = 9.7e6),
            ("looked up", |case| case.frames_per_clock = 0.141),
            ("looked up", |case| case.frame_bytes = "none".to_owned()),
        ];
        for (word, change) in change {
            let mut bad = good();
            change(&mut bad);
            let misses = judge(&[good(), bad]);
            assert!(
                misses.iter().any(|miss| miss.to_string().contains(word) && miss.is_binding()),
                "{word}: {misses:?}"
            );
            assert!(misses.iter().all(|miss| miss.case == 1));
        }
    }

    #[test]
    fn speed_is_marked_but_does_not_bind() {
        let slow = Case { clocks_per_s: 1e5, ..good() };
        let misses = judge(std::slice::from_ref(&slow));
        assert!(misses.len() == 1 && !misses[0].is_binding());
        assert_eq!(judge(&[Case { frame_bytes: "60".to_owned(), frames_per_clock: 1.0, ..slow }]), []);
    }

    #[test]
    fn the_line_carries_what_it_carries() {
        let frames = line_frames_per_clock(&Case { frame_bytes: "60".to_owned(), ..good() });
        assert!((frames * 322.265_625 - 297.619).abs() < 1e-2, "{frames}");
    }
}
