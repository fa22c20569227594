//! What happens to a task after it was accepted: start, end, drain, close. The state machine in mediation says what to do; here it is done.

use super::{
    CLOCK_EVERY_NS, COUNT_EVERY_NS, Control, Disarmed, ENDED_KEPT_MAX, LiveTask, RingGone, WRITE_DOWN_EVERY_NS,
};
use crate::{
    card::{ring::RingOrder, side::ChangeError},
    convert,
    delivery::task::SessionOrder,
    state::store::StoredTask,
};
use std::sync::Arc;
use writ_control::{Refusal, RefusalCode};
use writ_handover::ids::Cin;
use writ_mediation::{
    audit::{Event, EventKind},
    datapath::{OpenTask, Phase},
    lifecycle::{CloseReason, TaskAction, TaskEvent, TaskMachine, TaskState},
    units::{TaiNs, TaskIndex},
};
use writ_tables::Change;

/// How often the floor of the card's clock is raised on the disk at least, while the clock runs.
const CLOCK_WRITTEN_EVERY_NS: u64 = 5_000_000_000;

impl LiveTask {
    /// A task that was just accepted or read back.
    pub(super) fn new(stored: StoredTask, base: crate::state::tally::Tallies) -> Self {
        Self {
            spec: Arc::new(stored.spec.clone()),
            machine: TaskMachine::restored(stored.state, stored.reason),
            stored,
            contexts: Vec::new(),
            base,
            disarmed: None,
            drain_since: writ_mediation::units::HostNs(0),
            closed: false,
            rings: 0,
            written: true,
        }
    }

    pub(super) fn index(&self) -> TaskIndex {
        self.stored.index
    }
}

impl Control {
    /// Looks at the time: what has to start, what has ended, what is drained, what has to be written down.
    pub(super) fn tick(&mut self) {
        let clocked = self.live().any(|task| matches!(task.machine.state(), TaskState::Pending | TaskState::Active));
        let now = self.clock.now();
        if clocked && self.card_fault.is_none() && now.since(self.clocked_at) >= CLOCK_EVERY_NS {
            self.clocked_at = now;
            match self.look_at_clock() {
                Ok(now) => self.starts_and_ends(now),
                Err(refusal) => self.card_is_lost(&refusal.what),
            }
        }
        self.watch_card(false);
        self.look_for_losses();
        self.count();
        self.drains();
        self.write_down(false);
    }

    /// Fetches the ring thread's counts. They come with every answer of it, never by themselves, so that nothing that is asked for later is
    /// answered on older counts.
    fn count(&mut self) {
        let now = self.clock.now();
        if self.live().next().is_some() && now.since(self.counted_at) >= COUNT_EVERY_NS {
            self.counted_at = now;
            if let Err(RingGone) = self.ask_ring(RingOrder::Count) {
                self.card_is_lost("the ring thread does not answer");
            }
        }
    }

    fn starts_and_ends(&mut self, now: TaiNs) {
        let ended: Vec<TaskIndex> = self
            .live()
            .filter(|task| matches!(task.machine.state(), TaskState::Pending | TaskState::Active))
            .filter(|task| convert::effective_end(&task.spec) <= now)
            .map(LiveTask::index)
            .collect();
        for index in ended {
            self.note_task(EventKind::TaskExpired, index, |event| event.number("card_time_ns", now.0));
            self.step(index, TaskEvent::Expired);
        }
        let due: Vec<TaskIndex> = self
            .live()
            .filter(|task| task.machine.state() == TaskState::Pending && task.spec.start <= now)
            .map(LiveTask::index)
            .collect();
        for index in due {
            if self.require_sound().is_ok()
                && let Err(refusal) = self.arm(index)
            {
                tracing::error!("task {} could not be armed at its start: {}", index.0, refusal.what);
            }
        }
    }

    /// Gives a task to the ring thread, so that packets find it. Before its first row.
    pub(super) fn open(&mut self, index: TaskIndex, phase: Phase) -> Result<bool, Refusal> {
        let Some(task) = self.tasks.get(&index) else { return Err(unknown(index)) };
        let open = OpenTask { cin: Cin(task.stored.cin), correlation_id: task.stored.correlation, phase };
        let spec = Arc::clone(&task.spec);
        let opened = self
            .ask_ring(|reply| RingOrder::Open { index, spec, open, reply })?
            .map_err(|error| Refusal::new(RefusalCode::Unavailable, "mediation", error.to_string()))?;
        for context in &opened.contexts {
            self.ledger.open(index, context.context, context.session);
        }
        if let Some(task) = self.tasks.get_mut(&index) {
            task.contexts = opened.contexts;
            task.closed = opened.closed;
        }
        Ok(opened.announced)
    }

