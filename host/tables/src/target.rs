//! Target identifiers: what an order names, as text and as match keys.

use crate::{Key, Table};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// A transport protocol whose ports the card's parser reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// IP protocol number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// Name in lower case, as [`Target`] reads and writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }

    /// The protocol for its name in any case, or for its number in decimal.
    fn from_text(text: &str) -> Option<Self> {
        let number = text.parse::<u8>().ok();
        Self::ALL.into_iter().find(|each| text.eq_ignore_ascii_case(each.name()) || number == Some(each.number()))
    }
}

/// One identifier that an order names. Read from text with [`str::parse`].
///
/// `Debug` shows the kind only: who is under interception does not belong into logs. [`Target::reveal`] shows all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One IPv4 address, any port and protocol. Text: `ipv4=192.0.2.1`.
    Ipv4(Ipv4Addr),
    /// One IPv6 address, any port and protocol. Text: `ipv6=2001:db8::1`.
    Ipv6(Ipv6Addr),
    /// One transport endpoint. Text: `endpoint=192.0.2.1:5060/udp` or `endpoint=[2001:db8::1]:443/tcp`.
    Endpoint {
        /// Address of the endpoint.
        address: IpAddr,
        /// Transport protocol.
        protocol: Protocol,
        /// Port, not 0.
        port: u16,
    },
}

impl Target {
    /// The match key of the target.
    pub fn key(&self) -> Key {
        match *self {
            Self::Ipv4(address) => Key::address(address.into()),
            Self::Ipv6(address) => Key::address(address.into()),
            Self::Endpoint { address, protocol, port } => Key::endpoint(address, protocol, port),
        }
    }

    /// The table that the target takes a row of.
    pub fn table(&self) -> Table {
        self.key().table()
    }

    /// The target as text that [`str::parse`] reads back. For those who may see it; whoever shows it audits that.
    pub fn reveal(&self) -> String {
        match self {
            Self::Ipv4(address) => format!("ipv4={address}"),
            Self::Ipv6(address) => format!("ipv6={address}"),
            Self::Endpoint { address: IpAddr::V4(address), protocol, port } => {
                format!("endpoint={address}:{port}/{}", protocol.name())
            }
            Self::Endpoint { address: IpAddr::V6(address), protocol, port } => {
                format!("endpoint=[{address}]:{port}/{}", protocol.name())
            }
        }
    }

    /// Checks that the target names one host, so that nobody else's packets are selected with it.
    ///
    /// # Errors
    /// [`TargetFault`].
    pub fn check(&self) -> Result<(), TargetFault> {
        match *self {
            Self::Ipv4(address) => check_ipv4(address),
            Self::Ipv6(address) => check_ipv6(address),
            Self::Endpoint { port: 0, .. } => Err(TargetFault::PortZero),
            Self::Endpoint { address: IpAddr::V4(address), .. } => check_ipv4(address),
            Self::Endpoint { address: IpAddr::V6(address), .. } => check_ipv6(address),
        }
    }
}

fn check_ipv4(address: Ipv4Addr) -> Result<(), TargetFault> {
    // 0.0.0.0 and 255.255.255.255 stand in every subscriber's DHCP packets.
    if address.is_unspecified() || address.is_broadcast() {
        Err(TargetFault::SharedAddress)
    } else if address.is_multicast() {
        Err(TargetFault::Multicast)
    } else {
        Ok(())
    }
}

fn check_ipv6(address: Ipv6Addr) -> Result<(), TargetFault> {
    if address.is_unspecified() {
        Err(TargetFault::SharedAddress)
    } else if address.is_multicast() {
        Err(TargetFault::Multicast)
    } else if address.to_ipv4_mapped().is_some() {
        Err(TargetFault::MappedIpv4)
    } else {
        Ok(())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4(_) => "Ipv4(redacted)",
            Self::Ipv6(_) => "Ipv6(redacted)",
            Self::Endpoint { .. } => "Endpoint(redacted)",
        })
    }
}

/// Why a well-formed target cannot be an order's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFault {
    /// The unspecified or the broadcast address: hosts share it.
    SharedAddress,
    /// A multicast group: no single host.
    Multicast,
    /// An IPv4 address in IPv6 notation: on the wire its packets are IPv4, the key would never match.
    MappedIpv4,
    /// Port 0 is no endpoint.
    PortZero,
}

impl fmt::Display for TargetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedAddress => "the unspecified and the broadcast address belong to no single host",
            Self::Multicast => "a multicast address belongs to no single host",
            Self::MappedIpv4 => "an IPv4 address in IPv6 notation never stands in an IPv6 packet; write it as IPv4",
            Self::PortZero => "port 0 is no endpoint",
        })
    }
}

impl core::error::Error for TargetFault {}

/// Why text is no target. The text itself is not repeated, because it may name a person under interception; `at` says where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseTargetError {
    /// Byte of the text where the faulty part begins.
    pub at: usize,
    /// What is wrong there.
    pub kind: ParseTargetErrorKind,
}

