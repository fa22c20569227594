//! The generated default capture: one seed gives the same bytes everywhere.
//!
//! It holds what the parser has to step over (VLAN tags, options, extension headers, fragments, padding), what the demo's
//! warrants name, and much that looks nearly like it and must not be copied: neighbours of target addresses, target
//! addresses in payloads, in ARP, in quoted headers and behind encapsulations that are not looked into.
//! Addresses are those of the documentation ranges (RFC 5737, RFC 3849), subscribers on port A, the network on port B.

mod ip;
pub mod line;
mod link;
pub mod load;
mod noise;
mod random;
mod tcp;
mod voice;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::capture::{Capture, Frame};

pub use link::{Side, Tags};
pub use random::Random;

/// First stamp of the generated capture: 2026-01-05 08:00:00 UTC.
pub const FIRST_TIME_NS: u64 = 1_767_600_000_000_000_000;
/// Seed of the capture that the demo plays.
pub const DEFAULT_SEED: u64 = 0x5752_4954;

/// Subscriber under an order for content, delivered over HI2/HI3.
pub const CONTENT_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
/// Subscriber under an order for content, delivered over X2/X3.
pub const CONTENT_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x100, 0, 0, 0, 0, 0x20);
/// Subscriber under a pen register: headers only.
pub const HEADERS_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 30);
/// The telephone whose media stream is under an order.
pub const PHONE_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 40);
/// UDP port of that telephone's RTP stream.
pub const PHONE_RTP_PORT: u16 = 40_000;
/// Subscriber under orders of two agencies.
pub const SHARED_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 50);
/// Subscriber whose order ends in the middle of the capture.
pub const ENDING_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 60);

/// Frames of one capture, collected from sessions that overlap in time.
pub(crate) struct Builder {
    random: Random,
    frames: Vec<(u64, Side, Vec<u8>)>,
    identification: u16,
}

impl Builder {
    fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), frames: Vec::new(), identification: 1 }
    }

    /// Puts a frame on the wire `at_ns` after the capture's start.
    fn push(&mut self, at_ns: u64, side: Side, frame: Vec<u8>) {
        self.frames.push((at_ns, side, frame));
    }

    /// An IP identification that no other packet of the capture has.
    fn next_identification(&mut self) -> u16 {
        self.identification = self.identification.wrapping_add(1);
        self.identification
    }

    fn finish(mut self) -> Capture {
        self.frames.sort_by_key(|(at_ns, ..)| *at_ns);
        let mut previous_ns = None;
        let mut frames = Vec::with_capacity(self.frames.len());
        for (at_ns, side, data) in self.frames {
            // No two frames share a time, so that a time names a frame.
            let time_ns = previous_ns.map_or(at_ns, |previous: u64| at_ns.max(previous + 1));
            previous_ns = Some(time_ns);
            frames.push(Frame {
                time_ns: FIRST_TIME_NS + time_ns,
                interface: side as u32,
                original_len: data.len() as u32,
                data,
            });
        }
        Capture { frames, warnings: Vec::new() }
    }
}

fn v4(last: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from(last)), port)
}

fn v6(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V6(address.parse().expect("a literal of this file")), port)
}

/// Generates the capture for a seed: about 4000 frames over some 9 s.
pub fn generate(seed: u64) -> Capture {
    let mut builder = Builder::new(seed);
    subscribers(&mut builder);
    voice::call(&mut builder);
    noise::look_alikes(&mut builder);
    noise::not_ip(&mut builder);
    noise::encapsulated(&mut builder);
    noise::background(&mut builder);
    builder.finish()
}

/// Generates a capture of one thing only: `count` large datagrams to [`CONTENT_V4`], back to back.
pub fn generate_bulk(seed: u64, count: u64) -> Capture {
    let mut builder = Builder::new(seed);
    let (client, server) = (SocketAddr::new(IpAddr::V4(CONTENT_V4), 50_500), v4([203, 0, 113, 77], 443));
    ip::bulk(&mut builder, client, server, count);
    builder.finish()
}

