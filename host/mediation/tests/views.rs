//! What each task sees of a frame: the outer packet, the inner one of a tunnel, or the whole of it, and not one octet past its cut.

mod common;

use common::{
    Frame, Random, T0, address,
    delivered::{self, Kind, Pdu, Way},
    encoder_config, hit, in_ethernet, ip_packet,
    memory::{Block, Memory},
    target, task, udp, udp_frame, udp_header,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, net::IpAddr};
use writ_handover::{
    ids::Cin,
    pspdu::{self, IpVersion, IriContents, Payload},
};
use writ_mediation::{
    accounting::{LossCause, TaskDelta},
    arena::{Arena, ArenaConfig, ArenaIdentity},
    datapath::{Encoder, HitLayer, HitSide, IpHeader, OpenError, OpenTask, Packet, Phase, TaskHit},
    leap::LeapTable,
    task::{Delivery, Scope, TargetIdentifier, TaskSpec},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaiNs, TaskIndex},
};

const NOW: HostNs = HostNs(1);
const SECRET: &[u8] = b"SECRETSECRETSECRETSECRETSECRET";
/// Stands in the tunnel header only.
const TEID: [u8; 4] = [0x7e, 0x1d, 0xbe, 0xad];
/// Destination 1 is an agency, 2 a mediation function.
const HI: u16 = 1;
const X: u16 = 2;
const IPV4: u16 = 5;
const IPV6: u16 = 6;
const ETHERNET: u16 = 7;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn encoder(memory: &Memory) -> Encoder<Block> {
    let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
    let (arena, _) = Arena::open(memory.take(), &ArenaConfig::default(), &identity).expect("good memory");
    let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    for destination in [HI, X] {
        for interface in Interface::ALL {
            encoder.register_session(SessionKey { destination: DestinationIndex(destination), interface }, 4);
        }
    }
    encoder
}

fn open(encoder: &mut Encoder<Block>, n: u32, spec: &TaskSpec) -> Result<(), OpenError> {
    let open = OpenTask { cin: Cin(n), correlation_id: 0, phase: Phase::New };
    encoder.open_task(TaskIndex(n), spec, &open).map(drop)
}

/// Name of task `n` in its PDUs: LIID on HI, XID on X.
fn name(n: u32, interface: Interface) -> String {
    if interface.is_handover() { format!("LIID/{n}") } else { format!("{n:08x}{}", "40".repeat(12)) }
}

/// All PDUs with packets in them, by interface and name, in order.
fn packets(encoder: &mut Encoder<Block>) -> BTreeMap<(Interface, String), Vec<Pdu>> {
    encoder.flush_all();
    let mut all: BTreeMap<_, Vec<Pdu>> = BTreeMap::new();
    while let Some(block) = encoder.pop_sealed() {
        let interface = block.key().interface;
        let mut stream = block.pdus(0..block.bytes());
        while let Some((pdu, used)) = delivered::parse(interface.is_handover(), stream) {
            if pdu.event.is_none() && pdu.kind != Kind::Notice {
                all.entry((interface, pdu.name.clone())).or_default().push(pdu);
            }
            stream = &stream[used..];
        }
        encoder.recycle(block.free());
    }
    all
}

fn deltas(encoder: &mut Encoder<Block>) -> Vec<TaskDelta> {
    let mut all = Vec::new();
    encoder.take_deltas(|delta| all.push(delta));
    all
}

fn holds(octets: &[u8], what: &[u8]) -> bool {
    octets.windows(what.len()).any(|window| window == what)
}

/// A GTP-U packet around a UDP packet, and both of them apart.
struct Tunnel {
    frame: Frame,
    outer: Vec<u8>,
    inner: Vec<u8>,
}

const OUTER_V4: [&str; 2] = ["203.0.113.11", "203.0.113.12"];
const OUTER_V6: [&str; 2] = ["2001:db8:a::11", "2001:db8:a::12"];
const INNER_V4: [&str; 2] = ["192.0.2.1", "198.51.100.7"];
const INNER_V6: [&str; 2] = ["2001:db8:b::1", "2001:db8:b::2"];

