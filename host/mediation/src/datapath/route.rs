//! What the encoder keeps of a task: its numberings and templates, one set a destination.

use super::{
    ArenaFull, Signer, TARGETS_NAMED_MAX,
    encryption::Sealer,
    integrity::Chain,
    ip::{Direction, View},
};
use crate::{
    accounting::{Faults, LossCause, Losses, TaskDelta},
    arena::{Arena, BlockMemory, ContextTable, Entry, LostNumbers, NoRoom, SequenceKind, ShareIndex},
    session::Counts,
    task::{Scope, TaskSpec},
    units::{ContextIndex, HostNs, RecordNumber, SessionKey, TaskIndex},
};
use writ_handover::{
    pspdu::{self, CcContents, CcPayload, IpCc, IpCcContents, Octets, Payload, PsPdu, RelativeOid},
    time::UnixTime,
    x2x3::{self, AttributeBlock},
};

/// Differences since they were last taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    pub(super) selected_packets: u64,
    pub(super) selected_bytes: u64,
    pub(super) encoded: Counts,
    pub(super) losses: Losses,
    pub(super) unattributed_packets: u64,
    pub(super) faults: Faults,
}

/// One numbering, and the session that its PDUs go through.
#[derive(Debug)]
pub(super) struct Numbering {
    pub(super) context: ContextIndex,
    pub(super) session: SessionKey,
    pub(super) share: ShareIndex,
    pub(super) kind: SequenceKind,
    pub(super) next: u64,
    /// After a restart with the same card: records up to this one became PDUs already.
    pub(super) replayed_to: Option<RecordNumber>,
    pub(super) counters: Counters,
    /// Of the packets' numbering only.
    pub(super) lost: LostNumbers,
}

impl Numbering {
    /// Whether this record became a PDU before the process was restarted: that can be the one record alone that its ring was at, so any other one
    /// ends the question.
    #[inline]
    fn is_replayed(&mut self, record: RecordNumber) -> bool {
        self.replayed_to = self.replayed_to.filter(|last| *last == record);
        self.replayed_to.is_some()
    }

    /// Uses up numbers for packets that are lost; without a record they never came here.
    pub(super) fn lose<B: BlockMemory>(
        &mut self,
        contexts: &mut ContextTable<B>,
        packets: u64,
        cause: LossCause,
        record: Option<RecordNumber>,
    ) {
        self.next += packets;
        self.lost.add(contexts, self.context, packets, record.is_none());
        contexts.advance(self.context, self.next, record);
        self.counters.selected_packets += packets;
        self.counters.losses.add(cause, packets);
    }

    /// Accepts the PDU that was written to the start of the open block's space.
    #[inline]
    fn accepted(&mut self, pdu_bytes: usize) {
        self.next += 1;
        self.counters.encoded += Counts { pdus: 1, packets: 1, bytes: pdu_bytes as u64 };
    }

    /// Accepts an event: a PDU that somebody encoded with this numbering's next number.
    pub(super) fn put_event<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        pdu: &[u8],
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        self.put(arena, pdu, true, now)?;
        self.next += 1;
        arena.contexts.advance(self.context, self.next, None);
        Ok(())
    }

    fn put<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        pdu: &[u8],
        numbered: bool,
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        let block = arena.room(self.share, pdu.len(), now).map_err(|_: NoRoom| ArenaFull)?;
        block.space()[..pdu.len()].copy_from_slice(pdu);
        let (context, sequence, record) = (self.context, self.next as u32, RecordNumber::default());
        block.commit(pdu.len(), Entry { end: 0, context, sequence, record, packets: 0, has_record: false, numbered });
        self.counters.encoded += Counts { pdus: 1, packets: 0, bytes: pdu.len() as u64 };
        Ok(())
    }

    /// Accepts a PDU that belongs to the numbering and takes no number of it (cINReset).
    pub(super) fn put_unnumbered<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        pdu: &[u8],
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        self.put(arena, pdu, false, now)
    }

    fn take_delta(&mut self, task: TaskIndex, each: &mut impl FnMut(TaskDelta)) {
        if self.counters == Counters::default() {
            return;
        }
        let counters = core::mem::take(&mut self.counters);
        each(TaskDelta {
            task,
            session: self.session,
            selected_packets: counters.selected_packets,
            selected_bytes: counters.selected_bytes,
            encoded: counters.encoded,
            losses: counters.losses,
            unattributed_packets: counters.unattributed_packets,
            faults: counters.faults,
        });
    }
}

