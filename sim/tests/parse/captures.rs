//! Real captures, as `tshark` reads them.
//!
//! `tests/data/captures.tsv` holds what `tshark` printed, so that it is not needed here.

use crate::common::captures::{captures, ethernet_frames};
use crate::common::with_fcs;
use std::collections::BTreeMap;
use std::net::IpAddr;
use writ_abi::parse::{ParseClass, TunnelKind};
use writ_sim::model::parse::{IpHeader, parse};

/// Says where a panic happened.
struct Where<'a>(&'a str, u32);

impl Drop for Where<'_> {
    fn drop(&mut self) {
        println!("frame {} of {}", self.1, self.0);
    }
}

/// One line.
struct Told<'a> {
    protocols: Vec<&'a str>,
    fields: Vec<&'a str>,
}

impl<'a> Told<'a> {
    fn read(line: &'a str) -> (&'a str, Self) {
        let mut fields = line.split('\t');
        let (capture, _number) = (fields.next().unwrap_or_default(), fields.next());
        let protocols = fields.next().unwrap_or_default().split(':').filter(|name| !name.is_empty()).collect();
        (capture, Self { protocols, fields: fields.collect() })
    }

    fn list(&self, field: usize) -> Vec<&'a str> {
        let text = self.fields.get(field).copied().unwrap_or_default();
        text.split(',').filter(|value| !value.is_empty()).collect()
    }

    fn numbers(&self, field: usize) -> Vec<u32> {
        let number = |text: &str| match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => text.parse(),
        };
        self.list(field).into_iter().map(|text| number(text).expect("a number")).collect()
    }

    /// The protocols up to an ICMP message: what that one quotes is no tunnel.
    fn stack(&self) -> Vec<&'a str> {
        let end = self.protocols.iter().position(|name| name.starts_with("icmp")).unwrap_or(self.protocols.len());
        self.protocols[..end].to_vec()
    }

    /// Addresses of the IP headers, outermost first.
    fn addresses(&self) -> Vec<[IpAddr; 2]> {
        let lists = [[4, 5], [6, 7]].map(|fields| fields.map(|field| self.list(field)));
        let mut taken = [0, 0];
        let mut all = Vec::new();
        for name in self.stack() {
            let Some(version) = ["ip", "ipv6"].iter().position(|each| *each == name) else { continue };
            let address = |end: usize| lists[version][end][taken[version]].parse().expect("an address");
            all.push([address(0), address(1)]);
            taken[version] += 1;
        }
        all
    }

    /// Kind and identifier of the tunnel between the first two IP headers.
    fn tunnel(&self) -> Option<(TunnelKind, u32)> {
        let stack = self.stack();
        let mut ips = (0..stack.len()).filter(|i| stack[*i].starts_with("ip"));
        let (first, second) = (ips.next()?, ips.next().unwrap_or(stack.len()));
        let between = &stack[first + 1..second];
        let number = |field: usize| self.numbers(field).first().copied().unwrap_or_default();
        match between {
            [] if second < stack.len() => Some((TunnelKind::IpInIp, 0)),
            ["gre", ..] if self.list(15).is_empty() => Some((TunnelKind::Gre, 0)),
            ["gre", ..] => Some((TunnelKind::GreKey, number(15))),
            // Without a packet inside it is a control message.
            ["udp", "gtp", ..] if second < stack.len() => Some((TunnelKind::GtpU, number(12))),
            ["udp", "vxlan", ..] => Some((TunnelKind::Vxlan, number(13))),
            ["udp", "geneve", ..] => Some((TunnelKind::Geneve, number(14))),
            _ => None,
        }
    }

    /// Ports behind the innermost IP header.
    fn ports(&self) -> Option<[u16; 2]> {
        let stack = self.stack();
        let innermost = stack.iter().rposition(|name| name.starts_with("ip"))?;
        let fields = match stack.get(innermost + 1) {
            Some(&"udp") => [8, 9],
            Some(&"tcp") => [10, 11],
            _ => return None,
        };
        let ports = fields.map(|field| self.numbers(field).last().copied());
        Some([ports[0]? as u16, ports[1]? as u16])
    }
}

/// Checks a frame against its line. Says whether it had an inner IP header.
fn check(frame: &[u8], told: &Told<'_>) -> bool {
    let parsed = parse(&with_fcs(frame));
    let mut vlan_ids: Vec<u32> = parsed.vlan_ids.iter().map(|id| (*id).into()).collect();
    let mut told_ids = [told.numbers(1), told.numbers(0)].concat();
    vlan_ids.sort_unstable();
    told_ids.sort_unstable();
    assert_eq!(vlan_ids, told_ids);
    if told.protocols.contains(&"pppoes") {
        assert_eq!(parsed.pppoe_session.map(u32::from), told.numbers(2).first().copied());
    } else {
        assert_eq!(parsed.pppoe_session, None);
    }
    let is_mpls = told.protocols.first() == Some(&"mpls");
    assert_eq!(parsed.bottom_label, told.numbers(3).last().copied().filter(|_| is_mpls));
    let headers: Vec<IpHeader> = [parsed.outer, parsed.inner].into_iter().flatten().collect();
    let found: Vec<[IpAddr; 2]> = headers.iter().map(|header| header.addresses).collect();
    let told_addresses = told.addresses();
    let tunnel = told.tunnel();
    if tunnel.is_some() || told_addresses.len() < 2 {
        assert_eq!(found, told_addresses);
        assert_eq!(parsed.tunnel, tunnel);
        // A fragment behind the first has no ports for either.
        assert_eq!(parsed.innermost().and_then(|header| header.ports), told.ports());
    } else {
        // A tunnel that the card does not know: what is behind it stays unread, and the class says so.
        assert_eq!((found[0], found.len()), (told_addresses[0], 1));
        assert_eq!(parsed.class, ParseClass::Ports);
    }
    parsed.inner.is_some()
}

#[test]
fn captures_are_read_as_tshark_reads_them() {
    let Some(captures) = captures() else { return };
    let text = include_str!("../data/captures.tsv");
    let mut told: BTreeMap<&str, Vec<Told<'_>>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (capture, line) = Told::read(line);
        told.entry(capture).or_default().push(line);
    }
    let (mut compared, mut with_inner) = (0, 0);
    for path in &captures {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a plain name");
        let frames = ethernet_frames(path).expect("an Ethernet capture");
        let told = told.remove(name).unwrap_or_else(|| panic!("{name} is not in captures.tsv"));
        assert_eq!(frames.len(), told.len(), "{name}");
        for (number, (frame, told)) in (1..).zip(frames.iter().zip(&told)) {
            // Shown when the check of this frame fails.
            let at = Where(name, number);
            with_inner += u32::from(check(frame, told));
            std::mem::forget(at);
            compared += 1;
        }
    }
    assert!(told.is_empty(), "captures that are gone: {:?}", told.keys());
    assert!(compared > 900 && with_inner > 150, "{compared} frames, {with_inner} with an inner IP header");
}
