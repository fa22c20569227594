//! Messages of the wire protocol and their bytes.

use super::Statistics;
use crate::card::FRAME_BYTES_MAX;
use std::io::{self, Read, Write};
use writ_abi::PortSide;

/// First field of `Hello`.
pub const MAGIC: [u8; 4] = *b"WRWS";
/// Most bytes of a message behind its length.
pub const MESSAGE_BYTES_MAX: usize = FRAME_BYTES_MAX + 64;

const FLAG_DAMAGED: u8 = 1;

/// From the client.
#[derive(Clone, PartialEq, Eq)]
pub enum Request {
    /// First message: magic and version.
    Hello {
        /// Protocol version of the client.
        version: u16,
    },
    /// A frame to play.
    Frame {
        /// Card time before which it must not come in.
        at_ns: u64,
        /// The port that it comes in on.
        port: PortSide,
        /// The MAC marks it as damaged.
        damaged: bool,
        /// Its bytes, with FCS.
        bytes: Vec<u8>,
    },
    /// Asks for `Flushed`.
    Flush,
    /// Asks for the card's time.
    Time,
    /// Asks for the sums.
    Statistics,
    /// Runs the card up to a time.
    Advance {
        /// That time.
        until_ns: u64,
    },
}

/// From the server.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `Hello`.
    Welcome {
        /// Protocol version of the server.
        version: u16,
        /// Name of the card: `model` or `rtl`.
        backend: String,
    },
    /// A frame's first beat came in.
    Arrived {
        /// The frame's position among those of the connection, from 0.
        number: u64,
        /// The port.
        port: PortSide,
        /// The clock.
        clock: u64,
        /// The stamp.
        stamp_ns: u64,
    },
    /// A frame's last beat left.
    Left {
        /// The frame's position among those of the connection, from 0.
        number: u64,
        /// The port that it left on.
        port: PortSide,
        /// Marked as damaged.
        damaged: bool,
        /// The clock in which its first beat came in.
        ingress_clock: u64,
        /// The clock in which its first beat left.
        egress_clock: u64,
        /// Its bytes, with FCS.
        bytes: Vec<u8>,
    },
    /// To `Flush`.
    Flushed {
        /// Frames of this connection that were placed late so far.
        late: u64,
        /// Frames of this connection that went into the card and never came out. Any is a fault of the card.
        lost: u64,
    },
    /// To `Time` and `Advance`.
    Time {
        /// The card's time.
        now_ns: u64,
    },
    /// To `Statistics`.
    Statistics(Statistics),
    /// The last message of a connection that the server ends.
    Refused {
        /// Why.
        reason: String,
    },
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        debug(f, "Request", &self.encode())
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        debug(f, "Answer", &self.encode())
    }
}

/// Kind and length, not the bytes: traffic does not belong into logs.
fn debug(f: &mut std::fmt::Formatter<'_>, name: &str, body: &[u8]) -> std::fmt::Result {
    let kind = body.first().copied().unwrap_or(0);
    write!(f, "{name}(kind {kind:#04x}, {} bytes)", body.len())
}

/// Bytes that are no message. Whoever sent them is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// A length of zero, or above [`MESSAGE_BYTES_MAX`].
    Length(u32),
    /// A kind that the protocol does not have.
    Kind(u8),
    /// `Hello` without the magic.
    Magic,
    /// The message ends inside a field.
    Short {
        /// Name of the field.
        field: &'static str,
    },
    /// Bytes behind the last field.
    Long {
        /// How many.
        bytes: usize,
    },
    /// A field has a value without meaning.
    Field {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length(bytes) => write!(f, "message of {bytes} bytes, 1 to {MESSAGE_BYTES_MAX} are allowed"),
            Self::Kind(kind) => write!(f, "message kind {kind:#04x} does not exist"),
            Self::Magic => write!(f, "greeting does not begin with WRWS"),
            Self::Short { field } => write!(f, "message ends before or inside its field {field}"),
            Self::Long { bytes } => write!(f, "{bytes} bytes behind the last field of a message"),
            Self::Field { field, value } => write!(f, "field {field} has the value {value}, which is not allowed"),
        }
    }
}

