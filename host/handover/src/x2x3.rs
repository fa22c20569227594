//! X2/X3 PDUs: TS 103 221-2 clause 5.
//!
//! A PDU is a header of 40 octets, conditional attributes (type, length, value) and a payload; all numbers are big-endian.
//! PDUs follow each other on the stream without anything between them.
//!
//! - Writing packets of a task: [`Template`] and [`AttributeBlock`], no allocation per packet.
//! - Writing anything else: [`encode`], [`keepalive`], [`keepalive_ack`].
//! - Reading: [`decode`]. Every minor version of major 0 is read; another major is refused. Unknown PDU types, formats, directions and
//!   attributes are kept as their numbers and octets.
//!
//! There is no acknowledgement of X2/X3 PDUs; only keep-alives are answered.

mod attribute;
mod decode;
mod encode;
mod header;
pub mod target;
mod template;

pub use attribute::{Attribute, Attributes};
pub use decode::{DecodeError, DecodeErrorKind, Limits, Pdu, decode};
pub use encode::{Head, KEEPALIVE_OCTETS, encode, encoded_length, keepalive, keepalive_ack};
pub use header::{HEADER_OCTETS, Header, PayloadDirection, PayloadFormat, PduType, Version};
pub use template::{Addresses, AttributeBlock, Flow, Packet, Ports, Template, TemplateParameters};
