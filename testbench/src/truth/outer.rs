//! The outermost IP header of a frame, by the product's stated limits.

use std::net::IpAddr;

use etherparse::{
    Ethernet2HeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
    SingleVlanHeaderSlice, TcpHeaderSlice, UdpHeaderSlice,
};

use super::Scope;

const ETHERNET_BYTES: usize = 14;
const TAG_BYTES: usize = 4;
const TAGS_MAX: usize = 2;
const EXTENSION_HEADERS_MAX: usize = 4;
const CHECK_SEQUENCE_BYTES: usize = 4;
/// A header counts only if it ends within this many bytes of the frame.
const WINDOW_BYTES: usize = 192;

/// What the outermost headers of a frame are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outer {
    /// An IP packet.
    Ip(OuterIp),
    /// Nothing that can be matched: no IP, more tags than are stepped over, or a malformed header.
    Nothing,
}

/// The transport ports of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
}

/// What the fragments of one datagram have in common.
pub(super) type Datagram = (IpAddr, IpAddr, u8, u32);

/// The outermost IP header of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OuterIp {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Protocol behind the last header that was stepped over.
    pub protocol: u8,
    /// Ports, if the packet has a whole transport header within the window.
    pub ports: Option<Ports>,
    /// Byte of the frame at which the IP header starts.
    pub l3_offset: usize,
    /// End of the IP header with its extension headers.
    pub l3_end: usize,
    /// End of the transport header; `l3_end` if there is none.
    pub l4_end: usize,
    /// End of the packet as its length field says, which may lie behind the frame's end.
    pub ip_end: usize,
    pub(super) datagram: Option<Datagram>,
}

impl OuterIp {
    /// The IP packet, without link layer and padding.
    pub fn packet<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        &frame[self.l3_offset..self.ip_end.min(frame.len())]
    }

    /// The octets that a warrant of this scope delivers.
    pub fn delivered<'a>(&self, frame: &'a [u8], scope: Scope) -> &'a [u8] {
        let end = match scope {
            Scope::Content => self.ip_end,
            Scope::HeadersL4 => self.l4_end,
            Scope::HeadersL3 => self.l3_end,
        };
        &frame[self.l3_offset..end.min(self.ip_end).min(frame.len())]
    }
}

/// Finds the outermost IP header behind at most two VLAN tags.
pub fn outermost(frame: &[u8]) -> Outer {
    // The window is taken from the wire, where four bytes of check sequence follow the frame.
    let mut window = frame[..frame.len().min(WINDOW_BYTES)].to_vec();
    if frame.len() + CHECK_SEQUENCE_BYTES > WINDOW_BYTES {
        window.resize(WINDOW_BYTES, 0);
    }
    find(&window).map_or(Outer::Nothing, Outer::Ip)
}

fn find(window: &[u8]) -> Option<OuterIp> {
    let mut ether_type = Ethernet2HeaderSlice::from_slice(window).ok()?.ether_type().0;
    let mut offset = ETHERNET_BYTES;
    for _ in 0..TAGS_MAX {
        if !is_tag(ether_type) {
            break;
        }
        ether_type = SingleVlanHeaderSlice::from_slice(&window[offset..]).ok()?.ether_type().0;
        offset += TAG_BYTES;
    }
    match ether_type {
        0x0800 => ipv4(window, offset),
        0x86dd => ipv6(window, offset),
        _ => None,
    }
}

pub(super) fn is_tag(ether_type: u16) -> bool {
    matches!(ether_type, 0x8100 | 0x88a8)
}

pub(super) fn ipv4(window: &[u8], offset: usize) -> Option<OuterIp> {
    let header = Ipv4HeaderSlice::from_slice(window.get(offset..)?).ok()?;
    let length = header.slice().len();
    if usize::from(header.total_len()) < length {
        return None;
    }
    let mut ip = OuterIp {
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        protocol: header.protocol().0,
        ports: None,
        l3_offset: offset,
        l3_end: offset + length,
        l4_end: offset + length,
        ip_end: offset + usize::from(header.total_len()),
        datagram: None,
    };
    if header.is_fragmenting_payload() {
        ip.datagram = Some((ip.source, ip.destination, ip.protocol, u32::from(header.identification())));
    }
    if header.fragments_offset().value() == 0 {
        transport(&mut ip, window, IpNumber::ICMP);
    }
    Some(ip)
}

pub(super) fn ipv6(window: &[u8], offset: usize) -> Option<OuterIp> {
    ipv6_up_to(window, offset, EXTENSION_HEADERS_MAX)
}

pub(super) fn ipv6_up_to(window: &[u8], offset: usize, extension_headers_max: usize) -> Option<OuterIp> {
    let header = Ipv6HeaderSlice::from_slice(window.get(offset..)?).ok()?;
    let end = offset + header.slice().len();
    let mut ip = OuterIp {
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        protocol: header.next_header().0,
        ports: None,
        l3_offset: offset,
        l3_end: end,
        l4_end: end,
        ip_end: end + usize::from(header.payload_length()),
        datagram: None,
    };
    let mut count = 0;
    while matches!(ip.protocol, 0 | 43 | 44 | 60) {
        if count == extension_headers_max {
            return Some(ip);
        }
        count += 1;
        let rest = window.get(ip.l3_end..).unwrap_or_default();
        let (next, length, later_fragment) = if ip.protocol == 44 {
            let Ok(fragment) = Ipv6FragmentHeaderSlice::from_slice(rest) else { return Some(ip) };
            if fragment.is_fragmenting_payload() {
                ip.datagram = Some((ip.source, ip.destination, 0, fragment.identification()));
            }
            (fragment.next_header().0, 8, fragment.fragment_offset().value() != 0)
        } else {
            let Ok(extension) = Ipv6RawExtHeaderSlice::from_slice(rest) else { return Some(ip) };
            (extension.next_header().0, extension.slice().len(), false)
        };
        if ip.l3_end + length > ip.ip_end {
            return Some(ip);
        }
        ip.protocol = next;
        ip.l3_end += length;
        ip.l4_end = ip.l3_end;
        if later_fragment {
            return Some(ip);
        }
    }
    transport(&mut ip, window, IpNumber::IPV6_ICMP);
    Some(ip)
}

/// Ports and end of the transport header, if it is wholly within window and packet.
fn transport(ip: &mut OuterIp, window: &[u8], own_icmp: IpNumber) {
    const SCTP_BYTES: usize = 12;
    const ICMP_BYTES: usize = 8;
    let rest = window.get(ip.l3_end..).unwrap_or_default();
    let found = match IpNumber(ip.protocol) {
        IpNumber::TCP => TcpHeaderSlice::from_slice(rest)
            .ok()
            .map(|tcp| (tcp.slice().len(), Some((tcp.source_port(), tcp.destination_port())))),
        IpNumber::UDP => {
            UdpHeaderSlice::from_slice(rest).ok().map(|udp| (8, Some((udp.source_port(), udp.destination_port()))))
        }
        IpNumber::SCTP if rest.len() >= SCTP_BYTES => {
            let port = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
            Some((SCTP_BYTES, Some((port(0), port(2)))))
        }
        number if number == own_icmp && rest.len() >= ICMP_BYTES => Some((ICMP_BYTES, None)),
        _ => None,
    };
    if let Some((length, ports)) = found
        && ip.l3_end + length <= ip.ip_end
    {
        ip.l4_end = ip.l3_end + length;
        ip.ports = ports.map(|(source, destination)| Ports { source, destination });
    }
}
