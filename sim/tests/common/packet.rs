//! Packets, layer by layer, from the inside out. Lengths are right, checksums are not: the card looks at none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) const MAC_A: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(crate) const MAC_B: [u8; 6] = [2, 0, 0, 0, 0, 2];

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const PPPOE: u16 = 0x8864;
pub(crate) const MPLS: u16 = 0x8847;
pub(crate) const TRANSPARENT_ETHERNET: u16 = 0x6558;

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const GRE: u8 = 47;

fn u16s(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// As many bytes that do not repeat for long.
pub(crate) fn body(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 7 + i / 256 + 3) as u8).collect()
}

/// Ethernet from A to B behind tags (TPID, TCI).
pub(crate) fn ethernet(tags: &[(u16, u16)], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let tags: Vec<u8> = tags.iter().flat_map(|(tpid, tci)| u16s(&[*tpid, *tci])).collect();
    join(&[&MAC_B, &MAC_A, &tags, &u16s(&[ethertype]), payload])
}

/// PPPoE session; `protocol` is that of PPP.
pub(crate) fn pppoe(session: u16, protocol: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&u16s(&[0x1100, session, payload.len() as u16 + 2, protocol]), payload])
}

/// A label stack; the last label is the bottom.
pub(crate) fn mpls(labels: &[u32], payload: &[u8]) -> Vec<u8> {
    let stack = labels.iter().enumerate().flat_map(|(i, label)| {
        let bottom = u32::from(i + 1 == labels.len());
        (label << 12 | bottom << 8 | 64).to_be_bytes()
    });
    stack.chain(payload.iter().copied()).collect()
}

/// A pseudowire's control word and what follows.
pub(crate) fn control_word(payload: &[u8]) -> Vec<u8> {
    join(&[&[0, 0, 0, 9], payload])
}

pub(crate) fn v4(address: &str) -> Ipv4Addr {
    address.parse().expect("an IPv4 address")
}

pub(crate) fn v6(address: &str) -> Ipv6Addr {
    address.parse().expect("an IPv6 address")
}

/// The ethertype of an IP packet between these addresses.
pub(crate) fn ethertype_of(address: IpAddr) -> u16 {
    if address.is_ipv4() { IPV4 } else { IPV6 }
}

/// IPv4 or IPv6, by the addresses, without options and extension headers.
pub(crate) fn ip(addresses: [IpAddr; 2], protocol: u8, payload: &[u8]) -> Vec<u8> {
    match addresses {
        [IpAddr::V4(source), IpAddr::V4(destination)] => ipv4([source, destination], protocol, &[], payload),
        [IpAddr::V6(source), IpAddr::V6(destination)] => ipv6([source, destination], &[], protocol, payload),
        _ => panic!("two versions"),
    }
}

/// IPv4; `options` is a multiple of 4 bytes.
pub(crate) fn ipv4(addresses: [Ipv4Addr; 2], protocol: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header_bytes = 20 + options.len();
    let total = (header_bytes + payload.len()) as u16;
    let first = 0x40 | (header_bytes / 4) as u8;
    let start = join(&[&[first, 0], &u16s(&[total, 0x1234, 0]), &[64, protocol, 0, 0]]);
    join(&[&start, &addresses[0].octets(), &addresses[1].octets(), options, payload])
}

/// An extension header: kind, bytes (a multiple of 8), and for a fragment header offset and flags.
pub(crate) type Extension = (u8, usize, u16);

/// IPv6 with extension headers.
pub(crate) fn ipv6(addresses: [Ipv6Addr; 2], extensions: &[Extension], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 40];
    packet[0] = 0x60;
    packet[7] = 64;
    packet[8..24].copy_from_slice(&addresses[0].octets());
    packet[24..40].copy_from_slice(&addresses[1].octets());
    let mut next_at = 6;
    for (kind, bytes, fragment) in extensions {
        packet[next_at] = *kind;
        next_at = packet.len();
        packet.extend(vec![0x5a; *bytes]);
        packet[next_at + 1] = if *kind == 44 { 0 } else { (bytes / 8 - 1) as u8 };
        if *kind == 44 {
            packet[next_at + 2..next_at + 4].copy_from_slice(&fragment.to_be_bytes());
        }
    }
    packet[next_at] = protocol;
    packet.extend(payload);
    let length = (packet.len() - 40) as u16;
    packet[4..6].copy_from_slice(&length.to_be_bytes());
    packet
}