    /// Brings a task into force: rows to the card, then its announcement and its record.
    pub(super) fn arm(&mut self, index: TaskIndex) -> Result<(), Refusal> {
        let Some(task) = self.tasks.get(&index) else { return Err(unknown(index)) };
        let spec = Arc::clone(&task.spec);
        self.require_kept()?;
        if self.card.tables().tasks().next().is_none() {
            // Nobody has looked for a while; what the card lost until now was nobody's.
            self.watch_card(true);
        }
        let now = self.look_at_clock()?;
        let ring = &self.ring;
        let result = match convert::table_task(index, &spec, now) {
            Ok(task) => {
                let armed = self.card.arm().map_err(|error| ChangeError::CardLost(error.to_string()));
                armed.and_then(|()| self.card.change(&[Change::Add(task)], &mut |fan_out| ring.publish(fan_out)))
            }
            Err(error) => Err(ChangeError::RolledBack(error.to_string())),
        };
        let refusal = match result {
            Ok(committed) => {
                self.note_rings();
                self.keep_tables();
                let armed = TaiNs(committed.effective_ns);
                self.card_time = self.card_time.max(armed);
                match self.armed(index, armed) {
                    Ok(()) => return Ok(()),
                    Err(refusal) => {
                        self.take_rows(index);
                        refusal
                    }
                }
            }
            Err(error) => self.change_refused(error),
        };
        self.note_task(EventKind::ActivationFailed, index, |event| event.text("reason", refusal.what.clone()));
        self.step(index, TaskEvent::ArmFailed);
        self.disarm_if_unused();
        Err(refusal)
    }

    /// The card has all rows of a task.
    pub(super) fn armed(&mut self, index: TaskIndex, armed: TaiNs) -> Result<(), Refusal> {
        let Some(task) = self.tasks.get_mut(&index) else { return Err(unknown(index)) };
        task.stored.armed = task.stored.armed.or(Some(armed));
        let effective_end = convert::effective_end(&task.spec);
        let event = Event::interception(EventKind::ActivationDone, index, &task.spec)
            .number("armed_tai_ns", armed.0)
            .number("effective_end_tai_ns", effective_end.0);
        self.record(&event)?;
        self.step(index, TaskEvent::Armed);
        Ok(())
    }

    /// After a change of the tables, which may have moved tasks to other rings.
    pub(super) fn note_rings(&mut self) {
        for task in self.tasks.values_mut() {
            if let Some(ring) = self.card.tables().ring_of(writ_tables::TaskIndex(task.stored.index.0)) {
                task.rings |= 1 << ring;
            }
        }
    }

    /// A change did not reach the card: what to tell, and what follows for the card.
    pub(super) fn change_refused(&mut self, error: ChangeError) -> Refusal {
        match error {
            ChangeError::Refused(refusal) => convert::no_room(&refusal),
            ChangeError::RolledBack(what) => Refusal::new(RefusalCode::Unavailable, "card", what),
            ChangeError::CardLost(what) => {
                self.card_is_lost(&what);
                Refusal::new(RefusalCode::Unavailable, "card", what).hint("restart writd to bring the card up anew")
            }
        }
    }

    /// Gives an event to a task's state machine and does what it says.
    pub(super) fn step(&mut self, index: TaskIndex, event: TaskEvent) {
        let Some(task) = self.tasks.get_mut(&index) else { return };
        let actions = match task.machine.step(event) {
            Ok(actions) => actions,
            Err(refused) => {
                tracing::warn!("task {}: {refused}", index.0);
                return;
            }
        };
        task.stored.state = task.machine.state();
        task.stored.reason = task.machine.reason();
        tracing::info!("task {} is {}", index.0, task.machine.state().name());
        if actions.iter().any(|action| matches!(action, TaskAction::Disarm | TaskAction::Withhold)) {
            // Before it is done: whoever comes after a process that is killed on the way finishes it, and arms nothing again.
            self.write_task(index);
        }
        for action in actions {
            self.act(index, action);
        }
        self.write_task(index);
    }