/// What is wrong with a part of a target's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseTargetErrorKind {
    /// No `=`.
    NoKind,
    /// What stands before the `=` is none of the kinds.
    UnknownKind,
    /// Nothing behind the `=`.
    NoValue,
    /// A prefix length or range: a target is one host.
    NotOneHost,
    /// No IPv4 address.
    Ipv4,
    /// No IPv6 address.
    Ipv6,
    /// An endpoint without `/` and protocol.
    NoProtocol,
    /// A protocol other than tcp, udp, sctp (or 6, 17, 132).
    UnknownProtocol,
    /// An endpoint without `:` and port.
    NoPort,
    /// The port is no number from 1 to 65535.
    Port,
    /// An IPv6 endpoint whose address does not stand in brackets.
    NoBrackets,
    /// `[` without `]`.
    OpenBracket,
    /// Well formed, but not one host.
    Fault(TargetFault),
}

impl fmt::Display for ParseTargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ParseTargetErrorKind as Kind;
        write!(f, "target, at byte {}: ", self.at)?;
        match self.kind {
            Kind::NoKind => f.write_str("KIND=VALUE expected, there is no `=`"),
            Kind::UnknownKind => f.write_str("the kind is none of ipv4, ipv6, endpoint"),
            Kind::NoValue => f.write_str("nothing stands behind the `=`"),
            Kind::NotOneHost => f.write_str("a target is one host; prefixes and ranges are not taken"),
            Kind::Ipv4 => f.write_str("not an IPv4 address"),
            Kind::Ipv6 => f.write_str("not an IPv6 address"),
            Kind::NoProtocol => f.write_str("ADDR:PORT/PROTO expected, there is no `/`"),
            Kind::UnknownProtocol => f.write_str("the protocol is none of tcp, udp, sctp"),
            Kind::NoPort => f.write_str("ADDR:PORT/PROTO expected, there is no port"),
            Kind::Port => f.write_str("the port is no number from 1 to 65535"),
            Kind::NoBrackets => f.write_str("an IPv6 address before a port stands in brackets: [ADDR]:PORT/PROTO"),
            Kind::OpenBracket => f.write_str("`[` without `]`"),
            Kind::Fault(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for ParseTargetError {}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        use ParseTargetErrorKind as Kind;
        let error = |at, kind| ParseTargetError { at, kind };
        let equals = text.find('=').ok_or(error(0, Kind::NoKind))?;
        let (kind, value, start) = (&text[..equals], &text[equals + 1..], equals + 1);
        let parse: fn(&str) -> Result<Self, (usize, Kind)> = match kind {
            "ipv4" => |value| parse_ipv4(value).map(Self::Ipv4),
            "ipv6" => |value| parse_ipv6(value).map(Self::Ipv6),
            "endpoint" => parse_endpoint,
            _ => return Err(error(0, Kind::UnknownKind)),
        };
        if value.is_empty() {
            return Err(error(start, Kind::NoValue));
        }
        let target = parse(value).map_err(|(at, kind)| error(start + at, kind))?;
        target.check().map_err(|fault| error(start, Kind::Fault(fault)))?;
        Ok(target)
    }
}

fn parse_ipv4(text: &str) -> Result<Ipv4Addr, (usize, ParseTargetErrorKind)> {
    match text.find(['/', '-', '*']) {
        Some(at) => Err((at, ParseTargetErrorKind::NotOneHost)),
        None => text.parse().map_err(|_| (0, ParseTargetErrorKind::Ipv4)),
    }
}

fn parse_ipv6(text: &str) -> Result<Ipv6Addr, (usize, ParseTargetErrorKind)> {
    match text.find(['/', '-', '*']) {
        Some(at) => Err((at, ParseTargetErrorKind::NotOneHost)),
        None => text.parse().map_err(|_| (0, ParseTargetErrorKind::Ipv6)),
    }
}

fn parse_endpoint(text: &str) -> Result<Target, (usize, ParseTargetErrorKind)> {
    use ParseTargetErrorKind as Kind;
    let slash = text.rfind('/').ok_or((text.len(), Kind::NoProtocol))?;
    let protocol = Protocol::from_text(&text[slash + 1..]).ok_or((slash + 1, Kind::UnknownProtocol))?;
    let socket = &text[..slash];
    let (address, port_at) = if let Some(inside) = socket.strip_prefix('[') {
        let close = inside.find(']').ok_or((0, Kind::OpenBracket))?;
        let address = parse_ipv6(&inside[..close]).map_err(|(at, kind)| (at + 1, kind))?;
        let behind = 1 + close + 1;
        if !socket[behind..].starts_with(':') {
            return Err((behind, Kind::NoPort));
        }
        (IpAddr::V6(address), behind + 1)
    } else {
        let colon = socket.find(':').ok_or((slash, Kind::NoPort))?;
        if socket[colon + 1..].contains(':') {
            return Err((0, Kind::NoBrackets));
        }
        (IpAddr::V4(parse_ipv4(&socket[..colon])?), colon + 1)
    };
    let digits = &socket[port_at..];
    if digits.is_empty() {
        return Err((port_at, Kind::NoPort));
    }
    // u16's own parser takes a leading `+`, which is no port.
    let port = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok()).flatten();
    match port {
        Some(port) if port > 0 => Ok(Target::Endpoint { address, protocol, port }),
        _ => Err((port_at, Kind::Port)),
    }
}
