//! Between the words of the operator protocol, of mediation and of the card's tables. Every match is total, so that a new word in one of
//! them cannot be forgotten in another.

use core::net::IpAddr;
use writ_abi::parse::TunnelKind;
use writ_control::{
    self as wire, DestinationSettings, InterfaceAddresses,
    settings::{Integrity, XVersion},
};
use writ_handover::x2x3::{self, target as x1};
use writ_mediation::{
    datapath::{Formats, Hash, IntegrityPolicy, SignaturePolicy},
    leap::LeapTable,
    lifecycle::{CloseReason, TaskState},
    task::{Delivery, OrderKind, Scope, TargetIdentifier, TaskSpec},
    units::{Interface, Sensitive, TaiNs, TaskIndex},
};
use writ_tables::{self as tables, Target};

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

/// Versions that a destination wants, the defaults for those that it does not name.
pub(crate) fn formats(settings: &DestinationSettings) -> Formats {
    let mut formats = Formats::default();
    if let Some(version) = settings.li_version {
        formats.versions.li_ps = version;
    }
    formats.x_version = match settings.x_version {
        Some(XVersion::V0_6) => x2x3::Version::V0_6,
        Some(XVersion::V0_5) | None => x2x3::Version::V0_5,
    };
    formats.integrity = settings.integrity.map(integrity);
    formats
}

fn integrity(wanted: Integrity) -> IntegrityPolicy {
    /// Hashes of a signature, and the age of the first of them: what the one known implementation has.
    const SIGNATURE: SignaturePolicy = SignaturePolicy { hashes: 15, after_ns: 30_000_000_000 };
    IntegrityPolicy {
        hash: match wanted.hash {
            wire::settings::Hash::Sha256 => Hash::Sha256,
            wire::settings::Hash::Sha384 => Hash::Sha384,
            wire::settings::Hash::Sha512 => Hash::Sha512,
        },
        pdus: wanted.pdus,
        after_ns: u64::from(wanted.ms) * 1_000_000,
        signature: wanted.sign.then_some(SIGNATURE),
    }
}

/// A target in mediation's words, from text that was stored or sent.
///
/// # Errors
/// What is wrong with the text; it says where, and not what stands there.
pub(crate) fn target(text: &str) -> Result<TargetIdentifier, tables::ParseTargetError> {
    let target: Target = text.parse()?;
    let (address, prefix_bits) = match target {
        Target::Ipv4(address) => (Some(IpAddr::V4(address)), None),
        Target::Ipv6(address) => (Some(IpAddr::V6(address)), None),
        Target::Ipv4Prefix { network, bits } => (Some(IpAddr::V4(network)), Some(bits)),
        Target::Ipv6Prefix { network, bits } => (Some(IpAddr::V6(network)), Some(bits)),
        Target::Endpoint { address, .. } => (Some(address), None),
        Target::Flow { target, .. } => (Some(target.address), None),
        // A tunnel ends at the carrier's own address; a station and a VLAN have none.
        Target::Tunnel(_) | Target::Mac(_) | Target::Vlan { .. } => (None, None),
    };
    Ok(TargetIdentifier {
        text: Sensitive::new(target.reveal()),
        address,
        prefix_bits,
        x1_fragments: x1_fragments(&target),
        selects_frames: target.selects_frames(),
    })
}

/// What X1 calls the target. It has no word for SCTP ports, VLANs, labels, PPPoE sessions and tunnels other than GTP-U.
fn x1_fragments(target: &Target) -> Vec<String> {
    let address = |address| match address {
        IpAddr::V4(address) => x1::ipv4_address(address),
        IpAddr::V6(address) => x1::ipv6_address(address),
    };
    let end = |end: &tables::End, protocol| {
        let port = match protocol {
            // The schema begins with port 2.
            tables::Protocol::Tcp if end.port > 1 => Some(x1::tcp_port(end.port)),
            tables::Protocol::Udp => Some(x1::udp_port(end.port)),
            tables::Protocol::Tcp | tables::Protocol::Sctp => None,
        };
        [Some(address(end.address)), port].into_iter().flatten().collect()
    };
    match *target {
        Target::Ipv4(address) => vec![x1::ipv4_address(address)],
        Target::Ipv6(address) => vec![x1::ipv6_address(address)],
        Target::Ipv4Prefix { network, bits } => vec![x1::ipv4_cidr(network, bits)],
        Target::Ipv6Prefix { network, bits } => vec![x1::ipv6_cidr(network, bits)],
        Target::Endpoint { address, protocol, port } => end(&tables::End { address, port }, protocol),
        Target::Flow { target, protocol, .. } => end(&target, protocol),
        Target::Tunnel(tables::TunnelTarget::Ip { kind: TunnelKind::GtpU, identifier, .. }) => {
            vec![x1::gtpu_tunnel_id(identifier)]
        }
        Target::Mac(address) => vec![x1::mac_address(address)],
        Target::Tunnel(_) | Target::Vlan { .. } => Vec::new(),
    }
}

