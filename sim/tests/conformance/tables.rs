//! Every table and every lookup, the layers that hits are of, prefix length and own tunnels.

use crate::common::packet::{self, IPV4, IPV6, TCP, UDP};
use crate::common::{Bench, EPOCH_NS, Got, MakeCard, in_ring, plain_row, row};
use crate::{OTHER, OTHER6, TARGET, TARGET6, armed, hits, packet_bytes};
use std::net::IpAddr;
use writ_abi::command::Command;
use writ_abi::parse::TunnelKind;
use writ_abi::record::{Layer, flags, layer_flags, link, tunnel};
use writ_abi::registers::lookup;
use writ_abi::time::{NOT_AFTER_NEVER, TimeQuality};
use writ_abi::{Lookup, PortSide, Scope, Table, key};
use writ_driver::{Bar, CardError, LookupSettings, RingSizes, TunnelKinds};

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A row with an index; the whole frame.
fn any(table: Table, key: &[u8], index: u32) -> Command {
    plain_row(table, key, index as usize % 4, index)
}

fn with_lookup(make: MakeCard, lookup: LookupSettings, rows: &[Command]) -> Bench {
    let mut bench = Bench::with_lookup(make, RingSizes::uniform(4096, 64), TimeQuality::Free, lookup);
    bench.commands(rows);
    bench.parts.card.arm().expect("armed");
    bench
}

/// TCP over IPv6 in GTP-U over IPv4 behind two VLAN tags.
fn subscriber_frame(inner: [&str; 2], ports: [u16; 2]) -> Vec<u8> {
    let inner = packet::ip(inner.map(address), TCP, &packet::tcp(ports, 5, &packet::body(300)));
    let gtpu = packet::udp([2152, 2152], &packet::gtpu(0x0a0b_0c0d, 0, &[], &inner));
    let outer = packet::ip([OTHER, TARGET].map(address), UDP, &gtpu);
    packet::ethernet(&[(0x88a8, 100), (0x8100, 0x2007)], IPV4, &outer)
}

pub(crate) fn every_table_hits_in_its_lookups(make: MakeCard) {
    let (source, destination) = (address(OTHER6), address(TARGET6));
    let forward = key::five_tuple_key(source, destination, TCP, [443, 5000]).expect("one version");
    let backward = key::five_tuple_key(destination, source, TCP, [5000, 443]).expect("one version");
    let IpAddr::V6(network) = destination else { panic!("IPv6") };
    let rows = [
        any(Table::Address, &key::address_key(address(OTHER)), 1),
        any(Table::Address, &key::address_key(address(TARGET)), 2),
        any(Table::Address, &key::address_key(source), 3),
        any(Table::Address, &key::address_key(destination), 4),
        any(Table::Prefix, &key::prefix_key(network, 64), 5),
        any(Table::Endpoint, &key::endpoint_key(source, TCP, 443), 6),
        any(Table::Endpoint, &key::endpoint_key(destination, TCP, 5000), 7),
        any(Table::FiveTuple, &forward, 8),
        any(Table::FiveTuple, &backward, 9),
        any(Table::Tunnel, &key::tunnel_key(TunnelKind::GtpU, 0x0a0b_0c0d, address(TARGET)), 10),
        any(Table::Mac, &packet::MAC_A, 11),
        any(Table::Mac, &packet::MAC_B, 12),
        any(Table::Vlan, &key::vlan_key(PortSide::B, 100, Some(7)), 13),
    ];
    let lookup = LookupSettings { prefix_bits: Some(64), ..LookupSettings::default() };
    let mut bench = with_lookup(make, lookup, &rows);
    let frame = subscriber_frame([OTHER6, TARGET6], [443, 5000]);
    bench.push(0, PortSide::B, &frame);
    let got = bench.records();
    let of = |index: u32, lookup: Lookup| (index, Scope::Content as u32, lookup as u32);
    let expected = [
        of(1, Lookup::OuterSource),
        of(2, Lookup::OuterDestination),
        of(3, Lookup::InnerSource),
        of(4, Lookup::InnerDestination),
        of(5, Lookup::InnerSourcePrefix),
        of(5, Lookup::InnerDestinationPrefix),
        of(6, Lookup::EndpointSource),
        of(7, Lookup::EndpointDestination),
        of(8, Lookup::FiveTuple),
        of(9, Lookup::FiveTupleReversed),
        of(10, Lookup::IpTunnel),
        of(11, Lookup::MacSource),
        of(12, Lookup::MacDestination),
        of(13, Lookup::Vlan),
    ];
    assert_eq!(hits(&got[0]), expected);
    assert_eq!(packet_bytes(&got[0]), frame);
    check_header(&got[0]);
    assert_eq!(got.len(), 1);
}

