//! From stored state to a running control thread: what an earlier process left is found, put right, and told.

use super::{Control, LiveTask, Ring};
use crate::{
    card::{ring::RingOrder, side::CardSide, take::Arrival},
    clock::HostClock,
    convert,
    delivery::{sessions::Sessions, task::SessionOrder},
    mailbox::{Carried, Message},
    roles::Roles,
    state::{
        audit::{AuditFound, AuditLog},
        kept::Told,
        store::{Counter, Store, StoredTask},
        tally::{Kept, Tallies, Used},
    },
};
use crossbeam_channel::{Receiver, Sender};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use writ_abi::limits::RECORD_RINGS;
use writ_control::Refusal;
use writ_driver::memory::BlockMemory;
use writ_mediation::{
    accounting::Ledger,
    arena::{Outcome, SealedBlock, SequenceKind},
    audit::{Event, EventKind},
    datapath::{OpenedContext, Phase},
    leap::LeapTable,
    lifecycle::{CloseReason, TaskAction, TaskEvent, TaskState},
    session::Counts,
    units::{ContextIndex, HostNs, SessionKey, TaiNs, TaskIndex},
};
use writ_tables::Change;

/// Longest time that sessions may take to read their journals.
const JOURNALS_TIMEOUT: Duration = Duration::from_secs(120);

/// What the control thread is made of.
pub(crate) struct Parts {
    pub(crate) backend: &'static str,
    pub(crate) own_tunnels: Vec<&'static str>,
    pub(crate) roles: Roles,
    pub(crate) leap: LeapTable,
    pub(crate) drain_s: u64,
    pub(crate) shutdown_flush: Duration,
    pub(crate) certificate_not_after_posix_s: i64,
    pub(crate) store: Store,
    pub(crate) audit: AuditLog,
    pub(crate) card: CardSide,
    pub(crate) ring: Sender<RingOrder>,
    pub(crate) sessions: Sessions,
    pub(crate) clock: HostClock,
    pub(crate) session: Option<NonZeroU64>,
    /// To be told when the card is gone.
    pub(crate) gone: oneshot::Sender<()>,
}

/// What was found on the way to here.
pub(crate) struct Found {
    /// About the audit log.
    pub(crate) audit: AuditFound,
    /// About the card.
    pub(crate) card: Arrival,
    /// The last time of the card that an earlier process wrote down.
    pub(crate) card_time_before: TaiNs,
    /// About the arena.
    pub(crate) arena: Outcome,
    /// PDUs in the arena that did not check.
    pub(crate) damaged_pdus: u64,
    /// Blocks with PDUs that were accepted and not confirmed, in order.
    pub(crate) blocks: BTreeMap<SessionKey, Vec<SealedBlock<BlockMemory>>>,
}