impl std::error::Error for Malformed {}

/// Reads the body of one message: what stands behind its length. `None` at the orderly end of the stream.
///
/// # Errors
/// Those of the stream; [`Malformed::Length`] as `InvalidData`; an end inside a message as `UnexpectedEof`.
pub fn read_body(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while filled < length.len() {
        match stream.read(&mut length[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(length);
    if length == 0 || length as usize > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, Malformed::Length(length)));
    }
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body)?;
    Ok(Some(body))
}

/// Writes one message.
///
/// # Errors
/// Those of the stream.
pub fn write_body(stream: &mut impl Write, body: &[u8]) -> io::Result<()> {
    // A message is at most 16 KiB and a bit.
    stream.write_all(&(body.len() as u32).to_le_bytes())?;
    stream.write_all(body)
}

impl Request {
    /// The body of the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello { version } => Body::new(1).bytes(&MAGIC).u16(*version),
            Self::Frame { at_ns, port, damaged, bytes } => {
                Body::new(2).u64(*at_ns).u8(*port as u8).u8(u8::from(*damaged)).bytes(bytes)
            }
            Self::Flush => Body::new(3),
            Self::Time => Body::new(4),
            Self::Statistics => Body::new(5),
            Self::Advance { until_ns } => Body::new(6).u64(*until_ns),
        }
        .0
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields(body);
        let request = match fields.u8("kind")? {
            1 => {
                if fields.array::<4>("magic")? != MAGIC {
                    return Err(Malformed::Magic);
                }
                Self::Hello { version: u16::from_le_bytes(fields.array("version")?) }
            }
            2 => Self::Frame {
                at_ns: fields.u64("at_ns")?,
                port: fields.port()?,
                damaged: fields.damaged()?,
                bytes: fields.frame()?,
            },
            3 => Self::Flush,
            4 => Self::Time,
            5 => Self::Statistics,
            6 => Self::Advance { until_ns: fields.u64("until_ns")? },
            kind => return Err(Malformed::Kind(kind)),
        };
        fields.end(request)
    }
}

impl Answer {
    /// The body of the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Welcome { version, backend } => Body::new(0x81).u16(*version).bytes(backend.as_bytes()),
            Self::Arrived { number, port, clock, stamp_ns } => {
                Body::new(0x82).u64(*number).u8(*port as u8).u64(*clock).u64(*stamp_ns)
            }
            Self::Left { number, port, damaged, ingress_clock, egress_clock, bytes } => Body::new(0x83)
                .u64(*number)
                .u8(*port as u8)
                .u8(u8::from(*damaged))
                .u64(*ingress_clock)
                .u64(*egress_clock)
                .bytes(bytes),
            Self::Flushed { late, lost } => Body::new(0x84).u64(*late).u64(*lost),
            Self::Time { now_ns } => Body::new(0x85).u64(*now_ns),
            Self::Statistics(sums) => encode_statistics(sums),
            Self::Refused { reason } => Body::new(0xff).bytes(reason.as_bytes()),
        }
        .0
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields(body);
        let answer = match fields.u8("kind")? {
            0x81 => Self::Welcome { version: u16::from_le_bytes(fields.array("version")?), backend: fields.text() },
            0x82 => Self::Arrived {
                number: fields.u64("number")?,
                port: fields.port()?,
                clock: fields.u64("clock")?,
                stamp_ns: fields.u64("stamp_ns")?,
            },
            0x83 => Self::Left {
                number: fields.u64("number")?,
                port: fields.port()?,
                damaged: fields.damaged()?,
                ingress_clock: fields.u64("ingress_clock")?,
                egress_clock: fields.u64("egress_clock")?,
                bytes: fields.frame()?,
            },
            0x84 => Self::Flushed { late: fields.u64("late")?, lost: fields.u64("lost")? },
            0x85 => Self::Time { now_ns: fields.u64("now_ns")? },
            0x86 => Self::Statistics(decode_statistics(&mut fields)?),
            0xff => Self::Refused { reason: fields.text() },
            kind => return Err(Malformed::Kind(kind)),
        };
        fields.end(answer)
    }
}

