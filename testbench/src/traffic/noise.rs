//! What no order names: strangers, look-alikes of targets, frames without IP, and targets behind encapsulations.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use etherparse::IpNumber;

use super::link::{Side, Tags, ethernet, frame, ip_frame, station};
use super::{Builder, CONTENT_V4, CONTENT_V6, HEADERS_V4, PHONE_RTP_PORT, PHONE_V4, SHARED_V4, ip, tcp, v4, v6};

/// Hosts whose addresses differ from a target's in one bit, and packets that carry a target's address in the wrong place.
pub(super) fn look_alikes(builder: &mut Builder) {
    let server = v4([203, 0, 113, 80], 443);
    for bit in 0..32 {
        let near = IpAddr::V4(Ipv4Addr::from(u32::from(CONTENT_V4) ^ (1 << bit)));
        if near == IpAddr::V4(SHARED_V4) || near == IpAddr::V4(HEADERS_V4) || near.is_loopback() || near.is_multicast()
        {
            continue;
        }
        ip::datagrams(builder, 800_000_000 + bit * 90_000_000, Tags::None, SocketAddr::new(near, 50_001), server, 3);
    }
    for bit in (0..128).step_by(7) {
        let near = std::net::Ipv6Addr::from(u128::from(CONTENT_V6) ^ (1 << bit));
        let near = SocketAddr::new(IpAddr::V6(near), 52_002);
        ip::datagrams(builder, 1_000_000_000 + bit * 30_000_000, Tags::None, near, v6("2001:db8:ffff::80", 443), 2);
    }
    // The telephone's other ports, the stream's port over TCP, and the same port of a neighbour.
    let phone = IpAddr::V4(PHONE_V4);
    let gateway = v4([203, 0, 113, 60], 20_000);
    ip::datagrams(builder, 2_200_000_000, Tags::None, SocketAddr::new(phone, PHONE_RTP_PORT + 2), gateway, 12);
    tcp::session(builder, 2_300_000_000, Tags::None, SocketAddr::new(phone, PHONE_RTP_PORT), gateway, &[(200, 3_000)]);
    ip::datagrams(builder, 2_400_000_000, Tags::None, v4([198, 51, 100, 41], PHONE_RTP_PORT), gateway, 12);
    // (The sum is kept in the machine's byte order, hence `to_ne_bytes` below.)
    // A router's error to a stranger quotes a packet of a target; a stranger's datagram is made of target addresses.
    let quoted = ip::udp(builder, SocketAddr::new(IpAddr::V4(CONTENT_V4), 1_000), server, &[0; 8]);
    let mut error = vec![11, 0, 0, 0, 0, 0, 0, 0];
    error.extend_from_slice(&quoted[..28]);
    let sum = etherparse::checksum::Sum16BitWords::new().add_slice(&error).ones_complement().to_ne_bytes();
    error[2..4].copy_from_slice(&sum);
    let (router, stranger) =
        (IpAddr::V4(Ipv4Addr::new(203, 0, 113, 254)), IpAddr::V4(Ipv4Addr::new(198, 51, 100, 200)));
    let packet = ip::raw(builder, router, stranger, IpNumber::ICMP, &error);
    builder.push(2_600_000_000, Side::B, ip_frame(Side::B, Tags::None, &packet));
    let addresses: Vec<u8> = CONTENT_V4.octets().repeat(40);
    let packet = ip::udp(builder, v4([198, 51, 100, 201], 9), v4([203, 0, 113, 9], 9), &addresses);
    builder.push(2_700_000_000, Side::A, ip_frame(Side::A, Tags::One(99), &packet));
}

