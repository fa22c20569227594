//! Rules 9 to 12.

use crate::common::packet::{self, GRE, IPV4, IPV6, UDP};
use crate::{
    INNER, V4, addresses, by_length, class_of, frame_of, inner, inner_packet, outer, over_udp, parsed, places,
};
use writ_abi::parse::ParseClass::{
    self, InnerIp, L4Truncated, NoPorts, Ports, TunnelDepth, TunnelHeader, TunnelPayload, WindowExceeded,
};
use writ_abi::parse::TunnelKind;
use writ_sim::model::parse::Parsed;

/// UDP in Ethernet and IPv4 ends here.
const BEHIND_UDP: usize = 42;

fn gtpu(flags: u8, extensions: &[(u8, u8)], payload: &[u8]) -> Vec<u8> {
    over_udp([9, 2152], &packet::gtpu(0x0102_0304, flags, extensions, payload))
}

/// Where the inner header starts.
fn inner_at(parsed: &Parsed) -> usize {
    inner(parsed).l3_offset
}

#[test]
fn gtpu_headers() {
    let plain = parsed(&gtpu(0, &[], &inner_packet()));
    assert_eq!((plain.class, plain.tunnel), (Ports, Some((TunnelKind::GtpU, 0x0102_0304))));
    assert_eq!((places(outer(&plain)), outer(&plain).ports), ((14, 34, 42), Some([9, 2152])));
    assert_eq!((places(inner(&plain)), inner(&plain).ports), ((50, 70, 78), Some([7, 8])));
    assert_eq!(inner(&plain).addresses, addresses(INNER));
    let ipv6 = packet::ip(addresses(["fd00::1", "fd00::2"]), 6, &packet::tcp([3, 4], 5, &[]));
    assert_eq!(places(inner(&parsed(&gtpu(0, &[], &ipv6)))), (50, 90, 110));
    for flags in [1, 2, 3] {
        assert_eq!(inner_at(&parsed(&gtpu(flags, &[], &inner_packet()))), 54);
    }
    assert_eq!(inner_at(&parsed(&gtpu(4, &[], &inner_packet()))), 54, "flag E and no extension header");
    assert_eq!(inner_at(&parsed(&gtpu(4, &[(0x85, 1)], &inner_packet()))), 58);
    assert_eq!(inner_at(&parsed(&gtpu(6, &[(0x85, 2), (0xc0, 3)], &inner_packet()))), 74);
    let deep = parsed(&gtpu(4, &[(0x85, 1), (0xc0, 1), (1, 1)], &inner_packet()));
    assert_eq!((deep.class, deep.tunnel.is_some(), deep.inner), (TunnelHeader, true, None));
    assert_eq!(class_of(&gtpu(4, &[(0x85, 0)], &inner_packet())), TunnelHeader, "length 0");
    // The next type of flag S alone is not looked at.
    let mut unflagged = gtpu(2, &[], &inner_packet());
    unflagged[BEHIND_UDP + 11] = 0x85;
    assert_eq!(inner_at(&parsed(&unflagged)), 54);
}

#[test]
fn gtpu_messages() {
    let changed = |at: usize, value: u8| {
        let mut frame = gtpu(0, &[], &inner_packet());
        frame[BEHIND_UDP + at] = value;
        parsed(&frame)
    };
    for flags in [0x50, 0x10, 0x20, 0x00] {
        let bad = changed(0, flags);
        assert_eq!((bad.class, bad.tunnel), (TunnelHeader, None), "{flags:#x}");
    }
    let echo = changed(1, 1);
    assert_eq!((echo.class, echo.tunnel, echo.inner), (TunnelPayload, None, None));
    assert_eq!(changed(8, 0x50).class, TunnelPayload, "no IP inside");
    assert!(changed(8, 0x65).inner.is_some_and(|inner| inner.addresses[0].is_ipv6()));
    // Where it ends: header, first byte, inner header, inner transport.
    let frame = gtpu(5, &[(0x85, 1)], &inner_packet());
    let runs = by_length(&frame[..], |parsed| (parsed.class, parsed.tunnel.is_some()));
    let from_udp: Vec<(usize, (ParseClass, bool))> =
        runs.into_iter().filter(|(length, _)| *length >= BEHIND_UDP).collect();
    let expected = [
        (42, (TunnelHeader, false)),
        (50, (TunnelHeader, true)),
        (58, (TunnelPayload, true)),
        (59, (InnerIp, true)),
        (78, (L4Truncated, true)),
        (86, (Ports, true)),
    ];
    assert_eq!(from_udp, expected);
}

