//! What a frame's headers are, by the product's stated limits: link, outer IP packet, tunnel, inner IP packet.

use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use super::ip::{IpPacket, ipv4, ipv6};
use super::target::TunnelName;

const ETHERNET_BYTES: usize = 14;
const TAG_BYTES: usize = 4;
const TAGS_MAX: usize = 3;
const INNER_TAGS_MAX: usize = 2;
const LABELS_MAX: usize = 4;
const GTP_EXTENSION_HEADERS_MAX: usize = 2;
/// A header counts only if it ends within this many bytes of the frame.
const WINDOW_BYTES: usize = 192;

/// A tunnel over the outer IP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTunnel {
    /// Its kind, as targets name it.
    pub kind: TunnelName,
    /// Its identifier, if it carries one.
    pub identifier: Option<u32>,
}

/// The headers of a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Destination and source station.
    pub stations: Option<[[u8; 6]; 2]>,
    /// VLAN ids, outermost first.
    pub vlans: Vec<u16>,
    /// PPPoE session.
    pub pppoe: Option<u16>,
    /// MPLS label at the bottom of the stack.
    pub mpls: Option<u32>,
    /// The outer IP packet.
    pub outer: Option<IpPacket>,
    /// The tunnel over it.
    pub tunnel: Option<SeenTunnel>,
    /// The IP packet inside the tunnel.
    pub inner: Option<IpPacket>,
}

impl Seen {
    /// The inner IP packet, or the only one.
    pub fn innermost(&self) -> Option<&IpPacket> {
        self.inner.as_ref().or(self.outer.as_ref())
    }
}

/// Looks at a frame without its check sequence.
pub fn look(frame: &[u8]) -> Seen {
    let window = &frame[..frame.len().min(WINDOW_BYTES)];
    let mut seen = Seen::default();
    // Where a header is missing or strange the look ends, and what was seen by then counts.
    let _ = link(window, &mut seen);
    if let Some(outer) = seen.outer.clone() {
        // Padding and trailers belong to no packet.
        let packet = &window[..outer.ip_end.min(window.len())];
        let _ = tunnel(packet, &outer, &mut seen);
    }
    seen
}

fn byte(window: &[u8], at: usize) -> Option<u8> {
    window.get(at).copied()
}

fn be16(window: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*window.get(at..)?.first_chunk()?))
}

fn be32(window: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*window.get(at..)?.first_chunk()?))
}

/// An Ethernet header with tags: ethertype, VLAN ids, end.
fn ethernet(window: &[u8], at: usize, tags_max: usize) -> Option<(u16, Vec<u16>, usize)> {
    let mut ether_type = Ethernet2HeaderSlice::from_slice(window.get(at..)?).ok()?.ether_type().0;
    let mut offset = at + ETHERNET_BYTES;
    let mut vlans = Vec::new();
    while is_tag(ether_type) && vlans.len() < tags_max {
        let Some(tag) = window.get(offset..).and_then(|rest| SingleVlanHeaderSlice::from_slice(rest).ok()) else {
            // The tags before it count.
            return Some((0, vlans, window.len()));
        };
        vlans.push(tag.vlan_identifier().value());
        ether_type = tag.ether_type().0;
        offset += TAG_BYTES;
    }
    Some((ether_type, vlans, offset))
}

pub(super) fn is_tag(ether_type: u16) -> bool {
    matches!(ether_type, 0x8100 | 0x88a8 | 0x9100)
}

fn ip_by_ethertype(window: &[u8], ether_type: u16, at: usize) -> Option<IpPacket> {
    match ether_type {
        0x0800 => ipv4(window, at),
        0x86dd => ipv6(window, at),
        _ => None,
    }
}

/// By the first half of its first byte.
fn ip_by_version(window: &[u8], at: usize) -> Option<IpPacket> {
    match byte(window, at)? >> 4 {
        4 => ipv4(window, at),
        6 => ipv6(window, at),
        _ => None,
    }
}

fn ip_by_ppp(window: &[u8], at: usize) -> Option<IpPacket> {
    match be16(window, at)? {
        0x0021 => ipv4(window, at + 2),
        0x0057 => ipv6(window, at + 2),
        _ => None,
    }
}

fn link(window: &[u8], seen: &mut Seen) -> Option<()> {
    let (ether_type, vlans, at) = ethernet(window, 0, TAGS_MAX)?;
    let header = Ethernet2HeaderSlice::from_slice(window).ok()?;
    seen.stations = Some([header.destination(), header.source()]);
    seen.vlans = vlans;
    match ether_type {
        0x8864 => {
            if window.get(at..at + 8)?[..2] != [0x11, 0] {
                return None;
            }
            seen.pppoe = be16(window, at + 2);
            seen.outer = ip_by_ppp(window, at + 6);
        }
        0x8847 | 0x8848 => {
            let labels: Vec<u32> = (0..LABELS_MAX).map_while(|label| be32(window, at + 4 * label)).collect();
            let bottom = labels.iter().position(|label| label & 0x100 != 0)?;
            seen.mpls = Some(labels[bottom] >> 12);
            let at = at + 4 * (bottom + 1);
            seen.outer = match byte(window, at)? >> 4 {
                0 => {
                    let (ether_type, _, at) = ethernet(window, at + 4, INNER_TAGS_MAX)?;
                    ip_by_ethertype(window, ether_type, at)
                }
                _ => ip_by_version(window, at),
            };
        }
        other => seen.outer = ip_by_ethertype(window, other, at),
    }
    Some(())
}

