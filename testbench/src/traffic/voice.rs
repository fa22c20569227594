//! A SIP call with its RTP streams.

use std::net::{IpAddr, SocketAddr};

use super::ip::udp;
use super::link::{Side, Tags, ip_frame};
use super::{Builder, PHONE_RTP_PORT, PHONE_V4, v4};

const PACKETS_EACH_WAY: u64 = 150;
const PACKET_NS: u64 = 20_000_000;
const SAMPLES: u32 = 160;

/// INVITE to BYE between the telephone on port A and a gateway on port B, 3 s of G.711 both ways, RTCP beside it.
pub(super) fn call(builder: &mut Builder) {
    let phone = |port| SocketAddr::new(IpAddr::V4(PHONE_V4), port);
    let gateway = |port| v4([203, 0, 113, 60], port);
    let start_ns = 700_000_000;
    signalling(builder, start_ns, phone(5_060), gateway(5_060));

    let media_ns = start_ns + 1_300_000_000;
    let streams = [
        (phone(PHONE_RTP_PORT), gateway(20_000), Side::A, 0x5752_4954_u32),
        (gateway(20_000), phone(PHONE_RTP_PORT), Side::B, 0x4c45_4d46),
    ];
    for (stream, (from, to, side, source)) in streams.into_iter().enumerate() {
        for number in 0..PACKETS_EACH_WAY {
            let mut packet = vec![0x80, if number == 0 { 0x80 } else { 0 }];
            packet.extend_from_slice(&(4_000 + number as u16).to_be_bytes());
            packet.extend_from_slice(&(SAMPLES * number as u32).to_be_bytes());
            packet.extend_from_slice(&source.to_be_bytes());
            packet.extend_from_slice(&builder.random.bytes(SAMPLES as usize));
            let jitter_ns = builder.random.range(0, 900_000);
            let at_ns = media_ns + number * PACKET_NS + stream as u64 * 3_000_000 + jitter_ns;
            let datagram = udp(builder, from, to, &packet);
            builder.push(at_ns, side, ip_frame(side, Tags::None, &datagram));
        }
        // RTCP goes beside the stream, on the next port: the order on the stream does not name it.
        let control = [0x80, 0xc8, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 6, 0x40];
        let next = |address: SocketAddr| SocketAddr::new(address.ip(), address.port() + 1);
        let datagram = udp(builder, next(from), next(to), &control);
        builder.push(media_ns + 2_000_000_000 + stream as u64, side, ip_frame(side, Tags::None, &datagram));
    }
}

fn signalling(builder: &mut Builder, start_ns: u64, phone: SocketAddr, gateway: SocketAddr) {
    let description = |address: SocketAddr, port: u16| {
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
            ip = address.ip()
        )
    };
    let message = |first: &str, method: &str, body: &str| {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{first}\r\nVia: SIP/2.0/UDP {phone};branch=z9hG4bK776\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=19\r\n\
             To: <sip:bob@example.net>;tag=a6\r\nCall-ID: 843817637684230@example.com\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:alice@{phone}>\r\n{kind}Content-Length: {length}\r\n\r\n{body}",
            length = body.len()
        )
    };
    let offer = description(phone, PHONE_RTP_PORT);
    let answer = description(gateway, 20_000);
    let steps = [
        (0, Side::A, message("INVITE sip:bob@example.net SIP/2.0", "INVITE", &offer)),
        (20_000_000, Side::B, message("SIP/2.0 100 Trying", "INVITE", "")),
        (180_000_000, Side::B, message("SIP/2.0 180 Ringing", "INVITE", "")),
        (1_200_000_000, Side::B, message("SIP/2.0 200 OK", "INVITE", &answer)),
        (1_230_000_000, Side::A, message("ACK sip:bob@example.net SIP/2.0", "ACK", "")),
        (4_500_000_000, Side::A, message("BYE sip:bob@example.net SIP/2.0", "BYE", "")),
        (4_520_000_000, Side::B, message("SIP/2.0 200 OK", "BYE", "")),
    ];
    for (offset_ns, side, text) in steps {
        let (from, to) = if side == Side::A { (phone, gateway) } else { (gateway, phone) };
        let datagram = udp(builder, from, to, text.as_bytes());
        builder.push(start_ns + offset_ns, side, ip_frame(side, Tags::None, &datagram));
    }
}