#[test]
fn the_first_port_list_decides() {
    let gtpu = packet::gtpu(1, 0, &[], &inner_packet());
    let kind = |ports| parsed(&over_udp(ports, &gtpu)).tunnel.map(|(kind, _)| kind);
    assert_eq!(kind([1701, 2152]), Some(TunnelKind::GtpU));
    assert_eq!(kind([2152, 53]), None, "the source port of GTP-U is no sign");
    assert_eq!(class_of(&over_udp([2152, 53], &gtpu)), Ports);
    assert_eq!(class_of(&over_udp([4789, 6081 + 1], &gtpu)), Ports);
    let l2tp = packet::l2tp(0, [1, 2], 0, &packet::ppp(false, 0x21, &inner_packet()));
    for ports in [[1701, 53], [53, 1701], [1701, 1701]] {
        assert_eq!(parsed(&over_udp(ports, &l2tp)).tunnel, Some((TunnelKind::L2tp, 0x1_0002)));
    }
    let vxlan = packet::vxlan(5, &packet::ethernet(&[], IPV4, &inner_packet()));
    assert_eq!(parsed(&over_udp([1701, 4789], &vxlan)).tunnel, Some((TunnelKind::Vxlan, 5)));
}

#[test]
fn vxlan_and_the_ethernet_inside() {
    let frame = |ethernet: &[u8]| over_udp([9, 4789], &packet::vxlan(0x00fe_dcba, ethernet));
    for tags in 0..=2_usize {
        let inside: Vec<(u16, u16)> = (0..tags).map(|_| (0x88a8, 3)).collect();
        let good = parsed(&frame(&packet::ethernet(&inside, IPV4, &inner_packet())));
        assert_eq!((good.class, good.tunnel), (Ports, Some((TunnelKind::Vxlan, 0x00fe_dcba))));
        assert_eq!((inner_at(&good), good.inner_ethernet, good.vlan_ids.len()), (64 + 4 * tags, true, 0));
    }
    let three = [(0x8100, 1), (0x8100, 2), (0x8100, 3)];
    assert_eq!(class_of(&frame(&packet::ethernet(&three, IPV4, &inner_packet()))), TunnelPayload);
    let arp = parsed(&frame(&packet::ethernet(&[], 0x0806, &[0; 40])));
    assert_eq!((arp.class, arp.inner_ethernet, arp.inner), (TunnelPayload, true, None));
    let mut unflagged = frame(&packet::ethernet(&[], IPV4, &inner_packet()));
    unflagged[BEHIND_UDP] = 0xf7;
    assert_eq!((parsed(&unflagged).class, parsed(&unflagged).tunnel), (TunnelHeader, None));
    unflagged[BEHIND_UDP] = 0xff;
    assert_eq!(class_of(&unflagged), Ports, "other flags do not matter");
    let frame = frame(&packet::ethernet(&[(0x8100, 1)], IPV4, &inner_packet()));
    let runs = by_length(&frame[..82], |parsed| (parsed.class, parsed.tunnel.is_some(), parsed.inner_ethernet));
    let expected = [
        (42, (TunnelHeader, false, false)),
        (50, (TunnelPayload, true, false)),
        (64, (TunnelPayload, true, true)),
        (68, (InnerIp, true, true)),
    ];
    assert_eq!(runs[runs.len() - 4..], expected);
}

