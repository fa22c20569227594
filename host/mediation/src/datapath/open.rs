//! Making a task known to the encoder: its numberings, found again or begun, and its templates.

use super::{
    Encoder, TASKS_MAX,
    encryption::Sealer,
    integrity::Chain,
    route::{Counters, Numbering, PacketTemplate, Route, Task},
};
use crate::{
    arena::{BlockMemory, ContextKey, LostNumbers, SequenceKind},
    task::{Scope, TargetIdentifier, TaskSpec},
    units::{ContextIndex, DestinationIndex, Interface, SessionKey, TaskIndex},
};
use core::fmt;
use writ_handover::{
    EncodeError,
    ids::Cin,
    pspdu::{self, DataType},
    x2x3::{self, Attribute, AttributeBlock},
};

/// How a task's numberings begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The task was just accepted.
    New,
    /// The process was restarted and the arena recovered: go on.
    Resumed,
    /// The numberings did not survive. The CIN and, on X, the correlation id are new ones, stored before.
    Restarted,
}

/// What [`Encoder::open_task`] needs besides the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTask {
    /// Communication identity number: one for all identifiers of a task with static addresses.
    pub cin: Cin,
    /// X2/X3 correlation id; 0 in the first run.
    pub correlation_id: u64,
    /// How its numberings begin.
    pub phase: Phase,
}

/// One numbering of an opened task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedContext {
    /// The numbering.
    pub context: ContextIndex,
    /// The session that its PDUs go through.
    pub session: SessionKey,
    /// What is numbered.
    pub kind: SequenceKind,
    /// The next number.
    pub next_sequence: u64,
    /// Numbers before it that were never a PDU: their packets were lost.
    pub lost: u64,
}

/// An opened task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its numberings, for the ledger and for withholding.
    pub contexts: Vec<OpenedContext>,
    /// Whether its beginning had been announced before a restart.
    pub announced: bool,
    /// Whether its end had been.
    pub closed: bool,
}

/// Why a task was not opened. Nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// The index is in use, or not below [`TASKS_MAX`].
    Index(TaskIndex),
    /// A destination's interface was not registered.
    SessionUnknown(SessionKey),
    /// The context table is full: fewer tasks, or more context blocks in the arena.
    ContextsFull,
    /// [`Phase::Resumed`], but a numbering is not in the arena: open with [`Phase::Restarted`], or with [`Phase::New`] if the task
    /// was never open before.
    SequencesLost(SessionKey),
    /// [`Phase::New`] or [`Phase::Restarted`], but numbers of this CIN were given out already: the CIN is not new.
    SequencesExist(SessionKey),
    /// [`Phase::Restarted`] on X needs a correlation id other than 0.
    CorrelationId,
    /// Header reports need LI-PS-PDU version 40 or later: the configured version is older.
    PacketReportVersion,
    /// A target selects frames that may hold no IP packet, and the task's packets do not go out as content on X3: they would be lost.
    FramesNeedX3,
    /// A value of the configuration or the task does not fit the format.
    Encode(EncodeError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = |key: &SessionKey| format!("destination {}, {}", key.destination.0, key.interface.name());
        match self {
            Self::Index(TaskIndex(index)) => write!(f, "task index {index} is in use or too high"),
            Self::SessionUnknown(key) => write!(f, "{}: no such session is registered", session(key)),
            Self::ContextsFull => write!(f, "the arena's context table is full"),
            Self::SequencesLost(key) => write!(f, "{}: the sequence numbers did not survive", session(key)),
            Self::SequencesExist(key) => write!(f, "{}: sequence numbers of this CIN exist already", session(key)),
            Self::CorrelationId => write!(f, "a restarted numbering on X needs a correlation id other than 0"),
            Self::PacketReportVersion => {
                write!(
                    f,
                    "headers only on HI2 needs LI-PS-PDU version {} or later",
                    pspdu::LI_PS_VERSION_PACKET_REPORT_MIN
                )
            }
            Self::FramesNeedX3 => write!(f, "a target that selects whole frames needs content on X3"),
            Self::Encode(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}

/// What is numbered for a task towards one destination: the packets first.
fn kinds(spec: &TaskSpec) -> &'static [(Interface, SequenceKind)] {
    match spec.packet_interface() {
        Interface::Hi2 => &[(Interface::Hi2, SequenceKind::Iri), (Interface::Hi2, SequenceKind::Notification)],
        Interface::Hi3 => &[
            (Interface::Hi3, SequenceKind::Content),
            (Interface::Hi2, SequenceKind::Iri),
            (Interface::Hi2, SequenceKind::Notification),
        ],
        Interface::X2 => &[(Interface::X2, SequenceKind::X2)],
        Interface::X3 => &[(Interface::X3, SequenceKind::X3)],
    }
}

/// What hashes are over, and how they and their signatures are numbered; `None` for what is not hashed.
const fn integrity_kinds(kind: SequenceKind) -> Option<(DataType, SequenceKind, SequenceKind)> {
    match kind {
        SequenceKind::Iri => Some((DataType::Iri, SequenceKind::IriHash, SequenceKind::IriSignature)),
        SequenceKind::Content => Some((DataType::Cc, SequenceKind::ContentHash, SequenceKind::ContentSignature)),
        _ => None,
    }
}

/// Tells the tasks of a reused index apart. XIDs are random, so that the digest gives nothing away.
fn fingerprint(spec: &TaskSpec) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("writ 2026 arena context fingerprint");
    hasher.update(&spec.xid.0);
    hasher.update(spec.liid.as_octets());
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    fingerprint
}

