//! The control thread: the one owner of tasks, destinations, store, audit log and the card's tables. Questions of operators, news from the ring
//! thread and from sessions come through one mailbox and are dealt with one after the other; it shares no lock with the data path.

mod destinations;
mod health;
mod keeping;
mod lifecycle;
mod losses;
mod questions;
pub(crate) mod socket;
pub(crate) mod start;
mod status;
mod tasks;
mod views;

use crate::{
    card::{
        ring::{Done, RingFault, RingOrder},
        side::CardSide,
    },
    clock::HostClock,
    delivery::sessions::Sessions,
    mailbox::Message,
    roles::{Principal, Roles},
    state::{
        audit::{AuditError, AuditLog},
        kept::Told,
        store::{Store, StoreError, StoredDestination, StoredTask},
        tally::Tallies,
    },
};
use crossbeam_channel::{Receiver, Sender};
use health::{BalanceWatch, RowWatch};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
    sync::Arc,
    time::Duration,
};
use tokio::sync::oneshot;
use writ_abi::limits::RECORD_RINGS;
use writ_control::{Answer, Ask, Refusal, RefusalCode};
use writ_mediation::{
    accounting::{Ledger, TaskDelta},
    audit::{Event, EventKind},
    datapath::OpenedContext,
    leap::LeapTable,
    lifecycle::{TaskMachine, TaskState},
    session::{Counts, Notice, SessionReport},
    units::{ContextIndex, DestinationIndex, HostNs, SessionKey, TaiNs, TaskIndex},
};
use writ_tables::{FanOut, Generation};

/// How often time itself is looked at: starts, ends, drains.
const TICK: Duration = Duration::from_millis(10);
/// How often the card's clock is looked at while a start or an end is ahead. The card keeps ends by itself; each look costs a simulated card
/// some thousand clocks.
const CLOCK_EVERY_NS: u64 = 50_000_000;
/// How often the ring thread is asked for its counts.
const COUNT_EVERY_NS: u64 = 100_000_000;
/// How often counts are written down with their tasks.
const WRITE_DOWN_EVERY_NS: u64 = 1_000_000_000;
/// Longest that the ring thread may take for an order. It is between two batches of records at most.
const RING_TIMEOUT: Duration = Duration::from_secs(30);
/// Ended tasks of which counts are kept in memory.
const ENDED_KEPT_MAX: usize = 1000;
/// Refusals of one uid that are audited one by one within a minute; further ones are counted.
const REFUSALS_PER_MINUTE: u32 = 20;

/// A task that the store knows as not over, or that ended in the life of this process.
struct LiveTask {
    stored: StoredTask,
    spec: Arc<writ_mediation::task::TaskSpec>,
    machine: TaskMachine,
    contexts: Vec<OpenedContext>,
    /// Counts of earlier processes.
    base: Tallies,
    /// Its rows are gone since then; the ring is to be consumed up to there.
    disarmed: Option<Disarmed>,
    /// Since when its drain is waited for.
    drain_since: HostNs,
    /// Its closing announcements are made.
    closed: bool,
    /// Record rings that its packets came through, one bit each.
    rings: u8,
    /// Whether its counts are written down as they are.
    written: bool,
}

#[derive(Debug, Clone, Copy)]
struct Disarmed {
    at: TaiNs,
    generation: Option<Generation>,
    quiet: bool,
}

/// Where the flood of refusals of one uid stands.
#[derive(Debug, Clone, Copy)]
struct RefusalMeter {
    minute: u64,
    count: u32,
    suppressed: u64,
}

