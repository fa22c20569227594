//! Putting a capture on the simulated wires: which frame goes in at which port, and when.

use std::collections::BTreeMap;

use crate::capture::{Capture, Frame};
use crate::traffic::Side;

/// Shortest frame of Ethernet, check sequence not counted; shorter captures were taken before the sender padded.
const FRAME_BYTES_MIN: usize = 60;
/// Longest frame that is played, check sequence not counted.
const FRAME_BYTES_MAX: usize = 15_996;

/// A frame with its place on the wires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Port that it comes in on.
    pub side: Side,
    /// Card time of its arrival, counted from the first frame.
    pub offset_ns: u64,
    /// The frame without its check sequence, padded to Ethernet's minimum.
    pub data: Vec<u8>,
}

/// A capture ready to be played.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The frames in the order of their arrival.
    pub frames: Vec<Planned>,
    /// What was changed or left out, one sentence each.
    pub notes: Vec<String>,
}

impl Plan {
    /// Plans a capture. Gaps between frames longer than `max_gap_ns` become that long.
    ///
    /// The port is the capture's interface if it has exactly two; otherwise whoever is seen first to send between two addresses sits on port A, and
    /// the other on port B.
    pub fn new(capture: &Capture, max_gap_ns: u64) -> Self {
        let mut plan = Self { frames: Vec::with_capacity(capture.frames.len()), notes: capture.warnings.clone() };
        let mut order: Vec<&Frame> = capture.frames.iter().collect();
        order.sort_by_key(|frame| frame.time_ns);
        if !capture.frames.is_sorted_by_key(|frame| frame.time_ns) {
            plan.notes.push(
                "the capture's frames were not in the order of their times; they are played in that order".to_owned(),
            );
        }
        let two_interfaces = {
            let mut seen: Vec<u32> = capture.frames.iter().map(|frame| frame.interface).collect();
            seen.sort_unstable();
            seen.dedup();
            seen == [0, 1]
        };
        let mut ends = Ends::default();
        let mut previous_ns = order.first().map_or(0, |frame| frame.time_ns);
        let (mut offset_ns, mut cut, mut too_long) = (0, 0, 0);
        for frame in order {
            offset_ns += (frame.time_ns - previous_ns).min(max_gap_ns);
            previous_ns = frame.time_ns;
            if frame.data.len() > FRAME_BYTES_MAX || frame.data.is_empty() {
                too_long += 1;
                continue;
            }
            cut += usize::from(frame.original_len as usize > frame.data.len());
            let side = match (two_interfaces, frame.interface) {
                (true, 1) => Side::B,
                (true, _) => Side::A,
                (false, _) => ends.side(&frame.data),
            };
            let mut data = frame.data.clone();
            data.resize(data.len().max(FRAME_BYTES_MIN), 0);
            plan.frames.push(Planned { side, offset_ns, data });
        }
        if cut > 0 {
            plan.notes
                .push(format!("{cut} frames were captured with a length limit; they are played as short as they are"));
        }
        if too_long > 0 {
            plan.notes.push(format!("{too_long} frames of no or more than {FRAME_BYTES_MAX} bytes are left out"));
        }
        plan
    }

    /// Card time from the first arrival to the last.
    pub fn duration_ns(&self) -> u64 {
        self.frames.last().map_or(0, |frame| frame.offset_ns)
    }
}

/// Who sits on which port.
#[derive(Default)]
struct Ends {
    /// For a pair of addresses, lower first: whether the lower one is on port A.
    pairs: BTreeMap<(Vec<u8>, Vec<u8>), bool>,
}

impl Ends {
    fn side(&mut self, frame: &[u8]) -> Side {
        let (from, to) = addresses(frame);
        let from_is_lower = from <= to;
        let key = if from_is_lower { (from, to) } else { (to, from) };
        let lower_on_a = *self.pairs.entry(key).or_insert(from_is_lower);
        if lower_on_a == from_is_lower { Side::A } else { Side::B }
    }
}

/// Sender and receiver: IP addresses where the frame has them, station addresses otherwise.
fn addresses(frame: &[u8]) -> (Vec<u8>, Vec<u8>) {
    if let Some(ip) = crate::truth::look(frame).outer {
        let octets = |address| match address {
            std::net::IpAddr::V4(address) => address.octets().to_vec(),
            std::net::IpAddr::V6(address) => address.octets().to_vec(),
        };
        return (octets(ip.source), octets(ip.destination));
    }
    let station = |from: usize| frame.get(from..from + 6).unwrap_or_default().to_vec();
    (station(6), station(0))
}

/// The check sequence of a frame as it follows on the wire, bit by bit from IEEE 802.3: an independent copy to compare with.
pub fn check_sequence(frame: &[u8]) -> [u8; 4] {
    let mut remainder = u32::MAX;
    for &byte in frame {
        remainder ^= u32::from(byte);
        for _ in 0..8 {
            let carry = remainder & 1;
            remainder >>= 1;
            if carry == 1 {
                remainder ^= 0xedb8_8320;
            }
        }
    }
    (!remainder).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic;

    #[test]
    fn gaps_are_compressed_and_ports_kept() {
        let capture = traffic::generate(traffic::DEFAULT_SEED);
        let plan = Plan::new(&capture, 2_000);
        assert_eq!(plan.frames.len(), capture.frames.len());
        assert!(plan.notes.is_empty(), "{:?}", plan.notes);
        assert!(plan.frames.windows(2).all(|pair| pair[1].offset_ns - pair[0].offset_ns <= 2_000));
        assert!(plan.duration_ns() > 1_000 * plan.frames.len() as u64);
        let wide = Plan::new(&capture, u64::MAX);
        let first = capture.frames.first().map_or(0, |frame| frame.time_ns);
        let last = capture.frames.last().map_or(0, |frame| frame.time_ns);
        assert_eq!(wide.duration_ns(), last - first);
    }

    #[test]
    fn both_ends_of_a_conversation_get_a_port() {
        let mut capture = traffic::generate(traffic::DEFAULT_SEED);
        let wanted: Vec<u32> = capture.frames.iter().map(|frame| frame.interface).collect();
        for frame in &mut capture.frames {
            frame.interface = 0;
        }
        // Nearly all conversations of this capture are begun from port A.
        let plan = Plan::new(&capture, 1_000);
        let same = plan.frames.iter().zip(&wanted).filter(|(frame, wanted)| frame.side as u32 == **wanted).count();
        assert!(same * 100 > wanted.len() * 90, "{same} of {}", wanted.len());
    }

    #[test]
    fn check_sequence_of_a_known_text() {
        assert_eq!(check_sequence(b"123456789"), 0xcbf4_3926_u32.to_le_bytes());
    }
}
