//! The words of a refusal: fields, rules, and the table of what each kind of order allows.

use super::{DAY_S, HOUR_S};
use crate::{
    task::{Delivery, OrderKind, Scope, names},
    units::{DestinationIndex, Interface},
};
use core::fmt;

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

    const fn with_article(self) -> &'static str {
        match self {
            Self::Title3 => "a title3",
            Self::PenRegister => "a pen-register",
            Self::TrapTrace => "a trap-trace",
            Self::Fisa => "a fisa",
            Self::Emergency => "an emergency",
        }
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
    /// This entry (index from 0) selects frames that may hold no IP packet, and the delivery carries IP packets only.
    WholeFrames(usize),
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
        self.write(f, &number)
    }
}

/// A destination, for those who do not know its name.
fn number(destination: DestinationIndex) -> String {
    destination.0.to_string()
}

impl Rule {
    /// The rule in words, with the names that the operator gave to destinations.
    fn write(&self, f: &mut dyn fmt::Write, name: &dyn Fn(DestinationIndex) -> String) -> fmt::Result {
        match self {
            Self::Required => write!(f, "is required"),
            Self::Form(what) => write!(f, "{what}"),
            Self::TooLong(max) => write!(f, "is longer than {max} bytes"),
            Self::TooMany(max) => write!(f, "has more than {max} entries"),
            Self::Repeated(index) => write!(f, "entry {index} stands there already"),
            Self::WholeFrames(index) => write!(
                f,
                "entry {index} selects whole frames, with an IP packet in them or without: only content on x3 carries them, and neither \
                 hi2, hi3 nor headers alone"
            ),
            Self::NotAllowedFor(kind) => {
                let rules = kind.rules();
                let names = |all: Vec<&str>| all.join(", ");
                write!(
                    f,
                    "is not allowed under {} order, which allows delivery {} with scope {}",
                    kind.with_article(),
                    names(rules.deliveries.iter().map(|value| value.name()).collect()),
                    names(rules.scopes.iter().map(|value| value.name()).collect()),
                )
            }
            Self::DoesNotFitScope(Scope::Content) => write!(f, "has no interface for content (hi3 or x3)"),
            Self::DoesNotFitScope(_) => write!(f, "must be hi2 or x2 alone: this scope delivers headers only"),
            Self::TermTooLong { kind, term_s_max } => {
                write!(f, "{} order lasts {} hours at most", kind.with_article(), term_s_max / HOUR_S)
            }
            Self::EndNotAfterStart => write!(f, "is not after the start"),
            Self::EndPast => write!(f, "lies in the past by the card's clock"),
            Self::UnknownDestination(which) => write!(f, "destination {} does not exist", name(*which)),
            Self::DestinationLacks(which, interface) => {
                write!(f, "destination {} has no interface {}", name(*which), interface.name())
            }
            Self::LiidInUse(which) => {
                write!(f, "a live task already delivers to destination {} under this LIID", name(*which))
            }
            Self::XidInUse(which) => {
                write!(f, "a live task already delivers to destination {} under this XID", name(*which))
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
        self.write(f, &number)
    }
}

impl Refusals {
    /// All of them in words, with the names that the operator gave to destinations.
    pub fn text(&self, name: impl Fn(DestinationIndex) -> String) -> String {
        let mut text = String::new();
        self.write(&mut text, &name).expect("a string takes everything");
        text
    }

    fn write(&self, f: &mut dyn fmt::Write, name: &dyn Fn(DestinationIndex) -> String) -> fmt::Result {
        for (index, refusal) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}: ", refusal.field.name())?;
            refusal.rule.write(f, name)?;
        }
        Ok(())
    }
}

impl core::error::Error for Refusals {}