    pub(super) fn act(&mut self, index: TaskIndex, action: TaskAction) {
        match action {
            TaskAction::Announce => {
                let armed = self.tasks.get(&index).and_then(|task| task.stored.armed).unwrap_or(self.card_time);
                let start = self.tasks.get(&index).map_or(armed, |task| task.spec.start);
                self.ring.tell(RingOrder::Announce(index, armed.max(start)));
            }
            TaskAction::Disarm => self.disarm_task(index),
            TaskAction::AwaitDrain => {
                let now = self.clock.now();
                if let Some(task) = self.tasks.get_mut(&index) {
                    task.drain_since = now;
                }
            }
            TaskAction::Close(reason) => self.close(index, reason),
            TaskAction::Withhold => self.withhold(index),
            TaskAction::Forget => self.forget(index),
            // Nobody can ask for these yet.
            TaskAction::ReleaseWithheld | TaskAction::DestroyWithheld => {}
        }
    }

    /// Removes a task's rows. Works without the audit log.
    fn disarm_task(&mut self, index: TaskIndex) {
        let (at, generation) = self.take_rows(index);
        if let Some(task) = self.tasks.get_mut(&index) {
            task.disarmed = Some(Disarmed { at, generation, quiet: false });
        }
        self.ring.tell(RingOrder::Quiesce(at));
        self.disarm_if_unused();
    }

    /// Takes a task out of the tables, if it is in them. Since when it is, and the change's number.
    fn take_rows(&mut self, index: TaskIndex) -> (TaiNs, Option<writ_tables::Generation>) {
        let known = self.card.tables().tasks().any(|task| task.index.0 == index.0);
        if known && self.card_fault.is_none() {
            let ring = &self.ring;
            let change = [Change::Remove(writ_tables::TaskIndex(index.0))];
            match self.card.change(&change, &mut |fan_out| ring.publish(fan_out)) {
                Ok(committed) => {
                    self.card_time = self.card_time.max(TaiNs(committed.effective_ns));
                    self.keep_tables();
                    return (TaiNs(committed.effective_ns), Some(committed.generation));
                }
                Err(ChangeError::CardLost(what)) => self.card_is_lost(&what),
                Err(error) => self.card_is_lost(&format!("rows of a task could not be cleared: {error}")),
            }
        }
        let _ = self.look_at_clock();
        (self.card_time, None)
    }

    /// A card without tasks is a wire.
    pub(super) fn disarm_if_unused(&mut self) {
        if self.card.tables().tasks().next().is_none()
            && let Err(error) = self.card.disarm()
        {
            self.card_is_lost(&error.to_string());
        }
    }

    /// The ring thread has consumed everything from before `after`.
    pub(super) fn quiet(&mut self, after: TaiNs) {
        self.settle_taken_over(after);
        let reached: Vec<(TaskIndex, Disarmed)> = self
            .tasks
            .values()
            .filter_map(|task| Some((task.index(), task.disarmed?)))
            .filter(|(_, disarmed)| disarmed.at <= after && !disarmed.quiet)
            .collect();
        for (index, disarmed) in reached {
            if let Some(generation) = disarmed.generation {
                self.settle_drops(generation);
            }
            if let Some(task) = self.tasks.get_mut(&index) {
                task.disarmed = Some(Disarmed { quiet: true, ..disarmed });
            }
            self.note_task(EventKind::TaskDraining, index, |event| event.number("disarmed_tai_ns", disarmed.at.0));
            self.step(index, TaskEvent::CardQuiet);
        }
    }

    /// Tasks whose data is out, or will not go out any more.
    fn drains(&mut self) {
        let now = self.clock.now();
        let waiting: Vec<(TaskIndex, TaskState, bool)> = self
            .live()
            .filter(|task| match task.machine.state() {
                TaskState::Draining => true,
                TaskState::Closing => task.closed,
                _ => false,
            })
            .map(|task| (task.index(), task.machine.state(), now.since(task.drain_since) >= self.drain_ns))
            .collect();
        for (index, _, late) in waiting {
            if self.ledger.buffered_pdus(index) == 0 {
                self.step(index, TaskEvent::Drained);
            } else if late {
                self.step(index, TaskEvent::DrainLimit);
            }
        }
    }

    fn close(&mut self, index: TaskIndex, reason: CloseReason) {
        let Some(task) = self.tasks.get_mut(&index) else { return };
        task.closed = false;
        let end = convert::effective_end(&task.spec);
        let at = task.disarmed.map_or(self.card_time, |disarmed| disarmed.at).min(end);
        self.ring.tell(RingOrder::Close(index, reason, at));
    }

    /// Stops sending: sessions first, then the encoder.
    fn withhold(&mut self, index: TaskIndex) {
        let Some(task) = self.tasks.get(&index) else { return };
        for context in &task.contexts {
            if let Some(handle) = self.sessions.handle(context.session) {
                handle.order(SessionOrder::Withhold(context.context));
            }
        }
        if let Err(RingGone) = self.ask_ring(|reply| RingOrder::Revoke(index, reply)) {
            tracing::error!("the ring thread does not answer");
        }
    }

