//! Ground truth: which frames each warrant selects, and which octets of them it delivers, found by looking at every frame
//! with etherparse. It shares no code with the model, the tables or the gateware.
//!
//! The rules are those that the product states: the outermost IP header behind at most two VLAN tags decides; a frame counts for a
//! warrant if its ingress stamp lies in `[start, effective end)`; delivered is the IP packet without link layer and
//! padding, or its headers up to the scope's cut. Target packets that a deeper look finds are listed as
//! [`Unsupported`], with the layers that hide them.

mod deep;
mod outer;
mod time;

use std::net::IpAddr;
use std::{fmt, str};

pub use outer::{Outer, OuterIp, Ports, outermost};
pub use time::{tai_from_utc_ns, utc_from_tai_ns};

/// What a warrant names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Every packet from or to an address.
    Address(IpAddr),
    /// Every packet from or to a port of an address.
    Endpoint {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// IP protocol number: 6, 17 or 132.
        protocol: u8,
    },
}

/// How much of a packet a warrant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole packet.
    Content,
    /// Up to the end of the transport header.
    HeadersL4,
    /// Up to the end of the IP header.
    HeadersL3,
}

impl Scope {
    /// The scope's name on command lines and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::HeadersL4 => "headers_l4",
            Self::HeadersL3 => "headers_l3",
        }
    }
}

/// Which way a packet goes as the target sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The target sent it.
    FromTarget,
    /// The target receives it.
    ToTarget,
    /// Both ends are targets of the warrant.
    Both,
}

/// The part of a warrant that decides what is selected.
#[derive(Debug, Clone)]
pub struct Selector {
    /// Its target identifiers; one hit is enough.
    pub targets: Vec<Target>,
    /// Its scope.
    pub scope: Scope,
    /// First instant of the order, TAI ns.
    pub start_ns: u64,
    /// End of the order as written, TAI ns.
    pub end_ns: u64,
}

/// A frame as the card saw it.
#[derive(Debug, Clone, Copy)]
pub struct StampedFrame<'a> {
    /// Ingress stamp, TAI ns.
    pub stamp_ns: u64,
    /// The frame without its check sequence.
    pub data: &'a [u8],
}

/// One packet that a warrant selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Index of its frame.
    pub frame: usize,
    /// Ingress stamp, TAI ns.
    pub stamp_ns: u64,
    /// Which way it goes.
    pub direction: Direction,
    /// The octets that may be delivered, no more and no fewer.
    pub octets: Vec<u8>,
    /// The whole IP packet, to tell an over-long delivery from a stranger's packet.
    pub packet: Vec<u8>,
}

/// A target packet that the card does not find yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Index of its frame.
    pub frame: usize,
    /// What hides it, for example `mpls/ipv4`.
    pub layers: String,
}

/// What one warrant selects out of a capture.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The packets, in frame order.
    pub selected: Vec<Expected>,
    /// Packets of the target whose stamp lies outside `[start, effective end)`; their `octets` are empty.
    pub outside: Vec<Expected>,
    /// Packets of the target within the time of the order that the card does not find yet.
    pub unsupported: Vec<Unsupported>,
}

/// Ticks in which rows of the card expire.
const EXPIRY_TICK_NS: u64 = 1 << 20;

impl Selector {
    /// The instant from which nothing is selected any more: the order's end, rounded down to a multiple of 2^20 ns, because the card
    /// counts expiry in such ticks and an order must not outlive its end.
    pub fn effective_end_ns(&self) -> u64 {
        self.end_ns - self.end_ns % EXPIRY_TICK_NS
    }

