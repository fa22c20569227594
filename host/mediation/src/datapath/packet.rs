//! The hot path.

use super::{
    ArenaFull, Encoded, Encoder, HitLayer, HitSide, Match, Packet, Progress, Signer, TARGETS_NAMED_MAX, TaskHit,
    ip::{Direction, View, Views},
    route::{PacketFacts, PduOutcome, Task, matched_blocks},
};
use crate::{
    accounting::LossCause,
    arena::{Arena, BlockMemory},
    units::{HostNs, Interface, RecordNumber, TaskIndex},
};
use writ_handover::{time::UnixTime, x2x3::AttributeBlock};

/// A packet as one task sees it.
struct TaskPacket<'a> {
    hit: Match,
    view: View<'a>,
    time: UnixTime,
    record: RecordNumber,
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
        let resumed = self.take_progress(packet);
        let (done, mut encoded) = resumed.map_or((0, Encoded::default()), |progress| (progress.pdus, progress.so_far));
        let views = Views::new(packet);
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
            let view = hit.view(&views, task);
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
            let facts = TaskPacket { hit, view, time, record: packet.record, done, now };
            if let Err(full) =
                Self::encode_for(&mut self.arena, task, &facts, self.signer.as_deref(), &mut pdus, &mut encoded)
            {
                let (record, stamp) = (packet.record, packet.stamp);
                self.progress.push(Progress { record, stamp, pdus, so_far: encoded });
                return Err(full);
            }
        }
        Ok(encoded)
    }

    /// What an earlier attempt has done of this packet.
    #[inline]
    fn take_progress(&mut self, packet: &Packet<'_>) -> Option<Progress> {
        if self.progress.is_empty() {
            return None;
        }
        let at = self.progress.iter().position(|progress| progress.record.ring == packet.record.ring)?;
        // A ring that went on without its packet does not come back to it.
        let progress = self.progress.swap_remove(at);
        ((progress.record, progress.stamp) == (packet.record, packet.stamp)).then_some(progress)
    }

    /// One PDU for each destination of a task, except the first ones that an earlier attempt has done.
    #[inline]
    fn encode_for(
        arena: &mut Arena<B>,
        task: &mut Task,
        packet: &TaskPacket<'_>,
        signer: Option<&dyn Signer>,
        pdus: &mut usize,
        encoded: &mut Encoded,
    ) -> Result<(), ArenaFull> {
        let Task { routes, matched, spec, .. } = task;
        let mut found;
        let mut blocks: &[&AttributeBlock] = &[];
        if let Some(first) = matched.first() {
            found = [first; TARGETS_NAMED_MAX];
            let count = matched_blocks(matched, packet.hit.targets, &mut found);
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
                if route.is_hash_full() {
                    // Without room it comes with the next look at hashes that are due.
                    let _ = route.put_hashes(arena, signer, packet.now, false);
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
                packets.lose(&mut arena.contexts, 1, cause, Some(packet.record));
            }
        }
    }
}

impl Match {
    const fn new(task: TaskIndex) -> Self {
        // The outermost layer that some hit names wins, so it begins with the innermost.
        Self { task, from_target: false, to_target: false, frame: false, layer: HitLayer::Inner, targets: 0 }
    }

    #[inline]
    fn add(&mut self, hit: &TaskHit) {
        match hit.side {
            HitSide::Source => self.from_target = true,
            HitSide::Destination => self.to_target = true,
            HitSide::Either => {}
        }
        self.frame |= hit.frame;
        if !hit.frame {
            self.layer = self.layer.min(hit.layer);
        }
        self.targets |= 1_u64.checked_shl(hit.target.into()).unwrap_or(0);
    }

    /// What the task sees of the packet; `None` if the record has no such thing, or if it may not go where the task's packets go.
    #[inline]
    fn view<'a>(&self, views: &Views<'a>, task: &Task) -> Option<View<'a>> {
        if self.frame {
            // `open_task` has seen to it; a frame on any other interface would be more than was ordered.
            return (task.spec.packet_interface() == Interface::X3).then(|| views.frame());
        }
        views.ip(self.layer == HitLayer::Inner)
    }
}
