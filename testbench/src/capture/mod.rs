//! Capture files: reading pcap and pcapng, writing pcapng.
//!
//! Only Ethernet captures are read; [`read_file`] names file, block and byte offset of whatever it refuses. A file that ends
//! inside a block gives the frames before it and a warning, because that is how captures of a stopped process end.

mod read;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};

pub use read::{FILE_BYTES_MAX, read_bytes, read_file};
pub use write::{LinkType, PcapngWriter};

/// One frame of a capture: Ethernet, without its frame check sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Time of capture, nanoseconds of UTC since 1970.
    pub time_ns: u64,
    /// Number of the capture's interface that saw the frame; 0 in a pcap file.
    pub interface: u32,
    /// Length on the wire; more than `data` if the capture was taken with a length limit.
    pub original_len: u32,
    /// The bytes that the capture holds.
    pub data: Vec<u8>,
}

/// What a capture file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capture {
    /// Frames in file order.
    pub frames: Vec<Frame>,
    /// What was odd but did not stop the reading, one sentence each.
    pub warnings: Vec<String>,
}

/// A capture file that cannot be used.
#[derive(Debug)]
pub struct CaptureError {
    /// The file.
    pub file: PathBuf,
    /// Number of the block (pcapng) or record (pcap), counted from 0 with the file header as the first.
    pub block: usize,
    /// Byte offset at which that block starts.
    pub offset: usize,
    /// What is wrong with it.
    pub kind: CaptureErrorKind,
}

/// What is wrong with a capture file.
#[derive(Debug)]
#[non_exhaustive]
pub enum CaptureErrorKind {
    /// The operating system refused to read it.
    Io(std::io::Error),
    /// Larger than [`FILE_BYTES_MAX`].
    TooLarge {
        /// Size of the file.
        bytes: u64,
    },
    /// Neither pcap nor pcapng.
    NotACapture,
    /// Ends inside its file header.
    HeaderTruncated,
    /// A link type other than Ethernet.
    LinkType(i32),
    /// A block whose lengths contradict each other.
    Malformed(String),
    /// A packet of an interface that no block describes.
    UnknownInterface(u32),
    /// A time resolution that does not fit 64-bit nanoseconds.
    TimeResolution(u8),
    /// A packet block that bears no time.
    NoTime,
    /// No frame in the file.
    Empty,
}

impl CaptureError {
    pub(crate) fn new(file: &Path, block: usize, offset: usize, kind: CaptureErrorKind) -> Self {
        Self { file: file.to_path_buf(), block, offset, kind }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        // These are about the file as a whole.
        if !matches!(self.kind, CaptureErrorKind::Io(_) | CaptureErrorKind::TooLarge { .. }) {
            write!(f, "block {} at byte {}: ", self.block, self.offset)?;
        }
        match &self.kind {
            CaptureErrorKind::Io(error) => write!(f, "{error}"),
            CaptureErrorKind::TooLarge { bytes } => {
                write!(f, "the file has {bytes} bytes, more than the {FILE_BYTES_MAX} that are read")
            }
            CaptureErrorKind::NotACapture => write!(f, "neither a pcap nor a pcapng file"),
            CaptureErrorKind::HeaderTruncated => write!(f, "the file ends inside its header"),
            CaptureErrorKind::LinkType(number) => {
                write!(f, "link type {number}; only Ethernet (1) can be played through the card")
            }
            CaptureErrorKind::Malformed(what) => write!(f, "malformed: {what}"),
            CaptureErrorKind::UnknownInterface(number) => {
                write!(f, "a packet of interface {number}, which is not described")
            }
            CaptureErrorKind::TimeResolution(value) => write!(f, "time resolution {value:#04x} is not supported"),
            CaptureErrorKind::NoTime => write!(f, "a simple packet block, which bears no time"),
            CaptureErrorKind::Empty => write!(f, "the file holds no frame"),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            CaptureErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}
