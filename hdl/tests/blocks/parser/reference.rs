//! A reading of [`writ_abi::parse`] that takes one header after the other.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::parse::{ParseClass as Class, TPIDS, TunnelKind as Kind};
use writ_abi::{PortSide, key, limits};

/// One IP header and what stands behind it.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(super) struct Layer {
    pub(super) l3_offset: usize,
    pub(super) l3_end: usize,
    pub(super) l4_end: usize,
    pub(super) protocol: u8,
    pub(super) fragment: bool,
    /// Address keys of source and destination.
    pub(super) addresses: [Vec<u8>; 2],
    /// Source and destination port as they stand in the frame.
    pub(super) ports: Option<[u8; 4]>,
}

/// All that the parser makes of a frame.
#[derive(Debug, PartialEq, Eq, Clone, Default)]
pub(super) struct Parse {
    pub(super) class: u8,
    pub(super) vlan_tags: usize,
    pub(super) mpls_labels: usize,
    pub(super) pppoe: bool,
    pub(super) pseudowire: bool,
    /// Number of the tunnel's kind.
    pub(super) tunnel: u8,
    pub(super) inner_ethernet: bool,
    /// Source, destination.
    pub(super) mac: Option<[Vec<u8>; 2]>,
    /// VLAN key without its port.
    pub(super) vlan: Option<Vec<u8>>,
    pub(super) link_tunnel: Option<Vec<u8>>,
    pub(super) ip_tunnel: Option<Vec<u8>>,
    pub(super) outer: Option<Layer>,
    pub(super) inner: Option<Layer>,
}

/// What a walk comes to behind a header.
pub(super) enum Step {
    Ipv4(usize),
    Ipv6(usize),
    Ethernet(usize),
    /// A tunnel over UDP or IP, with its kind (GRE: without a key).
    Tunnel(Kind, usize),
}

/// The window and what was found in it.
pub(super) struct Walk<'a> {
    w: &'a [u8],
    cut: bool,
    pub(super) found: Parse,
}

pub(super) type Outcome<T> = Result<T, Class>;

