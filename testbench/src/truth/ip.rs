//! One IP header of a frame with what belongs to it, by the product's stated limits.

use std::net::IpAddr;

use etherparse::{
    IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, TcpHeaderSlice,
    UdpHeaderSlice,
};

use super::Scope;

const EXTENSION_HEADERS_MAX: usize = 4;

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

/// An IP packet somewhere in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpPacket {
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
    /// A fragment that is not the first.
    pub is_later_fragment: bool,
    pub(super) datagram: Option<Datagram>,
}

impl IpPacket {
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

pub(super) fn ipv4(window: &[u8], offset: usize) -> Option<IpPacket> {
    let header = Ipv4HeaderSlice::from_slice(window.get(offset..)?).ok()?;
    let length = header.slice().len();
    if usize::from(header.total_len()) < length {
        return None;
    }
    let mut ip = IpPacket {
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        protocol: header.protocol().0,
        ports: None,
        l3_offset: offset,
        l3_end: offset + length,
        l4_end: offset + length,
        ip_end: offset + usize::from(header.total_len()),
        is_later_fragment: false,
        datagram: None,
    };
    if header.is_fragmenting_payload() {
        ip.datagram = Some((ip.source, ip.destination, ip.protocol, u32::from(header.identification())));
    }
    ip.is_later_fragment = header.fragments_offset().value() != 0;
    if !ip.is_later_fragment {
        transport(&mut ip, window, IpNumber::ICMP);
    }
    Some(ip)
}

pub(super) fn ipv6(window: &[u8], offset: usize) -> Option<IpPacket> {
    ipv6_up_to(window, offset, EXTENSION_HEADERS_MAX)
}

pub(super) fn ipv6_up_to(window: &[u8], offset: usize, extension_headers_max: usize) -> Option<IpPacket> {
    let header = Ipv6HeaderSlice::from_slice(window.get(offset..)?).ok()?;
    let end = offset + header.slice().len();
    let mut ip = IpPacket {
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        protocol: header.next_header().0,
        ports: None,
        l3_offset: offset,
        l3_end: end,
        l4_end: end,
        ip_end: end + usize::from(header.payload_length()),
        is_later_fragment: false,
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
            ip.is_later_fragment = true;
            return Some(ip);
        }
    }
    transport(&mut ip, window, IpNumber::IPV6_ICMP);
    Some(ip)
}

/// Ports and end of the transport header, if it is wholly within window and packet.
fn transport(ip: &mut IpPacket, window: &[u8], own_icmp: IpNumber) {
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