/// What the record says about the frame of [`subscriber_frame`].
fn check_header(got: &Got) {
    let Got::Packet { header, .. } = got else { panic!("a gap") };
    assert_eq!(header.link, 2);
    assert_eq!(header.tunnel, TunnelKind::GtpU as u8);
    assert_eq!(header.layer_flags, layer_flags::OUTER_PORTS | layer_flags::INNER_PORTS);
    assert_eq!(header.outer, Layer { l3_offset: 22, l3_end: 42, l4_end: 50, protocol: UDP });
    assert_eq!(header.inner, Layer { l3_offset: 58, l3_end: 98, l4_end: 118, protocol: TCP });
    assert_eq!(header.flags & (flags::OWN_TUNNEL | flags::CUT), 0);
    assert_eq!(header.flags & flags::SECOND_LINE != 0, header.hit_count > 8);
}

/// Both directions of a 5-tuple and of its reverse, and the outer prefix.
pub(crate) fn directions_are_told_apart(make: MakeCard) {
    let (source, destination) = (address(TARGET6), address(OTHER6));
    let tuple = key::five_tuple_key(source, destination, UDP, [1000, 2000]).expect("one version");
    let IpAddr::V6(network) = source else { panic!("IPv6") };
    let rows = [any(Table::FiveTuple, &tuple, 1), any(Table::Prefix, &key::prefix_key(network, 125), 2)];
    let lookup = LookupSettings { prefix_bits: Some(125), ..LookupSettings::default() };
    let mut bench = with_lookup(make, lookup, &rows);
    let frame = |addresses, ports| {
        packet::ethernet(&[], IPV6, &packet::ip(addresses, UDP, &packet::udp(ports, &packet::body(9))))
    };
    let frames = [
        frame([source, destination], [1000, 2000]),
        frame([destination, source], [2000, 1000]),
        frame([source, destination], [2000, 1000]),
        frame([source, source], [1000, 2000]),
    ];
    for (number, frame) in frames.iter().enumerate() {
        bench.push(number as u64, PortSide::A, frame);
    }
    let got = bench.records();
    // The other address differs from the target's behind 124 bits.
    let lookups: Vec<Vec<(u32, u32)>> =
        got.iter().map(|got| hits(got).iter().map(|(index, _, lookup)| (*index, *lookup)).collect()).collect();
    let (sent, back) = (Lookup::FiveTuple as u32, Lookup::FiveTupleReversed as u32);
    let (from, to) = (Lookup::OuterSourcePrefix as u32, Lookup::OuterDestinationPrefix as u32);
    assert_eq!(lookups[0], [(2, from), (1, sent)]);
    assert_eq!(lookups[1], [(2, to), (1, back)]);
    assert_eq!(lookups[2], [(2, from)]);
    assert_eq!(lookups[3], [(2, from), (2, to)]);
    assert_eq!(got.len(), 4);
}

/// A frame of each kind of tunnel over `OTHER` to `TARGET`, with a packet of 10.0.0.1 inside.
pub(crate) fn tunnel_frames() -> Vec<(TunnelKind, u32, Vec<u8>)> {
    let inner = packet::ip(["10.0.0.1", "10.0.0.2"].map(address), UDP, &packet::udp([7, 8], &packet::body(40)));
    let ethernet = packet::ethernet(&[(0x8100, 5)], IPV4, &inner);
    let over_udp = |port: u16, payload: &[u8]| (UDP, packet::udp([50_000, port], payload));
    let kinds = [
        (TunnelKind::GtpU, 0xfedc_ba98, over_udp(2152, &packet::gtpu(0xfedc_ba98, 2, &[], &inner))),
        (TunnelKind::Vxlan, 0x00ab_cdef, over_udp(4789, &packet::vxlan(0x00ab_cdef, &ethernet))),
        (TunnelKind::Geneve, 0x0012_3456, over_udp(6081, &packet::geneve(0x0012_3456, IPV4, &[7; 8], &inner))),
        (TunnelKind::GreKey, 0x8765_4321, (packet::GRE, packet::gre(packet::GRE_KEY, IPV4, 0x8765_4321, &inner))),
        (
            TunnelKind::Gre,
            0,
            (packet::GRE, packet::gre(packet::GRE_SEQUENCE, packet::TRANSPARENT_ETHERNET, 0, &ethernet)),
        ),
        (
            TunnelKind::L2tp,
            0x0011_0022,
            over_udp(1701, &packet::l2tp(packet::L2TP_LENGTH, [0x11, 0x22], 0, &packet::ppp(true, 0x21, &inner))),
        ),
        (TunnelKind::IpInIp, 0, (4, inner.clone())),
    ];
    let frame = |protocol: u8, payload: &[u8]| {
        packet::ethernet(&[], IPV4, &packet::ip([OTHER, TARGET].map(address), protocol, payload))
    };
    kinds.into_iter().map(|(kind, id, (protocol, payload))| (kind, id, frame(protocol, &payload))).collect()
}

