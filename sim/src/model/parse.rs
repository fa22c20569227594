//! The parser, from the normative text of [`writ_abi::parse`]; the numbers in the comments are its rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::limits::{FCS_BYTES, IPV6_EXTENSION_HEADERS_MAX, VLAN_TAGS_MAX, WINDOW_BYTES};
use writ_abi::parse::ParseClass;

/// What the parser makes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// The class that is counted.
    pub class: ParseClass,
    /// VLAN tags that were stepped over.
    pub vlan_tags: u8,
    /// First byte of the IP header; 0 in a class without addresses.
    pub l3_offset: u8,
    /// End of the IP header and of the extension headers that were parsed.
    pub l3_end: u8,
    /// First byte of the transport header, if one was recognised; else 0.
    pub l4_offset: u8,
    /// End of the transport header; `l3_end` if none was recognised.
    pub l4_end: u8,
    /// IP protocol number; 0 in a class without addresses.
    pub protocol: u8,
    /// Source and destination address, in a class with addresses.
    pub addresses: Option<[IpAddr; 2]>,
    /// Source and destination port, in class `Ports`.
    pub ports: Option<[u16; 2]>,
}

const ETHERNET_BYTES: usize = 14;
const VLAN_TAG_BYTES: usize = 4;
const TPIDS: [u16; 2] = [0x8100, 0x88a8];
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const IPV4_BYTES_MIN: usize = 20;
const IPV6_BYTES: usize = 40;

const HOP_BY_HOP: u8 = 0;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const ICMPV6: u8 = 58;
const DESTINATION_OPTIONS: u8 = 60;
const SCTP: u8 = 132;

/// Bytes of a frame with FCS that the parser sees.
fn window(frame: &[u8]) -> &[u8] {
    if frame.len() > WINDOW_BYTES { &frame[..WINDOW_BYTES] } else { &frame[..frame.len().saturating_sub(FCS_BYTES)] }
}

/// Parses a frame as it is on the wire, FCS included. Any bytes will do.
pub fn parse(frame: &[u8]) -> Parsed {
    let window = window(frame);
    match link_layer(window) {
        Link::Ipv4 { at, tags } => ipv4(window, at).unwrap_or_else(Parsed::without_addresses).tagged(tags),
        Link::Ipv6 { at, tags } => ipv6(window, at).unwrap_or_else(Parsed::without_addresses).tagged(tags),
        Link::Other { class, tags } => Parsed::without_addresses(class).tagged(tags),
    }
}

impl Parsed {
    fn without_addresses(class: ParseClass) -> Self {
        Self {
            class,
            vlan_tags: 0,
            l3_offset: 0,
            l3_end: 0,
            l4_offset: 0,
            l4_end: 0,
            protocol: 0,
            addresses: None,
            ports: None,
        }
    }

    fn tagged(self, vlan_tags: u8) -> Self {
        Self { vlan_tags, ..self }
    }
}

enum Link {
    Ipv4 { at: usize, tags: u8 },
    Ipv6 { at: usize, tags: u8 },
    Other { class: ParseClass, tags: u8 },
}

/// Rules 1 to 3.
fn link_layer(window: &[u8]) -> Link {
    let mut header_end = ETHERNET_BYTES;
    let mut tags = 0;
    if window.len() < header_end {
        return Link::Other { class: ParseClass::Truncated, tags };
    }
    loop {
        let ethertype = u16_at(window, header_end - 2);
        if !TPIDS.contains(&ethertype) {
            return match ethertype {
                ETHERTYPE_IPV4 => Link::Ipv4 { at: header_end, tags },
                ETHERTYPE_IPV6 => Link::Ipv6 { at: header_end, tags },
                _ => Link::Other { class: ParseClass::NonIp, tags },
            };
        }
        if usize::from(tags) == VLAN_TAGS_MAX {
            return Link::Other { class: ParseClass::VlanDepth, tags };
        }
        header_end += VLAN_TAG_BYTES;
        if window.len() < header_end {
            return Link::Other { class: ParseClass::Truncated, tags };
        }
        tags += 1;
    }
}