    /// A task is over: its last counts are written down, its numberings are free.
    fn forget(&mut self, index: TaskIndex) {
        if let Err(RingGone) = self.ask_ring(|reply| RingOrder::Forget(index, reply)) {
            tracing::error!("the ring thread does not answer");
        }
        let last = self.ledger.forget(index);
        self.told.forget(index);
        let Some(task) = self.tasks.get_mut(&index) else { return };
        task.base = task.base.with(last.iter().map(|(session, account)| (*session, account)));
        task.contexts.clear();
        task.written = false;
        let event = Event::interception(EventKind::TaskEnded, index, &task.spec)
            .text("reason", task.machine.reason().name())
            .number("selected_packets", task.base.selected_packets())
            .number("delivered_packets", task.base.delivered_packets())
            .number("dropped_packets", task.base.dropped_packets())
            .number("withheld_packets", task.base.withheld_packets());
        self.note(&event);
        let ended = || self.tasks.values().filter(|task| task.machine.state() == TaskState::Ended);
        let surplus = ended().count().saturating_sub(ENDED_KEPT_MAX);
        let oldest: Vec<TaskIndex> = ended().take(surplus).map(LiveTask::index).collect();
        for old in oldest {
            self.tasks.remove(&old);
        }
    }

    pub(super) fn first_packet(&mut self, index: TaskIndex, stamp: TaiNs) {
        if let Some(task) = self.tasks.get_mut(&index) {
            task.stored.first_selected = task.stored.first_selected.or(Some(stamp));
            task.written = false;
        }
    }

    /// Records something about a task, with its number.
    pub(super) fn note_task(&mut self, kind: EventKind, index: TaskIndex, more: impl FnOnce(Event) -> Event) {
        self.note(&more(Event::new(kind).number("task", index.0.into())));
    }

    /// Writes down where a task stands, now.
    pub(super) fn write_task(&mut self, index: TaskIndex) {
        let Some(task) = self.tasks.get_mut(&index) else { return };
        if self.told != self.told_kept {
            // Its counts may hold something that was told, and the next process must know of both or neither.
            task.written = false;
            return self.write_told();
        }
        let sum = task.base.with(self.ledger.task(index));
        task.stored.account = Some(sum.text());
        task.written = true;
        if let Err(error) = self.store.update_task(&task.stored) {
            task.written = false;
            self.storage_trouble(&error.to_string());
        }
    }

    /// Writes down what changed, now and then; `now`: at once.
    pub(super) fn write_down(&mut self, now: bool) {
        let at = self.clock.now();
        if !now && at.since(self.written_at) < WRITE_DOWN_EVERY_NS {
            return;
        }
        self.written_at = at;
        if !self.tables_kept {
            self.keep_tables();
        }
        self.note_suppressed(false);
        self.audit.retry();
        for task in self.tasks.values_mut().filter(|task| !task.written) {
            task.stored.account = Some(task.base.with(self.ledger.task(task.stored.index)).text());
        }
        let changed: Vec<&StoredTask> =
            self.tasks.values().filter(|task| !task.written).map(|task| &task.stored).collect();
        let clock_due = self.card_time.0.saturating_sub(self.card_time_written.0) >= CLOCK_WRITTEN_EVERY_NS;
        let floor = (now || clock_due || !changed.is_empty()).then_some(self.card_time);
        let audit_records = self.audit.durable_records();
        let told = (self.told != self.told_kept).then(|| self.told.text());
        if changed.is_empty() && floor.is_none() && told.is_none() && audit_records == self.audit_records_written {
            return;
        }
        match self.store.write_down(&changed, floor, audit_records, told.as_deref()) {
            Ok(()) => {
                self.told_kept.clone_from(&self.told);
                self.audit_records_written = audit_records;
                self.card_time_written = floor.unwrap_or(self.card_time_written);
                self.tasks.values_mut().for_each(|task| task.written = true);
                self.storage_alarm = false;
            }
            Err(error) => self.storage_trouble(&error.to_string()),
        }
    }

    pub(super) fn storage_trouble(&mut self, what: &str) {
        if !self.storage_alarm {
            tracing::error!("{what}");
        }
        self.storage_alarm = true;
    }
}

fn unknown(index: TaskIndex) -> Refusal {
    Refusal::new(RefusalCode::Internal, "task", format!("task {} does not exist", index.0))
}