fn tunnel(window: &[u8], outer: &IpPacket, seen: &mut Seen) -> Option<()> {
    if outer.is_later_fragment {
        return None;
    }
    let at = outer.l4_end;
    match (outer.protocol, outer.ports) {
        (4 | 41, _) => {
            seen.tunnel = Some(SeenTunnel { kind: "ipip", identifier: None });
            seen.inner = if outer.protocol == 4 { ipv4(window, at) } else { ipv6(window, at) };
        }
        (47, _) => gre(window, at, seen)?,
        (17, Some(ports)) => match (ports.source, ports.destination) {
            (_, 2152) => gtp(window, at, seen)?,
            (_, 4789) => {
                if byte(window, at)? & 0x08 == 0 {
                    return None;
                }
                let identifier = Some(be32(window, at + 4)? >> 8);
                seen.tunnel = Some(SeenTunnel { kind: "vxlan", identifier });
                seen.inner = inner_ethernet(window, at + 8);
            }
            (_, 6081) => {
                let end = at + 8 + usize::from(byte(window, at)? & 0x3f) * 4;
                if byte(window, at)? >> 6 != 0 || end > window.len() {
                    return None;
                }
                seen.tunnel = Some(SeenTunnel { kind: "geneve", identifier: Some(be32(window, at + 4)? >> 8) });
                seen.inner = inner_by_ethertype(window, be16(window, at + 2)?, end);
            }
            (1701, _) | (_, 1701) => l2tp(window, at, seen)?,
            _ => {}
        },
        _ => {}
    }
    Some(())
}

fn inner_ethernet(window: &[u8], at: usize) -> Option<IpPacket> {
    let (ether_type, _, at) = ethernet(window, at, INNER_TAGS_MAX)?;
    ip_by_ethertype(window, ether_type, at)
}

fn inner_by_ethertype(window: &[u8], ether_type: u16, at: usize) -> Option<IpPacket> {
    if ether_type == 0x6558 { inner_ethernet(window, at) } else { ip_by_ethertype(window, ether_type, at) }
}

fn gre(window: &[u8], at: usize, seen: &mut Seen) -> Option<()> {
    let (flags, protocol) = (be16(window, at)?, be16(window, at + 2)?);
    if flags & 0x4007 != 0 {
        return None;
    }
    let fields = [0x8000, 0x2000, 0x1000].map(|flag| usize::from(flags & flag != 0));
    let end = at + 4 + 4 * fields.iter().sum::<usize>();
    if end > window.len() {
        return None;
    }
    let identifier = if fields[1] == 1 { be32(window, at + 4 + 4 * fields[0]) } else { None };
    seen.tunnel = Some(SeenTunnel { kind: "gre", identifier });
    seen.inner = inner_by_ethertype(window, protocol, end);
    Some(())
}

fn gtp(window: &[u8], at: usize, seen: &mut Seen) -> Option<()> {
    let flags = byte(window, at)?;
    let identifier = be32(window, at + 4)?;
    // Version 1, protocol type GTP.
    if flags >> 5 != 1 || flags & 0x10 == 0 || byte(window, at + 1)? != 255 {
        return None;
    }
    seen.tunnel = Some(SeenTunnel { kind: "gtpu", identifier: Some(identifier) });
    let mut end = at + 8;
    if flags & 0x07 != 0 {
        let mut next = byte(window, end + 3)?;
        end += 4;
        if flags & 0x04 != 0 {
            for _ in 0..GTP_EXTENSION_HEADERS_MAX {
                if next == 0 {
                    break;
                }
                let length = 4 * usize::from(byte(window, end)?);
                if length == 0 {
                    return None;
                }
                next = byte(window, end + length - 1)?;
                end += length;
            }
            if next != 0 {
                return None;
            }
        }
    }
    seen.inner = ip_by_version(window, end);
    Some(())
}

fn l2tp(window: &[u8], at: usize, seen: &mut Seen) -> Option<()> {
    let flags = be16(window, at)?;
    if flags & 0x0f != 2 || flags & 0x8000 != 0 {
        return None;
    }
    let mut end = at + 2 + if flags & 0x4000 != 0 { 2 } else { 0 };
    let identifier = be32(window, end)?;
    end += 4 + if flags & 0x0800 != 0 { 4 } else { 0 };
    if flags & 0x0200 != 0 {
        let pad = usize::from(be16(window, end)?);
        if pad % 2 == 1 {
            return None;
        }
        end += 2 + pad;
    }
    if end > window.len() {
        return None;
    }
    seen.tunnel = Some(SeenTunnel { kind: "l2tp", identifier: Some(identifier) });
    if be16(window, end)? == 0xff03 {
        end += 2;
    }
    seen.inner = ip_by_ppp(window, end);
    Some(())
}
