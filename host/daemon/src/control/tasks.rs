//! Orders about tasks.

use super::{Control, LiveTask};
use crate::{
    convert,
    roles::Principal,
    state::{
        store::{Counter, StoredTask},
        tally::Tallies,
    },
};
use std::collections::BTreeMap;
use writ_control::{
    ActivateTask, Answer, Page, Refusal, RefusalCode, Sensitive, TaskSelector, TimeSpec, Uuid,
    report::{TaskChange, TaskPage},
};
use writ_handover::time::UnixTime;
use writ_mediation::{
    audit::{Event, EventKind},
    datapath::Phase,
    lifecycle::{CloseReason, TaskEvent, TaskState},
    order::{ActivationContext, ActivationRequest, DestinationInterfaces, Field, Refusals, validate},
    task::{AccessType, Responsible, TaskSpec},
    units::{DestinationIndex, Sensitive as Private, SessionKey, TaiNs, TaskIndex},
};
use writ_tables::Change;

/// Tasks that may be live at a time. The arena's context table has room for as many.
const LIVE_TASKS_MAX: usize = 1000;
/// Number of a task that is only planned.
const PLANNED: TaskIndex = TaskIndex(u32::MAX);

impl Control {
    pub(super) fn task_activate(
        &mut self,
        who: &Principal,
        request: &ActivateTask,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let now = self.look_at_clock()?;
        let spec = self.judge(who, request, now)?;
        let planned = convert::table_task(PLANNED, &spec, now)
            .map_err(|error| Refusal::new(RefusalCode::Internal, "targets", error.to_string()))?;
        let plan = self.card.plan(&[Change::Add(planned)]).map_err(|refusal| match refusal {
            writ_tables::Refusal::EmptyTerm(_) => Refusal::new(
                RefusalCode::Invalid,
                "end",
                "by the ticks of the card's rows the task ends before it begins",
            )
            .hint("rows expire in ticks; let it end later"),
            other => convert::no_room(&other),
        })?;
        let starts_now = spec.start <= now;
        let row_commands = if starts_now { plan.writes().len() as u64 } else { 0 };
        if dry_run {
            let state = if starts_now { TaskState::Active } else { TaskState::Pending };
            let stored = new_task(PLANNED, spec, state, 0);
            let after = Some(self.view(&stored, false));
            return Ok(change(false, None, after, row_commands));
        }
        self.require_sound()?;
        let index = self.accept(spec)?;
        let armed = if starts_now { self.arm(index) } else { Ok(()) };
        armed?;
        let after = self.tasks.get(&index).map(|task| self.view(&task.stored, false));
        Ok(change(true, None, after, row_commands))
    }

    /// From the request to an order that is allowed, or everything that is wrong with it.
    fn judge(&mut self, who: &Principal, request: &ActivateTask, now: TaiNs) -> Result<TaskSpec, Refusal> {
        if self.live().count() >= LIVE_TASKS_MAX {
            return Err(Refusal::new(RefusalCode::Limit, "tasks", format!("{LIVE_TASKS_MAX} tasks are live already")));
        }
        let destination = self.destination_by_name(&request.destination)?;
        let activation = self.activation(request, destination, now)?;
        let responsible = Responsible { uid: who.uid, name: Private::new(who.person.clone()) };
        let interfaces = |stored: &crate::state::store::StoredDestination| {
            let pair = convert::interfaces(&stored.definition.addresses);
            (stored.index, DestinationInterfaces(pair.iter().map(|(interface, _)| *interface).collect()))
        };
        let destinations: BTreeMap<_, _> = self.destinations.values().map(interfaces).collect();
        let live: Vec<&TaskSpec> = self.live().map(|task| &*task.spec).collect();
        let context = ActivationContext { now, destinations: &destinations, live_tasks: &live };
        validate(&activation, &responsible, &context).map_err(|refusals| self.refused(&refusals))
    }

    fn activation(
        &self,
        request: &ActivateTask,
        destination: DestinationIndex,
        now: TaiNs,
    ) -> Result<ActivationRequest, Refusal> {
        let access_type = AccessType::parse(&request.access_type).ok_or_else(|| {
            let names: Vec<&str> = AccessType::ALL.iter().map(|access| access.name()).collect();
            Refusal::new(RefusalCode::Invalid, "access_type", "unknown access type")
                .hint(format!("known are {}", names.join(", ")))
        })?;
        let targets = request.targets.iter().enumerate().map(|(entry, target)| {
            convert::target(target.reveal()).map_err(|error| {
                Refusal::new(RefusalCode::Invalid, "targets", format!("entry {entry}: {error}"))
                    .hint("see `writ task activate --help`")
            })
        });
        let targets = targets.collect::<Result<_, _>>()?;
        let start = match request.start {
            TimeSpec::Now => None,
            other => Some(self.time(other, now, "start")?),
        };
        let end = match request.end {
            TimeSpec::Now => return Err(Refusal::new(RefusalCode::Invalid, "end", "a task cannot end now")),
            other => self.time(other, start.unwrap_or(now), "end")?,
        };
        Ok(ActivationRequest {
            xid: request.xid.unwrap_or_else(Uuid::new_v4).to_string(),
            liid: request.liid.reveal().to_owned(),
            kind: Some(convert::kind(request.kind)),
            authority_reference: request.authority.clone(),
            officer: request.officer.clone(),
            signer: request.signer.clone(),
            circuit: request.circuit.reveal().to_owned(),
            username: request.username.reveal().to_owned(),
            access_type: Some(access_type),
            targets,
            scope: Some(convert::scope(request.scope)),
            delivery: Some(convert::delivery(request.deliver, request.scope)),
            destinations: vec![destination],
            start,
            end: Some(end),
        })
    }