/// Everything that the control thread owns.
pub(crate) struct Control {
    backend: &'static str,
    own_tunnels: Vec<&'static str>,
    roles: Roles,
    leap: LeapTable,
    drain_ns: u64,
    shutdown_flush: Duration,
    certificate_not_after_posix_s: i64,
    store: Store,
    audit: AuditLog,
    card: CardSide,
    ring: Ring,
    sessions: Sessions,
    destinations: BTreeMap<DestinationIndex, StoredDestination>,
    tasks: BTreeMap<TaskIndex, LiveTask>,
    ledger: Ledger,
    clock: HostClock,
    /// Card time as of the last look; what records are dated with.
    card_time: TaiNs,
    card_time_written: TaiNs,
    audit_records_written: u64,
    written_at: HostNs,
    counted_at: HostNs,
    clocked_at: HostNs,
    refusals: BTreeMap<u32, RefusalMeter>,
    /// The card cannot be relied on any more; why.
    card_fault: Option<String>,
    ring_faults: u64,
    /// A change of the audit log's or store's state that was told already.
    storage_alarm: bool,
    missing_since: Option<HostNs>,
    /// Ring by ring: causes of what is missing, one bit each.
    missing_causes: [u8; RECORD_RINGS],
    /// Which of the card's losses were told to tasks.
    told: Told,
    /// The same, as it is written down.
    told_kept: Told,
    /// The card's life that its tables are kept for; `None`: it ends with this process.
    session: Option<NonZeroU64>,
    /// Whom to tell when the card is gone.
    gone: Option<oneshot::Sender<()>>,
    /// Whether the tables are kept as they are.
    tables_kept: bool,
    /// When and with which generation the card was taken over, until the rings are consumed past that.
    taken_over: Option<(TaiNs, Generation)>,
    /// What the start of this process found of the card and a person should know.
    start_alarms: Vec<String>,
    row_watch: RowWatch,
    balance_watch: BalanceWatch,
    /// Sessions that hold something of tasks that are not known.
    strangers: BTreeSet<SessionKey>,
    /// News that came before the tasks were known.
    early: Vec<Message>,
}

/// The ring thread, as the control thread sees it.
struct Ring(Sender<RingOrder>);

/// The ring thread does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RingGone;

impl From<RingGone> for Refusal {
    fn from(_: RingGone) -> Self {
        Self::new(RefusalCode::Internal, "ring", "the ring thread does not answer").hint("restart writd")
    }
}

impl Ring {
    fn tell(&self, order: RingOrder) {
        // If it is gone, the next question finds out.
        let _ = self.0.send(order);
    }

    fn ask<T>(&self, order: impl FnOnce(Sender<Done<T>>) -> RingOrder) -> Result<Done<T>, RingGone> {
        let (reply, answer) = crossbeam_channel::bounded(1);
        self.tell(order(reply));
        answer.recv_timeout(RING_TIMEOUT).map_err(|_| RingGone)
    }

    /// Brings shares to the ring thread. When this returns they hold for the next record.
    fn publish(&self, fan_out: FanOut) {
        let (reply, taken) = crossbeam_channel::bounded(1);
        self.tell(RingOrder::FanOut(fan_out, reply));
        if taken.recv_timeout(RING_TIMEOUT).is_err() {
            tracing::error!("the ring thread does not answer");
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::new(RefusalCode::Unavailable, "store", error.to_string())
    }
}

impl From<AuditError> for Refusal {
    fn from(error: AuditError) -> Self {
        Self::new(RefusalCode::Unavailable, "audit", error.to_string())
    }
}

/// A fault between host and card, as operators see it.
fn card_trouble(error: writ_driver::CardError) -> Refusal {
    Refusal::new(RefusalCode::Unavailable, "card", error.to_string())
}

impl Control {
    /// Runs until told to stop.
    pub(crate) fn run(mut self, mailbox: &Receiver<Message>) {
        loop {
            match mailbox.recv_timeout(TICK) {
                Ok(Message::Stop { reply }) => {
                    self.stop(mailbox);
                    let _ = reply.send(());
                    return;
                }
                Ok(message) => self.take(message),
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return,
            }
            self.tick();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Ask { uid, ask, reply } => {
                // An operator who went away loses the answer, nothing else.
                let _ = reply.send(self.answer(uid, ask));
            }
            Message::Missing(missing) => self.note_missing(missing),
            Message::Quiet { after, deltas } => {
                self.apply(&deltas);
                self.quiet(after);
            }
            Message::Closed { index, deltas } => {
                self.apply(&deltas);
                if let Some(task) = self.tasks.get_mut(&index) {
                    task.closed = true;
                }
            }
            Message::First(index, stamp) => self.first_packet(index, stamp),
            Message::RingFault(fault) => self.ring_fault(fault),
            // Taken at the start; sessions that came later have nothing to carry.
            Message::Carried(..) => {}
            Message::KeptBefore(key, counts) => self.kept_before(key, &counts),
            Message::Session(key, report) => self.session_report(key, &report),
            Message::Stop { .. } => {}
        }
    }

