//! Beginnings, ends, losses and notices: what happens to a task besides packets.

use super::{
    ArenaFull, Encoder, EncoderConfig,
    route::{Route, Task},
};
use crate::{
    accounting::LossCause,
    arena::{Arena, BlockMemory},
    leap::LeapTable,
    lifecycle::CloseReason,
    task::{AccessType, TaskSpec},
    units::{HostNs, TaiNs, TaskIndex},
};
use core::net::IpAddr;
use writ_handover::{
    pspdu::{
        self, AccessEventType, AuthenticationType, GeneralizedTime, Hi1Operation, InternetAccessType, IpAddress,
        IpAssignment, IpIri, IpVersion, IriContents, IriPayload, IriType, Notification, Octets, OtherTargetIdentifier,
        Payload, PsPdu, RelativeOid, Tri,
    },
    time::UnixTime,
};

/// Packets that were selected for a task and are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// How many.
    pub packets: u64,
    /// Why.
    pub cause: LossCause,
    /// Whether they are known to be this task's (by the card's counters per match). If not, they are reported to it and no number
    /// is used up.
    pub attributed: bool,
}

impl<B: BlockMemory> Encoder<B> {
    /// Announces the beginning on HI2: HI1 notice and IRI-Begin (start of interception with session active). `at` is when the card
    /// was armed, not before the task's start. Repeating it does nothing. On X nothing is sent: X1 reports it.
    ///
    /// # Errors
    /// [`ArenaFull`]: repeat it later.
    pub fn announce_task(&mut self, index: TaskIndex, at: TaiNs, now: HostNs) -> Result<(), ArenaFull> {
        match self.tasks.get_mut(index.0 as usize).and_then(Option::as_deref_mut) {
            Some(task) if !task.announced => Self::announce(&mut self.arena, &self.config, &self.leap, task, at, now),
            _ => Ok(()),
        }
    }

    pub(super) fn announce(
        arena: &mut Arena<B>,
        config: &EncoderConfig,
        leap: &LeapTable,
        task: &mut Task,
        at: TaiNs,
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        let time = leap.utc_from_tai(at);
        for route in &mut task.routes {
            let Some(header) = &route.header else { continue };
            if let Some(notices) = route.notices.as_mut().filter(|notices| notices.next == 0) {
                let pdu = notice(header, config, &task.spec, notices.next, time, true);
                notices.put_event(arena, &pdu, now)?;
            }
            if route.iri().is_some_and(|iri| iri.next == 0) {
                let header = header.clone();
                let pdu = |sequence| access_event(&header, &task.spec, sequence, time, IriType::Begin);
                route.put_iri(arena, pdu, time, now)?;
            }
        }
        task.announced = true;
        Ok(())
    }

    /// Announces that the numbering of a [`super::Phase::Restarted`] task was reset: cINReset on each HI interface. Call it before
    /// [`Encoder::announce_task`]; repeating it does nothing.
    ///
    /// # Errors
    /// [`ArenaFull`]: repeat it later.
    pub fn announce_reset(&mut self, index: TaskIndex, at: TaiNs, now: HostNs) -> Result<(), ArenaFull> {
        let time = self.leap.utc_from_tai(at);
        let Some(task) = self.tasks.get_mut(index.0 as usize).and_then(Option::as_deref_mut) else { return Ok(()) };
        if !task.reset_due {
            return Ok(());
        }
        for route in &mut task.routes {
            let Some(header) = &route.header else { continue };
            // cINReset announces the numbering and takes no number from it.
            let pdu = PsPdu { header: header.header(0, time), payload: Payload::Tri(Tri::CinReset) };
            let pdu = pdu.to_vec().expect("a header that a template was made of can be written");
            for numbering in [Some(&mut route.packets), route.iri.as_mut()].into_iter().flatten() {
                numbering.put_unnumbered(&mut self.arena, &pdu, now)?;
            }
        }
        task.reset_due = false;
        Ok(())
    }

