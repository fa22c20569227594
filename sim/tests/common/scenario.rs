//! A course of events for a card, at random or out of a file.
//!
//! The file is text, a line an event, everything in hexadecimal that is bytes; whoever reads it needs no program.

use super::random::{self, Rng};
use super::{EPOCH_NS, in_ring, with_fcs};
use std::fmt::{self, Write as _};
use writ_abi::PortSide;
use writ_abi::command::{Command, Opcode};
use writ_abi::limits::RECORD_RINGS;
use writ_abi::parse::TunnelKind;
use writ_abi::time::TimeQuality;
use writ_driver::{BringUp, LookupSettings, RingSizes, TunnelKinds};
use zerocopy::IntoBytes;

/// One thing to do to the card.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A frame with its FCS, as soon as the port is free.
    Frame { port: PortSide, bytes: Vec<u8>, damaged: bool },
    /// A good frame without FCS at a clock, counted from arming.
    FrameAt { port: PortSide, frame: Vec<u8>, clock: u64 },
    /// All at once.
    Commands(Vec<Command>),
    /// Let so many clocks pass.
    Run(u64),
    /// Take what the rings hold whose bit is set.
    Consume(u8),
    /// Reset the card in the middle of everything and bring it up again, with the rows of the beginning.
    Reset,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self))
    }
}

/// What happens to a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) record_lines: [u32; RECORD_RINGS],
    pub(crate) quality: TimeQuality,
    pub(crate) now_ns: u64,
    pub(crate) prefix_bits: Option<u8>,
    /// A bit a kind.
    pub(crate) own_tunnels: u32,
    pub(crate) seed: u64,
    /// Of 256.
    pub(crate) ingress_stalls: u8,
    /// Of 256.
    pub(crate) dma_stalls: u8,
    /// Commands before the card is armed, in groups that are submitted at once.
    pub(crate) rows: Vec<Vec<Command>>,
    pub(crate) actions: Vec<Action>,
}

impl Scenario {
    /// Nothing out of the ordinary.
    pub(crate) fn plain(rows: Vec<Command>, actions: Vec<Action>) -> Self {
        Self {
            record_lines: [4096; RECORD_RINGS],
            quality: TimeQuality::Free,
            now_ns: EPOCH_NS,
            prefix_bits: None,
            own_tunnels: 0,
            seed: 1,
            ingress_stalls: 0,
            dma_stalls: 0,
            rows: rows.into_iter().map(|row| vec![row]).collect(),
            actions,
        }
    }

    pub(crate) fn sizes(&self) -> RingSizes {
        RingSizes { record_lines: self.record_lines, commands: 64 }
    }

    pub(crate) fn how(&self) -> BringUp {
        let own_tunnels: TunnelKinds =
            TunnelKind::ALL.into_iter().filter(|kind| self.own_tunnels >> *kind as u32 & 1 == 1).collect();
        let lookup = LookupSettings { prefix_bits: self.prefix_bits, own_tunnels };
        BringUp { now_ns: self.now_ns, quality: self.quality, lookup, ..super::HOW }
    }

    pub(crate) fn frames(&self) -> usize {
        let is_frame = |action: &&Action| matches!(action, Action::Frame { .. } | Action::FrameAt { .. });
        self.actions.iter().filter(is_frame).count()
    }

    /// A random one with at most so many frames.
    pub(crate) fn random(seed: u64, frames_max: usize) -> Self {
        let rng = &mut Rng::new(seed);
        let most = if rng.percent(70) { 600 } else { 60 };
        let count = 1 + rng.below(most.min(frames_max));
        let frames = frames(rng, count);
        let prefix_bits = match rng.below(10) {
            0 => None,
            1 | 2 => Some(1 + rng.below(128) as u8),
            3 => Some(128),
            _ => Some(56),
        };
        let stalls = |rng: &mut Rng| if rng.percent(60) { 0 } else { rng.below(128) as u8 };
        let mut scenario = Self {
            record_lines: std::array::from_fn(|_| rng.pick(&[256, 256, 1024, 4096])),
            quality: rng.pick(&[TimeQuality::Free, TimeQuality::Locked]),
            // A tick begins in the middle of the traffic, or not.
            now_ns: EPOCH_NS - rng.pick(&[0, 20_000, 60_000, 150_000]),
            prefix_bits,
            own_tunnels: if rng.percent(50) { 0 } else { rng.next() as u32 & 0x3fe },
            seed: rng.next(),
            ingress_stalls: stalls(rng),
            dma_stalls: stalls(rng),
            rows: Vec::new(),
            actions: Vec::new(),
        };
        if rng.percent(4) {
            scenario.quality = TimeQuality::Unset;
        }
        scenario.fill(rng, frames);
        scenario
    }

