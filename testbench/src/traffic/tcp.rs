//! TCP sessions from handshake to close.

use std::net::SocketAddr;

use etherparse::{IpNumber, PacketBuilder, TcpHeader, TcpOptionElement};

use super::Builder;
use super::ip::headers;
use super::link::{Side, Tags, ip_frame};

const BUILD: &str = "sizes are far below the limits of TCP";
const ROUND_TRIP_NS: u64 = 14_000_000;

struct Connection<'a> {
    builder: &'a mut Builder,
    tags: Tags,
    /// Client (index 0) and server (index 1).
    ends: [SocketAddr; 2],
    /// Next sequence number of each end.
    next: [u32; 2],
    now_ns: u64,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    syn: bool,
    ack: bool,
    psh: bool,
    fin: bool,
}

impl Connection<'_> {
    /// Bytes of a segment that fill an untagged frame of 1514 bytes.
    fn segment_bytes(&self) -> usize {
        // 12 bytes of the timestamp option stand in every segment.
        if self.ends[0].is_ipv4() { 1_460 - 12 } else { 1_440 - 12 }
    }

    fn send(&mut self, end: usize, flags: Flags, payload: &[u8]) {
        let (from, to) = (self.ends[end], self.ends[1 - end]);
        let mut header = TcpHeader::new(from.port(), to.port(), self.next[end], 64_240);
        (header.syn, header.ack, header.psh, header.fin) = (flags.syn, flags.ack, flags.psh, flags.fin);
        if flags.ack {
            header.acknowledgment_number = self.next[1 - end];
        }
        let clock_ms = (self.now_ns / 1_000_000) as u32;
        let timestamp = TcpOptionElement::Timestamp(clock_ms, clock_ms.saturating_sub(7));
        let options = if flags.syn {
            vec![
                TcpOptionElement::MaximumSegmentSize(if from.is_ipv4() { 1_460 } else { 1_440 }),
                TcpOptionElement::SelectiveAcknowledgementPermitted,
                timestamp,
                TcpOptionElement::Noop,
                TcpOptionElement::WindowScale(7),
            ]
        } else {
            vec![TcpOptionElement::Noop, TcpOptionElement::Noop, timestamp]
        };
        header.set_options(&options).expect(BUILD);
        let ip = headers(self.builder, from.ip(), to.ip(), IpNumber::TCP);
        let mut packet = Vec::new();
        PacketBuilder::ip(ip).tcp_header(header).write(&mut packet, payload).expect(BUILD);
        let side = if end == 0 { Side::A } else { Side::B };
        self.builder.push(self.now_ns, side, ip_frame(side, self.tags, &packet));
        let advance = payload.len() as u32 + u32::from(flags.syn) + u32::from(flags.fin);
        self.next[end] = self.next[end].wrapping_add(advance);
        self.now_ns += self.builder.random.range(40_000, 400_000);
    }

    fn transfer(&mut self, end: usize, length: usize) {
        let mut left = length;
        let mut unacknowledged = 0;
        while left > 0 {
            let size = left.min(self.segment_bytes());
            left -= size;
            let payload = self.builder.random.bytes(size);
            self.send(end, Flags { ack: true, psh: left == 0, ..Flags::default() }, &payload);
            unacknowledged += 1;
            if unacknowledged == 2 || left == 0 {
                self.send(1 - end, Flags { ack: true, ..Flags::default() }, &[]);
                unacknowledged = 0;
            }
        }
        self.now_ns += ROUND_TRIP_NS;
    }
}

/// A session of exchanges, each of a request and an answer of so many bytes.
pub(super) fn session(
    builder: &mut Builder,
    at_ns: u64,
    tags: Tags,
    client: SocketAddr,
    server: SocketAddr,
    exchanges: &[(usize, usize)],
) {
    let next = [builder.random.next_u64() as u32, builder.random.next_u64() as u32];
    let mut connection = Connection { builder, tags, ends: [client, server], next, now_ns: at_ns };
    connection.send(0, Flags { syn: true, ..Flags::default() }, &[]);
    connection.now_ns += ROUND_TRIP_NS;
    connection.send(1, Flags { syn: true, ack: true, ..Flags::default() }, &[]);
    connection.send(0, Flags { ack: true, ..Flags::default() }, &[]);
    for &(request, answer) in exchanges {
        connection.transfer(0, request);
        connection.transfer(1, answer);
    }
    connection.send(0, Flags { ack: true, fin: true, ..Flags::default() }, &[]);
    connection.send(1, Flags { ack: true, fin: true, ..Flags::default() }, &[]);
    connection.send(0, Flags { ack: true, ..Flags::default() }, &[]);
}