    /// Announces the end on HI2: IRI-End (end of interception with session active) and HI1 notice. Packets are refused from here
    /// on. Repeating it does nothing; a task that was never announced ends silently.
    ///
    /// # Errors
    /// [`ArenaFull`]: repeat it later.
    pub fn close_task(
        &mut self,
        index: TaskIndex,
        _reason: CloseReason,
        at: TaiNs,
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        let time = self.leap.utc_from_tai(at);
        let Some(task) = self.tasks.get_mut(index.0 as usize).and_then(Option::as_deref_mut) else { return Ok(()) };
        if task.closed {
            return Ok(());
        }
        for route in &mut task.routes {
            let Some(header) = &route.header else { continue };
            let notices_next = route.notices.as_ref().map_or(0, |notices| notices.next);
            if notices_next != 1 {
                continue;
            }
            let header = header.clone();
            let pdu = |sequence| access_event(&header, &task.spec, sequence, time, IriType::End);
            route.put_iri(&mut self.arena, pdu, time, now)?;
            let header = &header;
            if let Some(notices) = route.notices.as_mut() {
                let pdu = notice(header, &self.config, &task.spec, notices.next, time, false);
                notices.put_event(&mut self.arena, &pdu, now)?;
            }
        }
        // Whoever waits for the last hash waits no longer than for the end.
        task.put_hashes(&mut self.arena, self.signer.as_deref(), now, true)?;
        task.closed = true;
        Ok(())
    }

    /// Reports packets that were selected for a task and lost outside the encoder (gap records of the card): numbers are used up,
    /// nothing is sent; the gap in the numbers is the report.
    pub fn loss(&mut self, index: TaskIndex, loss: &Loss) {
        let Some(task) = self.tasks.get_mut(index.0 as usize).and_then(Option::as_deref_mut) else { return };
        for route in &mut task.routes {
            if loss.attributed {
                let packets = route.packets.lost.fresh(loss.packets);
                route.packets.lose(&mut self.arena.contexts, packets, loss.cause, None);
            } else {
                route.packets.counters.unattributed_packets += loss.packets;
            }
        }
    }

    /// Of a card that was taken over: how many lost packets of a task somebody told with [`Encoder::loss`] and wrote down, since the card was brought
    /// up. What was told after that is going to be told again, and is not counted twice.
    pub fn told_before(&mut self, index: TaskIndex, packets: u64) {
        let Some(task) = self.tasks.get_mut(index.0 as usize).and_then(Option::as_deref_mut) else { return };
        for route in &mut task.routes {
            route.packets.lost.told_before(&mut self.arena.contexts, packets);
        }
    }

    /// Encodes nothing more for a task; what still comes is counted as lost. Its sessions have to withhold what they have.
    pub fn revoke_task(&mut self, index: TaskIndex) {
        if let Some(task) = self.tasks.get_mut(index.0 as usize).and_then(Option::as_deref_mut) {
            task.revoked = true;
        }
    }

    /// Forgets a task and its numberings. Everything of it has to be delivered, or with a keeper: the numbers' rows are free after
    /// this. Take its last differences first.
    pub fn forget_task(&mut self, index: TaskIndex) {
        let Some(mut task) = self.tasks.get_mut(index.0 as usize).and_then(Option::take) else { return };
        self.hashed_tasks -= usize::from(task.is_hashed());
        for numbering in task.routes.iter_mut().flat_map(Route::numberings) {
            self.arena.contexts.remove(numbering.context);
            numbering.lost.remove(&mut self.arena.contexts);
        }
    }
}

fn notice(
    header: &pspdu::Context,
    config: &EncoderConfig,
    spec: &TaskSpec,
    sequence: u64,
    time: UnixTime,
    activated: bool,
) -> Vec<u8> {
    let notification =
        Notification::new(&spec.liid, &config.operator, time).expect("identifiers fit; times are before the year 2555");
    let operation =
        if activated { Hi1Operation::Activated(notification) } else { Hi1Operation::Deactivated(notification) };
    let context = pspdu::Context { cin: None, ..header.clone() };
    let pdu = PsPdu { header: context.header(sequence as u32, time), payload: Payload::Hi1(operation) };
    pdu.to_vec().expect("a header that a template was made of can be written")
}