pub(crate) fn udp(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    join(&[&u16s(&[ports[0], ports[1], payload.len() as u16 + 8, 0]), payload])
}

/// TCP with a header of `words` words (5 to 15).
pub(crate) fn tcp(ports: [u16; 2], words: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x11; 4 * usize::from(words.max(5))];
    header[..4].copy_from_slice(&u16s(&ports));
    header[12] = words << 4;
    join(&[&header, payload])
}

pub(crate) fn sctp(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    join(&[&u16s(&ports), &[0x22; 8], payload])
}

/// GTP-U with the flags' optional part and extension headers (length in words, content zero but the type behind).
/// `extensions`: the types and words.
pub(crate) fn gtpu(teid: u32, flags: u8, extensions: &[(u8, u8)], payload: &[u8]) -> Vec<u8> {
    let mut options = Vec::new();
    if flags & 7 != 0 {
        options.extend([0x12, 0x34, 0x56, extensions.first().map_or(0, |(kind, _)| *kind)]);
    }
    for (i, (_, words)) in extensions.iter().enumerate() {
        let mut header = vec![0x77; 4 * usize::from(*words)];
        if let (Some(first), true) = (header.first_mut(), *words > 0) {
            *first = *words;
        }
        if let Some(last) = header.last_mut() {
            *last = extensions.get(i + 1).map_or(0, |(kind, _)| *kind);
        }
        options.extend(header);
    }
    let length = (options.len() + payload.len()) as u16;
    join(&[&[0x30 | flags, 255], &u16s(&[length]), &teid.to_be_bytes(), &options, payload])
}

pub(crate) fn vxlan(vni: u32, payload: &[u8]) -> Vec<u8> {
    join(&[&[8, 0, 0, 0], &(vni << 8).to_be_bytes(), payload])
}

/// GENEVE; `options` is a multiple of 4 bytes.
pub(crate) fn geneve(vni: u32, protocol: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let first = (options.len() / 4) as u8;
    join(&[&[first, 0], &u16s(&[protocol]), &(vni << 8).to_be_bytes(), options, payload])
}

/// Flags of L2TP.
pub(crate) const L2TP_LENGTH: u16 = 0x4000;
pub(crate) const L2TP_SEQUENCE: u16 = 0x0800;
pub(crate) const L2TP_OFFSET: u16 = 0x0200;

/// L2TPv2 data; `offset` bytes with the flag O.
pub(crate) fn l2tp(flags: u16, ids: [u16; 2], offset: u16, ppp: &[u8]) -> Vec<u8> {
    let mut header = u16s(&[flags | 2]);
    if flags & L2TP_LENGTH != 0 {
        header.extend(u16s(&[0xaaaa]));
    }
    header.extend(u16s(&ids));
    if flags & L2TP_SEQUENCE != 0 {
        header.extend([1, 2, 3, 4]);
    }
    if flags & L2TP_OFFSET != 0 {
        header.extend(u16s(&[offset]));
        header.extend(vec![0x99; usize::from(offset)]);
    }
    join(&[&header, ppp])
}

/// PPP, with or without address and control field.
pub(crate) fn ppp(with_address: bool, protocol: u16, payload: &[u8]) -> Vec<u8> {
    let start = if with_address { u16s(&[0xff03, protocol]) } else { u16s(&[protocol]) };
    join(&[&start, payload])
}

/// Flags of GRE.
pub(crate) const GRE_CHECKSUM: u16 = 0x8000;
pub(crate) const GRE_KEY: u16 = 0x2000;
pub(crate) const GRE_SEQUENCE: u16 = 0x1000;

/// GRE with the fields that the flags name; the key is `key`.
pub(crate) fn gre(flags: u16, protocol: u16, key: u32, payload: &[u8]) -> Vec<u8> {
    let mut header = u16s(&[flags, protocol]);
    if flags & GRE_CHECKSUM != 0 {
        header.extend([0xc0; 4]);
    }
    if flags & GRE_KEY != 0 {
        header.extend(key.to_be_bytes());
    }
    if flags & GRE_SEQUENCE != 0 {
        header.extend([0x50; 4]);
    }
    join(&[&header, payload])
}
