//! Frames for tests, written by `etherparse`, which shares nothing with the card.

use etherparse::PacketBuilder;

const MAC_A: [u8; 6] = [2, 0, 0, 0, 0, 1];
const MAC_B: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn octets<const N: usize>(address: &str) -> [u8; N] {
    let address: std::net::IpAddr = address.parse().expect("an address");
    let bytes = match address {
        std::net::IpAddr::V4(v4) => v4.octets().to_vec(),
        std::net::IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    bytes.try_into().expect("the family that was asked for")
}

fn payload(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 7 + 3) as u8).collect()
}

/// UDP over IPv4 or IPv6, by the addresses' family.
pub(crate) fn udp(source: &str, destination: &str, ports: [u16; 2], payload_bytes: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(MAC_A, MAC_B);
    let builder = if source.contains(':') {
        builder.ipv6(octets(source), octets(destination), 64)
    } else {
        builder.ipv4(octets(source), octets(destination), 64)
    };
    let builder = builder.udp(ports[0], ports[1]);
    let payload = payload(payload_bytes);
    let mut frame = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut frame, &payload).expect("a vector takes everything");
    frame
}

/// TCP over IPv4 behind as many VLAN tags (0 to 2).
pub(crate) fn tcp_tagged(
    source: &str,
    destination: &str,
    ports: [u16; 2],
    tags: usize,
    payload_bytes: usize,
) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(MAC_A, MAC_B);
    let (source, destination, payload) = (octets(source), octets(destination), payload(payload_bytes));
    let mut frame = Vec::new();
    let id = |value: u16| etherparse::VlanId::try_new(value).expect("12 bits");
    match tags {
        0 => builder.ipv4(source, destination, 64).tcp(ports[0], ports[1], 1, 1024).write(&mut frame, &payload),
        1 => builder
            .single_vlan(id(7))
            .ipv4(source, destination, 64)
            .tcp(ports[0], ports[1], 1, 1024)
            .write(&mut frame, &payload),
        _ => builder
            .double_vlan(id(7), id(8))
            .ipv4(source, destination, 64)
            .tcp(ports[0], ports[1], 1, 1024)
            .write(&mut frame, &payload),
    }
    .expect("a vector takes everything");
    frame
}
