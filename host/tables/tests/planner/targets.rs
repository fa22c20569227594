//! Targets as text.

use crate::card::key_bytes;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_tables::ParseTargetErrorKind as Kind;
use writ_tables::*;

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
    ];
    for (text, target) in cases {
        let read: Target = text.parse().expect("good text");
        assert!(read == target, "{text}");
        assert_eq!(read.key().compared(), key_bytes(&target).1, "{text}");
        assert_eq!(read.table(), key_bytes(&target).0, "{text}");
    }
}

#[test]
fn bad_text_is_refused_where_it_is_bad() {
    let cases = [
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
        ("ipv4=192.0.2.0/24", 14, Kind::NotOneHost),
        ("ipv4=192.0.2.1-192.0.2.9", 14, Kind::NotOneHost),
        ("ipv4=0.0.0.0", 5, Kind::Fault(TargetFault::SharedAddress)),
        ("ipv4=255.255.255.255", 5, Kind::Fault(TargetFault::SharedAddress)),
        ("ipv4=224.0.0.251", 5, Kind::Fault(TargetFault::Multicast)),
        ("ipv6=192.0.2.1", 5, Kind::Ipv6),
        ("ipv6=2001:db8::1%eth0", 5, Kind::Ipv6),
        ("ipv6=2001:db8::/64", 15, Kind::NotOneHost),
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
    for (text, at, kind) in cases {
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
    ]
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back(target in any_target()) {
        match target.reveal().parse::<Target>() {
            Ok(read) => prop_assert!(read == target && target.check().is_ok()),
            Err(error) => prop_assert!(target.check().is_err(), "{}", error),
        }
    }

    #[test]
    fn no_text_panics(text in "(ipv4|ipv6|endpoint)?=?[0-9a-f:.\\[\\]/é]{0,24}(/udp)?") {
        if let Ok(target) = text.parse::<Target>() {
            prop_assert!(target.check().is_ok());
        }
    }

    #[test]
    fn keys_of_different_targets_differ(one in any_target(), other in any_target()) {
        prop_assert_eq!(one.key() == other.key(), key_bytes(&one) == key_bytes(&other));
    }
}