/// ARP for a target's address, LLDP, spanning tree, neighbour discovery.
pub(super) fn not_ip(builder: &mut Builder) {
    for number in 0..12_u64 {
        let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1 + (number % 2) as u8];
        arp.extend_from_slice(&station(Side::A));
        arp.extend_from_slice(&CONTENT_V4.octets());
        arp.extend_from_slice(&[0; 6]);
        arp.extend_from_slice(&[198, 51, 100, 1]);
        let broadcast = frame([0xff; 6], station(Side::A), Tags::None, 0x0806, &arp);
        builder.push(number * 700_000_000 + 3_000_000, Side::A, broadcast);
        let mut bridge = vec![0x42, 0x42, 0x03, 0, 0, 0, 0, 0];
        bridge.extend_from_slice(&[0x80; 30]);
        let spanning_tree = frame([1, 0x80, 0xc2, 0, 0, 0], station(Side::B), Tags::None, 38, &bridge);
        builder.push(number * 690_000_000 + 5_000_000, Side::B, spanning_tree);
    }
    for (number, side) in [Side::A, Side::B, Side::A, Side::B].into_iter().enumerate() {
        let mut lldp = vec![0x02, 7, 4];
        lldp.extend_from_slice(&station(side));
        lldp.extend_from_slice(&[0x04, 4, 7, b'e', b't', b'0', 0x06, 2, 0, 120, 0, 0]);
        let nearest_bridge = frame([1, 0x80, 0xc2, 0, 0, 0x0e], station(side), Tags::None, 0x88cc, &lldp);
        builder.push(number as u64 * 2_000_000_000 + 9_000_000, side, nearest_bridge);
    }
    ip::echo(builder, 1_200_000_000, Tags::One(7), v6("fe80::1", 0), v6("fe80::2", 0), 4);
    let discovery = [135, 0, 0, 0, 0, 0, 0, 0];
    let (from, to) = (v6("fe80::1", 0).ip(), v6("ff02::1:ff00:20", 0).ip());
    let mut segment = discovery.to_vec();
    segment.extend_from_slice(&CONTENT_V6.octets());
    let sum = neighbour_checksum(from, to, &segment);
    segment[2..4].copy_from_slice(&sum);
    let packet = ip::raw(builder, from, to, IpNumber::IPV6_ICMP, &segment);
    builder.push(1_250_000_000, Side::B, ip_frame(Side::B, Tags::None, &packet));
}

fn neighbour_checksum(from: IpAddr, to: IpAddr, segment: &[u8]) -> [u8; 2] {
    let (IpAddr::V6(from), IpAddr::V6(to)) = (from, to) else { unreachable!("IPv6 addresses were given") };
    etherparse::checksum::Sum16BitWords::new()
        .add_slice(&from.octets())
        .add_slice(&to.octets())
        .add_2bytes((segment.len() as u16).to_be_bytes())
        .add_2bytes([0, 58])
        .add_slice(segment)
        .ones_complement()
        .to_ne_bytes()
}

/// Packets of a target in encapsulations, the last one deeper than the card looks.
pub(super) fn encapsulated(builder: &mut Builder) {
    let inner =
        ip::udp(builder, SocketAddr::new(IpAddr::V4(CONTENT_V4), 50_100), v4([203, 0, 113, 80], 4_500), b"inner");
    builder.push(7_000_000_000, Side::A, ip_frame(Side::A, Tags::Three(10, 20, 30), &inner));
    let mut labels = vec![0x00, 0x01, 0x00, 0x40, 0x00, 0x02, 0x01, 0x40];
    labels.extend_from_slice(&inner);
    builder.push(7_100_000_000, Side::A, ethernet(Side::A, Tags::None, 0x8847, &labels));
    let mut session = vec![0x11, 0x00, 0x12, 0x34];
    session.extend_from_slice(&(inner.len() as u16 + 2).to_be_bytes());
    session.extend_from_slice(&[0x00, 0x21]);
    session.extend_from_slice(&inner);
    builder.push(7_200_000_000, Side::A, ethernet(Side::A, Tags::One(8), 0x8864, &session));
    let mut routed = vec![0x00, 0x00, 0x08, 0x00];
    routed.extend_from_slice(&inner);
    let (near, far) = (v4([192, 0, 2, 1], 0).ip(), v4([192, 0, 2, 2], 0).ip());
    let packet = ip::raw(builder, near, far, IpNumber::GRE, &routed);
    builder.push(7_300_000_000, Side::A, ip_frame(Side::A, Tags::None, &packet));
    let packet = ip::raw(builder, near, far, IpNumber::IPV4, &inner);
    builder.push(7_400_000_000, Side::B, ip_frame(Side::B, Tags::None, &packet));
    over_udp(builder, &inner);
    let twice = ip::raw(builder, near, far, IpNumber::IPV4, &packet);
    builder.push(7_900_000_000, Side::B, ip_frame(Side::B, Tags::None, &twice));
}

