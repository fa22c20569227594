//! A bounded look into encapsulations, only to say what the card does not find yet.

use super::ip::{IpPacket, ipv4, ipv6_up_to};
use super::seen::is_tag;

/// Layers that are opened at most; what lies deeper is not looked for.
const LAYERS_MAX: usize = 10;
const EXTENSION_HEADERS_MAX: usize = 16;

/// An IP packet somewhere in a frame.
pub(super) struct DeepPacket {
    pub(super) ip: IpPacket,
    /// The layers down to it, joined by slashes.
    pub(super) layers: String,
}

/// All IP packets of a frame, the outermost one too, seen without the limits of the card's parser.
pub(super) fn packets(frame: &[u8]) -> Vec<DeepPacket> {
    let mut scan = Scan { found: Vec::new(), path: Vec::new() };
    scan.ethernet(frame);
    scan.found
}

struct Scan {
    found: Vec<DeepPacket>,
    path: Vec<&'static str>,
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..at + 2).map(|field| u16::from_be_bytes([field[0], field[1]]))
}

impl Scan {
    /// Opens a layer unless the path is too long already.
    fn enter(&mut self, layer: &'static str, inside: impl FnOnce(&mut Self)) {
        if self.path.len() < LAYERS_MAX {
            self.path.push(layer);
            inside(self);
            self.path.pop();
        }
    }

    fn ethernet(&mut self, data: &[u8]) {
        if let Some(ether_type) = be16(data, 12) {
            self.ether_type(ether_type, &data[14..]);
        }
    }

    fn ether_type(&mut self, ether_type: u16, data: &[u8]) {
        match ether_type {
            tag if is_tag(tag) => {
                if let Some(next) = be16(data, 2) {
                    self.enter("vlan", |scan| scan.ether_type(next, &data[4..]));
                }
            }
            0x0800 | 0x86dd => self.ip(data),
            0x8847 | 0x8848 => self.enter("mpls", |scan| scan.labels(data)),
            0x8864 => self.enter("pppoe", |scan| scan.ppp(data.get(6..).unwrap_or_default())),
            0x6558 => self.enter("ethernet", |scan| scan.ethernet(data)),
            0x880b => self.enter("ppp", |scan| scan.ppp(data)),
            _ => {}
        }
    }

    fn ppp(&mut self, data: &[u8]) {
        // Address and control field stand in front on L2TP and in PPP over GRE.
        let data = data.strip_prefix(&[0xff, 0x03]).unwrap_or(data);
        let (protocol, rest) = match data {
            // A compressed protocol field is odd in its first byte.
            [short, rest @ ..] if short & 1 == 1 => (u16::from(*short), rest),
            [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
            _ => return,
        };
        if matches!(protocol, 0x0021 | 0x0057) {
            self.ip(rest);
        }
    }

    fn labels(&mut self, mut data: &[u8]) {
        for _ in 0..LAYERS_MAX {
            let [_, _, flags, _, rest @ ..] = data else { return };
            data = rest;
            if flags & 1 == 0 {
                continue;
            }
            match data.first().map(|first| first >> 4) {
                Some(4 | 6) => self.ip(data),
                Some(0) => self.enter("pseudowire", |scan| scan.ethernet(data.get(4..).unwrap_or_default())),
                Some(_) => self.enter("pseudowire", |scan| scan.ethernet(data)),
                None => {}
            }
            return;
        }
    }

    fn ip(&mut self, data: &[u8]) {
        let (name, found) = match data.first().map(|first| first >> 4) {
            Some(4) => ("ipv4", ipv4(data, 0)),
            Some(6) => ("ipv6", ipv6_up_to(data, 0, EXTENSION_HEADERS_MAX)),
            _ => return,
        };
        let Some(ip) = found else { return };
        self.enter(name, |scan| {
            scan.found.push(DeepPacket { ip: ip.clone(), layers: scan.path.join("/") });
            let payload = data.get(ip.l3_end..ip.ip_end.min(data.len())).unwrap_or_default();
            match (ip.protocol, ip.ports) {
                (4 | 41, _) => scan.ip(payload),
                (47, _) => scan.enter("gre", |scan| scan.gre(payload)),
                (137, _) => scan.enter("mpls", |scan| scan.labels(payload)),
                (17, Some(ports)) => scan.udp(ports.destination, ports.source, payload.get(8..).unwrap_or_default()),
                _ => {}
            }
        });
    }

    fn udp(&mut self, destination: u16, source: u16, data: &[u8]) {
        match destination {
            2152 => self.enter("gtp-u", |scan| scan.gtp(data)),
            4789 => self.enter("vxlan", |scan| scan.ethernet(data.get(8..).unwrap_or_default())),
            6081 => self.enter("geneve", |scan| scan.geneve(data)),
            6635 => self.enter("mpls", |scan| scan.labels(data)),
            _ if destination == 1701 || source == 1701 => self.enter("l2tp", |scan| scan.l2tp(data)),
            _ if source == 2152 => self.enter("gtp-u", |scan| scan.gtp(data)),
            _ => {}
        }
    }

    fn gre(&mut self, data: &[u8]) {
        let (Some(flags), Some(protocol)) = (be16(data, 0), be16(data, 2)) else { return };
        let mut offset = 4;
        for bit in [0x8000, 0x2000, 0x1000] {
            if flags & bit != 0 {
                offset += 4;
            }
        }
        // The acknowledgement number exists in version 1 (PPTP) only.
        if flags & 0x0007 == 1 && flags & 0x0080 != 0 {
            offset += 4;
        }
        self.ether_type(protocol, data.get(offset..).unwrap_or_default());
    }

    fn gtp(&mut self, data: &[u8]) {
        let [flags, 0xff, ..] = data else { return };
        let mut offset = 8;
        if flags & 0x07 != 0 {
            let mut next = data.get(11).copied().unwrap_or_default();
            offset = 12;
            for _ in 0..LAYERS_MAX {
                if next == 0 || flags & 0x04 == 0 {
                    break;
                }
                let length = usize::from(data.get(offset).copied().unwrap_or_default()) * 4;
                if length == 0 {
                    return;
                }
                next = data.get(offset + length - 1).copied().unwrap_or_default();
                offset += length;
            }
        }
        self.ip(data.get(offset..).unwrap_or_default());
    }

    fn geneve(&mut self, data: &[u8]) {
        let (Some(first), Some(protocol)) = (data.first(), be16(data, 2)) else { return };
        let offset = 8 + usize::from(first & 0x3f) * 4;
        self.ether_type(protocol, data.get(offset..).unwrap_or_default());
    }

    fn l2tp(&mut self, data: &[u8]) {
        let Some(flags) = be16(data, 0) else { return };
        if flags & 0x8000 != 0 {
            return;
        }
        let mut offset = 6 + if flags & 0x4000 != 0 { 2 } else { 0 } + if flags & 0x0800 != 0 { 4 } else { 0 };
        if flags & 0x0200 != 0 {
            offset += 2 + usize::from(be16(data, offset).unwrap_or_default());
        }
        self.ppp(data.get(offset..).unwrap_or_default());
    }
}
