//! Targets as text.

use crate::card::{PREFIX_BITS, key_bytes};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::PortSide;
use writ_abi::parse::TunnelKind;
use writ_tables::ParseTargetErrorKind as Kind;
use writ_tables::*;

fn ip6(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

fn end(address: &str, port: u16) -> End {
    End { address: address.parse().expect("an address"), port }
}

fn over_ip(kind: TunnelKind, identifier: u32, destination: &str) -> Target {
    Target::Tunnel(TunnelTarget::Ip { kind, identifier, destination: destination.parse().expect("an address") })
}

fn areas(keys: &[crate::card::KeyBytes]) -> Vec<Area> {
    keys.iter().map(|key| key.0).collect()
}

fn endpoint(address: &str, port: u16, protocol: Protocol) -> Target {
    Target::Endpoint { address: address.parse().expect("an address"), protocol, port }
}

#[test]
fn good_text_is_read() {
    let cases = [
        ("ipv4=192.0.2.1", Target::Ipv4(Ipv4Addr::new(192, 0, 2, 1))),
        ("ipv6=2001:db8::1", Target::Ipv6("2001:db8::1".parse().expect("an address"))),
        ("endpoint=192.0.2.1:5060/udp", endpoint("192.0.2.1", 5060, Protocol::Udp)),
        ("endpoint=[2001:db8::1]:443/TCP", endpoint("2001:db8::1", 443, Protocol::Tcp)),
        ("endpoint=192.0.2.1:65535/132", endpoint("192.0.2.1", 65535, Protocol::Sctp)),
        ("ipv4=192.0.2.0/24", Target::Ipv4Prefix { network: Ipv4Addr::new(192, 0, 2, 0), bits: 24 }),
        ("ipv6=2001:db8:0:100::/56", Target::Ipv6Prefix { network: ip6("2001:db8:0:100::"), bits: 56 }),
        ("ipv6=2001:db8:1::/48", Target::Ipv6Prefix { network: ip6("2001:db8:1::"), bits: 48 }),
        (
            "flow=192.0.2.1:1025-198.51.100.7:443/tcp",
            Target::Flow { target: end("192.0.2.1", 1025), peer: end("198.51.100.7", 443), protocol: Protocol::Tcp },
        ),
        (
            "flow=[2001:db8::1]:1-[2001:db8::2]:2/sctp",
            Target::Flow { target: end("2001:db8::1", 1), peer: end("2001:db8::2", 2), protocol: Protocol::Sctp },
        ),
        ("tunnel=gtpu:0x1A2b@192.0.2.1", over_ip(TunnelKind::GtpU, 0x1a2b, "192.0.2.1")),
        ("tunnel=vxlan:77@2001:db8::1", over_ip(TunnelKind::Vxlan, 77, "2001:db8::1")),
        ("tunnel=geneve:16777215@192.0.2.1", over_ip(TunnelKind::Geneve, 0xff_ffff, "192.0.2.1")),
        ("tunnel=gre:5@192.0.2.1", over_ip(TunnelKind::GreKey, 5, "192.0.2.1")),
        ("tunnel=gre@192.0.2.1", over_ip(TunnelKind::Gre, 0, "192.0.2.1")),
        ("tunnel=l2tp:12/34@192.0.2.1", over_ip(TunnelKind::L2tp, 12 << 16 | 34, "192.0.2.1")),
        ("tunnel=ipip@192.0.2.1", over_ip(TunnelKind::IpInIp, 0, "192.0.2.1")),
        (
            "tunnel=pppoe:17@00:53:00:00:00:0A",
            Target::Tunnel(TunnelTarget::Pppoe { session: 17, destination: [0, 0x53, 0, 0, 0, 10] }),
        ),
        ("tunnel=mpls:16001", Target::Tunnel(TunnelTarget::Mpls { label: 16001 })),
        ("mac=02:00:5e:00:53:01", Target::Mac([2, 0, 0x5e, 0, 0x53, 1])),
        ("vlan=a:100", Target::Vlan { port: PortSide::A, first: 100, second: None }),
        ("vlan=B:100.200", Target::Vlan { port: PortSide::B, first: 100, second: Some(200) }),
    ];
    for (text, target) in cases {
        let read: Target = text.parse().expect("good text");
        assert!(read == target, "{text}");
        let keys = read.keys(Some(PREFIX_BITS));
        assert_eq!(keys.iter().map(Key::area).collect::<Vec<_>>(), areas(&key_bytes(&target)), "{text}");
        for (key, (_, bytes)) in keys.iter().zip(key_bytes(&target)) {
            let compared = &bytes[..bytes.len().min(writ_abi::key::KEY_BYTES_MAX)];
            assert_eq!(key.padded_bytes()[..compared.len()], *compared, "{text}");
            assert!(key.target(Some(PREFIX_BITS)) == Some(target), "{text}: its key stands for something else");
        }
    }
}

#[test]
fn frames_are_selected_by_what_stands_in_front_of_ip() {
    let cases = [
        ("ipv4=192.0.2.1", false),
        ("ipv4=192.0.2.0/24", false),
        ("ipv6=2001:db8::1", false),
        ("ipv6=2001:db8::/56", false),
        ("endpoint=192.0.2.1:1/udp", false),
        ("flow=192.0.2.1:1-192.0.2.2:2/tcp", false),
        ("tunnel=gtpu:1@192.0.2.1", false),
        ("tunnel=ipip@192.0.2.1", false),
        ("tunnel=pppoe:17@02:53:00:00:00:0a", true),
        ("tunnel=mpls:16001", true),
        ("mac=02:00:5e:00:53:01", true),
        ("vlan=a:100", true),
    ];
    for (text, frames) in cases {
        let target: Target = text.parse().expect("good text");
        assert_eq!(target.selects_frames(), frames, "{text}");
        // What the card finds in front of IP has a key in a table that looks there.
        let link = |key: &Key| matches!(key.area(), Area::Table(Table::Mac | Table::Vlan | Table::Tunnel));
        assert!(!frames || target.keys(None).iter().all(link), "{text}");
    }
}

#[test]
fn a_key_that_no_target_has_stands_for_none() {
    let mut bytes = [0; writ_abi::key::KEY_BYTES_MAX];
    bytes[0] = 5;
    assert!(Key::from_row(Table::Address, &bytes).expect("clean").target(None).is_none());
    let prefix = Key::prefix("2001:db8::".parse().expect("an address"), 56);
    assert!(prefix.target(None).is_none() && prefix.target(Some(56)).is_some());
    // A mask with a hole in it.
    let [sender, _] = Key::prefix_rules("192.0.2.0".parse().expect("an address"), 24);
    let (mut value, mut mask) = (*sender.padded_bytes(), *sender.mask());
    (value[2], mask[2]) = (0, 0);
    assert!(Key::from_rule(&value, &mask, false).expect("clean").target(None).is_none());
}

/// Text, where it is bad, and how.
const BAD_TEXTS: &[(&str, usize, Kind)] = &[
    ("", 0, Kind::NoKind),
    ("192.0.2.1", 0, Kind::NoKind),
    ("=192.0.2.1", 0, Kind::UnknownKind),
    ("imsi=001010000000001", 0, Kind::UnknownKind),
    ("IPV4=192.0.2.1", 0, Kind::UnknownKind),
    ("ipv4=", 5, Kind::NoValue),
    ("ipv4=192.0.2", 5, Kind::Ipv4),
    ("ipv4= 192.0.2.1", 5, Kind::Ipv4),
    ("ipv4=192.0.2.01", 5, Kind::Ipv4),
    ("ipv4=2001:db8::1", 5, Kind::Ipv4),
    ("ipv4=192.0.2.0/", 15, Kind::PrefixLength),
    ("ipv4=192.0.2.0/+8", 15, Kind::PrefixLength),
    ("ipv4=192.0.2.0/256", 15, Kind::PrefixLength),
    ("ipv4=192.0.2.1/24", 5, Kind::Fault(TargetFault::HostBits)),
    ("ipv4=192.0.0.0/15", 5, Kind::Fault(TargetFault::PrefixLength { minimum: 16, maximum: 31 })),
    ("ipv4=192.0.2.1/32", 5, Kind::Fault(TargetFault::PrefixLength { minimum: 16, maximum: 31 })),
    ("ipv4=192.0.2.1-192.0.2.9", 14, Kind::NoRange),
    ("ipv4=0.0.0.0", 5, Kind::Fault(TargetFault::SharedAddress)),
    ("ipv4=255.255.255.255", 5, Kind::Fault(TargetFault::SharedAddress)),
    ("ipv4=224.0.0.251", 5, Kind::Fault(TargetFault::Multicast)),
    ("ipv6=192.0.2.1", 5, Kind::Ipv6),
    ("ipv6=2001:db8::1%eth0", 5, Kind::Ipv6),
    ("ipv6=2001:db8::/16", 5, Kind::Fault(TargetFault::PrefixLength { minimum: 32, maximum: 127 })),
    ("ipv6=2001:db8::1/64", 5, Kind::Fault(TargetFault::HostBits)),
    ("flow=192.0.2.1:1/tcp", 16, Kind::NoPeer),
    ("flow=192.0.2.1:1-192.0.2.2/tcp", 26, Kind::NoPort),
    ("flow=192.0.2.1:1-192.0.2.2:0/tcp", 27, Kind::Port),
    ("flow=192.0.2.1:1-[2001:db8::1]:2/tcp", 5, Kind::Fault(TargetFault::TwoVersions)),
    ("tunnel=ipsec:1@192.0.2.1", 7, Kind::TunnelKind),
    ("tunnel=gtpu@192.0.2.1", 11, Kind::Identifier),
    ("tunnel=gtpu:x@192.0.2.1", 12, Kind::Identifier),
    ("tunnel=gtpu:1", 13, Kind::NoTunnelEnd),
    ("tunnel=gtpu:1@192.0.2", 14, Kind::Address),
    ("tunnel=vxlan:16777216@192.0.2.1", 7, Kind::Fault(TargetFault::Identifier { bits: 24 })),
    ("tunnel=ipip:1@192.0.2.1", 12, Kind::Identifier),
    ("tunnel=l2tp:1@192.0.2.1", 13, Kind::Identifier),
    ("tunnel=l2tp:1/65536@192.0.2.1", 14, Kind::Identifier),
    ("tunnel=pppoe:0@02:00:00:00:00:01", 7, Kind::Fault(TargetFault::Reserved)),
    ("tunnel=pppoe:65536@02:00:00:00:00:01", 13, Kind::Identifier),
    ("tunnel=pppoe:1@192.0.2.1", 15, Kind::Mac),
    ("tunnel=mpls:3", 7, Kind::Fault(TargetFault::Reserved)),
    ("tunnel=mpls:1048576", 7, Kind::Fault(TargetFault::Identifier { bits: 20 })),
    ("tunnel=mpls:16@192.0.2.1", 14, Kind::Identifier),
    ("mac=02:00:5e:00:53", 18, Kind::Mac),
    ("mac=02:00:5e:00:53:001", 19, Kind::Mac),
    ("mac=02:00:5e:00:53:01:02", 22, Kind::Mac),
    ("mac=01:00:5e:00:00:01", 4, Kind::Fault(TargetFault::Multicast)),
    ("mac=ff:ff:ff:ff:ff:ff", 4, Kind::Fault(TargetFault::SharedAddress)),
    ("vlan=100", 5, Kind::VlanPort),
    ("vlan=c:100", 5, Kind::VlanPort),
    ("vlan=a:", 7, Kind::Identifier),
    ("vlan=a:100.", 11, Kind::Identifier),
    ("vlan=a:4095", 5, Kind::Fault(TargetFault::VlanId)),
    ("vlan=a:100.0", 5, Kind::Fault(TargetFault::VlanId)),
    ("ipv6=::", 5, Kind::Fault(TargetFault::SharedAddress)),
    ("ipv6=ff02::1", 5, Kind::Fault(TargetFault::Multicast)),
    ("ipv6=::ffff:192.0.2.1", 5, Kind::Fault(TargetFault::MappedIpv4)),
    ("endpoint=192.0.2.1:5060", 23, Kind::NoProtocol),
    ("endpoint=192.0.2.1:5060/", 24, Kind::UnknownProtocol),
    ("endpoint=192.0.2.1:5060/icmp", 24, Kind::UnknownProtocol),
    ("endpoint=192.0.2.1:5060/1", 24, Kind::UnknownProtocol),
    ("endpoint=192.0.2.1/udp", 18, Kind::NoPort),
    ("endpoint=192.0.2.1:/udp", 19, Kind::NoPort),
    ("endpoint=192.0.2.1:0/udp", 19, Kind::Port),
    ("endpoint=192.0.2.1:65536/udp", 19, Kind::Port),
    ("endpoint=192.0.2.1:+80/udp", 19, Kind::Port),
    ("endpoint=192.0.2.1:http/udp", 19, Kind::Port),
    ("endpoint=192.0.2.300:80/udp", 9, Kind::Ipv4),
    ("endpoint=2001:db8::1:80/udp", 9, Kind::NoBrackets),
    ("endpoint=[2001:db8::1:80/udp", 9, Kind::OpenBracket),
    ("endpoint=[2001:db8::1]/udp", 22, Kind::NoPort),
    ("endpoint=[2001:db8::1]:/udp", 23, Kind::NoPort),
    ("endpoint=[2001:zz8::1]:80/udp", 10, Kind::Ipv6),
    ("endpoint=[192.0.2.1]:80/udp", 10, Kind::Ipv6),
    ("endpoint=255.255.255.255:80/udp", 9, Kind::Fault(TargetFault::SharedAddress)),
];

#[test]
fn bad_text_is_refused_where_it_is_bad() {
    for &(text, at, kind) in BAD_TEXTS {
        let error = text.parse::<Target>().expect_err(text);
        assert_eq!(error, ParseTargetError { at, kind }, "{text}");
        let value = text.split('=').nth(1).unwrap_or(text);
        assert!(value.is_empty() || !error.to_string().contains(value), "the error names the target");
    }
}

fn any_target() -> impl Strategy<Value = Target> {
    let any_address = prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)];
    let any_protocol = prop::sample::select(Protocol::ALL.to_vec());
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Target::Ipv4(Ipv4Addr::from(octets))),
        any::<[u8; 16]>().prop_map(|octets| Target::Ipv6(Ipv6Addr::from(octets))),
        (any_address, any_protocol, any::<u16>()).prop_map(|(address, protocol, port)| Target::Endpoint {
            address,
            protocol,
            port
        }),
        (any::<u32>(), 0..33_u8).prop_map(|(bits, length)| {
            let network = Ipv4Addr::from(if length == 0 { 0 } else { bits & u32::MAX << (32 - length.min(32)) });
            Target::Ipv4Prefix { network, bits: length }
        }),
        (any::<u128>(), 20..129_u8).prop_map(|(bits, length)| {
            let network = Ipv6Addr::from(bits & u128::MAX << (128 - length.min(128)));
            Target::Ipv6Prefix { network, bits: length }
        }),
        (any::<[[u8; 4]; 2]>(), any::<[u16; 2]>(), prop::sample::select(Protocol::ALL.to_vec())).prop_map(
            |(addresses, ports, protocol)| {
                let end = |at: usize| End { address: IpAddr::from(addresses[at]), port: ports[at] };
                Target::Flow { target: end(0), peer: end(1), protocol }
            }
        ),
        (prop::sample::select(TunnelKind::ALL.to_vec()), any::<u32>(), 0..33_u32, any::<[u8; 4]>()).prop_map(
            |(kind, identifier, shift, address)| {
                let identifier = if shift == 32 { 0 } else { identifier >> shift };
                Target::Tunnel(TunnelTarget::Ip { kind, identifier, destination: IpAddr::from(address) })
            }
        ),
        (any::<u16>(), any::<[u8; 6]>())
            .prop_map(|(session, destination)| Target::Tunnel(TunnelTarget::Pppoe { session, destination })),
        (0..1_u32 << 21).prop_map(|label| Target::Tunnel(TunnelTarget::Mpls { label })),
        any::<[u8; 6]>().prop_map(Target::Mac),
        (any::<bool>(), 0..5000_u16, prop::option::of(0..5000_u16)).prop_map(|(b, first, second)| {
            Target::Vlan { port: if b { PortSide::B } else { PortSide::A }, first, second }
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back(target in any_target()) {
        match (target.check(), target.reveal().parse::<Target>()) {
            (Ok(()), Ok(read)) => prop_assert!(read == target),
            (Ok(()), Err(error)) => prop_assert!(false, "{}", error),
            (Err(_), read) => prop_assert!(read != Ok(target)),
        }
    }

    #[test]
    fn no_text_panics(text in "(ipv4|ipv6|endpoint|flow|tunnel|mac|vlan)?=?(gtpu|gre|l2tp|pppoe|mpls)?[0-9a-fx:.@\\[\\]/é-]{0,30}(/udp)?") {
        if let Ok(target) = text.parse::<Target>() {
            prop_assert!(target.check().is_ok());
        }
    }

    #[test]
    fn keys_of_different_targets_differ(one in any_target(), other in any_target()) {
        let bits = Some(PREFIX_BITS);
        prop_assert_eq!(one.keys(bits) == other.keys(bits), key_bytes(&one) == key_bytes(&other));
    }
}
