//! What United States carriers deliver (CALEA): PacketCable and ATIS formats.
//!
//! - [`ccc`]: content of PacketCable, one datagram a packet. Checked against Wireshark's dissectors.
//! - [`pcesp`]: call events of PacketCable (PCESP versions 3 and 4). Checked against its ASN.1 modules by compilers of others.
//! - [`unverified_atis1000013`]: broadband (ATIS-1000013), from a partial reconstruction of its modules. Nothing independent reads it:
//!   agree with the receiver before it is used.

pub mod ccc;
mod fields;
pub mod pcesp;
pub mod unverified_atis1000013;

pub use fields::{Decoded, Integer, OctetString, Utf8String, VisibleString};
