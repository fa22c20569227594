//! Reference material, and what several tests need of it.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]

use std::{collections::BTreeMap, path::PathBuf};

/// A folder of the reference material outside of the repository, or `None` if it is not there. Where `CI` is `true` it has to be.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    println!("skipped: {} is missing", path.display());
    None
}

/// Octets for hexadecimal digits.
pub fn from_hex(text: &str) -> Vec<u8> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "odd number of digits");
    let digit = |octet: u8| char::from(octet).to_digit(16).expect("a hexadecimal digit") as u8;
    pairs.iter().map(|&[high, low]| digit(high) << 4 | digit(low)).collect()
}

/// Lines of a name and hexadecimal digits.
pub fn vectors(text: &str) -> BTreeMap<String, Vec<u8>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(name, hex)| (name.to_owned(), from_hex(hex.trim()))).collect()
}

/// Payload octets of the two sides of a captured TCP session, by source port: in order of sequence, what was sent twice once.
pub fn tcp_payloads(pcap: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    let (mut rest, header) = pcap_parser::parse_pcap_header(pcap).expect("a pcap file");
    let link_octets = match header.network {
        pcap_parser::Linktype::ETHERNET => 14,
        pcap_parser::Linktype::RAW => 0,
        other => panic!("link type {other:?}"),
    };
    let mut segments: BTreeMap<u16, BTreeMap<u32, &[u8]>> = BTreeMap::new();
    while !rest.is_empty() {
        let frame;
        (rest, frame) = pcap_parser::parse_pcap_frame(rest).expect("a record");
        let ip = &frame.data[link_octets..];
        // Neighbour discovery and the like.
        if (ip[0] >> 4, ip[9]) != (4, 6) {
            continue;
        }
        let tcp = &ip[usize::from(ip[0] & 15) * 4..usize::from(u16::from_be_bytes([ip[2], ip[3]]))];
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        if !payload.is_empty() {
            let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
            segments.entry(u16::from_be_bytes([tcp[0], tcp[1]])).or_default().insert(sequence, payload);
        }
    }
    segments.into_iter().map(|(port, segments)| (port, segments.into_values().flatten().copied().collect())).collect()
}
