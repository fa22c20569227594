//! Frames out of a capture.

use pcap_parser::{Linktype, PcapBlockOwned, PcapError, create_reader};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use writ_sim::card::FRAME_BYTES_MAX;

/// Bytes of a check sequence, which captures do not have.
const FCS_BYTES: usize = 4;
/// Most bytes of frames that a capture may hold: all of them are kept in memory.
const BYTES_MAX: usize = 1 << 30;
/// Bytes of the reader's buffer; no block of a capture is longer.
const BLOCK_BYTES_MAX: usize = 1 << 24;

/// What is wrong with a capture.
#[derive(Debug)]
pub(crate) struct CaptureError {
    path: PathBuf,
    what: What,
}

#[derive(Debug)]
enum What {
    Io(io::Error),
    NoCapture(String),
    NotEthernet(i32),
    /// The frame's number, from 1, as Wireshark counts.
    Truncated(u64),
    Length(u64, usize),
    Empty,
    TooLarge,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capture {}: ", self.path.display())?;
        match &self.what {
            What::Io(source) => write!(f, "{source}"),
            What::NoCapture(why) => write!(f, "no pcap or pcapng, or a damaged one: {why}"),
            What::NotEthernet(link) => write!(f, "link type {link}; Ethernet (1) is wanted"),
            What::Truncated(number) => {
                write!(f, "frame {number} is not there as a whole; capture with a larger snap length")
            }
            What::Length(number, bytes) => write!(
                f,
                "frame {number} has {bytes} bytes; the card's ports take 1 to {}",
                FRAME_BYTES_MAX - FCS_BYTES
            ),
            What::Empty => write!(f, "there is no frame in it"),
            What::TooLarge => write!(f, "more than {} MiB of frames", BYTES_MAX >> 20),
        }
    }
}

impl std::error::Error for CaptureError {}

/// All frames, without check sequence. At least one.
pub(crate) fn read(path: &Path) -> Result<Vec<Vec<u8>>, CaptureError> {
    let fail = |what| CaptureError { path: path.to_path_buf(), what };
    let file = File::open(path).map_err(|source| fail(What::Io(source)))?;
    frames(file).map_err(fail)
}

fn frames(file: impl Read) -> Result<Vec<Vec<u8>>, What> {
    let broken = |error: &dyn fmt::Debug| What::NoCapture(format!("{error:?}"));
    let mut file = file;
    let mut text = Vec::new();
    file.by_ref().take(2 * BYTES_MAX as u64).read_to_end(&mut text).map_err(What::Io)?;
    let mut reader = create_reader(BLOCK_BYTES_MAX, text.as_slice()).map_err(|error| match error {
        PcapError::Eof => What::Empty,
        _ => What::NoCapture("it does not begin like one".to_owned()),
    })?;
    let mut frames = Frames::default();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                frames.block(&block)?;
                reader.consume(used);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(|_| What::NoCapture("it ends early".to_owned()))?
            }
            Err(PcapError::NomError(_, kind) | PcapError::OwnedNomError(_, kind)) => return Err(broken(&kind)),
            Err(_) => return Err(What::NoCapture("it ends in the middle of a frame".to_owned())),
        }
    }
    if frames.list.is_empty() { Err(What::Empty) } else { Ok(frames.list) }
}

#[derive(Default)]
struct Frames {
    list: Vec<Vec<u8>>,
    bytes: usize,
    number: u64,
}

impl Frames {
    fn block(&mut self, block: &PcapBlockOwned<'_>) -> Result<(), What> {
        let link = |link: Linktype| if link == Linktype::ETHERNET { Ok(()) } else { Err(What::NotEthernet(link.0)) };
        match block {
            PcapBlockOwned::LegacyHeader(header) => link(header.network),
            PcapBlockOwned::Legacy(packet) => self.frame(packet.data, packet.caplen, packet.origlen),
            PcapBlockOwned::NG(pcap_parser::Block::InterfaceDescription(interface)) => link(interface.linktype),
            PcapBlockOwned::NG(pcap_parser::Block::EnhancedPacket(packet)) => {
                self.frame(packet.data, packet.caplen, packet.origlen)
            }
            PcapBlockOwned::NG(_) => Ok(()),
        }
    }

    fn frame(&mut self, data: &[u8], captured: u32, original: u32) -> Result<(), What> {
        self.number += 1;
        let bytes = data.get(..captured as usize).filter(|_| captured == original);
        let bytes = bytes.ok_or(What::Truncated(self.number))?;
        if bytes.is_empty() || bytes.len() > FRAME_BYTES_MAX - FCS_BYTES {
            return Err(What::Length(self.number, bytes.len()));
        }
        self.bytes += bytes.len();
        if self.bytes > BYTES_MAX {
            return Err(What::TooLarge);
        }
        self.list.push(bytes.to_vec());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A classic capture: link type, and (bytes there, bytes on the wire) of each frame.
    fn capture(link: u32, frames: &[(u32, u32)]) -> Vec<u8> {
        let mut text = Vec::new();
        for word in [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 65535, link] {
            text.extend(word.to_le_bytes());
        }
        for (i, &(captured, original)) in frames.iter().enumerate() {
            for word in [0, 0, captured, original] {
                text.extend(word.to_le_bytes());
            }
            text.extend(vec![i as u8; captured as usize]);
        }
        text
    }

    fn said(text: &[u8]) -> String {
        let what = frames(text).expect_err("refused");
        CaptureError { path: PathBuf::from("x.pcap"), what }.to_string()
    }

    #[test]
    fn frames_come_as_they_are() {
        let found = frames(&capture(1, &[(60, 60), (1514, 1514)])[..]).expect("good");
        assert_eq!(found, [vec![0; 60], vec![1; 1514]]);
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        for (text, wanted) in [
            (capture(1, &[]), "no frame"),
            (capture(101, &[(60, 60)]), "link type 101"),
            (capture(1, &[(60, 60), (60, 1500)]), "frame 2 is not there as a whole"),
            (capture(1, &[(0, 0)]), "frame 1 has 0 bytes"),
            (capture(1, &[(15_997, 15_997)]), "frame 1 has 15997 bytes"),
            (b"banana, which is no capture at all".to_vec(), "no pcap"),
            (Vec::new(), "no frame"),
            (capture(1, &[(60, 60)])[..70].to_vec(), "ends"),
        ] {
            let said = said(&text);
            assert!(said.contains("x.pcap") && said.contains(wanted), "{said:?} should tell {wanted:?}");
        }
    }
}