fn tunnel(outer: [&str; 2], inner: [&str; 2], payload: &[u8]) -> Tunnel {
    let inner = ip_packet(ip(inner[0]), ip(inner[1]), 17, &udp((0x5e5e, 0x5d5d), payload));
    let gtp = [&[0x30, 0xff][..], &(inner.len() as u16).to_be_bytes(), &TEID, &inner].concat();
    let outer = ip_packet(ip(outer[0]), ip(outer[1]), 17, &udp((2152, 2152), &gtp));
    let outer_header = udp_header(&outer, 14);
    let inner_header = udp_header(&inner, outer_header.l4_end + 8);
    let frame = Frame::new(in_ethernet(&[], &outer), Some(outer_header), Some(inner_header));
    Tunnel { frame, outer, inner }
}

impl Tunnel {
    fn all() -> Vec<Self> {
        let pairs = [(OUTER_V4, INNER_V4), (OUTER_V4, INNER_V6), (OUTER_V6, INNER_V4), (OUTER_V6, INNER_V6)];
        pairs.into_iter().map(|(outer, inner)| tunnel(outer, inner, SECRET)).collect()
    }

    fn layer(&self, layer: HitLayer) -> &[u8] {
        if layer == HitLayer::Outer { &self.outer } else { &self.inner }
    }

    /// What a scope leaves of a layer, from lengths alone.
    fn expected(&self, layer: HitLayer, scope: Scope) -> &[u8] {
        let packet = self.layer(layer);
        let l3 = if packet[0] >> 4 == 4 { 20 } else { 40 };
        match scope {
            Scope::Content => packet,
            Scope::HeadersL4 => &packet[..l3 + 8],
            Scope::HeadersL3 => &packet[..l3],
        }
    }

    fn addresses(&self, layer: HitLayer) -> [&[u8]; 2] {
        let packet = self.layer(layer);
        if packet[0] >> 4 == 4 { [&packet[12..16], &packet[16..20]] } else { [&packet[8..24], &packet[24..40]] }
    }
}

/// Every way in which IP packets are delivered: scope, delivery, destination, and the interface of the packets.
const WAYS: [(Scope, Delivery, u16, Interface); 7] = [
    (Scope::Content, Delivery::Hi2AndHi3, HI, Interface::Hi3),
    (Scope::Content, Delivery::X3Only, X, Interface::X3),
    (Scope::Content, Delivery::X2AndX3, X, Interface::X3),
    (Scope::HeadersL4, Delivery::Hi2Only, HI, Interface::Hi2),
    (Scope::HeadersL3, Delivery::Hi2Only, HI, Interface::Hi2),
    (Scope::HeadersL4, Delivery::X2Only, X, Interface::X2),
    (Scope::HeadersL3, Delivery::X2Only, X, Interface::X2),
];

/// Opens a task for each of [`WAYS`], from number `first` on.
fn open_all(encoder: &mut Encoder<Block>, first: u32) {
    for (n, (scope, delivery, destination, _)) in (first..).zip(WAYS) {
        open(encoder, n, &task(n, address("192.0.2.1"), scope, delivery, &[destination])).expect("room");
    }
}

