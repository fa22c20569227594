//! The connection: its state, keep-alives both ways, back-off, and what the peer sends.

use super::{
    Action, Place, Session,
    config::{Confirmation, SessionConfig},
    dialect::PeerMessage,
    report::{Fault, Notice},
};
use crate::{arena::BlockMemory, journal::Storage, units::HostNs};
use std::collections::VecDeque;

/// Answers to the peer that may wait to be written, in bytes.
const CONTROL_BYTES_MAX: usize = 16 * 1024;
/// Keep-alives that may wait for an answer: many more than a peer that answers in order leaves open.
const OUTSTANDING_MAX: usize = 1 << 16;
const NS_PER_S: u64 = 1_000_000_000;
/// With a rate: how much may be sent at once after silence, in time at that rate.
const BURST_NS: u64 = NS_PER_S / 10;
/// After a connection has lived this long, the next loss starts the back-off anew.
const STABLE_NS: u64 = 60_000_000_000;

/// State of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Down { retry_at: HostNs },
    Connecting,
    Up,
    Closing,
}

/// A keep-alive of ours that was not answered yet: what stood before it will be confirmed by the answer.
#[derive(Debug, Clone, Copy)]
struct Outstanding {
    sequence: u32,
    place: Place,
    sent_at: HostNs,
}

/// Part of a unit that is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) unit: u64,
    pub(super) from: u32,
    pub(super) to: u32,
    /// First PDU behind the run.
    pub(super) until: u32,
    pub(super) bytes: u32,
}

#[derive(Debug)]
pub(super) struct Link {
    state: State,
    attempts: u32,
    connections: u64,
    jitter: u64,
    up_since: HostNs,
    last_sent: HostNs,
    last_keep_alive: HostNs,
    last_progress: HostNs,
    /// When writing last began or got on, our own keep-alives included: those are no sign of life of the peer's.
    writing_since: HostNs,
    /// When the control PDUs that are being written were begun.
    control_since: HostNs,
    next_sequence: u32,
    outstanding: VecDeque<Outstanding>,
    /// The furthest place that a keep-alive of ours stands behind.
    barrier_place: Place,
    bytes_since_barrier: u64,
    /// When the first PDU behind the last barrier was written.
    unbarriered_since: Option<HostNs>,
    /// Control PDUs that are being written.
    pub(super) control: Vec<u8>,
    pub(super) control_at: usize,
    /// Control PDUs behind them.
    queued: Vec<u8>,
    pub(super) run: Option<Run>,
    /// With a rate: when what was sent so far would have been sent at that rate.
    paid_until: HostNs,
    input: Vec<u8>,
    /// Messages on this connection that mean nothing to us.
    meaningless: u64,
    fault: Option<Fault>,
}

impl Link {
    pub(super) fn new(config: &SessionConfig) -> Self {
        Self {
            state: State::Down { retry_at: HostNs(0) },
            attempts: 0,
            connections: 0,
            jitter: config.seed,
            up_since: HostNs(0),
            last_sent: HostNs(0),
            last_keep_alive: HostNs(0),
            last_progress: HostNs(0),
            writing_since: HostNs(0),
            control_since: HostNs(0),
            next_sequence: 0,
            outstanding: VecDeque::new(),
            barrier_place: (0, 0),
            bytes_since_barrier: 0,
            unbarriered_since: None,
            control: Vec::new(),
            control_at: 0,
            queued: Vec::new(),
            run: None,
            paid_until: HostNs(0),
            input: Vec::new(),
            meaningless: 0,
            fault: None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections
    }

    fn is_writing(&self) -> bool {
        self.run.is_some() || self.control_at < self.control.len()
    }

    /// splitmix64: the same seed gives the same waits.
    fn random(&mut self) -> u64 {
        self.jitter = self.jitter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.jitter ^ self.jitter >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ a >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ b >> 31
    }

    /// The wait before the next attempt: none before the first one, then twice as long each time, a quarter more or less.
    fn wait_ns(&mut self, config: &SessionConfig) -> u64 {
        let Some(doublings) = self.attempts.checked_sub(1) else { return 0 };
        let doubled = config.retry.first_ns.saturating_mul(1 << doublings.min(32));
        let wait_ns = doubled.min(config.retry.longest_ns);
        let quarter = (wait_ns / 4).max(1);
        wait_ns - quarter + self.random() % (2 * quarter)
    }

    fn down(&mut self, config: &SessionConfig, now: HostNs) {
        let wait_ns = self.wait_ns(config);
        self.attempts = self.attempts.saturating_add(1);
        self.state = State::Down { retry_at: now.plus(wait_ns) };
    }

    /// PDUs were written up to `place`.
    pub(super) fn sent_run(&mut self, bytes: u32, now: HostNs) {
        self.bytes_since_barrier += u64::from(bytes);
        self.unbarriered_since.get_or_insert(now);
    }
}

impl<B: BlockMemory, S: Storage> Session<B, S> {
    /// What to do next. Journalled sessions write to and sync their storage in here.
    pub fn poll(&mut self, now: HostNs) -> Action {
        self.spool(now);
        match self.link.state {
            State::Down { .. } if self.stopping => Action::Wait(None),
            State::Down { retry_at } if now >= retry_at => {
                self.link.state = State::Connecting;
                Action::Connect
            }
            State::Down { retry_at } => {
                self.take_out_withheld_in_front(now);
                Action::Wait(Some(self.storage_retry.map_or(retry_at, |storage| storage.min(retry_at))))
            }
            State::Connecting | State::Closing => Action::Wait(self.storage_retry),
            State::Up => self.poll_up(now),
        }
    }

