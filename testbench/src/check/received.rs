//! Received octets as the verdict sees them.

use std::fmt;

use uuid::Uuid;
use writ_handover::pspdu::{
    self, AccessEventType, CcContents, IpCcContents, IriContents, IriType, PacketReportContents, Payload, Tri,
};
use writ_handover::x2x3::{self, Attribute, PayloadFormat, PduType};

use crate::lemf::Interface;
use crate::truth::Direction;

/// Whose interception a PDU belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// By its LIID.
    Liid(String),
    /// By its XID.
    Xid(Uuid),
}

/// Kinds of PDU that are numbered apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Intercept-related information.
    Iri,
    /// Content.
    Cc,
    /// HI1 notices.
    Hi1,
    /// Transport-related information other than keep-alives.
    Tri,
    /// X2.
    X2,
    /// X3.
    X3,
}

/// A delivered packet, or the headers of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// When it was seen, ns of UTC since 1970.
    pub utc_ns: u64,
    /// What the stamp counts in: 1 or 1000 ns.
    pub resolution_ns: u64,
    /// Which way it went; `None` if the PDU says something else than from, to or both.
    pub direction: Option<Direction>,
    /// Whether it came as a header report.
    pub is_report: bool,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// What a PDU says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Packets.
    Packets(Vec<Packet>),
    /// The interception begins.
    Begin,
    /// The interception ends.
    End,
    /// HI1: put into force (true) or taken out of force (false).
    Notice(bool),
    /// The numbers begin anew.
    CinReset,
    /// Something that Writ does not send.
    Other(String),
}

/// A PDU, and where it came from.
#[derive(Debug, Clone)]
pub struct Received {
    /// Number of its connection at the receiver.
    pub connection: usize,
    /// Its interface.
    pub interface: Interface,
    /// Offset of its first octet in the connection's stream.
    pub offset: usize,
    /// Its octets, exactly as they came.
    pub octets: Vec<u8>,
    /// Whose it is.
    pub identity: Identity,
    /// CIN or correlation id; `None` where there is none.
    pub context: Option<u64>,
    /// Its kind.
    pub kind: Kind,
    /// Its number.
    pub sequence: u32,
    /// What it says.
    pub content: Content,
}