/// A task in the tables' words. `not_before`: the card may hold rows for its keys already; it gets nothing stamped earlier.
///
/// # Errors
/// A target's text means nothing. Whoever made the task has read it before, so that is a fault of this program.
pub(crate) fn table_task(
    index: TaskIndex,
    spec: &TaskSpec,
    not_before: TaiNs,
) -> Result<tables::Task, tables::ParseTargetError> {
    Ok(tables::Task {
        index: tables::TaskIndex(index.0),
        targets: spec.targets.iter().map(|target| target.text.reveal().parse()).collect::<Result<_, _>>()?,
        scope: card_scope(spec.scope),
        start_ns: spec.start.max(not_before).0,
        end_ns: spec.end.0,
    })
}

/// A part of the card that holds keys, for operators.
pub(crate) const fn area_name(area: tables::Area) -> &'static str {
    match area {
        tables::Area::Table(tables::Table::Address) => "address",
        tables::Area::Table(tables::Table::Prefix) => "prefix",
        tables::Area::Table(tables::Table::Endpoint) => "endpoint",
        tables::Area::Table(tables::Table::FiveTuple) => "flow",
        tables::Area::Table(tables::Table::Tunnel) => "tunnel",
        tables::Area::Table(tables::Table::Mac) => "mac",
        tables::Area::Table(tables::Table::Vlan) => "vlan",
        tables::Area::Rules => "rules",
    }
}

/// A match key as the value of its target is typed; of a rule also which end of a packet it stands for.
pub(crate) fn key_text(key: &tables::Key, prefix_bits: Option<u8>) -> wire::Sensitive {
    let Some(target) = key.target(prefix_bits) else { return wire::Sensitive::new("(no target's)") };
    let text = target.reveal();
    let value = text.split_once('=').map_or(text.as_str(), |(_, value)| value);
    let end = match (key.area(), key.is_destination()) {
        (tables::Area::Rules, false) => " sender",
        (tables::Area::Rules, true) => " receiver",
        _ => "",
    };
    wire::Sensitive::new(format!("{value}{end}"))
}

