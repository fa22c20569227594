//! What a warrant names, as command lines write it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A tunnel over IP, by its kind as targets name it.
pub type TunnelName = &'static str;

/// Kinds of tunnel over IP.
const TUNNELS: [TunnelName; 6] = ["gtpu", "vxlan", "geneve", "gre", "l2tp", "ipip"];

/// What a warrant names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Every packet from or to an address.
    Address(IpAddr),
    /// Every packet from or to an address of a prefix.
    Prefix {
        /// First address.
        network: IpAddr,
        /// Length.
        bits: u8,
    },
    /// Every packet from or to a port of an address.
    Endpoint {
        /// Address and port.
        end: SocketAddr,
        /// IP protocol number: 6, 17 or 132.
        protocol: u8,
    },
    /// Every packet between two ports.
    Flow {
        /// The target's end.
        target: SocketAddr,
        /// The other end.
        peer: SocketAddr,
        /// IP protocol number.
        protocol: u8,
    },
    /// What a tunnel over IP carries towards an address.
    Tunnel {
        /// Kind.
        kind: TunnelName,
        /// Identifier; `None` where the tunnel carries none.
        identifier: Option<u32>,
        /// Destination of the outer packet.
        destination: IpAddr,
    },
    /// The frames of a PPPoE session towards a station.
    Pppoe {
        /// Session.
        session: u16,
        /// Destination.
        destination: [u8; 6],
    },
    /// The frames under an MPLS label.
    Mpls {
        /// The label at the bottom of the stack.
        label: u32,
    },
    /// The frames from or to a station.
    Mac([u8; 6]),
    /// The frames of a VLAN that come in on a port.
    Vlan {
        /// On port B; else on port A.
        from_b: bool,
        /// First tag.
        first: u16,
        /// Second tag.
        second: Option<u16>,
    },
}

impl Target {
    /// Whether it names frames, so that they are delivered as a whole.
    pub fn names_frames(&self) -> bool {
        matches!(self, Self::Pppoe { .. } | Self::Mpls { .. } | Self::Mac(_) | Self::Vlan { .. })
    }
}

/// Whether an address lies in a prefix.
pub(super) fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let common = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (u32::from(network) ^ u32::from(address)).leading_zeros(),
        (IpAddr::V6(network), IpAddr::V6(address)) => (u128::from(network) ^ u128::from(address)).leading_zeros(),
        _ => return false,
    };
    common >= u32::from(bits)
}

impl fmt::Debug for Target {
    /// Says what kind of identifier it is, not whose.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_string();
        write!(f, "Target({})", text.split('=').next().unwrap_or_default())
    }
}

impl fmt::Display for Target {
    /// `KIND=VALUE`, as command lines take it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "ipv4={address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "ipv6={address}"),
            Self::Prefix { network: IpAddr::V4(network), bits } => write!(f, "ipv4={network}/{bits}"),
            Self::Prefix { network: IpAddr::V6(network), bits } => write!(f, "ipv6={network}/{bits}"),
            Self::Endpoint { end, protocol } => write!(f, "endpoint={end}/{}", protocol_name(*protocol)),
            Self::Flow { target, peer, protocol } => write!(f, "flow={target}-{peer}/{}", protocol_name(*protocol)),
            Self::Tunnel { kind, identifier: None, destination } => write!(f, "tunnel={kind}@{destination}"),
            Self::Tunnel { kind: kind @ "l2tp", identifier: Some(id), destination } => {
                write!(f, "tunnel={kind}:{}/{}@{destination}", id >> 16, id & 0xffff)
            }
            Self::Tunnel { kind, identifier: Some(id), destination } => write!(f, "tunnel={kind}:{id}@{destination}"),
            Self::Pppoe { session, destination } => write!(f, "tunnel=pppoe:{session}@{}", Station(*destination)),
            Self::Mpls { label } => write!(f, "tunnel=mpls:{label}"),
            Self::Mac(address) => write!(f, "mac={}", Station(*address)),
            Self::Vlan { from_b, first, second } => {
                write!(f, "vlan={}:{first}", if *from_b { 'b' } else { 'a' })?;
                second.map_or(Ok(()), |second| write!(f, ".{second}"))
            }
        }
    }
}

struct Station([u8; 6]);

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, last] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{last:02x}")
    }
}

fn protocol_name(protocol: u8) -> String {
    match protocol {
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        132 => "sctp".to_owned(),
        other => other.to_string(),
    }
}