/// The language of a route's packets.
#[derive(Debug)]
pub(super) enum PacketTemplate {
    Handover(Box<pspdu::Template>),
    X(x2x3::Template),
}

/// A task towards one destination.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) packets: Numbering,
    /// Hashes over the packets' PDUs.
    pub(super) packet_chain: Option<Box<Chain>>,
    pub(super) template: PacketTemplate,
    /// IRI events, where they are not numbered with the packets.
    pub(super) iri: Option<Numbering>,
    /// Hashes over those.
    pub(super) iri_chain: Option<Box<Chain>>,
    /// HI1 notices.
    pub(super) notices: Option<Numbering>,
    /// Headers of this route's PS-PDUs.
    pub(super) header: Option<Box<pspdu::Context>>,
    /// Encrypts the payloads of IRI and content.
    pub(super) sealer: Option<Box<Sealer>>,
}

/// What became of one PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PduOutcome {
    Accepted,
    Lost,
    Replayed,
}

/// What a route needs to know of a packet.
pub(super) struct PacketFacts<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) direction: Direction,
    pub(super) time: UnixTime,
    pub(super) record: RecordNumber,
    /// Attribute 17, for X2.
    pub(super) matched: &'a [&'a AttributeBlock],
    pub(super) scope: Scope,
    pub(super) now: HostNs,
}

impl Route {
    /// All numberings of the route.
    pub(super) fn numberings(&mut self) -> impl Iterator<Item = &mut Numbering> {
        let chains = [self.packet_chain.as_mut(), self.iri_chain.as_mut()];
        let hashes = chains.into_iter().flatten().flat_map(|chain| chain.numberings());
        [Some(&mut self.packets), self.iri.as_mut(), self.notices.as_mut()].into_iter().flatten().chain(hashes)
    }

