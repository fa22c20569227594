//! The FIFO in front of the transmitter between models of two lines at the limits that its arithmetic names.

use crate::bench::{Bench, number, value};
use crate::mac_lines::{Beat64, IDLE_OCTETS, Receiver, Traffic, Transmitter};
use writ_hdl::axis::Beat;
use writ_hdl::vendor::{MAC_AHEAD_BEATS, MAC_LATENCY_CLOCKS_MAX, MAC_START_BEATS, MacFifo};

type Fifo = MacFifo<64, 6, 7>;

/// What a run has shown.
#[derive(Debug, Default)]
struct Outcome {
    frames: usize,
    whole: usize,
    cut: usize,
    overflows: usize,
    underflows: usize,
    latency_min: u64,
    latency_max: u64,
    inside_max: usize,
}

/// Lines of one run.
struct Lines {
    /// Receiver against transmitter.
    ppm: i64,
    /// Shortest idle of the transmitter, in octets.
    idle_octets: u64,
    /// What the receiver's line carries.
    traffic: Traffic,
    /// Beats held before a frame starts.
    start_beats: usize,
}

const AT_THE_LIMIT: Lines =
    Lines { ppm: 200, idle_octets: 10, traffic: |_| (9_600, IDLE_OCTETS), start_beats: MAC_START_BEATS };

/// Frames whose transmitter has run empty before, so that it takes all that it may ahead.
const SPARSE: Traffic = |random| (1_100 + random.below(500), IDLE_OCTETS + random.below(800));

/// A beat inside: when it came, and what it is.
type Inside = std::collections::VecDeque<(u64, Beat64)>;

fn run(lines: &Lines, clocks: u64, seed: u64) -> Outcome {
    let mut bench = Bench::new(Fifo::new(lines.start_beats), |block| &mut block.clock);
    let mut receiver = Receiver::new(lines.ppm, lines.traffic, seed);
    let mut transmitter = Transmitter::new(lines.idle_octets, MAC_AHEAD_BEATS, seed);
    let mut outcome = Outcome { latency_min: u64::MAX, ..Outcome::default() };
    let mut inside = Inside::new();
    let mut sent: Vec<(u64, usize)> = Vec::new();
    for now in 0..clocks {
        let beat = receiver.clock();
        let ready = transmitter.is_ready();
        let block = &mut bench.block;
        block.tx_ready.next = ready;
        block.rx.next = beat.map_or(Beat::default(), |beat| Beat {
            valid: true,
            last: beat.last,
            error: beat.word % 7 == 0,
            bytes: number(beat.octets),
        });
        block.rx_data.next = number(beat.map_or(0, |beat| beat.word));
        bench.settle();
        let block = &bench.block;
        outcome.overflows += usize::from(block.overflow.val());
        outcome.underflows += usize::from(block.underflow.val());
        let tx = block.tx.val();
        let mut given = None;
        if tx.valid && ready {
            given = Some(leave(&bench.block, &mut inside, &mut sent, &mut outcome, now));
        }
        transmitter.clock(given.as_ref());
        // A beat whose frame was dropped never leaves; it is found and thrown away when a later one does.
        inside.extend(beat.map(|beat| (now, beat)));
        if outcome.overflows == 0 {
            outcome.inside_max = outcome.inside_max.max(inside.len());
        }
        bench.tick();
    }
    outcome.frames = receiver.frames;
    outcome
}

/// A beat leaves: which one it is, and whether its frame is whole.
fn leave(block: &Fifo, inside: &mut Inside, sent: &mut Vec<(u64, usize)>, outcome: &mut Outcome, now: u64) -> Beat64 {
    let (tx, word) = (block.tx.val(), value(block.tx_data.val()));
    let (came, beat) = loop {
        let (came, beat) = inside.pop_front().expect("a beat from nowhere");
        if beat.word == word {
            break (came, beat);
        }
    };
    let cut = tx.last && block.tx_cut.val();
    assert_eq!(tx.error, word % 7 == 0);
    assert!(cut && value(tx.bytes) == 8 || !cut && tx.last == beat.last && value(tx.bytes) == beat.octets);
    outcome.latency_min = outcome.latency_min.min(now - came);
    if outcome.overflows == 0 {
        outcome.latency_max = outcome.latency_max.max(now - came);
    }
    match sent.last_mut() {
        Some((frame, beats)) if *frame == beat.frame => *beats += 1,
        _ => sent.push((beat.frame, 1)),
    }
    let beats = sent.last().map_or(0, |(_, beats)| *beats);
    assert_eq!(beats, beat.index + 1, "frame {} has a hole", beat.frame);
    outcome.whole += usize::from(tx.last && !cut);
    outcome.cut += usize::from(cut);
    Beat64 { last: tx.last, ..beat }
}

#[test]
fn within_the_limits_the_transmitter_never_waits_and_nothing_is_lost() {
    let mixes: [Traffic; 6] = [
        |_| (9_600, IDLE_OCTETS),
        |_| (65, IDLE_OCTETS),
        |_| (64, IDLE_OCTETS),
        |random| (if random.one_in(15) { 9_600 } else { 65 }, IDLE_OCTETS),
        |random| (64 + random.below(1_000), IDLE_OCTETS),
        SPARSE,
    ];
    let (mut latency_min, mut latency_max, mut inside_max) = (u64::MAX, 0, 0);
    for (seed, traffic) in mixes.into_iter().enumerate() {
        for ppm in [200, 0, -200] {
            let lines = Lines { ppm, traffic, ..AT_THE_LIMIT };
            let outcome = run(&lines, 20_000, seed as u64);
            let what = format!("mix {seed} at {ppm} ppm: {outcome:?}");
            assert_eq!((outcome.overflows, outcome.underflows, outcome.cut), (0, 0, 0), "{what}");
            assert!(outcome.frames - outcome.whole < 20 && outcome.whole > 40, "{what}");
            latency_min = latency_min.min(outcome.latency_min);
            latency_max = latency_max.max(outcome.latency_max);
            inside_max = inside_max.max(outcome.inside_max);
        }
    }
    println!("latency {latency_min} to {latency_max} clocks, at most {inside_max} beats inside");
    assert_eq!(latency_min, 2);
    // What the arithmetic says, and not far from it.
    assert!((25..=MAC_LATENCY_CLOCKS_MAX as u64).contains(&latency_max), "{latency_max} clocks");
    assert!((20..=34).contains(&inside_max), "{inside_max} beats");
}

#[test]
fn with_fewer_beats_the_transmitter_would_have_to_wait() {
    let lines = Lines { traffic: SPARSE, start_beats: MAC_START_BEATS - 6, ..AT_THE_LIMIT };
    assert!(run(&lines, 20_000, 1).underflows > 0);
}

#[test]
fn beyond_the_limits_frames_are_lost_whole_or_marked_and_counted() {
    let mixes: [Traffic; 2] = [|_| (9_600, IDLE_OCTETS), |random| (64 + random.below(2_000), IDLE_OCTETS)];
    for (seed, traffic) in mixes.into_iter().enumerate() {
        // A transmitter that is four in a hundred too slow and cannot shrink the idle.
        let outcome = run(&Lines { ppm: 40_000, idle_octets: 12, traffic, ..AT_THE_LIMIT }, 60_000, seed as u64);
        assert!(outcome.overflows > 5 && outcome.cut > 0, "{outcome:?}");
        assert_eq!(outcome.underflows, 0, "{outcome:?}");
        let missing = outcome.frames - outcome.whole - outcome.overflows;
        assert!(missing <= 3, "frames inside at the end: {outcome:?}");
    }
}
