//! Ground truth: which frames each warrant selects, and which octets of them it delivers, found by looking at every frame
//! with etherparse. It shares no code with the model, the tables or the gateware.
//!
//! The rules are those that the product states: link headers, the outer IP header, and the inner one of a tunnel over it decide, all within the
//! first 192 bytes of the frame; a frame counts for a warrant if its ingress stamp lies in `[start, effective end)`. Delivered is the whole frame
//! where a target names frames, else the IP packet that matched (the outer one if both did) without padding, or its headers up to the
//! scope's cut. Target packets that a deeper look finds are listed as [`Unsupported`], with the layers that hide them.

mod deep;
mod ip;
mod seen;
mod target;
mod time;

use std::net::IpAddr;

pub use ip::{IpPacket, Ports};
pub use seen::{Seen, SeenTunnel, look};
pub use target::{Target, TunnelName};
pub use time::{tai_from_utc_ns, utc_from_tai_ns};

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
    /// The target is a piece of network, which does not say who sent it.
    Unknown,
}

/// The part of a warrant that decides what is selected.
#[derive(Debug, Clone)]
pub struct Selector {
    /// Its target identifiers; one hit is enough.
    pub targets: Vec<Target>,
    /// Its scope.
    pub scope: Scope,
    /// Length of the prefixes that the card finds in the inner and the outer IP header; others it finds in the innermost.
    pub prefix_bits: Option<u8>,
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
    /// It came in on port B; else on port A.
    pub from_b: bool,
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
    /// The whole IP packet or frame, to tell an over-long delivery from a stranger's packet.
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
        // Datagrams whose first fragment matched by port or inside a tunnel: the others cannot, and are listed.
        let mut split = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let inside = (self.start_ns..self.effective_end_ns()).contains(&frame.stamp_ns);
            let seen = look(frame.data);
            if let Some(hit) = self.hit(&seen, frame.from_b) {
                let (octets, packet) = match hit.packet {
                    None => (frame.data, frame.data),
                    Some(packet) => (packet.delivered(frame.data, self.scope), packet.packet(frame.data)),
                };
                let octets = if inside { octets.to_vec() } else { Vec::new() };
                let (stamp_ns, direction) = (frame.stamp_ns, hit.direction);
                let expected = Expected { frame: index, stamp_ns, direction, octets, packet: packet.to_vec() };
                if inside {
                    selection.selected.push(expected)
                } else {
                    selection.outside.push(expected)
                }
                split.extend(hit.split(&seen));
            } else if inside && let Some(layers) = self.hidden(&seen, frame.data, &split) {
                selection.unsupported.push(Unsupported { frame: index, layers });
            }
        }
        selection
    }

    /// What the frame hits, all targets together.
    fn hit<'a>(&self, seen: &'a Seen, from_b: bool) -> Option<Hit<'a>> {
        let mut ends = Ends::default();
        for target in &self.targets {
            ends.frame(target, seen, from_b);
            ends.packets(target, seen, self.prefix_bits);
        }
        let packet = match (ends.frame, ends.outer, ends.inner) {
            (true, ..) => None,
            (_, true, _) => seen.outer.as_ref(),
            (_, _, true) => seen.inner.as_ref(),
            _ => return None,
        };
        let direction = match (ends.from, ends.to) {
            (true, true) => Direction::Both,
            (true, false) => Direction::FromTarget,
            (false, true) => Direction::ToTarget,
            (false, false) => Direction::Unknown,
        };
        Some(Hit { packet, direction })
    }

    fn hidden(&self, seen: &Seen, frame: &[u8], split: &[(ip::Datagram, &'static str)]) -> Option<String> {
        let mut datagrams = [&seen.outer, &seen.inner].into_iter().flatten().filter_map(|packet| packet.datagram);
        if let Some((_, what)) = datagrams.find_map(|datagram| split.iter().find(|(known, _)| *known == datagram)) {
            return Some((*what).to_owned());
        }
        let is_ours = |packet: &deep::DeepPacket| {
            let alone = Seen { outer: Some(packet.ip.clone()), ..Seen::default() };
            self.hit(&alone, false).is_some()
        };
        deep::packets(frame).into_iter().find(is_ours).map(|packet| packet.layers)
    }
}

/// What a warrant gets of a frame.
struct Hit<'a> {
    /// `None`: the whole frame.
    packet: Option<&'a IpPacket>,
    direction: Direction,
}

