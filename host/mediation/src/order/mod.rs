//! What a request for an interception must hold, and what each kind of order allows. [`validate`] is the only way to a [`TaskSpec`].
//!
//! | kind | interfaces | scope | longest term |
//! |---|---|---|---|
//! | title3 | HI2, HI2+HI3, X2, X3, X2+X3 | any | 30 days |
//! | pen-register, trap-trace | HI2, X2 | headers_l3, headers_l4 | 60 days |
//! | fisa | HI2, HI2+HI3, X2, X3, X2+X3 | any | 1 year; the order may say less |
//! | emergency | HI2, HI2+HI3, X2, X3, X2+X3 | any | 48 hours, cannot be extended by itself |
//!
//! The terms are those of 18 USC 2518(5), 3123(c), 2518(7), 3125 and 50 USC 1805(d) as this product reads them; a deployment that knows better sets
//! shorter ones in the orders' own end, never longer ones.

use crate::{
    task::{AccessType, Delivery, OrderKind, Responsible, Scope, TargetIdentifier, TaskSpec, names},
    units::{DestinationIndex, Interface, Sensitive, TaiNs},
};
use core::{fmt, net::IpAddr};
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

/// What a kind of order allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindRules {
    /// Deliveries that it allows.
    pub deliveries: &'static [Delivery],
    /// Scopes that it allows.
    pub scopes: &'static [Scope],
    /// Longest time from start to end.
    pub term_s_max: u64,
}

impl OrderKind {
    /// What this kind of order allows.
    pub const fn rules(self) -> KindRules {
        const HEADERS: KindRules = KindRules {
            deliveries: &[Delivery::Hi2Only, Delivery::X2Only],
            scopes: &[Scope::HeadersL3, Scope::HeadersL4],
            term_s_max: 60 * DAY_S,
        };
        const ANY: KindRules = KindRules { deliveries: Delivery::ALL, scopes: Scope::ALL, term_s_max: 30 * DAY_S };
        match self {
            Self::Title3 => ANY,
            Self::PenRegister | Self::TrapTrace => HEADERS,
            Self::Fisa => KindRules { term_s_max: 365 * DAY_S, ..ANY },
            Self::Emergency => KindRules { term_s_max: 48 * HOUR_S, ..ANY },
        }
    }
}

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
    /// When it starts; `None` is at once.
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

/// A field of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the field of ActivationRequest with its name, or who asks")]
pub enum Field {
    Xid,
    Liid,
    Kind,
    AuthorityReference,
    Officer,
    Signer,
    Circuit,
    Username,
    AccessType,
    Targets,
    Scope,
    Delivery,
    Destinations,
    Start,
    End,
    Responsible,
}

names!(Field {
    Xid = "xid",
    Liid = "liid",
    Kind = "kind",
    AuthorityReference = "authority_reference",
    Officer = "officer",
    Signer = "signer",
    Circuit = "circuit",
    Username = "username",
    AccessType = "access_type",
    Targets = "targets",
    Scope = "scope",
    Delivery = "delivery",
    Destinations = "destinations",
    Start = "start",
    End = "end",
    Responsible = "responsible",
});

/// The rule that a request breaks. Holds nothing that identifies anyone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The field is needed.
    Required,
    /// The value does not have its form; what is wrong.
    Form(String),
    /// Longer than this many bytes.
    TooLong(usize),
    /// More entries than this.
    TooMany(usize),
    /// The same entry twice; its index, from 0.
    Repeated(usize),
    /// The address of this entry (index from 0) belongs to nobody or to everybody; which sort of address it is.
    NotASubscriber(usize, &'static str),
    /// The kind of order does not allow the value.
    NotAllowedFor(OrderKind),
    /// Content needs HI3 or X3; headers only must not have them.
    DoesNotFitScope(Scope),
    /// From start to end it is longer than the kind of order allows.
    TermTooLong {
        /// The kind.
        kind: OrderKind,
        /// Longest term, seconds.
        term_s_max: u64,
    },
    /// The end is not after the start.
    EndNotAfterStart,
    /// The end lies in the past by the card's clock.
    EndPast,
    /// No such destination.
    UnknownDestination(DestinationIndex),
    /// The destination has no such interface.
    DestinationLacks(DestinationIndex, Interface),
    /// A live task delivers to this destination under this LIID.
    LiidInUse(DestinationIndex),
    /// A live task delivers to this destination under this XID: the receiver could not tell them apart.
    XidInUse(DestinationIndex),
    /// A live task has this XID and other targets.
    XidOfOtherTarget,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => write!(f, "is required"),
            Self::Form(what) => f.write_str(what),
            Self::TooLong(max) => write!(f, "is longer than {max} bytes"),
            Self::TooMany(max) => write!(f, "has more than {max} entries"),
            Self::Repeated(index) => write!(f, "entry {index} stands there already"),
            Self::NotASubscriber(index, sort) => {
                write!(f, "entry {index} is a {sort} address: it names no single subscriber")
            }
            Self::NotAllowedFor(kind) => {
                let rules = kind.rules();
                let names = |all: Vec<&str>| all.join(", ");
                write!(
                    f,
                    "is not allowed under a {} order, which allows delivery {} with scope {}",
                    kind.name(),
                    names(rules.deliveries.iter().map(|value| value.name()).collect()),
                    names(rules.scopes.iter().map(|value| value.name()).collect()),
                )
            }
            Self::DoesNotFitScope(Scope::Content) => write!(f, "has no interface for content (hi3 or x3)"),
            Self::DoesNotFitScope(_) => write!(f, "must be hi2 or x2 alone: this scope delivers headers only"),
            Self::TermTooLong { kind, term_s_max } => {
                write!(f, "a {} order lasts {} hours at most", kind.name(), term_s_max / HOUR_S)
            }
            Self::EndNotAfterStart => write!(f, "is not after the start"),
            Self::EndPast => write!(f, "lies in the past by the card's clock"),
            Self::UnknownDestination(DestinationIndex(number)) => write!(f, "destination {number} does not exist"),
            Self::DestinationLacks(DestinationIndex(number), interface) => {
                write!(f, "destination {number} has no interface {}", interface.name())
            }
            Self::LiidInUse(DestinationIndex(number)) => {
                write!(f, "a live task already delivers to destination {number} under this LIID")
            }
            Self::XidInUse(DestinationIndex(number)) => {
                write!(f, "a live task already delivers to destination {number} under this XID")
            }
            Self::XidOfOtherTarget => write!(f, "a live task has this XID and other targets"),
        }
    }
}

/// One reason for a refusal: a field and the rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The field.
    pub field: Field,
    /// The rule.
    pub rule: Rule,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field.name(), self.rule)
    }
}

/// Every reason why a request was refused; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{refusal}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Refusals {}

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
    let start = request.start.map_or(context.now, |start| start.max(context.now));
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
            if let TargetIdentifier::Endpoint { port: 0, .. } = target {
                self.refuse(Field::Targets, Rule::Form(format!("entry {index} has port 0")));
            }
            if let Some(sort) = unusable_address(target.address()) {
                self.refuse(Field::Targets, Rule::NotASubscriber(index, sort));
            }
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

fn unusable_address(address: IpAddr) -> Option<&'static str> {
    match address {
        address if address.is_unspecified() => Some("unspecified"),
        address if address.is_multicast() => Some("multicast"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("broadcast"),
        // On the wire such a packet is an IPv4 packet: the address would never match.
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some("IPv4-mapped"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
