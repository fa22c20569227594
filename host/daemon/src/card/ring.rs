//! The ring thread: takes records in place from all rings in turn, gives each task its share, encodes into blocks, hands full blocks on. No
//! lock and no allocation per packet; everything else that it does (orders, counts) happens between batches.
//!
//! When the arena is full it stops taking records, so that loss happens in the card, where it is counted. It goes on obeying orders
//! and taking blocks back meanwhile.
//!
//! # Order
//! The packets of a task come through one ring, so they are encoded in the order of their lookups. While a task moves to another ring, because its
//! order now shares a target with one that is there, a few packets of before and after may change places; their stamps tell.

use crate::{
    card::{hits, passed::Passed},
    clock::HostClock,
    mailbox::{Mailbox, Message, Missing},
};
use crossbeam_channel::{Receiver, Sender};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;
use writ_abi::MatchIndex;
use writ_driver::{Card, Event, Flow, RecordRing, RingError, RingStatistics, Wake, memory::BlockMemory};
use writ_mediation::{
    accounting::TaskDelta,
    arena::{ArenaUsage, FreeBlock, SealedBlock},
    datapath::{Encoder, Formats, Loss, OpenError, OpenTask, Opened, PayloadKey, TaskHit},
    lifecycle::CloseReason,
    task::TaskSpec,
    units::{DestinationIndex, HostNs, RecordNumber, SessionKey, TaiNs, TaskIndex},
};
use writ_tables::FanOut;

/// Records that are taken before orders are looked at again.
const RECORDS_PER_POLL: u32 = 1024;
/// Longest sleep while blocks may have to be flushed.
const WAIT_BUSY: Duration = Duration::from_millis(1);
/// Longest sleep when nothing was there for a while.
const WAIT_IDLE: Duration = Duration::from_millis(10);
/// Rounds without a record after which it counts as idle.
const IDLE_ROUNDS: u32 = 20;
/// What the control thread tells the ring thread to do. Orders are done one after the other, between records.
pub(crate) enum RingOrder {
    /// From the next record on, these are the shares.
    FanOut(FanOut, Sender<()>),
    /// A task may get packets from now on.
    Open { index: TaskIndex, spec: Arc<TaskSpec>, open: OpenTask, reply: Sender<Done<Result<Opened, OpenError>>> },
    /// All resumed tasks are open: records may be taken. `anew`: the card was reset, and counts them from 0 again.
    Begin { anew: bool },
    /// The numbering of the task had to begin anew: say so.
    AnnounceReset(TaskIndex, TaiNs),
    /// The task is in force since this card time.
    Announce(TaskIndex, TaiNs),
    /// Everything of the task was delivered: close it. Answered with [`Message::Closed`].
    Close(TaskIndex, CloseReason, TaiNs),
    /// How many lost packets of it were told and written down, of a card that was taken over.
    ToldBefore(TaskIndex, u64),
    /// Encode nothing more for it.
    Revoke(TaskIndex, Sender<Done<()>>),
    /// It is over.
    Forget(TaskIndex, Sender<Done<()>>),
    /// The card lost packets of it.
    Loss(TaskIndex, Loss),
    /// A session exists; its blocks go there.
    Attach {
        key: SessionKey,
        cap_blocks: usize,
        formats: Formats,
        payload_key: Option<PayloadKey>,
        outlet: Outlet,
        reply: Sender<()>,
    },
    /// The most blocks that a session may hold.
    Cap(SessionKey, usize),
    /// The most blocks that all sessions of a destination may hold together.
    DestinationCap(DestinationIndex, usize),
    /// A session is gone.
    Detach(SessionKey),
    /// Say so when everything is consumed that the card looked up before this time.
    Quiesce(TaiNs),
    /// Count up.
    Count(Sender<Done<()>>),
    /// Count up, and say whether anything is left in the ring.
    Probe(Sender<Done<Probe>>),
    /// Flush everything and end.
    Stop(Sender<Done<()>>),
}

/// An order was carried out; what was counted until then comes with it.
#[derive(Debug)]
pub(crate) struct Done<T> {
    /// What was done for tasks since the last time.
    pub(crate) deltas: Vec<TaskDelta>,
    /// The order's own result.
    pub(crate) result: T,
}

/// How the ring thread is.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    /// Neither card nor rings hold a record.
    pub(crate) empty: bool,
    /// Each ring's number and sums.
    pub(crate) rings: Vec<(u8, RingStatistics)>,
    /// The arena.
    pub(crate) arena: ArenaUsage,
}

