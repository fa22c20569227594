//! Ethernet around a payload.

/// The port that a frame comes in on. The numbers are those of the capture's interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Side {
    /// Port A: the subscribers.
    A = 0,
    /// Port B: the network.
    B = 1,
}

impl Side {
    /// The opposite port.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// VLAN tags of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// None.
    None,
    /// One 802.1Q tag with this VLAN.
    One(u16),
    /// An 802.1ad service tag and an 802.1Q tag.
    Two(u16, u16),
    /// Three tags: deeper than the card looks.
    Three(u16, u16, u16),
}

pub(super) const ETHERTYPE_IPV4: u16 = 0x0800;
pub(super) const ETHERTYPE_IPV6: u16 = 0x86dd;
const TPID_Q: u16 = 0x8100;
const TPID_AD: u16 = 0x88a8;
const FRAME_BYTES_MIN: usize = 60;

/// Station address of whoever sends on a side.
pub(super) fn station(side: Side) -> [u8; 6] {
    [0x02, 0x57, 0x52, 0x49, 0x54, side as u8 + 1]
}

/// Ethernet frame with padding to the shortest length that Ethernet knows.
pub(super) fn ethernet(side: Side, tags: Tags, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    frame(station(side.other()), station(side), tags, ethertype, payload)
}

pub(super) fn frame(to: [u8; 6], from: [u8; 6], tags: Tags, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 26);
    out.extend_from_slice(&to);
    out.extend_from_slice(&from);
    let stack: &[(u16, u16)] = match tags {
        Tags::None => &[],
        Tags::One(vlan) => &[(TPID_Q, vlan)],
        Tags::Two(service, vlan) => &[(TPID_AD, service), (TPID_Q, vlan)],
        Tags::Three(outer, middle, inner) => &[(TPID_AD, outer), (TPID_Q, middle), (TPID_Q, inner)],
    };
    for (tpid, vlan) in stack {
        out.extend_from_slice(&tpid.to_be_bytes());
        out.extend_from_slice(&(vlan & 0x0fff).to_be_bytes());
    }
    out.extend_from_slice(&ethertype.to_be_bytes());
    out.extend_from_slice(payload);
    // Padding that is not zero shows that nothing of it is delivered.
    while out.len() < FRAME_BYTES_MIN {
        out.push(0x5a);
    }
    out
}

/// Ethernet frame around an IP packet; its version decides the ethertype.
pub(super) fn ip_frame(side: Side, tags: Tags, packet: &[u8]) -> Vec<u8> {
    let version = packet.first().map_or(4, |first| first >> 4);
    ethernet(side, tags, if version == 6 { ETHERTYPE_IPV6 } else { ETHERTYPE_IPV4 }, packet)
}