/// An absent latency is all ones, which no latency can be.
const ABSENT: u64 = u64::MAX;

fn encode_statistics(sums: &Statistics) -> Body {
    let [in_a, in_b] = sums.frames_in;
    let [out_a, out_b] = sums.frames_out;
    Body::new(0x86)
        .u64(sums.clocks)
        .u64(sums.running_ns)
        .u64(sums.now_ns)
        .u64(in_a)
        .u64(in_b)
        .u64(out_a)
        .u64(out_b)
        .u64(sums.latency_clocks_min.unwrap_or(ABSENT))
        .u64(sums.latency_clocks_max.unwrap_or(ABSENT))
        .u64(sums.late_frames)
        .u64(sums.dma_faults)
}

fn decode_statistics(fields: &mut Fields<'_>) -> Result<Statistics, Malformed> {
    let present = |value| (value != ABSENT).then_some(value);
    Ok(Statistics {
        clocks: fields.u64("clocks")?,
        running_ns: fields.u64("running_ns")?,
        now_ns: fields.u64("now_ns")?,
        frames_in: [fields.u64("frames_in_a")?, fields.u64("frames_in_b")?],
        frames_out: [fields.u64("frames_out_a")?, fields.u64("frames_out_b")?],
        latency_clocks_min: present(fields.u64("latency_clocks_min")?),
        latency_clocks_max: present(fields.u64("latency_clocks_max")?),
        late_frames: fields.u64("late_frames")?,
        dma_faults: fields.u64("dma_faults")?,
    })
}

/// A body under construction.
struct Body(Vec<u8>);

impl Body {
    fn new(kind: u8) -> Self {
        Self(vec![kind])
    }

    fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// What is left of a body that is being read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let (value, rest) = self.0.split_first_chunk().ok_or(Malformed::Short { field })?;
        self.0 = rest;
        Ok(*value)
    }

    fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.array(field).map(u8::from_le_bytes)
    }

    fn u64(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.array(field).map(u64::from_le_bytes)
    }

    fn port(&mut self) -> Result<PortSide, Malformed> {
        let bits = self.u8("port")?;
        PortSide::from_bits(bits).ok_or(Malformed::Field { field: "port", value: bits.into() })
    }

    fn damaged(&mut self) -> Result<bool, Malformed> {
        match self.u8("flags")? {
            0 => Ok(false),
            FLAG_DAMAGED => Ok(true),
            other => Err(Malformed::Field { field: "flags", value: other.into() }),
        }
    }

    fn frame(&mut self) -> Result<Vec<u8>, Malformed> {
        let bytes = std::mem::take(&mut self.0);
        if bytes.is_empty() || bytes.len() > FRAME_BYTES_MAX {
            return Err(Malformed::Field { field: "frame length", value: bytes.len() as u64 });
        }
        Ok(bytes.to_vec())
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(std::mem::take(&mut self.0)).into_owned()
    }

    fn end<T>(self, message: T) -> Result<T, Malformed> {
        if self.0.is_empty() { Ok(message) } else { Err(Malformed::Long { bytes: self.0.len() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn port() -> impl Strategy<Value = PortSide> {
        prop_oneof![Just(PortSide::A), Just(PortSide::B)]
    }

    fn frame() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            9 => proptest::collection::vec(any::<u8>(), 1..200),
            1 => Just(vec![7; FRAME_BYTES_MAX]),
        ]
    }

    fn request() -> impl Strategy<Value = Request> {
        prop_oneof![
            any::<u16>().prop_map(|version| Request::Hello { version }),
            (any::<u64>(), port(), any::<bool>(), frame()).prop_map(|(at_ns, port, damaged, bytes)| Request::Frame {
                at_ns,
                port,
                damaged,
                bytes
            }),
            Just(Request::Flush),
            Just(Request::Time),
            Just(Request::Statistics),
            any::<u64>().prop_map(|until_ns| Request::Advance { until_ns }),
        ]
    }

    fn answer() -> impl Strategy<Value = Answer> {
        prop_oneof![
            (any::<u16>(), "[a-z]{0,9}").prop_map(|(version, backend)| Answer::Welcome { version, backend }),
            (any::<[u64; 3]>(), port()).prop_map(|([number, clock, stamp_ns], port)| Answer::Arrived {
                number,
                port,
                clock,
                stamp_ns
            }),
            (any::<[u64; 3]>(), port(), any::<bool>(), frame()).prop_map(
                |([number, ingress_clock, egress_clock], port, damaged, bytes)| Answer::Left {
                    number,
                    port,
                    damaged,
                    ingress_clock,
                    egress_clock,
                    bytes
                }
            ),
            any::<[u64; 2]>().prop_map(|[late, lost]| Answer::Flushed { late, lost }),
            any::<u64>().prop_map(|now_ns| Answer::Time { now_ns }),
            (any::<[u64; 4]>(), any::<Option<[u32; 2]>>()).prop_map(|([a, b, c, d], latency)| {
                Answer::Statistics(Statistics {
                    clocks: a,
                    running_ns: b,
                    now_ns: c,
                    frames_in: [d, a],
                    frames_out: [b, c],
                    latency_clocks_min: latency.map(|[min, _]| min.into()),
                    latency_clocks_max: latency.map(|[_, max]| max.into()),
                    late_frames: d,
                    dma_faults: a ^ b,
                })
            }),
            "[ -~]{0,60}".prop_map(|reason| Answer::Refused { reason }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn requests_come_through(request in request()) {
            let mut stream = Vec::new();
            write_body(&mut stream, &request.encode()).expect("a vector takes everything");
            let body = read_body(&mut &stream[..]).expect("readable").expect("a message");
            prop_assert!(Request::decode(&body) == Ok(request));
        }

        #[test]
        fn answers_come_through(answer in answer()) {
            prop_assert!(Answer::decode(&answer.encode()) == Ok(answer));
        }

        #[test]
        fn anything_else_is_an_error(mut body in proptest::collection::vec(any::<u8>(), 0..60), kind in 0_u8..8) {
            if let Some(first) = body.first_mut() {
                *first = kind;
            }
            // No panic; and what is accepted is what would have been written.
            if let Ok(request) = Request::decode(&body) {
                prop_assert_eq!(request.encode(), body.clone());
            }
            let _ = Answer::decode(&body);
        }

        #[test]
        fn a_message_cut_short_is_an_error(request in request(), cut in 1_usize..9) {
            let mut body = request.encode();
            let shorter = body.len().saturating_sub(cut);
            body.truncate(shorter);
            // A frame that ends earlier is a shorter frame; everything else misses a field.
            let is_frame = matches!(Request::decode(&body), Ok(Request::Frame { .. }));
            prop_assert!(is_frame || Request::decode(&body).is_err());
        }
    }

    #[test]
    fn lengths_are_checked_before_anything_is_allocated() {
        for length in [0, MESSAGE_BYTES_MAX as u32 + 1, u32::MAX] {
            let refused = read_body(&mut &length.to_le_bytes()[..]);
            assert!(refused.is_err_and(|error| error.kind() == io::ErrorKind::InvalidData));
        }
        assert!(matches!(read_body(&mut &[][..]), Ok(None)));
        let cut_short: [&[u8]; 2] = [&[5, 0], &[5, 0, 0, 0, 1, 2]];
        for mut bytes in cut_short {
            assert!(read_body(&mut bytes).is_err_and(|error| error.kind() == io::ErrorKind::UnexpectedEof));
        }
    }
}