#[test]
fn every_side_and_layer_on_every_interface() {
    let sides = [(HitSide::Source, Way::From), (HitSide::Destination, Way::To), (HitSide::Either, Way::Unknown)];
    for tunnel in Tunnel::all() {
        let memory = Memory::new(12);
        let mut encoder = encoder(&memory);
        open_all(&mut encoder, 1);
        let cases: Vec<_> = [HitLayer::Outer, HitLayer::Inner]
            .into_iter()
            .flat_map(|layer| sides.map(|(side, way)| (layer, side, way)))
            .collect();
        for (record, &(layer, side, _)) in (0..).zip(&cases) {
            let hits: Vec<_> = (1..=WAYS.len() as u32).map(|n| TaskHit { layer, ..hit(n, side) }).collect();
            let encoded = encoder.packet(NOW, &tunnel.frame.packet(record, T0), &hits).expect("room");
            assert_eq!((encoded.accepted as usize, encoded.refused), (WAYS.len(), 0));
        }
        let all = packets(&mut encoder);
        assert_eq!(all.len(), WAYS.len(), "nothing on another interface");
        for (n, (scope, _, _, interface)) in (1..).zip(WAYS) {
            let pdus = &all[&(interface, name(n, interface))];
            assert_eq!(pdus.len(), cases.len());
            for (pdu, &(layer, side, way)) in pdus.iter().zip(&cases) {
                let case = format!("{scope:?} on {interface:?}, {layer:?}, {side:?}");
                assert_eq!(pdu.payload, tunnel.expected(layer, scope), "{case}");
                assert_eq!((pdu.way, pdu.truncated), (way, false), "{case}");
                let version = if tunnel.layer(layer)[0] >> 4 == 4 { IPV4 } else { IPV6 };
                let format = if interface.is_handover() { 0 } else { version };
                assert_eq!(pdu.format, format, "{case}");
                let ports = !interface.is_handover() && scope != Scope::HeadersL3;
                assert_eq!(pdu.has_flow_ports, ports, "{case}: ports are transport headers");
            }
        }
        assert!(deltas(&mut encoder).iter().all(|delta| delta.faults.is_clean() && delta.losses.total() == 0));
    }
}

/// A pen register on what a tunnel runs between, beside a content order on what it carries, and the other way round. The record holds everything.
#[test]
fn orders_on_two_layers_of_a_packet_do_not_see_each_other_s() {
    for tunnel in Tunnel::all() {
        for (headers, content) in [(HitLayer::Outer, HitLayer::Inner), (HitLayer::Inner, HitLayer::Outer)] {
            let memory = Memory::new(12);
            let mut encoder = encoder(&memory);
            open_all(&mut encoder, 1);
            let layer_of = |scope| if scope == Scope::Content { content } else { headers };
            let hits: Vec<_> = (1..)
                .zip(WAYS)
                .map(|(n, (scope, ..))| TaskHit { layer: layer_of(scope), ..hit(n, HitSide::Source) })
                .collect();
            encoder.packet(NOW, &tunnel.frame.packet(0, T0), &hits).expect("room");
            let all = packets(&mut encoder);
            for (n, (scope, _, _, interface)) in (1..).zip(WAYS) {
                let [pdu] = all[&(interface, name(n, interface))].as_slice() else { panic!("one PDU a task") };
                assert_eq!(pdu.payload, tunnel.expected(layer_of(scope), scope));
                if scope == Scope::Content {
                    assert!(holds(&pdu.raw, SECRET));
                    continue;
                }
                let case = format!("{scope:?} on {interface:?}, headers of {headers:?}");
                assert!(!holds(&pdu.raw, b"SECRET") && !holds(&pdu.raw, &TEID), "{case}: past the cut");
                for address in tunnel.addresses(content) {
                    assert!(!holds(&pdu.raw, address), "{case}: an address of the other layer");
                }
                if scope == Scope::HeadersL3 {
                    let ports = [&[0x5e, 0x5e, 0x5d, 0x5d][..], &[0x08, 0x68, 0x08, 0x68]];
                    assert!(!ports.iter().any(|ports| holds(&pdu.raw, ports)), "{case}: ports");
                }
            }
        }
    }
}

