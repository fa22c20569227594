//! Rules 9, 10 and 12: the way from the outer IP header to the inner one.

use super::ip::Tunnel;
use super::link::ETHERNET_BYTES;
use super::{IpHeader, Version, Walk, u16_at, u32_at};
use writ_abi::limits::GTPU_EXTENSION_HEADERS_MAX;
use writ_abi::parse::{ParseClass, TunnelKind};

const TRANSPARENT_ETHERNET: u16 = 0x6558;

/// What a tunnel carries, and where it starts.
type Inner = Result<(Version, usize), ParseClass>;

impl Walk<'_> {
    /// Steps over the tunnel's headers. Says which IP header comes, and where.
    pub(super) fn tunnel(&mut self, outer: &IpHeader, tunnel: Tunnel) -> Inner {
        match tunnel {
            Tunnel::Ip(version) => {
                self.found.tunnel = Some((TunnelKind::IpInIp, 0));
                Ok((version, outer.l3_end))
            }
            Tunnel::Gre => self.gre(outer.l3_end),
            Tunnel::Udp(TunnelKind::GtpU) => self.gtpu(outer.l4_end),
            Tunnel::Udp(TunnelKind::Vxlan) => self.vxlan(outer.l4_end),
            Tunnel::Udp(TunnelKind::Geneve) => self.geneve(outer.l4_end),
            Tunnel::Udp(_) => self.l2tp(outer.l4_end),
        }
    }

    /// A part of a tunnel's header.
    fn header(&self, at: usize, bytes: usize) -> Result<&[u8], ParseClass> {
        self.present(at, bytes, ParseClass::TunnelHeader)
    }

    fn gtpu(&mut self, at: usize) -> Inner {
        const EXTENSION: u8 = 0x04;
        const ANY_OPTION: u8 = 0x07;
        let header = self.header(at, 8)?;
        let (flags, message, teid) = (header[0], header[1], u32_at(header, 4));
        if flags >> 5 != 1 || flags & 0x10 == 0 {
            return Err(ParseClass::TunnelHeader);
        }
        if message != 255 {
            return Err(ParseClass::TunnelPayload);
        }
        self.found.tunnel = Some((TunnelKind::GtpU, teid));
        let mut end = at + 8;
        if flags & ANY_OPTION != 0 {
            let mut next_type = self.header(end, 4)?[3];
            end += 4;
            if flags & EXTENSION == 0 {
                next_type = 0;
            }
            let mut stepped_over = 0;
            while next_type != 0 {
                if stepped_over == GTPU_EXTENSION_HEADERS_MAX {
                    return Err(ParseClass::TunnelHeader);
                }
                let bytes = 4 * usize::from(self.header(end, 1)?[0]);
                if bytes == 0 {
                    return Err(ParseClass::TunnelHeader);
                }
                next_type = self.header(end, bytes)?[bytes - 1];
                end += bytes;
                stepped_over += 1;
            }
        }
        let first = self.present(end, 1, ParseClass::TunnelPayload)?[0];
        Ok((Version::of_first_byte(first).ok_or(ParseClass::TunnelPayload)?, end))
    }

    fn vxlan(&mut self, at: usize) -> Inner {
        let header = self.header(at, 8)?;
        let (flags, vni) = (header[0], u32_at(header, 4) >> 8);
        if flags & 0x08 == 0 {
            return Err(ParseClass::TunnelHeader);
        }
        self.found.tunnel = Some((TunnelKind::Vxlan, vni));
        self.ethernet_inside(at + 8)
    }

    fn geneve(&mut self, at: usize) -> Inner {
        let header = self.header(at, 8)?;
        let (first, protocol, vni) = (header[0], u16_at(header, 2), u32_at(header, 4) >> 8);
        if first >> 6 != 0 {
            return Err(ParseClass::TunnelHeader);
        }
        let bytes = 8 + 4 * usize::from(first & 0x3f);
        self.header(at, bytes)?;
        self.found.tunnel = Some((TunnelKind::Geneve, vni));
        self.by_ethertype(protocol, at + bytes)
    }

    fn l2tp(&mut self, at: usize) -> Inner {
        const CONTROL: u16 = 0x8000;
        const LENGTH: u16 = 0x4000;
        const SEQUENCE: u16 = 0x0800;
        const OFFSET: u16 = 0x0200;
        let flags = u16_at(self.header(at, 2)?, 0);
        if flags & 0x000f != 2 {
            return Err(ParseClass::TunnelHeader);
        }
        if flags & CONTROL != 0 {
            return Err(ParseClass::TunnelPayload);
        }
        let ids_at = at + 2 + if flags & LENGTH != 0 { 2 } else { 0 };
        let mut end = ids_at + 4 + if flags & SEQUENCE != 0 { 4 } else { 0 };
        if flags & OFFSET != 0 {
            let offset_bytes = u16_at(self.header(end, 2)?, 0);
            if offset_bytes % 2 == 1 {
                return Err(ParseClass::TunnelHeader);
            }
            end += 2 + usize::from(offset_bytes);
        }
        let header = self.header(at, end - at)?;
        self.found.tunnel = Some((TunnelKind::L2tp, u32_at(header, ids_at - at)));
        self.ppp(end)
    }

    /// PPP in L2TP.
    fn ppp(&self, mut at: usize) -> Inner {
        const ADDRESS_AND_CONTROL: u16 = 0xff03;
        let field = |at| Ok(u16_at(self.present(at, 2, ParseClass::TunnelPayload)?, 0));
        let mut protocol = field(at)?;
        at += 2;
        if protocol == ADDRESS_AND_CONTROL {
            protocol = field(at)?;
            at += 2;
        }
        Ok((Version::of_ppp(protocol).ok_or(ParseClass::TunnelPayload)?, at))
    }

    /// Rule 10.
    fn gre(&mut self, at: usize) -> Inner {
        const CHECKSUM: u16 = 0x8000;
        const ROUTING: u16 = 0x4000;
        const KEY: u16 = 0x2000;
        const SEQUENCE: u16 = 0x1000;
        let header = self.header(at, 4)?;
        let (flags, protocol) = (u16_at(header, 0), u16_at(header, 2));
        if flags & 0x0007 != 0 || flags & ROUTING != 0 {
            return Err(ParseClass::TunnelHeader);
        }
        let field_bytes = |flag| if flags & flag != 0 { 4 } else { 0 };
        let key_at = 4 + field_bytes(CHECKSUM);
        let bytes = key_at + field_bytes(KEY) + field_bytes(SEQUENCE);
        let header = self.header(at, bytes)?;
        let tunnel = if flags & KEY != 0 { (TunnelKind::GreKey, u32_at(header, key_at)) } else { (TunnelKind::Gre, 0) };
        self.found.tunnel = Some(tunnel);
        self.by_ethertype(protocol, at + bytes)
    }

    /// What GENEVE and GRE say that they carry.
    fn by_ethertype(&mut self, protocol: u16, at: usize) -> Inner {
        if protocol == TRANSPARENT_ETHERNET {
            return self.ethernet_inside(at);
        }
        Ok((Version::of_ethertype(protocol).ok_or(ParseClass::TunnelPayload)?, at))
    }

    /// Rule 12.
    fn ethernet_inside(&mut self, at: usize) -> Inner {
        self.present(at, ETHERNET_BYTES, ParseClass::TunnelPayload)?;
        self.found.inner_ethernet = true;
        self.inner_ethernet(at, ParseClass::TunnelPayload, ParseClass::TunnelPayload)
    }
}
