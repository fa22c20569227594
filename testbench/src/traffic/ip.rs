//! IP packets and the simple exchanges made of them.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    IpFragOffset, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv4Options, Ipv6Extensions, Ipv6FlowLabel,
    Ipv6FragmentHeader, Ipv6Header, PacketBuilder,
};

use super::Builder;
use super::link::{Side, Tags, ip_frame};

const BUILD: &str = "sizes are far below the limits of IP";
const HOPS: u8 = 64;

/// IP headers from one address to another; lengths and checksums are filled in by the packet builder.
pub(super) fn headers(builder: &mut Builder, from: IpAddr, to: IpAddr, protocol: IpNumber) -> IpHeaders {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut header = Ipv4Header::new(0, HOPS, protocol, from.octets(), to.octets()).expect(BUILD);
            header.identification = builder.next_identification();
            header.dont_fragment = true;
            IpHeaders::Ipv4(header, Ipv4Extensions::default())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let header = Ipv6Header {
                traffic_class: 0,
                flow_label: Ipv6FlowLabel::try_new(0x1_2345).expect(BUILD),
                payload_length: 0,
                next_header: protocol,
                hop_limit: HOPS,
                source: from.octets(),
                destination: to.octets(),
            };
            IpHeaders::Ipv6(header, Ipv6Extensions::default())
        }
        _ => unreachable!("a session has one IP version"),
    }
}

/// A UDP datagram in an IP packet.
pub(super) fn udp(builder: &mut Builder, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let headers = headers(builder, from.ip(), to.ip(), IpNumber::UDP);
    let mut packet = Vec::new();
    PacketBuilder::ip(headers).udp(from.port(), to.port()).write(&mut packet, payload).expect(BUILD);
    packet
}

/// An IP packet of any protocol around `payload`.
pub(super) fn raw(builder: &mut Builder, from: IpAddr, to: IpAddr, protocol: IpNumber, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    match headers(builder, from, to, protocol) {
        IpHeaders::Ipv4(mut header, _) => {
            header.set_payload_len(payload.len()).expect(BUILD);
            header.header_checksum = header.calc_header_checksum();
            packet.extend_from_slice(&header.to_bytes());
        }
        IpHeaders::Ipv6(mut header, _) => {
            header.set_payload_length(payload.len()).expect(BUILD);
            packet.extend_from_slice(&header.to_bytes());
        }
    }
    packet.extend_from_slice(payload);
    packet
}

/// One request and one answer over UDP, as a resolver gives it.
pub(super) fn dns(builder: &mut Builder, at_ns: u64, tags: Tags, client: SocketAddr, server: SocketAddr, name: &str) {
    let id = builder.random.next_u64() as u16;
    let mut query = Vec::new();
    query.extend_from_slice(&id.to_be_bytes());
    query.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    let mut answer = query.clone();
    answer[2..4].copy_from_slice(&[0x81, 0x80]);
    answer[7] = 1;
    answer.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 203, 0, 113, 80]);
    let packet = udp(builder, client, server, &query);
    builder.push(at_ns, Side::A, ip_frame(Side::A, tags, &packet));
    let packet = udp(builder, server, client, &answer);
    builder.push(at_ns + 12_000_000, Side::B, ip_frame(Side::B, tags, &packet));
}

/// `count` datagrams of changing size in both directions, a few milliseconds apart.
pub(super) fn datagrams(
    builder: &mut Builder,
    at_ns: u64,
    tags: Tags,
    client: SocketAddr,
    server: SocketAddr,
    count: u64,
) {
    let mut now_ns = at_ns;
    for _ in 0..count {
        let up = builder.random.range(0, 3) == 0;
        let length = if up { builder.random.range(30, 200) } else { builder.random.range(200, 1_400) } as usize;
        let payload = builder.random.bytes(length);
        let (from, to, side) = if up { (client, server, Side::A) } else { (server, client, Side::B) };
        let packet = udp(builder, from, to, &payload);
        builder.push(now_ns, side, ip_frame(side, tags, &packet));
        now_ns += builder.random.range(500_000, 4_000_000);
    }
}