#[test]
fn one_pdu_a_task_the_frame_before_ip_and_outer_before_inner() {
    let memory = Memory::new(12);
    let mut encoder = encoder(&memory);
    let fragments = ["<ipv4Address>203.0.113.11</ipv4Address>", "<gtpuTunnelId>7</gtpuTunnelId>", "<a>b</a>"];
    let targets = || fragments.map(|fragment| target("ipv4=203.0.113.11", &[fragment])).to_vec();
    let headers =
        TaskSpec { targets: targets(), ..task(1, address(OUTER_V4[0]), Scope::HeadersL4, Delivery::X2Only, &[X]) };
    let mut content = task(2, target("mac=02:00:00:00:00:02", &[]), Scope::Content, Delivery::X3Only, &[X]);
    content.targets.extend(targets());
    open(&mut encoder, 1, &headers).expect("room");
    open(&mut encoder, 2, &content).expect("room");
    let tunnel = tunnel(OUTER_V4, INNER_V6, SECRET);
    let of = |n, side, layer, target| TaskHit { layer, target, ..hit(n, side) };
    let (outer, inner) = (HitLayer::Outer, HitLayer::Inner);
    let (source, destination, either) = (HitSide::Source, HitSide::Destination, HitSide::Either);
    let frame = TaskHit { frame: true, ..of(2, source, outer, 0) };
    let records = [
        // The order of the hits does not matter.
        vec![of(1, source, inner, 0), of(1, destination, outer, 2), of(2, source, inner, 1)],
        vec![of(1, source, outer, 0), of(1, either, inner, 1), frame, of(2, destination, inner, 1)],
        vec![of(1, either, inner, 1), of(2, either, inner, 1), of(2, destination, outer, 2), frame],
    ];
    for (record, hits) in (0..).zip(&records) {
        let encoded = encoder.packet(NOW, &tunnel.frame.packet(record, T0), hits).expect("room");
        assert_eq!(encoded.accepted, 2, "one PDU a task");
    }
    let all = packets(&mut encoder);
    let x2 = &all[&(Interface::X2, name(1, Interface::X2))];
    let outer_headers = tunnel.expected(outer, Scope::HeadersL4);
    let payloads: Vec<&[u8]> = x2.iter().map(|pdu| pdu.payload.as_slice()).collect();
    assert_eq!(payloads, [outer_headers, outer_headers, tunnel.expected(inner, Scope::HeadersL4)]);
    assert_eq!(x2.iter().map(|pdu| pdu.way).collect::<Vec<_>>(), [Way::Both, Way::From, Way::Unknown]);
    let named: Vec<Vec<&str>> = x2.iter().map(|pdu| pdu.matched.iter().map(String::as_str).collect()).collect();
    assert_eq!(named, [vec![fragments[0], fragments[2]], vec![fragments[0], fragments[1]], vec![fragments[1]]]);
    let x3 = &all[&(Interface::X3, name(2, Interface::X3))];
    let payloads: Vec<&[u8]> = x3.iter().map(|pdu| pdu.payload.as_slice()).collect();
    assert_eq!(payloads, [tunnel.inner.as_slice(), &tunnel.frame.bytes, &tunnel.frame.bytes]);
    assert_eq!(
        x3.iter().map(|pdu| (pdu.format, pdu.way)).collect::<Vec<_>>(),
        [(IPV6, Way::From), (ETHERNET, Way::Both), (ETHERNET, Way::Both)]
    );
}

/// An 802.1Q tag before IPv4.
const TAG: [u8; 6] = [0x81, 0, 0, 100, 8, 0];

/// Frames with what stands in front of IP, or without IP.
fn link_frames() -> Vec<(&'static str, Frame)> {
    let udp4 = ip_packet(ip("192.0.2.1"), ip("198.51.100.7"), 17, &udp((1, 2), b"x"));
    let udp6 = ip_packet(ip(INNER_V6[0]), ip(INNER_V6[1]), 17, &udp((1, 2), SECRET));
    let tagged = in_ethernet(&TAG, &udp4);
    let session = in_ethernet(&[0x88, 0x64, 0x11, 0, 0, 17, 0, 31, 0, 0x21], &udp4);
    let labelled = in_ethernet(&[0x88, 0x47, 0x03, 0xe8, 0x11, 0x40], &udp6);
    let control = in_ethernet(&[0x88, 0x64, 0x11, 0, 0, 17, 0, 10, 0xc0, 0x21], &[9, 1, 0, 8, 1, 2, 3, 4]);
    let arp = in_ethernet(&[8, 6], &[0, 1, 8, 0, 6, 4, 0, 1]);
    vec![
        ("tagged", Frame::new(tagged, Some(udp_header(&udp4, 18)), None)),
        ("PPPoE", Frame::new(session, Some(udp_header(&udp4, 22)), None)),
        ("MPLS", Frame::new(labelled, Some(udp_header(&udp6, 18)), None)),
        ("PPPoE control", Frame::new(control, None, None)),
        ("ARP", Frame::new(arp, None, None)),
        ("tunnel", tunnel(OUTER_V6, INNER_V4, SECRET).frame),
    ]
}