    /// Looks through all frames.
    pub fn select(&self, frames: &[StampedFrame<'_>]) -> Selection {
        let mut selection = Selection::default();
        // Datagrams whose first fragment matched by port: the others cannot, and are listed.
        let mut split = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let inside = (self.start_ns..self.effective_end_ns()).contains(&frame.stamp_ns);
            let outer = outermost(frame.data);
            if let Outer::Ip(ip) = &outer
                && let Some(direction) = self.direction(ip)
            {
                let octets = if inside { ip.delivered(frame.data, self.scope).to_vec() } else { Vec::new() };
                let packet = ip.packet(frame.data).to_vec();
                let expected = Expected { frame: index, stamp_ns: frame.stamp_ns, direction, octets, packet };
                if inside {
                    selection.selected.push(expected)
                } else {
                    selection.outside.push(expected)
                }
                split.extend(ip.datagram);
            } else if inside && let Some(layers) = self.hidden(&outer, frame.data, &split) {
                selection.unsupported.push(Unsupported { frame: index, layers });
            }
        }
        selection
    }

    fn direction(&self, ip: &OuterIp) -> Option<Direction> {
        let hits = |address: IpAddr, port: Option<u16>| {
            self.targets.iter().any(|target| match *target {
                Target::Address(wanted) => wanted == address,
                Target::Endpoint { address: wanted, port: wanted_port, protocol } => {
                    wanted == address && port == Some(wanted_port) && ip.protocol == protocol
                }
            })
        };
        let from = hits(ip.source, ip.ports.map(|ports| ports.source));
        let to = hits(ip.destination, ip.ports.map(|ports| ports.destination));
        match (from, to) {
            (true, true) => Some(Direction::Both),
            (true, false) => Some(Direction::FromTarget),
            (false, true) => Some(Direction::ToTarget),
            (false, false) => None,
        }
    }

    fn hidden(&self, outer: &Outer, frame: &[u8], split: &[outer::Datagram]) -> Option<String> {
        if let Outer::Ip(ip) = outer
            && let Some(datagram) = ip.datagram
            && split.contains(&datagram)
        {
            return Some("fragment without ports".to_owned());
        }
        deep::packets(frame).into_iter().find(|packet| self.direction(&packet.ip).is_some()).map(|packet| packet.layers)
    }
}

impl fmt::Debug for Target {
    /// Says what kind of identifier it is, not whose.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address(IpAddr::V4(_)) => "Target(ipv4)",
            Self::Address(IpAddr::V6(_)) => "Target(ipv6)",
            Self::Endpoint { .. } => "Target(endpoint)",
        })
    }
}

impl fmt::Display for Target {
    /// `KIND=VALUE`, as command lines take it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "ipv4={address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "ipv6={address}"),
            Self::Endpoint { address, port, protocol } => {
                let socket = std::net::SocketAddr::new(*address, *port);
                match protocol {
                    6 => write!(f, "endpoint={socket}/tcp"),
                    17 => write!(f, "endpoint={socket}/udp"),
                    132 => write!(f, "endpoint={socket}/sctp"),
                    other => write!(f, "endpoint={socket}/{other}"),
                }
            }
        }
    }
}

impl str::FromStr for Target {
    type Err = String;

    /// Reads `KIND=VALUE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}`: a target is KIND=VALUE, for example ipv4=192.0.2.1"))?;
        match kind {
            "ipv4" => {
                value.parse().map(|address| Self::Address(IpAddr::V4(address))).map_err(|_| value_error(kind, value))
            }
            "ipv6" => {
                value.parse().map(|address| Self::Address(IpAddr::V6(address))).map_err(|_| value_error(kind, value))
            }
            "endpoint" => endpoint(value),
            other => Err(format!("`{other}`: unknown kind of target; known are ipv4, ipv6 and endpoint")),
        }
    }
}

fn value_error(kind: &str, value: &str) -> String {
    format!("`{value}` is not an {kind} address")
}

fn endpoint(value: &str) -> Result<Target, String> {
    let shape = || format!("`{value}`: an endpoint is ADDR:PORT/PROTO, IPv6 in brackets, PROTO one of tcp, udp, sctp");
    let (socket, protocol) = value.rsplit_once('/').ok_or_else(shape)?;
    let socket: std::net::SocketAddr = socket.parse().map_err(|_| shape())?;
    let protocol = match protocol {
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        _ => return Err(shape()),
    };
    Ok(Target::Endpoint { address: socket.ip(), port: socket.port(), protocol })
}

#[cfg(test)]
mod tests;