#[test]
fn geneve() {
    let ethernet = packet::ethernet(&[], IPV6, &packet::ip(addresses(["fd00::1", "fd00::2"]), 58, &[0; 8]));
    let frame = |protocol, options: usize, payload: &[u8]| {
        over_udp([9, 6081], &packet::geneve(0x00ab_cdef, protocol, &vec![0xee; options], payload))
    };
    let tunnel = Some((TunnelKind::Geneve, 0x00ab_cdef));
    let v4 = parsed(&frame(IPV4, 0, &inner_packet()));
    assert_eq!((v4.class, v4.tunnel, inner_at(&v4), v4.inner_ethernet), (Ports, tunnel, 50, false));
    let bridged = parsed(&frame(packet::TRANSPARENT_ETHERNET, 12, &ethernet));
    assert_eq!((bridged.class, bridged.tunnel, inner_at(&bridged)), (NoPorts, tunnel, 76));
    assert!(bridged.inner_ethernet);
    let v6 = packet::ip(addresses(["fd00::1", "fd00::2"]), 17, &packet::udp([1, 2], &[]));
    assert_eq!(inner_at(&parsed(&frame(IPV6, 60, &v6))), 110);
    let other = parsed(&frame(0x0806, 4, &[0; 40]));
    assert_eq!((other.class, other.tunnel), (TunnelPayload, tunnel));
    let mut version = frame(IPV4, 0, &inner_packet());
    version[BEHIND_UDP] = 0x40;
    assert_eq!((parsed(&version).class, parsed(&version).tunnel), (TunnelHeader, None));
    // Options beyond the frame, and beyond the window.
    let cut = parsed(&frame(IPV4, 24, &[])[..73]);
    assert_eq!((cut.class, cut.tunnel), (TunnelHeader, None));
    let long = parsed(&frame(IPV4, 252, &inner_packet()));
    assert_eq!((long.class, long.tunnel), (WindowExceeded, None));
}

#[test]
fn gre() {
    let frame = |flags: u16, protocol: u16, payload: &[u8]| {
        frame_of(&packet::ip(addresses(V4), GRE, &packet::gre(flags, protocol, 0xdead_beef, payload)))
    };
    for (flags, tunnel, at) in [
        (0, (TunnelKind::Gre, 0), 38),
        (0x8000, (TunnelKind::Gre, 0), 42),
        (0x1000, (TunnelKind::Gre, 0), 42),
        (0x2000, (TunnelKind::GreKey, 0xdead_beef), 42),
        (0xb000, (TunnelKind::GreKey, 0xdead_beef), 50),
        (0x0808, (TunnelKind::Gre, 0), 38),
    ] {
        let good = parsed(&frame(flags, IPV4, &inner_packet()));
        assert_eq!((good.class, good.tunnel, inner_at(&good)), (Ports, Some(tunnel), at), "{flags:#x}");
        assert_eq!((places(outer(&good)), outer(&good).protocol), ((14, 34, 34), GRE), "GRE is no transport header");
        let cut = parsed(&frame(flags, IPV4, &inner_packet())[..at - 1]);
        assert_eq!((cut.class, cut.tunnel), (TunnelHeader, None));
    }
    for flags in [1, 2, 4, 0x4000] {
        let bad = parsed(&frame(flags, IPV4, &inner_packet()));
        assert_eq!((bad.class, bad.tunnel), (TunnelHeader, None), "{flags:#x}");
    }
    let bridged = packet::ethernet(&[(0x9100, 1)], IPV4, &inner_packet());
    let good = parsed(&frame(0x2000, packet::TRANSPARENT_ETHERNET, &bridged));
    assert_eq!((good.class, inner_at(&good), good.inner_ethernet), (Ports, 60, true));
    assert_eq!(class_of(&frame(0, 0x880b, &inner_packet())), TunnelPayload);
    // In IPv6 as well.
    let over_v6 = packet::ip(addresses(["fd00::1", "fd00::2"]), GRE, &packet::gre(0, IPV4, 0, &inner_packet()));
    assert_eq!(inner_at(&parsed(&frame_of(&over_v6))), 58);
}

