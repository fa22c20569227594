//! The card's thread.

use super::handles::{BusRequest, Signal};
use super::pace::{Pace, Pacer};
use super::player::{Ask, Due, Player, WireRequest};
use super::socket::Connections;
use super::{LINGER_CLOCKS, LINGER_COMMAND_CLOCKS, Options};
use crate::card::{Arrival, EgressFrame, Latency, SimCard};
use crate::wire::Statistics;
use crate::wire::message::Answer;
use crossbeam_channel::{Receiver, TryRecvError, never};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use writ_abi::PortSide;
use writ_abi::registers::rings;

/// Clocks between two looks at what host and wires want, while the card is busy.
const BATCH_CLOCKS: u64 = 256;
/// The same in time, while it is not: then the number of clocks follows the card's speed.
const IDLE_BATCH: Duration = Duration::from_micros(500);
/// And at most this many, however quickly they go by.
const IDLE_BATCH_CLOCKS_MAX: u64 = 1 << 40;
/// Register accesses served between two batches.
const BUS_REQUESTS: usize = 64;
/// How often a client that takes nothing is tried again.
const RETRY: Duration = Duration::from_millis(1);
/// Longest sleep of a card that follows the host's clock.
const TICK: Duration = Duration::from_micros(500);
/// Longest sleep; nothing depends on it.
const SLEEP: Duration = Duration::from_secs(3600);

pub(super) struct Runner {
    card: Box<dyn SimCard>,
    bus: Receiver<BusRequest>,
    wires: Receiver<WireRequest>,
    /// To be ended together with the card.
    connections: Option<Arc<Connections>>,
    signal: Arc<Signal>,
    sums: Arc<Mutex<Statistics>>,
    player: Player,
    /// `None`: the card's time follows what happens.
    pacer: Option<Pacer>,
    /// Clock of the last sign of life.
    alive_at: u64,
    /// Clocks after that in which something may still come of it.
    linger_clocks: u64,
    dma_lines: u64,
    interrupts: u64,
    idle_batch_clocks: u64,
    running: Duration,
    frames_in: [u64; 2],
    frames_out: [u64; 2],
    arrivals: Vec<Arrival>,
    egress: Vec<EgressFrame>,
}

/// Says that the card is gone, also when its thread panics.
struct GoneAtEnd {
    signal: Arc<Signal>,
    wires: Option<Arc<Connections>>,
}

impl Drop for GoneAtEnd {
    fn drop(&mut self) {
        self.signal.set_gone();
        if let Some(wires) = &self.wires {
            wires.end();
        }
    }
}

/// The service has ended.
struct Stopped;

impl Runner {
    pub(super) fn new(
        card: Box<dyn SimCard>,
        bus: Receiver<BusRequest>,
        wires: Receiver<WireRequest>,
        connections: Option<Arc<Connections>>,
        signal: Arc<Signal>,
        sums: Arc<Mutex<Statistics>>,
        options: &Options,
    ) -> Self {
        Self {
            card,
            bus,
            wires,
            connections,
            signal,
            sums,
            player: Player::new(options.overhead_bytes),
            pacer: (options.pace == Pace::Host).then(|| Pacer::new(Instant::now())),
            alive_at: 0,
            linger_clocks: LINGER_CLOCKS,
            dma_lines: 0,
            interrupts: 0,
            idle_batch_clocks: BATCH_CLOCKS,
            running: Duration::ZERO,
            frames_in: [0; 2],
            frames_out: [0; 2],
            arrivals: Vec::new(),
            egress: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        let _gone = GoneAtEnd { signal: Arc::clone(&self.signal), wires: self.connections.take() };
        while self.turn().is_ok() {}
    }

    /// Serves what has been asked for, then runs the card or sleeps.
    fn turn(&mut self) -> Result<(), Stopped> {
        self.serve_bus()?;
        self.player.check_connection();
        self.serve_wires();
        self.player.place(&mut *self.card);
        self.answer_asked();
        let unsent = self.player.send_answers();
        self.publish();

        let due = self.player.due(&*self.card);
        let limit = self.player.limit(&*self.card);
        let clocks = match due {
            Due::Now => BATCH_CLOCKS,
            _ if !self.is_quiet() => BATCH_CLOCKS,
            Due::In(wait) => wait.min(self.idle_batch_clocks),
            Due::Never => 0,
        };
        let paced = self.pacer.as_mut().map(|pacer| pacer.pass(Instant::now(), self.card.clocks()));
        let (clocks, idle) = match paced {
            None => (clocks, matches!(due, Due::In(_))),
            Some(pass) if due == Due::Now || !self.is_quiet() => (clocks.min(pass.most), false),
            Some(pass) => (pass.behind.min(self.idle_batch_clocks), true),
        };
        let clocks = clocks.min(limit.map_or(u64::MAX, |(clocks, _)| clocks));
        if clocks > 0 {
            self.run_card(clocks, idle);
            return Ok(());
        }
        let longest = if paced.is_some() { TICK } else { SLEEP };
        let patience = limit.map_or(longest, |(_, patience)| patience.min(longest));
        self.sleep(if unsent { RETRY.min(patience) } else { patience })
    }

    fn is_quiet(&self) -> bool {
        self.card.clocks() - self.alive_at >= self.linger_clocks
    }

    fn serve_bus(&mut self) -> Result<(), Stopped> {
        for _ in 0..BUS_REQUESTS {
            match self.bus.try_recv() {
                Ok(request) => self.bus_request(request)?,
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(Stopped),
            }
        }
        Ok(())
    }

    fn bus_request(&mut self, request: BusRequest) -> Result<(), Stopped> {
        match request {
            BusRequest::Read { offset, answer } => {
                let value = self.card.read32(offset);
                // What the card wrote before its answer is announced before it, too.
                self.collect();
                // Whoever asked may have died in the meantime.
                let _ = answer.send(value);
            }
            BusRequest::Write { offset, value } => {
                if offset == rings::COMMAND_PRODUCER_AT {
                    self.linger_clocks = LINGER_COMMAND_CLOCKS;
                }
                self.card.write32(offset, value);
            }
            BusRequest::Memory { memory, done } => {
                self.card.set_memory(memory);
                // Whoever asked may have died in the meantime.
                let _ = done.send(());
            }
            BusRequest::Function { state, done } => {
                self.card.set_function(state);
                let _ = done.send(());
            }
            BusRequest::ResetFunction { done } => {
                self.card.reset_function();
                let _ = done.send(());
            }
            BusRequest::Stop => return Err(Stopped),
        }
        self.alive_at = self.card.clocks();
        Ok(())
    }

    fn serve_wires(&mut self) {
        while self.player.takes_requests() {
            match self.wires.try_recv() {
                Ok(request) => self.player.request(request),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.wires = never();
                    return;
                }
            }
        }
    }