    fn fill(&mut self, rng: &mut Rng, frames: Vec<Vec<u8>>) {
        let bits = self.prefix_bits.unwrap_or(0);
        let mut known = Vec::new();
        // Hits of one ring stand in one record.
        let ring = if rng.percent(30) { Some(rng.below(RECORD_RINGS) as u8) } else { None };
        for _ in 0..rng.below(80) {
            let commands = random::commands(rng, &frames, bits, &mut known);
            let writes = [Opcode::WriteRow as u8, Opcode::WriteRule as u8];
            let to_ring = |command: Command| match ring {
                Some(ring) if writes.contains(&command.opcode) => in_ring(command, ring),
                _ => command,
            };
            self.rows.push(commands.into_iter().map(to_ring).collect());
        }
        let (command_share, consume_share) = (rng.pick(&[0, 5, 15, 30]), rng.pick(&[2, 10]));
        // Without a pause, short frames come faster than they are looked up.
        let pause_share = rng.pick(&[25, 25, 25, 0]);
        let command_share = if pause_share == 0 { 0 } else { command_share };
        let reset_at = if rng.percent(8) { rng.below(frames.len()) } else { usize::MAX };
        for (number, frame) in frames.iter().enumerate() {
            let port = rng.pick(&PortSide::ALL);
            self.actions.push(Action::Frame { port, bytes: with_fcs(frame), damaged: rng.percent(4) });
            if rng.percent(command_share) {
                self.actions.push(Action::Commands(random::commands(rng, &frames, bits, &mut known)));
            }
            if rng.percent(pause_share) {
                self.actions.push(Action::Run(rng.below(200) as u64));
            }
            if rng.percent(consume_share) {
                self.actions.push(Action::Consume(rng.next() as u8 & 15));
            }
            if number == reset_at {
                self.actions.push(Action::Reset);
            }
        }
    }
}

/// Frames for one scenario: mostly all different; or few that come again and again, so that many rows meet in one frame; or many of the
/// shortest, which come faster than they can be looked up.
fn frames(rng: &mut Rng, count: usize) -> Vec<Vec<u8>> {
    match rng.below(10) {
        0..6 => (0..count).map(|_| random::frame(rng)).collect(),
        6..9 => {
            let few: Vec<Vec<u8>> = (0..1 + rng.below(6)).map(|_| random::frame(rng)).collect();
            (0..count).map(|_| few[rng.below(few.len())].clone()).collect()
        }
        _ => {
            let short = |rng: &mut Rng| {
                let mut frame = random::frame(rng);
                frame.truncate(60);
                frame
            };
            (0..count).map(|_| short(rng)).collect()
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn line(action: &Action) -> String {
    match action {
        Action::Frame { port, bytes, damaged } => format!("frame {port:?} {} {}", u8::from(*damaged), hex(bytes)),
        Action::FrameAt { port, frame, clock } => format!("frame-at {port:?} {clock} {}", hex(frame)),
        Action::Commands(commands) => commands_line("commands", commands),
        Action::Run(clocks) => format!("run {clocks}"),
        Action::Consume(rings) => format!("consume {rings}"),
        Action::Reset => "reset".to_owned(),
    }
}

fn commands_line(name: &str, commands: &[Command]) -> String {
    let all: Vec<String> = commands.iter().map(|command| hex(command.as_bytes())).collect();
    format!("{name} {}", all.join(" "))
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.record_lines;
        writeln!(f, "rings {a} {b} {c} {d}")?;
        writeln!(f, "time {} {}", self.now_ns, self.quality as u8)?;
        writeln!(f, "prefix {}", self.prefix_bits.unwrap_or(0))?;
        writeln!(f, "own-tunnels {}", self.own_tunnels)?;
        writeln!(f, "disturb {} {} {}", self.seed, self.ingress_stalls, self.dma_stalls)?;
        for rows in &self.rows {
            writeln!(f, "{}", commands_line("before", rows))?;
        }
        self.actions.iter().try_for_each(|action| writeln!(f, "{}", line(action)))
    }
}

impl std::str::FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut scenario = Self::plain(Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [name, values @ ..] = words.as_slice() {
                scenario.take(name, values).ok_or(format!("line {number}: {name} is not understood"))?;
            }
        }
        Ok(scenario)
    }
}

