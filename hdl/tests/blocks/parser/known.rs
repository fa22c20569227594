//! Frames of every kind whose parse is written down by hand, so that the reference is held to something too.

use super::reference::Parse;
use writ_abi::parse::{ParseClass as Class, TunnelKind as Kind};

/// Offset, end of the IP header with its extensions, end of the transport header.
type Offsets = [usize; 3];

/// A frame and what is in it.
pub(super) struct Known {
    name: &'static str,
    bytes: Vec<u8>,
    class: Class,
    outer: Option<Offsets>,
    tunnel: Option<(Kind, u32)>,
    inner: Option<Offsets>,
}

impl Known {
    /// What the parser gets to see: every frame here goes on behind its window, or behind its headers.
    pub(super) fn window(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(192)]
    }

    pub(super) fn holds_for(&self, parse: &Parse) {
        let name = self.name;
        assert_eq!(parse.class, self.class as u8, "{name}: {parse:?}");
        let offsets =
            [&parse.outer, &parse.inner].map(|layer| layer.as_ref().map(|l| [l.l3_offset, l.l3_end, l.l4_end]));
        assert_eq!(offsets, [self.outer, self.inner], "{name}: {parse:?}");
        let (kind, identifier) = self.tunnel.map_or((0, 0), |(kind, identifier)| (kind as u8, identifier));
        let link = kind == Kind::Pppoe as u8 || kind == Kind::Mpls as u8;
        assert_eq!(parse.tunnel, if link { 0 } else { kind }, "{name}");
        let key = if link { &parse.link_tunnel } else { &parse.ip_tunnel };
        assert_eq!(key.as_ref().map(|key| key[0]), (kind != 0).then_some(kind), "{name}");
        if let Some(key) = key {
            assert_eq!(key[1..5], identifier.to_be_bytes(), "{name}");
        }
    }
}

fn ethernet(tags: usize, ethertype: u16) -> Vec<u8> {
    let mut bytes = (1..=12).collect::<Vec<u8>>();
    for tag in 0..tags {
        bytes.extend_from_slice(&[0x81, 0, 0xe1, tag as u8]);
    }
    bytes.extend_from_slice(&ethertype.to_be_bytes());
    bytes
}

fn ipv4(words: u8, protocol: u8) -> Vec<u8> {
    let mut bytes = vec![0x40 | words, 0, 4, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2];
    bytes.resize(usize::from(words) * 4, 1);
    bytes
}

fn ipv6(next: u8) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0, 4, 0, next, 64];
    bytes.extend(0x20..0x40);
    bytes
}

/// An extension header of `8 * (units + 1)` bytes.
fn extension(next: u8, units: u8) -> Vec<u8> {
    let mut bytes = vec![next, units, 0, 0];
    bytes.resize(8 * (usize::from(units) + 1), 0);
    bytes
}

fn udp(destination: u16) -> Vec<u8> {
    let [upper, lower] = destination.to_be_bytes();
    vec![0x30, 0x39, upper, lower, 4, 0, 0, 0]
}

fn tcp(words: u8) -> Vec<u8> {
    let mut bytes = vec![0x30, 0x39, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, words << 4, 0, 0, 0, 0, 0, 0, 0];
    bytes.resize(usize::from(words) * 4, 1);
    bytes
}

fn known(
    name: &'static str,
    parts: &[Vec<u8>],
    class: Class,
    outer: impl Into<Option<Offsets>>,
    tunnel: impl Into<Option<(Kind, u32)>>,
    inner: impl Into<Option<Offsets>>,
) -> Known {
    let mut bytes = parts.concat();
    bytes.extend_from_slice(&[0xee; 30]);
    Known { name, bytes, class, outer: outer.into(), tunnel: tunnel.into(), inner: inner.into() }
}

/// All of them.
pub(super) fn frames() -> Vec<Known> {
    [plain(), links(), tunnels_over_udp(), tunnels_over_ip(), limits()].into_iter().flatten().collect()
}

