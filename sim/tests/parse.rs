//! The model's parser: against the text, rule by rule; against `etherparse`, which was written by others; against any bytes.

mod common;

use common::frames::{tcp_tagged, udp};
use common::{random, with_fcs};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use proptest::prelude::*;
use std::net::IpAddr;
use writ_abi::limits::WINDOW_BYTES;
use writ_abi::parse::ParseClass;
use writ_sim::model::parse::{Parsed, parse};

fn class_of(frame: &[u8]) -> ParseClass {
    parse(&with_fcs(frame)).class
}

/// IPv4 UDP with a change, and the class that it gives.
fn changed(change: impl Fn(&mut Vec<u8>)) -> Parsed {
    let mut frame = udp("192.0.2.1", "192.0.2.2", [1000, 2000], 40);
    change(&mut frame);
    parse(&with_fcs(&frame))
}

#[test]
fn results_of_a_plain_packet() {
    let parsed = changed(|_| {});
    assert_eq!(parsed.class, ParseClass::Ports);
    assert_eq!((parsed.l3_offset, parsed.l3_end, parsed.l4_offset, parsed.l4_end), (14, 34, 34, 42));
    assert_eq!((parsed.protocol, parsed.ports), (17, Some([1000, 2000])));
    let addresses: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|each| each.parse().expect("an address"));
    assert_eq!(parsed.addresses, Some(addresses));
    let parsed = parse(&with_fcs(&tcp_tagged("192.0.2.1", "192.0.2.2", [1, 2], 2, 0)));
    assert_eq!((parsed.vlan_tags, parsed.l3_offset, parsed.l4_offset, parsed.l4_end), (2, 22, 42, 62));
}

#[test]
fn ipv4_rules() {
    assert_eq!(changed(|frame| frame[14] = 0x55).class, ParseClass::MalformedIp, "version");
    assert_eq!(changed(|frame| frame[14] = 0x44).class, ParseClass::MalformedIp, "header length below 20");
    assert_eq!(changed(|frame| frame[16..18].copy_from_slice(&[0, 19])).class, ParseClass::MalformedIp, "total length");
    assert_eq!(changed(|frame| frame.truncate(33)).class, ParseClass::Truncated);
    assert_eq!(
        changed(|frame| {
            frame[14] = 0x4f;
            frame.truncate(70)
        })
        .class,
        ParseClass::Truncated,
        "options"
    );
    let fragment = changed(|frame| frame[21] = 1);
    assert_eq!((fragment.class, fragment.l4_offset, fragment.l4_end), (ParseClass::Fragment, 0, 34));
    assert!(fragment.addresses.is_some() && fragment.ports.is_none());
    assert_eq!(changed(|frame| frame[20] = 0x20).class, ParseClass::Ports, "the first fragment has ports");
    assert_eq!(changed(|frame| frame[16..18].copy_from_slice(&[0, 27])).class, ParseClass::L4Truncated, "ip_end");
    assert_eq!(changed(|frame| frame[16..18].copy_from_slice(&[0, 28])).class, ParseClass::Ports);
    assert_eq!(changed(|frame| frame[16..18].fill(0xff)).class, ParseClass::Ports, "longer than the frame is no fault");
    assert_eq!(changed(|frame| frame.truncate(41)).class, ParseClass::L4Truncated);
    let icmp = changed(|frame| frame[23] = 1);
    assert_eq!((icmp.class, icmp.l4_offset, icmp.l4_end), (ParseClass::NoPorts, 34, 42));
    let icmpv6 = changed(|frame| frame[23] = 58);
    assert_eq!((icmpv6.class, icmpv6.l4_offset, icmpv6.l4_end), (ParseClass::NoPorts, 0, 34), "not behind IPv4");
    assert_eq!(changed(|frame| frame[23] = 50).protocol, 50);
}

#[test]
fn transport_rules() {
    let tcp = |offset: u8, length: usize| {
        let mut frame = tcp_tagged("192.0.2.1", "192.0.2.2", [1, 2], 0, 200);
        frame[46] = offset << 4;
        frame.truncate(length);
        parse(&with_fcs(&frame))
    };
    assert_eq!((tcp(5, 54).class, tcp(5, 54).l4_end), (ParseClass::Ports, 54));
    assert_eq!(tcp(5, 53).class, ParseClass::L4Truncated);
    assert_eq!(tcp(4, 200).class, ParseClass::L4Truncated);
    assert_eq!((tcp(15, 200).class, tcp(15, 200).l4_end), (ParseClass::Ports, 94));
    assert_eq!(tcp(15, 93).class, ParseClass::L4Truncated);
    let sctp = |length: usize| {
        changed(|frame| {
            frame[23] = 132;
            frame.truncate(length)
        })
    };
    assert_eq!((sctp(46).class, sctp(46).l4_end, sctp(45).class), (ParseClass::Ports, 46, ParseClass::L4Truncated));
}

