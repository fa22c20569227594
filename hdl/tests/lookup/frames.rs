//! Frames as the parser hands them over, and random ones from few values, so that keys meet.

use rust_hdl::core::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::key;
use writ_abi::{Lookup, PortSide, Table};
use writ_hdl::parse::types::{Headers, Layer, Parsed, Ticket};

/// A small generator of reproducible numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

/// Addresses and protocol of an IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
}

/// A parsed frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) port: PortSide,
    pub(crate) stamp: u64,
    pub(crate) quality: u8,
    pub(crate) mac: Option<[[u8; 6]; 2]>,
    pub(crate) vlan: Option<(u16, Option<u16>)>,
    pub(crate) link_tunnel: Option<[u8; 22]>,
    pub(crate) ip_tunnel: Option<[u8; 22]>,
    pub(crate) outer: Option<Ip>,
    pub(crate) inner: Option<Ip>,
    pub(crate) ports: Option<[u16; 2]>,
}

impl Frame {
    /// A frame with nothing but an outer header.
    pub(crate) fn new(stamp: u64, source: IpAddr, destination: IpAddr, protocol: u8) -> Self {
        Self {
            port: PortSide::A,
            stamp,
            quality: 1,
            mac: None,
            vlan: None,
            link_tunnel: None,
            ip_tunnel: None,
            outer: Some(Ip { source, destination, protocol }),
            inner: None,
            ports: None,
        }
    }

    pub(crate) fn innermost(&self) -> Option<Ip> {
        self.inner.or(self.outer)
    }

    /// The key of a lookup in a table, if the frame has one. Prefix keys are of `prefix_bits`.
    pub(crate) fn key(&self, lookup: Lookup, prefix_bits: u8) -> Option<(Table, Vec<u8>)> {
        let address = |address: IpAddr| Some((Table::Address, key::address_key(address).to_vec()));
        let prefix = |address: IpAddr| match address {
            IpAddr::V6(v6) if (1..=128).contains(&prefix_bits) => {
                Some((Table::Prefix, key::prefix_key(v6, prefix_bits).to_vec()))
            }
            _ => None,
        };
        let endpoint = |address: IpAddr, protocol, port| {
            Some((Table::Endpoint, key::endpoint_key(address, protocol, port).to_vec()))
        };
        let tuple = |source, destination, protocol, ports| {
            Some((Table::FiveTuple, key::five_tuple_key(source, destination, protocol, ports)?.to_vec()))
        };
        match lookup {
            Lookup::OuterSource => address(self.outer?.source),
            Lookup::OuterDestination => address(self.outer?.destination),
            Lookup::InnerSource => address(self.inner?.source),
            Lookup::InnerDestination => address(self.inner?.destination),
            Lookup::OuterSourcePrefix => prefix(self.outer?.source),
            Lookup::OuterDestinationPrefix => prefix(self.outer?.destination),
            Lookup::InnerSourcePrefix => prefix(self.inner?.source),
            Lookup::InnerDestinationPrefix => prefix(self.inner?.destination),
            Lookup::EndpointSource => {
                let ip = self.innermost()?;
                endpoint(ip.source, ip.protocol, self.ports?[0])
            }
            Lookup::EndpointDestination => {
                let ip = self.innermost()?;
                endpoint(ip.destination, ip.protocol, self.ports?[1])
            }
            Lookup::FiveTuple => {
                let ip = self.innermost()?;
                tuple(ip.source, ip.destination, ip.protocol, self.ports?)
            }
            Lookup::FiveTupleReversed => {
                let (ip, [from, to]) = (self.innermost()?, self.ports?);
                tuple(ip.destination, ip.source, ip.protocol, [to, from])
            }
            Lookup::LinkTunnel => Some((Table::Tunnel, self.link_tunnel?.to_vec())),
            Lookup::IpTunnel => Some((Table::Tunnel, self.ip_tunnel?.to_vec())),
            Lookup::MacSource => Some((Table::Mac, self.mac?[0].to_vec())),
            Lookup::MacDestination => Some((Table::Mac, self.mac?[1].to_vec())),
            Lookup::Vlan => {
                let (first, second) = self.vlan?;
                Some((Table::Vlan, key::vlan_key(self.port, first, second).to_vec()))
            }
            _ => None,
        }
    }

    /// The key of the rules.
    pub(crate) fn rule_key(&self) -> Option<[u8; 38]> {
        let ip = self.innermost()?;
        key::five_tuple_key(ip.source, ip.destination, ip.protocol, self.ports.unwrap_or_default())
    }