fn subscribers(builder: &mut Builder) {
    let web = v4([203, 0, 113, 80], 443);
    let resolver = v4([203, 0, 113, 53], 53);
    let content = |port| SocketAddr::new(IpAddr::V4(CONTENT_V4), port);
    let headers = |port| SocketAddr::new(IpAddr::V4(HEADERS_V4), port);
    let shared = |port| SocketAddr::new(IpAddr::V4(SHARED_V4), port);
    let ending = |port| SocketAddr::new(IpAddr::V4(ENDING_V4), port);
    let six = |port| SocketAddr::new(IpAddr::V6(CONTENT_V6), port);
    let web_six = v6("2001:db8:ffff::80", 443);
    let resolver_six = v6("2001:db8:ffff::53", 53);

    ip::dns(builder, 40_000_000, Tags::None, content(51_001), resolver, "www.example.com");
    tcp::session(builder, 90_000_000, Tags::None, content(50_001), web, &[(420, 90_000), (380, 40_000)]);
    ip::fragmented_udp(builder, 1_400_000_000, Tags::None, content(50_050), v4([203, 0, 113, 90], 9_000), 4_200);
    ip::echo(builder, 1_900_000_000, Tags::None, content(0), v4([203, 0, 113, 1], 0), 8);
    tcp::session(builder, 5_000_000_000, Tags::One(100), content(50_002), web, &[(700, 30_000)]);
    ip::options(builder, 5_400_000_000, content(50_003), v4([203, 0, 113, 99], 5_000));

    ip::dns(builder, 200_000_000, Tags::None, six(52_001), resolver_six, "video.example.net");
    tcp::session(builder, 260_000_000, Tags::None, six(52_002), web_six, &[(500, 120_000), (500, 30_000)]);
    ip::fragmented_udp(builder, 2_500_000_000, Tags::None, six(52_050), v6("2001:db8:ffff::90", 9_000), 5_000);
    ip::extension_headers(builder, 3_100_000_000, six(52_060), v6("2001:db8:ffff::91", 7_000));
    ip::echo(builder, 3_300_000_000, Tags::None, six(0), v6("2001:db8:ffff::1", 0), 6);

    ip::dns(builder, 300_000_000, Tags::One(200), headers(53_001), resolver, "mail.example.org");
    tcp::session(builder, 350_000_000, Tags::One(200), headers(53_002), web, &[(300, 60_000)]);
    tcp::session(builder, 4_100_000_000, Tags::Two(300, 17), headers(53_003), web, &[(900, 30_000)]);
    ip::datagrams(builder, 4_600_000_000, Tags::Two(300, 17), headers(53_010), v4([203, 0, 113, 44], 4_433), 60);
    ip::sctp(builder, 4_900_000_000, headers(53_020), v4([203, 0, 113, 45], 3_868));

    tcp::session(builder, 500_000_000, Tags::None, shared(54_001), web, &[(350, 80_000)]);
    ip::datagrams(builder, 3_500_000_000, Tags::Two(300, 21), shared(54_010), v4([203, 0, 113, 43], 443), 120);

    // Steady over the whole capture, so that the end of the order has frames close by on either side.
    ip::datagrams_every(builder, 30_000_000, ending(55_001), v4([203, 0, 113, 42], 443), 260, 33_000_000);

    // A target talks to a target: both orders see the same packets, from either end.
    tcp::session(builder, 6_000_000_000, Tags::None, content(50_009), headers(8_080), &[(400, 12_000)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_capture() {
        let capture = generate(DEFAULT_SEED);
        assert_eq!(capture, generate(DEFAULT_SEED));
        assert_ne!(capture, generate(DEFAULT_SEED + 1));
    }

    #[test]
    fn size_and_order_are_as_stated() {
        let capture = generate(DEFAULT_SEED);
        assert!((3_500..4_500).contains(&capture.frames.len()), "{} frames", capture.frames.len());
        assert!(capture.frames.windows(2).all(|pair| pair[0].time_ns < pair[1].time_ns));
        assert!(capture.frames.iter().all(|frame| (60..=1_522).contains(&frame.data.len())));
        assert!(capture.frames.iter().any(|frame| frame.data.len() == 1_514));
        for side in [Side::A, Side::B] {
            assert!(capture.frames.iter().filter(|frame| frame.interface == side as u32).count() > 1_000);
        }
    }

    /// Checks IPv4 header, TCP and UDP checksums of every untagged, unfragmented packet by adding the words up.
    #[test]
    fn checksums_are_right() {
        let sum = |parts: &[&[u8]]| {
            let mut total = 0_u64;
            for part in parts {
                for pair in part.chunks(2) {
                    total += u64::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
                }
            }
            while total > 0xffff {
                total = (total & 0xffff) + (total >> 16);
            }
            total
        };
        let mut checked = 0;
        for frame in generate(DEFAULT_SEED).frames {
            let data = &frame.data;
            if data[12..14] == [0x08, 0x00] && data[20] & 0x3f == 0 && data[21] == 0 {
                let header = usize::from(data[14] & 0x0f) * 4;
                let total = usize::from(u16::from_be_bytes([data[16], data[17]]));
                let ip = &data[14..14 + total];
                assert_eq!(sum(&[&ip[..header]]), 0xffff, "IPv4 header of {ip:02x?}");
                if [6, 17].contains(&ip[9]) {
                    let length = ((total - header) as u16).to_be_bytes();
                    assert_eq!(sum(&[&ip[12..20], &[0, ip[9]], &length, &ip[header..]]), 0xffff, "{ip:02x?}");
                    checked += 1;
                }
            } else if data[12..14] == [0x86, 0xdd] && [6, 17, 58].contains(&data[20]) {
                let ip = &data[14..14 + 40 + usize::from(u16::from_be_bytes([data[18], data[19]]))];
                assert_eq!(sum(&[&ip[8..40], &ip[4..6], &[0, ip[6]], &ip[40..]]), 0xffff, "{ip:02x?}");
                checked += 1;
            }
        }
        assert!(checked > 2_000, "{checked} packets");
    }
}