    fn poll_up(&mut self, now: HostNs) -> Action {
        if let Some(fault) = self.overdue(now) {
            self.link.state = State::Closing;
            self.report.notice(Notice::Closing(fault.clone()));
            return Action::Close(fault);
        }
        if !self.link.is_writing() {
            self.schedule_keep_alive(now);
            self.link.control.clear();
            self.link.control_at = 0;
            core::mem::swap(&mut self.link.control, &mut self.link.queued);
            self.link.control_since = now;
            if self.link.control.is_empty() && self.held_back_until().is_none_or(|until| now >= until) {
                self.prepare_run(now);
            }
            if self.link.is_writing() {
                // Silence before now is no stall.
                self.link.writing_since = self.link.writing_since.max(now);
            }
        }
        if self.link.is_writing() { Action::Write } else { Action::Wait(self.next_deadline()) }
    }

    /// A reason to close the connection, if there is one.
    fn overdue(&mut self, now: HostNs) -> Option<Fault> {
        if self.stopping {
            return Some(Fault::Stopping);
        }
        if let Some(fault) = self.link.fault.take() {
            return Some(fault);
        }
        let answer_ns = self.config.keep_alive.answer_ns;
        let stalled_ns = now.since(self.link.writing_since.max(self.link.last_progress));
        if self.link.is_writing() {
            return (stalled_ns >= answer_ns).then_some(Fault::Stalled { after_ns: stalled_ns });
        }
        let oldest = self.link.outstanding.front()?;
        let since = now.since(oldest.sent_at.max(self.link.last_progress));
        let is_late = since >= answer_ns || self.link.outstanding.len() > OUTSTANDING_MAX;
        is_late.then_some(Fault::Unanswered { after_ns: since })
    }

    fn keep_alive_at(&self) -> HostNs {
        let from =
            if self.config.key.interface.is_handover() { self.link.last_sent } else { self.link.last_keep_alive };
        from.plus(self.config.keep_alive.after_ns)
    }

    /// When the next extra keep-alive is due, if PDUs wait for one.
    fn barrier_at(&self) -> Option<HostNs> {
        let Confirmation::Barrier { every_bytes, every_ns } = self.config.confirmation else { return None };
        let since = self.link.unbarriered_since?;
        Some(if self.link.bytes_since_barrier >= self.kept_bytes(every_bytes) { since } else { since.plus(every_ns) })
    }

    fn schedule_keep_alive(&mut self, now: HostNs) {
        let due = now >= self.keep_alive_at() || self.barrier_at().is_some_and(|at| now >= at);
        if !due {
            return;
        }
        let sequence = self.link.next_sequence;
        self.link.next_sequence = sequence.wrapping_add(1);
        self.dialect.keep_alive(sequence, self.config.wall_clock.at(now), &mut self.link.queued);
        self.link.outstanding.push_back(Outstanding { sequence, place: self.cursor, sent_at: now });
        self.link.last_keep_alive = now;
        self.link.bytes_since_barrier = 0;
        self.link.unbarriered_since = None;
        self.link.barrier_place = self.cursor;
    }

    /// With a rate: until when no PDU is begun. A burst may be as long as what the rate gives in [`BURST_NS`].
    fn held_back_until(&self) -> Option<HostNs> {
        self.config.rate_bytes_per_s?;
        // Without PDUs there is nothing to hold back, and nothing to wake up for.
        let waits = !self.is_all_sent();
        waits.then_some(HostNs(self.link.paid_until.0.saturating_sub(BURST_NS)))
    }

    /// So many octets of PDUs were taken by the transport.
    fn pay(&mut self, bytes: usize, now: HostNs) {
        let Some(rate) = self.config.rate_bytes_per_s else { return };
        let cost_ns = (bytes as u64).saturating_mul(NS_PER_S) / rate;
        self.link.paid_until = self.link.paid_until.max(now).plus(cost_ns);
    }

    fn next_deadline(&self) -> Option<HostNs> {
        let answer = self
            .link
            .outstanding
            .front()
            .map(|oldest| oldest.sent_at.max(self.link.last_progress).plus(self.config.keep_alive.answer_ns));
        [Some(self.keep_alive_at()), self.barrier_at(), answer, self.storage_retry, self.held_back_until()]
            .into_iter()
            .flatten()
            .min()
    }

