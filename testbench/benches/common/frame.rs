//! The frames of both benchmarks: UDP over IPv4, from the target or from nobody.

use etherparse::PacketBuilder;
use writ_abi::crc;
use writ_testbench::traffic::load::FCS_BYTES;

use crate::card::TARGET;

/// Where the UDP payload begins.
pub(crate) const PAYLOAD_AT: usize = 42;
/// Where the UDP checksum stands; 0 says that there is none.
const UDP_CHECKSUM_AT: usize = 40;

/// A frame with FCS. `bytes`: without FCS, at least 60. The headers come from a builder once; what it would do with a payload is done by `fill`, for there
/// are many frames.
pub(crate) fn frame(bytes: usize, is_matched: bool, fill: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let source = if is_matched { TARGET.octets() } else { [192, 0, 2, 9] };
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(source, [198, 51, 100, 7], 64)
        .udp(40_000, 50_000);
    let mut frame = Vec::with_capacity(bytes + FCS_BYTES);
    let payload = vec![0; bytes.saturating_sub(PAYLOAD_AT)];
    builder.write(&mut frame, &payload).unwrap_or_else(|error| unreachable!("a vector takes everything: {error}"));
    frame[UDP_CHECKSUM_AT..PAYLOAD_AT].fill(0);
    fill(&mut frame[PAYLOAD_AT..]);
    frame.extend(crc::ethernet_fcs(&frame).to_le_bytes());
    frame
}
