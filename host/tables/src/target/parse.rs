//! Targets from text.

use super::text::kind_name;
use super::{End, ParseTargetError, ParseTargetErrorKind as Kind, Protocol, Target, TunnelTarget};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;
use writ_abi::{PortSide, parse::TunnelKind};

/// Where in the part that was given the fault lies, and what it is.
type Fault = (usize, Kind);

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        let error = |at, kind| ParseTargetError { at, kind };
        let equals = text.find('=').ok_or(error(0, Kind::NoKind))?;
        let (kind, value, start) = (&text[..equals], &text[equals + 1..], equals + 1);
        let parse: fn(&str) -> Result<Self, Fault> = match kind {
            "ipv4" => ipv4,
            "ipv6" => ipv6,
            "endpoint" => endpoint,
            "flow" => flow,
            "tunnel" => |value| tunnel(value).map(Self::Tunnel),
            "mac" => |value| mac(value).map(Self::Mac),
            "vlan" => vlan,
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

/// A fault in a part that begins `by` bytes further on.
fn behind<T>(by: usize, result: Result<T, Fault>) -> Result<T, Fault> {
    result.map_err(|(at, kind)| (by + at, kind))
}

fn ipv4(text: &str) -> Result<Target, Fault> {
    Ok(match prefix_length(text)? {
        (address, None) => Target::Ipv4(ipv4_address(address)?),
        (address, Some(bits)) => Target::Ipv4Prefix { network: ipv4_address(address)?, bits },
    })
}

fn ipv6(text: &str) -> Result<Target, Fault> {
    Ok(match prefix_length(text)? {
        (address, None) => Target::Ipv6(ipv6_address(address)?),
        (address, Some(bits)) => Target::Ipv6Prefix { network: ipv6_address(address)?, bits },
    })
}

fn prefix_length(text: &str) -> Result<(&str, Option<u8>), Fault> {
    let Some(slash) = text.find('/') else { return Ok((text, None)) };
    let digits = &text[slash + 1..];
    let bits = decimal(digits).and_then(|bits| u8::try_from(bits).ok()).ok_or((slash + 1, Kind::PrefixLength))?;
    Ok((&text[..slash], Some(bits)))
}

fn ipv4_address(text: &str) -> Result<Ipv4Addr, Fault> {
    match text.find(['-', '*']) {
        Some(at) => Err((at, Kind::NoRange)),
        None => text.parse().map_err(|_| (0, Kind::Ipv4)),
    }
}

fn ipv6_address(text: &str) -> Result<Ipv6Addr, Fault> {
    match text.find(['-', '*']) {
        Some(at) => Err((at, Kind::NoRange)),
        None => text.parse().map_err(|_| (0, Kind::Ipv6)),
    }
}

fn endpoint(text: &str) -> Result<Target, Fault> {
    let (sockets, protocol) = with_protocol(text)?;
    let End { address, port } = socket(sockets)?;
    Ok(Target::Endpoint { address, protocol, port })
}

fn flow(text: &str) -> Result<Target, Fault> {
    let (sockets, protocol) = with_protocol(text)?;
    let dash = sockets.find('-').ok_or((sockets.len(), Kind::NoPeer))?;
    let target = socket(&sockets[..dash])?;
    let peer = behind(dash + 1, socket(&sockets[dash + 1..]))?;
    Ok(Target::Flow { target, peer, protocol })
}

/// What stands before the last slash, and the protocol behind it.
fn with_protocol(text: &str) -> Result<(&str, Protocol), Fault> {
    let slash = text.rfind('/').ok_or((text.len(), Kind::NoProtocol))?;
    let protocol = Protocol::from_text(&text[slash + 1..]).ok_or((slash + 1, Kind::UnknownProtocol))?;
    Ok((&text[..slash], protocol))
}

fn socket(text: &str) -> Result<End, Fault> {
    let (address, port_at) = if let Some(inside) = text.strip_prefix('[') {
        let close = inside.find(']').ok_or((0, Kind::OpenBracket))?;
        let address = behind(1, ipv6_address(&inside[..close]))?;
        let after = 1 + close + 1;
        if !text[after..].starts_with(':') {
            return Err((after, Kind::NoPort));
        }
        (IpAddr::V6(address), after + 1)
    } else {
        let colon = text.find(':').ok_or((text.len(), Kind::NoPort))?;
        if text[colon + 1..].contains(':') {
            return Err((0, Kind::NoBrackets));
        }
        (IpAddr::V4(ipv4_address(&text[..colon])?), colon + 1)
    };
    let digits = &text[port_at..];
    if digits.is_empty() {
        return Err((port_at, Kind::NoPort));
    }
    match decimal(digits).and_then(|port| u16::try_from(port).ok()) {
        Some(port) if port > 0 => Ok(End { address, port }),
        _ => Err((port_at, Kind::Port)),
    }
}

fn tunnel(text: &str) -> Result<TunnelTarget, Fault> {
    let (name, destination) = match text.find('@') {
        Some(at) => (&text[..at], Some((at + 1, &text[at + 1..]))),
        None => (text, None),
    };
    let (name, identifier) = match name.find(':') {
        Some(colon) => (&name[..colon], Some((colon + 1, &name[colon + 1..]))),
        None => (name, None),
    };
    let named = TunnelKind::ALL.into_iter().find(|kind| kind_name(*kind) == name).ok_or((0, Kind::TunnelKind))?;
    let kind = if named == TunnelKind::GreKey && identifier.is_none() { TunnelKind::Gre } else { named };
    let identifier = match identifier {
        Some((at, _)) if kind.identifier_bits() == 0 => return Err((at, Kind::Identifier)),
        Some((at, digits)) if kind == TunnelKind::L2tp => behind(at, l2tp_identifier(digits))?,
        Some((at, digits)) => number(digits).ok_or((at, Kind::Identifier))?,
        None if kind.identifier_bits() == 0 => 0,
        None => return Err((name.len(), Kind::Identifier)),
    };
    match (kind, destination) {
        (TunnelKind::Mpls, None) => Ok(TunnelTarget::Mpls { label: identifier }),
        (TunnelKind::Mpls, Some((at, _))) => Err((at - 1, Kind::Identifier)),
        (_, None) => Err((text.len(), Kind::NoTunnelEnd)),
        (TunnelKind::Pppoe, Some((at, address))) => {
            let session = u16::try_from(identifier).map_err(|_| (name.len() + 1, Kind::Identifier))?;
            Ok(TunnelTarget::Pppoe { session, destination: behind(at, mac(address))? })
        }
        (kind, Some((at, address))) => {
            let destination = address.parse().map_err(|_| (at, Kind::Address))?;
            Ok(TunnelTarget::Ip { kind, identifier, destination })
        }
    }
}

/// Tunnel and session id, as the card has them: `tunnel << 16 | session`.
fn l2tp_identifier(text: &str) -> Result<u32, Fault> {
    let slash = text.find('/').ok_or((text.len(), Kind::Identifier))?;
    let id = |digits: &str| number(digits).filter(|id| *id <= 0xffff);
    let tunnel = id(&text[..slash]).ok_or((0, Kind::Identifier))?;
    let session = id(&text[slash + 1..]).ok_or((slash + 1, Kind::Identifier))?;
    Ok(tunnel << 16 | session)
}

fn mac(text: &str) -> Result<[u8; 6], Fault> {
    let mut address = [0; 6];
    let mut parts = text.split(':');
    let mut at = 0;
    for byte in &mut address {
        let part = parts.next().ok_or((text.len(), Kind::Mac))?;
        let good = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        *byte = good.then(|| u8::from_str_radix(part, 16).ok()).flatten().ok_or((at, Kind::Mac))?;
        at += part.len() + 1;
    }
    if parts.next().is_some() { Err((at, Kind::Mac)) } else { Ok(address) }
}

fn vlan(text: &str) -> Result<Target, Fault> {
    let (port, ids) = text.split_once(':').ok_or((0, Kind::VlanPort))?;
    let port = match port {
        "a" | "A" => PortSide::A,
        "b" | "B" => PortSide::B,
        _ => return Err((0, Kind::VlanPort)),
    };
    let id = |digits: &str| decimal(digits).and_then(|id| u16::try_from(id).ok());
    let (first, second) = match ids.find('.') {
        Some(dot) => (&ids[..dot], Some((dot, &ids[dot + 1..]))),
        None => (ids, None),
    };
    let first = id(first).ok_or((2, Kind::Identifier))?;
    let second = second.map(|(dot, digits)| id(digits).ok_or((2 + dot + 1, Kind::Identifier))).transpose()?;
    Ok(Target::Vlan { port, first, second })
}

/// A number in decimal digits. The standard library's parsers take a leading `+`, which is no number here.
fn decimal(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A number in decimal, or in hexadecimal behind `0x`.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => digits
            .bytes()
            .all(|digit| digit.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten(),
        None => decimal(text),
    }
}
