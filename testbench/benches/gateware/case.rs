//! One case: a load, and what the card made of it.

use std::fmt;
use std::time::Duration;

use writ_abi::PortSide;
use writ_abi::limits::{INDEX_WRITE_BACK_RECORDS, RECORD_FIFO_LINES};
use writ_abi::record::DropCause;
use writ_abi::registers::Counter;
use writ_driver::{Counters, Event, Flow};
use writ_sim::card::SimCard;
use writ_testbench::check::loss::{Backlog, RingSide, record_lines};
use writ_testbench::check::ring_side::RingModel;
use writ_testbench::traffic::line;
use writ_testbench::traffic::load::{FCS_BYTES, FrameSizes, LoadPlan};

use crate::card::{Rig, Seen};
use crate::commands::CommandLoad;
use crate::decision::Decisions;
use crate::failure::Failure;
use crate::source::{Pace, Source};

/// Clocks between two looks at the card.
const SLICE_CLOCKS: u64 = 256;
/// Clocks in which a beat is offered in every one.
const EVERY_CLOCK_CLOCKS: u64 = 4096;
/// Lines that a completion takes on its way to host memory.
const COMPLETION_LINES: u64 = 2;
/// Completions behind which their index is written, or behind the last for now.
const COMPLETIONS_OF_INDEX: u64 = 16;
/// Looks at the card in which everything has to come to its end.
const LOOKS_MAX: u64 = 100_000;

/// What is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    /// Sizes of the frames.
    pub(crate) frame_bytes: FrameSizes,
    /// How many of 100 match.
    pub(crate) matched_percent: u8,
    /// Table commands beside them.
    pub(crate) commands_per_s: u32,
}

/// Drops by cause.
pub(crate) type Drops = [u64; DropCause::ALL.len()];

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Beats that left as they came, for each clock of a time in which a beat was offered in every clock; of the worse port.
    pub(crate) beats_per_clock: f64,
    /// Frames of both ports looked up in a clock at line rate.
    pub(crate) frames_per_clock: f64,
    /// Fewest and most clocks on the wire path.
    pub(crate) wire_clocks: (u64, u64),
    /// Fewest and most clocks of a decision at line rate.
    pub(crate) decision_clocks: (u64, u64),
    /// Drops at line rate.
    pub(crate) drops: Drops,
    /// What the calculation says.
    pub(crate) drops_expected: Drops,
    /// Lines that came to host memory in a clock at line rate, all of them.
    pub(crate) lines_per_clock: f64,
    /// Table commands done in a second of card time.
    pub(crate) commands_per_s: f64,
    /// Clocks simulated in a second of processor time.
    pub(crate) clocks_per_s: f64,
    /// Frames simulated in a second of processor time.
    pub(crate) frames_per_s: f64,
    /// Where the card broke its word.
    pub(crate) faults: Vec<String>,
}

/// Sums over one stretch of traffic.
struct Stretch {
    source: Source,
    decisions: Decisions,
    commands: CommandLoad,
    backlog: Backlog,
    ring: RingModel,
    matched: u64,
    matched_bytes: u64,
    records: u64,
    record_bytes: u64,
    missing: u64,
    spent: Duration,
    run_clocks: u64,
    lines: u64,
    loaded_clocks: u64,
}

impl Case {
    /// Every case of a plan.
    pub(crate) fn all(plan: &LoadPlan) -> Vec<Self> {
        let mut cases = Vec::new();
        for &frame_bytes in &plan.frame_bytes {
            for &matched_percent in &plan.matched_percent {
                for &commands_per_s in &plan.commands_per_s {
                    cases.push(Self { frame_bytes, matched_percent, commands_per_s });
                }
            }
        }
        cases
    }