/// Rule 4.
fn ipv4(window: &[u8], at: usize) -> Result<Parsed, ParseClass> {
    let header = window.get(at..at + IPV4_BYTES_MIN).ok_or(ParseClass::Truncated)?;
    let header_bytes = usize::from(header[0] & 0x0f) * 4;
    let total_bytes = usize::from(u16_at(header, 2));
    if header[0] >> 4 != 4 || header_bytes < IPV4_BYTES_MIN || total_bytes < header_bytes {
        return Err(ParseClass::MalformedIp);
    }
    let l3_end = at + header_bytes;
    if l3_end > window.len() {
        return Err(ParseClass::Truncated);
    }
    let address =
        |from: usize| IpAddr::V4(Ipv4Addr::new(header[from], header[from + 1], header[from + 2], header[from + 3]));
    let ip = Ip {
        version: 4,
        l3_offset: at,
        l3_end,
        ip_end: at + total_bytes,
        protocol: header[9],
        addresses: [address(12), address(16)],
    };
    let fragment_offset = u16_at(header, 6) & 0x1fff;
    Ok(if fragment_offset != 0 { ip.end(ParseClass::Fragment) } else { ip.transport(window) })
}

/// Rule 5.
fn ipv6(window: &[u8], at: usize) -> Result<Parsed, ParseClass> {
    let header = window.get(at..at + IPV6_BYTES).ok_or(ParseClass::Truncated)?;
    if header[0] >> 4 != 6 {
        return Err(ParseClass::MalformedIp);
    }
    let address = |from: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[from..from + 16]);
        IpAddr::V6(Ipv6Addr::from(octets))
    };
    let mut ip = Ip {
        version: 6,
        l3_offset: at,
        l3_end: at + IPV6_BYTES,
        ip_end: at + IPV6_BYTES + usize::from(u16_at(header, 4)),
        protocol: header[6],
        addresses: [address(8), address(24)],
    };
    for stepped_over in 0.. {
        let kind = ip.protocol;
        if ![HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS].contains(&kind) {
            break;
        }
        if stepped_over == IPV6_EXTENSION_HEADERS_MAX {
            return Ok(ip.end(ParseClass::ExtensionDepth));
        }
        let Some(&[next, length, ..]) = window.get(ip.l3_end..) else {
            return Ok(ip.end(ParseClass::L4Truncated));
        };
        let start = ip.l3_end;
        let end = start + if kind == FRAGMENT { 8 } else { 8 * (usize::from(length) + 1) };
        if end > window.len() || end > ip.ip_end {
            return Ok(ip.end(ParseClass::L4Truncated));
        }
        ip.l3_end = end;
        ip.protocol = next;
        if kind == FRAGMENT && u16_at(window, start + 2) >> 3 != 0 {
            return Ok(ip.end(ParseClass::Fragment));
        }
    }
    Ok(ip.transport(window))
}

/// An IP header that was parsed, and the extension headers behind it so far.
#[derive(Clone, Copy)]
struct Ip {
    version: u8,
    l3_offset: usize,
    l3_end: usize,
    ip_end: usize,
    protocol: u8,
    addresses: [IpAddr; 2],
}

impl Ip {
    /// Ends the parse without a transport header.
    fn end(self, class: ParseClass) -> Parsed {
        Parsed {
            class,
            vlan_tags: 0,
            // All of these lie inside the window, which is shorter than 256 bytes.
            l3_offset: self.l3_offset as u8,
            l3_end: self.l3_end as u8,
            l4_offset: 0,
            l4_end: self.l3_end as u8,
            protocol: self.protocol,
            addresses: Some(self.addresses),
            ports: None,
        }
    }

    /// Rule 6.
    fn transport(self, window: &[u8]) -> Parsed {
        let start = self.l3_end;
        let header = &window[start..];
        let header_bytes = match (self.protocol, self.version) {
            (TCP, _) => match header.get(12) {
                Some(byte) if byte >> 4 >= 5 => usize::from(byte >> 4) * 4,
                _ => return self.end(ParseClass::L4Truncated),
            },
            (UDP, _) => 8,
            (SCTP, _) => 12,
            (ICMP, 4) | (ICMPV6, 6) => 8,
            _ => return self.end(ParseClass::NoPorts),
        };
        let end = start + header_bytes;
        if end > window.len() || end > self.ip_end {
            return self.end(ParseClass::L4Truncated);
        }
        let has_ports = [TCP, UDP, SCTP].contains(&self.protocol);
        Parsed {
            l4_offset: start as u8,
            l4_end: end as u8,
            ports: has_ports.then(|| [u16_at(header, 0), u16_at(header, 2)]),
            ..self.end(if has_ports { ParseClass::Ports } else { ParseClass::NoPorts })
        }
    }
}

/// The number in network order at `at`; callers have checked that it is there.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}
