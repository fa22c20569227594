//! Rules 6 to 8.

use crate::common::frames::{tcp_tagged, udp};
use crate::common::packet::{self, TCP, UDP};
use crate::{V6, addresses, class_of, frame_of, outer, parsed, places};
use writ_abi::limits::WINDOW_BYTES;
use writ_abi::parse::ParseClass::{
    ExtensionDepth, Fragment, L4Truncated, MalformedIp, NoPorts, Ports, Truncated, WindowExceeded,
};
use writ_sim::model::parse::Parsed;

/// IPv4 UDP with a change.
fn changed(change: impl Fn(&mut Vec<u8>)) -> Parsed {
    let mut frame = udp("192.0.2.1", "192.0.2.2", [1000, 2000], 40);
    change(&mut frame);
    parsed(&frame)
}

#[test]
fn results_of_a_plain_packet() {
    let plain = changed(|_| {});
    assert_eq!((plain.class, places(outer(&plain))), (Ports, (14, 34, 42)));
    assert_eq!((outer(&plain).protocol, outer(&plain).ports), (UDP, Some([1000, 2000])));
    assert_eq!(outer(&plain).addresses, addresses(["192.0.2.1", "192.0.2.2"]));
    assert!(plain.inner.is_none() && plain.tunnel.is_none() && !outer(&plain).is_fragment);
    let tagged = parsed(&tcp_tagged("192.0.2.1", "192.0.2.2", [1, 2], 2, 0));
    assert_eq!((tagged.vlan_ids.as_slice(), places(outer(&tagged))), (&[7, 8][..], (22, 42, 62)));
}

#[test]
fn ipv4_rules() {
    let malformed = |change: &dyn Fn(&mut Vec<u8>)| {
        let parsed = changed(change);
        assert_eq!((parsed.class, parsed.outer), (MalformedIp, None));
    };
    malformed(&|frame| frame[14] = 0x55);
    malformed(&|frame| frame[14] = 0x44);
    malformed(&|frame| frame[16..18].copy_from_slice(&[0, 19]));
    assert_eq!(changed(|frame| frame.truncate(33)).class, Truncated);
    let options = changed(|frame| {
        frame[14] = 0x4f;
        frame.truncate(73)
    });
    assert_eq!((options.class, options.outer), (Truncated, None), "options that are not wholly there");
    let fragment = changed(|frame| frame[21] = 1);
    assert_eq!((fragment.class, places(outer(&fragment))), (Fragment, (14, 34, 34)));
    assert!(outer(&fragment).is_fragment && outer(&fragment).ports.is_none());
    assert_eq!(changed(|frame| frame[20] = 0x1f).class, Fragment);
    let first = changed(|frame| frame[20] = 0x20);
    assert_eq!((first.class, outer(&first).is_fragment), (Ports, false), "the first fragment has ports");
    assert_eq!(changed(|frame| frame[16..18].copy_from_slice(&[0, 27])).class, L4Truncated, "ip_end");
    assert_eq!(changed(|frame| frame[16..18].copy_from_slice(&[0, 28])).class, Ports);
    assert_eq!(changed(|frame| frame[16..18].fill(0xff)).class, Ports, "longer than the frame is no fault");
    let cut = changed(|frame| frame.truncate(41));
    assert_eq!((cut.class, places(outer(&cut))), (L4Truncated, (14, 34, 34)));
    let icmp = changed(|frame| frame[23] = 1);
    assert_eq!((icmp.class, places(outer(&icmp)), outer(&icmp).ports), (NoPorts, (14, 34, 42), None));
    let icmpv6 = changed(|frame| frame[23] = 58);
    assert_eq!((icmpv6.class, places(outer(&icmpv6))), (NoPorts, (14, 34, 34)), "not behind IPv4");
    let esp = changed(|frame| frame[23] = 50);
    assert_eq!((esp.class, outer(&esp).protocol, places(outer(&esp))), (NoPorts, 50, (14, 34, 34)));
}

#[test]
fn transport_rules() {
    let tcp = |offset: u8, length: usize| {
        let mut frame = tcp_tagged("192.0.2.1", "192.0.2.2", [1, 2], 0, 200);
        frame[46] = offset << 4;
        frame.truncate(length);
        let parsed = parsed(&frame);
        (parsed.class, outer(&parsed).l4_end)
    };
    assert_eq!(tcp(5, 54), (Ports, 54));
    assert_eq!(tcp(5, 53), (L4Truncated, 34));
    assert_eq!(tcp(4, 180), (L4Truncated, 34));
    assert_eq!(tcp(4, 46), (L4Truncated, 34), "the byte with the offset is not there");
    assert_eq!(tcp(15, 180), (Ports, 94));
    assert_eq!(tcp(15, 93), (L4Truncated, 34));
    let sctp = |length: usize| {
        changed(|frame| {
            frame[23] = 132;
            frame.truncate(length)
        })
    };
    assert_eq!((sctp(46).class, outer(&sctp(46)).l4_end, sctp(45).class), (Ports, 46, L4Truncated));
    // A tunnel's port under another protocol announces nothing.
    let tcp = packet::ip(addresses(V6), TCP, &packet::tcp([2152, 2152], 5, &[0x30; 40]));
    assert_eq!(class_of(&frame_of(&tcp)), Ports);
    // Presence is asked before the end of the IP packet: in a long frame that makes the difference.
    let mut long = packet::ipv6(
        [packet::v6("fd00::1"), packet::v6("fd00::2")],
        &[(0, 136, 0)],
        UDP,
        &packet::udp([1, 2], &packet::body(300)),
    );
    long[4..6].copy_from_slice(&[0, 137]);
    assert_eq!(class_of(&frame_of(&long)), WindowExceeded, "UDP would end at 198 and the packet ends at 191");
    assert_eq!(class_of(&frame_of(&long)[..188]), L4Truncated);
}

