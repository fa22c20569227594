//! The keys of a frame, from the section "Keys" of [`writ_abi::parse`].

use super::{IpHeader, Parsed};
use std::net::IpAddr;
use writ_abi::key;
use writ_abi::{Lookup, PortSide};

/// The key of a lookup in a table, if the frame has one. `prefix_bits` as it stands in the register. `None` for the lookups of rules too.
pub fn key_of(parsed: &Parsed, port: PortSide, lookup: Lookup, prefix_bits: u8) -> Option<Vec<u8>> {
    let side = |header: Option<&IpHeader>, end: usize| Some(header?.addresses[end]);
    let address = |header, end| Some(key::address_key(side(header, end)?).to_vec());
    let prefix = |header, end| match side(header, end)? {
        IpAddr::V6(v6) if (1..=128).contains(&prefix_bits) => Some(key::prefix_key(v6, prefix_bits).to_vec()),
        _ => None,
    };
    let endpoint = |end: usize| {
        let header = parsed.innermost()?;
        Some(key::endpoint_key(header.addresses[end], header.protocol, header.ports?[end]).to_vec())
    };
    let (outer, inner) = (parsed.outer.as_ref(), parsed.inner.as_ref());
    match lookup {
        Lookup::OuterSource => address(outer, 0),
        Lookup::OuterDestination => address(outer, 1),
        Lookup::InnerSource => address(inner, 0),
        Lookup::InnerDestination => address(inner, 1),
        Lookup::OuterSourcePrefix => prefix(outer, 0),
        Lookup::OuterDestinationPrefix => prefix(outer, 1),
        Lookup::InnerSourcePrefix => prefix(inner, 0),
        Lookup::InnerDestinationPrefix => prefix(inner, 1),
        Lookup::EndpointSource => endpoint(0),
        Lookup::EndpointDestination => endpoint(1),
        Lookup::FiveTuple => tuple(parsed.innermost()?, parsed.innermost()?.ports?, false),
        Lookup::FiveTupleReversed => tuple(parsed.innermost()?, parsed.innermost()?.ports?, true),
        Lookup::LinkTunnel => link_tunnel(parsed),
        Lookup::IpTunnel => {
            let (kind, identifier) = parsed.tunnel?;
            Some(key::tunnel_key(kind, identifier, side(outer, 1)?).to_vec())
        }
        Lookup::MacSource => Some(parsed.mac?[1].to_vec()),
        Lookup::MacDestination => Some(parsed.mac?[0].to_vec()),
        Lookup::Vlan => {
            let first = parsed.vlan_ids.first()?;
            Some(key::vlan_key(port, *first, parsed.vlan_ids.get(1).copied()).to_vec())
        }
        _ => None,
    }
}

/// What rules are compared with: the 5-tuple of the innermost header, with ports 0 if it has none.
pub fn five_tuple(parsed: &Parsed) -> Option<Vec<u8>> {
    let header = parsed.innermost()?;
    tuple(header, header.ports.unwrap_or([0, 0]), false)
}

fn tuple(header: &IpHeader, ports: [u16; 2], is_reversed: bool) -> Option<Vec<u8>> {
    let ([source, destination], [from, to]) = (header.addresses, ports);
    let key = if is_reversed {
        key::five_tuple_key(destination, source, header.protocol, [to, from])
    } else {
        key::five_tuple_key(source, destination, header.protocol, [from, to])
    };
    key.map(|key| key.to_vec())
}

fn link_tunnel(parsed: &Parsed) -> Option<Vec<u8>> {
    match (parsed.pppoe_session, parsed.bottom_label) {
        (Some(session), _) => Some(key::pppoe_key(session, parsed.mac?[0]).to_vec()),
        (None, Some(label)) => Some(key::mpls_key(label).to_vec()),
        (None, None) => None,
    }
}
