//! Targets as text.

use super::{End, Target, TunnelTarget};
use core::net::IpAddr;
use writ_abi::{PortSide, parse::TunnelKind};

impl Target {
    /// The target as text that [`str::parse`] reads back. For those who may see it; whoever shows it audits that.
    pub fn reveal(&self) -> String {
        match self {
            Self::Ipv4(address) => format!("ipv4={address}"),
            Self::Ipv6(address) => format!("ipv6={address}"),
            Self::Ipv4Prefix { network, bits } => format!("ipv4={network}/{bits}"),
            Self::Ipv6Prefix { network, bits } => format!("ipv6={network}/{bits}"),
            Self::Endpoint { address, protocol, port } => {
                format!("endpoint={}/{}", socket(&End { address: *address, port: *port }), protocol.name())
            }
            Self::Flow { target, peer, protocol } => {
                format!("flow={}-{}/{}", socket(target), socket(peer), protocol.name())
            }
            Self::Tunnel(tunnel) => format!("tunnel={}", tunnel_text(tunnel)),
            Self::Mac(address) => format!("mac={}", mac_text(address)),
            Self::Vlan { port, first, second } => {
                let port = if *port == PortSide::A { 'a' } else { 'b' };
                match second {
                    Some(second) => format!("vlan={port}:{first}.{second}"),
                    None => format!("vlan={port}:{first}"),
                }
            }
        }
    }
}

fn socket(end: &End) -> String {
    match end.address {
        IpAddr::V4(address) => format!("{address}:{}", end.port),
        IpAddr::V6(address) => format!("[{address}]:{}", end.port),
    }
}

fn mac_text(address: &[u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

fn tunnel_text(tunnel: &TunnelTarget) -> String {
    match tunnel {
        TunnelTarget::Ip { kind, identifier, destination } => match kind {
            TunnelKind::L2tp => format!("l2tp:{}/{}@{destination}", identifier >> 16, identifier & 0xffff),
            TunnelKind::Gre | TunnelKind::IpInIp => format!("{}@{destination}", kind_name(*kind)),
            _ => format!("{}:{identifier}@{destination}", kind_name(*kind)),
        },
        TunnelTarget::Pppoe { session, destination } => format!("pppoe:{session}@{}", mac_text(destination)),
        TunnelTarget::Mpls { label } => format!("mpls:{label}"),
    }
}

/// Name of a kind of tunnel as targets have it.
pub(super) const fn kind_name(kind: TunnelKind) -> &'static str {
    match kind {
        TunnelKind::GtpU => "gtpu",
        TunnelKind::Vxlan => "vxlan",
        TunnelKind::Geneve => "geneve",
        TunnelKind::GreKey | TunnelKind::Gre => "gre",
        TunnelKind::L2tp => "l2tp",
        TunnelKind::IpInIp => "ipip",
        TunnelKind::Pppoe => "pppoe",
        TunnelKind::Mpls => "mpls",
    }
}
