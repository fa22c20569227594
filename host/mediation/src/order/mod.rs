//! What a request for an interception must hold, and what each kind of order allows. [`validate`] is the only way to a
//! [`TaskSpec`].
//!
//! | kind | interfaces | scope | longest term |
//! |---|---|---|---|
//! | title3 | HI2, HI2+HI3, X2, X3, X2+X3 | any | 30 days |
//! | pen-register, trap-trace | HI2, X2 | headers_l3, headers_l4 | 60 days |
//! | fisa | HI2, HI2+HI3, X2, X3, X2+X3 | any | 1 year; the order may say less |
//! | emergency | HI2, HI2+HI3, X2, X3, X2+X3 | any | 48 hours, cannot be extended by itself |
//!
//! The terms are those of 18 USC 2518(5), 3123(c), 2518(7), 3125 and 50 USC 1805(d) as this product reads them; a deployment that
//! knows better sets shorter ones in the orders' own end, never longer ones.
//!
//! What a target's text means is not judged here: a [`TargetIdentifier`] was read by whoever made it. One that selects whole frames needs content on X3.

mod rules;

pub use rules::{Field, KindRules, Refusal, Refusals, Rule};

use crate::{
    task::{AccessType, Delivery, OrderKind, Responsible, Scope, TargetIdentifier, TaskSpec},
    units::{DestinationIndex, Interface, Sensitive, TaiNs},
};
use core::fmt;
use std::collections::BTreeMap;
use writ_handover::ids::{Liid, Xid};

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;
const NS_PER_S: u64 = 1_000_000_000;
/// Most identifiers of one task.
pub const TARGETS_MAX: usize = 64;
/// Most destinations of one task.
pub const DESTINATIONS_MAX: usize = 4;
/// Longest text of a request, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;

/// A request as it came in: nothing in it was checked. `Debug` shows no value that identifies anyone.
#[derive(Clone, Default)]
pub struct ActivationRequest {
    /// UUID; the daemon makes a fresh one if the operator gave none.
    pub xid: String,
    /// See [`TaskSpec::liid`].
    pub liid: String,
    /// See [`TaskSpec::kind`].
    pub kind: Option<OrderKind>,
    /// See [`TaskSpec::authority_reference`].
    pub authority_reference: String,
    /// See [`TaskSpec::officer`].
    pub officer: String,
    /// See [`TaskSpec::signer`].
    pub signer: String,
    /// See [`TaskSpec::circuit`].
    pub circuit: String,
    /// See [`TaskSpec::username`].
    pub username: String,
    /// See [`TaskSpec::access_type`].
    pub access_type: Option<AccessType>,
    /// See [`TaskSpec::targets`].
    pub targets: Vec<TargetIdentifier>,
    /// See [`TaskSpec::scope`].
    pub scope: Option<Scope>,
    /// See [`TaskSpec::delivery`].
    pub delivery: Option<Delivery>,
    /// See [`TaskSpec::destinations`].
    pub destinations: Vec<DestinationIndex>,
    /// When it starts; `None` is at once. One in the past counts for the term; nothing from before the activation is selected.
    pub start: Option<TaiNs>,
    /// When it ends. Every order ends.
    pub end: Option<TaiNs>,
}

impl fmt::Debug for ActivationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivationRequest")
            .field("kind", &self.kind)
            .field("scope", &self.scope)
            .field("delivery", &self.delivery)
            .field("destinations", &self.destinations)
            .finish_non_exhaustive()
    }
}

/// The interfaces that a destination has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationInterfaces(pub Vec<Interface>);

/// What a request is judged against.
#[derive(Debug, Clone, Copy)]
pub struct ActivationContext<'a> {
    /// The card's clock.
    pub now: TaiNs,
    /// The destinations that exist.
    pub destinations: &'a BTreeMap<DestinationIndex, DestinationInterfaces>,
    /// Every task that has not ended, revoked ones included.
    pub live_tasks: &'a [&'a TaskSpec],
}