/// `count` datagrams at a fixed distance, directions taking turns.
pub(super) fn datagrams_every(
    builder: &mut Builder,
    at_ns: u64,
    client: SocketAddr,
    server: SocketAddr,
    count: u64,
    every_ns: u64,
) {
    for number in 0..count {
        let length = builder.random.range(40, 900) as usize;
        let payload = builder.random.bytes(length);
        let (from, to, side) = if number % 2 == 0 { (client, server, Side::A) } else { (server, client, Side::B) };
        let packet = udp(builder, from, to, &payload);
        builder.push(at_ns + number * every_ns, side, ip_frame(side, Tags::None, &packet));
    }
}

/// `count` datagrams that fill their frames, towards the client.
pub(super) fn bulk(builder: &mut Builder, client: SocketAddr, server: SocketAddr, count: u64) {
    const PAYLOAD_BYTES: usize = 1_472;
    for number in 0..count {
        let payload = builder.random.bytes(PAYLOAD_BYTES);
        let packet = udp(builder, server, client, &payload);
        builder.push(number * 1_000, Side::B, ip_frame(Side::B, Tags::None, &packet));
    }
}

/// `count` echo requests with their replies.
pub(super) fn echo(builder: &mut Builder, at_ns: u64, tags: Tags, client: SocketAddr, server: SocketAddr, count: u16) {
    for sequence in 0..count {
        for (step, request) in [(0, true), (9_000_000, false)] {
            let (from, to, side) = if request { (client, server, Side::A) } else { (server, client, Side::B) };
            let payload = [0x61; 56];
            let mut packet = Vec::new();
            let is_v4 = from.is_ipv4();
            let headers =
                headers(builder, from.ip(), to.ip(), if is_v4 { IpNumber::ICMP } else { IpNumber::IPV6_ICMP });
            let step_ip = PacketBuilder::ip(headers);
            match (is_v4, request) {
                (true, true) => step_ip.icmpv4_echo_request(7, sequence).write(&mut packet, &payload),
                (true, false) => step_ip.icmpv4_echo_reply(7, sequence).write(&mut packet, &payload),
                (false, true) => step_ip.icmpv6_echo_request(7, sequence).write(&mut packet, &payload),
                (false, false) => step_ip.icmpv6_echo_reply(7, sequence).write(&mut packet, &payload),
            }
            .expect(BUILD);
            builder.push(at_ns + u64::from(sequence) * 40_000_000 + step, side, ip_frame(side, tags, &packet));
        }
    }
}

/// One datagram each way that is too long for a frame, in fragments.
pub(super) fn fragmented_udp(
    builder: &mut Builder,
    at_ns: u64,
    tags: Tags,
    client: SocketAddr,
    server: SocketAddr,
    length: usize,
) {
    for (turn, (from, to, side)) in [(client, server, Side::A), (server, client, Side::B)].into_iter().enumerate() {
        let payload = builder.random.bytes(length);
        let whole = udp(builder, from, to, &payload);
        for (number, fragment) in fragments(builder, &whole).iter().enumerate() {
            let at_ns = at_ns + turn as u64 * 25_000_000 + number as u64 * 150_000;
            builder.push(at_ns, side, ip_frame(side, tags, fragment));
        }
    }
}

/// Cuts an IP packet into fragments of at most 1400 payload bytes.
pub(super) fn fragments(builder: &mut Builder, packet: &[u8]) -> Vec<Vec<u8>> {
    const FRAGMENT_BYTES: usize = 1_400;
    let mut out = Vec::new();
    let (header_bytes, is_v4) = if packet[0] >> 4 == 4 { (20, true) } else { (40, false) };
    let chunks: Vec<&[u8]> = packet[header_bytes..].chunks(FRAGMENT_BYTES).collect();
    let identification = builder.random.next_u64() as u32;
    for (number, chunk) in chunks.iter().enumerate() {
        let more = number + 1 < chunks.len();
        let offset = IpFragOffset::try_new((number * FRAGMENT_BYTES / 8) as u16).expect(BUILD);
        let mut fragment = Vec::new();
        if is_v4 {
            let (mut header, _) = Ipv4Header::from_slice(packet).expect("built by this file");
            header.dont_fragment = false;
            header.more_fragments = more;
            header.fragment_offset = offset;
            header.set_payload_len(chunk.len()).expect(BUILD);
            header.header_checksum = header.calc_header_checksum();
            fragment.extend_from_slice(&header.to_bytes());
        } else {
            let (mut header, _) = Ipv6Header::from_slice(packet).expect("built by this file");
            let extension = Ipv6FragmentHeader::new(header.next_header, offset, more, identification);
            header.next_header = IpNumber::IPV6_FRAGMENTATION_HEADER;
            header.set_payload_length(8 + chunk.len()).expect(BUILD);
            fragment.extend_from_slice(&header.to_bytes());
            fragment.extend_from_slice(&extension.to_bytes());
        }
        fragment.extend_from_slice(chunk);
        out.push(fragment);
    }
    out
}