impl Hit<'_> {
    /// Datagrams that the frame begins and whose other fragments do not show what was hit, with what those are.
    fn split(&self, seen: &Seen) -> Vec<(ip::Datagram, &'static str)> {
        let is_inner = self.packet.is_some() && self.packet == seen.inner.as_ref();
        let around = seen.outer.as_ref().filter(|_| is_inner).and_then(|outer| outer.datagram);
        let own = self.packet.and_then(|packet| packet.datagram);
        let around = around.map(|datagram| (datagram, "fragment without the tunnel's header"));
        around.into_iter().chain(own.map(|datagram| (datagram, "fragment without ports"))).collect()
    }
}

/// What matched in a frame.
#[derive(Default)]
struct Ends {
    frame: bool,
    outer: bool,
    inner: bool,
    from: bool,
    to: bool,
}

impl Ends {
    /// Targets that name frames.
    fn frame(&mut self, target: &Target, seen: &Seen, from_b: bool) {
        match *target {
            Target::Mac(station) => {
                let [to, from] = seen.stations.map_or([false; 2], |stations| stations.map(|other| other == station));
                self.from |= from;
                self.to |= to;
                self.frame |= from || to;
            }
            Target::Vlan { from_b: wanted, first, second } => {
                let ids = (seen.vlans.first().copied(), seen.vlans.get(1).copied());
                self.frame |= wanted == from_b && ids == (Some(first), second);
            }
            Target::Pppoe { session, destination } => {
                let here = seen.stations.is_some_and(|[to, _]| to == destination);
                self.frame |= here && seen.pppoe == Some(session);
            }
            Target::Mpls { label } => self.frame |= seen.mpls == Some(label),
            _ => {}
        }
    }

    /// Targets that name IP packets.
    fn packets(&mut self, target: &Target, seen: &Seen, prefix_bits: Option<u8>) {
        let (outer, inner) = (seen.outer.as_ref(), seen.inner.as_ref());
        match *target {
            Target::Address(wanted) => {
                self.add(outer, inner, |address, _, _| address == wanted);
            }
            Target::Prefix { network, bits } if network.is_ipv6() && prefix_bits == Some(bits) => {
                self.add(outer, inner, |address, _, _| target::contains(network, bits, address));
            }
            Target::Prefix { network, bits } => {
                self.add_innermost(seen, |address, _, _| target::contains(network, bits, address));
            }
            Target::Endpoint { end, protocol } => {
                self.add_innermost(seen, |address, port, packet| {
                    address == end.ip() && port == Some(end.port()) && packet.protocol == protocol
                });
            }
            Target::Flow { target, peer, protocol } => self.flow(seen, target, peer, protocol),
            Target::Tunnel { kind, identifier, destination } => {
                let wanted = SeenTunnel { kind, identifier };
                if seen.tunnel.as_ref() == Some(&wanted) && outer.is_some_and(|outer| outer.destination == destination)
                {
                    self.inner |= inner.is_some();
                    self.outer |= inner.is_none();
                }
            }
            Target::Pppoe { .. } | Target::Mpls { .. } | Target::Mac(_) | Target::Vlan { .. } => {}
        }
    }

    fn flow(&mut self, seen: &Seen, target: std::net::SocketAddr, peer: std::net::SocketAddr, protocol: u8) {
        let Some(packet) = seen.innermost().filter(|packet| packet.protocol == protocol) else { return };
        let Some(ports) = packet.ports else { return };
        let source = std::net::SocketAddr::new(packet.source, ports.source);
        let destination = std::net::SocketAddr::new(packet.destination, ports.destination);
        let (from, to) = ((source, destination) == (target, peer), (source, destination) == (peer, target));
        self.from |= from;
        self.to |= to;
        self.mark_innermost(seen, from || to);
    }

    fn add(
        &mut self,
        outer: Option<&IpPacket>,
        inner: Option<&IpPacket>,
        is_target: impl Fn(IpAddr, Option<u16>, &IpPacket) -> bool,
    ) {
        self.outer |= self.ends(outer, &is_target);
        self.inner |= self.ends(inner, &is_target);
    }

    fn add_innermost(&mut self, seen: &Seen, is_target: impl Fn(IpAddr, Option<u16>, &IpPacket) -> bool) {
        let hit = self.ends(seen.innermost(), &is_target);
        self.mark_innermost(seen, hit);
    }

    fn mark_innermost(&mut self, seen: &Seen, hit: bool) {
        self.inner |= hit && seen.inner.is_some();
        self.outer |= hit && seen.inner.is_none();
    }

    fn ends(&mut self, packet: Option<&IpPacket>, is_target: &impl Fn(IpAddr, Option<u16>, &IpPacket) -> bool) -> bool {
        let Some(packet) = packet else { return false };
        let from = is_target(packet.source, packet.ports.map(|ports| ports.source), packet);
        let to = is_target(packet.destination, packet.ports.map(|ports| ports.destination), packet);
        self.from |= from;
        self.to |= to;
        from || to
    }
}

#[cfg(test)]
mod tests;