impl Walk<'_> {
    /// `size` bytes from `at` on, or the class of a header that is missing.
    pub(super) fn take(&self, at: usize, size: usize, missing: Class) -> Outcome<&[u8]> {
        self.w.get(at..at + size).ok_or(if self.cut { Class::WindowExceeded } else { missing })
    }

    pub(super) fn word(&self, at: usize, missing: Class) -> Outcome<u16> {
        let bytes = self.take(at, 2, missing)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn link(&mut self) -> Outcome<Step> {
        let header = self.take(0, 14, Class::Truncated)?;
        let mac = [header[6..12].to_vec(), header[..6].to_vec()];
        let destination: [u8; 6] = header[..6].try_into().expect("six");
        self.found.mac = Some(mac);
        let mut at = 14;
        let mut ids = Vec::new();
        loop {
            let ethertype = self.word(at - 2, Class::Truncated)?;
            if !TPIDS.contains(&ethertype) {
                break;
            }
            if ids.len() == limits::VLAN_TAGS_MAX {
                return Err(Class::VlanDepth);
            }
            self.take(at, 4, Class::Truncated)?;
            ids.push(self.word(at, Class::Truncated)? & 0x0fff);
            at += 4;
            self.found.vlan_tags = ids.len();
            self.found.vlan = Some(key::vlan_key(PortSide::A, ids[0], ids.get(1).copied())[1..].to_vec());
        }
        match self.word(at - 2, Class::Truncated)? {
            0x0800 => Ok(Step::Ipv4(at)),
            0x86dd => Ok(Step::Ipv6(at)),
            0x8864 => {
                let header = self.take(at, 8, Class::Truncated)?;
                if header[0] != 0x11 || header[1] != 0 {
                    return Err(Class::LinkPayload);
                }
                let session = u16::from_be_bytes([header[2], header[3]]);
                let protocol = u16::from_be_bytes([header[6], header[7]]);
                self.found.pppoe = true;
                self.found.link_tunnel = Some(key::pppoe_key(session, destination).to_vec());
                match protocol {
                    0x0021 => Ok(Step::Ipv4(at + 8)),
                    0x0057 => Ok(Step::Ipv6(at + 8)),
                    _ => Err(Class::LinkPayload),
                }
            }
            0x8847 | 0x8848 => self.mpls(at),
            _ => Err(Class::NonIp),
        }
    }

    fn mpls(&mut self, mut at: usize) -> Outcome<Step> {
        loop {
            if self.found.mpls_labels == limits::MPLS_LABELS_MAX {
                return Err(Class::MplsDepth);
            }
            let entry: [u8; 4] = self.take(at, 4, Class::Truncated)?.try_into().expect("four");
            let entry = u32::from_be_bytes(entry);
            self.found.mpls_labels += 1;
            at += 4;
            if entry & 0x100 != 0 {
                self.found.link_tunnel = Some(key::mpls_key(entry >> 12).to_vec());
                break;
            }
        }
        match self.take(at, 1, Class::Truncated)?[0] >> 4 {
            4 => Ok(Step::Ipv4(at)),
            6 => Ok(Step::Ipv6(at)),
            0 => {
                self.take(at, 18, Class::Truncated)?;
                self.found.pseudowire = true;
                self.ethertype(at + 4, Class::Truncated)?.ok_or(Class::LinkPayload)
            }
            _ => Err(Class::LinkPayload),
        }
    }

    /// Behind an Ethernet header that is not the frame's first; `None`: no IP.
    fn ethertype(&self, header: usize, missing: Class) -> Outcome<Option<Step>> {
        let mut at = header + 14;
        for _ in 0..limits::INNER_VLAN_TAGS_MAX {
            if TPIDS.contains(&self.word(at - 2, missing)?) {
                self.take(at, 4, missing)?;
                at += 4;
            }
        }
        Ok(match self.word(at - 2, missing)? {
            0x0800 => Some(Step::Ipv4(at)),
            0x86dd => Some(Step::Ipv6(at)),
            _ => None,
        })
    }

    /// Rules 6 to 8 for the header at `at`. What stands in `self.found` grows with the walk.
    fn ip(&mut self, at: usize, v6: bool, inner: bool) -> Outcome<Step> {
        let (missing, malformed) =
            if inner { (Class::InnerIp, Class::InnerIp) } else { (Class::Truncated, Class::MalformedIp) };
        let fixed = self.take(at, if v6 { 40 } else { 20 }, missing)?.to_vec();
        let (end, ip_end, protocol, addresses): (_, _, _, [IpAddr; 2]) = if v6 {
            if fixed[0] >> 4 != 6 {
                return Err(malformed);
            }
            let address = |i: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&fixed[i..i + 16]).expect("16")).into();
            let payload = usize::from(u16::from_be_bytes([fixed[4], fixed[5]]));
            (at + 40, at + 40 + payload, fixed[6], [address(8), address(24)])
        } else {
            let header = usize::from(fixed[0] & 15) * 4;
            let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
            if fixed[0] >> 4 != 4 || header < 20 || total < header {
                return Err(malformed);
            }
            self.take(at, header, missing)?;
            let address = |i: usize| Ipv4Addr::from(<[u8; 4]>::try_from(&fixed[i..i + 4]).expect("4")).into();
            (at + header, at + total, fixed[9], [address(12), address(16)])
        };
        let mut layer = Layer {
            l3_offset: at,
            l3_end: end,
            l4_end: end,
            protocol,
            fragment: false,
            addresses: addresses.map(|address| key::address_key(address).to_vec()),
            ports: None,
        };
        let later = !v6 && u16::from_be_bytes([fixed[6], fixed[7]]) & 0x1fff != 0;
        let outcome = if later {
            layer.fragment = true;
            Err(Class::Fragment)
        } else {
            self.extensions(&mut layer, v6, ip_end).and_then(|()| self.transport(&mut layer, v6, ip_end))
        };
        *(if inner { &mut self.found.inner } else { &mut self.found.outer }) = Some(layer);
        if let Some(packet) = self.w.get(..ip_end) {
            (self.w, self.cut) = (packet, false);
        }
        outcome
    }

    fn extensions(&self, layer: &mut Layer, v6: bool, ip_end: usize) -> Outcome<()> {
        let mut seen = 0;
        while v6 && [0, 43, 44, 60].contains(&layer.protocol) {
            if seen == limits::IPV6_EXTENSION_HEADERS_MAX {
                return Err(Class::ExtensionDepth);
            }
            seen += 1;
            let start = layer.l3_end;
            let two = self.take(start, 2, Class::L4Truncated)?;
            let size = if layer.protocol == 44 { 8 } else { 8 * (usize::from(two[1]) + 1) };
            let header = self.take(start, size, Class::L4Truncated)?;
            if start + size > ip_end {
                return Err(Class::L4Truncated);
            }
            let later = layer.protocol == 44 && u16::from_be_bytes([header[2], header[3]]) & 0xfff8 != 0;
            layer.protocol = header[0];
            layer.l3_end += size;
            layer.l4_end += size;
            if later {
                layer.fragment = true;
                return Err(Class::Fragment);
            }
        }
        Ok(())
    }

    fn transport(&self, layer: &mut Layer, v6: bool, ip_end: usize) -> Outcome<Step> {
        let start = layer.l3_end;
        let size = match (layer.protocol, v6) {
            (4, _) => return Ok(Step::Tunnel(Kind::IpInIp, start)),
            (41, _) => return Ok(Step::Tunnel(Kind::IpInIp, start)),
            (47, _) => return Ok(Step::Tunnel(Kind::Gre, start)),
            (6, _) => {
                let offset = usize::from(self.take(start, 13, Class::L4Truncated)?[12] >> 4);
                if offset < 5 {
                    return Err(Class::L4Truncated);
                }
                4 * offset
            }
            (132, _) => 12,
            (17, _) | (1, false) | (58, true) => 8,
            _ => return Err(Class::NoPorts),
        };
        let header = self.take(start, size, Class::L4Truncated)?;
        if start + size > ip_end {
            return Err(Class::L4Truncated);
        }
        layer.l4_end = start + size;
        if layer.protocol == 1 || layer.protocol == 58 {
            return Err(Class::NoPorts);
        }
        let ports: [u8; 4] = header[..4].try_into().expect("four");
        layer.ports = Some(ports);
        let [source, destination] = [[ports[0], ports[1]], [ports[2], ports[3]]].map(u16::from_be_bytes);
        let kind = match (layer.protocol == 17, destination) {
            (true, port) if limits::GTPU_PORTS.contains(&port) => Kind::GtpU,
            (true, port) if limits::VXLAN_PORTS.contains(&port) => Kind::Vxlan,
            (true, port) if limits::GENEVE_PORTS.contains(&port) => Kind::Geneve,
            (true, port) if limits::L2TP_PORTS.contains(&port) || limits::L2TP_PORTS.contains(&source) => Kind::L2tp,
            _ => return Err(Class::Ports),
        };
        Ok(Step::Tunnel(kind, start + size))
    }

    /// From the first byte to the class. Nothing but an `Err` ends a walk.
    fn all(&mut self) -> Outcome<core::convert::Infallible> {
        let mut step = self.link()?;
        loop {
            let inner = self.found.outer.is_some();
            step = match step {
                Step::Ipv4(at) => self.ip(at, false, inner)?,
                Step::Ipv6(at) => self.ip(at, true, inner)?,
                Step::Ethernet(at) => {
                    self.take(at, 14, Class::TunnelPayload)?;
                    self.found.inner_ethernet = true;
                    self.ethertype(at, Class::TunnelPayload)?.ok_or(Class::TunnelPayload)?
                }
                Step::Tunnel(..) if self.found.inner.is_some() => return Err(Class::TunnelDepth),
                Step::Tunnel(kind, at) => {
                    let protocol = self.found.outer.as_ref().map_or(0, |outer| outer.protocol);
                    self.tunnel(kind, at, protocol)?
                }
            };
        }
    }
}

/// `w` is the window, no longer than `W`.
pub(super) fn parse(w: &[u8]) -> Parse {
    let mut walk = Walk { w, cut: w.len() == limits::WINDOW_BYTES, found: Parse::default() };
    let Err(class) = walk.all();
    walk.found.class = class as u8;
    walk.found
}