#[test]
fn whole_frames_are_whole_frames() {
    let memory = Memory::new(12);
    let mut encoder = encoder(&memory);
    let vlan = |delivery, n| task(n, target("vlan=a:100", &[]), Scope::Content, delivery, &[X]);
    open(&mut encoder, 1, &vlan(Delivery::X3Only, 1)).expect("room");
    open(&mut encoder, 2, &vlan(Delivery::X2AndX3, 2)).expect("room");
    open(&mut encoder, 3, &task(3, address("192.0.2.1"), Scope::Content, Delivery::X3Only, &[X])).expect("room");
    let frames = link_frames();
    let on_frame = |n, side| TaskHit { frame: true, ..hit(n, side) };
    let mut ip_packets = Vec::new();
    for (record, (_, frame)) in (0..).zip(&frames) {
        let mut hits = vec![on_frame(1, HitSide::Either), on_frame(2, HitSide::Destination)];
        if frame.outer.is_some() {
            hits.push(hit(3, HitSide::Source));
            ip_packets.push(frame.expected(Scope::Content));
        }
        let encoded = encoder.packet(NOW, &frame.packet(record, T0), &hits).expect("room");
        assert_eq!((encoded.accepted as usize, encoded.refused), (hits.len(), 0));
    }
    let all = packets(&mut encoder);
    assert!(all.keys().all(|(interface, _)| *interface == Interface::X3), "frames go out on X3 alone");
    for (n, way) in [(1, Way::Unknown), (2, Way::To)] {
        let pdus = &all[&(Interface::X3, name(n, Interface::X3))];
        assert_eq!(pdus.len(), frames.len());
        for (sequence, (pdu, (what, frame))) in (0..).zip(pdus.iter().zip(&frames)) {
            assert_eq!(pdu.payload, frame.bytes, "{what}: the padding was on the wire as well");
            assert_eq!((pdu.format, pdu.way, pdu.sequence), (ETHERNET, way, sequence), "{what}");
            assert_eq!((pdu.has_flow, pdu.has_flow_ports), (frame.outer.is_some(), frame.outer.is_some()), "{what}");
        }
    }
    // Beside them, who has an order for an address gets the IP packet and nothing around it.
    let of_address = &all[&(Interface::X3, name(3, Interface::X3))];
    let payloads: Vec<&[u8]> = of_address.iter().map(|pdu| pdu.payload.as_slice()).collect();
    assert_eq!(payloads, ip_packets);
    let selected: Vec<u64> = deltas(&mut encoder).iter().map(|delta| delta.selected_bytes).collect();
    let bytes: u64 = frames.iter().map(|(_, frame)| frame.bytes.len() as u64).sum();
    assert_eq!(selected[..2], [bytes, bytes]);
}

#[test]
fn frames_are_refused_to_whoever_could_not_get_all_of_them() {
    let memory = Memory::new(12);
    let mut encoder = encoder(&memory);
    for (n, (scope, delivery, destination, interface)) in (1..).zip(WAYS) {
        let mut spec = task(n, address("192.0.2.1"), scope, delivery, &[destination]);
        spec.targets.push(target("mac=02:00:00:00:00:01", &[]));
        let wanted = if interface == Interface::X3 { Ok(()) } else { Err(OpenError::FramesNeedX3) };
        assert_eq!(open(&mut encoder, n, &spec), wanted, "{scope:?} {delivery:?}");
    }
    // A fan-out that contradicts the orders: nobody gets more than was ordered, and it is counted.
    let memory = Memory::new(12);
    let mut encoder = self::encoder(&memory);
    open_all(&mut encoder, 1);
    let frame = udp_frame(ip("192.0.2.1"), ip("198.51.100.7"), (1, 2), SECRET);
    let hits: Vec<_> = (1..=WAYS.len() as u32).map(|n| TaskHit { frame: true, ..hit(n, HitSide::Source) }).collect();
    let encoded = encoder.packet(NOW, &frame.packet(0, T0), &hits).expect("room");
    assert_eq!((encoded.accepted, encoded.refused), (2, 5));
    assert!(packets(&mut encoder).keys().all(|(interface, _)| *interface == Interface::X3));
    let lost: u64 = deltas(&mut encoder).iter().map(|delta| delta.losses.of(LossCause::Malformed)).sum();
    assert_eq!(lost, 5);
}

