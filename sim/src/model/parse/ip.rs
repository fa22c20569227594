//! Rules 6 to 8: an IP header, its extension headers, the transport header. Outer and inner ones are read alike.

use super::{IpHeader, Version, Walk, u16_at};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::limits::{GENEVE_PORTS, GTPU_PORTS, IPV6_EXTENSION_HEADERS_MAX, L2TP_PORTS, VXLAN_PORTS};
use writ_abi::parse::{ParseClass, TunnelKind};

const IPV4_BYTES_MIN: usize = 20;
const IPV6_BYTES: usize = 40;

const HOP_BY_HOP: u8 = 0;
const ICMP: u8 = 1;
const IPV4_IN_IP: u8 = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV6_IN_IP: u8 = 41;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const GRE: u8 = 47;
const ICMPV6: u8 = 58;
const DESTINATION_OPTIONS: u8 = 60;
const SCTP: u8 = 132;

/// A tunnel that starts behind an IP header or behind its transport header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tunnel {
    /// IP in IP.
    Ip(Version),
    /// Rule 10.
    Gre,
    /// Rule 9, by the first port list that has the port.
    Udp(TunnelKind),
}

impl Walk<'_> {
    /// Rule 6. Returns the header and `ip_end`.
    pub(super) fn ip_header(
        &self,
        version: Version,
        at: usize,
        missing: ParseClass,
        malformed: ParseClass,
    ) -> Result<(IpHeader, usize), ParseClass> {
        let (l3_end, ip_end, protocol, addresses) = match version {
            Version::V4 => {
                let header = self.present(at, IPV4_BYTES_MIN, missing)?;
                let header_bytes = usize::from(header[0] & 0x0f) * 4;
                let total_bytes = usize::from(u16_at(header, 2));
                if header[0] >> 4 != 4 || header_bytes < IPV4_BYTES_MIN || total_bytes < header_bytes {
                    return Err(malformed);
                }
                self.present(at, header_bytes, missing)?;
                let address = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
                (at + header_bytes, at + total_bytes, header[9], [12, 16].map(|at| IpAddr::V4(address(at))))
            }
            Version::V6 => {
                let header = self.present(at, IPV6_BYTES, missing)?;
                if header[0] >> 4 != 6 {
                    return Err(malformed);
                }
                let address = |at: usize| Ipv6Addr::from(std::array::from_fn::<u8, 16, _>(|i| header[at + i]));
                let ip_end = at + IPV6_BYTES + usize::from(u16_at(header, 4));
                (at + IPV6_BYTES, ip_end, header[6], [8, 24].map(|at| IpAddr::V6(address(at))))
            }
        };
        let header =
            IpHeader { l3_offset: at, l3_end, l4_end: l3_end, protocol, is_fragment: false, addresses, ports: None };
        Ok((header, ip_end))
    }

    /// Rules 7 and 8. Completes the header; goes on only in front of a tunnel.
    pub(super) fn behind_ip(&self, header: &mut IpHeader, ip_end: usize) -> Result<Tunnel, ParseClass> {
        let ended = if header.addresses[0].is_ipv4() {
            let fragment_offset = u16_at(self.window, header.l3_offset + 6) & 0x1fff;
            header.is_fragment = fragment_offset != 0;
            if header.is_fragment { Err(ParseClass::Fragment) } else { Ok(()) }
        } else {
            self.extension_headers(header, ip_end)
        };
        header.l4_end = header.l3_end;
        ended?;
        self.transport(header, ip_end)
    }

    /// Rule 7 for IPv6.
    fn extension_headers(&self, header: &mut IpHeader, ip_end: usize) -> Result<(), ParseClass> {
        for stepped_over in 0.. {
            let kind = header.protocol;
            if ![HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS].contains(&kind) {
                break;
            }
            if stepped_over == IPV6_EXTENSION_HEADERS_MAX {
                return Err(ParseClass::ExtensionDepth);
            }
            let start = header.l3_end;
            let first_two = self.present(start, 2, ParseClass::L4Truncated)?;
            let bytes = if kind == FRAGMENT { 8 } else { 8 * (usize::from(first_two[1]) + 1) };
            let extension = self.present(start, bytes, ParseClass::L4Truncated)?;
            if start + bytes > ip_end {
                return Err(ParseClass::L4Truncated);
            }
            header.l3_end = start + bytes;
            header.protocol = extension[0];
            if kind == FRAGMENT && u16_at(extension, 2) >> 3 != 0 {
                header.is_fragment = true;
                return Err(ParseClass::Fragment);
            }
        }
        Ok(())
    }

    /// Rule 8.
    fn transport(&self, header: &mut IpHeader, ip_end: usize) -> Result<Tunnel, ParseClass> {
        let start = header.l3_end;
        let is_ipv4 = header.addresses[0].is_ipv4();
        let bytes = match header.protocol {
            TCP => {
                let offset = usize::from(self.present(start, 13, ParseClass::L4Truncated)?[12] >> 4);
                if offset < 5 {
                    return Err(ParseClass::L4Truncated);
                }
                4 * offset
            }
            UDP => 8,
            SCTP => 12,
            ICMP if is_ipv4 => 8,
            ICMPV6 if !is_ipv4 => 8,
            IPV4_IN_IP => return Ok(Tunnel::Ip(Version::V4)),
            IPV6_IN_IP => return Ok(Tunnel::Ip(Version::V6)),
            GRE => return Ok(Tunnel::Gre),
            _ => return Err(ParseClass::NoPorts),
        };
        let transport = self.present(start, bytes, ParseClass::L4Truncated)?;
        if start + bytes > ip_end {
            return Err(ParseClass::L4Truncated);
        }
        header.l4_end = start + bytes;
        if [ICMP, ICMPV6].contains(&header.protocol) {
            return Err(ParseClass::NoPorts);
        }
        let ports = [u16_at(transport, 0), u16_at(transport, 2)];
        header.ports = Some(ports);
        let tunnel = if header.protocol == UDP { tunnel_of_ports(ports) } else { None };
        tunnel.map(Tunnel::Udp).ok_or(ParseClass::Ports)
    }
}

/// Rule 9: which tunnel the ports announce.
fn tunnel_of_ports([source, destination]: [u16; 2]) -> Option<TunnelKind> {
    if GTPU_PORTS.contains(&destination) {
        Some(TunnelKind::GtpU)
    } else if VXLAN_PORTS.contains(&destination) {
        Some(TunnelKind::Vxlan)
    } else if GENEVE_PORTS.contains(&destination) {
        Some(TunnelKind::Geneve)
    } else if L2TP_PORTS.contains(&destination) || L2TP_PORTS.contains(&source) {
        Some(TunnelKind::L2tp)
    } else {
        None
    }
}
