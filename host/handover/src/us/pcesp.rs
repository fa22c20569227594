//! Call events of PacketCable (PCESP, PacketCable Electronic Surveillance Specification): CdcPdu, versions 3 and 4.
//!
//! - Writing: fill a message, put it into a [`CdcPdu`] and call [`CdcPdu::encode`]. Definite lengths of the shortest form.
//! - Reading: [`decode`] reads the PDU at the start of a stream, in definite or indefinite lengths; [`frame`] only finds its end.
//!
//! A content channel ([`super::ccc`]) is announced with [`CcOpen`] and ended with [`CcClose`]; [`CccIdentifier::combined`] makes the text for
//! its number.
//!
//! ```
//! use writ_handover::{pspdu::{GeneralizedTime, Limits}, time::UnixTime, us::{ccc::CccId, pcesp::*}};
//!
//! let message = Message::CcOpen(CcOpen {
//!     case_id: "CASE-1".into(),
//!     accessing_element_id: "AP-1".into(),
//!     event_time: GeneralizedTime::from_unix(UnixTime::from_ns(1_700_000_000_123_456_789))?,
//!     option: CcOpenOption::Time(vec![CallId {
//!         sequence_number: "1700000000,1".into(),
//!         system_identity: "CMTS-1".into(),
//!         others: vec![],
//!     }]),
//!     ccc_id: CccIdentifier::combined(CccId(0x2a)),
//!     subject: None,
//!     associate: None,
//!     flow_direction: FlowDirection::DownstreamAndUpstream,
//!     others: vec![],
//! });
//! let pdu = CdcPdu::new(ProtocolVersion::V4, message);
//! let octets = pdu.to_vec()?;
//! assert_eq!(decode(&octets, &Limits::default())?.expect("a whole PDU").pdu, pdu);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is stricter than the module
//! Lengths beyond those that the module names are extensions for versions to come; they are read and not written. What its comments
//! demand (a signal in a message about signals, DTMF digits) is demanded when writing only.
//!
//! # What is kept raw
//! Fields with tags that the version does not have, alternatives of messages and of CCCId that it does not have, and the reserved
//! tags of PartyId. An alternative of `input` or `ccOpenOption` that neither version has is taken for a field with another tag, so that the choice
//! is missing and the PDU is refused.

mod calls;
mod content;
mod enums;
mod parts;
mod pdu;

pub use calls::{
    Answer, ConferencePartyChange, DialedDigitExtraction, Input, MediaReport, NetworkSignal, Origination, Redirection,
    Release, ServiceInstance, SubjectSignal, TerminationAttempt,
};
pub use content::{CcChange, CcClose, CcOpen, CcOpenOption};
pub use enums::{AlertingSignal, AudibleSignal, FlowDirection, ResourceState};
pub use parts::{
    AccessingElementId, CallId, CaseId, CccIdentifier, CccPair, ConferenceParties, PartyId, RedirectedFromInfo, Sdp,
    Signal, TerminalDisplayInfo, TransitCarrierId,
};
pub use pdu::{CdcPdu, Message, ProtocolVersion, decode, frame};
