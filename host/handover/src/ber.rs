//! The part of BER (X.690) that PS-PDUs and the formats of United States carriers need.
//!
//! [`Writer`] writes definite lengths of the shortest form. [`Reader`] reads definite lengths of any form and indefinite ones, and
//! strings in pieces; nesting is limited to [`DEPTH_MAX`] and nothing recurses over the input.

mod read;
mod tag;
mod write;

pub use read::{DEPTH_MAX, Element, Error, ErrorKind, Extent, Reader, extent};
pub use tag::{Class, Tag};
pub use write::{
    Writer, length_octets, put_length, put_unsigned, signed_octets, tag_octets, tlv_octets, unsigned_octets,
};
