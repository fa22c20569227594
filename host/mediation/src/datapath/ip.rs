//! The IP packet inside a frame, and how much of it a scope may see.

use super::Packet;
use crate::task::Scope;
use writ_handover::{pspdu, x2x3};

/// The IP packet of a record.
#[derive(Clone, Copy)]
pub(super) struct IpView<'a> {
    captured: &'a [u8],
    is_v6: bool,
    l3_offset: usize,
    l3_end: usize,
    l4_end: usize,
    /// Where the IP packet ends by its own length; what follows in the frame is padding.
    ip_end: usize,
    flow: x2x3::Flow,
}

/// Both numberings of the direction.
#[derive(Clone, Copy)]
pub(super) struct Direction {
    pub(super) handover: pspdu::PayloadDirection,
    pub(super) x: x2x3::PayloadDirection,
}

impl Direction {
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
    /// `None` if the record contradicts itself: the card only copies IP packets of which it saw the whole IP header.
    pub(super) fn new(packet: &Packet<'a>) -> Option<Self> {
        let Packet { captured, l3_offset, l3_end, l4_end, .. } = *packet;
        let ip = captured.get(l3_offset..)?;
        let (is_v6, length, addresses) = match ip.first()? >> 4 {
            4 => {
                let header = ip.first_chunk::<20>()?;
                let addresses = x2x3::Addresses::V4 {
                    source: [header[12], header[13], header[14], header[15]],
                    destination: [header[16], header[17], header[18], header[19]],
                };
                (false, usize::from(u16::from_be_bytes([header[2], header[3]])), addresses)
            }
            6 => {
                let header = ip.first_chunk::<40>()?;
                let (mut source, mut destination) = ([0; 16], [0; 16]);
                source.copy_from_slice(&header[8..24]);
                destination.copy_from_slice(&header[24..40]);
                let length = 40 + usize::from(u16::from_be_bytes([header[4], header[5]]));
                (true, length, x2x3::Addresses::V6 { source, destination })
            }
            _ => return None,
        };
        let ip_end = l3_offset + length;
        if l3_end <= l3_offset || l4_end < l3_end || l4_end > ip_end || l3_end > captured.len() {
            return None;
        }
        let ports = (packet.l4_offset == l3_end && matches!(packet.protocol, 6 | 17 | 132))
            .then(|| captured.get(l3_end..l3_end + 4))
            .flatten()
            .map(|ports| x2x3::Ports {
                source: u16::from_be_bytes([ports[0], ports[1]]),
                destination: u16::from_be_bytes([ports[2], ports[3]]),
            });
        let flow = x2x3::Flow { addresses, ports, protocol: Some(packet.protocol) };
        Some(Self { captured, is_v6, l3_offset, l3_end, l4_end, ip_end, flow })
    }

    pub(super) fn format(&self) -> x2x3::PayloadFormat {
        if self.is_v6 { x2x3::PayloadFormat::Ipv6 } else { x2x3::PayloadFormat::Ipv4 }
    }

    /// The only place where a scope becomes octets: what of the IP packet a task with `scope` may see, as far as it was captured.
    pub(super) fn cut(&self, scope: Scope) -> &'a [u8] {
        let end = match scope {
            Scope::Content => self.ip_end,
            Scope::HeadersL4 => self.l4_end,
            Scope::HeadersL3 => self.l3_end,
        };
        let end = end.min(self.ip_end).min(self.captured.len());
        &self.captured[self.l3_offset..end]
    }

    /// Length of the IP packet by its own header.
    pub(super) fn length(&self) -> usize {
        self.ip_end - self.l3_offset
    }

    /// Octets that the scope would see of a packet that was captured whole.
    pub(super) fn wanted(&self, scope: Scope) -> usize {
        let end = match scope {
            Scope::Content => self.ip_end,
            Scope::HeadersL4 => self.l4_end,
            Scope::HeadersL3 => self.l3_end,
        };
        end - self.l3_offset
    }

    /// Attributes 10 to 16: ports only where the scope reaches them.
    pub(super) fn flow(&self, scope: Scope) -> x2x3::Flow {
        let ports = self.flow.ports.filter(|_| scope > Scope::HeadersL3);
        x2x3::Flow { ports, ..self.flow }
    }
}