    fn apply(&mut self, deltas: &[TaskDelta]) {
        for delta in deltas {
            self.ledger.apply_delta(delta);
            if let Some(task) = self.tasks.get_mut(&delta.task) {
                task.written = false;
            }
        }
    }

    /// Asks the ring thread and takes what it counted meanwhile.
    fn ask_ring<T>(&mut self, order: impl FnOnce(Sender<Done<T>>) -> RingOrder) -> Result<T, RingGone> {
        let Done { deltas, result } = self.ring.ask(order)?;
        self.apply(&deltas);
        Ok(result)
    }

    fn session_report(&mut self, key: SessionKey, report: &SessionReport) {
        let unknown = self.ledger.apply_report(report);
        // Of tasks that are over: nothing to do about it, and so nothing to say again with each report.
        if !unknown.is_empty() && self.strangers.insert(key) {
            let (name, interface) = (self.destination_name(key.destination), key.interface.name());
            tracing::warn!("{} numberings of destination {name} on {interface} belong to no task", unknown.len());
        }
        let touched = |task: &LiveTask| task.contexts.iter().any(|context| context.session == key);
        for task in self.tasks.values_mut().filter(|task| touched(task)) {
            task.written = false;
        }
        for notice in &report.notices {
            self.session_notice(key, notice);
        }
    }

    /// What the operator calls it; its number once it is gone.
    fn destination_name(&self, index: DestinationIndex) -> String {
        let stored = self.destinations.get(&index);
        stored.map_or_else(|| index.0.to_string(), |stored| stored.definition.name.clone())
    }

    fn kept_before(&mut self, key: SessionKey, counts: &[(ContextIndex, Counts)]) {
        for (context, counts) in counts {
            let owns = |task: &&mut LiveTask| task.contexts.iter().any(|own| own.context == *context);
            if let Some(task) = self.tasks.values_mut().find(owns) {
                task.base.kept_before(key, *counts);
                task.written = false;
            }
        }
    }

    fn session_notice(&mut self, key: SessionKey, notice: &Notice) {
        let event = |kind| {
            Event::new(kind).number("destination", key.destination.0.into()).text("interface", key.interface.name())
        };
        let event = match notice {
            Notice::Connected => event(EventKind::SessionUp),
            Notice::Disconnected { again_bytes } => event(EventKind::SessionDown).number("again_bytes", *again_bytes),
            Notice::Closing(fault) => event(EventKind::SessionFault).text("fault", fault.to_string()),
            Notice::StorageFailed(error) => event(EventKind::SessionFault).text("fault", error.to_string()),
            Notice::StorageRecovered => event(EventKind::SessionFault).text("fault", "storage recovered"),
            _ => {
                let name = self.destination_name(key.destination);
                tracing::info!("destination {name} {}: {notice:?}", key.interface.name());
                return;
            }
        };
        self.note(&event);
    }