    /// Accepts an IRI event, as which `pdu` encodes the number that it gets.
    pub(super) fn put_iri<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        pdu: impl FnOnce(u64) -> Vec<u8>,
        time: UnixTime,
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        let (numbering, chain) = match self.packets.kind {
            SequenceKind::Iri => (Some(&mut self.packets), &mut self.packet_chain),
            _ => (self.iri.as_mut(), &mut self.iri_chain),
        };
        let Some(numbering) = numbering else { return Ok(()) };
        let (sequence, pdu) = (numbering.next as u32, pdu(numbering.next));
        match &mut self.sealer {
            Some(sealer) => {
                numbering.put_event(arena, sealer.seal(SequenceKind::Iri, &pdu, sequence, time), now)?;
                sealer.accepted(SequenceKind::Iri);
            }
            None => numbering.put_event(arena, &pdu, now)?,
        }
        if let Some(chain) = chain {
            chain.note(&pdu, sequence, time, now);
        }
        Ok(())
    }

    /// Whether a hash has all the PDUs that it may have.
    #[inline]
    pub(super) fn is_hash_full(&self) -> bool {
        self.packet_chain.as_ref().is_some_and(|chain| chain.is_full())
    }

    /// Puts hashes and signatures that are due, or all.
    pub(super) fn put_hashes<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        signer: Option<&dyn Signer>,
        now: HostNs,
        everything: bool,
    ) -> Result<(), ArenaFull> {
        let Some(header) = &self.header else { return Ok(()) };
        for chain in [self.packet_chain.as_mut(), self.iri_chain.as_mut()].into_iter().flatten() {
            chain.put(arena, header, signer, now, everything)?;
        }
        Ok(())
    }

    /// The numbering of IRI events.
    pub(super) fn iri(&self) -> Option<&Numbering> {
        if self.packets.kind == SequenceKind::Iri { Some(&self.packets) } else { self.iri.as_ref() }
    }

    /// Writes the PDU of a packet.
    #[inline]
    pub(super) fn put_packet<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        facts: &PacketFacts<'_>,
    ) -> Result<PduOutcome, ArenaFull> {
        if self.packets.is_replayed(facts.record) {
            return Ok(PduOutcome::Replayed);
        }
        let payload = facts.view.cut(facts.scope);
        let truncated = payload.len() < facts.view.wanted(facts.scope);
        let written = match &mut self.template {
            PacketTemplate::Handover(_) if self.sealer.is_some() => self.put_sealed(arena, facts, payload, truncated),
            PacketTemplate::X(template) => Self::put_x(&self.packets, template, arena, facts, payload),
            PacketTemplate::Handover(template) if !truncated || facts.scope != Scope::Content => {
                Self::put_handover(&self.packets, self.packet_chain.as_deref_mut(), template, arena, facts, payload)
            }
            PacketTemplate::Handover(_) => self.put_truncated(arena, facts, payload),
        };
        let packets = &mut self.packets;
        match written {
            Ok(bytes) => packets.accepted(bytes),
            Err(NoRoom::Arena) => return Err(ArenaFull),
            Err(NoRoom::SessionCap) => {
                packets.lose(&mut arena.contexts, 1, LossCause::DestinationFull, Some(facts.record));
                packets.counters.selected_bytes += payload.len() as u64;
                return Ok(PduOutcome::Lost);
            }
        }
        arena.contexts.advance(packets.context, packets.next, Some(facts.record));
        packets.counters.selected_packets += 1;
        packets.counters.selected_bytes += payload.len() as u64;
        packets.counters.faults.truncated += u64::from(truncated);
        Ok(PduOutcome::Accepted)
    }

    #[inline]
    fn entry(packets: &Numbering, record: RecordNumber) -> Entry {
        let (context, sequence) = (packets.context, packets.next as u32);
        Entry { end: 0, context, sequence, record, packets: 1, has_record: true, numbered: true }
    }

    #[inline]
    fn put_handover<B: BlockMemory>(
        packets: &Numbering,
        chain: Option<&mut Chain>,
        template: &mut pspdu::Template,
        arena: &mut Arena<B>,
        facts: &PacketFacts<'_>,
        payload: &[u8],
    ) -> Result<usize, NoRoom> {
        let stamp =
            pspdu::Stamp { sequence: packets.next as u32, time: facts.time, direction: facts.direction.handover };
        let block = arena.room(packets.share, payload.len() + pspdu::OVERHEAD_OCTETS_MAX, facts.now)?;
        let written = encode(template, block.space(), &stamp, facts.scope, payload);
        if let Some(chain) = chain {
            chain.note(&block.space()[..written], stamp.sequence, facts.time, facts.now);
        }
        block.commit(written, Self::entry(packets, facts.record));
        Ok(written)
    }

    /// A PS-PDU with its payload encrypted.
    fn put_sealed<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        facts: &PacketFacts<'_>,
        payload: &[u8],
        truncated: bool,
    ) -> Result<usize, NoRoom> {
        let sequence = self.packets.next as u32;
        let whole =
            if truncated && facts.scope == Scope::Content { Some(self.truncated(facts, payload)) } else { None };
        let (Some(sealer), PacketTemplate::Handover(template)) = (&mut self.sealer, &mut self.template) else {
            return Err(NoRoom::Arena);
        };
        let mut plain = core::mem::take(&mut sealer.plain);
        match whole {
            Some(pdu) => plain = pdu,
            None => {
                let stamp = pspdu::Stamp { sequence, time: facts.time, direction: facts.direction.handover };
                plain.resize(payload.len() + pspdu::OVERHEAD_OCTETS_MAX, 0);
                let written = encode(template, &mut plain, &stamp, facts.scope, payload);
                plain.truncate(written);
            }
        }
        let sealed = sealer.seal(self.packets.kind, &plain, sequence, facts.time);
        let octets = sealed.len();
        let placed = arena.room(self.packets.share, octets, facts.now).map(|block| {
            block.space()[..octets].copy_from_slice(sealed);
            block.commit(octets, Self::entry(&self.packets, facts.record));
        });
        if placed.is_ok() {
            sealer.accepted(self.packets.kind);
            if let Some(chain) = &mut self.packet_chain {
                chain.note(&plain, sequence, facts.time, facts.now);
            }
        }
        sealer.plain = plain;
        placed.map(|()| octets)
    }

    #[inline]
    fn put_x<B: BlockMemory>(
        packets: &Numbering,
        template: &x2x3::Template,
        arena: &mut Arena<B>,
        facts: &PacketFacts<'_>,
        payload: &[u8],
    ) -> Result<usize, NoRoom> {
        let packet = x2x3::Packet {
            format: facts.view.format(),
            direction: facts.direction.x,
            sequence: packets.next as u32,
            time: facts.time,
            flow: facts.view.flow(facts.scope),
            blocks: if packets.kind == SequenceKind::X2 { facts.matched } else { &[] },
            payload,
        };
        let block = arena.room(packets.share, template.encoded_length(&packet), facts.now)?;
        let written = template.encode(block.space(), &packet).expect("there is room, and lengths fit 32 bits");
        block.commit(written, Self::entry(packets, facts.record));
        Ok(written)
    }

    /// The PDU of a content packet of which the record holds less than the whole: iPTruncatedPacket.
    #[cold]
    fn truncated(&self, facts: &PacketFacts<'_>, payload: &[u8]) -> Vec<u8> {
        let header = self.header.as_ref().expect("routes with PS-PDUs have one");
        let contents = CcContents::IpCc(IpCc {
            object_id: RelativeOid::ip_cc(header.versions.ip_access),
            contents: IpCcContents::Truncated {
                packet: Octets::borrowed(payload),
                original_length: Some(facts.view.wanted(facts.scope) as u64),
                others: Vec::new(),
            },
        });
        let pdu = PsPdu {
            header: header.header(self.packets.next as u32, facts.time),
            payload: Payload::Cc(vec![CcPayload::new(facts.direction.handover, contents)]),
        };
        pdu.to_vec().expect("lengths fit, and the direction has a number")
    }

    #[cold]
    fn put_truncated<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        facts: &PacketFacts<'_>,
        payload: &[u8],
    ) -> Result<usize, NoRoom> {
        let pdu = self.truncated(facts, payload);
        let block = arena.room(self.packets.share, pdu.len(), facts.now)?;
        block.space()[..pdu.len()].copy_from_slice(&pdu);
        if let Some(chain) = &mut self.packet_chain {
            chain.note(&pdu, self.packets.next as u32, facts.time, facts.now);
        }
        block.commit(pdu.len(), Self::entry(&self.packets, facts.record));
        Ok(pdu.len())
    }
}