fn plain() -> Vec<Known> {
    let fragment = |next, offset| vec![next, 0, 0, offset, 0, 0, 0, 1];
    let mut later = ipv4(5, 17);
    later[7] = 1;
    vec![
        known("ARP", &[ethernet(1, 0x0806)], Class::NonIp, None, None, None),
        known("TCP", &[ethernet(0, 0x0800), ipv4(5, 6), tcp(8)], Class::Ports, [14, 34, 66], None, None),
        known("UDP, options", &[ethernet(3, 0x0800), ipv4(15, 17), udp(53)], Class::Ports, [26, 86, 94], None, None),
        known("SCTP", &[ethernet(2, 0x86dd), ipv6(132), tcp(5)], Class::Ports, [22, 62, 74], None, None),
        known("ICMP", &[ethernet(0, 0x0800), ipv4(5, 1), udp(2152)], Class::NoPorts, [14, 34, 42], None, None),
        known("ICMPv6 in IPv4", &[ethernet(0, 0x0800), ipv4(5, 58), udp(0)], Class::NoPorts, [14, 34, 34], None, None),
        known("later fragment", &[ethernet(0, 0x0800), later, udp(53)], Class::Fragment, [14, 34, 34], None, None),
        known(
            "four extension headers",
            &[
                ethernet(0, 0x86dd),
                ipv6(0),
                extension(43, 1),
                extension(44, 0),
                fragment(60, 1),
                extension(6, 0),
                tcp(5),
            ],
            Class::Ports,
            [14, 54 + 16 + 8 + 8 + 8, 54 + 40 + 20],
            None,
            None,
        ),
        known(
            "later fragment of IPv6",
            &[ethernet(0, 0x86dd), ipv6(60), extension(44, 0), fragment(6, 8), tcp(5)],
            Class::Fragment,
            [14, 70, 70],
            None,
            None,
        ),
    ]
}

fn links() -> Vec<Known> {
    let pppoe = |protocol| vec![0x11, 0, 0x12, 0x34, 0, 100, 0, protocol];
    let label = |label: u32, bottom: u32| (label << 12 | bottom << 8 | 64).to_be_bytes().to_vec();
    vec![
        known(
            "PPPoE",
            &[ethernet(2, 0x8864), pppoe(0x57), ipv6(17), udp(1)],
            Class::Ports,
            [30, 70, 78],
            (Kind::Pppoe, 0x1234),
            None,
        ),
        known(
            "PPPoE control",
            &[ethernet(0, 0x8864), pppoe(0x22)],
            Class::LinkPayload,
            None,
            (Kind::Pppoe, 0x1234),
            None,
        ),
        known(
            "four labels",
            &[ethernet(3, 0x8847), label(1, 0), label(2, 0), label(3, 0), label(0xabcde, 1), ipv4(5, 6), tcp(5)],
            Class::Ports,
            [42, 62, 82],
            (Kind::Mpls, 0xabcde),
            None,
        ),
        known(
            "pseudowire",
            &[ethernet(0, 0x8848), label(0x12345, 1), vec![0; 4], ethernet(2, 0x0800), ipv4(5, 17), udp(53)],
            Class::Ports,
            [44, 64, 72],
            (Kind::Mpls, 0x12345),
            None,
        ),
        known(
            "the deepest outer header",
            &[
                ethernet(3, 0x8847),
                [label(1, 0), label(2, 0), label(3, 0), label(4, 1), vec![0; 4]].concat(),
                ethernet(2, 0x86dd),
                ipv6(6),
                tcp(15),
            ],
            Class::Ports,
            [68, 108, 168],
            (Kind::Mpls, 4),
            None,
        ),
    ]
}

fn tunnels_over_udp() -> Vec<Known> {
    let v4 = |protocol| [ethernet(0, 0x0800), ipv4(5, protocol)].concat();
    let v6 = |next| [ethernet(0, 0x86dd), ipv6(next)].concat();
    let gtpu = vec![0x34, 255, 0, 0, 0xa1, 0xb2, 0xc3, 0xd4, 0, 0, 0, 0x85];
    let extensions = vec![1, 9, 9, 0x85, 2, 9, 9, 9, 9, 9, 9, 0];
    let vxlan = vec![8, 0, 0, 0, 0x12, 0x34, 0x56, 0];
    let geneve = vec![2, 0, 0x86, 0xdd, 0x65, 0x43, 0x21, 0, 1, 1, 1, 1, 2, 2, 2, 2];
    let l2tp = vec![0x4a, 2, 0, 99, 0x11, 0x22, 0x33, 0x44, 0, 1, 0, 2, 0, 4, 7, 7, 7, 7, 0xff, 3, 0, 0x21];
    vec![
        known(
            "GTP-U",
            &[v4(17), udp(2152), gtpu, extensions, ipv4(6, 6), tcp(5)],
            Class::Ports,
            [14, 34, 42],
            (Kind::GtpU, 0xa1b2_c3d4),
            [66, 90, 110],
        ),
        known(
            "GTP-U echo",
            &[v4(17), udp(2152), vec![0x30, 1, 0, 0, 0, 0, 0, 0]],
            Class::TunnelPayload,
            [14, 34, 42],
            None,
            None,
        ),
        known(
            "VXLAN",
            &[v6(17), udp(4789), vxlan, ethernet(1, 0x0800), ipv4(5, 1), udp(0)],
            Class::NoPorts,
            [14, 54, 62],
            (Kind::Vxlan, 0x12_3456),
            [88, 108, 116],
        ),
        known(
            "GENEVE",
            &[v4(17), udp(6081), geneve, ipv6(17), udp(5)],
            Class::Ports,
            [14, 34, 42],
            (Kind::Geneve, 0x65_4321),
            [58, 98, 106],
        ),
        known(
            "L2TP",
            &[v4(17), udp(1701), l2tp, ipv4(5, 6), tcp(5)],
            Class::Ports,
            [14, 34, 42],
            (Kind::L2tp, 0x1122_3344),
            [64, 84, 104],
        ),
    ]
}