/// Judges a request. `responsible` comes from the peer's uid.
///
/// # Errors
/// [`Refusals`]: all that is wrong, not only the first. Nothing was changed.
pub fn validate(
    request: &ActivationRequest,
    responsible: &Responsible,
    context: &ActivationContext<'_>,
) -> Result<TaskSpec, Refusals> {
    let mut judge = Judge { refusals: Vec::new() };
    let xid = judge.parsed(Field::Xid, &request.xid, |text| Xid::parse(text).map_err(|error| error.to_string()));
    let liid = judge.parsed(Field::Liid, &request.liid, |text| Liid::parse(text).map_err(|error| error.to_string()));
    let kind = judge.required(Field::Kind, request.kind);
    let authority_reference = judge.text(Field::AuthorityReference, &request.authority_reference);
    let officer = judge.text(Field::Officer, &request.officer);
    let signer = judge.text(Field::Signer, &request.signer);
    let circuit = judge.text(Field::Circuit, &request.circuit);
    let username = judge.text(Field::Username, &request.username);
    judge.text(Field::Responsible, responsible.name.reveal());
    let access_type = judge.required(Field::AccessType, request.access_type);
    let scope = judge.required(Field::Scope, request.scope);
    let delivery = judge.required(Field::Delivery, request.delivery);
    let end = judge.required(Field::End, request.end);
    // Also if it is over already: the order's term counts from the start that the order names. What is armed is armed now.
    let start = request.start.unwrap_or(context.now);
    judge.targets(&request.targets);
    judge.destinations(&request.destinations, delivery, context);
    if let Some(kind) = kind {
        judge.kind(kind, scope, delivery);
    }
    if let (Some(scope), Some(delivery)) = (scope, delivery) {
        let interfaces = delivery.interfaces();
        let carries_content = interfaces.iter().any(|interface| matches!(interface, Interface::Hi3 | Interface::X3));
        if carries_content != (scope == Scope::Content) {
            judge.refuse(Field::Delivery, Rule::DoesNotFitScope(scope));
        }
        judge.frames(&request.targets, scope, delivery);
    }
    if let Some(end) = end {
        judge.term(kind, start, end, context.now);
    }
    if let (Some(xid), Some(liid), Some(delivery)) = (xid, liid, delivery) {
        judge.uniqueness(request, xid, liid, delivery, context.live_tasks);
    }
    let complete = (xid, liid, kind, access_type, scope, delivery, end);
    let (Some(xid), Some(liid), Some(kind), Some(access_type), Some(scope), Some(delivery), Some(end)) = complete
    else {
        return Err(Refusals(judge.refusals));
    };
    if !judge.refusals.is_empty() {
        return Err(Refusals(judge.refusals));
    }
    let (targets, destinations, responsible) =
        (request.targets.clone(), request.destinations.clone(), responsible.clone());
    Ok(TaskSpec {
        xid,
        liid,
        kind,
        authority_reference,
        officer,
        signer,
        circuit,
        username,
        access_type,
        targets,
        scope,
        delivery,
        destinations,
        start,
        end,
        responsible,
    })
}

/// Collects what is wrong.
struct Judge {
    refusals: Vec<Refusal>,
}

impl Judge {
    fn refuse(&mut self, field: Field, rule: Rule) {
        self.refusals.push(Refusal { field, rule });
    }