/// IPv6 with these extension headers: (kind, bytes of it, fragment offset), UDP or another protocol behind.
fn ipv6(extensions: &[packet::Extension], protocol: u8, end: usize) -> Parsed {
    let addresses = [packet::v6("2001:db8::1"), packet::v6("2001:db8::2")];
    let packet = packet::ipv6(addresses, extensions, protocol, &packet::udp([1, 2], &packet::body(100)));
    let mut frame = frame_of(&packet);
    frame.truncate(end);
    parsed(&frame)
}

#[test]
fn ipv6_rules() {
    let all = usize::MAX;
    assert_eq!(ipv6(&[], 17, 53).class, Truncated);
    assert_eq!(ipv6(&[], 17, 53).outer, None);
    let mut version = frame_of(&packet::ip(addresses(V6), UDP, &packet::udp([1, 2], &[])));
    version[14] = 0x45;
    assert_eq!(class_of(&version), MalformedIp);
    let chain = [(0, 8, 0), (60, 16, 0), (43, 24, 0), (44, 8, 7)];
    let whole = ipv6(&chain, 17, all);
    assert_eq!((whole.class, places(outer(&whole)), outer(&whole).protocol), (Ports, (14, 110, 118), 17));
    let deep = ipv6(&[(0, 8, 0), (60, 8, 0), (43, 8, 0), (60, 8, 0), (60, 8, 0)], 17, all);
    assert_eq!((deep.class, places(outer(&deep)), outer(&deep).protocol), (ExtensionDepth, (14, 86, 86), 60));
    let fragment = ipv6(&[(60, 8, 0), (44, 8, 8)], 6, all);
    assert_eq!((fragment.class, places(outer(&fragment))), (Fragment, (14, 70, 70)));
    assert!(outer(&fragment).is_fragment && outer(&fragment).protocol == 6);
    assert_eq!(ipv6(&[(44, 8, 6)], 17, all).class, Ports, "flags are no offset");
    let cut = ipv6(&[(0, 8, 0), (60, 16, 0)], 17, 77);
    assert_eq!((cut.class, outer(&cut).l3_end, outer(&cut).protocol), (L4Truncated, 62, 60));
    let one_byte = ipv6(&[(0, 8, 0)], 17, 55);
    assert_eq!((one_byte.class, outer(&one_byte).protocol), (L4Truncated, 0), "its length is not there");
    let icmp = ipv6(&[], 58, all);
    assert_eq!((icmp.class, places(outer(&icmp))), (NoPorts, (14, 54, 62)));
    let none = ipv6(&[(0, 8, 0)], 59, all);
    assert_eq!((none.class, places(outer(&none))), (NoPorts, (14, 62, 62)));
    assert_eq!(places(outer(&ipv6(&[], 1, all))), (14, 54, 54), "ICMP is no protocol of IPv6");
    // An extension header that ends behind the packet.
    let short = |payload_bytes: u8| {
        let addresses = [packet::v6("2001:db8::1"), packet::v6("2001:db8::2")];
        let mut packet = packet::ipv6(addresses, &[(0, 8, 0), (60, 16, 0)], 17, &packet::udp([1, 2], &[]));
        packet[5] = payload_bytes;
        let parsed = parsed(&frame_of(&packet));
        (parsed.class, outer(&parsed).l3_end)
    };
    assert_eq!(short(7), (L4Truncated, 54));
    assert_eq!(short(23), (L4Truncated, 62));
    assert_eq!(short(24), (L4Truncated, 78));
    assert_eq!(short(31), (L4Truncated, 78));
    assert_eq!(short(32), (Ports, 78));
}

#[test]
fn the_window_never_shows_the_fcs() {
    // A UDP header that ends at 190.
    let of = |length: usize| ipv6(&[(60, 128, 0)], 17, length).class;
    assert_eq!(of(all_of()), Ports);
    assert_eq!(of(190), Ports);
    assert_eq!(of(189), L4Truncated, "the header's last byte is the FCS's first");
    assert_eq!(of(188), L4Truncated);
    assert_eq!(WINDOW_BYTES, 192);
    let long = ipv6(&[(60, 136, 0)], 17, all_of());
    assert_eq!((long.class, outer(&long).l3_end), (WindowExceeded, 190), "a UDP header does not fit behind it");
    let longer = ipv6(&[(60, 144, 0)], 17, all_of());
    assert_eq!((longer.class, outer(&longer).l3_end), (WindowExceeded, 54), "an extension header beyond the window");
}

fn all_of() -> usize {
    usize::MAX
}