    /// As it leaves the parser. What it does not have is filled with `noise`, which must not count.
    pub(crate) fn parsed(&self, noise: &mut Random) -> Parsed {
        let pair = |ip: Option<Ip>, noise: &mut Random| {
            let bytes = ip.map(|ip| [key::address_key(ip.source).to_vec(), key::address_key(ip.destination).to_vec()]);
            bytes.unwrap_or_else(|| [random_bytes(noise, 17), random_bytes(noise, 17)])
        };
        let [outer_source, outer_destination] = pair(self.outer, noise);
        let [inner_source, inner_destination] = pair(self.inner, noise);
        let layer =
            |ip: Option<Ip>| Layer { protocol: u64::from(ip.map_or(0, |ip| ip.protocol)).into(), ..Layer::default() };
        let tunnel =
            |key: Option<[u8; 22]>, noise: &mut Random| key.map_or_else(|| random_bytes(noise, 22), |key| key.to_vec());
        let vlan = match self.vlan {
            Some((first, second)) => key::vlan_key(self.port, first, second)[1..].to_vec(),
            None => random_bytes(noise, 4),
        };
        let mac = self.mac.map_or_else(|| [random_bytes(noise, 6), random_bytes(noise, 6)], |mac| mac.map(Vec::from));
        let [from, to] = self.ports.unwrap_or_default();
        Parsed {
            ticket: Ticket {
                port: self.port == PortSide::B,
                quality: u64::from(self.quality).into(),
                stamp: self.stamp.into(),
                start: 0.into(),
            },
            headers: Headers { outer: layer(self.outer), inner: layer(self.inner), ..Headers::default() },
            has_mac: self.mac.is_some(),
            mac_source: bits(&mac[0]),
            mac_destination: bits(&mac[1]),
            has_vlan: self.vlan.is_some(),
            vlan: bits(&vlan),
            has_link_tunnel: self.link_tunnel.is_some(),
            link_tunnel: bits(&tunnel(self.link_tunnel, noise)),
            has_ip_tunnel: self.ip_tunnel.is_some(),
            ip_tunnel: bits(&tunnel(self.ip_tunnel, noise)),
            has_outer: self.outer.is_some(),
            outer_source: bits(&outer_source),
            outer_destination: bits(&outer_destination),
            has_inner: self.inner.is_some(),
            inner_source: bits(&inner_source),
            inner_destination: bits(&inner_destination),
            has_ports: self.ports.is_some(),
            ports: bits(&[from.to_be_bytes(), to.to_be_bytes()].concat()),
        }
    }
}

fn random_bytes(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count).map(|_| random.next() as u8).collect()
}

/// Byte `i` is bits `8 * i` to `8 * i + 7`.
fn bits<const N: usize>(bytes: &[u8]) -> Bits<N> {
    (0..N).fold(Bits::<N>::default(), |bits, i| bits.replace_bit(i, bytes[i / 8] >> (i % 8) & 1 == 1))
}

fn address(random: &mut Random, v6: bool) -> IpAddr {
    let low = random.below(6);
    if v6 {
        // Two values of each half, so that prefixes meet where addresses do not.
        let high = 0x2001_0db8_0000_0000_u64 | (low & 1);
        Ipv6Addr::from(u128::from(high) << 64 | u128::from(low >> 1)).into()
    } else {
        Ipv4Addr::new(192, 0, 2, low as u8).into()
    }
}

fn ip(random: &mut Random) -> Ip {
    let v6 = random.one_in(2);
    let (source, destination) = (address(random, v6), address(random, v6));
    Ip { source, destination, protocol: *random.pick(&[6, 17]) }
}

fn tunnel(random: &mut Random) -> [u8; 22] {
    let kinds = [writ_abi::parse::TunnelKind::GtpU, writ_abi::parse::TunnelKind::Vxlan];
    key::tunnel_key(*random.pick(&kinds), random.below(3) as u32, address(random, false))
}

fn mac(random: &mut Random) -> [u8; 6] {
    [2, 0, 0, 0, 0, random.below(5) as u8]
}

/// A frame of few values. `tick` is about the time of now, in ticks of row expiry.
pub(crate) fn random(random: &mut Random, tick: u64) -> Frame {
    let outer = (!random.one_in(8)).then(|| ip(random));
    let inner = outer.and_then(|_| random.one_in(3).then(|| ip(random)));
    Frame {
        port: *random.pick(&PortSide::ALL),
        stamp: (tick + random.below(3)) << 20 | random.below(1 << 20),
        quality: if random.one_in(30) { 0 } else { 1 + random.below(2) as u8 },
        mac: (!random.one_in(6)).then(|| [mac(random), mac(random)]),
        vlan: random.one_in(2).then(|| (random.below(3) as u16, random.one_in(2).then(|| random.below(3) as u16))),
        link_tunnel: random.one_in(4).then(|| tunnel(random)),
        ip_tunnel: random.one_in(3).then(|| tunnel(random)),
        outer,
        inner,
        ports: outer.and_then(|_| (!random.one_in(4)).then(|| [random.below(3) as u16, random.below(3) as u16])),
    }
}
