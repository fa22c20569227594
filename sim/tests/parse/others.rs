//! Against `etherparse`, and against any bytes.

use crate::common::frames::{tcp_tagged, udp};
use crate::common::random::{self, Rng};
use crate::common::with_fcs;
use crate::parsed;
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::IpAddr;
use writ_abi::limits::{MPLS_LABELS_MAX, VLAN_TAGS_MAX, WINDOW_BYTES};
use writ_abi::parse::{ParseClass, TPIDS, TunnelKind};
use writ_sim::model::parse::{IpHeader, Parsed, parse};

/// Compares the outer headers, which is how far they go; says whether there was anything.
fn agrees(frame: &[u8]) -> bool {
    let parsed = parsed(frame);
    let Ok(sliced) = SlicedPacket::from_ethernet(frame) else { return false };
    let (theirs, protocol): ([IpAddr; 2], u8) = match &sliced.net {
        // They read no transport header in a first fragment either.
        Some(NetSlice::Ipv4(ip)) if ip.is_payload_fragmented() => return false,
        Some(NetSlice::Ipv6(ip)) if ip.is_payload_fragmented() => return false,
        Some(NetSlice::Ipv4(ip)) if ip.extensions().is_empty() => {
            let header = ip.header();
            ([header.source_addr().into(), header.destination_addr().into()], header.protocol().0)
        }
        Some(NetSlice::Ipv6(ip)) => {
            let header = ip.header();
            ([header.source_addr().into(), header.destination_addr().into()], ip.payload().ip_number.0)
        }
        _ => return false,
    };
    if sliced.link_exts.len() > VLAN_TAGS_MAX {
        assert_eq!(parsed.class, ParseClass::VlanDepth);
        return true;
    }
    assert_eq!(parsed.vlan_ids.len(), sliced.link_exts.len());
    let outer = parsed.outer.expect("they have an IP header");
    assert_eq!(outer.addresses, theirs);
    let ports = match &sliced.transport {
        Some(TransportSlice::Udp(udp)) => Some([udp.source_port(), udp.destination_port()]),
        Some(TransportSlice::Tcp(tcp)) => Some([tcp.source_port(), tcp.destination_port()]),
        _ => None,
    };
    match (outer.ports, outer.protocol) {
        (Some(_), 132) => assert_eq!(ports, None, "they do not know SCTP"),
        (Some(found), _) => assert_eq!((Some(found), outer.protocol), (ports, protocol)),
        (None, _) if outer.is_fragment => assert_eq!(ports, None, "no ports in a later fragment"),
        // Beyond window or depth they may see more.
        (None, _) => {
            let stopped = [ParseClass::ExtensionDepth, ParseClass::L4Truncated, ParseClass::WindowExceeded];
            assert!(ports.is_none() || stopped.contains(&parsed.class), "{:?}", parsed.class);
        }
    }
    true
}

#[test]
fn packets_built_by_others_are_read_alike() {
    for payload in [0, 1, 18, 100, 1400] {
        for tags in 0..=2 {
            assert!(agrees(&tcp_tagged("192.0.2.1", "198.51.100.2", [1, 65535], tags, payload)));
        }
        assert!(agrees(&udp("2001:db8::1", "2001:db8:ffff::2", [0, 53], payload)));
        assert!(agrees(&udp("10.0.0.1", "10.0.0.2", [0, 53], payload)));
    }
}

#[test]
fn random_frames_are_read_alike() {
    let mut rng = Rng::new(1);
    let compared = (0..60_000).filter(|_| agrees(&random::frame(&mut rng))).count();
    assert!(compared > 10_000, "{compared}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_places_inside_the_window(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_invariants(&parse(&bytes), &bytes);
    }
}

#[test]
fn random_frames_give_places_inside_the_window() {
    let mut rng = Rng::new(2);
    for _ in 0..60_000 {
        let bytes = with_fcs(&random::frame(&mut rng));
        check_invariants(&parse(&bytes), &bytes);
    }
}

/// Every frame cut off at every byte: no panic, and what was found in a shorter frame is found in the longer one too.
#[test]
fn frames_cut_off_anywhere_never_show_more() {
    let mut rng = Rng::new(3);
    for _ in 0..400 {
        let frame = random::frame(&mut rng);
        let whole = parsed(&frame);
        for length in (0..frame.len()).take(WINDOW_BYTES + 8) {
            let bytes = with_fcs(&frame[..length]);
            let cut = parse(&bytes);
            check_invariants(&cut, &bytes);
            // No header ever has the FCS in it.
            let address = |header: &IpHeader| header.addresses;
            for (cut, whole) in [(cut.outer, whole.outer), (cut.inner, whole.inner)] {
                assert!(cut.is_none() || cut.as_ref().map(address) == whole.as_ref().map(address));
            }
            assert!(cut.tunnel.is_none() || cut.tunnel == whole.tunnel);
            assert!(whole.vlan_ids.starts_with(&cut.vlan_ids) && cut.mpls_labels <= whole.mpls_labels);
        }
    }
}

