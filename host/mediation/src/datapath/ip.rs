//! What a task sees of a frame: the IP packet of one layer or the whole frame, and how much of it a scope may see.

use super::{IpHeader, Packet};
use crate::task::Scope;
use writ_handover::{pspdu, x2x3};

/// Octets of an IPv4 header without options.
const IPV4_OCTETS: usize = 20;
/// Octets of an IPv6 header without extension headers.
const IPV6_OCTETS: usize = 40;

/// An IP packet of a record.
#[derive(Clone, Copy)]
pub(super) struct IpView<'a> {
    captured: &'a [u8],
    is_v6: bool,
    l3_offset: usize,
    l3_end: usize,
    l4_end: usize,
    /// Where the IP packet ends by its own length.
    ip_end: usize,
    /// Where it ends in what was captured: what follows is padding of the frame, or lies outside the packet around it.
    available_end: usize,
    protocol: u8,
    has_ports: bool,
}

/// Both numberings of the direction.
#[derive(Clone, Copy)]
pub(super) struct Direction {
    pub(super) handover: pspdu::PayloadDirection,
    pub(super) x: x2x3::PayloadDirection,
}

impl Direction {
    /// Neither: what matched names a piece of network and no end.
    pub(super) const fn new(from_target: bool, to_target: bool) -> Self {
        match (from_target, to_target) {
            (true, true) => Self { handover: pspdu::PayloadDirection::Combined, x: x2x3::PayloadDirection::Multiple },
            (true, false) => {
                Self { handover: pspdu::PayloadDirection::FromTarget, x: x2x3::PayloadDirection::FromTarget }
            }
            (false, true) => Self { handover: pspdu::PayloadDirection::ToTarget, x: x2x3::PayloadDirection::ToTarget },
            (false, false) => {
                Self { handover: pspdu::PayloadDirection::Indeterminate, x: x2x3::PayloadDirection::Unknown }
            }
        }
    }
}

impl<'a> IpView<'a> {
    /// The packet whose header the card found there, none of it behind `end`. `None` if the record contradicts itself: the card only says
    /// so of IP packets of which it saw the whole IP header.
    fn new(captured: &'a [u8], header: &IpHeader, end: usize) -> Option<Self> {
        let IpHeader { l3_offset, l3_end, l4_end, .. } = *header;
        let ip = captured.get(l3_offset..)?;
        let (is_v6, length) = match ip.first()? >> 4 {
            4 => {
                let header = ip.first_chunk::<IPV4_OCTETS>()?;
                (false, usize::from(u16::from_be_bytes([header[2], header[3]])))
            }
            6 => {
                let header = ip.first_chunk::<IPV6_OCTETS>()?;
                (true, IPV6_OCTETS + usize::from(u16::from_be_bytes([header[4], header[5]])))
            }
            _ => return None,
        };
        let ip_end = l3_offset + length;
        let available_end = ip_end.min(captured.len()).min(end);
        if l3_end <= l3_offset || l4_end < l3_end || l4_end > ip_end || l3_end > available_end {
            return None;
        }
        let IpHeader { protocol, has_ports, .. } = *header;
        Some(Self { captured, is_v6, l3_offset, l3_end, l4_end, ip_end, available_end, protocol, has_ports })
    }

    /// Where a scope ends in a packet that was captured whole.
    const fn end(&self, scope: Scope) -> usize {
        match scope {
            Scope::Content => self.ip_end,
            Scope::HeadersL4 => self.l4_end,
            Scope::HeadersL3 => self.l3_end,
        }
    }

    /// Addresses, and ports where the scope reaches them. `None` is never seen: `new` has found the whole header.
    #[inline]
    fn flow(&self, scope: Scope) -> Option<x2x3::Flow> {
        let ip = self.captured.get(self.l3_offset..)?;
        let addresses = if self.is_v6 {
            let header = ip.first_chunk::<IPV6_OCTETS>()?;
            let (mut source, mut destination) = ([0; 16], [0; 16]);
            source.copy_from_slice(&header[8..24]);
            destination.copy_from_slice(&header[24..40]);
            x2x3::Addresses::V6 { source, destination }
        } else {
            let header = ip.first_chunk::<IPV4_OCTETS>()?;
            x2x3::Addresses::V4 {
                source: [header[12], header[13], header[14], header[15]],
                destination: [header[16], header[17], header[18], header[19]],
            }
        };
        let ports = if scope > Scope::HeadersL3 { self.ports() } else { None };
        Some(x2x3::Flow { addresses, ports, protocol: Some(self.protocol) })
    }