    /// A connection is up, TLS included.
    pub fn connected(&mut self, now: HostNs) {
        self.rewind();
        let link = &mut self.link;
        link.state = State::Up;
        link.connections += 1;
        link.up_since = now;
        (link.last_sent, link.last_keep_alive, link.last_progress, link.writing_since) = (now, now, now, now);
        link.next_sequence = 0;
        link.outstanding.clear();
        link.barrier_place = self.confirmed;
        link.bytes_since_barrier = 0;
        link.unbarriered_since = None;
        link.control.clear();
        link.control_at = 0;
        link.queued.clear();
        link.input.clear();
        link.meaningless = 0;
        link.fault = None;
        self.report.notice(Notice::Connected);
    }

    /// The connection could not be opened.
    pub fn connect_failed(&mut self, now: HostNs) {
        self.link.down(&self.config, now);
    }

    /// The connection is gone, whoever closed it.
    pub fn disconnected(&mut self, now: HostNs) {
        if matches!(self.link.state, State::Up | State::Closing) {
            if now.since(self.link.up_since) >= STABLE_NS {
                self.link.attempts = 0;
            }
            self.report.notice(Notice::Disconnected { again_bytes: self.under_way_bytes });
        }
        self.rewind();
        self.link.down(&self.config, now);
    }

    /// Octets to write now. Empty unless [`Session::poll`] just answered [`Action::Write`].
    pub fn transmit(&self) -> &[u8] {
        if self.link.control_at < self.link.control.len() {
            return &self.link.control[self.link.control_at..];
        }
        match self.link.run.and_then(|run| Some((run, self.backlog.index(run.unit)?))) {
            Some((run, index)) => self.backlog.pdus(index, run.from..run.to),
            None => &[],
        }
    }

    /// So many octets of [`Session::transmit`] were taken by the transport.
    pub fn transmitted(&mut self, bytes: usize, now: HostNs) {
        if bytes == 0 {
            return;
        }
        (self.link.last_sent, self.link.writing_since) = (now, now);
        if self.link.control_at < self.link.control.len() {
            self.link.control_at = (self.link.control_at + bytes).min(self.link.control.len());
            if self.link.control_at == self.link.control.len() {
                // The peer cannot answer what it could not read: its time runs from the last octet on.
                let begun = self.link.control_since;
                let just_sent = self.link.outstanding.iter_mut().rev().take_while(|each| each.sent_at >= begun);
                just_sent.for_each(|each| each.sent_at = now);
            }
            return;
        }
        self.link.last_progress = now;
        self.pay(bytes, now);
        let Some(run) = &mut self.link.run else { return };
        run.from = run.from.saturating_add(bytes as u32).min(run.to);
        if run.from == run.to {
            let run = *run;
            self.link.run = None;
            self.finish_run(run, now);
        }
    }

    /// Octets that the peer sent.
    pub fn received(&mut self, octets: &[u8], now: HostNs) {
        if !self.link.is_up() {
            return;
        }
        self.link.input.extend_from_slice(octets);
        let mut input = core::mem::take(&mut self.link.input);
        let mut used = 0;
        while self.link.fault.is_none() {
            match self.dialect.parse(&input[used..]) {
                Ok(None) => break,
                Ok(Some((message, length))) => {
                    used += length;
                    if self.handle(message, now) {
                        self.link.last_progress = now;
                        self.link.attempts = 0;
                    }
                }
                Err(what) => self.link.fault = Some(Fault::Malformed(what)),
            }
        }
        input.drain(..used);
        if input.len() > self.config.peer_pdu_bytes_max && self.link.fault.is_none() {
            let max = self.config.peer_pdu_bytes_max;
            self.link.fault = Some(Fault::Malformed(format!("a PDU of more than {max} octets")));
        }
        self.link.input = input;
    }

    /// Whether the message is a sign of life. An answer to nothing is none: who gives only such would be waited for without end.
    fn handle(&mut self, message: PeerMessage, now: HostNs) -> bool {
        match message {
            PeerMessage::KeepAlive(sequence) => {
                if self.link.queued.len() > CONTROL_BYTES_MAX {
                    self.link.fault = Some(Fault::Flood);
                    return false;
                }
                self.dialect.answer(sequence, self.config.wall_clock.at(now), &mut self.link.queued);
            }
            PeerMessage::Answer(sequence) => {
                match self.link.outstanding.iter().position(|outstanding| outstanding.sequence == sequence) {
                    None => {
                        self.note_meaningless(Notice::UnknownAnswer(sequence));
                        return false;
                    }
                    Some(index) => {
                        let place = self.link.outstanding[index].place;
                        self.link.outstanding.drain(..=index);
                        if matches!(self.config.confirmation, Confirmation::Barrier { .. }) {
                            self.peer_confirmed = self.peer_confirmed.max(place);
                            self.settle();
                        }
                    }
                }
            }
            PeerMessage::Other(what) => self.note_meaningless(Notice::Ignored(what)),
        }
        true
    }

    /// Told the first time, and each time that there are twice as many: how often it happens is the peer's choice.
    fn note_meaningless(&mut self, notice: Notice) {
        self.link.meaningless += 1;
        if self.link.meaningless.is_power_of_two() {
            self.report.notice(notice);
        }
    }
}