fn check_invariants(parsed: &Parsed, frame: &[u8]) {
    let window = frame.len().saturating_sub(4).min(WINDOW_BYTES);
    for header in [&parsed.outer, &parsed.inner].into_iter().flatten() {
        let IpHeader { l3_offset, l3_end, l4_end, .. } = *header;
        assert!(14 <= l3_offset && l3_offset + 20 <= l3_end && l3_end <= l4_end && l4_end <= window);
        assert!(header.ports.is_none() || l4_end >= l3_end + 8);
        assert!(!header.is_fragment || l4_end == l3_end);
        assert_eq!(header.addresses[0].is_ipv4(), frame[l3_offset] >> 4 == 4);
        assert_eq!(header.addresses[0].is_ipv4(), header.addresses[1].is_ipv4());
    }
    assert!(parsed.inner.is_none() || parsed.outer.is_some() && parsed.tunnel.is_some());
    assert!(parsed.tunnel.is_none() || parsed.outer.is_some());
    assert!(!parsed.inner_ethernet || parsed.tunnel.is_some());
    assert!(usize::from(parsed.mpls_labels) <= MPLS_LABELS_MAX && parsed.vlan_ids.len() <= VLAN_TAGS_MAX);
    assert!(!parsed.pseudowire || parsed.bottom_label.is_some());
    assert!(parsed.pppoe_session.is_none() || parsed.mpls_labels == 0);
    assert_eq!(parsed.mac.is_some(), window >= 14);
    let innermost_ports = parsed.innermost().is_some_and(|header| header.ports.is_some());
    match parsed.class {
        ParseClass::Ports => assert!(innermost_ports),
        ParseClass::NoPorts | ParseClass::Fragment | ParseClass::ExtensionDepth | ParseClass::L4Truncated => {
            assert!(parsed.outer.is_some() && !innermost_ports);
        }
        ParseClass::TunnelDepth => assert!(parsed.inner.is_some()),
        ParseClass::TunnelPayload | ParseClass::TunnelHeader | ParseClass::InnerIp => {
            assert!(parsed.outer.is_some() && parsed.inner.is_none());
        }
        ParseClass::NonIp
        | ParseClass::Truncated
        | ParseClass::VlanDepth
        | ParseClass::MalformedIp
        | ParseClass::MplsDepth
        | ParseClass::LinkPayload => assert!(parsed.outer.is_none()),
        ParseClass::WindowExceeded => assert!(frame.len() >= WINDOW_BYTES + 4),
    }
}

/// The random frames are worth their name: every class, kind of tunnel and path comes up often.
#[test]
fn random_frames_reach_every_path() {
    let mut rng = Rng::new(4);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |name: String| *seen.entry(name).or_default() += 1;
    for _ in 0..20_000 {
        let frame = random::frame(&mut rng);
        let parsed = parsed(&frame);
        count(format!("{:?}", parsed.class));
        let version = |header: &Option<IpHeader>| header.map(|header| header.addresses[0].is_ipv4());
        if let Some((kind, _)) = parsed.tunnel {
            count(format!("{kind:?}"));
            count(format!("{kind:?} with an inner header: {}", parsed.inner.is_some()));
            count(format!("{:?} in {:?}", version(&parsed.inner), version(&parsed.outer)));
        }
        count(format!("tags {}", parsed.vlan_ids.len()));
        count(format!("labels {}", parsed.mpls_labels));
        let has_inner = parsed.inner.is_some();
        count(format!("session {} inner {has_inner}", parsed.pppoe_session.is_some()));
        count(format!("pseudowire {} inner {has_inner}", parsed.pseudowire));
        if let Some(inner) = parsed.inner {
            count(format!("inner fragment {}", inner.is_fragment));
            count(format!("inner protocol {}", inner.protocol));
        }
    }
    let kinds = TunnelKind::ALL.into_iter().filter(|kind| ![TunnelKind::Pppoe, TunnelKind::Mpls].contains(kind));
    let mut expected: Vec<String> = ParseClass::ALL.map(|class| format!("{class:?}")).to_vec();
    for kind in kinds {
        for inner in [false, true] {
            expected.push(format!("{kind:?} with an inner header: {inner}"));
        }
    }
    for inner in [None, Some(true), Some(false)] {
        expected.extend([true, false].map(|outer| format!("{inner:?} in {:?}", Some(outer))));
    }
    expected.extend((0..=VLAN_TAGS_MAX).map(|tags| format!("tags {tags}")));
    expected.extend((0..=MPLS_LABELS_MAX).map(|labels| format!("labels {labels}")));
    expected.extend(["session true inner true", "pseudowire true inner true", "inner fragment true"].map(Into::into));
    expected.extend([6, 17, 132].map(|protocol| format!("inner protocol {protocol}")));
    for name in expected {
        assert!(seen.get(&name).is_some_and(|count| *count >= 30), "{name}: {:?} of {seen:#?}", seen.get(&name));
    }
    assert_eq!(TPIDS.len(), 3);
}