/// IPv4 packets with a router alert and with the longest header that exists.
pub(super) fn options(builder: &mut Builder, at_ns: u64, client: SocketAddr, server: SocketAddr) {
    let router_alert = [148, 4, 0, 0];
    let longest = [1; 40];
    for (number, options) in [&router_alert[..], &longest[..]].into_iter().enumerate() {
        let IpHeaders::Ipv4(mut header, extensions) = headers(builder, client.ip(), server.ip(), IpNumber::UDP) else {
            unreachable!("IPv4 addresses were given")
        };
        header.options = Ipv4Options::try_from(options).expect(BUILD);
        let mut packet = Vec::new();
        PacketBuilder::ip(IpHeaders::Ipv4(header, extensions))
            .udp(client.port(), server.port())
            .write(&mut packet, b"with options")
            .expect(BUILD);
        builder.push(at_ns + number as u64 * 3_000_000, Side::A, ip_frame(Side::A, Tags::None, &packet));
    }
}

/// IPv6 packets with hop-by-hop and destination options in front of UDP, and more of them than the card steps over.
pub(super) fn extension_headers(builder: &mut Builder, at_ns: u64, client: SocketAddr, server: SocketAddr) {
    const HOP_BY_HOP: u8 = 0;
    const DESTINATION: u8 = 60;
    let stacks: [&[u8]; 3] =
        [&[HOP_BY_HOP], &[HOP_BY_HOP, DESTINATION], &[HOP_BY_HOP, DESTINATION, DESTINATION, DESTINATION, DESTINATION]];
    for (number, stack) in stacks.into_iter().enumerate() {
        let plain = udp(builder, client, server, b"behind extension headers");
        let mut packet = plain[..40].to_vec();
        packet[6] = stack[0];
        for (position, _) in stack.iter().enumerate() {
            let next = stack.get(position + 1).copied().unwrap_or(17);
            packet.extend_from_slice(&[next, 0, 1, 4, 0, 0, 0, 0]);
        }
        packet.extend_from_slice(&plain[40..]);
        let payload_length = (packet.len() - 40) as u16;
        packet[4..6].copy_from_slice(&payload_length.to_be_bytes());
        builder.push(at_ns + number as u64 * 2_000_000, Side::A, ip_frame(Side::A, Tags::None, &packet));
    }
}

/// A few SCTP packets with a data chunk.
pub(super) fn sctp(builder: &mut Builder, at_ns: u64, client: SocketAddr, server: SocketAddr) {
    for number in 0..4_u64 {
        let (from, to, side) = if number % 2 == 0 { (client, server, Side::A) } else { (server, client, Side::B) };
        let mut segment = Vec::new();
        segment.extend_from_slice(&from.port().to_be_bytes());
        segment.extend_from_slice(&to.port().to_be_bytes());
        segment.extend_from_slice(&0x1122_3344_u32.to_be_bytes());
        segment.extend_from_slice(&[0; 4]);
        segment.extend_from_slice(&[0, 3, 0, 100]);
        segment.extend_from_slice(&builder.random.bytes(96));
        let packet = raw(builder, from.ip(), to.ip(), IpNumber::SCTP, &segment);
        builder.push(at_ns + number * 5_000_000, side, ip_frame(side, Tags::None, &packet));
    }
}
