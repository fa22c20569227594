//! Rules 1 to 5.

use crate::common::packet::{self, IPV4, IPV6, MPLS, PPPOE};
use crate::{addresses, by_length, class_of, inner_packet, outer, parsed, places};
use writ_abi::parse::ParseClass::{
    L4Truncated, LinkPayload, MplsDepth, NoPorts, NonIp, Ports, Truncated, VlanDepth, WindowExceeded,
};
use writ_abi::parse::TPIDS;

#[test]
fn ethernet() {
    assert_eq!(class_of(&[]), Truncated);
    assert_eq!(writ_sim::model::parse::parse(&[0; 3]).class, Truncated, "shorter than an FCS");
    let thirteen = parsed(&[0; 13]);
    assert_eq!((thirteen.class, thirteen.mac), (Truncated, None));
    let frame = packet::ethernet(&[], 0x05dc, &[0; 46]);
    let length = parsed(&frame);
    assert_eq!((length.class, length.mac), (NonIp, Some([packet::MAC_B, packet::MAC_A])), "an 802.3 length");
    assert_eq!(class_of(&packet::ethernet(&[], 0x0806, &[0; 46])), NonIp);
    assert_eq!(class_of(&packet::ethernet(&[], 0x8863, &[0x11; 46])), NonIp, "PPPoE discovery");
    // What may stand behind the Ethernet header does not matter to the MAC addresses.
    assert_eq!(parsed(&frame[..14]).mac, length.mac);
}

fn tagged(tags: usize, ethertype: u16) -> Vec<u8> {
    let tags: Vec<(u16, u16)> = (0..tags).map(|i| (TPIDS[i % 3], 0xe000 | (100 + i as u16))).collect();
    packet::ethernet(&tags, ethertype, &inner_packet())
}

#[test]
fn vlan_tags() {
    for tags in 0..=3 {
        let good = parsed(&tagged(tags, IPV4));
        assert_eq!((good.class, good.vlan_ids.len()), (Ports, tags));
        assert_eq!(good.vlan_ids, (0..tags as u16).map(|i| 100 + i).collect::<Vec<_>>(), "12 bits of the TCI");
        assert_eq!(outer(&good).l3_offset, 14 + 4 * tags);
        let cut = parsed(&tagged(tags, IPV4)[..14 + 4 * tags - 1]);
        assert_eq!((cut.class, cut.vlan_ids.len()), (Truncated, tags.saturating_sub(1)));
    }
    let deep = parsed(&tagged(4, IPV4));
    assert_eq!((deep.class, deep.vlan_ids.len(), deep.outer), (VlanDepth, 3, None));
    assert_eq!(class_of(&tagged(4, IPV4)[..26]), VlanDepth, "decided by the ethertype alone");
    assert_eq!(class_of(&tagged(3, 0x0806)), NonIp);
    // Not a TPID.
    assert_eq!(class_of(&packet::ethernet(&[(0x9200, 1)], IPV4, &inner_packet())), NonIp);
}

#[test]
fn pppoe() {
    let frame = |start: [u8; 2], protocol: u16, packet: &[u8]| {
        let mut session = packet::pppoe(0xabcd, protocol, packet);
        session[..2].copy_from_slice(&start);
        packet::ethernet(&[(0x8100, 5)], PPPOE, &session)
    };
    let v4 = parsed(&frame([0x11, 0], 0x0021, &inner_packet()));
    assert_eq!((v4.class, v4.pppoe_session, outer(&v4).l3_offset), (Ports, Some(0xabcd), 26));
    let ipv6 = packet::ip(addresses(["fd00::1", "fd00::2"]), 17, &packet::udp([1, 2], &[]));
    assert_eq!(class_of(&frame([0x11, 0], 0x0057, &ipv6)), Ports);
    let lcp = parsed(&frame([0x11, 0], 0xc021, &[1; 20]));
    assert_eq!((lcp.class, lcp.pppoe_session), (LinkPayload, Some(0xabcd)), "in the session all the same");
    for start in [[0x12, 0], [0x21, 0], [0x11, 9]] {
        let bad = parsed(&frame(start, 0x0021, &inner_packet()));
        assert_eq!((bad.class, bad.pppoe_session, bad.outer), (LinkPayload, None, None));
    }
    let good = frame([0x11, 0], 0x0021, &inner_packet());
    let runs = by_length(&good, |parsed| (parsed.class, parsed.pppoe_session.is_some()));
    assert_eq!(runs[..2], [(0, (Truncated, false)), (26, (Truncated, true))]);
    // The other version than PPP says.
    assert_eq!(class_of(&frame([0x11, 0], 0x0057, &[0x45; 60])), writ_abi::parse::ParseClass::MalformedIp);
}