pub(crate) fn every_kind_of_tunnel_hits_and_shows_its_inside(make: MakeCard) {
    let frames = tunnel_frames();
    let mut rows: Vec<Command> = (1..)
        .zip(&frames)
        .map(|(index, (kind, id, _))| any(Table::Tunnel, &key::tunnel_key(*kind, *id, address(TARGET)), index))
        .collect();
    rows.push(any(Table::Endpoint, &key::endpoint_key(address("10.0.0.2"), UDP, 8), 100));
    // Neither the kind alone nor the identifier alone is enough, nor another place.
    rows.push(any(Table::Tunnel, &key::tunnel_key(TunnelKind::Vxlan, 0xfedc_ba98, address(TARGET)), 101));
    rows.push(any(Table::Tunnel, &key::tunnel_key(TunnelKind::GtpU, 0xfedc_ba98, address(OTHER)), 102));
    let mut bench = armed(make, &rows);
    for (number, (.., frame)) in frames.iter().enumerate() {
        bench.push(number as u64, PortSide::A, frame);
    }
    let got = bench.records();
    assert_eq!(got.len(), frames.len());
    for (index, (got, (kind, ..))) in (1..).zip(got.iter().zip(&frames)) {
        let content = Scope::Content as u32;
        let expected = [(100, content, Lookup::EndpointDestination as u32), (index, content, Lookup::IpTunnel as u32)];
        assert_eq!(hits(got), expected, "{kind:?}");
        let Got::Packet { header, .. } = got else { panic!("a gap") };
        assert_eq!(header.tunnel & tunnel::KIND_MASK, *kind as u8);
        let has_ethernet = matches!(kind, TunnelKind::Vxlan | TunnelKind::Gre);
        assert_eq!(header.tunnel & tunnel::INNER_ETHERNET != 0, has_ethernet, "{kind:?}");
        assert!(header.inner.exists() && header.inner.protocol == UDP);
    }
}

pub(crate) fn link_tunnels_and_vlans_hit(make: MakeCard) {
    let ip = packet::ip(["10.0.0.1", "10.0.0.2"].map(address), UDP, &packet::udp([7, 8], &packet::body(40)));
    let pseudowire = packet::control_word(&packet::ethernet(&[(0x8100, 9)], IPV4, &ip));
    let frames = [
        packet::ethernet(&[(0x8100, 100)], packet::PPPOE, &packet::pppoe(0x0102, 0x21, &ip)),
        packet::ethernet(&[(0x88a8, 100), (0x8100, 200)], packet::MPLS, &packet::mpls(&[16, 99, 0xf_fffe], &ip)),
        packet::ethernet(&[(0x9100, 100), (0x88a8, 200), (0x8100, 300)], 0x8848, &packet::mpls(&[77], &pseudowire)),
    ];
    let rows = [
        any(Table::Tunnel, &key::pppoe_key(0x0102, packet::MAC_B), 1),
        any(Table::Tunnel, &key::pppoe_key(0x0102, packet::MAC_A), 2),
        any(Table::Tunnel, &key::mpls_key(0xf_fffe), 3),
        any(Table::Tunnel, &key::mpls_key(99), 4),
        any(Table::Tunnel, &key::mpls_key(77), 5),
        any(Table::Vlan, &key::vlan_key(PortSide::A, 100, None), 6),
        any(Table::Vlan, &key::vlan_key(PortSide::A, 100, Some(200)), 7),
        any(Table::Vlan, &key::vlan_key(PortSide::B, 100, Some(200)), 8),
    ];
    let mut bench = armed(make, &rows);
    for (number, frame) in frames.iter().enumerate() {
        bench.push(number as u64, PortSide::A, frame);
    }
    bench.push(3, PortSide::B, &frames[1]);
    let got = bench.records();
    let indices = |got: &Got| hits(got).iter().map(|(index, _, lookup)| (*index, *lookup)).collect::<Vec<(u32, u32)>>();
    let (tunnel, vlan) = (Lookup::LinkTunnel as u32, Lookup::Vlan as u32);
    let mut of_a: Vec<Vec<(u32, u32)>> = Vec::new();
    let mut of_b = Vec::new();
    for got in &got {
        let Got::Packet { port, header, .. } = got else { panic!("a gap") };
        if *port == PortSide::A {
            of_a.push(indices(got))
        } else {
            of_b.push(indices(got))
        }
        assert_eq!(header.outer.protocol, UDP);
    }
    assert_eq!(of_a, [[(1, tunnel), (6, vlan)], [(3, tunnel), (7, vlan)], [(5, tunnel), (7, vlan)]]);
    assert_eq!(of_b, [[(3, tunnel), (8, vlan)]]);
    let links: Vec<u8> = got
        .iter()
        .map(|got| match got {
            Got::Packet { header, .. } => header.link,
            Got::Gap { .. } => panic!("a gap"),
        })
        .collect();
    let mpls = |labels: u8| labels << link::MPLS_LABELS_LSB;
    for expected in [1 | link::PPPOE, 2 | mpls(3), 3 | mpls(1) | link::PSEUDOWIRE] {
        assert!(links.contains(&expected), "{expected:#x} in {links:x?}");
    }
}