impl Scenario {
    fn take(&mut self, name: &str, values: &[&str]) -> Option<()> {
        match (name, values) {
            ("rings", _) => self.record_lines = numbers(values)?,
            ("time", [now, quality]) => {
                self.now_ns = now.parse().ok()?;
                self.quality = TimeQuality::from_bits(quality.parse().ok()?)?;
            }
            ("prefix", [bits]) => self.prefix_bits = Some(bits.parse().ok()?).filter(|bits| *bits != 0),
            ("own-tunnels", [kinds]) => self.own_tunnels = kinds.parse().ok()?,
            ("disturb", [seed, ingress, dma]) => {
                self.seed = seed.parse().ok()?;
                (self.ingress_stalls, self.dma_stalls) = (ingress.parse().ok()?, dma.parse().ok()?);
            }
            ("before", _) => self.rows.push(commands(values)?),
            _ => self.actions.push(action(name, values)?),
        }
        Some(())
    }
}

fn action(name: &str, values: &[&str]) -> Option<Action> {
    Some(match (name, values) {
        ("frame", [side, damaged, frame]) => {
            Action::Frame { port: port(side)?, damaged: *damaged == "1", bytes: bytes(frame)? }
        }
        ("frame-at", [side, clock, frame]) => {
            Action::FrameAt { port: port(side)?, clock: clock.parse().ok()?, frame: bytes(frame)? }
        }
        ("commands", _) => Action::Commands(commands(values)?),
        ("run", [clocks]) => Action::Run(clocks.parse().ok()?),
        ("consume", [rings]) => Action::Consume(rings.parse().ok()?),
        ("reset", []) => Action::Reset,
        _ => return None,
    })
}

fn numbers(values: &[&str]) -> Option<[u32; RECORD_RINGS]> {
    let values: Option<Vec<u32>> = values.iter().map(|value| value.parse().ok()).collect();
    values?.try_into().ok()
}

fn port(name: &str) -> Option<PortSide> {
    PortSide::ALL.into_iter().find(|side| format!("{side:?}") == name)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn commands(values: &[&str]) -> Option<Vec<Command>> {
    let command = |value: &&str| {
        let line: [u8; 64] = bytes(value)?.try_into().ok()?;
        Some(zerocopy::transmute!(line))
    };
    values.iter().map(command).collect()
}

/// Takes away what a failure does not need, until nothing more can go or `tries` are used up. `fails`: whether a scenario still fails.
pub(crate) fn shrink(mut scenario: Scenario, mut tries: u32, fails: &dyn Fn(&Scenario) -> bool) -> Scenario {
    let mut attempt = |candidate: Scenario, best: &mut Scenario| {
        if tries == 0 {
            return false;
        }
        tries -= 1;
        let is_smaller = fails(&candidate);
        if is_smaller {
            *best = candidate;
        }
        is_smaller
    };
    loop {
        let before = scenario.clone();
        drop_parts(&mut scenario, |scenario| &mut scenario.actions, &mut attempt);
        drop_parts(&mut scenario, |scenario| &mut scenario.rows, &mut attempt);
        for simpler in [simpler_world, shorter_frames] {
            let candidate = simpler(&scenario);
            if candidate != scenario {
                attempt(candidate, &mut scenario);
            }
        }
        if scenario == before {
            return scenario;
        }
    }
}

/// Tries without halves, quarters and so on down to single elements.
fn drop_parts<T: Clone>(
    best: &mut Scenario,
    part: fn(&mut Scenario) -> &mut Vec<T>,
    attempt: &mut dyn FnMut(Scenario, &mut Scenario) -> bool,
) {
    let mut size = part(best).len();
    while size > 0 {
        let mut start = 0;
        while start < part(best).len() {
            let mut candidate = best.clone();
            let all = part(&mut candidate);
            all.drain(start..(start + size).min(all.len()));
            if !attempt(candidate, best) {
                start += size;
            }
        }
        size /= 2;
    }
}

fn simpler_world(scenario: &Scenario) -> Scenario {
    Scenario { ingress_stalls: 0, dma_stalls: 0, now_ns: EPOCH_NS, ..scenario.clone() }
}

/// The same with all frames of at most 260 bytes.
fn shorter_frames(scenario: &Scenario) -> Scenario {
    let mut shorter = scenario.clone();
    for action in &mut shorter.actions {
        if let Action::Frame { bytes, .. } = action
            && bytes.len() > 264
        {
            *bytes = with_fcs(&bytes[..260]);
        }
    }
    shorter
}