    pub(crate) fn measure(&self, rig: &mut Rig, clocks: u64) -> Result<Found, Failure> {
        let mut faults = Vec::new();
        let before = rig.counters()?;
        let drops_before = rig.target_drops()?;
        let line = self.stretch(rig, Pace::Line, clocks)?;
        let (after, drops_after) = (rig.counters()?, rig.target_drops()?);
        let counted = Counted { before: &before, after: &after };
        let drops = DropCause::ALL.map(|cause| counted.by(Counter::Drop(cause as u8)));
        line.check(&counted, &drops, &mut faults);
        let dropped = (drops_after.0 - drops_before.0, drops_after.1 - drops_before.1);
        line.check_per_match(&counted, &drops, dropped, &mut faults);

        let dense = self.stretch(rig, Pace::EveryClock, EVERY_CLOCK_CLOCKS)?;
        let last = rig.counters()?;
        let counted = Counted { before: &after, after: &last };
        let dense_drops = DropCause::ALL.map(|cause| counted.by(Counter::Drop(cause as u8)));
        dense.check(&counted, &dense_drops, &mut faults);
        if rig.shared.card().dma_faults() > 0 {
            faults.push(format!("{} accesses outside of the card's memory", rig.shared.card().dma_faults()));
        }
        self.found(&line, &dense, drops, faults)
    }

    fn found(&self, line: &Stretch, dense: &Stretch, drops: Drops, faults: Vec<String>) -> Result<Found, Failure> {
        let mut drops_expected = [0; DropCause::ALL.len()];
        if !line.backlog.fits() {
            drops_expected[DropCause::RecordFifo as usize] = line.ring.dropped();
        }
        let wire = [line, dense].map(|stretch| stretch.source.wire_clocks);
        let [Some(on_line), Some(in_every_clock)] = wire else { return Err(Failure::Endless("the wire path")) };
        let per_second = |count: u64| count as f64 / line.spent.as_secs_f64().max(1e-9);
        let frames: u64 = line.source.sums.iter().map(|sums| sums.frames).sum();
        Ok(Found {
            beats_per_clock: dense.beats_per_clock(),
            frames_per_clock: line.decisions.looked_up as f64 / line.offered_clocks() as f64,
            wire_clocks: (on_line.0.min(in_every_clock.0), on_line.1.max(in_every_clock.1)),
            decision_clocks: line.decisions.clocks.ok_or(Failure::Endless("the decision on a frame"))?,
            drops,
            drops_expected,
            lines_per_clock: line.lines as f64 / line.loaded_clocks.max(1) as f64,
            commands_per_s: line.commands.rate_per_s(),
            clocks_per_s: per_second(line.run_clocks),
            frames_per_s: per_second(frames),
            faults,
        })
    }

    /// Plays one stretch, from an idle card to an idle card.
    fn stretch(&self, rig: &mut Rig, pace: Pace, clocks: u64) -> Result<Stretch, Failure> {
        let mut stretch = self.begin(rig, pace, clocks)?;
        let lines_before = rig.shared.card().dma_lines();
        let mut seen = Seen::default();
        let mut looks = 0;
        loop {
            stretch.source.fill(rig);
            let now = rig.clocks();
            let is_offered = !stretch.source.is_done() || rig.shared.card().queued() > 0;
            if is_offered {
                let submitted = stretch.commands.submit(&mut rig.commands, now)?;
                let lines = submitted * COMPLETION_LINES + submitted.div_ceil(COMPLETIONS_OF_INDEX);
                stretch.backlog.other(now, lines);
                stretch.ring.complete(now, submitted);
            }
            let spent = rig.run(SLICE_CLOCKS);
            if is_offered {
                stretch.spent += spent;
                stretch.run_clocks += SLICE_CLOCKS;
                stretch.lines = rig.shared.card().dma_lines() - lines_before;
                stretch.loaded_clocks += rig.clocks() - now;
            }
            rig.look(&mut seen);
            stretch.take(&mut seen);
            stretch.commands.complete(&mut rig.commands)?;
            let taken = stretch.poll(rig)?;
            let is_over = !is_offered && taken == 0 && stretch.commands.outstanding() == 0;
            if is_over && rig.driver.status()?.records_idle && stretch.poll(rig)? == 0 {
                rig.look(&mut seen);
                stretch.take(&mut seen);
                return Ok(stretch);
            }
            looks += 1;
            if looks > LOOKS_MAX + clocks / SLICE_CLOCKS {
                return Err(Failure::Endless("a stretch of traffic"));
            }
        }
    }

