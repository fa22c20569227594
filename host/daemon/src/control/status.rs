//! Everything at a glance.

use super::{Control, LiveTask, views::IntoUuid};
use crate::{
    card::ring::{Probe, RingOrder},
    clock, convert,
    state::audit::hex,
};
use std::collections::BTreeMap;
use writ_abi::time::TimeQuality;
use writ_control::Sensitive;
use writ_control::{
    Answer, Refusal,
    report::{
        ArenaReport, CardReport, ConnectionState, DestinationStatus, RingReport, RowUse, SessionReport, StatusReport,
        TaskCounts,
    },
};
use writ_driver::{CardStatus, RingStatistics};
use writ_mediation::{lifecycle::TaskState, units::SessionKey};

/// A certificate that ends so soon is worth an alarm.
const CERTIFICATE_WARNING_S: i64 = 14 * 86_400;

impl Control {
    pub(super) fn status(&mut self) -> Result<Answer, Refusal> {
        self.tick();
        let probe = self.ask_ring(RingOrder::Probe)?;
        let card = self.card_report(&probe);
        let destinations = self.destination_states();
        // What waits to be sent is in the ledger, task by task; what is under way is with the sessions.
        let unconfirmed = self.sessions.handles().any(|(_, handle)| handle.view().status.under_way_bytes > 0);
        let buffered = self.live().any(|task| self.ledger.buffered_pdus(task.index()) > 0);
        let moving = self.live().any(|task| {
            use TaskState::{Closing, Disarming, Draining, Revoked};
            matches!(task.machine.state(), Disarming | Draining | Closing | Revoked)
        });
        let idle = probe.empty && !unconfirmed && !buffered && !moving && self.missing_since.is_none();
        let tasks = self.tasks.values().map(|task| self.task_counts(task)).collect();
        let arena = ArenaReport { blocks: probe.arena.blocks_total as u64, free: probe.arena.blocks_free as u64 };
        let alarms = self.alarms();
        Ok(Answer::Status(Box::new(StatusReport { idle, card, tasks, destinations, arena, alarms })))
    }

    pub(super) fn card_status(&mut self) -> Result<Answer, Refusal> {
        let probe = self.ask_ring(RingOrder::Probe)?;
        self.watch_card(true);
        Ok(Answer::CardStatus(Box::new(self.card_report(&probe))))
    }

    /// The card as it is; of one that does not answer, what was known last.
    fn card_report(&mut self, probe: &Probe) -> CardReport {
        let identity = *self.card.card().identity();
        let gone = CardStatus { tables_ready: false, records_idle: false, committed: false, armed: false };
        let status = self.card.status().unwrap_or(gone);
        let now = self.look_at_clock().unwrap_or(self.card_time);
        let quality = match self.card.card().time_quality() {
            Ok(TimeQuality::Unset) => "unset",
            Ok(TimeQuality::Free) => "free",
            Ok(TimeQuality::Locked) => "locked",
            Err(_) => "gone",
        };
        let usage = self.card.tables().usage();
        let rows: BTreeMap<String, RowUse> = usage
            .tables
            .iter()
            .map(|each| {
                let used = RowUse { used: each.rows_used.into(), capacity: each.rows.into() };
                (convert::area_name(each.area).to_owned(), used)
            })
            .collect();
        let sum = |count: fn(&RingStatistics) -> u64| probe.rings.iter().map(|(_, sums)| count(sums)).sum();
        CardReport {
            backend: self.backend.to_owned(),
            abi: format!("{}.{}", identity.abi_major, identity.abi_minor),
            build_hash: hex(&identity.build_hash),
            armed: status.armed,
            tables_ready: status.tables_ready,
            records_idle: status.records_idle,
            committed: status.committed,
            time: convert::instant(&self.leap, now),
            time_quality: quality.to_owned(),
            prefix_bits: self.card.tables().geometry().prefix_bits(),
            own_tunnels: self.own_tunnels.iter().map(|&name| name.to_owned()).collect(),
            rows,
            records_consumed: sum(|sums| sums.packets),
            gaps_consumed: sum(|sums| sums.gaps),
            rings: probe.rings.iter().map(|(ring, sums)| self.ring_report(*ring, sums)).collect(),
            rows_health: self.row_watch.report(),
        }
    }