    fn time(&self, spec: TimeSpec, from: TaiNs, field: &str) -> Result<TaiNs, Refusal> {
        let beyond = || Refusal::new(RefusalCode::Invalid, field, "beyond what the card's clock can count");
        match spec {
            TimeSpec::Now => Ok(from),
            TimeSpec::After { nanos } => from.0.checked_add(nanos).map(TaiNs).ok_or_else(beyond),
            TimeSpec::Tai { nanos } => Ok(TaiNs(nanos)),
            TimeSpec::Utc { posix_s, nanos } => {
                UnixTime::new(posix_s, nanos).and_then(|utc| self.leap.tai_from_utc(utc)).ok_or_else(beyond)
            }
        }
    }

    fn refused(&self, refusals: &Refusals) -> Refusal {
        let conflict = |field| matches!(field, Field::Liid | Field::Xid);
        let in_use = |refusal: &writ_mediation::order::Refusal| {
            use writ_mediation::order::Rule::{LiidInUse, XidInUse, XidOfOtherTarget};
            conflict(refusal.field) && matches!(refusal.rule, LiidInUse(_) | XidInUse(_) | XidOfOtherTarget)
        };
        let code = if refusals.0.iter().all(in_use) { RefusalCode::Conflict } else { RefusalCode::Invalid };
        let mut fields: Vec<&str> = refusals.0.iter().map(|refusal| refusal.field.name()).collect();
        fields.dedup();
        Refusal::new(code, fields.join(", "), refusals.text(|index| format!("`{}`", self.destination_name(index))))
    }

    /// Intent on the disk, task in the store, task with the ring thread: everything but the rows.
    fn accept(&mut self, spec: TaskSpec) -> Result<TaskIndex, Refusal> {
        let index = TaskIndex(self.store.take_number(Counter::Task)? as u32);
        let cin = self.store.take_number(Counter::Cin)? as u32;
        self.record(&Event::interception(EventKind::ActivationIntended, index, &spec))?;
        let stored = new_task(index, spec, TaskState::Pending, cin);
        if let Err(error) = self.store.insert_task(&stored) {
            self.note_task(EventKind::ActivationFailed, index, |event| event.text("reason", "store"));
            return Err(error.into());
        }
        let tallies = Tallies::new(sessions_of(&stored.spec));
        self.tasks.insert(index, LiveTask::new(stored, tallies));
        if let Err(refusal) = self.open(index, Phase::New) {
            self.note_task(EventKind::ActivationFailed, index, |event| event.text("reason", refusal.what.clone()));
            self.step(index, TaskEvent::ArmFailed);
            return Err(refusal);
        }
        self.write_task(index);
        Ok(index)
    }

    pub(super) fn task_deactivate(
        &mut self,
        who: &Principal,
        selector: &TaskSelector,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let kinds = [EventKind::DeactivationIntended, EventKind::DeactivationDone];
        self.end(who, selector, dry_run, TaskEvent::Deactivate, kinds)
    }

    pub(super) fn task_revoke(
        &mut self,
        who: &Principal,
        selector: &TaskSelector,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let kinds = [EventKind::RevocationIntended, EventKind::RevocationDone];
        self.end(who, selector, dry_run, TaskEvent::Revoke, kinds)
    }

    /// Ends a task. Goes on without the audit log if that is in trouble: ending always works.
    fn end(
        &mut self,
        who: &Principal,
        selector: &TaskSelector,
        dry_run: bool,
        how: TaskEvent,
        [intended, done]: [EventKind; 2],
    ) -> Result<Answer, Refusal> {
        let index = self.find_live(selector)?;
        let Some(task) = self.tasks.get(&index) else { return Err(not_found()) };
        let before = self.view(&task.stored, false);
        let mut machine = task.machine;
        machine.step(how).map_err(|refused| Refusal::new(RefusalCode::Conflict, "task", refused.to_string()))?;
        let removal = [Change::Remove(writ_tables::TaskIndex(index.0))];
        let row_commands = self.card.plan(&removal).map_or(0, |plan| plan.writes().len() as u64);
        if dry_run {
            let mut stored = task.stored.clone();
            (stored.state, stored.reason) = (machine.state(), machine.reason());
            let after = Some(self.view(&stored, false));
            return Ok(change(false, Some(before), after, row_commands));
        }
        let about = |kind, task: &LiveTask| Event::interception(kind, index, &task.spec).actor(who.uid, "operate");
        let event = about(intended, task);
        self.note(&event);
        self.step(index, how);
        let Some(task) = self.tasks.get(&index) else { return Err(not_found()) };
        let disarmed = task.disarmed.map_or(self.card_time.0, |disarmed| disarmed.at.0);
        let event = about(done, task).number("disarmed_tai_ns", disarmed);
        let after = Some(self.view(&task.stored, false));
        self.note(&event);
        Ok(change(true, Some(before), after, row_commands))
    }

