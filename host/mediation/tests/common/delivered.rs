//! Reads what a peer received, with the codecs of the hand-over crate.

use writ_handover::{
    pspdu::{self, Payload, Tri},
    x2x3,
};

/// What a PDU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Iri,
    Content,
    Notice,
    CinReset,
    KeepAlive,
    Answer,
    X2,
    X3,
    Other,
}

/// Which way a packet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    From,
    To,
    Both,
    /// Said to be not known.
    Unknown,
    None,
}

/// One PDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pdu {
    pub kind: Kind,
    /// LIID, or XID in hexadecimal digits.
    pub name: String,
    /// CIN, or correlation id.
    pub cin: u64,
    pub sequence: u32,
    /// The IP packet or its headers; empty for events.
    pub payload: Vec<u8>,
    pub truncated: bool,
    pub way: Way,
    /// Microseconds of UTC.
    pub time_us: u64,
    /// All octets.
    pub raw: Vec<u8>,
    pub matched: Vec<String>,
    pub event: Option<pspdu::AccessEventType>,
    pub has_flow_ports: bool,
    /// Number of the payload format on X; 0 on HI.
    pub format: u16,
    /// Whether there are addresses among the attributes on X.
    pub has_flow: bool,
}

impl Pdu {
    /// What duplicates are recognised by.
    pub(crate) fn key(&self) -> (Kind, String, u64, u32) {
        (self.kind, self.name.clone(), self.cin, self.sequence)
    }
}

/// Reads the first PDU of `stream`; `None` if it is not complete.
pub(crate) fn parse(handover: bool, stream: &[u8]) -> Option<(Pdu, usize)> {
    if stream.is_empty() {
        return None;
    }
    if handover { parse_handover(stream) } else { parse_x(stream) }
}

fn parse_handover(stream: &[u8]) -> Option<(Pdu, usize)> {
    let decoded = pspdu::decode(stream, &pspdu::Limits::default()).expect("we write good PS-PDUs")?;
    assert!(decoded.warnings.is_empty(), "{:?}", decoded.warnings);
    let header = &decoded.pdu.header;
    let stamp = header.micro_second_time_stamp.expect("every PDU is stamped");
    let mut pdu = Pdu {
        kind: Kind::Other,
        name: String::from_utf8_lossy(&header.lawful_interception_identifier).into_owned(),
        cin: header.communication.cin.map_or(0, |cin| cin.0.into()),
        sequence: header.sequence,
        payload: Vec::new(),
        truncated: false,
        way: Way::None,
        time_us: stamp.seconds * 1_000_000 + u64::from(stamp.micro_seconds),
        raw: stream[..decoded.length].to_vec(),
        matched: Vec::new(),
        event: None,
        has_flow_ports: false,
        format: 0,
        has_flow: false,
    };
    let way = |direction: Option<pspdu::PayloadDirection>| match direction {
        Some(pspdu::PayloadDirection::FromTarget) => Way::From,
        Some(pspdu::PayloadDirection::ToTarget) => Way::To,
        Some(pspdu::PayloadDirection::Combined) => Way::Both,
        Some(pspdu::PayloadDirection::Indeterminate) => Way::Unknown,
        _ => Way::None,
    };
    match &decoded.pdu.payload {
        Payload::Tri(Tri::KeepAlive) => pdu.kind = Kind::KeepAlive,
        Payload::Tri(Tri::KeepAliveResponse) => pdu.kind = Kind::Answer,
        Payload::Tri(Tri::CinReset) => pdu.kind = Kind::CinReset,
        Payload::Hi1(_) => pdu.kind = Kind::Notice,
        Payload::Cc(payloads) => {
            let [payload] = payloads.as_slice() else { panic!("one payload a PDU") };
            (pdu.kind, pdu.way) = (Kind::Content, way(payload.direction));
            let pspdu::CcContents::IpCc(ipcc) = &payload.contents else { panic!("IPCC only") };
            match &ipcc.contents {
                pspdu::IpCcContents::Packets(packet) => pdu.payload = packet.to_vec(),
                pspdu::IpCcContents::Truncated { packet, .. } => {
                    (pdu.payload, pdu.truncated) = (packet.to_vec(), true);
                }
                other => panic!("{other:?}"),
            }
        }
        Payload::Iri(payloads) => {
            let [payload] = payloads.as_slice() else { panic!("one payload a PDU") };
            (pdu.kind, pdu.way) = (Kind::Iri, way(payload.payload_direction));
            match &payload.contents {
                pspdu::IriContents::IpIri(iri) => pdu.event = Some(iri.access_event_type),
                pspdu::IriContents::PacketReport(report) => match &report.report {
                    pspdu::PacketReportContents::Header { header, .. } => pdu.payload = header.to_vec(),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
    Some((pdu, decoded.length))
}

fn parse_x(stream: &[u8]) -> Option<(Pdu, usize)> {
    let (pdu, used) = x2x3::decode(stream, &x2x3::Limits::default()).expect("we write good X PDUs")?;
    let kind = match pdu.header.pdu_type {
        x2x3::PduType::X2 => Kind::X2,
        x2x3::PduType::X3 => Kind::X3,
        x2x3::PduType::Keepalive => Kind::KeepAlive,
        x2x3::PduType::KeepaliveAck => Kind::Answer,
        x2x3::PduType::Other(_) => Kind::Other,
    };
    let way = match pdu.header.payload_direction {
        x2x3::PayloadDirection::FromTarget => Way::From,
        x2x3::PayloadDirection::ToTarget => Way::To,
        x2x3::PayloadDirection::Multiple => Way::Both,
        x2x3::PayloadDirection::Unknown => Way::Unknown,
        _ => Way::None,
    };
    let time_us = pdu.timestamp().map_or(0, |time| time.seconds() * 1_000_000 + u64::from(time.microseconds()));
    let parsed = Pdu {
        kind,
        name: pdu.header.xid.0.iter().map(|octet| format!("{octet:02x}")).collect(),
        cin: pdu.header.correlation_id,
        sequence: pdu.sequence_number().expect("every PDU has one"),
        payload: pdu.payload.to_vec(),
        truncated: false,
        way,
        time_us,
        raw: stream[..used].to_vec(),
        matched: pdu.matched_targets().map(str::to_owned).collect(),
        event: None,
        has_flow_ports: pdu.attributes().any(|attribute| matches!(attribute, x2x3::Attribute::SourcePort(_))),
        format: pdu.header.payload_format.number(),
        has_flow: pdu.attributes().any(|attribute| (10..=13).contains(&attribute.number())),
    };
    Some((parsed, used))
}
