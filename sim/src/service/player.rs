//! Places the frames of a wire connection: never before their time, never closer than the line allows.

use crate::card::{Arrival, EgressFrame, IngressFrame, SimCard};
use crate::wire::message::Answer;
use crossbeam_channel::{Sender, TrySendError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use writ_abi::PortSide;

/// Frames that wait here before the socket is left unread.
pub(super) const QUEUE_FRAMES: usize = 1024;
/// Answers that wait here before the wires stand still.
const ANSWERS_MAX: usize = 4096;
/// A frame is handed to the card when its time is at most this far away.
const LOOKAHEAD_CLOCKS: u64 = 1024;
/// How long card time waits for the next frame of a client that is sending, or for one that is slow to take what it is told. Long,
/// because a client may have to wait for a processor; the price of a client that stands still is this much, once.
const HOLD: Duration = Duration::from_millis(250);
/// At 100 Gb/s a byte takes 33 of 1280 parts of a clock of 322.265625 MHz.
const BYTE_PARTS: u128 = 33;
const CLOCK_PARTS: u128 = 1280;

/// From a connection to the card's thread.
pub(super) enum WireRequest {
    /// A connection was made.
    Opened {
        /// Its answers go here.
        answers: Sender<Answer>,
        /// Set when it is over, ahead of [`WireRequest::Closed`], which may have to queue.
        over: Arc<AtomicBool>,
    },
    /// A frame to play.
    Frame { at_ns: u64, port: PortSide, damaged: bool, bytes: Vec<u8> },
    /// Something that is answered when it is done.
    Ask(Ask),
    /// The connection is over.
    Closed,
}

/// A request with an answer. The connection's next request waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// When all frames before have left.
    Flush,
    /// Now.
    Time,
    /// Now.
    Statistics,
    /// When the card's time is at least this.
    Advance { until_ns: u64 },
}

struct Scheduled {
    at_ns: u64,
    port: PortSide,
    damaged: bool,
    bytes: Vec<u8>,
}

/// When the card has to run for the wires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Not at all.
    Never,
    /// Frames are on the wires, or will be within a few clocks.
    Now,
    /// Nothing happens before so many clocks have passed.
    In(u64),
}

pub(super) struct Player {
    overhead_bytes: u32,
    connection: Option<Connection>,
    /// In the order in which they came.
    queue: VecDeque<Scheduled>,
    /// First moment, in parts of a clock, at which each port may start its next frame.
    port_free: [u128; 2],
    /// No frame is placed before the client has taken some of what it is told.
    is_held: bool,
    /// Frames handed to the card so far, over all connections: the number of the next.
    next_number: u64,
    pub(super) late_frames: u64,
}

struct Connection {
    answers: Sender<Answer>,
    over: Arc<AtomicBool>,
    /// What the socket's writer could not take yet.
    outbox: VecDeque<Answer>,
    asked: Option<Ask>,
    /// Time of the latest frame that came.
    latest_ns: Option<u64>,
    /// When the client last sent a frame, or took what it is told of frames. Its questions do not count: one that asks for the time again and again
    /// waits for it to go on.
    alive: Instant,
    /// Number of its first frame.
    first_number: u64,
    left: u64,
    late: u64,
}

impl Player {
    pub(super) fn new(overhead_bytes: u32) -> Self {
        Self {
            overhead_bytes,
            connection: None,
            queue: VecDeque::new(),
            port_free: [0; 2],
            is_held: false,
            next_number: 0,
            late_frames: 0,
        }
    }

    /// Whether the next request may be taken.
    pub(super) fn takes_requests(&self) -> bool {
        self.queue.len() < QUEUE_FRAMES && self.connection.as_ref().is_none_or(|connection| connection.asked.is_none())
    }

