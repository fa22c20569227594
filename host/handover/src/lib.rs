//! Codecs for the hand-over of lawful interception: X2/X3 PDUs (TS 103 221-2), HI2/HI3 PS-PDUs (TS 102 232-1, -3, -5) and the formats of
//! United States carriers (PacketCable, ATIS-1000013).
//!
//! # What it does
//! - [`x2x3`]: PDUs between the point of interception and a mediation function. [`x2x3::Template`] writes one PDU of a task
//!   straight into the caller's memory, without allocation; [`x2x3::decode`] reads a stream.
//! - [`pspdu`]: PS-PDUs between mediation and a law-enforcement monitoring facility. [`pspdu::Template`] writes IPCC and header
//!   reports straight into the caller's memory; [`pspdu::PsPdu`] is the typed form of any PS-PDU, both ways;
//!   [`pspdu::decode`] reads a stream.
//! - [`us`]: content datagrams and call events of PacketCable, both ways; ATIS-1000013 as far as it could be reconstructed, under a name that
//!   says that it is unverified.
//! - [`ber`]: the small part of X.690 that PS-PDUs and the formats of [`us`] need.
//! - [`ids`]: identifiers that cannot hold a wrong value and do not show themselves in `Debug`.
//! - [`direction`]: the two numberings of payload direction, translated.
//! - [`time`]: UTC as the formats count it; whoever builds one has converted from TAI already.
//!
//! ```
//! use writ_handover::{ids::*, pspdu, time::UnixTime};
//!
//! let context = pspdu::Context {
//!     versions: pspdu::Versions::default(),
//!     liid: Liid::parse("CASE-1")?,
//!     authorization_country: CountryCode::parse("US")?,
//!     operator: OperatorId::parse("OPER1")?,
//!     network_element: None,
//!     cin: Some(Cin(7)),
//!     delivery_country: None,
//!     interception_point: None,
//! };
//! let mut template = pspdu::Template::new(&context);
//! let time = UnixTime::from_ns(1_700_000_000_123_456_789);
//! let stamp = pspdu::Stamp { sequence: 0, time, direction: pspdu::PayloadDirection::FromTarget };
//! let mut block = [0; 256];
//! let octets = template.encode_ipcc(&mut block, &stamp, &[0x45, 0, 0, 20])?;
//!
//! let read = pspdu::decode(&block[..octets], &pspdu::Limits::default())?.expect("a whole PDU");
//! assert_eq!(read.pdu.header.liid()?, context.liid);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it refuses
//! Input that does not follow the formats gives a typed error with the offset and the field; nothing panics, nothing is guessed. PDUs
//! over the caller's size limit, and nesting over [`ber::DEPTH_MAX`], are refused before anything is built from them. What is
//! well-formed but unknown (attributes, payload kinds, numbers, extension fields) is kept raw. Faults that are known from real peers and do
//! no harm give a [`pspdu::Warning`]. Values that a format has no room for give an [`EncodeError`], and nothing is written.
//! No I/O, no clock, no randomness, no key: transport, stamps and sequence numbers are arguments.
//!
//! # Threads and blocking
//! Every type is plain data (`Send + Sync`); no function blocks. The templates neither allocate nor lock. Decoded PDUs borrow from the
//! caller's buffer.
//!
//! # Clauses
//! TS 103 221-2 clause 5: header, conditional attributes (table 5.3.1-2), payload formats (table 5.4.1-1), keep-alives.
//! TS 102 232-1 annex A: PS-PDU; its clauses 5.2 (header), 6.2.3 (aggregation), 6.3 (keep-alives, options), 7.2 and 7.3 (integrity
//! and encryption: structures only). TS 102 232-3: IPCC, IPIRI, IPIRIPacketReport. TS 102 232-5: IPMMCC, IPMMIRI.
//! HI1NotificationOperations version 7 (TS 101 671, now TS 102 232-1). X.690: BER.
//!
//! PacketCable Electronic Surveillance Specification I03 and I04: PCESP and the datagrams of content. ATIS-1000013.2007: IAS-LAES-CmII,
//! its optional messages, and CmCC, not checked against the standard.
//!
//! The PS-PDU and PCESP encodings follow the ASN.1 modules. The X2/X3 layout has no module: it is the one that several independent
//! implementations agree on.
#![forbid(unsafe_code)]

pub mod ber;
mod cursor;
pub mod direction;
mod error;
pub mod ids;
pub mod pspdu;
mod redact;
pub mod time;
pub mod us;
pub mod x2x3;

pub use error::EncodeError;
