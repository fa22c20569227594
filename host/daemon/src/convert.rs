//! Between the words of the operator protocol, of mediation and of the card's tables. Every match is total, so that a new word in one of
//! them cannot be forgotten in another.

use core::net::IpAddr;
use writ_control::{self as wire, InterfaceAddresses, Target};
use writ_mediation::{
    leap::LeapTable,
    lifecycle::{CloseReason, TaskState},
    task::{Delivery, OrderKind, Protocol, Scope, TargetIdentifier, TaskSpec},
    units::{Interface, TaiNs, TaskIndex},
};
use writ_tables as tables;

/// The order's kind.
pub(crate) const fn kind(kind: wire::OrderKind) -> OrderKind {
    match kind {
        wire::OrderKind::Title3 => OrderKind::Title3,
        wire::OrderKind::PenRegister => OrderKind::PenRegister,
        wire::OrderKind::TrapTrace => OrderKind::TrapTrace,
        wire::OrderKind::Fisa => OrderKind::Fisa,
        wire::OrderKind::Emergency => OrderKind::Emergency,
    }
}

/// The inverse of [`kind`].
pub(crate) const fn wire_kind(kind: OrderKind) -> wire::OrderKind {
    match kind {
        OrderKind::Title3 => wire::OrderKind::Title3,
        OrderKind::PenRegister => wire::OrderKind::PenRegister,
        OrderKind::TrapTrace => wire::OrderKind::TrapTrace,
        OrderKind::Fisa => wire::OrderKind::Fisa,
        OrderKind::Emergency => wire::OrderKind::Emergency,
    }
}

/// How much of a packet.
pub(crate) const fn scope(scope: wire::Scope) -> Scope {
    match scope {
        wire::Scope::HeadersL3 => Scope::HeadersL3,
        wire::Scope::HeadersL4 => Scope::HeadersL4,
        wire::Scope::Content => Scope::Content,
    }
}

/// The inverse of [`scope`].
pub(crate) const fn wire_scope(scope: Scope) -> wire::Scope {
    match scope {
        Scope::HeadersL3 => wire::Scope::HeadersL3,
        Scope::HeadersL4 => wire::Scope::HeadersL4,
        Scope::Content => wire::Scope::Content,
    }
}

/// The card's word for it.
pub(crate) const fn card_scope(scope: Scope) -> tables::Scope {
    match scope {
        Scope::HeadersL3 => tables::Scope::HeadersL3,
        Scope::HeadersL4 => tables::Scope::HeadersL4,
        Scope::Content => tables::Scope::Content,
    }
}

/// The inverse of [`card_scope`], in the operators' words.
pub(crate) const fn wire_scope_of_card(scope: tables::Scope) -> wire::Scope {
    match scope {
        tables::Scope::HeadersL3 => wire::Scope::HeadersL3,
        tables::Scope::HeadersL4 => wire::Scope::HeadersL4,
        tables::Scope::Content => wire::Scope::Content,
    }
}

/// The interfaces that a family uses for a scope: headers are related information and have no content interface.
pub(crate) const fn delivery(family: wire::Delivery, scope: wire::Scope) -> Delivery {
    match (family, scope) {
        (wire::Delivery::Hi, wire::Scope::Content) => Delivery::Hi2AndHi3,
        (wire::Delivery::Hi, _) => Delivery::Hi2Only,
        (wire::Delivery::X, wire::Scope::Content) => Delivery::X2AndX3,
        (wire::Delivery::X, _) => Delivery::X2Only,
    }
}

/// The family of a delivery.
pub(crate) const fn wire_delivery(delivery: Delivery) -> wire::Delivery {
    match delivery {
        Delivery::Hi2Only | Delivery::Hi2AndHi3 => wire::Delivery::Hi,
        Delivery::X2Only | Delivery::X3Only | Delivery::X2AndX3 => wire::Delivery::X,
    }
}

/// The interfaces of a destination, with their addresses.
pub(crate) const fn interfaces(addresses: &InterfaceAddresses) -> [(Interface, core::net::SocketAddr); 2] {
    match *addresses {
        InterfaceAddresses::Hi { hi2, hi3 } => [(Interface::Hi2, hi2), (Interface::Hi3, hi3)],
        InterfaceAddresses::X { x2, x3 } => [(Interface::X2, x2), (Interface::X3, x3)],
    }
}

/// A target in mediation's words.
pub(crate) const fn target(target: &Target) -> TargetIdentifier {
    match *target {
        Target::Ipv4 { address } => TargetIdentifier::Address(IpAddr::V4(address)),
        Target::Ipv6 { address } => TargetIdentifier::Address(IpAddr::V6(address)),
        Target::Endpoint { address, port, protocol } => {
            let protocol = match protocol {
                wire::Protocol::Tcp => Protocol::Tcp,
                wire::Protocol::Udp => Protocol::Udp,
            };
            TargetIdentifier::Endpoint { address, protocol, port }
        }
    }
}

/// A target in the tables' words.
const fn table_target(target: &TargetIdentifier) -> tables::Target {
    match *target {
        TargetIdentifier::Address(IpAddr::V4(v4)) => tables::Target::Ipv4(v4),
        TargetIdentifier::Address(IpAddr::V6(v6)) => tables::Target::Ipv6(v6),
        TargetIdentifier::Endpoint { address, protocol, port } => {
            let protocol = match protocol {
                Protocol::Tcp => tables::Protocol::Tcp,
                Protocol::Udp => tables::Protocol::Udp,
                Protocol::Sctp => tables::Protocol::Sctp,
            };
            tables::Target::Endpoint { address, protocol, port }
        }
    }
}

/// A task in the tables' words. `not_before`: the card may hold rows for its keys already; it gets nothing stamped earlier.
pub(crate) fn table_task(index: TaskIndex, spec: &TaskSpec, not_before: TaiNs) -> tables::Task {
    tables::Task {
        index: tables::TaskIndex(index.0),
        targets: spec.targets.iter().map(table_target).collect(),
        scope: card_scope(spec.scope),
        start_ns: spec.start.max(not_before).0,
        end_ns: spec.end.0,
    }
}

/// The end as card and host keep it.
pub(crate) const fn effective_end(spec: &TaskSpec) -> TaiNs {
    TaiNs(tables::effective_end_ns(spec.end.0))
}

/// An instant for programs and people.
pub(crate) fn instant(leap: &LeapTable, at: TaiNs) -> wire::report::Instant {
    let utc = leap.utc_from_tai(at);
    let utc = wire::UtcTime { posix_s: utc.seconds(), nanos: utc.nanoseconds() };
    wire::report::Instant { tai_ns: at.0, utc: utc.to_string() }
}

/// What operators see of a task's state.
pub(crate) const fn wire_state(state: TaskState, reason: CloseReason) -> wire::report::TaskState {
    use wire::report::TaskState as Wire;
    match (state, reason) {
        (TaskState::Pending, _) => Wire::Pending,
        (TaskState::Active, _) => Wire::Active,
        (TaskState::Closing | TaskState::Ended, CloseReason::Failed) => Wire::Failed,
        (TaskState::Disarming | TaskState::Draining | TaskState::Closing, _) => Wire::Draining,
        (TaskState::Ended, _) => Wire::Ended,
        (TaskState::Revoked, _) | (TaskState::Held, CloseReason::Revoked) => Wire::Revoked,
        (TaskState::Held, _) => Wire::Held,
    }
}
