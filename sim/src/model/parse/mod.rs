//! The parser, from the normative text of [`writ_abi::parse`]; the numbers in the comments are its rules.
//!
//! Every rule is a function of its own. What it returns as an error is the class that ends the walk; what the walk had found by then stays in
//! [`Parsed`].

mod ip;
mod keys;
mod link;
mod tunnel;

pub use keys::{five_tuple, key_of};

use std::net::IpAddr;
use writ_abi::limits::{FCS_BYTES, WINDOW_BYTES};
use writ_abi::parse::{ParseClass, TunnelKind};

/// What the parser makes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The class that is counted.
    pub class: ParseClass,
    /// Destination and source MAC address, if the Ethernet header is present.
    pub mac: Option<[[u8; 6]; 2]>,
    /// The VLAN id of each tag that was wholly parsed.
    pub vlan_ids: Vec<u16>,
    /// The PPPoE session that the frame is in.
    pub pppoe_session: Option<u16>,
    /// MPLS labels that were wholly parsed.
    pub mpls_labels: u8,
    /// The label with the bottom-of-stack bit, if it was found.
    pub bottom_label: Option<u32>,
    /// There is a pseudowire's Ethernet header.
    pub pseudowire: bool,
    /// The outer IP header.
    pub outer: Option<IpHeader>,
    /// Kind and identifier of the tunnel over the outer IP header.
    pub tunnel: Option<(TunnelKind, u32)>,
    /// There is an Ethernet header inside the tunnel.
    pub inner_ethernet: bool,
    /// The inner IP header.
    pub inner: Option<IpHeader>,
}

/// An IP header with what was found behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpHeader {
    /// Its first byte.
    pub l3_offset: usize,
    /// Its end, with the IPv6 extension headers that were wholly parsed.
    pub l3_end: usize,
    /// End of the transport header that was found good, else `l3_end`.
    pub l4_end: usize,
    /// IPv4's protocol, or the next header behind the last extension header that was wholly parsed.
    pub protocol: u8,
    /// It is a fragment that is not the first.
    pub is_fragment: bool,
    /// Source and destination address.
    pub addresses: [IpAddr; 2],
    /// Source and destination port.
    pub ports: Option<[u16; 2]>,
}

impl Parsed {
    /// The inner IP header, or the outer one if there is no inner.
    pub fn innermost(&self) -> Option<&IpHeader> {
        self.inner.as_ref().or(self.outer.as_ref())
    }
}

/// Parses a frame as it is on the wire, FCS included. Any bytes will do.
pub fn parse(frame: &[u8]) -> Parsed {
    let mut walk = Walk::new(frame);
    let class = walk.frame().unwrap_or_else(|class| class);
    Parsed { class, ..walk.found }
}

/// Which IP header comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V4,
    V6,
}

impl Version {
    fn of_ethertype(ethertype: u16) -> Option<Self> {
        match ethertype {
            0x0800 => Some(Self::V4),
            0x86dd => Some(Self::V6),
            _ => None,
        }
    }

    /// By the protocol of PPP.
    fn of_ppp(protocol: u16) -> Option<Self> {
        match protocol {
            0x0021 => Some(Self::V4),
            0x0057 => Some(Self::V6),
            _ => None,
        }
    }

    /// By the upper half of an IP header's first byte.
    fn of_first_byte(byte: u8) -> Option<Self> {
        match byte >> 4 {
            4 => Some(Self::V4),
            6 => Some(Self::V6),
            _ => None,
        }
    }
}

/// The walk through a frame: the window, and what was found so far.
struct Walk<'a> {
    window: &'a [u8],
    /// The frame is longer than the window.
    goes_on: bool,
    found: Parsed,
}

impl<'a> Walk<'a> {
    fn new(frame: &'a [u8]) -> Self {
        let bytes = frame.len().saturating_sub(FCS_BYTES).min(WINDOW_BYTES);
        let goes_on = bytes == WINDOW_BYTES;
        let found = Parsed {
            class: ParseClass::NonIp,
            mac: None,
            vlan_ids: Vec::new(),
            pppoe_session: None,
            mpls_labels: 0,
            bottom_label: None,
            pseudowire: false,
            outer: None,
            tunnel: None,
            inner_ethernet: false,
            inner: None,
        };
        Self { window: &frame[..bytes], goes_on, found }
    }

    /// The bytes of a header, if it is present: `(missing: X)`.
    fn present(&self, at: usize, bytes: usize, missing: ParseClass) -> Result<&'a [u8], ParseClass> {
        let otherwise = if self.goes_on { ParseClass::WindowExceeded } else { missing };
        self.window.get(at..at + bytes).ok_or(otherwise)
    }

    /// The whole frame. Both results are the class.
    fn frame(&mut self) -> Result<ParseClass, ParseClass> {
        let (version, at) = self.link()?;
        let (mut outer, ip_end) = self.ip_header(version, at, ParseClass::Truncated, ParseClass::MalformedIp)?;
        let behind = self.behind_ip(&mut outer, ip_end);
        self.found.outer = Some(outer);
        // What stands behind the packet is not part of it.
        if let Some(packet) = self.window.get(..ip_end) {
            (self.window, self.goes_on) = (packet, false);
        }
        let (version, at) = self.tunnel(&outer, behind?)?;

        let (mut inner, ip_end) = self.ip_header(version, at, ParseClass::InnerIp, ParseClass::InnerIp)?;
        let behind = self.behind_ip(&mut inner, ip_end);
        self.found.inner = Some(inner);
        // Rule 11: a tunnel in the tunnel.
        behind.map(|_| ParseClass::TunnelDepth)
    }
}

/// The number in network order at the start of `bytes`; callers have checked that it is there.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) << 16 | u32::from(u16_at(bytes, at + 2))
}
