//! The parser against a reading of [`writ_abi::parse`] that takes one byte after the other.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use std::collections::VecDeque;
use writ_abi::parse::ParseClass;
use writ_hdl::parse::types::Window;
use writ_hdl::parse::{PARSER_CLOCKS, Parser};

#[derive(Debug, PartialEq, Eq, Clone)]
struct Expected {
    class: u8,
    l3_offset: usize,
    l3_end: usize,
    l4_offset: usize,
    l4_end: usize,
    protocol: u8,
    vlan_tags: usize,
    keys: Option<[Vec<u8>; 2]>,
    ports: Option<[u8; 4]>,
}

/// Ends the walk early: nothing but a class.
fn ended(class: ParseClass) -> Expected {
    Expected {
        class: class as u8,
        l3_offset: 0,
        l3_end: 0,
        l4_offset: 0,
        l4_end: 0,
        protocol: 0,
        vlan_tags: 0,
        keys: None,
        ports: None,
    }
}

fn word(w: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*w.get(at)?, *w.get(at + 1)?])))
}

/// The IP header's place and what stands in front of it.
struct Ip<'a> {
    w: &'a [u8],
    at: usize,
    vlan_tags: usize,
    v6: bool,
}

impl Ip<'_> {
    /// A class with addresses.
    fn found(&self, class: ParseClass, l3_end: usize, l4: Option<usize>, protocol: u8) -> Expected {
        let (start, size, version) = if self.v6 { (self.at + 8, 16, 6) } else { (self.at + 12, 4, 4) };
        let key = |n: usize| {
            let mut key = vec![version];
            key.extend_from_slice(&self.w[start + n * size..start + (n + 1) * size]);
            key.resize(17, 0);
            key
        };
        let w = self.w;
        let ports = (class == ParseClass::Ports).then(|| [w[l3_end], w[l3_end + 1], w[l3_end + 2], w[l3_end + 3]]);
        Expected {
            class: class as u8,
            l3_offset: self.at,
            l3_end,
            l4_offset: if l4.is_some() { l3_end } else { 0 },
            l4_end: l4.unwrap_or(l3_end),
            protocol,
            vlan_tags: self.vlan_tags,
            keys: Some([key(0), key(1)]),
            ports,
        }
    }

    fn ipv4(&self) -> Expected {
        let (w, at) = (self.w, self.at);
        if w.len() < at + 20 {
            return ended(ParseClass::Truncated);
        }
        let header = usize::from(w[at] & 15) * 4;
        let total = word(w, at + 2).expect("present");
        if w[at] >> 4 != 4 || header < 20 || total < header {
            return ended(ParseClass::MalformedIp);
        }
        if w.len() < at + header {
            return ended(ParseClass::Truncated);
        }
        if word(w, at + 6).expect("present") & 0x1fff != 0 {
            return self.found(ParseClass::Fragment, at + header, None, w[at + 9]);
        }
        self.transport(at + header, at + total, w[at + 9])
    }

    fn ipv6(&self) -> Expected {
        let (w, at) = (self.w, self.at);
        if w.len() < at + 40 {
            return ended(ParseClass::Truncated);
        }
        if w[at] >> 4 != 6 {
            return ended(ParseClass::MalformedIp);
        }
        let ip_end = at + 40 + word(w, at + 4).expect("present");
        let (mut end, mut protocol, mut extensions) = (at + 40, w[at + 6], 0);
        while [0, 43, 44, 60].contains(&protocol) {
            if extensions == 4 {
                return self.found(ParseClass::ExtensionDepth, end, None, protocol);
            }
            extensions += 1;
            let size = match (protocol, w.get(end + 1)) {
                (44, _) => 8,
                (_, Some(length)) => 8 * (usize::from(*length) + 1),
                (_, None) => usize::MAX / 2,
            };
            if end + size > w.len() || end + size > ip_end {
                return self.found(ParseClass::L4Truncated, end, None, protocol);
            }
            let later_fragment = protocol == 44 && word(w, end + 2).expect("present") & 0xfff8 != 0;
            protocol = w[end];
            end += size;
            if later_fragment {
                return self.found(ParseClass::Fragment, end, None, protocol);
            }
        }
        self.transport(end, ip_end, protocol)
    }

    fn transport(&self, start: usize, ip_end: usize, protocol: u8) -> Expected {
        let header = match protocol {
            6 => self.w.get(start + 12).map_or(0, |byte| usize::from(byte >> 4) * 4),
            17 => 8,
            132 => 12,
            1 if !self.v6 => 8,
            58 if self.v6 => 8,
            _ => return self.found(ParseClass::NoPorts, start, None, protocol),
        };
        let end = start + header;
        if (protocol == 6 && header < 20) || end > self.w.len() || end > ip_end {
            return self.found(ParseClass::L4Truncated, start, None, protocol);
        }
        let class = if protocol == 1 || protocol == 58 { ParseClass::NoPorts } else { ParseClass::Ports };
        self.found(class, start, Some(end), protocol)
    }
}

/// `w` is the window, no longer than `W`.
fn reference(w: &[u8]) -> Expected {
    let mut at = 12;
    let mut vlan_tags = 0;
    loop {
        match word(w, at) {
            None => return ended(ParseClass::Truncated),
            Some(0x8100 | 0x88a8) if vlan_tags == 2 => return ended(ParseClass::VlanDepth),
            Some(0x8100 | 0x88a8) => {
                vlan_tags += 1;
                at += 4;
            }
            Some(0x0800) => return Ip { w, at: at + 2, vlan_tags, v6: false }.ipv4(),
            Some(0x86dd) => return Ip { w, at: at + 2, vlan_tags, v6: true }.ipv6(),
            Some(_) => return ended(ParseClass::NonIp),
        }
    }
}