    fn ring_fault(&mut self, fault: RingFault) {
        self.ring_faults += 1;
        tracing::error!("record ring: {fault}");
        self.note(&Event::new(EventKind::CardLoss).text("fault", fault.to_string()));
        match fault {
            RingFault::Bad(_) => {}
            RingFault::Fatal(_) => self.card_is_lost(&fault.to_string()),
            RingFault::Gone => {
                self.card_is_lost(&fault.to_string());
                if let Some(gone) = self.gone.take() {
                    // Who ends just now does not care.
                    let _ = gone.send(());
                }
            }
        }
    }

    /// The card cannot be relied on: it is disarmed, nothing new is armed, what was taken is delivered.
    fn card_is_lost(&mut self, why: &str) {
        if self.card_fault.is_some() {
            return;
        }
        self.card_fault = Some(why.to_owned());
        let disarmed = self.card.disarm();
        tracing::error!("the card was given up: {why}");
        let event = Event::new(EventKind::CardDown).text("fault", why).flag("disarmed", disarmed.is_ok());
        self.note(&event);
        // Whoever comes next brings it up anew, and tells the gap, which begins here.
        self.forget_tables();
        self.write_down(true);
    }

    /// Card time. Every record is dated with it.
    fn look_at_clock(&mut self) -> Result<TaiNs, Refusal> {
        let now = self.card.now().map_err(card_trouble)?;
        self.card_time = self.card_time.max(now);
        Ok(self.card_time)
    }

    /// Writes an audit record on which nothing depends.
    fn note(&mut self, event: &Event) {
        if let Err(error) = self.audit.write(event, self.card_time) {
            tracing::error!("{error}");
        }
    }

    /// Writes an audit record without which nothing may go on.
    fn record(&mut self, event: &Event) -> Result<(), Refusal> {
        self.audit.write(event, self.card_time).map_err(Refusal::from)
    }

    /// What helps if the card was given up.
    fn remedy(&self) -> &'static str {
        if self.gone.is_none() {
            "it is taken anew when writ-cardd is back"
        } else {
            "restart writd to bring it up anew"
        }
    }

    /// Nothing new may be armed while the log or the card is in trouble.
    fn require_sound(&self) -> Result<(), Refusal> {
        if let Some(fault) = &self.card_fault {
            let what = format!("the card was given up: {fault}");
            return Err(Refusal::new(RefusalCode::Unavailable, "card", what).hint(self.remedy()));
        }
        if self.audit.is_sound() {
            return Ok(());
        }
        let what = "the audit log does not reach the disk: nothing new is armed";
        Err(Refusal::new(RefusalCode::Unavailable, "audit", what)
            .hint("make room; deactivating and revoking still work"))
    }

    fn answer(&mut self, uid: u32, ask: Ask) -> Result<Answer, Refusal> {
        let who = match self.roles.authorise(uid, &ask) {
            Ok(who) => who.clone(),
            Err(refusal) => {
                self.note_refused_uid(uid, ask.name());
                return Err(refusal);
            }
        };
        let name = ask.name();
        let result = self.carry_out(&who, ask);
        if let Err(refusal) = &result {
            tracing::info!("{name} of uid {uid} was refused: {} ({})", refusal.code.name(), refusal.place);
            let event = Event::new(EventKind::Refused)
                .number("actor_uid", uid.into())
                .text("order", name)
                .text("code", refusal.code.name())
                .text("where", refusal.place.clone());
            self.note(&event);
        }
        result
    }

