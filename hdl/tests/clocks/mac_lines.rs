//! Models of two lines of 100 Gb/s with their MACs, seen from the user's side at 322.265625 MHz.

use crate::bench::Random;
use std::collections::VecDeque;

/// Octets of a line in a clock, times a million: 20/33 of 64.
const OCTETS_A_CLOCK: u64 = 38_787_879;
const MICRO: u64 = 1_000_000;
/// Octets from one alignment marker to the next. A sixteenth of the standard's, so that a short run sees many.
const MARKER_EVERY: u64 = 163_840;
const MARKER_OCTETS: u64 = 160;
const PREAMBLE_OCTETS: u64 = 8;
/// Shortest idle of a full line.
pub(crate) const IDLE_OCTETS: u64 = 12;
/// How late a beat may be behind its last octet: two beats.
const JITTER_CLOCKS: u64 = 3;

/// A beat of 64 octets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Beat64 {
    pub(crate) word: u64,
    pub(crate) last: bool,
    pub(crate) octets: u64,
    pub(crate) frame: u64,
    /// Place in the frame.
    pub(crate) index: usize,
}

/// Length of a frame, FCS included, and idle in front of it.
pub(crate) type Traffic = fn(&mut Random) -> (u64, u64);

/// Time of a line, in millionths of octets, without its alignment markers.
struct Line {
    now: u64,
    /// Of the next marker's start.
    marker: u64,
}

impl Line {
    fn new(seed: u64) -> Self {
        Self { now: 0, marker: Random(seed).below(MARKER_EVERY) * MICRO }
    }

    /// Lets `micro_octets` pass and gives how many of them were not markers.
    fn pass(&mut self, micro_octets: u64) -> u64 {
        let end = self.now + micro_octets;
        let overlap = end.min(self.marker + MARKER_OCTETS * MICRO).saturating_sub(self.now.max(self.marker));
        self.now = end;
        if end >= self.marker + MARKER_OCTETS * MICRO {
            self.marker += MARKER_EVERY * MICRO;
        }
        micro_octets - overlap
    }
}

/// A line, and a MAC that gives its frames in beats.
pub(crate) struct Receiver {
    line: Line,
    rate: u64,
    traffic: Traffic,
    random: Random,
    /// Millionths of octets received of the frame and the idle in front of it.
    received: u64,
    remaining: u64,
    /// Idle in front of the frame.
    idle: u64,
    frame: u64,
    index: usize,
    word: u64,
    clock: u64,
    jitter: u64,
    ready: VecDeque<(u64, Beat64)>,
    /// Frames whose last beat was given.
    pub(crate) frames: usize,
}

impl Receiver {
    pub(crate) fn new(ppm: i64, traffic: Traffic, seed: u64) -> Self {
        let mut random = Random(seed);
        let (remaining, idle) = traffic(&mut random);
        Self {
            line: Line::new(seed + 1),
            rate: OCTETS_A_CLOCK.saturating_add_signed(OCTETS_A_CLOCK as i64 * ppm / 1_000_000),
            traffic,
            random,
            received: 0,
            remaining,
            idle,
            frame: 0,
            index: 0,
            word: 1,
            clock: 0,
            jitter: 0,
            ready: VecDeque::new(),
            frames: 0,
        }
    }

    /// One clock: perhaps a beat.
    pub(crate) fn clock(&mut self) -> Option<Beat64> {
        self.received += self.line.pass(self.rate);
        loop {
            let gap = if self.index == 0 { self.idle + PREAMBLE_OCTETS } else { 0 };
            let octets = self.remaining.min(64);
            let Some(rest) = self.received.checked_sub((gap + octets) * MICRO) else { break };
            self.received = rest;
            self.remaining -= octets;
            let last = self.remaining == 0;
            if self.random.one_in(40) {
                self.jitter = self.random.below(JITTER_CLOCKS + 1);
            }
            let beat = Beat64 { word: self.word, last, octets, frame: self.frame, index: self.index };
            self.ready.push_back((self.clock + self.jitter, beat));
            self.word += 1;
            self.index += 1;
            if last {
                (self.frame, self.index) = (self.frame + 1, 0);
                (self.remaining, self.idle) = (self.traffic)(&mut self.random);
            }
        }
        self.clock += 1;
        let (_, beat) = self.ready.pop_front_if(|(at, _)| *at < self.clock)?;
        self.frames += usize::from(beat.last);
        Some(beat)
    }
}

/// A MAC that takes beats ahead of its line, and the line.
pub(crate) struct Transmitter {
    line: Line,
    idle_octets: u64,
    ahead_beats: usize,
    /// Octets of the beats inside, and whether each is a frame's last.
    inside: VecDeque<(u64, bool)>,
    /// Millionths of octets of the beat in front that the line has sent.
    sent: u64,
    /// Millionths of octets until the next frame's first octet.
    pause: u64,
    in_frame: bool,
}

impl Transmitter {
    pub(crate) fn new(idle_octets: u64, ahead_beats: usize, seed: u64) -> Self {
        let line = Line::new(seed + 1_000);
        Self { line, idle_octets, ahead_beats, inside: VecDeque::new(), sent: 0, pause: 0, in_frame: false }
    }

    /// It takes a beat in this clock: it holds the one that it is sending and less than all that it may ahead of it.
    pub(crate) fn is_ready(&self) -> bool {
        self.inside.len() <= self.ahead_beats
    }

    /// One clock, with the beat that it took.
    pub(crate) fn clock(&mut self, beat: Option<&Beat64>) {
        self.inside.extend(beat.map(|beat| (beat.octets * MICRO, beat.last)));
        let mut left = self.line.pass(OCTETS_A_CLOCK);
        let idle = left.min(self.pause);
        (left, self.pause) = (left - idle, self.pause - idle);
        while left > 0 && self.pause == 0 {
            let Some(&(octets, last)) = self.inside.front() else { break };
            self.in_frame = true;
            let part = left.min(octets - self.sent);
            (left, self.sent) = (left - part, self.sent + part);
            if self.sent == octets {
                self.inside.pop_front();
                self.sent = 0;
                self.in_frame = !last;
                if last {
                    self.pause = (self.idle_octets + PREAMBLE_OCTETS) * MICRO;
                    let idle = left.min(self.pause);
                    (left, self.pause) = (left - idle, self.pause - idle);
                }
            }
        }
    }
}