    fn required<T>(&mut self, field: Field, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.refuse(field, Rule::Required);
        }
        value
    }

    fn parsed<T>(&mut self, field: Field, text: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if text.is_empty() {
            self.refuse(field, Rule::Required);
            return None;
        }
        parse(text).map_err(|what| self.refuse(field, Rule::Form(what))).ok()
    }

    fn text(&mut self, field: Field, text: &str) -> Sensitive {
        if text.trim().is_empty() {
            self.refuse(field, Rule::Required);
        } else if text.len() > TEXT_BYTES_MAX {
            self.refuse(field, Rule::TooLong(TEXT_BYTES_MAX));
        } else if text.chars().any(char::is_control) {
            self.refuse(field, Rule::Form("holds a control character".into()));
        }
        Sensitive::new(text)
    }

    fn targets(&mut self, targets: &[TargetIdentifier]) {
        if targets.is_empty() {
            self.refuse(Field::Targets, Rule::Required);
        }
        if targets.len() > TARGETS_MAX {
            return self.refuse(Field::Targets, Rule::TooMany(TARGETS_MAX));
        }
        for (index, target) in targets.iter().enumerate() {
            if targets[..index].contains(target) {
                self.refuse(Field::Targets, Rule::Repeated(index));
            }
        }
    }

    /// Frames without an IP packet have no place in PS-PDUs or in header reports, which carry IP packets only: they would be lost.
    fn frames(&mut self, targets: &[TargetIdentifier], scope: Scope, delivery: Delivery) {
        let carried = delivery.packet_interface(scope) == Some(Interface::X3);
        for (index, _) in targets.iter().enumerate().filter(|(_, target)| target.selects_frames && !carried) {
            self.refuse(Field::Targets, Rule::WholeFrames(index));
        }
    }

    fn destinations(
        &mut self,
        destinations: &[DestinationIndex],
        delivery: Option<Delivery>,
        context: &ActivationContext<'_>,
    ) {
        if destinations.is_empty() {
            self.refuse(Field::Destinations, Rule::Required);
        }
        if destinations.len() > DESTINATIONS_MAX {
            return self.refuse(Field::Destinations, Rule::TooMany(DESTINATIONS_MAX));
        }
        for (index, &destination) in destinations.iter().enumerate() {
            if destinations[..index].contains(&destination) {
                self.refuse(Field::Destinations, Rule::Repeated(index));
            }
            let Some(known) = context.destinations.get(&destination) else {
                self.refuse(Field::Destinations, Rule::UnknownDestination(destination));
                continue;
            };
            for &interface in delivery.map_or(&[][..], Delivery::interfaces) {
                if !known.0.contains(&interface) {
                    self.refuse(Field::Destinations, Rule::DestinationLacks(destination, interface));
                }
            }
        }
    }

    fn kind(&mut self, kind: OrderKind, scope: Option<Scope>, delivery: Option<Delivery>) {
        let rules = kind.rules();
        if scope.is_some_and(|scope| !rules.scopes.contains(&scope)) {
            self.refuse(Field::Scope, Rule::NotAllowedFor(kind));
        }
        if delivery.is_some_and(|delivery| !rules.deliveries.contains(&delivery)) {
            self.refuse(Field::Delivery, Rule::NotAllowedFor(kind));
        }
    }

    fn term(&mut self, kind: Option<OrderKind>, start: TaiNs, end: TaiNs, now: TaiNs) {
        if end <= now {
            return self.refuse(Field::End, Rule::EndPast);
        }
        let Some(term_ns) = end.0.checked_sub(start.0).filter(|&term_ns| term_ns > 0) else {
            return self.refuse(Field::End, Rule::EndNotAfterStart);
        };
        if let Some(kind) = kind {
            let term_s_max = kind.rules().term_s_max;
            if term_ns > term_s_max * NS_PER_S {
                self.refuse(Field::End, Rule::TermTooLong { kind, term_s_max });
            }
        }
    }

    fn uniqueness(
        &mut self,
        request: &ActivationRequest,
        xid: Xid,
        liid: Liid,
        delivery: Delivery,
        live: &[&TaskSpec],
    ) {
        let same_targets = |task: &TaskSpec| {
            task.targets.len() == request.targets.len()
                && request.targets.iter().all(|target| task.targets.contains(target))
        };
        if live.iter().any(|task| task.xid == xid && !same_targets(task)) {
            self.refuse(Field::Xid, Rule::XidOfOtherTarget);
        }
        for &destination in &request.destinations {
            let there = || live.iter().filter(|task| task.destinations.contains(&destination));
            if there().any(|task| task.liid == liid) {
                self.refuse(Field::Liid, Rule::LiidInUse(destination));
            }
            if there().any(|task| task.xid == xid && !task.delivery.is_handover() && !delivery.is_handover()) {
                self.refuse(Field::Xid, Rule::XidInUse(destination));
            }
        }
    }
}

#[cfg(test)]
mod tests;