/// GTP-U with an extension header, VXLAN, GENEVE with an option, L2TP.
fn over_udp(builder: &mut Builder, inner: &[u8]) {
    let end = |host, port| v4([192, 0, 2, host], port);
    let mut gtp = vec![0x34, 0xff];
    gtp.extend_from_slice(&(inner.len() as u16 + 8).to_be_bytes());
    gtp.extend_from_slice(&[0, 0, 0x1a, 0x2b, 0, 0, 0, 0x85, 1, 0, 9, 0]);
    gtp.extend_from_slice(inner);
    let station = ethernet(Side::A, Tags::None, 0x0800, inner);
    let mut vxlan = vec![0x08, 0, 0, 0, 0, 0, 77, 0];
    vxlan.extend_from_slice(&station);
    let mut geneve = vec![0x01, 0, 0x65, 0x58, 0, 0, 78, 0, 0, 1, 1, 0];
    geneve.extend_from_slice(&station);
    let mut l2tp = vec![0x40, 0x02];
    l2tp.extend_from_slice(&(inner.len() as u16 + 12).to_be_bytes());
    l2tp.extend_from_slice(&[0, 12, 0, 34, 0xff, 0x03, 0x00, 0x21]);
    l2tp.extend_from_slice(inner);
    let datagrams = [(2_152, gtp), (4_789, vxlan), (6_081, geneve), (1_701, l2tp)];
    for (number, (port, payload)) in (0..).zip(datagrams) {
        let packet = ip::udp(builder, end(1, port), end(2, port), &payload);
        builder.push(7_500_000_000 + number * 100_000_000, Side::A, ip_frame(Side::A, Tags::None, &packet));
    }
}

/// Strangers: web sessions, name look-ups, streams, over both IP versions and with tags.
pub(super) fn background(builder: &mut Builder) {
    for number in 0..44_u64 {
        let at_ns = builder.random.range(0, 7_500_000_000);
        let host = builder.random.range(100, 190) as u8;
        let port = 20_000 + number as u16 * 16;
        let tags = match number % 5 {
            0 => Tags::One(100 + number as u16),
            1 => Tags::Two(300, 40 + number as u16),
            _ => Tags::None,
        };
        let answer = builder.random.range(2_000, 46_000) as usize;
        let request = builder.random.range(200, 900) as usize;
        let (client, server, resolver) = if number % 3 == 0 {
            let client = v6(&format!("2001:db8:200::{host:x}"), port);
            (client, v6("2001:db8:ffff::80", 443), v6("2001:db8:ffff::53", 53))
        } else {
            (v4([198, 51, 100, host], port), v4([203, 0, 113, 80], 443), v4([203, 0, 113, 53], 53))
        };
        let look_up = SocketAddr::new(client.ip(), port + 1);
        ip::dns(builder, at_ns, tags, look_up, resolver, "static.example.com");
        tcp::session(builder, at_ns + 30_000_000, tags, client, server, &[(request, answer)]);
        let count = builder.random.range(4, 20);
        ip::datagrams(builder, at_ns + 50_000_000, tags, SocketAddr::new(client.ip(), port + 2), server, count);
    }
}