/// The tables have no room for an order, as operators see it.
pub(crate) fn no_room(refusal: &tables::Refusal) -> wire::Refusal {
    let hint = match refusal {
        tables::Refusal::RulesOverlap { .. } => {
            "prefixes that lie in one another fit two deep; IPv6 prefixes of the length card.prefix_bits do not count"
        }
        tables::Refusal::TableFull { area: tables::Area::Rules, .. } => {
            "every prefix takes two rules, but IPv6 prefixes of the length card.prefix_bits, which take a row each"
        }
        tables::Refusal::TableFull { .. } | tables::Refusal::IndicesExhausted { .. } => {
            "see `writ card status`; tasks that end make room"
        }
        _ => "",
    };
    wire::Refusal::new(wire::RefusalCode::Limit, "card tables", refusal.to_string()).hint(hint)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Text, its one form, address with prefix length, XML of attribute 17, whole frames.
    type Case = (&'static str, &'static str, Option<(&'static str, Option<u8>)>, &'static [&'static str], bool);

    const V4: &str = "<ipv4Address>192.0.2.1</ipv4Address>";
    const CASES: [Case; 14] = [
        ("ipv4=192.0.2.1", "ipv4=192.0.2.1", Some(("192.0.2.1", None)), &[V4], false),
        (
            "ipv6=2001:DB8:0::1",
            "ipv6=2001:db8::1",
            Some(("2001:db8::1", None)),
            &["<ipv6Address>2001:0db8:0000:0000:0000:0000:0000:0001</ipv6Address>"],
            false,
        ),
        (
            "ipv4=192.0.2.0/24",
            "ipv4=192.0.2.0/24",
            Some(("192.0.2.0", Some(24))),
            &["<ipv4Cidr><IPv4CIDR>192.0.2.0/24</IPv4CIDR></ipv4Cidr>"],
            false,
        ),
        (
            "ipv6=2001:db8::/56",
            "ipv6=2001:db8::/56",
            Some(("2001:db8::", Some(56))),
            &["<ipv6Cidr>2001:0db8:0000:0000:0000:0000:0000:0000/56</ipv6Cidr>"],
            false,
        ),
        (
            "endpoint=192.0.2.1:5060/17",
            "endpoint=192.0.2.1:5060/udp",
            Some(("192.0.2.1", None)),
            &[V4, "<udpPort>5060</udpPort>"],
            false,
        ),
        ("endpoint=192.0.2.1:1/tcp", "endpoint=192.0.2.1:1/tcp", Some(("192.0.2.1", None)), &[V4], false),
        ("endpoint=192.0.2.1:7/sctp", "endpoint=192.0.2.1:7/sctp", Some(("192.0.2.1", None)), &[V4], false),
        (
            "flow=192.0.2.1:2000-198.51.100.7:443/TCP",
            "flow=192.0.2.1:2000-198.51.100.7:443/tcp",
            Some(("192.0.2.1", None)),
            &[V4, "<tcpPort>2000</tcpPort>"],
            false,
        ),
        (
            "tunnel=gtpu:0x1a2b@192.0.2.9",
            "tunnel=gtpu:6699@192.0.2.9",
            None,
            &["<gtpuTunnelId>6699</gtpuTunnelId>"],
            false,
        ),
        ("tunnel=vxlan:77@192.0.2.9", "tunnel=vxlan:77@192.0.2.9", None, &[], false),
        ("tunnel=pppoe:17@02:00:5E:00:53:01", "tunnel=pppoe:17@02:00:5e:00:53:01", None, &[], true),
        ("tunnel=mpls:16001", "tunnel=mpls:16001", None, &[], true),
        ("mac=02:00:5E:00:53:01", "mac=02:00:5e:00:53:01", None, &["<macAddress>02:00:5e:00:53:01</macAddress>"], true),
        ("vlan=B:100.200", "vlan=b:100.200", None, &[], true),
    ];

    #[test]
    fn every_kind_of_target_in_mediation_s_words() {
        for (text, form, address, fragments, frames) in CASES {
            let identifier = target(text).expect(text);
            assert_eq!(identifier.text.reveal(), form);
            let found = identifier.address.map(|address| (address.to_string(), identifier.prefix_bits));
            assert_eq!(found, address.map(|(address, bits)| (address.to_owned(), bits)), "{text}");
            assert_eq!(identifier.x1_fragments, fragments, "{text}");
            assert_eq!(identifier.selects_frames, frames, "{text}");
            assert!(target(form).expect("its own form") == identifier);
        }
        let error = target("ipv4=192.0.2.256").expect_err("no address").to_string();
        assert!(error.contains("byte 5") && !error.contains("192"), "{error}");
    }

    #[test]
    fn keys_are_shown_as_targets_are_typed() {
        let shown = |text: &str, prefix_bits| -> Vec<String> {
            let target: Target = text.parse().expect("good text");
            let keys = target.keys(prefix_bits);
            keys.iter().map(|key| key_text(key, prefix_bits).reveal().to_owned()).collect()
        };
        assert_eq!(shown("ipv4=192.0.2.1", None), ["192.0.2.1"]);
        assert_eq!(shown("ipv4=192.0.2.0/24", None), ["192.0.2.0/24 sender", "192.0.2.0/24 receiver"]);
        assert_eq!(shown("ipv6=2001:db8::/56", Some(56)), ["2001:db8::/56"]);
        assert_eq!(shown("tunnel=l2tp:1/2@2001:db8::1", None), ["l2tp:1/2@2001:db8::1"]);
        assert_eq!(shown("vlan=a:7", None), ["a:7"]);
    }
}