    pub(super) fn task_list(&mut self, who: &Principal, reveal: bool, page: Page) -> Result<Answer, Refusal> {
        if reveal {
            self.note_revealed(who, "task list")?;
        }
        let limit = page.limit.min(writ_control::PAGE_ENTRIES_MAX);
        let (total, stored) = self.store.task_page(page.skip, limit)?;
        let tasks = stored.iter().map(|stored| self.view(self.current(stored), reveal)).collect();
        Ok(Answer::TaskList(TaskPage { total, tasks }))
    }

    pub(super) fn task_show(
        &mut self,
        who: &Principal,
        selector: &TaskSelector,
        reveal: bool,
    ) -> Result<Answer, Refusal> {
        let stored = self.find(selector)?;
        if reveal {
            let event = Event::new(EventKind::IdentifiersShown)
                .actor(who.uid, "reveal")
                .text("order", "task show")
                .number("task", stored.index.0.into());
            self.record(&event)?;
        }
        Ok(Answer::Task(Box::new(self.view(self.current(&stored), reveal))))
    }

    /// Identities are shown only after that is on the disk.
    pub(super) fn note_revealed(&mut self, who: &Principal, order: &'static str) -> Result<(), Refusal> {
        self.record(&Event::new(EventKind::IdentifiersShown).actor(who.uid, "reveal").text("order", order))
    }

    /// The task as it is in memory, if it is.
    fn current<'a>(&'a self, stored: &'a StoredTask) -> &'a StoredTask {
        self.tasks.get(&stored.index).map_or(stored, |task| &task.stored)
    }

    /// A task that is not over.
    fn find_live(&self, selector: &TaskSelector) -> Result<TaskIndex, Refusal> {
        let fits = |task: &&LiveTask| match selector {
            TaskSelector::Xid { xid } => task.spec.xid.0 == *xid.as_bytes(),
            TaskSelector::Handover { destination, liid } => self.has_key(task, destination, liid),
        };
        let mut found = self.live().filter(fits).map(LiveTask::index);
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => Err(several()),
            (None, _) => Err(not_found()),
        }
    }

    fn has_key(&self, task: &LiveTask, destination: &str, liid: &Sensitive) -> bool {
        let named = |index: &DestinationIndex| {
            self.destinations.get(index).is_some_and(|stored| stored.definition.name == destination)
        };
        task.spec.destinations.iter().any(named) && task.spec.liid.text() == liid.reveal()
    }

    /// A task, over or not.
    fn find(&self, selector: &TaskSelector) -> Result<StoredTask, Refusal> {
        if let Ok(index) = self.find_live(selector)
            && let Some(task) = self.tasks.get(&index)
        {
            return Ok(task.stored.clone());
        }
        let TaskSelector::Xid { xid } = selector else { return Err(not_found()) };
        let mut found = self.store.tasks_by_xid(*xid)?;
        match found.len() {
            0 => Err(not_found()),
            1 => Ok(found.swap_remove(0)),
            _ => Err(several()),
        }
    }
}

/// The sessions that a task's PDUs go through.
pub(super) fn sessions_of(spec: &TaskSpec) -> impl Iterator<Item = SessionKey> + '_ {
    spec.destinations.iter().flat_map(|&destination| {
        spec.delivery.interfaces().iter().map(move |&interface| SessionKey { destination, interface })
    })
}

fn new_task(index: TaskIndex, spec: TaskSpec, state: TaskState, cin: u32) -> StoredTask {
    StoredTask {
        index,
        spec,
        state,
        reason: CloseReason::Deactivated,
        cin,
        correlation: 0,
        armed: None,
        first_selected: None,
        account: None,
    }
}

fn change(
    applied: bool,
    before: Option<writ_control::report::TaskView>,
    after: Option<writ_control::report::TaskView>,
    row_commands: u64,
) -> Answer {
    Answer::TaskChange(Box::new(TaskChange { applied, before, after, row_commands }))
}

fn not_found() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "task", "there is no such task").hint("see `writ task list`")
}

fn several() -> Refusal {
    Refusal::new(
        RefusalCode::Conflict,
        "task",
        "several tasks have this XID: they are mediation details of one another",
    )
    .hint("name it by --liid and --destination")
}