/// Writes the PS-PDU of a packet to the start of `out`, which has room for it.
#[inline]
fn encode(template: &mut pspdu::Template, out: &mut [u8], stamp: &pspdu::Stamp, scope: Scope, payload: &[u8]) -> usize {
    let written = match scope {
        Scope::Content => template.encode_ipcc(out, stamp, payload),
        Scope::HeadersL4 | Scope::HeadersL3 => template.encode_packet_report(out, stamp, payload),
    };
    written.expect("there is room, the direction has a number, and open_task has checked the version")
}

/// What the encoder keeps of a task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) index: TaskIndex,
    pub(super) spec: TaskSpec,
    /// Attribute 17 of each target, in their order; empty where nothing goes out on X2.
    pub(super) matched: Vec<AttributeBlock>,
    pub(super) routes: Vec<Route>,
    /// A cINReset has to go out first.
    pub(super) reset_due: bool,
    pub(super) announced: bool,
    pub(super) closed: bool,
    pub(super) revoked: bool,
}

impl Task {
    /// Whether anything of it is hashed.
    pub(super) fn is_hashed(&self) -> bool {
        self.routes.iter().any(|route| route.packet_chain.is_some() || route.iri_chain.is_some())
    }

    /// Puts hashes and signatures that are due, or all.
    pub(super) fn put_hashes<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        signer: Option<&dyn Signer>,
        now: HostNs,
        everything: bool,
    ) -> Result<(), ArenaFull> {
        self.routes.iter_mut().try_for_each(|route| route.put_hashes(arena, signer, now, everything))
    }

    pub(super) fn take_deltas(&mut self, each: &mut impl FnMut(TaskDelta)) {
        let index = self.index;
        for numbering in self.routes.iter_mut().flat_map(Route::numberings) {
            numbering.take_delta(index, each);
        }
    }

    /// Forgets of which record the last PDU is, but of those that come again.
    pub(super) fn forget_records(&mut self, comes_again: impl Fn(RecordNumber) -> bool) {
        for numbering in self.routes.iter_mut().flat_map(Route::numberings) {
            numbering.replayed_to = numbering.replayed_to.filter(|last| comes_again(*last));
        }
    }
}

/// Attribute 17 of the targets that this packet hit, one bit each.
#[inline]
pub(super) fn matched_blocks<'t>(
    matched: &'t [AttributeBlock],
    hit: u64,
    into: &mut [&'t AttributeBlock; TARGETS_NAMED_MAX],
) -> usize {
    let hit = matched.iter().take(u64::BITS as usize).enumerate().filter(|(target, _)| hit >> target & 1 == 1);
    let mut count = 0;
    for ((_, block), place) in hit.zip(into.iter_mut()) {
        *place = block;
        count += 1;
    }
    count
}