#[test]
fn link_rules() {
    assert_eq!(class_of(&[0; 13]), ParseClass::Truncated);
    assert_eq!(class_of(&[0; 60]), ParseClass::NonIp, "an 802.3 length");
    let tagged = |tags: usize, length: usize| {
        let mut frame = vec![2; 12];
        for tag in 0..tags {
            frame.extend(if tag % 2 == 0 { [0x88, 0xa8, 0, 1] } else { [0x81, 0, 0, 1] });
        }
        frame.extend([8, 6]);
        frame.resize(length, 0);
        frame
    };
    assert_eq!(class_of(&tagged(2, 60)), ParseClass::NonIp);
    assert_eq!(class_of(&tagged(3, 60)), ParseClass::VlanDepth);
    assert_eq!(class_of(&tagged(3, 22)), ParseClass::VlanDepth, "decided by the TPID alone");
    assert_eq!(class_of(&tagged(2, 21)), ParseClass::Truncated);
    assert_eq!(class_of(&tagged(1, 17)), ParseClass::Truncated);
    assert_eq!(parse(&[]).class, ParseClass::Truncated);
    assert_eq!(parse(&[0; 3]).class, ParseClass::Truncated, "shorter than an FCS");
}

/// IPv6 with these extension headers: (kind, bytes of it, fragment offset).
fn ipv6(extensions: &[(u8, usize, u16)], protocol: u8, end: usize) -> Parsed {
    let mut frame = udp("2001:db8::1", "2001:db8::2", [1, 2], 100);
    let transport = frame.split_off(54);
    let mut next_at = 20;
    for (kind, bytes, fragment) in extensions {
        frame[next_at] = *kind;
        next_at = frame.len();
        let mut header = vec![0; *bytes];
        header[1] = (bytes / 8 - 1) as u8;
        header[2..4].copy_from_slice(&fragment.to_be_bytes());
        frame.extend(header);
    }
    frame[next_at] = protocol;
    frame.extend(transport);
    let length = (frame.len() - 54) as u16;
    frame[18..20].copy_from_slice(&length.to_be_bytes());
    frame.truncate(end);
    parse(&with_fcs(&frame))
}

#[test]
fn ipv6_rules() {
    let all = usize::MAX;
    assert_eq!(ipv6(&[], 17, 53).class, ParseClass::Truncated);
    let chain = [(0, 8, 0), (60, 16, 0), (43, 24, 0), (44, 8, 7)];
    let parsed = ipv6(&chain, 17, all);
    assert_eq!((parsed.class, parsed.l3_end, parsed.l4_end, parsed.protocol), (ParseClass::Ports, 110, 118, 17));
    let deep = ipv6(&[(0, 8, 0), (60, 8, 0), (43, 8, 0), (60, 8, 0), (60, 8, 0)], 17, all);
    assert_eq!((deep.class, deep.l3_end, deep.l4_offset, deep.protocol), (ParseClass::ExtensionDepth, 86, 0, 60));
    let fragment = ipv6(&[(60, 8, 0), (44, 8, 8)], 6, all);
    assert_eq!((fragment.class, fragment.l3_end, fragment.protocol), (ParseClass::Fragment, 70, 6));
    assert_eq!(ipv6(&[(44, 8, 6)], 17, all).class, ParseClass::Ports, "flags are no offset");
    let cut = ipv6(&[(0, 8, 0), (60, 16, 0)], 17, 77);
    assert_eq!((cut.class, cut.l3_end, cut.protocol), (ParseClass::L4Truncated, 62, 60));
    let long = ipv6(&[(60, 136, 0)], 17, all);
    assert_eq!((long.class, long.l3_end), (ParseClass::L4Truncated, 190), "a UDP header does not fit behind it");
    assert_eq!(ipv6(&[(60, 144, 0)], 17, all).l3_end, 54, "an extension header beyond the window");
    let icmp = ipv6(&[], 58, all);
    assert_eq!((icmp.class, icmp.l4_end), (ParseClass::NoPorts, 62));
    let none = ipv6(&[(0, 8, 0)], 59, all);
    assert_eq!((none.class, none.l3_end, none.l4_end, none.l4_offset), (ParseClass::NoPorts, 62, 62, 0));
    assert_eq!(ipv6(&[], 1, all).l4_offset, 0, "ICMP is no protocol of IPv6");
}