/// Where the blocks of a session go.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    /// Bounded by the number of blocks that exist.
    pub(crate) blocks: Sender<SealedBlock<BlockMemory>>,
    /// Wakes the session.
    pub(crate) wake: Arc<Notify>,
}

/// The record ring is in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RingFault {
    /// Records did not check; the ring goes on behind them.
    Bad(RingError),
    /// Nothing can be read any more.
    Fatal(RingError),
    /// The card is gone.
    Gone,
}

impl fmt::Display for RingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bad(error) | Self::Fatal(error) => error.fmt(f),
            Self::Gone => write!(f, "the card is gone"),
        }
    }
}

/// Everything that the ring thread owns.
pub(crate) struct RingThread {
    pub(crate) rings: Vec<RecordRing>,
    pub(crate) card: Arc<Card>,
    pub(crate) encoder: Encoder<BlockMemory>,
    pub(crate) fan_out: FanOut,
    pub(crate) orders: Receiver<RingOrder>,
    pub(crate) freed: Receiver<FreeBlock<BlockMemory>>,
    pub(crate) control: Mailbox,
    pub(crate) clock: HostClock,
}

/// What changes from round to round.
struct State {
    outlets: BTreeMap<SessionKey, Outlet>,
    hits: Vec<TaskHit>,
    /// By task: a packet of it was seen.
    seen: Vec<bool>,
    quiesce: Vec<TaiNs>,
    /// Announcements for which the arena had no room, in order.
    announcements: VecDeque<RingOrder>,
    passed: Passed,
    quiet_rounds: u32,
    /// Until then what waits in the rings of a card that was taken over stays there: nobody knows its tasks yet.
    begun: bool,
    dead: bool,
    /// A match index came back that was never given out: said once.
    foreign_hits: u64,
}

