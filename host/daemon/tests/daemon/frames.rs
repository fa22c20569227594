//! Frames to play.

use std::net::{Ipv4Addr, Ipv6Addr};

fn ethernet(ether_type: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend_from_slice(&ether_type.to_be_bytes());
    frame.extend_from_slice(packet);
    // Short frames are padded on the wire; the padding is none of the packet.
    frame.resize(frame.len().max(60), 0);
    frame
}

fn checksum(header: &[u8]) -> u16 {
    let words = header.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend_from_slice(&ports.0.to_be_bytes());
    datagram.extend_from_slice(&ports.1.to_be_bytes());
    datagram.extend_from_slice(&(8 + payload.len() as u16).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(payload);
    datagram
}

/// A UDP datagram in IPv4: the packet.
pub(crate) fn packet4(source: Ipv4Addr, destination: Ipv4Addr, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let body = udp(ports, payload);
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(20 + body.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[0, 1, 0, 0, 64, 17, 0, 0]);
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
    let sum = checksum(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(&body);
    packet
}

/// A UDP datagram in IPv6: the packet.
pub(crate) fn packet6(source: Ipv6Addr, destination: Ipv6Addr, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let body = udp(ports, payload);
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(body.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[17, 64]);
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
    packet.extend_from_slice(&body);
    packet
}

/// A packet in a GTP-U tunnel: the outer packet.
pub(crate) fn gtpu4(source: Ipv4Addr, destination: Ipv4Addr, teid: u32, inner: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x30, 0xff];
    payload.extend_from_slice(&(inner.len() as u16).to_be_bytes());
    payload.extend_from_slice(&teid.to_be_bytes());
    payload.extend_from_slice(inner);
    packet4(source, destination, (2152, 2152), &payload)
}

/// A frame with these addresses and whatever stands behind them, without FCS, padded.
pub(crate) fn link_frame(destination: [u8; 6], source: [u8; 6], rest: &[&[u8]]) -> Vec<u8> {
    let mut frame = [destination, source].concat();
    rest.iter().for_each(|part| frame.extend_from_slice(part));
    frame.resize(frame.len().max(60), 0);
    frame
}

/// The frame of a packet, without FCS.
pub(crate) fn frame(packet: &[u8]) -> Vec<u8> {
    ethernet(if packet[0] >> 4 == 6 { 0x86dd } else { 0x0800 }, packet)
}