fn tunnels_over_ip() -> Vec<Known> {
    let v4 = |protocol| [ethernet(0, 0x0800), ipv4(5, protocol)].concat();
    let v6 = |next| [ethernet(0, 0x86dd), ipv6(next)].concat();
    let gre = vec![0xb0, 0, 0x08, 0x00, 9, 9, 9, 9, 0xde, 0xad, 0xbe, 0xef, 8, 8, 8, 8];
    let teb = vec![0, 0, 0x65, 0x58];
    vec![
        known(
            "GRE with a key",
            &[v4(47), gre, ipv4(5, 17), udp(5)],
            Class::Ports,
            [14, 34, 34],
            (Kind::GreKey, 0xdead_beef),
            [50, 70, 78],
        ),
        known(
            "GRE",
            &[v6(47), teb, ethernet(0, 0x86dd), ipv6(50)],
            Class::NoPorts,
            [14, 54, 54],
            (Kind::Gre, 0),
            [72, 112, 112],
        ),
        known("6in4", &[v4(41), ipv6(6), tcp(5)], Class::Ports, [14, 34, 34], (Kind::IpInIp, 0), [34, 74, 94]),
        known(
            "4in6",
            &[v6(4), ipv4(5, 17), udp(2152)],
            Class::TunnelDepth,
            [14, 54, 54],
            (Kind::IpInIp, 0),
            [54, 74, 82],
        ),
        known(
            "6in4 without 6",
            &[v4(41), ipv4(5, 6), tcp(5), vec![0; 20]],
            Class::InnerIp,
            [14, 34, 34],
            (Kind::IpInIp, 0),
            None,
        ),
        known("PPTP", &[v4(47), vec![0x30, 1, 0x88, 0x0b]], Class::TunnelHeader, [14, 34, 34], None, None),
    ]
}

/// More of a thing than the parser steps over, and headers that run past the window.
fn limits() -> Vec<Known> {
    let v4 = |words, protocol| [ethernet(0, 0x0800), ipv4(words, protocol)].concat();
    let long = |next| [extension(60, 5), extension(60, 5), extension(next, 2)].concat();
    vec![
        known("four tags", &[ethernet(4, 0x0800)], Class::VlanDepth, None, None, None),
        known("five labels", &[ethernet(0, 0x8847), [0, 0, 0x10, 64].repeat(5)], Class::MplsDepth, None, None, None),
        known(
            "five extension headers",
            &[ethernet(0, 0x86dd), ipv6(60), extension(60, 0).repeat(5)],
            Class::ExtensionDepth,
            [14, 86, 86],
            None,
            None,
        ),
        known(
            "three GTP-U extension headers",
            &[v4(5, 17), udp(2152), vec![0x34, 255, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1], [1, 0, 0, 1].repeat(3)],
            Class::TunnelHeader,
            [14, 34, 42],
            (Kind::GtpU, 7),
            None,
        ),
        known(
            "TCP without a length, at the end of the window",
            &[ethernet(0, 0x86dd), ipv6(60), long(6), vec![0; 30]],
            Class::L4Truncated,
            [14, 174, 174],
            None,
            None,
        ),
        known(
            "a transport header past the window",
            &[ethernet(0, 0x86dd), ipv6(60), long(6), tcp(5)],
            Class::WindowExceeded,
            [14, 174, 174],
            None,
            None,
        ),
        known(
            "an inner header past the window",
            &[v4(15, 17), udp(6081), [vec![16, 0, 0x86, 0xdd, 0, 0, 1, 0], vec![1; 64]].concat(), ipv6(6), tcp(5)],
            Class::WindowExceeded,
            [14, 74, 82],
            (Kind::Geneve, 1),
            None,
        ),
        known(
            "GTP-U's payload past the window",
            &[
                ethernet(0, 0x8847),
                vec![0, 0, 0x11, 64, 0, 0, 0, 0],
                ethernet(0, 0x86dd),
                ipv6(60),
                extension(17, 9),
                udp(2152),
                vec![0x34, 255, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1],
                vec![2, 0, 0, 0, 0, 0, 0xff, 1, 2, 0, 0, 0, 0, 0, 0xff, 0],
            ],
            Class::WindowExceeded,
            [36, 156, 164],
            (Kind::GtpU, 7),
            None,
        ),
    ]
}