    fn answer_asked(&mut self) {
        let answer = match self.player.asked() {
            Some(Ask::Flush) if self.player.is_flushed(&*self.card, self.is_quiet()) => self.player.flushed(),
            Some(Ask::Time) => Answer::Time { now_ns: self.card.now_ns() },
            Some(Ask::Statistics) => Answer::Statistics(self.statistics()),
            Some(Ask::Advance { until_ns }) if self.card.now_ns() >= until_ns || self.card.increment() == 0 => {
                Answer::Time { now_ns: self.card.now_ns() }
            }
            _ => return,
        };
        self.player.answer(answer);
    }

    fn run_card(&mut self, clocks: u64, idle: bool) {
        let start = Instant::now();
        self.card.run(clocks);
        let took = start.elapsed();
        self.running += took;
        if idle && took < IDLE_BATCH {
            self.idle_batch_clocks = (2 * self.idle_batch_clocks).min(IDLE_BATCH_CLOCKS_MAX);
        } else if took > 2 * IDLE_BATCH {
            self.idle_batch_clocks = (self.idle_batch_clocks / 2).max(BATCH_CLOCKS);
        }
        self.collect();
    }

    /// Takes out of the card what came of running it.
    fn collect(&mut self) {
        self.card.take_arrivals(&mut self.arrivals);
        self.card.take_egress(&mut self.egress);
        let dma_lines = self.card.dma_lines();
        if dma_lines != self.dma_lines || !self.arrivals.is_empty() || !self.egress.is_empty() {
            self.alive_at = self.card.clocks();
            self.dma_lines = dma_lines;
        }
        for arrival in self.arrivals.drain(..) {
            self.frames_in[arrival.port as usize] += 1;
            self.player.arrived(&arrival);
        }
        for frame in self.egress.drain(..) {
            self.frames_out[frame.port as usize] += 1;
            self.player.left(frame);
        }
        let interrupts = self.card.interrupts();
        if interrupts != self.interrupts {
            self.interrupts = interrupts;
            self.signal.set(self.card.take_vectors());
        }
    }

    fn statistics(&self) -> Statistics {
        let latency = PortSide::ALL.iter().filter_map(|port| self.card.latency(*port)).reduce(Latency::with);
        Statistics {
            clocks: self.card.clocks(),
            running_ns: u64::try_from(self.running.as_nanos()).unwrap_or(u64::MAX),
            now_ns: self.card.now_ns(),
            frames_in: self.frames_in,
            frames_out: self.frames_out,
            latency_clocks_min: latency.map(|latency| latency.clocks_min),
            latency_clocks_max: latency.map(|latency| latency.clocks_max),
            late_frames: self.player.late_frames,
            dma_faults: self.card.dma_faults(),
        }
    }

    fn publish(&self) {
        *self.sums.lock().unwrap_or_else(PoisonError::into_inner) = self.statistics();
    }

    /// Waits for a request, but no longer than `timeout`.
    fn sleep(&mut self, timeout: Duration) -> Result<(), Stopped> {
        if self.is_quiet() {
            self.linger_clocks = LINGER_CLOCKS;
        }
        let no_wires = never();
        let wires = if self.player.takes_requests() { &self.wires } else { &no_wires };
        let mut wire_request = None;
        let mut bus_request = None;
        crossbeam_channel::select! {
            recv(self.bus) -> request => bus_request = Some(request),
            recv(wires) -> request => wire_request = Some(request),
            default(timeout) => {}
        }
        match bus_request {
            Some(Ok(request)) => self.bus_request(request)?,
            Some(Err(_)) => return Err(Stopped),
            None => {}
        }
        match wire_request {
            Some(Ok(request)) => self.player.request(request),
            Some(Err(_)) => self.wires = never(),
            None => {}
        }
        Ok(())
    }
}