    #[inline]
    fn ports(&self) -> Option<x2x3::Ports> {
        let is_there = self.has_ports && self.l4_end - self.l3_end >= 4;
        let ports = self.captured.get(self.l3_end..)?.first_chunk::<4>().filter(|_| is_there)?;
        Some(x2x3::Ports {
            source: u16::from_be_bytes([ports[0], ports[1]]),
            destination: u16::from_be_bytes([ports[2], ports[3]]),
        })
    }
}

/// The views of a record. Of a packet without a tunnel there is an outer one only.
pub(super) struct Views<'a> {
    captured: &'a [u8],
    original_bytes: usize,
    outer: Option<IpView<'a>>,
    inner: Option<IpView<'a>>,
}

impl<'a> Views<'a> {
    #[inline]
    pub(super) fn new(packet: &Packet<'a>) -> Self {
        let Packet { captured, original_bytes, .. } = *packet;
        let outer = packet.outer.and_then(|header| IpView::new(captured, &header, captured.len()));
        // An inner packet without one around it is no inner packet.
        let inner =
            outer.zip(packet.inner).and_then(|(outer, header)| IpView::new(captured, &header, outer.available_end));
        Self { captured, original_bytes, outer, inner }
    }

    /// The outer or the inner IP packet.
    pub(super) fn ip(&self, inner: bool) -> Option<View<'a>> {
        let view = if inner { self.inner } else { self.outer };
        view.map(View::Ip)
    }

    /// The whole frame.
    pub(super) fn frame(&self) -> View<'a> {
        let flow = self.outer.and_then(|ip| ip.flow(Scope::Content));
        View::Frame { captured: self.captured, original_bytes: self.original_bytes, flow }
    }
}

/// What one task sees.
#[derive(Clone, Copy)]
pub(super) enum View<'a> {
    /// An IP packet.
    Ip(IpView<'a>),
    /// The frame as it was on the wire, without its check sequence. For content only.
    Frame {
        captured: &'a [u8],
        original_bytes: usize,
        /// Of the outermost IP packet in it, if there is one.
        flow: Option<x2x3::Flow>,
    },
}

impl<'a> View<'a> {
    pub(super) const fn format(&self) -> x2x3::PayloadFormat {
        match self {
            Self::Ip(ip) if ip.is_v6 => x2x3::PayloadFormat::Ipv6,
            Self::Ip(_) => x2x3::PayloadFormat::Ipv4,
            Self::Frame { .. } => x2x3::PayloadFormat::Ethernet,
        }
    }

    /// The only place where a scope becomes octets: what a task with `scope` may see, as far as it was captured.
    pub(super) fn cut(&self, scope: Scope) -> &'a [u8] {
        match self {
            Self::Ip(ip) => &ip.captured[ip.l3_offset..ip.end(scope).min(ip.available_end)],
            Self::Frame { captured, .. } if scope == Scope::Content => captured,
            Self::Frame { .. } => &[],
        }
    }

    /// Length of what the scope would see of the whole.
    pub(super) const fn wanted(&self, scope: Scope) -> usize {
        match self {
            Self::Ip(ip) => ip.end(scope) - ip.l3_offset,
            Self::Frame { original_bytes, .. } => match scope {
                Scope::Content => *original_bytes,
                Scope::HeadersL4 | Scope::HeadersL3 => 0,
            },
        }
    }

    /// Attributes 10 to 16: ports only where the scope reaches them.
    pub(super) fn flow(&self, scope: Scope) -> Option<x2x3::Flow> {
        match self {
            Self::Ip(ip) => ip.flow(scope),
            Self::Frame { flow, .. } => *flow,
        }
    }
}
