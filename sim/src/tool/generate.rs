//! Traffic out of nothing: UDP flows between two networks of documentation addresses, both ways.

use etherparse::PacketBuilder;
use std::str::FromStr;
use writ_sim::wire::IMIX;

/// Headers of a frame: Ethernet, IPv4, UDP.
const HEADER_BYTES: u16 = 14 + 20 + 8;
/// All frames of a round are kept in memory.
const FLOWS_MAX: u16 = 10_000;

/// How long frames are, without check sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrameBytes {
    /// All the same.
    Fixed(u16),
    /// [`IMIX`].
    Imix,
}

impl FromStr for FrameBytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "imix" => Ok(Self::Imix),
            Ok(bytes @ 60..=9600) => Ok(Self::Fixed(bytes)),
            _ => Err("60 to 9600, or imix, is wanted".to_owned()),
        }
    }
}

impl FrameBytes {
    fn sizes(&self) -> Vec<u16> {
        match self {
            Self::Fixed(bytes) => vec![*bytes],
            Self::Imix => IMIX.iter().flat_map(|&(bytes, share)| (0..share).map(move |_| bytes)).collect(),
        }
    }
}

/// How many flows there may be.
pub(crate) fn flows(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(flows @ 1..=FLOWS_MAX) => Ok(flows),
        _ => Err(format!("1 to {FLOWS_MAX} is wanted")),
    }
}

/// One round of the frames of each port, without check sequence: each flow once with each size. Flow `n` runs from port `10000 + n` of
/// 198.51.100.`1 + n % 254`, on the side of port A, to port 443 of 203.0.113.1, on the side of port B.
pub(crate) fn frames(flows: u16, bytes: &FrameBytes) -> [Vec<Vec<u8>>; 2] {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for size in bytes.sizes() {
        for flow in 0..flows {
            let user = ([198, 51, 100, 1 + (flow % 254) as u8], 10_000 + flow);
            let server = ([203, 0, 113, 1], 443);
            up.push(datagram(size, flow, [user, server]));
            down.push(datagram(size, flow, [server, user]));
        }
    }
    [up, down]
}

/// The flow's number is the payload's first two bytes, and each byte behind it is its place.
fn datagram(bytes: u16, flow: u16, [from, to]: [([u8; 4], u16); 2]) -> Vec<u8> {
    let mac = |address: [u8; 4]| [0x02, 0, address[0], address[1], address[2], address[3]];
    let mut payload: Vec<u8> = (0..bytes - HEADER_BYTES).map(|place| place as u8).collect();
    let number = flow.to_be_bytes();
    payload[..number.len()].copy_from_slice(&number);
    let mut frame = Vec::with_capacity(bytes.into());
    let builder = PacketBuilder::ethernet2(mac(from.0), mac(to.0)).ipv4(from.0, to.0, 64).udp(from.1, to.1);
    // Lengths are bounded, and a vector takes all.
    let _ = builder.write(&mut frame, &payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{NetSlice, SlicedPacket, TransportSlice};

    #[test]
    fn frames_have_their_length_and_belong_to_their_flow() {
        for (bytes, sizes) in [(FrameBytes::Fixed(9600), 1), (FrameBytes::Imix, 12), (FrameBytes::Fixed(60), 1)] {
            let [up, down] = frames(300, &bytes);
            assert_eq!((up.len(), down.len()), (300 * sizes, 300 * sizes));
            for (at, (up, down)) in up.iter().zip(&down).enumerate() {
                assert_eq!((up.len(), down.len()), (bytes.sizes()[at / 300].into(), up.len()));
                let [up, down] = [up, down].map(|frame| ends(frame));
                assert_eq!([up[1], up[0]], down);
                let flow = at as u16 % 300;
                assert_eq!(up[0], ([198, 51, 100, 1 + (flow % 254) as u8], 10_000 + flow));
            }
        }
    }

    fn ends(frame: &[u8]) -> [([u8; 4], u16); 2] {
        let packet = SlicedPacket::from_ethernet(frame).expect("a good frame");
        let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Udp(udp))) = (packet.net, packet.transport) else {
            panic!("no UDP over IPv4");
        };
        let (ip, udp) = (ip.header(), udp.to_header());
        [(ip.source(), udp.source_port), (ip.destination(), udp.destination_port)]
    }

    #[test]
    fn sizes_and_flows_out_of_range_are_refused() {
        assert_eq!(
            ["60", "9600", "imix"].map(|text| text.parse().is_ok_and(|bytes: FrameBytes| !bytes.sizes().is_empty())),
            [true; 3]
        );
        for text in ["59", "9601", "IMIX", "", "-1"] {
            assert!(text.parse::<FrameBytes>().is_err(), "{text}");
        }
        assert_eq!((flows("1"), flows("10000")), (Ok(1), Ok(10_000)));
        assert!(["0", "10001", "x"].iter().all(|text| flows(text).is_err()));
    }
}