    pub(super) fn request(&mut self, request: WireRequest) {
        match request {
            // The cable is pulled already.
            WireRequest::Frame { .. } | WireRequest::Ask(_) if self.is_over() => {}
            WireRequest::Opened { answers, over } => {
                self.connection = Some(Connection {
                    answers,
                    over,
                    outbox: VecDeque::new(),
                    asked: None,
                    latest_ns: None,
                    alive: Instant::now(),
                    first_number: self.next_number,
                    left: 0,
                    late: 0,
                });
            }
            WireRequest::Frame { at_ns, port, damaged, bytes } => {
                self.queue.push_back(Scheduled { at_ns, port, damaged, bytes });
                if let Some(connection) = &mut self.connection {
                    connection.latest_ns = connection.latest_ns.max(Some(at_ns));
                    connection.alive = Instant::now();
                }
            }
            WireRequest::Ask(ask) => {
                if let Some(connection) = &mut self.connection {
                    connection.asked = Some(ask);
                }
            }
            WireRequest::Closed => {
                self.connection = None;
                self.queue.clear();
            }
        }
    }

    fn is_over(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| connection.over.load(Ordering::Acquire))
    }

    /// Drops what a connection that is over still wanted: the cable is pulled, what is not on the wire yet never will be.
    pub(super) fn check_connection(&mut self) {
        if self.is_over() {
            self.queue.clear();
            if let Some(connection) = &mut self.connection {
                connection.asked = None;
                connection.latest_ns = None;
                connection.outbox.clear();
            }
        }
    }

    /// What the connection waits for.
    pub(super) fn asked(&self) -> Option<Ask> {
        self.connection.as_ref().and_then(|connection| connection.asked)
    }

    /// Whether every frame so far has left; `quiet`: the card will bring out no more.
    pub(super) fn is_flushed(&self, card: &dyn SimCard, quiet: bool) -> bool {
        let out = self.connection.as_ref().map_or(0, |connection| connection.first_number + connection.left);
        self.queue.is_empty() && card.queued() == 0 && (quiet || out == self.next_number)
    }

    /// The answer to a flush.
    pub(super) fn flushed(&self) -> Answer {
        let (late, lost) = self.connection.as_ref().map_or((0, 0), |connection| {
            (connection.late, self.next_number - connection.first_number - connection.left)
        });
        Answer::Flushed { late, lost }
    }

    /// Answers what the connection waits for.
    pub(super) fn answer(&mut self, answer: Answer) {
        if let Some(connection) = &mut self.connection {
            connection.asked = None;
            connection.outbox.push_back(answer);
        }
    }

    /// Hands frames to the card whose time has come or is near.
    pub(super) fn place(&mut self, card: &mut dyn SimCard) {
        self.is_held = self.is_congested();
        while let Some(frame) = self.queue.front() {
            let now_ns = card.now_ns();
            let Some(wait) = clocks_until(card, frame.at_ns).filter(|wait| *wait <= LOOKAHEAD_CLOCKS) else { return };
            if card.queued() >= QUEUE_FRAMES {
                return;
            }
            if self.is_held {
                return;
            }
            let Some(Scheduled { at_ns, port, damaged, bytes }) = self.queue.pop_front() else { return };
            let free = &mut self.port_free[port as usize];
            // A frame that is due in this very clock is not late, nor is one that has to wait for the line.
            let is_over = at_ns.saturating_add(card.increment() >> 32) < now_ns;
            if is_over && *free <= u128::from(card.clocks()) * CLOCK_PARTS {
                self.late_frames += 1;
                if let Some(connection) = &mut self.connection {
                    connection.late += 1;
                }
            }
            let start = (u128::from(card.clocks() + wait) * CLOCK_PARTS).max(*free);
            *free = start + (bytes.len() as u128 + u128::from(self.overhead_bytes)) * BYTE_PARTS;
            // Clocks fit into 64 bits, and the line is never busy for long.
            let earliest_clock = start.div_ceil(CLOCK_PARTS) as u64;
            card.push(IngressFrame { number: self.next_number, port, earliest_clock, bytes, damaged });
            self.next_number += 1;
        }
    }

    /// When the card has to run for the wires, apart from what it is doing anyway.
    pub(super) fn due(&self, card: &dyn SimCard) -> Due {
        if card.queued() > 0 {
            return Due::Now;
        }
        let frame = self.queue.front().filter(|_| !self.is_held).map(|frame| frame.at_ns);
        let advance = match self.asked() {
            Some(Ask::Advance { until_ns }) => Some(until_ns),
            _ => None,
        };
        match frame.or(advance).and_then(|at_ns| clocks_until(card, at_ns)) {
            None => Due::Never,
            Some(wait) if wait <= LOOKAHEAD_CLOCKS => Due::Now,
            Some(wait) => Due::In(wait - LOOKAHEAD_CLOCKS),
        }
    }

    /// Most clocks that may pass before the client has had its say, and how long to wait for it: a client that is sending must not
    /// find card time ahead of its frames.
    pub(super) fn limit(&self, card: &dyn SimCard) -> Option<(u64, Duration)> {
        let connection = self.connection.as_ref()?;
        let clocks = if self.is_held {
            0
        } else {
            clocks_until(card, connection.latest_ns.filter(|_| connection.asked.is_none())?)?
        };
        let patience = HOLD.checked_sub(connection.alive.elapsed()).filter(|left| !left.is_zero())?;
        Some((clocks, patience))
    }

    /// Whether the client does not take what it is told.
    fn is_congested(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.outbox.len() >= ANSWERS_MAX)
    }

    /// Reports an arrival.
    pub(super) fn arrived(&mut self, arrival: &Arrival) {
        let Arrival { number, port, clock, stamp_ns } = *arrival;
        if let Some((connection, number)) = self.owner(number) {
            connection.outbox.push_back(Answer::Arrived { number, port, clock, stamp_ns });
        }
    }

    /// Reports a departure.
    pub(super) fn left(&mut self, frame: EgressFrame) {
        let EgressFrame { number, port, ingress_clock, egress_clock, bytes, damaged } = frame;
        if let Some((connection, number)) = self.owner(number) {
            connection.left += 1;
            connection.outbox.push_back(Answer::Left { number, port, damaged, ingress_clock, egress_clock, bytes });
        }
    }

    /// The connection that played a frame, if it still exists, and the frame's number on it.
    fn owner(&mut self, number: u64) -> Option<(&mut Connection, u64)> {
        let connection = self.connection.as_mut()?;
        let number = number.checked_sub(connection.first_number)?;
        Some((connection, number))
    }

    /// Gives the socket's writer what it takes. Says whether something is left.
    pub(super) fn send_answers(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        while let Some(answer) = connection.outbox.pop_front() {
            let is_of_a_frame = matches!(answer, Answer::Arrived { .. } | Answer::Left { .. });
            match connection.answers.try_send(answer) {
                Ok(()) if is_of_a_frame => connection.alive = Instant::now(),
                Ok(()) => {}
                Err(TrySendError::Full(answer)) => {
                    connection.outbox.push_front(answer);
                    return true;
                }
                // The client is gone; the reader of its socket will notice and say so.
                Err(TrySendError::Disconnected(_)) => connection.outbox.clear(),
            }
        }
        false
    }
}