#[test]
fn l2tp() {
    use packet::{L2TP_LENGTH, L2TP_OFFSET, L2TP_SEQUENCE};
    let frame = |flags, offset, ppp: &[u8]| over_udp([1701, 1701], &packet::l2tp(flags, [0x1234, 0x5678], offset, ppp));
    let ip = packet::ppp(true, 0x0021, &inner_packet());
    let tunnel = Some((TunnelKind::L2tp, 0x1234_5678));
    for (flags, offset, at) in [
        (0, 0, 52),
        (L2TP_LENGTH, 0, 54),
        (L2TP_SEQUENCE, 0, 56),
        (L2TP_OFFSET, 0, 54),
        (L2TP_OFFSET, 8, 62),
        (L2TP_LENGTH | L2TP_SEQUENCE | L2TP_OFFSET, 2, 62),
        (0x0100, 0, 52),
    ] {
        let good = parsed(&frame(flags, offset, &ip));
        assert_eq!((good.class, good.tunnel, inner_at(&good)), (Ports, tunnel, at), "{flags:#x} {offset}");
    }
    let odd = parsed(&frame(L2TP_OFFSET, 3, &ip));
    assert_eq!((odd.class, odd.tunnel), (TunnelHeader, None));
    let mut far = frame(L2TP_OFFSET, 4, &packet::ppp(true, 0x21, &packet::body(300)));
    far[BEHIND_UDP + 6..BEHIND_UDP + 8].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(class_of(&far), TunnelHeader, "odd, though it is not there");
    far[BEHIND_UDP + 7] = 0xfe;
    assert_eq!(class_of(&far), WindowExceeded);
    let control = parsed(&frame(0x8000 | L2TP_LENGTH, 0, &ip));
    assert_eq!((control.class, control.tunnel), (TunnelPayload, None));
    let mut version = frame(0, 0, &ip);
    version[BEHIND_UDP + 1] = 3;
    assert_eq!((parsed(&version).class, parsed(&version).tunnel), (TunnelHeader, None));
    let lcp = parsed(&frame(0, 0, &packet::ppp(true, 0xc021, &[1; 30])));
    assert_eq!((lcp.class, lcp.tunnel), (TunnelPayload, tunnel));
    let ipv6 = packet::ip(addresses(["fd00::1", "fd00::2"]), 17, &packet::udp([1, 2], &[]));
    assert_eq!(inner_at(&parsed(&frame(0, 0, &packet::ppp(false, 0x0057, &ipv6)))), 50);
    // Flags, ids, PPP address, PPP protocol, inner header.
    let frame = frame(0, 0, &ip);
    let runs = by_length(&frame[..72], |parsed| (parsed.class, parsed.tunnel.is_some()));
    let expected =
        [(42, (TunnelHeader, false)), (48, (TunnelPayload, true)), (52, (InnerIp, true)), (72, (L4Truncated, true))];
    assert_eq!(runs[runs.len() - 4..], expected);
}

#[test]
fn ip_in_ip() {
    for (source, inside) in [(V4, INNER), (V4, ["fd00::1", "fd00::2"]), (["fd00::8", "fd00::9"], INNER)] {
        let inner_ip = packet::ip(addresses(inside), UDP, &packet::udp([7, 8], &[]));
        let protocol = if inside == INNER { 4 } else { 41 };
        let good = parsed(&frame_of(&packet::ip(addresses(source), protocol, &inner_ip)));
        assert_eq!((good.class, good.tunnel), (Ports, Some((TunnelKind::IpInIp, 0))));
        assert_eq!((inner(&good).addresses, outer(&good).ports), (addresses(inside), None));
        assert_eq!(outer(&good).l4_end, outer(&good).l3_end);
        // The protocol says the version, and the header has to agree.
        let wrong = parsed(&frame_of(&packet::ip(addresses(source), 45 - protocol, &inner_ip)));
        assert_eq!((wrong.class, wrong.tunnel.is_some(), wrong.inner), (InnerIp, true, None));
    }
}