fn access_event(header: &pspdu::Context, spec: &TaskSpec, sequence: u64, time: UnixTime, iri_type: IriType) -> Vec<u8> {
    let begins = iri_type == IriType::Begin;
    let event = if begins {
        AccessEventType::StartOfInterceptionWithSessionActive
    } else {
        AccessEventType::EndOfInterceptionWithSessionActive
    };
    let mut iri = IpIri::new(
        RelativeOid::ip_iri(header.versions.ip_access),
        event,
        Octets::borrowed(spec.username.reveal().as_bytes()),
        access_type(spec.access_type),
        ip_version(spec),
    );
    let mut addresses: Vec<(IpAddr, Option<u8>)> =
        spec.targets.iter().filter_map(|target| Some((target.address?, target.prefix_bits))).collect();
    addresses.sort_unstable();
    addresses.dedup();
    iri.target_ip_address = addresses.first().copied().map(ip_address);
    iri.other_target_identifiers =
        addresses.iter().skip(1).map(|&address| OtherTargetIdentifier::IpAddress(ip_address(address))).collect();
    if ip_version(spec) == IpVersion::V4AndV6 {
        iri.additional_ip_address = addresses.iter().copied().find(|(address, _)| address.is_ipv6()).map(ip_address);
    }
    iri.authentication_type = Some(AuthenticationType::Static);
    let stamp = GeneralizedTime::from_unix(time).expect("stamps are before the year 2555");
    if begins {
        iri.start_time = Some(stamp);
    } else {
        iri.end_time = Some(stamp);
    }
    let payload = Payload::Iri(vec![IriPayload::new(iri_type, IriContents::IpIri(Box::new(iri)))]);
    let pdu = PsPdu { header: header.header(sequence as u32, time), payload };
    pdu.to_vec().expect("validate limits the texts, and a header that a template was made of can be written")
}

/// An address, or with a prefix length all that begin like it.
fn ip_address((address, prefix_bits): (IpAddr, Option<u8>)) -> IpAddress<'static> {
    let mut ip = IpAddress::host(address, IpAssignment::Static);
    if let Some(bits) = prefix_bits {
        match address {
            IpAddr::V4(_) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
                ip.ipv4_subnet_mask = Some(mask.to_be_bytes());
            }
            IpAddr::V6(_) => ip.ipv6_prefix_length = Some(bits.into()),
        }
    }
    ip
}

const fn access_type(access_type: AccessType) -> InternetAccessType {
    match access_type {
        AccessType::Undefined => InternetAccessType::Undefined,
        AccessType::DialUp => InternetAccessType::DialUp,
        AccessType::Xdsl => InternetAccessType::Xdsl,
        AccessType::CableModem => InternetAccessType::CableModem,
        AccessType::Lan => InternetAccessType::Lan,
        AccessType::WirelessLan => InternetAccessType::WirelessLan,
        AccessType::Fttx => InternetAccessType::Fttx,
        AccessType::Wimax => InternetAccessType::WimaxHiperman,
        AccessType::Satellite => InternetAccessType::Satellite,
        AccessType::WirelessOther => InternetAccessType::WirelessOther,
    }
}

/// Versions that the target may speak: those of its addresses, or both where the order names a piece of network and no address.
fn ip_version(spec: &TaskSpec) -> IpVersion {
    let any = |is: fn(&IpAddr) -> bool| spec.targets.iter().any(|target| target.address.as_ref().is_none_or(is));
    match (any(IpAddr::is_ipv4), any(IpAddr::is_ipv6)) {
        (true, false) => IpVersion::V4,
        (false, true) => IpVersion::V6,
        _ => IpVersion::V4AndV6,
    }
}
