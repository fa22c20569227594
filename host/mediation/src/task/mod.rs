//! What a task is once its activation was accepted ([`TaskSpec`]); the states it goes through are in [`lifecycle`].

pub mod lifecycle;
mod stored;

pub use stored::StoredError;

use crate::units::{DestinationIndex, Interface, Sensitive, TaiNs};
use core::net::IpAddr;
use writ_handover::ids::{Liid, Xid};

/// Kind of legal order behind a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderKind {
    /// Interception of content, 18 USC 2510-2522.
    Title3,
    /// Pen register, 18 USC 3121-3127: outgoing dialing, routing, addressing, signaling; never content.
    PenRegister,
    /// Trap and trace, 18 USC 3121-3127: the same for incoming ones; never content.
    TrapTrace,
    /// Foreign intelligence surveillance, 50 USC: as the order says.
    Fisa,
    /// Emergency without an order yet, 18 USC 2518(7) and 3125: ends by itself.
    Emergency,
}

/// How much of a packet the order allows. Ordered: a later one contains an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Up to the end of the IP header (an order without ports).
    HeadersL3,
    /// Up to the end of the transport header.
    HeadersL4,
    /// The whole IP packet.
    Content,
}

/// Which interfaces a task delivers on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// PS-PDUs, related information only.
    Hi2Only,
    /// PS-PDUs, related information and content.
    Hi2AndHi3,
    /// X2 PDUs, related information only.
    X2Only,
    /// X3 PDUs, content only.
    X3Only,
    /// X2 and X3 PDUs.
    X2AndX3,
}

/// One identifier of the target that the card can match. Opaque here: whoever makes it has read its text, knows what it stands for and has
/// refused what names no subscriber. Two are the same if their texts are. `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetIdentifier {
    /// As people write it: `KIND=VALUE`, in the one form that its value has.
    pub text: Sensitive,
    /// The target's address, or the first of its addresses; `None` where the order names none.
    pub address: Option<IpAddr>,
    /// `address` stands for all addresses with these first bits; `None`: for itself.
    pub prefix_bits: Option<u8>,
    /// The identifier as X1 `TargetIdentifier` arms without namespace prefix (attribute 17 of TS 103 221-2): one or several, or none where X1
    /// has no word for it.
    pub x1_fragments: Vec<String>,
    /// It may select frames without an IP packet in them: see [`crate::datapath::TaskHit::frame`].
    pub selects_frames: bool,
}

impl TargetIdentifier {
    /// What stands in front of the `=`.
    pub fn kind(&self) -> &str {
        self.text.reveal().split_once('=').map_or("unknown", |(kind, _)| kind)
    }
}

impl core::fmt::Debug for TargetIdentifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}=<redacted>", self.kind())
    }
}

/// How the target is connected: `internetAccessType` of TS 102 232-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum AccessType {
    Undefined,
    DialUp,
    Xdsl,
    CableModem,
    Lan,
    WirelessLan,
    Fttx,
    Wimax,
    Satellite,
    WirelessOther,
}

/// Who acts: from the peer's uid, never from what the peer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responsible {
    /// Uid of the peer of the control socket.
    pub uid: u32,
    /// The name that the configuration gives to this uid.
    pub name: Sensitive,
}

/// An accepted task. Made by [`crate::order::validate`] only, or read back with [`TaskSpec::from_stored`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSpec {
    /// X1's name of the task. Tasks with the same XID are mediation details of one another: same target, different agencies.
    pub xid: Xid,
    /// The agency's name of the interception.
    pub liid: Liid,
    /// Kind of order.
    pub kind: OrderKind,
    /// Reference of the legal authority (case or order number).
    pub authority_reference: Sensitive,
    /// Officer who presented the authority (47 CFR 1.20004).
    pub officer: Sensitive,
    /// Who signed it (47 CFR 1.20004).
    pub signer: Sensitive,
    /// Telephone or circuit number (47 CFR 1.20004).
    pub circuit: Sensitive,
    /// Name of the subscription, as IPIRI reports it.
    pub username: Sensitive,
    /// How the subscription is connected.
    pub access_type: AccessType,
    /// What to match; any of them. [`crate::datapath::TaskHit::target`] counts them from 0.
    pub targets: Vec<TargetIdentifier>,
    /// How much of a packet.
    pub scope: Scope,
    /// On which interfaces.
    pub delivery: Delivery,
    /// To whom; each gets its own copy and its own numbering.
    pub destinations: Vec<DestinationIndex>,
    /// First instant that belongs to the task, as the order says: it may lie before the activation.
    pub start: TaiNs,
    /// First instant that no longer does.
    pub end: TaiNs,
    /// Who activated it.
    pub responsible: Responsible,
}

/// Defines `name` and `parse` of an enumeration: its spelling in the store, in output and in configuration.
macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// All values, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in output, in the store and in configuration.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The value for its name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use names;

names!(OrderKind { Title3 = "title3", PenRegister = "pen-register", TrapTrace = "trap-trace", Fisa = "fisa", Emergency = "emergency" });
names!(Scope { HeadersL3 = "headers_l3", HeadersL4 = "headers_l4", Content = "content" });
names!(Delivery { Hi2Only = "hi2", Hi2AndHi3 = "hi2+hi3", X2Only = "x2", X3Only = "x3", X2AndX3 = "x2+x3" });
names!(AccessType {
    Undefined = "undefined",
    DialUp = "dial-up",
    Xdsl = "xdsl",
    CableModem = "cable-modem",
    Lan = "lan",
    WirelessLan = "wireless-lan",
    Fttx = "fttx",
    Wimax = "wimax",
    Satellite = "satellite",
    WirelessOther = "wireless-other",
});

impl Delivery {
    /// The interfaces that it uses.
    pub const fn interfaces(self) -> &'static [Interface] {
        match self {
            Self::Hi2Only => &[Interface::Hi2],
            Self::Hi2AndHi3 => &[Interface::Hi2, Interface::Hi3],
            Self::X2Only => &[Interface::X2],
            Self::X3Only => &[Interface::X3],
            Self::X2AndX3 => &[Interface::X2, Interface::X3],
        }
    }

    /// The interface that carries the packets of a task with `scope`: content goes on HI3 or X3, headers go on HI2 or X2. `None` if
    /// the delivery has no such interface, which [`crate::order::validate`] refuses.
    pub fn packet_interface(self, scope: Scope) -> Option<Interface> {
        let wanted = |interface: &Interface| match scope {
            Scope::Content => matches!(interface, Interface::Hi3 | Interface::X3),
            Scope::HeadersL3 | Scope::HeadersL4 => matches!(interface, Interface::Hi2 | Interface::X2),
        };
        self.interfaces().iter().copied().find(wanted)
    }

    /// Whether it speaks PS-PDUs; if not, X2/X3 PDUs.
    pub const fn is_handover(self) -> bool {
        matches!(self, Self::Hi2Only | Self::Hi2AndHi3)
    }
}

impl TaskSpec {
    /// The interface that carries the task's packets.
    pub fn packet_interface(&self) -> Interface {
        self.delivery
            .packet_interface(self.scope)
            .expect("validate and from_stored refuse a delivery that does not fit the scope")
    }

    /// Whether one of its targets may select frames without an IP packet. Such a task is one for content on X3.
    pub fn selects_frames(&self) -> bool {
        self.targets.iter().any(|target| target.selects_frames)
    }

    /// Whether a frame stamped `stamp` belongs to the task: `start <= stamp < end`.
    pub fn covers(&self, stamp: TaiNs) -> bool {
        self.start <= stamp && stamp < self.end
    }
}