    fn ring_report(&self, ring: u8, sums: &RingStatistics) -> RingReport {
        let tables = self.card.tables();
        let RingStatistics { packets, gaps, missing, lost, bad_records, .. } = *sums;
        let tasks = tables.tasks().filter(|task| tables.ring_of(task.index) == Some(ring)).count() as u64;
        RingReport { ring, tasks, packets, gaps, missing, lost, bad_records }
    }

    fn task_counts(&self, task: &LiveTask) -> TaskCounts {
        let spec = &task.spec;
        let stored = &task.stored;
        let first = stored.first_selected.zip(stored.armed);
        TaskCounts {
            xid: spec.xid.0.into_uuid(),
            liid: Sensitive::new(spec.liid.text()),
            destination: self.destination_names(spec),
            kind: convert::wire_kind(spec.kind),
            scope: convert::wire_scope(spec.scope),
            state: convert::wire_state(task.machine.state(), task.machine.reason()),
            start_ns: spec.start.0,
            end_ns: spec.end.0,
            effective_end_ns: convert::effective_end(spec).0,
            armed_ns: stored.armed.map(|armed| armed.0),
            first_selected_after_arm_ns: first.map(|(first, armed)| first.0.saturating_sub(armed.0)),
            interfaces: task.base.with(self.ledger.task(task.index())).view(),
        }
    }

    fn destination_states(&self) -> Vec<DestinationStatus> {
        let mut states: Vec<DestinationStatus> = self
            .destinations
            .values()
            .map(|stored| {
                let sessions = convert::interfaces(&stored.definition.addresses).map(|(interface, address)| {
                    let view =
                        self.sessions.handle(SessionKey { destination: stored.index, interface }).map(|h| h.view());
                    SessionReport {
                        interface: interface.name().to_owned(),
                        address,
                        state: view.as_ref().map_or(ConnectionState::Off, |view| view.state),
                        connects: view.as_ref().map_or(0, |view| view.status.connections),
                        unconfirmed_bytes: view.as_ref().map_or(0, |view| view.status.buffered_bytes),
                        last_error: view.and_then(|view| view.last_error),
                    }
                });
                DestinationStatus { name: stored.definition.name.clone(), sessions: sessions.to_vec() }
            })
            .collect();
        states.sort_by(|a, b| a.name.cmp(&b.name));
        states
    }

    fn alarms(&self) -> Vec<String> {
        let mut alarms = Vec::new();
        if let Some(fault) = &self.card_fault {
            alarms.push(format!("the card was given up: {fault}; {}", self.remedy()));
        }
        alarms.extend(self.start_alarms.iter().cloned());
        if self.ring_faults > 0 {
            alarms.push(format!("{} faults of the record rings", self.ring_faults));
        }
        alarms.extend(self.row_watch.alarms());
        alarms.extend(self.balance_watch.alarms());
        if !self.audit.is_sound() {
            alarms.push("the audit log does not reach the disk: nothing new is armed".to_owned());
        }
        if self.storage_alarm {
            alarms.push("the store does not reach the disk".to_owned());
        }
        let now = clock::universal_time();
        if self.leap.is_stale(now) {
            alarms.push("the leap second table has expired: UTC may be one second off".to_owned());
        }
        let left_s =
            self.certificate_not_after_posix_s.saturating_sub(i64::try_from(now.seconds()).unwrap_or(i64::MAX));
        if left_s < CERTIFICATE_WARNING_S {
            alarms.push(format!("our certificate ends in {} hours", left_s / 3600));
        }
        for (key, handle) in self.sessions.handles() {
            let view = handle.view();
            if view.status.storage_failed {
                alarms.push(format!("journal of destination {} {} fails", key.destination.0, key.interface.name()));
            }
        }
        alarms
    }
}