impl<B: BlockMemory> Encoder<B> {
    /// Makes a task known: from here on its packets are encoded. Call it before the first row of the task goes to the card.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_task(&mut self, index: TaskIndex, spec: &TaskSpec, open: &OpenTask) -> Result<Opened, OpenError> {
        let free = self.tasks.get(index.0 as usize).is_none_or(Option::is_none);
        if !free || index.0 >= TASKS_MAX {
            return Err(OpenError::Index(index));
        }
        let on_x = !spec.delivery.is_handover();
        if on_x && open.phase == Phase::Restarted && open.correlation_id == 0 {
            return Err(OpenError::CorrelationId);
        }
        let headers_on_hi = spec.scope != Scope::Content && !on_x;
        let is_too_old = |destination: &DestinationIndex| {
            self.formats(*destination).versions.li_ps < pspdu::LI_PS_VERSION_PACKET_REPORT_MIN
        };
        if headers_on_hi && spec.destinations.iter().any(is_too_old) {
            return Err(OpenError::PacketReportVersion);
        }
        if spec.selects_frames() && spec.packet_interface() != Interface::X3 {
            return Err(OpenError::FramesNeedX3);
        }
        self.check_numberings(index, spec, open)?;
        let matched = if spec.packet_interface() == Interface::X2 { matched_attributes(spec)? } else { Vec::new() };
        let mut routes = Vec::with_capacity(spec.destinations.len());
        for &destination in &spec.destinations {
            match self.open_route(index, spec, open, destination) {
                Ok(route) => routes.push(route),
                Err(error) => {
                    // Numberings that are new and have no PDU leave no trace.
                    if open.phase != Phase::Resumed {
                        routes
                            .iter_mut()
                            .flat_map(Route::numberings)
                            .for_each(|new| self.arena.contexts.remove(new.context));
                    }
                    return Err(error);
                }
            }
        }
        let mut task = Task {
            index,
            spec: spec.clone(),
            matched,
            routes,
            reset_due: open.phase == Phase::Restarted,
            announced: false,
            closed: false,
            revoked: false,
        };
        // The first IRI is the beginning; the second notice is the end.
        task.announced = on_x || task.routes.iter().all(|route| route.iri().is_some_and(|iri| iri.next > 0));
        task.closed =
            !on_x && task.routes.iter().all(|route| route.notices.as_ref().is_some_and(|notices| notices.next > 1));
        let opened = Opened { contexts: opened_contexts(&mut task), announced: task.announced, closed: task.closed };
        if self.tasks.len() <= index.0 as usize {
            self.tasks.resize_with(index.0 as usize + 1, || None);
        }
        self.hashed_tasks += usize::from(task.is_hashed());
        self.tasks[index.0 as usize] = Some(Box::new(task));
        Ok(opened)
    }

    fn context_key(
        index: TaskIndex,
        spec: &TaskSpec,
        open: &OpenTask,
        session: SessionKey,
        kind: SequenceKind,
    ) -> ContextKey {
        ContextKey { task: index, session, kind, cin: open.cin, fingerprint: fingerprint(spec) }
    }

    /// Checks before anything is changed. A process may have died while it opened the task, before the first number was given out:
    /// rows that are there and unused are as good as new ones.
    fn check_numberings(&self, index: TaskIndex, spec: &TaskSpec, open: &OpenTask) -> Result<(), OpenError> {
        let (mut missing, mut used, mut needed, mut found) = (None, None, 0, 0);
        for &destination in &spec.destinations {
            for (interface, kind) in self.all_kinds(spec, destination) {
                let session = SessionKey { destination, interface };
                self.arena.share(session).ok_or(OpenError::SessionUnknown(session))?;
                match self.arena.contexts.find(&Self::context_key(index, spec, open, session, kind)) {
                    None if kind.is_integrity() => needed += 1,
                    None => (missing, needed) = (missing.or(Some(session)), needed + 1),
                    Some(state) if state.next_sequence > 0 => (used, found) = (used.or(Some(session)), found + 1),
                    Some(_) => found += 1,
                }
            }
        }
        match (open.phase, missing, used) {
            (Phase::New | Phase::Restarted, _, Some(session)) => return Err(OpenError::SequencesExist(session)),
            (Phase::Resumed, Some(session), used) if used.is_some() || found == 0 => {
                return Err(OpenError::SequencesLost(session));
            }
            _ => {}
        }
        let usage = self.arena.usage();
        if usage.contexts_total - usage.contexts_used < needed {
            return Err(OpenError::ContextsFull);
        }
        Ok(())
    }

    /// Everything that is numbered towards a destination, with hashes and signatures.
    fn all_kinds(&self, spec: &TaskSpec, destination: DestinationIndex) -> Vec<(Interface, SequenceKind)> {
        let mut all = kinds(spec).to_vec();
        let Some(policy) = self.formats(destination).integrity else { return all };
        for &(interface, kind) in kinds(spec) {
            let Some((_, hash, signature)) = integrity_kinds(kind) else { continue };
            all.push((interface, hash));
            all.extend(policy.signature.map(|_| (interface, signature)));
        }
        all
    }

    fn open_numbering(
        &mut self,
        index: TaskIndex,
        spec: &TaskSpec,
        open: &OpenTask,
        session: SessionKey,
        kind: SequenceKind,
    ) -> Result<Numbering, OpenError> {
        let share = self.arena.share(session).ok_or(OpenError::SessionUnknown(session))?;
        let key = Self::context_key(index, spec, open, session, kind);
        let counters = Counters::default();
        if let Some(state) = self.arena.contexts.find(&key) {
            let (context, next, replayed_to) = (state.index, state.next_sequence, state.last_record);
            let lost = LostNumbers::find(&self.arena.contexts, context);
            return Ok(Numbering { context, session, share, kind, next, replayed_to, counters, lost });
        }
        let context = self.arena.contexts.insert(&key, open.correlation_id).ok_or(OpenError::ContextsFull)?;
        let lost = LostNumbers::default();
        Ok(Numbering { context, session, share, kind, next: 0, replayed_to: None, counters, lost })
    }

    fn open_route(
        &mut self,
        index: TaskIndex,
        spec: &TaskSpec,
        open: &OpenTask,
        destination: DestinationIndex,
    ) -> Result<Route, OpenError> {
        let mut numberings = Vec::with_capacity(3);
        for &(interface, kind) in kinds(spec) {
            numberings.push(self.open_numbering(index, spec, open, SessionKey { destination, interface }, kind)?);
        }
        let mut numberings = numberings.into_iter();
        let packets = numberings.next().expect("every delivery numbers its packets");
        let (mut iri, mut notices) = (None, None);
        for numbering in numberings {
            match numbering.kind {
                SequenceKind::Notification => notices = Some(numbering),
                _ => iri = Some(numbering),
            }
        }
        let (template, header) = self.template(spec, open, destination, packets.kind)?;
        let packet_chain = self.open_chain(index, spec, open, &packets)?;
        let iri_chain = match &iri {
            Some(iri) => self.open_chain(index, spec, open, iri)?,
            None => None,
        };
        let key = header.as_ref().and_then(|_| self.payload_keys.get(&destination));
        let sealer = key.map(|key| Box::new(Sealer::new(key.clone())));
        Ok(Route { packets, packet_chain, template, iri, iri_chain, notices, header, sealer })
    }

    /// The chain of hashes over what a numbering numbers, if its destination wants one.
    fn open_chain(
        &mut self,
        index: TaskIndex,
        spec: &TaskSpec,
        open: &OpenTask,
        of: &Numbering,
    ) -> Result<Option<Box<Chain>>, OpenError> {
        let Some((data, hash, signature)) = integrity_kinds(of.kind) else { return Ok(None) };
        let Some(policy) = self.formats(of.session.destination).integrity else { return Ok(None) };
        let hashes = self.open_numbering(index, spec, open, of.session, hash)?;
        let signatures = match policy.signature {
            Some(_) => Some(self.open_numbering(index, spec, open, of.session, signature)?),
            None => None,
        };
        Ok(Some(Box::new(Chain::new(policy, data, hashes, signatures))))
    }

    fn template(
        &self,
        spec: &TaskSpec,
        open: &OpenTask,
        destination: DestinationIndex,
        kind: SequenceKind,
    ) -> Result<(PacketTemplate, Option<Box<pspdu::Context>>), OpenError> {
        let (config, formats) = (&self.config, self.formats(destination));
        if matches!(kind, SequenceKind::X2 | SequenceKind::X3) {
            let template = x2x3::Template::new(&x2x3::TemplateParameters {
                version: formats.x_version,
                pdu_type: if kind == SequenceKind::X2 { x2x3::PduType::X2 } else { x2x3::PduType::X3 },
                xid: spec.xid,
                correlation_id: open.correlation_id,
                domain_id: config.domain_id.as_deref(),
                network_function: config.network_function.as_ref(),
                point_of_interception: config.point_of_interception.as_ref(),
            });
            return Ok((PacketTemplate::X(template.map_err(OpenError::Encode)?), None));
        }
        let context = pspdu::Context {
            versions: formats.versions,
            liid: spec.liid,
            authorization_country: config.country,
            operator: config.operator,
            network_element: config.network_element,
            cin: Some(open.cin),
            delivery_country: config.delivery_country,
            interception_point: config.interception_point,
        };
        Ok((PacketTemplate::Handover(Box::new(pspdu::Template::new(&context))), Some(Box::new(context))))
    }
}

fn opened_contexts(task: &mut Task) -> Vec<OpenedContext> {
    let opened = |numbering: &mut Numbering| OpenedContext {
        context: numbering.context,
        session: numbering.session,
        kind: numbering.kind,
        next_sequence: numbering.next,
        lost: numbering.lost.total(),
    };
    task.routes.iter_mut().flat_map(Route::numberings).map(opened).collect()
}

/// Attribute 17 of each target.
fn matched_attributes(spec: &TaskSpec) -> Result<Vec<AttributeBlock>, OpenError> {
    let attributes = |target: &TargetIdentifier| {
        let attributes: Vec<Attribute<'_>> =
            target.x1_fragments.iter().map(|text| Attribute::MatchedTarget(text)).collect();
        AttributeBlock::new(&attributes).map_err(OpenError::Encode)
    };
    spec.targets.iter().map(attributes).collect()
}