impl FromStr for Target {
    type Err = String;

    /// Reads `KIND=VALUE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}`: a target is KIND=VALUE, for example ipv4=192.0.2.1"))?;
        let shape = |wanted: &str| format!("`{value}` is no {wanted}");
        match kind {
            "ipv4" => address::<Ipv4Addr>(value, 32).ok_or_else(|| shape("IPv4 address or ADDR/BITS")),
            "ipv6" => address::<Ipv6Addr>(value, 128).ok_or_else(|| shape("IPv6 address or ADDR/BITS")),
            "endpoint" => endpoint(value).ok_or_else(|| {
                shape("endpoint ADDR:PORT/PROTO, IPv6 in brackets, PROTO one of tcp, udp, sctp")
            }),
            "flow" => flow(value).ok_or_else(|| shape("flow ADDR:PORT-ADDR:PORT/PROTO")),
            "tunnel" => tunnel(value).ok_or_else(|| {
                shape("tunnel: gtpu:ID@ADDR, vxlan:, geneve:, gre: alike, gre@ADDR, l2tp:T/S@ADDR, ipip@ADDR, pppoe:ID@MAC, mpls:LABEL")
            }),
            "mac" => station(value).map(Self::Mac).ok_or_else(|| shape("MAC address")),
            "vlan" => vlan(value).ok_or_else(|| shape("VLAN a:ID, b:ID or a:ID.ID")),
            other => Err(format!(
                "`{other}`: unknown kind of target; known are ipv4, ipv6, endpoint, flow, tunnel, mac and vlan"
            )),
        }
    }
}

fn address<A: FromStr + Into<IpAddr>>(value: &str, bits_max: u8) -> Option<Target> {
    match value.split_once('/') {
        None => Some(Target::Address(value.parse::<A>().ok()?.into())),
        Some((network, bits)) => {
            let bits = bits.parse().ok().filter(|bits| *bits <= bits_max)?;
            Some(Target::Prefix { network: network.parse::<A>().ok()?.into(), bits })
        }
    }
}

fn with_protocol(value: &str) -> Option<(&str, u8)> {
    let (sockets, protocol) = value.rsplit_once('/')?;
    let protocol = match protocol {
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        _ => return None,
    };
    Some((sockets, protocol))
}

fn endpoint(value: &str) -> Option<Target> {
    let (socket, protocol) = with_protocol(value)?;
    Some(Target::Endpoint { end: socket.parse().ok()?, protocol })
}

fn flow(value: &str) -> Option<Target> {
    let (sockets, protocol) = with_protocol(value)?;
    let (target, peer) = sockets.split_once('-')?;
    Some(Target::Flow { target: target.parse().ok()?, peer: peer.parse().ok()?, protocol })
}

fn tunnel(value: &str) -> Option<Target> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    if let Some(label) = value.strip_prefix("mpls:") {
        return Some(Target::Mpls { label: number(label)? });
    }
    let (name, destination) = value.split_once('@')?;
    let (kind, identifier) = name.split_once(':').map_or((name, None), |(kind, id)| (kind, Some(id)));
    if kind == "pppoe" {
        let session = u16::try_from(number(identifier?)?).ok()?;
        return Some(Target::Pppoe { session, destination: station(destination)? });
    }
    let kind = TUNNELS.into_iter().find(|known| *known == kind)?;
    let identifier = match (kind, identifier) {
        ("l2tp", Some(id)) => {
            let (tunnel, session) = id.split_once('/')?;
            Some(number(tunnel)? << 16 | number(session)?)
        }
        (_, Some(id)) => Some(number(id)?),
        ("gre" | "ipip", None) => None,
        (_, None) => return None,
    };
    Some(Target::Tunnel { kind, identifier, destination: destination.parse().ok()? })
}

fn station(value: &str) -> Option<[u8; 6]> {
    let bytes: Option<Vec<u8>> = value.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok()
}

fn vlan(value: &str) -> Option<Target> {
    let (port, ids) = value.split_once(':')?;
    let from_b = match port {
        "a" => false,
        "b" => true,
        _ => return None,
    };
    let (first, second) = ids.split_once('.').map_or((ids, None), |(first, second)| (first, Some(second)));
    let second = second.map(str::parse).transpose().ok()?;
    Some(Target::Vlan { from_b, first: first.parse().ok()?, second })
}