#[test]
fn a_frame_that_was_not_captured_whole_is_counted() {
    let memory = Memory::new(12);
    let mut encoder = encoder(&memory);
    let spec = task(1, target("mac=02:00:00:00:00:01", &[]), Scope::Content, Delivery::X3Only, &[X]);
    open(&mut encoder, 1, &spec).expect("room");
    let frame = udp_frame(ip("192.0.2.1"), ip("198.51.100.7"), (1, 2), &[7; 100]);
    let packet = Packet { captured: &frame.bytes[..70], ..frame.packet(0, T0) };
    encoder.packet(NOW, &packet, &[TaskHit { frame: true, ..hit(1, HitSide::Source) }]).expect("room");
    let all = packets(&mut encoder);
    assert_eq!(all[&(Interface::X3, name(1, Interface::X3))][0].payload, frame.bytes[..70]);
    assert_eq!(deltas(&mut encoder)[0].faults.truncated, 1);
}

/// The first fragment of a tunnel packet holds a part of the inner packet; what follows it in the frame is padding.
#[test]
fn an_inner_packet_ends_where_the_outer_one_does() {
    let memory = Memory::new(12);
    let mut encoder = encoder(&memory);
    let target = || address("192.0.2.1");
    open(&mut encoder, 1, &task(1, target(), Scope::Content, Delivery::Hi2AndHi3, &[HI])).expect("room");
    open(&mut encoder, 2, &task(2, target(), Scope::HeadersL4, Delivery::X2Only, &[X])).expect("room");
    let Tunnel { mut frame, inner, .. } = tunnel(OUTER_V4, INNER_V4, &[7; 40]);
    // The outer packet ends five octets into the inner payload.
    let inner_at = frame.inner.expect("a tunnel").l3_offset;
    let end = inner_at + 28 + 5;
    frame.bytes[16..18].copy_from_slice(&((end - 14) as u16).to_be_bytes());
    frame.bytes[end..].fill(0xee);
    let hits = [1, 2].map(|n| TaskHit { layer: HitLayer::Inner, ..hit(n, HitSide::Source) });
    encoder.packet(NOW, &frame.packet(0, T0), &hits).expect("room");
    let all = packets(&mut encoder);
    let content = &all[&(Interface::Hi3, name(1, Interface::Hi3))][0];
    assert_eq!((content.payload.as_slice(), content.truncated), (&inner[..33], true));
    assert_eq!(all[&(Interface::X2, name(2, Interface::X2))][0].payload, inner[..28]);

    // One that ends before the inner header does holds no inner packet.
    frame.bytes[16..18].copy_from_slice(&((inner_at + 19 - 14) as u16).to_be_bytes());
    encoder.packet(NOW, &frame.packet(1, T0), &hits).expect("room");
    assert!(packets(&mut encoder).is_empty());
    let lost: u64 = deltas(&mut encoder).iter().map(|delta| delta.losses.of(LossCause::Malformed)).sum();
    assert_eq!(lost, 2);
}

