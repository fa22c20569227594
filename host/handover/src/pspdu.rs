//! PS-PDUs of HI2 and HI3: TS 102 232-1 annex A, with the contents of TS 102 232-3 (IP access) and -5 (IP multimedia).
//!
//! - Writing packets of a task: [`Template`] writes IPCC and header reports straight into the caller's memory.
//! - Writing anything else: fill a [`PsPdu`] ([`Context::header`] gives its header) and call [`PsPdu::encode`].
//! - Reading: [`decode`] reads the PDU at the start of a stream, in definite or indefinite lengths; [`frame`] only finds its end.
//!
//! Everything is written in definite lengths of the shortest form.

pub(crate) mod decode;
mod encryption;
pub(crate) mod enums;
mod header;
mod hi1;
mod ip;
mod ipmm;
mod object_id;
mod octets;
mod payload;
pub(crate) mod scratch;
pub(crate) mod sequence;
mod template;
pub(crate) mod time;
mod tri;

pub use decode::{DecodeError, DecodeErrorKind, Decoded, Limits, Warning, WarningKind, decode, frame};
pub use encryption::{DecryptedPayload, EncryptedPayload, EncryptionContainer, Sealing};
pub use enums::{
    AccessEventType, AuthenticationType, CheckType, DataType, EncryptedPayloadType, EncryptionType, EndReason,
    FrameType, HashAlgorithm, InternetAccessType, IpAssignment, IpType, IpVersion, IriType, MediaProtocol,
    MessagePriority, PacketReportTrigger, PayloadDirection, SeasonIndication, SignatureAlgorithm, TimeStampQualifier,
};
pub use header::{
    CommunicationIdentifier, Context, Domain, MicroSecondTimeStamp, NetworkIdentifier, PsHeader, Versions,
};
pub use hi1::{AlarmIndicator, Hi1CommunicationIdentifier, Hi1Operation, Hi1TimeStamp, Notification};
pub use ip::{
    Indications, IpAddress, IpCc, IpCcContents, IpIri, IpValue, OtherTargetIdentifier, PacketReport,
    PacketReportContents,
};
pub use ipmm::{IpmmCc, IpmmIri, IpmmIriContents, SipMessage};
pub use object_id::RelativeOid;
pub use octets::{Octets, RawElement};
pub use payload::{CcContents, CcPayload, IriContents, IriPayload, Payload, PsPdu};
pub use template::{LI_PS_VERSION_PACKET_REPORT_MIN, OVERHEAD_OCTETS_MAX, PACKET_OCTETS_MAX, Stamp, Template};
pub use time::{GeneralizedTime, UtcTime};
pub use tri::{DeliveryOption, IntegrityCheck, OperatorLeaMessage, OptionRequest, OptionResponse, Tri};