#[test]
fn inner_headers() {
    let frame = |ip: &[u8]| frame_of(&packet::ip(addresses(V4), 4, ip));
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut packet = inner_packet();
        change(&mut packet);
        parsed(&frame(&packet))
    };
    let bad = |change: &dyn Fn(&mut Vec<u8>)| {
        let parsed = changed(change);
        assert_eq!((parsed.class, parsed.inner), (InnerIp, None));
    };
    bad(&|packet| packet[0] = 0x44);
    bad(&|packet| packet[3] = 19);
    bad(&|packet| packet.truncate(19));
    let fragment = changed(&|packet| packet[7] = 1);
    assert_eq!((fragment.class, inner(&fragment).is_fragment), (ParseClass::Fragment, true));
    let short = changed(&|packet| packet[3] = 27);
    assert_eq!((short.class, inner(&short).ports), (L4Truncated, None), "the inner packet's own end counts");
    // And so does the outer packet's.
    let mut outer_ends = frame(&inner_packet());
    outer_ends[16..18].copy_from_slice(&[0, 24]);
    assert_eq!(class_of(&outer_ends), InnerIp);
    // A long frame whose inner header runs past the window.
    let options = packet::geneve(1, IPV4, &[0; 128], &inner_packet());
    let mut long = over_udp([9, 6081], &options);
    long.extend([0; 100]);
    assert_eq!((class_of(&long), parsed(&long).tunnel.is_some()), (WindowExceeded, true));
}

#[test]
fn tunnels_in_tunnels() {
    let nested = |protocol: u8, payload: &[u8]| {
        let inner = packet::ip(addresses(INNER), protocol, payload);
        parsed(&frame_of(&packet::ip(addresses(V4), 4, &inner)))
    };
    for (protocol, payload) in
        [(4, inner_packet()), (41, vec![0x60; 40]), (GRE, packet::gre(0, IPV4, 0, &inner_packet())), (GRE, vec![])]
    {
        let deep = nested(protocol, &payload);
        assert_eq!((deep.class, inner(&deep).ports), (TunnelDepth, None), "{protocol}");
        assert_eq!(deep.tunnel, Some((TunnelKind::IpInIp, 0)));
    }
    for ports in [[9, 2152], [9, 4789], [9, 6081], [9, 1701], [1701, 9]] {
        let deep = nested(UDP, &packet::udp(ports, &[]));
        assert_eq!((deep.class, inner(&deep).ports), (TunnelDepth, Some(ports)), "UDP has its ports");
        assert_eq!(inner(&deep).l4_end, 14 + 20 + 28);
    }
    assert_eq!(nested(UDP, &packet::udp([2152, 9], &[])).class, Ports);
}

/// Padding and trailers look like an inner packet to whoever does not ask where the outer one ends.
#[test]
fn what_stands_behind_the_packet_is_not_inside_it() {
    // The frame's outer IPv4 packet ends after so many bytes; what was in it stands behind it.
    let ending = |frame: &[u8], total_length: u16, trailer: usize| {
        let mut frame = frame.to_vec();
        frame[16..18].copy_from_slice(&total_length.to_be_bytes());
        frame.resize(frame.len() + trailer, 0x55);
        parsed(&frame)
    };
    let in_ip = frame_of(&packet::ip(addresses(V4), 4, &inner_packet()));
    let in_gre = frame_of(&packet::ip(addresses(V4), 47, &packet::gre(0, 0x0800, 0, &inner_packet())));
    for trailer in [0, 40, 400] {
        let found = |frame: &[u8], total_length| {
            let parsed = ending(frame, total_length, trailer);
            (parsed.class, parsed.tunnel.is_some(), parsed.inner.is_some())
        };
        assert_eq!(found(&in_ip, 48), (Ports, true, true));
        assert_eq!(found(&in_ip, 47), (L4Truncated, true, true), "one byte of the inner UDP header is not inside");
        assert_eq!(found(&in_ip, 39), (InnerIp, true, false));
        assert_eq!(found(&in_ip, 20), (InnerIp, true, false));
        assert_eq!(found(&in_gre, 24), (InnerIp, true, false));
        assert_eq!(found(&in_gre, 23), (TunnelHeader, false, false));
        let udp = gtpu(0, &[], &inner_packet());
        assert_eq!(found(&udp, 36), (TunnelPayload, true, false));
        assert_eq!(found(&udp, 35), (TunnelHeader, false, false));
        assert_eq!(found(&udp, 28), (TunnelHeader, false, false));
    }
}