    fn begin(&self, rig: &Rig, pace: Pace, clocks: u64) -> Result<Stretch, Failure> {
        let first_clock = rig.clocks() + SLICE_CLOCKS;
        let biggest = (0..12).map(|number| self.frame_bytes.of(number)).max().unwrap_or_default();
        let side = RingSide {
            fifo_lines: RECORD_FIFO_LINES as u64,
            index_records: INDEX_WRITE_BACK_RECORDS.into(),
            record_lines_max: record_lines(biggest),
        };
        Ok(Stretch {
            source: Source::new(self.frame_bytes, self.matched_percent, pace, first_clock, clocks),
            decisions: Decisions::new(rig.timing),
            commands: CommandLoad::new(self.commands_per_s, first_clock)?,
            backlog: Backlog::new(side),
            ring: RingModel::new(side, rig.place),
            matched: 0,
            matched_bytes: 0,
            records: 0,
            record_bytes: 0,
            missing: 0,
            spent: Duration::ZERO,
            run_clocks: 0,
            lines: 0,
            loaded_clocks: 0,
        })
    }
}

impl Stretch {
    /// Follows what was seen. Arrivals first: whatever else is said about a frame is said later.
    fn take(&mut self, seen: &mut Seen) {
        seen.arrivals.sort_by_key(|arrival| arrival.clock);
        for arrival in seen.arrivals.drain(..) {
            let Some((wire_bytes, is_matched)) = self.source.under_way(arrival.port, arrival.number) else {
                self.decisions.strays += 1;
                continue;
            };
            self.source.arrived(arrival.port, arrival.clock, wire_bytes);
            let bytes = wire_bytes - FCS_BYTES;
            // Sizes fit: they come out of the plan.
            let lines = is_matched.then(|| record_lines(bytes as u16));
            self.decisions.arrived(arrival.port, arrival.clock, wire_bytes, lines);
            if let Some(lines) = lines {
                self.matched += 1;
                self.matched_bytes += bytes as u64;
                self.backlog.record(arrival.clock, lines);
            }
        }
        for frame in seen.egress.drain(..) {
            self.source.left(&frame);
        }
        for (clock, tap) in seen.taps.drain(..) {
            self.decisions.take(clock, &tap);
        }
        for (clock, lines) in self.decisions.take_due() {
            self.ring.offer(clock, lines);
        }
    }

    /// Takes the records that are there.
    fn poll(&mut self, rig: &mut Rig) -> Result<u32, Failure> {
        let (records, bytes, missing) = (&mut self.records, &mut self.record_bytes, &mut self.missing);
        let place = &mut rig.place;
        let progress = rig.ring.poll(u32::MAX, |event| {
            match event {
                Event::Packet(packet) => {
                    *records += 1;
                    *bytes += packet.payload.len() as u64;
                    place.advance(record_lines(packet.payload.len() as u16));
                }
                Event::Gap(gap) => {
                    let span = gap.last_sequence.get().wrapping_sub(gap.first_sequence.get());
                    *missing += u64::from(span) + 1;
                    place.advance(1);
                }
                // Nobody has named them: what is missing does not add up below.
                Event::Lost { .. } => {}
            }
            Flow::Taken
        })?;
        Ok(progress.records)
    }

    /// Clocks from the first beat to the end of the last frame.
    fn offered_clocks(&self) -> u64 {
        let first = self.source.sums.iter().filter_map(|sums| sums.first_clock).min().unwrap_or_default();
        let end = self.source.sums.iter().map(|sums| sums.end_clock).max().unwrap_or_default();
        end.saturating_sub(first).max(1)
    }

    fn beats_per_clock(&self) -> f64 {
        let per_port = self.source.sums.map(|sums| {
            let clocks = sums.end_clock.saturating_sub(sums.first_clock.unwrap_or(sums.end_clock)).max(1);
            sums.good_beats as f64 / clocks as f64
        });
        per_port[0].min(per_port[1])
    }