#[test]
fn the_beginning_says_which_addresses_are_the_target_s() {
    let begin = |targets: Vec<TargetIdentifier>| {
        let memory = Memory::new(12);
        let mut encoder = encoder(&memory);
        let spec = TaskSpec { targets, ..task(1, address("192.0.2.1"), Scope::Content, Delivery::Hi2AndHi3, &[HI]) };
        open(&mut encoder, 1, &spec).expect("room");
        encoder.announce_task(TaskIndex(1), TaiNs(T0), NOW).expect("room");
        encoder.flush_all();
        let block = encoder.pop_sealed().expect("a notice and a beginning");
        let mut stream = block.pdus(0..block.bytes());
        while let Some(decoded) = pspdu::decode(stream, &pspdu::Limits::default()).expect("good PS-PDUs") {
            if let Payload::Iri(list) = &decoded.pdu.payload {
                let IriContents::IpIri(iri) = &list[0].contents else { panic!("an IPIRI") };
                let main = iri.target_ip_address.as_ref();
                let others = iri.other_target_identifiers.len();
                let address = main.map(|ip| (ip.address(), ip.ipv6_prefix_length, ip.ipv4_subnet_mask));
                return (address, others, iri.ip_version.expect("always said"));
            }
            stream = &stream[decoded.length..];
        }
        panic!("no beginning");
    };
    let network = |text: &str, bits| TargetIdentifier { prefix_bits: Some(bits), ..address(text) };
    let host = Some((Some(ip("192.0.2.1")), None, None));
    assert_eq!(begin(vec![address("192.0.2.1")]), (host, 0, IpVersion::V4));
    let v4 = Some((Some(ip("192.0.2.0")), None, Some([255, 255, 254, 0])));
    assert_eq!(begin(vec![network("192.0.2.0", 23)]), (v4, 0, IpVersion::V4));
    let v6 = Some((Some(ip("2001:db8::")), Some(56), None));
    assert_eq!(begin(vec![network("2001:db8::", 56)]), (v6, 0, IpVersion::V6));
    let tunnel = || target("tunnel=gre@192.0.2.9", &[]);
    assert_eq!(begin(vec![tunnel()]), (None, 0, IpVersion::V4AndV6), "its end is the carrier's, not the target's");
    assert_eq!(begin(vec![tunnel(), address("192.0.2.1")]), (host, 0, IpVersion::V4AndV6));
    assert_eq!(begin(vec![address("192.0.2.1"), network("2001:db8::", 56)]), (host, 1, IpVersion::V4AndV6));
}

proptest! {
    /// Whatever a record says, a task gets a piece of one packet, from its first octet on and not past its cut, or nothing.
    #[test]
    fn no_record_gives_more_than_the_cut(
        seed: u64, spoilt in 0..4_usize, captured in 0..200_usize, layer in 0..2_usize, shift in -3..4_isize,
    ) {
        let mut random = Random(seed);
        let layer = [HitLayer::Outer, HitLayer::Inner][layer];
        let mut tunnel = Tunnel::all().swap_remove(random.below(4) as usize);
        for _ in 0..spoilt {
            let at = random.below(tunnel.frame.bytes.len() as u64) as usize;
            tunnel.frame.bytes[at] = random.next() as u8;
        }
        let captured = &tunnel.frame.bytes[..captured.min(tunnel.frame.bytes.len())];
        let moved = |header: Option<IpHeader>| {
            header.map(|header| IpHeader { l3_end: header.l3_end.saturating_add_signed(shift), ..header })
        };
        let (outer, inner) = (moved(tunnel.frame.outer), moved(tunnel.frame.inner));
        let memory = Memory::new(12);
        let mut encoder = encoder(&memory);
        open_all(&mut encoder, 1);
        let hits: Vec<_> = (1..=WAYS.len() as u32).map(|n| TaskHit { layer, ..hit(n, HitSide::Source) }).collect();
        let packet = Packet { outer, inner, captured, ..tunnel.frame.packet(0, T0) };
        let encoded = encoder.packet(NOW, &packet, &hits).expect("room");
        prop_assert!(encoded.accepted == WAYS.len() as u32 || encoded.refused == WAYS.len() as u32);
        let header = if layer == HitLayer::Outer { outer } else { inner };
        let header = header.expect("a tunnel has both");
        let all = packets(&mut encoder);
        for (n, (scope, _, _, interface)) in (1..).zip(WAYS) {
            let Some(pdus) = all.get(&(interface, name(n, interface))) else { continue };
            let payload = &pdus[0].payload;
            let cut = match scope {
                Scope::Content => captured.len(),
                Scope::HeadersL4 => header.l4_end,
                Scope::HeadersL3 => header.l3_end,
            };
            prop_assert!(captured[header.l3_offset..].starts_with(payload));
            prop_assert!(header.l3_offset + payload.len() <= cut);
        }
    }
}