/// A window that gets deep into the rules more often than chance would.
fn window(random: &mut Random) -> Vec<u8> {
    let mut w = random.bytes(12);
    for _ in 0..[0, 0, 0, 1, 1, 2, 2, 3][random.below(8) as usize] {
        w.extend_from_slice(if random.one_in(2) { &[0x81, 0] } else { &[0x88, 0xa8] });
        w.extend_from_slice(&random.bytes(2));
    }
    let protocols = [6, 6, 17, 17, 132, 1, 58, 50, 59, 0, 43, 44, 60];
    let mut protocol = protocols[random.below(13) as usize];
    if random.one_in(2) {
        w.extend_from_slice(&[8, 0]);
        let words = if random.one_in(3) { 5 + random.below(11) as u8 } else { 5 };
        let total = if random.one_in(6) { random.below(120) as u8 } else { 180 };
        let mut header = random.bytes(usize::from(words) * 4);
        header[..4].copy_from_slice(&[0x40 | words, 0, 0, total]);
        header[6..10].copy_from_slice(&[0x40, 0, 64, protocol]);
        if random.one_in(8) {
            header[6 + random.below(2) as usize] |= 1;
        }
        w.extend_from_slice(&header);
    } else {
        w.extend_from_slice(&[0x86, 0xdd]);
        let mut header = random.bytes(40);
        let payload = if random.one_in(6) { random.below(120) as u8 } else { 150 };
        header[0] = 0x60;
        header[4..7].copy_from_slice(&[0, payload, protocol]);
        w.extend_from_slice(&header);
        while [0, 43, 44, 60].contains(&protocol) && w.len() < 180 {
            let before = protocol;
            protocol = if random.one_in(2) { 60 } else { protocols[random.below(13) as usize] };
            let units = if random.one_in(4) { random.below(4) as usize } else { 0 };
            let mut header = random.bytes(8 * (units + 1));
            header[0] = protocol;
            header[1] = if random.one_in(12) { 255 } else { units as u8 };
            if before == 44 {
                header.truncate(8);
                header[2..4].copy_from_slice(if random.one_in(3) { &[0, 8] } else { &[0, 1] });
            }
            w.extend_from_slice(&header);
        }
    }
    let mut transport = random.bytes(60);
    transport[12] = [0x50, 0x50, 0x60, 0xf0, 0x40, 0x00][random.below(6) as usize];
    w.extend_from_slice(&transport);
    w.extend_from_slice(&random.bytes(192));
    if random.one_in(6) {
        // Any byte of the headers may be anything.
        let at = 12 + random.below(60) as usize;
        w[at] = random.next() as u8;
    }
    let length = if random.one_in(3) { random.below(193) as usize } else { 192 };
    w.truncate(length);
    w
}

fn check(parser: &Parser, bytes: &[u8], mark: u64) {
    let parsed = parser.parsed.val();
    let (ticket, headers) = (parsed.ticket, parsed.headers);
    assert_eq!(value(ticket.stamp), mark, "not the frame that went in");
    assert_eq!(ticket.port, mark % 2 == 1);
    let expected = reference(bytes);
    let keys = parsed.has_addresses.then(|| [to_bytes(parsed.source), to_bytes(parsed.destination)]);
    let ports = parsed.has_ports.then(|| to_bytes(parsed.ports).try_into().expect("four bytes"));
    let vlan_tags = if parsed.has_addresses { value(headers.vlan_tags) as usize } else { 0 };
    let got = Expected {
        class: value(headers.class) as u8,
        l3_offset: value(headers.l3_offset) as usize,
        l3_end: value(headers.l3_end) as usize,
        l4_offset: value(headers.l4_offset) as usize,
        l4_end: value(headers.l4_end) as usize,
        protocol: value(headers.protocol) as u8,
        vlan_tags,
        keys,
        ports,
    };
    assert_eq!(got, expected, "frame {bytes:02x?}");
}

#[test]
fn random_headers_parse_as_the_abi_says() {
    let mut bench = Bench::new(Parser::default(), |block| &mut block.clock);
    let mut random = Random(4);
    let mut inside: VecDeque<Option<(Vec<u8>, u64)>> = VecDeque::new();
    let mut classes = [0_u32; 9];
    for mark in 0..1_500 {
        // What lies behind `W` is whatever the frame before left.
        let bytes = window(&mut random);
        let mut padded = bytes.clone();
        padded.extend_from_slice(&random.bytes(192 - bytes.len()));
        let valid = !random.one_in(5);
        classes[usize::from(reference(&bytes).class)] += u32::from(valid);
        let block = &mut bench.block;
        block.valid.next = valid;
        block.port.next = mark % 2 == 1;
        block.window.next = Window {
            bytes: to_bits(&padded),
            length: number(bytes.len() as u64),
            quality: number(1),
            stamp: number(mark),
            start: number(mark % 4096),
        };
        inside.push_back(valid.then_some((bytes, mark)));
        bench.tick();
        if inside.len() == PARSER_CLOCKS {
            let leaving = inside.pop_front().expect("not empty");
            assert_eq!(bench.block.out_valid.val(), leaving.is_some());
            if let Some((bytes, mark)) = leaving {
                check(&bench.block, &bytes, mark);
            }
        }
    }
    assert!(classes.iter().all(|&count| count > 5), "some classes were hardly tried: {classes:?}");
}
