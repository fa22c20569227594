//! Keep-alives and their answers in the two languages: PS-PDUs on HI, X2/X3 PDUs on X.

use super::config::{ConfigError, SessionConfig};
use writ_handover::{
    ids::Cin,
    pspdu::{self, Payload, PsPdu, TimeStampQualifier, Tri},
    time::UnixTime,
    x2x3,
};

/// What the peer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerMessage {
    KeepAlive(u32),
    Answer(u32),
    Other(&'static str),
}

#[derive(Debug)]
pub(super) enum Dialect {
    Handover { context: Box<pspdu::Context>, limits: pspdu::Limits },
    X { version: x2x3::Version, limits: x2x3::Limits },
}

impl Dialect {
    pub(super) fn new(config: &SessionConfig) -> Result<Self, ConfigError> {
        let max = config.peer_pdu_bytes_max;
        if !config.key.interface.is_handover() {
            let max = u32::try_from(max).unwrap_or(u32::MAX);
            let limits = x2x3::Limits { header_length_max: max, payload_length_max: max };
            return Ok(Self::X { version: config.formats.x_version, limits });
        }
        let Some(identity) = config.identity.clone() else {
            return Err(ConfigError { setting: "identity", reason: "HI2 and HI3 need one for their keep-alives" });
        };
        let context = pspdu::Context {
            versions: config.formats.versions,
            liid: identity.liid,
            authorization_country: identity.country,
            operator: identity.operator,
            network_element: identity.network_element,
            cin: None::<Cin>,
            delivery_country: None,
            interception_point: None,
        };
        // The identity is written once here, so that no keep-alive can fail to encode later.
        let dialect = Self::Handover { context: Box::new(context), limits: pspdu::Limits { pdu_length_max: max } };
        match dialect.pspdu(Tri::KeepAlive, u32::MAX, UnixTime::EPOCH, &mut Vec::new()) {
            Ok(()) => Ok(dialect),
            Err(_) => Err(ConfigError { setting: "identity", reason: "cannot be written into a PS-PDU header" }),
        }
    }

    fn pspdu(
        &self,
        tri: Tri<'_>,
        sequence: u32,
        utc: UnixTime,
        out: &mut Vec<u8>,
    ) -> Result<(), writ_handover::EncodeError> {
        let Self::Handover { context, .. } = self else { return Ok(()) };
        let mut header = context.header(sequence, utc);
        header.time_stamp_qualifier = Some(TimeStampQualifier::TimeOfMediation);
        PsPdu { header, payload: Payload::Tri(tri) }.encode(out)
    }

    pub(super) fn keep_alive(&self, sequence: u32, utc: UnixTime, out: &mut Vec<u8>) {
        match self {
            Self::X { version, .. } => out.extend_from_slice(&x2x3::keepalive(*version, sequence)),
            Self::Handover { .. } => {
                self.pspdu(Tri::KeepAlive, sequence, utc, out)
                    .expect("Dialect::new has written one with this identity");
            }
        }
    }

    pub(super) fn answer(&self, sequence: u32, utc: UnixTime, out: &mut Vec<u8>) {
        match self {
            Self::X { version, .. } => out.extend_from_slice(&x2x3::keepalive_ack(*version, sequence)),
            Self::Handover { .. } => {
                self.pspdu(Tri::KeepAliveResponse, sequence, utc, out)
                    .expect("Dialect::new has written one with this identity");
            }
        }
    }

    /// Reads the first message in `input`, and says how long it is. `None`: more octets are needed.
    pub(super) fn parse(&self, input: &[u8]) -> Result<Option<(PeerMessage, usize)>, String> {
        if input.is_empty() {
            return Ok(None);
        }
        match self {
            Self::X { limits, .. } => {
                let Some((pdu, used)) = x2x3::decode(input, limits).map_err(|error| error.to_string())? else {
                    return Ok(None);
                };
                let message = match (pdu.header.pdu_type, pdu.sequence_number()) {
                    (x2x3::PduType::Keepalive, Some(sequence)) => PeerMessage::KeepAlive(sequence),
                    (x2x3::PduType::KeepaliveAck, Some(sequence)) => PeerMessage::Answer(sequence),
                    (x2x3::PduType::Keepalive | x2x3::PduType::KeepaliveAck, None) => {
                        return Err("a keep-alive without a sequence number".into());
                    }
                    _ => PeerMessage::Other("an X2/X3 PDU that is no keep-alive"),
                };
                Ok(Some((message, used)))
            }
            Self::Handover { limits, .. } => {
                let Some(decoded) = pspdu::decode(input, limits).map_err(|error| error.to_string())? else {
                    return Ok(None);
                };
                let message = match decoded.pdu.payload {
                    Payload::Tri(Tri::KeepAlive) => PeerMessage::KeepAlive(decoded.pdu.header.sequence),
                    Payload::Tri(Tri::KeepAliveResponse) => PeerMessage::Answer(decoded.pdu.header.sequence),
                    Payload::Tri(Tri::OperatorLeaMessage(_)) => PeerMessage::Other("an operator-LEA message"),
                    Payload::Tri(Tri::OptionRequest(_)) => PeerMessage::Other("an option request"),
                    _ => PeerMessage::Other("a PS-PDU that is no keep-alive"),
                };
                Ok(Some((message, decoded.length)))
            }
        }
    }
}