impl RingThread {
    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        let mut state = State {
            outlets: BTreeMap::new(),
            hits: Vec::with_capacity(64),
            seen: Vec::new(),
            quiesce: Vec::new(),
            announcements: VecDeque::new(),
            passed: Passed::new(self.rings.len()),
            quiet_rounds: 0,
            begun: false,
            dead: false,
            foreign_hits: 0,
        };
        loop {
            while let Ok(order) = self.orders.try_recv() {
                if let Some(stopped) = self.obey(order, &mut state) {
                    let _ = stopped.send(Done { deltas: self.deltas(), result: () });
                    return;
                }
            }
            while let Ok(free) = self.freed.try_recv() {
                self.encoder.recycle(free);
            }
            self.announce(&mut state);
            let (taken, stopped) = self.take_records(&mut state);
            self.pass_on(&mut state, false);
            self.check_quiesce(&mut state, stopped);
            self.rest(&mut state, taken, stopped);
        }
    }

    fn rest(&mut self, state: &mut State, taken: u32, stopped: bool) {
        if taken > 0 && !stopped {
            state.quiet_rounds = 0;
            return;
        }
        state.quiet_rounds = state.quiet_rounds.saturating_add(1);
        let wait = if state.quiet_rounds < IDLE_ROUNDS { WAIT_BUSY } else { WAIT_IDLE };
        if state.dead || stopped || !state.begun {
            // The ring's interrupt would be pending at once; only a block or an order can help.
            crossbeam_channel::select! {
                recv(self.freed) -> free => if let Ok(free) = free { self.encoder.recycle(free) },
                default(wait.min(WAIT_BUSY)) => {}
            }
            return;
        }
        if self.wait_for_records(wait) == Wake::Gone && !state.dead {
            state.dead = true;
            self.control.send(Message::RingFault(RingFault::Gone));
        }
    }

    /// Waits for each ring in turn, so that none waits longer than `wait`.
    fn wait_for_records(&mut self, wait: Duration) -> Wake {
        let slice = wait / self.rings.len().max(1) as u32;
        for ring in &mut self.rings {
            match ring.wait(slice) {
                Wake::TimedOut => {}
                woken => return woken,
            }
        }
        Wake::TimedOut
    }

    /// Takes what is there, ring by ring. Records taken, and whether the arena had no room for one.
    fn take_records(&mut self, state: &mut State) -> (u32, bool) {
        let now = self.clock.now();
        let (mut taken, mut stopped) = (0, false);
        for at in 0..self.rings.len() {
            if state.dead || !state.begun {
                break;
            }
            let latest = state.passed.latest();
            let (records, full) = self.take_from(at, now, state);
            if records == 0 && !full {
                state.passed.empty(at, latest);
            } else {
                state.passed.busy(at);
            }
            taken += records;
            stopped |= full;
        }
        // As long as another ring has something that fits, there is no reason to rest.
        (taken, stopped && taken == 0)
    }

    fn take_from(&mut self, at: usize, now: HostNs, state: &mut State) -> (u32, bool) {
        let Self { rings, encoder, fan_out, control, .. } = self;
        let State { hits, seen, passed, foreign_hits, .. } = state;
        let ring = rings[at].number();
        let result = rings[at].poll(RECORDS_PER_POLL, |event| match event {
            Event::Packet(packet) => {
                let stamp = TaiNs(packet.header.stamp_ns.get());
                if let Some(foreign) = hits::share_out(&packet, fan_out, hits) {
                    note_foreign(foreign, foreign_hits);
                }
                if encoder.packet(now, &hits::packet(ring, &packet), hits).is_err() {
                    return Flow::Later;
                }
                passed.taken(at, stamp);
                note_first(hits, seen, stamp, control);
                Flow::Taken
            }
            Event::Gap(gap) => {
                let frames = gap.last_sequence.get().wrapping_sub(gap.first_sequence.get()).wrapping_add(1);
                let stamps = Some((TaiNs(gap.first_stamp_ns.get()), TaiNs(gap.last_stamp_ns.get())));
                control.send(Message::Missing(Missing { ring, frames, stamps, causes: gap.causes }));
                Flow::Taken
            }
            Event::Lost { first_sequence, last_sequence } => {
                let frames = last_sequence.wrapping_sub(first_sequence).wrapping_add(1);
                control.send(Message::Missing(Missing { ring, frames, stamps: None, causes: 0 }));
                Flow::Taken
            }
        });
        match result {
            Ok(progress) => (progress.records, progress.stopped),
            Err(error @ RingError::BadRecord { .. }) => {
                self.control.send(Message::RingFault(RingFault::Bad(error)));
                (1, false)
            }
            Err(error @ RingError::Producer { .. }) => {
                state.dead = true;
                self.control.send(Message::RingFault(RingFault::Fatal(error)));
                (0, false)
            }
        }
    }

    /// Hands sealed blocks on.
    fn pass_on(&mut self, state: &mut State, everything: bool) {
        let now = self.clock.now();
        if everything {
            self.encoder.flush_all();
        } else {
            let outlets = &state.outlets;
            self.encoder.flush(now, |key| outlets.get(&key).is_none_or(|outlet| outlet.blocks.is_empty()));
        }
        while let Some(sealed) = self.encoder.pop_sealed() {
            match state.outlets.get(&sealed.key()) {
                Some(outlet) => {
                    // The channel has room for all blocks that exist; it fails only if the session is gone, and then
                    // its destination was removed, which needs that nothing is left for it.
                    if outlet.blocks.send(sealed).is_ok() {
                        outlet.wake.notify_one();
                    }
                }
                None => tracing::error!("a block for a session that does not exist was given up"),
            }
        }
    }

    fn deltas(&mut self) -> Vec<TaskDelta> {
        let mut deltas = Vec::new();
        self.encoder.take_deltas(|delta| deltas.push(delta));
        deltas
    }

    fn done<T>(&mut self, reply: &Sender<Done<T>>, result: T) {
        let deltas = self.deltas();
        let _ = reply.send(Done { deltas, result });
    }

    /// Carries an order out. Some: it was the last one.
    fn obey(&mut self, order: RingOrder, state: &mut State) -> Option<Sender<Done<()>>> {
        match order {
            RingOrder::FanOut(fan_out, reply) => {
                self.fan_out = fan_out;
                let _ = reply.send(());
            }
            RingOrder::Open { index, spec, open, reply } => {
                let at = index.0 as usize;
                if state.seen.len() <= at {
                    state.seen.resize(at + 1, false);
                }
                let result = self.encoder.open_task(index, &spec, &open);
                self.done(&reply, result);
            }
            RingOrder::Begin { anew } => {
                if anew {
                    self.encoder.card_restarted();
                } else {
                    let first = self.rings.iter().map(|ring| (ring.number(), ring.next_sequence()));
                    let first: Vec<_> = first.map(|(ring, sequence)| RecordNumber { ring, sequence }).collect();
                    self.encoder.card_taken_over(&first);
                }
                state.begun = true;
            }
            order @ (RingOrder::AnnounceReset(..) | RingOrder::Announce(..) | RingOrder::Close(..)) => {
                state.announcements.push_back(order);
                self.announce(state);
            }
            RingOrder::Revoke(index, reply) => {
                self.encoder.revoke_task(index);
                self.done(&reply, ());
            }
            RingOrder::Forget(index, reply) => {
                let deltas = self.deltas();
                self.encoder.forget_task(index);
                let _ = reply.send(Done { deltas, result: () });
            }
            RingOrder::Loss(index, loss) => self.encoder.loss(index, &loss),
            RingOrder::ToldBefore(index, packets) => self.encoder.told_before(index, packets),
            RingOrder::Attach { key, cap_blocks, formats, payload_key, outlet, reply } => {
                self.encoder.register_session(key, cap_blocks);
                self.encoder.set_formats(key.destination, formats);
                if let Some(payload_key) = payload_key {
                    self.encoder.set_payload_key(key.destination, payload_key);
                }
                state.outlets.insert(key, outlet);
                let _ = reply.send(());
            }
            RingOrder::Cap(key, cap_blocks) => self.encoder.register_session(key, cap_blocks),
            RingOrder::DestinationCap(destination, cap_blocks) => self.encoder.cap_destination(destination, cap_blocks),
            RingOrder::Detach(key) => drop(state.outlets.remove(&key)),
            RingOrder::Quiesce(after) => state.quiesce.push(after),
            RingOrder::Count(reply) => self.done(&reply, ()),
            RingOrder::Probe(reply) => {
                let result = self.probe(state);
                self.done(&reply, result);
            }
            RingOrder::Stop(reply) => {
                self.encoder.finish_hashes(self.clock.now());
                self.pass_on(state, true);
                return Some(reply);
            }
        }
        None
    }

    /// Makes announcements, as far as the arena has room; the rest waits in order.
    fn announce(&mut self, state: &mut State) {
        let now = self.clock.now();
        while let Some(order) = state.announcements.front() {
            let made = match order {
                RingOrder::AnnounceReset(index, at) => self.encoder.announce_reset(*index, *at, now),
                RingOrder::Announce(index, at) => self.encoder.announce_task(*index, *at, now),
                RingOrder::Close(index, reason, at) => self.encoder.close_task(*index, *reason, *at, now),
                _ => Ok(()),
            };
            if made.is_err() {
                return;
            }
            if let Some(RingOrder::Close(index, ..)) = state.announcements.pop_front() {
                let deltas = self.deltas();
                self.control.send(Message::Closed { index, deltas });
            }
        }
    }

    fn probe(&mut self, state: &mut State) -> Probe {
        let empty = self.is_empty(state);
        self.pass_on(state, false);
        let rings = self.rings.iter().map(|ring| (ring.number(), ring.statistics())).collect();
        Probe { empty, rings, arena: self.encoder.usage() }
    }

    /// The card says that its record path holds nothing; after that a look into the rings finds nothing either.
    fn is_empty(&mut self, state: &mut State) -> bool {
        let idle = state.dead || self.card.status().is_ok_and(|status| status.records_idle);
        idle && self.take_records(state) == (0, false)
    }

    /// Everything before the asked time was consumed if every ring has passed it, or if the card is empty.
    fn check_quiesce(&mut self, state: &mut State, stopped: bool) {
        if state.quiesce.is_empty() || stopped || !state.begun {
            return;
        }
        let all = state.quiesce.iter().any(|&after| !state.passed.all_past(after)) && self.is_empty(state);
        let passed = &state.passed;
        let (reached, waiting) = state.quiesce.drain(..).partition(|&after| all || passed.all_past(after));
        state.quiesce = waiting;
        let reached: Vec<TaiNs> = reached;
        for after in reached {
            let deltas = self.deltas();
            self.control.send(Message::Quiet { after, deltas });
        }
    }
}

/// Tells the control thread about the first packet of each task.
fn note_first(hits: &[TaskHit], seen: &mut [bool], stamp: TaiNs, control: &Mailbox) {
    for hit in hits {
        if let Some(seen) = seen.get_mut(hit.task.0 as usize)
            && !*seen
        {
            *seen = true;
            control.send(Message::First(hit.task, stamp));
        }
    }
}

#[cold]
fn note_foreign(index: MatchIndex, foreign: &mut u64) {
    if *foreign == 0 {
        tracing::error!("the card returned match index {}, which was never given out", index.value());
    }
    *foreign += 1;
}
