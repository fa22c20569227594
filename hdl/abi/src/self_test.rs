//! Frames that the card makes itself, to show that the copy path works from the window to the host.
//!
//! While SELF_TEST.ENABLE says so, the card puts such a frame once a period into the copy side of a port, in a clock in which no frame of
//! the wire is there. From there on it is a frame of that port like any other: window, lookup, record. It is never on the wire, and the
//! counters of the wire do not count it; SELF_TEST.SENT and the counters SELF_TEST do.
//!
//! The frame has addresses that are reserved for documentation and are not routed, so the host selects it by a row or rule for them, with
//! the match index [`limits::SELF_TEST_MATCH_INDEX`], which no task has. A frame with these addresses on the wire is selected as well: what tells the
//! card's own is the token, which the host chooses anew for each test. A sequence number that does not come out is a frame that was lost, and a gap
//! record or a drop counter has to say where.

use crate::limits;

/// Source address of the frame, from TEST-NET-1.
pub const SOURCE: [u8; 4] = [192, 0, 2, 1];
/// Destination address of the frame, from TEST-NET-1.
pub const DESTINATION: [u8; 4] = [192, 0, 2, 2];
/// Both UDP ports of the frame: discard.
pub const UDP_PORT: u16 = 9;
/// First bytes of the UDP payload.
pub const MAGIC: [u8; 4] = *b"WRIT";
/// Where the token starts, 8 bytes, least significant first.
pub const TOKEN_AT: usize = 46;
/// Where the sequence number starts, 4 bytes, least significant first. It counts the frames of the port since the card's reset, from 0.
pub const SEQUENCE_AT: usize = 54;
/// Where the port is: 0 A, 1 B. The byte behind it is 1, the layout's version.
pub const PORT_AT: usize = 58;
/// Bytes of the frame, FCS included.
pub const FRAME_BYTES: usize = 64;

/// The frame: Ethernet, IPv4, UDP, 18 bytes of payload, and four zeros where the FCS would be, which no record holds.
pub const fn frame(port: u8, token: u64, sequence: u32) -> [u8; FRAME_BYTES] {
    const ETHERNET_BYTES: usize = 14;
    const IP_BYTES: u16 = (FRAME_BYTES - ETHERNET_BYTES - limits::FCS_BYTES) as u16;
    let mut frame = [0; FRAME_BYTES];
    // Locally administered addresses.
    put(&mut frame, 0, &[0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00]);
    // Don't fragment; time to live 1; UDP.
    put(&mut frame, 14, &[0x45, 0]);
    put(&mut frame, 16, &IP_BYTES.to_be_bytes());
    put(&mut frame, 20, &[0x40, 0, 1, 17]);
    put(&mut frame, 26, &SOURCE);
    put(&mut frame, 30, &DESTINATION);
    put(&mut frame, 34, &UDP_PORT.to_be_bytes());
    put(&mut frame, 36, &UDP_PORT.to_be_bytes());
    put(&mut frame, 38, &(IP_BYTES - 20).to_be_bytes());
    put(&mut frame, 42, &MAGIC);
    put(&mut frame, TOKEN_AT, &token.to_le_bytes());
    put(&mut frame, SEQUENCE_AT, &sequence.to_le_bytes());
    put(&mut frame, PORT_AT, &[port, 1]);
    let mut sum = 0;
    let mut at = ETHERNET_BYTES;
    while at < ETHERNET_BYTES + 20 {
        sum += u16::from_be_bytes([frame[at], frame[at + 1]]) as u32;
        at += 2;
    }
    let folded = (sum & 0xffff) + (sum >> 16);
    put(&mut frame, 24, &(!(folded as u16 + (folded >> 16) as u16)).to_be_bytes());
    frame
}

const fn put(frame: &mut [u8; FRAME_BYTES], at: usize, bytes: &[u8]) {
    let mut i = 0;
    while i < bytes.len() {
        frame[at + i] = bytes[i];
        i += 1;
    }
}

/// Port and sequence number of a frame of the card's own, if `bytes`, without FCS, are one with this token; `None` for anything else, and for a
/// frame that was cut.
pub fn recognise(bytes: &[u8], token: u64) -> Option<(u8, u32)> {
    let word = bytes.get(SEQUENCE_AT..SEQUENCE_AT + 4)?;
    let sequence = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
    let port = *bytes.get(PORT_AT)?;
    let expected = frame(port, token, sequence);
    (port < 2 && bytes == &expected[..FRAME_BYTES - limits::FCS_BYTES]).then_some((port, sequence))
}
