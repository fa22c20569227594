//! Cutting a stream into PDUs, and answering the keep-alives among them.

use writ_handover::{pspdu, x2x3};

use super::Interface;

/// What a PDU is for a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// A keep-alive, and the octets that answer it.
    KeepAlive {
        /// The answer: same identifiers, same number.
        answer: Vec<u8>,
    },
    /// Anything else.
    Data,
}

/// Octets that are no PDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramingError {
    /// What is wrong with them.
    pub text: String,
}

/// The PDU at the start of `octets` and its length; `None` if more octets are needed.
pub fn next_unit(interface: Interface, octets: &[u8]) -> Result<Option<(Unit, usize)>, FramingError> {
    if interface.is_hi() { ps_pdu(octets) } else { x_pdu(octets) }
}

fn ps_pdu(octets: &[u8]) -> Result<Option<(Unit, usize)>, FramingError> {
    let fault = |text: String| FramingError { text };
    let decoded = pspdu::decode(octets, &pspdu::Limits::default()).map_err(|error| fault(error.to_string()))?;
    let Some(pspdu::Decoded { mut pdu, length, .. }) = decoded else { return Ok(None) };
    if pdu.payload != pspdu::Payload::Tri(pspdu::Tri::KeepAlive) {
        return Ok(Some((Unit::Data, length)));
    }
    pdu.payload = pspdu::Payload::Tri(pspdu::Tri::KeepAliveResponse);
    let answer = pdu.to_vec().map_err(|error| fault(format!("the keep-alive cannot be answered: {error}")))?;
    Ok(Some((Unit::KeepAlive { answer }, length)))
}

fn x_pdu(octets: &[u8]) -> Result<Option<(Unit, usize)>, FramingError> {
    let fault = |text: String| FramingError { text };
    let decoded = x2x3::decode(octets, &x2x3::Limits::default()).map_err(|error| fault(error.to_string()))?;
    let Some((pdu, length)) = decoded else { return Ok(None) };
    if pdu.header.pdu_type != x2x3::PduType::Keepalive {
        return Ok(Some((Unit::Data, length)));
    }
    let number = pdu.sequence_number().ok_or_else(|| fault("a keep-alive without a sequence number".to_owned()))?;
    Ok(Some((Unit::KeepAlive { answer: x2x3::keepalive_ack(pdu.header.version, number).to_vec() }, length)))
}
