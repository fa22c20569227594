//! Rules 9 and 10 of the reference: tunnel headers.

use super::reference::{Outcome, Step, Walk};
use writ_abi::parse::{ParseClass as Class, TunnelKind as Kind};
use writ_abi::{key, limits};

impl Walk<'_> {
    /// From the first byte of a tunnel header to what it carries.
    pub(super) fn tunnel(&mut self, kind: Kind, at: usize, protocol: u8) -> Outcome<Step> {
        match kind {
            Kind::GtpU => self.gtpu(at),
            Kind::L2tp => self.l2tp(at),
            Kind::Vxlan => {
                let header = self.take(at, 8, Class::TunnelHeader)?;
                if header[0] & 8 == 0 {
                    return Err(Class::TunnelHeader);
                }
                let vni = u32::from_be_bytes([0, header[4], header[5], header[6]]);
                self.exists(kind, vni);
                Ok(Step::Ethernet(at + 8))
            }
            Kind::Geneve => {
                let header = self.take(at, 8, Class::TunnelHeader)?;
                if header[0] >> 6 != 0 {
                    return Err(Class::TunnelHeader);
                }
                let size = 8 + 4 * usize::from(header[0] & 0x3f);
                let vni = u32::from_be_bytes([0, header[4], header[5], header[6]]);
                self.take(at, size, Class::TunnelHeader)?;
                self.exists(kind, vni);
                self.by_ethertype(at + 2, at + size)
            }
            Kind::Gre => {
                let header = self.take(at, 4, Class::TunnelHeader)?;
                let flags = u16::from_be_bytes([header[0], header[1]]);
                if flags & 0x4007 != 0 {
                    return Err(Class::TunnelHeader);
                }
                let [checksum, key, sequence] = [0x8000, 0x2000, 0x1000].map(|flag| usize::from(flags & flag != 0) * 4);
                let size = 4 + checksum + key + sequence;
                let header = self.take(at, size, Class::TunnelHeader)?;
                if key == 0 {
                    self.exists(Kind::Gre, 0);
                } else {
                    let key: [u8; 4] = header[4 + checksum..8 + checksum].try_into().expect("four");
                    self.exists(Kind::GreKey, u32::from_be_bytes(key));
                }
                self.by_ethertype(at + 2, at + size)
            }
            _ => {
                self.exists(Kind::IpInIp, 0);
                Ok(if protocol == 4 { Step::Ipv4(at) } else { Step::Ipv6(at) })
            }
        }
    }

    fn exists(&mut self, kind: Kind, identifier: u32) {
        let outer = self.found.outer.as_ref().expect("a tunnel is inside of something");
        let destination = key::address_of(&outer.addresses[1]).expect("an address key");
        self.found.tunnel = kind as u8;
        self.found.ip_tunnel = Some(key::tunnel_key(kind, identifier, destination).to_vec());
    }

    fn by_ethertype(&self, ethertype: usize, payload: usize) -> Outcome<Step> {
        match self.word(ethertype, Class::TunnelHeader)? {
            0x0800 => Ok(Step::Ipv4(payload)),
            0x86dd => Ok(Step::Ipv6(payload)),
            0x6558 => Ok(Step::Ethernet(payload)),
            _ => Err(Class::TunnelPayload),
        }
    }

    fn gtpu(&mut self, mut at: usize) -> Outcome<Step> {
        let header = self.take(at, 8, Class::TunnelHeader)?.to_vec();
        if header[0] >> 4 != 0b0011 {
            return Err(Class::TunnelHeader);
        }
        if header[1] != 255 {
            return Err(Class::TunnelPayload);
        }
        self.exists(Kind::GtpU, u32::from_be_bytes(header[4..8].try_into().expect("four")));
        at += 8;
        let mut next = 0;
        if header[0] & 7 != 0 {
            let optional = self.take(at, 4, Class::TunnelHeader)?;
            next = if header[0] & 4 != 0 { optional[3] } else { 0 };
            at += 4;
        }
        for _ in 0..limits::GTPU_EXTENSION_HEADERS_MAX {
            if next != 0 {
                let size = 4 * usize::from(self.take(at, 1, Class::TunnelHeader)?[0]);
                if size == 0 {
                    return Err(Class::TunnelHeader);
                }
                next = self.take(at, size, Class::TunnelHeader)?[size - 1];
                at += size;
            }
        }
        if next != 0 {
            return Err(Class::TunnelHeader);
        }
        match self.take(at, 1, Class::TunnelPayload)?[0] >> 4 {
            4 => Ok(Step::Ipv4(at)),
            6 => Ok(Step::Ipv6(at)),
            _ => Err(Class::TunnelPayload),
        }
    }

    fn l2tp(&mut self, start: usize) -> Outcome<Step> {
        let flags = self.word(start, Class::TunnelHeader)?;
        if flags & 15 != 2 {
            return Err(Class::TunnelHeader);
        }
        if flags & 0x8000 != 0 {
            return Err(Class::TunnelPayload);
        }
        let mut at = start + if flags & 0x4000 != 0 { 4 } else { 2 };
        let ids: [u8; 4] = self.take(at, 4, Class::TunnelHeader)?.try_into().expect("four");
        at += if flags & 0x0800 != 0 { 8 } else { 4 };
        self.take(start, at - start, Class::TunnelHeader)?;
        if flags & 0x0200 != 0 {
            let padding = usize::from(self.word(at, Class::TunnelHeader)?);
            at += 2;
            if padding % 2 != 0 {
                return Err(Class::TunnelHeader);
            }
            self.take(at, padding, Class::TunnelHeader)?;
            at += padding;
        }
        self.exists(Kind::L2tp, u32::from_be_bytes(ids));
        if self.word(at, Class::TunnelPayload)? == 0xff03 {
            at += 2;
        }
        match self.word(at, Class::TunnelPayload)? {
            0x0021 => Ok(Step::Ipv4(at + 2)),
            0x0057 => Ok(Step::Ipv6(at + 2)),
            _ => Err(Class::TunnelPayload),
        }
    }
}