impl Control {
    /// A control thread that knows nothing yet.
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            backend: parts.backend,
            own_tunnels: parts.own_tunnels,
            roles: parts.roles,
            leap: parts.leap,
            drain_ns: parts.drain_s.saturating_mul(1_000_000_000),
            shutdown_flush: parts.shutdown_flush,
            certificate_not_after_posix_s: parts.certificate_not_after_posix_s,
            store: parts.store,
            audit: parts.audit,
            card: parts.card,
            ring: Ring(parts.ring),
            sessions: parts.sessions,
            destinations: BTreeMap::new(),
            tasks: BTreeMap::new(),
            ledger: Ledger::new(),
            clock: parts.clock,
            card_time: TaiNs(0),
            card_time_written: TaiNs(0),
            audit_records_written: 0,
            written_at: HostNs(0),
            counted_at: HostNs(0),
            clocked_at: HostNs(0),
            refusals: BTreeMap::new(),
            card_fault: None,
            ring_faults: 0,
            storage_alarm: false,
            missing_since: None,
            missing_causes: [0; RECORD_RINGS],
            told: Told::default(),
            told_kept: Told::default(),
            session: parts.session,
            gone: Some(parts.gone),
            tables_kept: false,
            taken_over: None,
            start_alarms: Vec::new(),
            row_watch: super::health::RowWatch::default(),
            balance_watch: super::health::BalanceWatch::default(),
            strangers: BTreeSet::new(),
            early: Vec::new(),
        }
    }

    /// Finds everything again that an earlier process left, puts tasks back into force, and tells the audit log what differs.
    pub(crate) fn recover(&mut self, mut found: Found, mailbox: &Receiver<Message>) -> Result<(), Refusal> {
        self.look_at_clock()?;
        self.record_start(&found)?;
        let mut damaged = BTreeSet::new();
        for stored in self.store.destinations()? {
            for (key, journal) in self.sessions.prepare(&stored, &mut found.blocks)? {
                if journal.damaged_segments > 0 || journal.torn_bytes > 0 {
                    let event = Event::new(EventKind::ArenaOpened)
                        .number("destination", key.destination.0.into())
                        .text("interface", key.interface.name())
                        .number("journal_torn_bytes", journal.torn_bytes)
                        .number("journal_damaged_segments", journal.damaged_segments)
                        .number("journal_damaged_frames", journal.damaged_frames);
                    self.note(&event);
                }
                if journal.damaged_segments > 0 || journal.damaged_frames > 0 {
                    damaged.insert(key);
                }
            }
            self.destinations.insert(stored.index, stored);
        }
        let homeless: usize = found.blocks.values().map(Vec::len).sum();
        if homeless > 0 {
            tracing::error!("{homeless} recovered blocks belong to destinations that are gone");
            self.note(&Event::new(EventKind::ArenaOpened).number("blocks_without_destination", homeless as u64));
            self.sessions.give_back(found.blocks.into_values().flatten());
        }
        let stored = self.store.live_tasks()?;
        let phases = stored.into_iter().map(|task| self.reopen(task)).collect::<Result<BTreeMap<_, _>, _>>()?;
        self.withhold_again();
        let sessions = self.sessions.launch();
        let carried = self.wait_for_carried(sessions, mailbox);
        let is_damaged = |key: SessionKey| found.damaged_pdus > 0 || damaged.contains(&key);
        self.enter_carried(&carried, &phases, is_damaged);
        let anew = matches!(found.card, Arrival::BroughtUp { .. });
        self.ring.tell(RingOrder::Begin { anew });
        if let Arrival::TakenOver { commands_left, told } = &found.card {
            self.reconcile_card(*commands_left, told)?;
        }
        let rearmed = self.go_on(&phases);
        if let Arrival::BroughtUp { reason } = &found.card
            && rearmed > 0
        {
            self.tell_gap(reason, found.card_time_before, rearmed);
        }
        self.check_card(rearmed, anew)
    }

    fn record_start(&mut self, found: &Found) -> Result<(), Refusal> {
        if found.audit.records == 0 {
            // If there was another log, that is no secret.
            let before = self.store.audit_records()?;
            self.record(&Event::new(EventKind::LogBegun).number("records_of_an_earlier_log", before))?;
        }
        let started = Event::new(EventKind::ProcessStarted)
            .text("version", env!("CARGO_PKG_VERSION"))
            .text("backend", self.backend)
            .number("torn_audit_bytes", found.audit.torn_bytes);
        self.record(&started)?;
        let arena = match found.arena {
            Outcome::Fresh => "fresh".to_owned(),
            Outcome::Recovered => "recovered".to_owned(),
            Outcome::Discarded(reason) => format!("discarded: {reason:?}"),
        };
        let blocks: usize = found.blocks.values().map(Vec::len).sum();
        let opened = Event::new(EventKind::ArenaOpened)
            .text("outcome", arena)
            .number("blocks", blocks as u64)
            .number("damaged_pdus", found.damaged_pdus);
        self.record(&opened)?;
        if let Arrival::BroughtUp { .. } = found.card {
            let set = Event::new(EventKind::TimeSet).number("card_time_ns", self.card_time.0);
            self.record(&set)?;
        }
        if self.leap.is_stale(crate::clock::universal_time()) {
            tracing::warn!("the leap second table has expired; install a newer tzdata");
            self.note(&Event::new(EventKind::LeapTableStale));
        }
        Ok(())
    }

    /// Gives a stored task to the ring thread again, with its old numbers if they survived, otherwise with a new CIN.
    fn reopen(&mut self, stored: StoredTask) -> Result<(TaskIndex, Phase), Refusal> {
        let index = stored.index;
        let tallies = stored.account.as_deref().and_then(Tallies::parse);
        let tallies = tallies.unwrap_or_else(|| Tallies::new(super::tasks::sessions_of(&stored.spec)));
        self.tasks.insert(index, LiveTask::new(stored, tallies));
        if self.open(index, Phase::Resumed).is_ok() {
            return Ok((index, Phase::Resumed));
        }
        let cin = self.store.take_number(Counter::Cin)? as u32;
        let correlation = self.store.take_number(Counter::Correlation)?;
        if let Some(task) = self.tasks.get_mut(&index) {
            (task.stored.cin, task.stored.correlation) = (cin, correlation);
            self.store.update_task(&task.stored)?;
        }
        self.open(index, Phase::Restarted)?;
        self.note_task(EventKind::Loss, index, |event| {
            event.text("cause", "sequence numbers did not survive").number("new_cin", cin.into())
        });
        Ok((index, Phase::Restarted))
    }

    /// Before any session may send: what is revoked stays revoked.
    fn withhold_again(&mut self) {
        let held: Vec<TaskIndex> = self
            .live()
            .filter(|task| matches!(task.machine.state(), TaskState::Revoked | TaskState::Held))
            .map(LiveTask::index)
            .collect();
        for index in held {
            let contexts = self.tasks.get(&index).map(|task| task.contexts.clone()).unwrap_or_default();
            for context in contexts {
                if let Some(handle) = self.sessions.handle(context.session) {
                    handle.order(SessionOrder::Withhold(context.context));
                }
            }
            if self.ask_ring(|reply| RingOrder::Revoke(index, reply)).is_err() {
                tracing::error!("the ring thread does not answer");
            }
        }
    }

    fn wait_for_carried(&mut self, sessions: usize, mailbox: &Receiver<Message>) -> BTreeMap<SessionKey, Carried> {
        let mut carried = BTreeMap::new();
        let mut later = Vec::new();
        let until = Instant::now() + JOURNALS_TIMEOUT;
        while carried.len() < sessions {
            match mailbox.recv_deadline(until) {
                Ok(Message::Carried(found)) => drop(carried.insert(found.key, found)),
                Ok(other) => later.push(other),
                Err(_) => {
                    tracing::error!("sessions did not read their journals in time; their counts start anew");
                    break;
                }
            }
        }
        self.early = later;
        carried
    }

    fn enter_carried(
        &mut self,
        carried: &BTreeMap<SessionKey, Carried>,
        phases: &BTreeMap<TaskIndex, Phase>,
        is_damaged: impl Fn(SessionKey) -> bool,
    ) {
        for (index, task) in &mut self.tasks {
            let sum = |key: SessionKey, all: &[(ContextIndex, Counts)]| {
                let mut sum = Counts::default();
                let own = |context: &ContextIndex| {
                    task.contexts.iter().any(|mine| mine.session == key && mine.context == *context)
                };
                all.iter().filter(|(context, _)| own(context)).for_each(|(_, counts)| sum += *counts);
                sum
            };
            let buffered = |key| carried.get(&key).map_or(Counts::default(), |found| sum(key, &found.buffered));
            let withheld = |key| carried.get(&key).map_or(Counts::default(), |found| sum(key, &found.withheld));
            let used = |key: SessionKey| {
                let contexts = task.contexts.iter().filter(|context| context.session == key);
                let add = |sum: Used, context: &OpenedContext| {
                    // Each notice goes with an event of the access: beginning and end.
                    let events = match context.kind {
                        SequenceKind::Notification => 2 * context.next_sequence,
                        kind if kind.is_integrity() => context.next_sequence,
                        _ => 0,
                    };
                    Used {
                        numbers: sum.numbers + context.next_sequence,
                        lost: sum.lost + context.lost,
                        events: sum.events + events,
                    }
                };
                (phases.get(index) == Some(&Phase::Resumed)).then(|| contexts.fold(Used::default(), add))
            };
            for key in super::tasks::sessions_of(&task.spec) {
                self.ledger.carry(*index, key, buffered(key));
            }
            task.base = task.base.resumed(|key| Kept {
                carried: buffered(key),
                withheld: withheld(key),
                used: used(key),
                is_damaged: is_damaged(key),
            });
            task.written = false;
        }
        for message in std::mem::take(&mut self.early) {
            self.take(message);
        }
    }

    /// Does for each task what its state asks for. Returns how many were put back into force.
    fn go_on(&mut self, phases: &BTreeMap<TaskIndex, Phase>) -> u64 {
        let mut rearmed = 0;
        for &index in phases.keys() {
            let Some(task) = self.tasks.get(&index) else { continue };
            let (state, reason) = (task.machine.state(), task.machine.reason());
            // Not before the sessions have said what they carry: it would be counted twice.
            if phases.get(&index) == Some(&Phase::Restarted) && task.stored.armed.is_some() {
                self.ring.tell(RingOrder::AnnounceReset(index, self.card_time));
            }
            let is_in_tables = self.card.tables().ring_of(writ_tables::TaskIndex(index.0)).is_some();
            match state {
                TaskState::Active if convert::effective_end(&task.spec) > self.card_time => {
                    // Of a card that was taken over the rows are there.
                    rearmed += u64::from(!is_in_tables && self.rearm(index));
                }
                // The process before died between the last row and its record.
                TaskState::Pending if is_in_tables => {
                    if let Err(refusal) = self.armed(index, self.card_time) {
                        tracing::error!("task {}: {}", index.0, refusal.what);
                        self.act(index, TaskAction::Disarm);
                        self.step(index, TaskEvent::ArmFailed);
                    }
                }
                TaskState::Active => {
                    self.note_task(EventKind::TaskExpired, index, |event| {
                        event.text("reason", "ended while writd was down")
                    });
                    self.step(index, TaskEvent::Expired);
                }
                TaskState::Disarming | TaskState::Revoked => self.act(index, TaskAction::Disarm),
                TaskState::Draining => self.act(index, TaskAction::AwaitDrain),
                TaskState::Closing if task.closed => self.act(index, TaskAction::AwaitDrain),
                TaskState::Closing => self.close_again(index, reason),
                // Pending tasks are looked after by the clock; held ones wait for a decision.
                TaskState::Pending | TaskState::Held | TaskState::Ended => {}
            }
        }
        rearmed
    }

    fn close_again(&mut self, index: TaskIndex, reason: CloseReason) {
        self.act(index, TaskAction::Close(reason));
        self.act(index, TaskAction::AwaitDrain);
    }

    /// Puts a task that was in force back into force.
    fn rearm(&mut self, index: TaskIndex) -> bool {
        let Some(task) = self.tasks.get(&index) else { return false };
        let spec = std::sync::Arc::clone(&task.spec);
        if let Err(refusal) = self.require_kept() {
            tracing::error!("task {} could not be put back into force: {}", index.0, refusal.what);
            return false;
        }
        let ring = &self.ring;
        let armed = convert::table_task(index, &spec, self.card_time)
            .map_err(|error| error.to_string())
            .and_then(|task| self.card.arm().map(|()| task).map_err(|error| error.to_string()))
            .and_then(|task| {
                let change = [Change::Add(task)];
                self.card.change(&change, &mut |fan_out| ring.publish(fan_out)).map_err(|error| error.to_string())
            });
        match armed {
            Ok(committed) => {
                self.note_rings();
                self.keep_tables();
                let at = TaiNs(committed.effective_ns);
                self.card_time = self.card_time.max(at);
                if let Some(task) = self.tasks.get_mut(&index) {
                    task.stored.armed = task.stored.armed.or(Some(at));
                }
                let event = Event::interception(EventKind::ActivationDone, index, &spec)
                    .text("reason", "put back into force after a restart")
                    .number("armed_tai_ns", at.0);
                self.note(&event);
                self.act(index, TaskAction::Announce);
                true
            }
            Err(why) => {
                tracing::error!("task {} could not be put back into force: {why}", index.0);
                self.note_task(EventKind::CardDifference, index, |event| event.text("reason", why));
                self.step(index, TaskEvent::Deactivate);
                false
            }
        }
    }

    /// The card has to hold what the store says, nothing else: it was swept or reconciled, and this is read back.
    fn check_card(&mut self, rearmed: u64, anew: bool) -> Result<(), Refusal> {
        let (rows, checked) = self.card.check_rows(0, usize::MAX).map_err(|error| self.change_refused(error))?;
        let different = checked.iter().filter(|row| !row.as_planned).count() as u64;
        if anew {
            let up = Event::new(EventKind::CardUp)
                .number("tasks_in_force", rearmed)
                .number("rows", rows as u64)
                .number("rows_different", different);
            self.record(&up)?;
        }
        if different > 0 {
            self.card_is_lost("rows that were just written read back differently");
        }
        self.disarm_if_unused();
        self.keep_tables();
        self.write_down(true);
        Ok(())
    }
}