pub(crate) fn the_prefix_length_is_a_register(make: MakeCard) {
    // All ones around the lengths, so that each length gives another key.
    let text = "2001:db8:ffff:ffff::1";
    let IpAddr::V6(target) = address(text) else { panic!("IPv6") };
    let rows = [
        any(Table::Prefix, &key::prefix_key(target, 48), 48),
        any(Table::Prefix, &key::prefix_key(target, 128), 128),
        any(Table::Prefix, &key::prefix_key(target, 0), 1),
    ];
    let mut bench = armed(make, &rows);
    let payload = packet::udp([1, 2], &packet::body(20));
    let frame = packet::ethernet(&[], IPV6, &packet::ip([text, "fd00::1"].map(address), UDP, &payload));
    let found = |bench: &mut Bench| -> Vec<u32> {
        bench.push(0, PortSide::A, &frame);
        bench.records().iter().flat_map(hits).map(|(index, ..)| index).collect()
    };
    assert_eq!(found(&mut bench), [0_u32; 0], "no prefix matches at first");
    let settings = |prefix_bits| LookupSettings { prefix_bits, ..LookupSettings::default() };
    assert_eq!(bench.parts.card.set_lookup_settings(&settings(Some(48))), Err(CardError::Armed));
    bench.shared.write32(lookup::PREFIX_AT, 48);
    bench.shared.write32(lookup::OWN_TUNNELS_AT, 0x3ff);
    assert_eq!(bench.parts.card.lookup_settings(), Ok(LookupSettings::default()), "ignored while armed");
    for (bits, expected) in [(Some(48), &[48][..]), (Some(128), &[128]), (Some(47), &[]), (Some(49), &[]), (None, &[])]
    {
        bench.parts.card.disarm().expect("disarmed");
        bench.parts.card.set_lookup_settings(&settings(bits)).expect("set");
        bench.parts.card.arm().expect("armed");
        assert_eq!(found(&mut bench), expected, "{bits:?}");
    }
    // No length at all, though a row stands where the key of length 0 would be.
    bench.parts.card.disarm().expect("disarmed");
    bench.shared.write32(lookup::PREFIX_AT, 129);
    bench.parts.card.arm().expect("armed");
    assert_eq!(found(&mut bench), [0_u32; 0]);
}