/// Clocks until the card's time is at least `at_ns`; `None` if its clock stands still.
fn clocks_until(card: &dyn SimCard, at_ns: u64) -> Option<u64> {
    let distance = u128::from(at_ns.saturating_sub(card.now_ns())) << 32;
    match card.increment() {
        _ if distance == 0 => Some(0),
        0 => None,
        increment => Some(distance.div_ceil(increment.into()) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelCard;
    use crossbeam_channel::{Receiver, bounded};
    use writ_driver::memory::HostMemory;

    fn card() -> ModelCard {
        ModelCard::new(HostMemory::new(4096).expect("memory").card())
    }

    fn open(player: &mut Player) -> (Arc<AtomicBool>, Receiver<Answer>) {
        let (answers, taken) = bounded(1);
        let over = Arc::new(AtomicBool::new(false));
        player.request(WireRequest::Opened { answers, over: Arc::clone(&over) });
        (over, taken)
    }

    fn frame(player: &mut Player, at_ns: u64) {
        player.request(WireRequest::Frame { at_ns, port: PortSide::A, damaged: false, bytes: vec![0; 64] });
    }

    #[test]
    fn frames_of_a_pulled_cable_are_never_placed() {
        let (mut player, mut card) = (Player::new(20), card());
        let (over, _taken) = open(&mut player);
        frame(&mut player, 1_000_000);
        assert!(matches!(player.due(&card), Due::In(_)));
        over.store(true, Ordering::Release);
        player.check_connection();
        frame(&mut player, 1_000_001);
        player.place(&mut card);
        assert_eq!((player.due(&card), card.queued()), (Due::Never, 0));
        assert!(player.takes_requests());
        player.request(WireRequest::Closed);
        let (_over, _taken) = open(&mut player);
        frame(&mut player, 0);
        player.place(&mut card);
        assert_eq!(card.queued(), 1, "the next connection is not concerned");
    }

    #[test]
    fn card_time_waits_for_a_client_that_sends() {
        let (mut player, mut card) = (Player::new(20), card());
        let (_over, _taken) = open(&mut player);
        assert_eq!(player.limit(&card), None, "who has sent nothing is not waited for");
        frame(&mut player, 10_000);
        let (clocks, patience) = player.limit(&card).expect("a limit");
        assert!(patience <= HOLD);
        card.run(clocks);
        assert!((10_000..10_004).contains(&card.now_ns()));
        player.place(&mut card);
        assert_eq!(player.late_frames, 0);
        assert!(matches!(player.limit(&card), Some((0, _))), "not a clock further");
        player.request(WireRequest::Ask(Ask::Flush));
        assert_eq!(player.limit(&card), None, "until it says that this was all");
    }

    #[test]
    fn card_time_does_not_wait_for_a_client_that_only_asks() {
        let (mut player, mut card) = (Player::new(20), card());
        let (_over, taken) = open(&mut player);
        frame(&mut player, 0);
        player.place(&mut card);
        assert!(matches!(player.limit(&card), Some((0, _))), "another frame may come");
        let start = Instant::now();
        while player.limit(&card).is_some() {
            assert!(start.elapsed() < 8 * HOLD, "its questions hold card time");
            player.request(WireRequest::Ask(Ask::Time));
            player.answer(Answer::Time { now_ns: card.now_ns() });
            assert!(!player.send_answers() && taken.try_recv().is_ok());
            std::thread::sleep(HOLD / 10);
        }
        // With the next frame it is waited for again.
        frame(&mut player, 0);
        assert!(player.limit(&card).is_some());
    }

    #[test]
    fn a_client_that_takes_nothing_is_waited_for_but_not_for_ever() {
        let (mut player, mut card) = (Player::new(20), card());
        let (_over, taken) = open(&mut player);
        for number in 0..ANSWERS_MAX as u64 {
            player.arrived(&Arrival { number, port: PortSide::A, clock: 0, stamp_ns: 0 });
        }
        assert!(player.send_answers() && !player.is_congested());
        player.arrived(&Arrival { number: 0, port: PortSide::A, clock: 0, stamp_ns: 0 });
        player.place(&mut card);
        assert!(matches!(player.limit(&card), Some((0, _))));
        std::thread::sleep(HOLD);
        assert_eq!(player.limit(&card), None);
        assert!(taken.recv().is_ok());
        player.send_answers();
        frame(&mut player, 0);
        player.place(&mut card);
        assert_eq!(card.queued(), 1);
    }

    #[test]
    fn stamps_of_the_far_future_do_no_harm() {
        let (mut player, card) = (Player::new(20), card());
        let (_over, _taken) = open(&mut player);
        frame(&mut player, u64::MAX);
        assert!(matches!(player.due(&card), Due::In(clocks) if clocks > 1 << 62));
    }
}