    /// What has to add up in any case.
    fn check(&self, counted: &Counted<'_>, drops: &Drops, faults: &mut Vec<String>) {
        let mut equal = |what: &str, found: u64, expected: u64| {
            if found != expected {
                faults.push(format!("{what}: {found}, expected {expected}"));
            }
        };
        let [a, b] = self.source.sums;
        let window = drops[DropCause::WindowFifo as usize];
        let of_records: u64 = [DropCause::CopyFifo, DropCause::RecordFifo, DropCause::Oversize]
            .iter()
            .map(|cause| drops[*cause as usize])
            .sum();
        equal("frames that left altered or out of order", a.altered + b.altered, 0);
        equal("frames that never left", self.source.missing() as u64, 0);
        equal("frames that nobody sent", self.decisions.strays, 0);
        equal("frames without a decision", self.decisions.missing() as u64, 0);
        equal("decisions in another clock than due", self.decisions.untimely, 0);
        equal("commands refused", self.commands.refused, 0);
        equal("FRAMES_IN_A", counted.by(Counter::FramesInA), a.frames);
        equal("FRAMES_IN_B", counted.by(Counter::FramesInB), b.frames);
        equal("BYTES_IN_A", counted.by(Counter::BytesInA), a.bytes);
        equal("BYTES_IN_B", counted.by(Counter::BytesInB), b.bytes);
        equal("FRAMES_OUT_B", counted.by(Counter::FramesOutB), a.frames);
        equal("FRAMES_OUT_A", counted.by(Counter::FramesOutA), b.frames);
        let looked_up = counted.by(Counter::FramesLookedUpA) + counted.by(Counter::FramesLookedUpB);
        equal("frames looked up, as the taps say", self.decisions.looked_up, looked_up);
        equal("frames looked up or lost before", looked_up + window, a.frames + b.frames);
        equal("windows lost, as the taps say", self.decisions.lost, window);
        if window == 0 {
            equal("RECORDS_DUE", counted.by(Counter::RecordsDue), self.matched);
        }
        equal("records and drops", self.records + of_records, counted.by(Counter::RecordsDue));
        equal("RECORDS", counted.by(Counter::Records), self.records);
        equal("records that gaps name", self.missing, of_records);
        for counter in [Counter::ExpiredHits, Counter::MultiHits, Counter::DamagedReads, Counter::SuppressedTime] {
            equal(&format!("{counter:?}"), counted.by(counter), 0);
        }
    }

    /// What was dropped has to stand on the target's account, to the byte, unless the account could not keep up.
    fn check_per_match(&self, counted: &Counted<'_>, drops: &Drops, dropped: (u64, u64), faults: &mut Vec<String>) {
        let of_records: u64 = drops[..DropCause::WireError as usize].iter().sum();
        let unattributed = counted.by(Counter::DropUnattributed);
        if dropped.0 + unattributed != of_records {
            faults
                .push(format!("{} drops on the target's account, {unattributed} on none, of {of_records}", dropped.0));
        }
        let bytes = self.matched_bytes.saturating_sub(self.record_bytes);
        if unattributed == 0 && drops[DropCause::WindowFifo as usize] == 0 && dropped.1 != bytes {
            faults.push(format!("{} bytes on the target's account, {bytes} are missing", dropped.1));
        }
    }
}

/// Counters before and after.
struct Counted<'a> {
    before: &'a Counters,
    after: &'a Counters,
}

impl Counted<'_> {
    fn by(&self, counter: Counter) -> u64 {
        self.after.value(counter).wrapping_sub(self.before.value(counter))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frame_bytes, matched_percent, commands_per_s } = self;
        write!(f, "{frame_bytes} bytes, {matched_percent} % matched, {commands_per_s} commands/s")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drops: u64 = self.drops.iter().sum();
        write!(
            f,
            "{:.4} beats/clock, {:.4} frames/clock, wire {:?}, decision {:?}, {drops} drops, {:.0} clocks/s",
            self.beats_per_clock, self.frames_per_clock, self.wire_clocks, self.decision_clocks, self.clocks_per_s
        )
    }
}

const _: () = assert!(PortSide::ALL.len() == 2 && line::OVERHEAD_BYTES == 20);