/// Scope, lookup's table and key, and what a hit of it shows of a frame: without and with GTP-U as the carrier's own.
pub(crate) fn cuts_are_of_the_layer_that_matched(make: MakeCard) {
    let inner = packet::ip([OTHER6, TARGET6].map(address), TCP, &packet::tcp([1, 2], 8, &packet::body(500)));
    let gtpu = packet::udp([2152, 2152], &packet::gtpu(5, 1, &[], &inner));
    let outer = packet::ip([OTHER, TARGET].map(address), UDP, &gtpu);
    let frame = packet::ethernet(&[], IPV4, &outer);
    let control = packet::udp([2152, 2152], &packet::body(60));
    let no_inner = packet::ethernet(&[], IPV4, &packet::ip([OTHER, TARGET].map(address), UDP, &control));
    let arp = packet::ethernet(&[], 0x0806, &packet::body(46));
    // Outer: 14, 34, 42; GTP-U with its optional part: 54; inner: 94, TCP with options: 126.
    let (outer_l3, outer_l4, inner_l3, inner_l4) = (34, 42, 94, 126);
    let address_key = |text| key::address_key(address(text)).to_vec();
    let mac = packet::MAC_A.to_vec();
    let tunnel_key = key::tunnel_key(TunnelKind::GtpU, 5, address(TARGET)).to_vec();
    let cases = [
        (Table::Address, address_key(TARGET), Scope::HeadersL3, outer_l3, inner_l3),
        (Table::Address, address_key(TARGET), Scope::HeadersL4, outer_l4, inner_l4),
        (Table::Address, address_key(TARGET6), Scope::HeadersL3, inner_l3, inner_l3),
        (Table::Address, address_key(TARGET6), Scope::HeadersL4, inner_l4, inner_l4),
        (Table::Tunnel, tunnel_key, Scope::HeadersL4, inner_l4, inner_l4),
        (Table::Mac, mac.clone(), Scope::HeadersL4, outer_l4, inner_l4),
        (Table::Mac, mac.clone(), Scope::HeadersL3, outer_l3, inner_l3),
        (Table::Mac, mac.clone(), Scope::Content, frame.len(), frame.len()),
    ];
    for (table, key, scope, cut, own_cut) in cases {
        let write = in_ring(row(table, &key, 1, 7, scope, NOT_AFTER_NEVER), 2);
        for (own, cut) in [(TunnelKinds::NONE, cut), (TunnelKinds::NONE.with(TunnelKind::GtpU), own_cut)] {
            let lookup = LookupSettings { own_tunnels: own, ..LookupSettings::default() };
            let mut bench = with_lookup(make, lookup, &[write]);
            bench.push(0, PortSide::A, &frame);
            let got = bench.records();
            assert_eq!(packet_bytes(&got[0]), &frame[..cut], "{table:?} {scope:?}");
            let Got::Packet { header, ring, .. } = &got[0] else { panic!("a gap") };
            assert_eq!(*ring, 2);
            assert_eq!(header.flags & flags::OWN_TUNNEL != 0, own != TunnelKinds::NONE);
            assert_eq!(header.flags & flags::CUT != 0, cut < frame.len());
            bench.push(1, PortSide::A, &no_inner);
            bench.push(2, PortSide::A, &arp);
            let cuts: Vec<usize> = bench.records().iter().map(|got| packet_bytes(got).len()).collect();
            let is_mac = table == Table::Mac;
            match scope {
                Scope::Content => assert_eq!(cuts, [no_inner.len(), arp.len()]),
                _ if is_mac => assert_eq!(cuts[1], 14, "no IP header: the Ethernet header"),
                _ => {}
            }
            // A message that is no data has no inner header: what may be seen ends with the outer one.
            if table != Table::Tunnel && key != address_key(TARGET6) && scope != Scope::Content {
                assert_eq!(cuts[0], if scope == Scope::HeadersL3 { outer_l3 } else { outer_l4 });
            }
        }
    }
}

/// A row of each table is written, read back, found where it stands and nowhere else, and cleared.
pub(crate) fn rows_of_every_table_are_kept(make: MakeCard) {
    let mut bench = Bench::new(make);
    let end = EPOCH_NS >> 20;
    let mut writes = Vec::new();
    for (number, table) in (0_u32..).zip(Table::ALL) {
        for way in 0..4 {
            let mut key = packet::body(table.key_bytes());
            key[0] = number as u8;
            key[1] = way as u8;
            let index = 131_071 - 4 * number - way as u32;
            let scope = Scope::ALL[(number as usize + way) % 3];
            writes.push(in_ring(row(table, &key, way, index, scope, end + u64::from(number)), way as u8));
        }
        // The last row of the last way.
        let last = table.rows_per_way() - 1;
        let content = crate::common::content(&vec![0xff; table.key_bytes()], number, Scope::Content, NOT_AFTER_NEVER);
        writes.push(Command::write_row(0, table, 3, last, &content));
    }
    for half in writes.chunks(20) {
        bench.commands(half);
    }
    let reads: Vec<Command> = writes.iter().map(crate::common::read_of).collect();
    let found: Vec<_> = reads.chunks(20).flat_map(|half| bench.commands(half)).collect();
    for (found, write) in found.iter().zip(&writes) {
        let mut expected = *write;
        (expected.opcode, expected.tag, expected.crc32c) = (0, 0.into(), 0.into());
        assert_eq!(found.row(), Some(&expected));
    }
    let clears: Vec<Command> = writes.iter().map(crate::common::clear_of).collect();
    for half in clears.chunks(20) {
        bench.commands(half);
    }
    let found: Vec<_> = reads.chunks(20).flat_map(|half| bench.commands(half)).collect();
    assert!(found.iter().all(|found| found.row().is_none()));
}