/// Why a stream could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// It ends inside a PDU.
    Incomplete {
        /// Offset of that PDU.
        offset: usize,
    },
    /// Octets that are no PDU of the interface.
    Malformed {
        /// Offset of the PDU.
        offset: usize,
        /// What is wrong.
        text: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete { offset } => write!(f, "octet {offset}: the stream ends inside a PDU"),
            Self::Malformed { offset, text } => write!(f, "octet {offset}: {text}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Reads the stream of one connection; what was read before an error is kept.
pub fn read_stream(interface: Interface, connection: usize, octets: &[u8]) -> (Vec<Received>, Option<ReadError>) {
    let mut pdus = Vec::new();
    let mut offset = 0;
    while offset < octets.len() {
        let rest = &octets[offset..];
        let read = if interface.is_hi() { read_ps_pdu(rest) } else { read_x_pdu(interface, rest) };
        match read {
            Ok(Some((length, fields))) => {
                if let Some(Fields { identity, context, kind, sequence, content }) = fields {
                    let octets = rest[..length].to_vec();
                    pdus.push(Received {
                        connection,
                        interface,
                        offset,
                        octets,
                        identity,
                        context,
                        kind,
                        sequence,
                        content,
                    });
                }
                offset += length;
            }
            Ok(None) => return (pdus, Some(ReadError::Incomplete { offset })),
            Err(text) => return (pdus, Some(ReadError::Malformed { offset, text })),
        }
    }
    (pdus, None)
}

struct Fields {
    identity: Identity,
    context: Option<u64>,
    kind: Kind,
    sequence: u32,
    content: Content,
}

/// Length of the PDU, and its fields unless it is a keep-alive.
type Read = Result<Option<(usize, Option<Fields>)>, String>;

fn read_ps_pdu(octets: &[u8]) -> Read {
    let decoded = pspdu::decode(octets, &pspdu::Limits::default()).map_err(|error| error.to_string())?;
    let Some(pspdu::Decoded { pdu, length, warnings }) = decoded else { return Ok(None) };
    if let Some(warning) = warnings.first() {
        return Err(warning.to_string());
    }
    let header = &pdu.header;
    let stamp = header.micro_second_time_stamp;
    let (kind, content) = match &pdu.payload {
        Payload::Tri(Tri::KeepAlive | Tri::KeepAliveResponse) => return Ok(Some((length, None))),
        Payload::Tri(Tri::CinReset) => (Kind::Tri, Content::CinReset),
        Payload::Tri(_) => (Kind::Tri, Content::Other("transport-related information".to_owned())),
        Payload::Hi1(operation) => (Kind::Hi1, notice(operation)),
        Payload::Iri(payloads) => (Kind::Iri, iri(payloads, stamp)?),
        Payload::Cc(payloads) => (Kind::Cc, cc(payloads, stamp)?),
        _ => return Err("a kind of payload that Writ does not send".to_owned()),
    };
    let liid = header.lawful_interception_identifier.as_text().ok_or("the LIID is no text")?.to_owned();
    let context = header.communication.cin.map(|cin| u64::from(cin.0));
    Ok(Some((
        length,
        Some(Fields { identity: Identity::Liid(liid), context, kind, sequence: header.sequence, content }),
    )))
}

fn notice(operation: &pspdu::Hi1Operation<'_>) -> Content {
    match operation {
        pspdu::Hi1Operation::Activated(_) => Content::Notice(true),
        pspdu::Hi1Operation::Deactivated(_) => Content::Notice(false),
        _ => Content::Other("another HI1 operation".to_owned()),
    }
}

fn utc_ns(stamp: Option<pspdu::MicroSecondTimeStamp>) -> Result<u64, String> {
    let stamp = stamp.ok_or("a packet without a microsecond time stamp")?;
    Ok(stamp.seconds * 1_000_000_000 + u64::from(stamp.micro_seconds) * 1_000)
}

fn hi_direction(direction: Option<pspdu::PayloadDirection>) -> Option<Direction> {
    match direction {
        Some(pspdu::PayloadDirection::FromTarget) => Some(Direction::FromTarget),
        Some(pspdu::PayloadDirection::ToTarget) => Some(Direction::ToTarget),
        Some(pspdu::PayloadDirection::Combined) => Some(Direction::Both),
        Some(pspdu::PayloadDirection::Indeterminate) => Some(Direction::Unknown),
        _ => None,
    }
}

fn iri(payloads: &[pspdu::IriPayload<'_>], stamp: Option<pspdu::MicroSecondTimeStamp>) -> Result<Content, String> {
    let mut packets = Vec::new();
    for payload in payloads {
        match &payload.contents {
            IriContents::PacketReport(report) => {
                let PacketReportContents::Header { header, .. } = &report.report else {
                    return Err("a packet report that is no header report".to_owned());
                };
                packets.push(Packet {
                    utc_ns: utc_ns(payload.micro_second_time_stamp.or(stamp))?,
                    resolution_ns: 1_000,
                    direction: hi_direction(payload.payload_direction),
                    is_report: true,
                    octets: header.to_vec(),
                });
            }
            IriContents::IpIri(_) if payloads.len() > 1 => return Err("an IPIRI among other payloads".to_owned()),
            IriContents::IpIri(contents) => {
                return Ok(match (payload.iri_type, contents.access_event_type) {
                    (Some(IriType::Begin), AccessEventType::StartOfInterceptionWithSessionActive) => Content::Begin,
                    (Some(IriType::End), AccessEventType::EndOfInterceptionWithSessionActive) => Content::End,
                    (iri_type, event) => Content::Other(format!("IRI {iri_type:?} with event {event:?}")),
                });
            }
            _ => return Err("an IRI of another service".to_owned()),
        }
    }
    Ok(Content::Packets(packets))
}

fn cc(payloads: &[pspdu::CcPayload<'_>], stamp: Option<pspdu::MicroSecondTimeStamp>) -> Result<Content, String> {
    let mut packets = Vec::new();
    for payload in payloads {
        let CcContents::IpCc(contents) = &payload.contents else {
            return Err("content of another service".to_owned());
        };
        // A packet that the capture itself holds only the beginning of is delivered as truncated.
        let (IpCcContents::Packets(packet) | IpCcContents::Truncated { packet, .. }) = &contents.contents else {
            return Err("contents of an unknown form".to_owned());
        };
        packets.push(Packet {
            utc_ns: utc_ns(payload.micro_second_time_stamp.or(stamp))?,
            resolution_ns: 1_000,
            direction: hi_direction(payload.direction),
            is_report: false,
            octets: packet.to_vec(),
        });
    }
    Ok(Content::Packets(packets))
}

fn read_x_pdu(interface: Interface, octets: &[u8]) -> Read {
    let decoded = x2x3::decode(octets, &x2x3::Limits::default()).map_err(|error| error.to_string())?;
    let Some((pdu, length)) = decoded else { return Ok(None) };
    let kind = match (pdu.header.pdu_type, interface) {
        (PduType::Keepalive | PduType::KeepaliveAck, _) => return Ok(Some((length, None))),
        (PduType::X2, Interface::X2) => Kind::X2,
        (PduType::X3, Interface::X3) => Kind::X3,
        (other, _) => return Err(format!("a PDU of type {other:?} on {}", interface.name())),
    };
    let version = pdu.payload.first().map(|first| first >> 4);
    match (pdu.header.payload_format, version) {
        (PayloadFormat::Ipv4, Some(4)) | (PayloadFormat::Ipv6, Some(6)) => {}
        // Whole frames are content.
        (PayloadFormat::Ethernet, Some(_)) if kind == Kind::X3 => {}
        (format, _) => return Err(format!("payload format {format:?} does not fit the payload")),
    }
    let time = pdu.timestamp().ok_or("no timestamp")?;
    let sequence = pdu.sequence_number().ok_or("no sequence number")?;
    let has = |wanted: u16| pdu.attributes().any(|attribute: Attribute<'_>| attribute.number() == wanted);
    for (number, name) in [(6, "NFID"), (7, "IPID")] {
        if !has(number) {
            return Err(format!("no {name}"));
        }
    }
    if kind == Kind::X2 && !has(17) {
        return Err("an X2 PDU without the target that matched".to_owned());
    }
    let packet = Packet {
        utc_ns: time.seconds() * 1_000_000_000 + u64::from(time.nanoseconds()),
        resolution_ns: 1,
        direction: match pdu.header.payload_direction {
            x2x3::PayloadDirection::FromTarget => Some(Direction::FromTarget),
            x2x3::PayloadDirection::ToTarget => Some(Direction::ToTarget),
            x2x3::PayloadDirection::Multiple => Some(Direction::Both),
            x2x3::PayloadDirection::Unknown => Some(Direction::Unknown),
            _ => None,
        },
        is_report: kind == Kind::X2,
        octets: pdu.payload.to_vec(),
    };
    let fields = Fields {
        identity: Identity::Xid(Uuid::from_bytes(pdu.header.xid.0)),
        context: Some(pdu.header.correlation_id),
        kind,
        sequence,
        content: Content::Packets(vec![packet]),
    };
    Ok(Some((length, Some(fields))))
}

#[cfg(test)]
mod tests {
    use writ_handover::pspdu::{CcPayload, IpCc, MicroSecondTimeStamp, PayloadDirection, RelativeOid};

    use super::*;

    #[test]
    fn a_packet_that_the_capture_holds_the_beginning_of_is_read() {
        let contents =
            IpCcContents::Truncated { packet: (&[0x45; 46][..]).into(), original_length: Some(1500), others: vec![] };
        let contents = CcContents::IpCc(IpCc { object_id: RelativeOid::ip_cc(20), contents });
        let payload = CcPayload::new(PayloadDirection::FromTarget, contents);
        let stamp = MicroSecondTimeStamp { seconds: 1_700_000_000, micro_seconds: 5 };
        let Ok(Content::Packets(packets)) = cc(&[payload], Some(stamp)) else { panic!("it is content") };
        assert_eq!((packets.len(), &packets[0].octets[..]), (1, &[0x45; 46][..]));
    }
}