    fn carry_out(&mut self, who: &Principal, ask: Ask) -> Result<Answer, Refusal> {
        match ask {
            Ask::Status {} => self.status(),
            Ask::TaskActivate { task, dry_run } => self.task_activate(who, &task, dry_run),
            Ask::TaskDeactivate { task, dry_run } => self.task_deactivate(who, &task, dry_run),
            Ask::TaskRevoke { task, dry_run } => self.task_revoke(who, &task, dry_run),
            Ask::TaskList { reveal, page } => self.task_list(who, reveal, page),
            Ask::TaskShow { task, reveal } => self.task_show(who, &task, reveal),
            Ask::DestinationAdd { destination, dry_run } => self.destination_add(who, *destination, dry_run),
            Ask::DestinationList {} => self.destination_list(),
            Ask::DestinationRemove { name, dry_run } => self.destination_remove(who, &name, dry_run),
            Ask::CardStatus {} => self.card_status(),
            Ask::CardCounters {} => self.card_counters(),
            Ask::CardTables { reveal, page } => self.card_tables(who, reveal, page),
            Ask::AuditShow { task, page } => self.audit_show(task, page),
            Ask::AuditVerify { expect_head } => self.audit_verify(expect_head.as_deref()),
        }
    }

    /// Somebody without the role asked. Audited, but not so that anybody can fill the disk with it.
    fn note_refused_uid(&mut self, uid: u32, order: &'static str) {
        let minute = self.clock.now().0 / 60_000_000_000;
        let fresh = RefusalMeter { minute, count: 0, suppressed: 0 };
        let meter = self.refusals.entry(uid).or_insert(fresh);
        if meter.minute != minute {
            *meter = RefusalMeter { suppressed: meter.suppressed, ..fresh };
        }
        meter.count += 1;
        if meter.count > REFUSALS_PER_MINUTE {
            meter.suppressed += 1;
            return;
        }
        let suppressed = std::mem::take(&mut meter.suppressed);
        tracing::warn!("uid {uid} may not ask for `{order}`");
        let event = Event::new(EventKind::Refused)
            .number("actor_uid", uid.into())
            .text("order", order)
            .text("code", RefusalCode::NotPermitted.name())
            .number("not_recorded_before", suppressed);
        self.note(&event);
    }

    /// Records how many refusals were not recorded one by one, of minutes that are over; `now`: of this one too.
    fn note_suppressed(&mut self, now: bool) {
        let minute = self.clock.now().0 / 60_000_000_000;
        let due = |meter: &RefusalMeter| meter.suppressed > 0 && (now || meter.minute != minute);
        let due: Vec<(u32, u64)> = self
            .refusals
            .iter_mut()
            .filter(|(_, meter)| due(meter))
            .map(|(uid, meter)| (*uid, std::mem::take(&mut meter.suppressed)))
            .collect();
        for (uid, suppressed) in due {
            let event = Event::new(EventKind::Refused)
                .number("actor_uid", uid.into())
                .text("code", RefusalCode::NotPermitted.name())
                .number("not_recorded_before", suppressed);
            self.note(&event);
        }
    }

    /// Tasks that are not over, by number.
    fn live(&self) -> impl Iterator<Item = &LiveTask> {
        self.tasks.values().filter(|task| task.machine.state() != TaskState::Ended)
    }

    /// Finishes what can be finished in time, writes everything down.
    fn stop(&mut self, mailbox: &Receiver<Message>) {
        let until = std::time::Instant::now() + self.shutdown_flush;
        while std::time::Instant::now() < until {
            match self.status() {
                Ok(Answer::Status(status)) if status.idle => break,
                Err(_) => break,
                _ => {}
            }
            if let Ok(message) = mailbox.recv_timeout(TICK) {
                self.take(message);
            }
            self.tick();
        }
        self.sessions.stop_all();
        match self.ask_ring(RingOrder::Stop) {
            Ok(()) => {}
            Err(RingGone) => tracing::error!("the ring thread does not answer"),
        }
        while let Ok(message) = mailbox.try_recv() {
            self.take(message);
        }
        self.note_suppressed(true);
        let buffered: u64 = self.live().map(|task| self.ledger.buffered_pdus(task.stored.index)).sum();
        self.note(&Event::new(EventKind::ProcessStopped).number("buffered_pdus", buffered));
        if let Err(error) = self.audit.checkpoint(self.card_time) {
            tracing::error!("{error}");
        }
        // Last, so that the store knows of the last record.
        self.write_down(true);
    }
}
