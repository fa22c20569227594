//! Broadband (ATIS-1000013, 2007): identifying messages (IasProtocol) and content (IAS-CC-APDU). **Unverified.**
//!
//! The standard's modules are not public. These types follow what is known of C code that an ASN.1 compiler made from them in 2007 for
//! another project. No decoder that others wrote was found to judge the result, and later editions may differ: compare with the standard
//! and agree with the receiver before anything is delivered this way.
//!
//! - Content, one PDU a packet: [`ContentTemplate`], without allocation; [`IasCcApdu`] is the typed form.
//! - Header reports, one PDU a packet: [`HeaderReportTemplate`], without allocation.
//! - Anything else: fill an [`IasProtocol`] or [`IasOptionalProtocol`].
//!
//! # What was read
//! Tags, types and which fields are optional, of all types that are not listed below.
//!
//! # What is inferred
//! | Type | Inferred |
//! |---|---|
//! | [`IasProtocol`], [`IasOptionalProtocol`] | both tags: their order was read |
//! | [`IasMessage`] | all tags: the order of the alternatives was read |
//! | [`AccessAccepted`], [`HeaderSet`], [`StreamSet`] | all tags: order, types and which fields are optional were read |
//! | [`SummaryReport`] | all tags, as in [`HeaderReport`]: order and types were read |
//! | [`AccessMethod`], [`AccessType`], [`DeliveryFormat`] | all tags: order and types were read |
//! | [`DeliveryIdentifier`] | tags; the alternative `cccId` is kept raw |
//! | [`IpAddress`] | that the octets are the binary address: that they are 4 to 16 octets was read (in the module of optional messages) |
//! | [`HeaderSet`], [`StreamSet`], [`CcAddress`] | that a port is written as decimal digits: that it is text was read |
//! | [`CMII`], [`CMCC`] | the values: an encoder of that project used them; the identifier for optional messages is not known |
//!
//! # What is missing
//! Types of which too little is known stay raw: `protocolSignal` and other fields in `others`, the message
//! `access-Signaling-Message-Report` and the optional messages about services and VPNs in `Other`.
//!
//! # What is ours
//! Names have at most 64 octets where no limit was read ([`IapSystemId`], [`CorrelationId`]); prefix lengths are at most 128, other numbers
//! not negative. Protocol identifiers are not compared when reading.

mod content;
mod messages;
mod parts;
mod pdu;
mod template;

pub use content::{CcDeliveryHeader, CorrelationInfo, IasCcApdu, PacketDirection};
pub use messages::{
    AccessAccepted, AccessAttempt, AccessFailed, AccessRejected, AccessSessionEnd, HeaderReport, SessionEnd,
    SessionEstablished, SessionFailed, SummaryReport, Surveillance,
};
pub use parts::{
    AccessMethod, AccessType, AllocationMethod, AnyValue, CallIdentity, CaseId, CcAddress, ContentIdentifier,
    CorrelationId, DeliveryFormat, DeliveryIdentifier, DeliveryInformation, HeaderSet, IapSystemId, IpAddress,
    IpAssignment, Location, NumericString, ObjectId, PortNumber, StreamSet,
};
pub use pdu::{CMCC, CMII, IasMessage, IasOptionalMessage, IasOptionalProtocol, IasProtocol};
pub use template::{Allocation, ContentStamp, ContentTemplate, HeaderReportTemplate, HeaderStamp};