#[test]
fn mpls_labels() {
    let frame = |labels: &[u32], payload: &[u8]| packet::ethernet(&[], MPLS, &packet::mpls(labels, payload));
    for count in 1..=4_usize {
        let labels: Vec<u32> = (0..count as u32).map(|i| 0xf_fff0 + i).collect();
        let good = parsed(&frame(&labels, &inner_packet()));
        assert_eq!((good.class, usize::from(good.mpls_labels)), (Ports, count));
        assert_eq!((good.bottom_label, outer(&good).l3_offset), (labels.last().copied(), 14 + 4 * count));
        let cut = parsed(&frame(&labels, &[])[..14 + 4 * count - 1]);
        assert_eq!((cut.class, usize::from(cut.mpls_labels), cut.bottom_label), (Truncated, count - 1, None));
        let bare = parsed(&frame(&labels, &[]));
        assert_eq!((bare.class, bare.bottom_label.is_some()), (Truncated, true), "one byte more is needed");
    }
    let deep = parsed(&frame(&[1, 2, 3, 4, 5], &inner_packet()));
    assert_eq!((deep.class, deep.mpls_labels, deep.bottom_label), (MplsDepth, 4, None));
    assert_eq!(class_of(&frame(&[1, 2, 3, 4, 5], &[])[..30]), MplsDepth, "decided by the fourth label");
    let multicast = packet::ethernet(&[], 0x8848, &packet::mpls(&[7], &inner_packet()));
    assert_eq!(class_of(&multicast), Ports);
    let ipv6 = packet::ip(addresses(["fd00::1", "fd00::2"]), 132, &packet::sctp([1, 2], &[]));
    assert_eq!(class_of(&frame(&[9], &ipv6)), Ports);
    for first in [0x10, 0x50, 0x70, 0xf0] {
        assert_eq!(class_of(&frame(&[9], &[first; 60])), LinkPayload);
    }
}

#[test]
fn pseudowires() {
    let frame = |ethernet: &[u8]| packet::ethernet(&[], MPLS, &packet::mpls(&[9], &packet::control_word(ethernet)));
    for tags in 0..=2 {
        let inside: Vec<(u16, u16)> = (0..tags).map(|i| (TPIDS[i], 7)).collect();
        let good = parsed(&frame(&packet::ethernet(&inside, IPV4, &inner_packet())));
        assert_eq!((good.class, good.pseudowire, good.vlan_ids.len()), (Ports, true, 0));
        assert_eq!(outer(&good).l3_offset, 14 + 4 + 4 + 14 + 4 * tags);
        assert_eq!(good.mac, Some([packet::MAC_B, packet::MAC_A]));
    }
    let three = [(0x8100, 1), (0x8100, 2), (0x8100, 3)];
    assert_eq!(class_of(&frame(&packet::ethernet(&three, IPV4, &inner_packet()))), LinkPayload);
    let arp = parsed(&frame(&packet::ethernet(&[], 0x0806, &[0; 40])));
    assert_eq!((arp.class, arp.pseudowire, arp.bottom_label), (LinkPayload, true, Some(9)));
    assert_eq!(class_of(&frame(&packet::ethernet(&[], PPPOE, &[0x11; 40]))), LinkPayload, "no second session");
    let good = frame(&packet::ethernet(&[(0x8100, 1)], IPV6, &[0x60; 60]));
    let runs = by_length(&good, |parsed| (parsed.class, parsed.pseudowire, parsed.outer.is_some()));
    let expected = [(0, (Truncated, false, false)), (36, (Truncated, true, false)), (80, (NoPorts, true, true))];
    assert_eq!(runs[..3], expected);
}

/// A header that runs past the window of a long frame is a class of its own; of a short one it is what the rule says.
#[test]
fn the_window_ends_long_frames() {
    // 4 labels, control word and Ethernet with 2 tags, behind 3 tags: 14 + 12 + 16 + 4 + 22 = 68, then IPv4 with options.
    let tags = [(0x8100, 1), (0x8100, 2), (0x8100, 3)];
    let ip = |options: usize| {
        let addresses = [packet::v4("192.0.2.1"), packet::v4("192.0.2.2")];
        packet::ipv4(addresses, 6, &vec![1; options], &packet::tcp([1, 2], 15, &packet::body(200)))
    };
    let frame = |options| {
        let inside = packet::ethernet(&tags[..2], IPV4, &ip(options));
        packet::ethernet(&tags, MPLS, &packet::mpls(&[1, 2, 3, 4], &packet::control_word(&inside)))
    };
    let whole = parsed(&frame(40));
    assert_eq!((whole.class, places(outer(&whole))), (Ports, (68, 128, 188)));
    let mut deeper = frame(40);
    deeper.splice(12..12, [0x81, 0, 0, 9]);
    assert_eq!(class_of(&deeper), VlanDepth, "a fourth tag");
    let ipv6 = packet::ipv6([packet::v6("fd00::1"), packet::v6("fd00::2")], &[(60, 64, 0)], 17, &[0; 300]);
    let inside = packet::ethernet(&tags[..2], IPV6, &ipv6);
    let frame = packet::ethernet(&tags, MPLS, &packet::mpls(&[1, 2, 3, 4], &packet::control_word(&inside)));
    let at = |length: usize| parsed(&frame[..length]);
    // IPv6 at 68, options to 172, UDP to 180.
    assert_eq!((at(400).class, outer(&at(400)).l4_end), (Ports, 180));
    let ipv6 = packet::ipv6([packet::v6("fd00::1"), packet::v6("fd00::2")], &[(60, 80, 0)], 17, &[0; 300]);
    let inside = packet::ethernet(&tags[..2], IPV6, &ipv6);
    let frame = packet::ethernet(&tags, MPLS, &packet::mpls(&[1, 2, 3, 4], &packet::control_word(&inside)));
    // UDP would end at 196.
    let at = |length: usize| (parsed(&frame[..length]).class, outer(&parsed(&frame[..length])).l3_end);
    assert_eq!(at(400), (WindowExceeded, 188));
    assert_eq!(at(192), (WindowExceeded, 188), "192 bytes without FCS fill the window");
    assert_eq!(at(191), (L4Truncated, 188), "191 do not");
}
