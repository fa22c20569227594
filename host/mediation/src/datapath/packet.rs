//! The hot path.

use super::{
    ArenaFull, Encoded, Encoder, KeyKind, Match, Packet, PacketEnd, Progress, TaskHit,
    ip::{Direction, IpView},
    route::{LOOKUPS_MAX, PacketFacts, PduOutcome, Task, matched_blocks},
};
use crate::{
    accounting::LossCause,
    arena::{Arena, BlockMemory},
    task::Scope,
    units::HostNs,
};
use writ_handover::{time::UnixTime, x2x3::AttributeBlock};

/// A packet as one task sees it.
struct TaskPacket<'a> {
    hit: Match,
    view: IpView<'a>,
    time: UnixTime,
    record: u32,
    /// PDUs of the packet that an earlier attempt has done.
    done: usize,
    now: HostNs,
}

impl<B: BlockMemory> Encoder<B> {
    /// Encodes a packet for every task that it hit. `hits` may name a task several times; it gets one PDU a destination.
    ///
    /// # Errors
    /// [`ArenaFull`]: do not release the record, and offer the same packet with the same hits again; what was done of it is not
    /// done twice.
    pub fn packet(&mut self, now: HostNs, packet: &Packet<'_>, hits: &[TaskHit]) -> Result<Encoded, ArenaFull> {
        self.gather(hits);
        let resumed = self
            .progress
            .take()
            .filter(|progress| (progress.record_sequence, progress.stamp) == (packet.record_sequence, packet.stamp));
        let (done, mut encoded) = resumed.map_or((0, Encoded::default()), |progress| (progress.pdus, progress.so_far));
        let view = IpView::new(packet);
        let time = self.leap.utc_from_tai(packet.stamp);
        // PDUs of this packet so far, those of an earlier attempt included.
        let mut pdus = 0;
        for index in 0..self.matches.len() {
            let hit = self.matches[index];
            let Some(task) = self.tasks.get_mut(hit.task.0 as usize).and_then(Option::as_deref_mut) else {
                encoded.refused += u32::from(pdus >= done);
                pdus += 1;
                continue;
            };
            if !task.spec.covers(packet.stamp) || task.revoked || task.closed || view.is_none() {
                if pdus >= done {
                    encoded.refused += 1;
                    Self::refuse(&mut self.arena, task, packet, view.is_none());
                }
                pdus += 1;
                continue;
            }
            let Some(view) = view else { continue };
            if !task.announced {
                // IRI-Begin goes before the first packet if there is room for it; if not, `announce_task` is repeated by its
                // caller.
                let _ = Self::announce(&mut self.arena, &self.config, &self.leap, task, packet.stamp, now);
            }
            let facts = TaskPacket { hit, view, time, record: packet.record_sequence, done, now };
            if let Err(full) = Self::encode_for(&mut self.arena, task, &facts, &mut pdus, &mut encoded) {
                let (record_sequence, stamp) = (packet.record_sequence, packet.stamp);
                self.progress = Some(Progress { record_sequence, stamp, pdus, so_far: encoded });
                return Err(full);
            }
        }
        Ok(encoded)
    }

    /// One PDU for each destination of a task, except the first ones that an earlier attempt has done.
    #[inline]
    fn encode_for(
        arena: &mut Arena<B>,
        task: &mut Task,
        packet: &TaskPacket<'_>,
        pdus: &mut usize,
        encoded: &mut Encoded,
    ) -> Result<(), ArenaFull> {
        let Task { routes, matched, spec, .. } = task;
        let mut found;
        let mut blocks: &[&AttributeBlock] = &[];
        if let Some((_, first)) = matched.first() {
            found = [first; LOOKUPS_MAX];
            let count = matched_blocks(matched, &packet.hit, &packet.view.flow(Scope::Content), &mut found);
            blocks = &found[..count];
        }
        let facts = PacketFacts {
            view: &packet.view,
            direction: Direction::new(packet.hit.from_target, packet.hit.to_target),
            time: packet.time,
            record: packet.record,
            matched: blocks,
            scope: spec.scope,
            now: packet.now,
        };
        for route in routes {
            if *pdus >= packet.done {
                match route.put_packet(arena, &facts)? {
                    PduOutcome::Accepted => encoded.accepted += 1,
                    PduOutcome::Lost => encoded.lost += 1,
                    PduOutcome::Replayed => encoded.replayed += 1,
                }
            }
            *pdus += 1;
        }
        Ok(())
    }

    /// Puts the hits of each task together.
    #[inline]
    fn gather(&mut self, hits: &[TaskHit]) {
        self.matches.clear();
        for hit in hits {
            let known = self.matches.iter_mut().find(|known| known.task == hit.task);
            let known = match known {
                Some(known) => known,
                None => {
                    self.matches.push(Match::new(hit.task));
                    self.matches.last_mut().expect("it was just pushed")
                }
            };
            known.add(hit);
        }
    }

    /// A packet that a task must not have, or that cannot be read.
    #[cold]
    fn refuse(arena: &mut Arena<B>, task: &mut Task, packet: &Packet<'_>, malformed: bool) {
        let outside = !task.spec.covers(packet.stamp);
        for route in &mut task.routes {
            let packets = &mut route.packets;
            if outside {
                packets.counters.faults.outside_window += 1;
            } else {
                let cause = if malformed { LossCause::Malformed } else { LossCause::Revoked };
                packets.lose(&mut arena.contexts, 1, cause, Some(packet.record_sequence));
            }
        }
    }
}

impl Match {
    const fn new(task: crate::units::TaskIndex) -> Self {
        Self {
            task,
            from_target: false,
            to_target: false,
            address_source: false,
            address_destination: false,
            endpoint_source: false,
            endpoint_destination: false,
        }
    }

    #[inline]
    fn add(&mut self, hit: &TaskHit) {
        match hit.end {
            PacketEnd::Source => self.from_target = true,
            PacketEnd::Destination => self.to_target = true,
        }
        match (hit.key, hit.end) {
            (KeyKind::Address, PacketEnd::Source) => self.address_source = true,
            (KeyKind::Address, PacketEnd::Destination) => self.address_destination = true,
            (KeyKind::Endpoint, PacketEnd::Source) => self.endpoint_source = true,
            (KeyKind::Endpoint, PacketEnd::Destination) => self.endpoint_destination = true,
        }
    }
}