#[test]
fn the_window_counts_the_fcs_of_long_frames_only() {
    // A UDP header that ends at 190: inside 192 bytes, outside a window that the FCS has been taken from.
    let frame = |length: usize| {
        let mut frame = udp("2001:db8::1", "2001:db8::2", [1, 2], 300);
        let transport = frame.split_off(54);
        (frame[20], frame[18]) = (60, 2);
        let mut options = vec![0; 128];
        (options[0], options[1]) = (17, 15);
        frame.extend(options);
        frame.extend(transport);
        frame.truncate(length);
        parse(&with_fcs(&frame)).class
    };
    assert_eq!(frame(300), ParseClass::Ports);
    assert_eq!(frame(190), ParseClass::Ports, "190 bytes and FCS are more than 192: the window shows 192");
    assert_eq!(frame(189), ParseClass::Ports, "and so are 189, the last header byte is the FCS's first");
    assert_eq!(frame(188), ParseClass::L4Truncated, "188 and FCS are 192: the window shows 188");
    assert_eq!(WINDOW_BYTES, 192);
}

/// Checks what can be compared; says whether there was anything.
fn agrees(frame: &[u8]) -> bool {
    let parsed = parse(&with_fcs(frame));
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
    if sliced.link_exts.len() > 2 {
        assert_eq!(parsed.class, ParseClass::VlanDepth);
        return true;
    }
    assert_eq!(usize::from(parsed.vlan_tags), sliced.link_exts.len());
    assert_eq!(parsed.addresses, Some(theirs));
    let ports = match &sliced.transport {
        Some(TransportSlice::Udp(udp)) => Some([udp.source_port(), udp.destination_port()]),
        Some(TransportSlice::Tcp(tcp)) => Some([tcp.source_port(), tcp.destination_port()]),
        _ => None,
    };
    match parsed.class {
        ParseClass::Ports if parsed.protocol != 132 => {
            assert_eq!(parsed.ports, ports);
            assert_eq!(parsed.protocol, protocol);
        }
        ParseClass::Ports | ParseClass::NoPorts => assert_eq!(ports, None),
        ParseClass::Fragment => assert_eq!(ports, None, "no ports in a later fragment"),
        // Beyond window or depth they may see more.
        ParseClass::ExtensionDepth | ParseClass::L4Truncated => {}
        other => panic!("{other:?} has no addresses, they have {theirs:?}"),
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_frames_are_read_alike(frame in random::frame()) {
        agrees(&frame);
    }

    #[test]
    fn any_bytes_give_offsets_inside_the_window(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_invariants(&parse(&bytes));
    }

    #[test]
    fn any_frame_gives_offsets_inside_the_window(frame in random::frame()) {
        check_invariants(&parse(&with_fcs(&frame)));
    }
}

fn check_invariants(parsed: &Parsed) {
    assert_eq!(parsed.class.has_addresses(), parsed.addresses.is_some());
    assert_eq!(parsed.class == ParseClass::Ports, parsed.ports.is_some());
    assert!(parsed.l3_offset <= parsed.l3_end && parsed.l3_end <= parsed.l4_end);
    assert!(usize::from(parsed.l4_end) <= WINDOW_BYTES);
    assert!(parsed.l4_offset == 0 || parsed.l4_offset == parsed.l3_end);
    assert!(parsed.l4_offset != 0 || parsed.l4_end == parsed.l3_end);
    assert!(parsed.addresses.is_some() || parsed.protocol == 0 && parsed.l3_end == 0);
}

/// The random frames are worth their name: every class comes up often.
#[test]
fn random_frames_reach_every_class() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut classes = [0_u32; ParseClass::ALL.len()];
    for _ in 0..4000 {
        let frame = random::frame().new_tree(&mut runner).expect("a frame").current();
        classes[class_of(&frame) as usize] += 1;
    }
    assert!(classes.iter().all(|count| *count >= 20), "{classes:?}");
}
