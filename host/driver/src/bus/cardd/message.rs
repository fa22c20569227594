//! What `writd` and `writ-cardd` say to each other. Every message has a fixed size; all numbers are little-endian.

use super::CarddError;
use writ_abi::limits::RECORD_RINGS;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Version of the protocol.
pub const VERSION: u32 = 2;
/// Descriptors of a welcome: ring memory, index page, doorbell, one event a record ring, that of the completions.
pub const DESCRIPTORS: usize = 3 + RECORD_RINGS + 1;

/// Kinds of [`Request`].
pub mod request {
    /// The first one. `offset`: the client's version of the protocol. Answered by a welcome with [`super::DESCRIPTORS`] descriptors.
    pub const HELLO: u32 = 1;
    /// Reads the register at `offset`. Answered by a value.
    pub const READ: u32 = 2;
    /// Writes `value` into the register at `offset`. Answered when the card has got it.
    pub const WRITE: u32 = 3;
    /// Asks for the session. Answered by a session.
    pub const SESSION: u32 = 4;
}

/// Kinds of [`Answer`].
pub mod answer {
    /// `value`: the server's version, `before`: daemons that had the card since it was opened, `bytes`: of the ring memory.
    pub const WELCOME: u32 = 1;
    /// `value`: what the register holds, or 0 after a write.
    pub const VALUE: u32 = 2;
    /// `value`: a [`super::Reason`]. The connection ends.
    pub const REFUSED: u32 = 3;
    /// `bytes`: a random number that stays the same until the card is reset or has another owner; 0: there is none.
    pub const SESSION: u32 = 4;
}

/// From `writd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Request {
    /// One of [`request`].
    pub kind: U32,
    /// Of a register, in bytes.
    pub offset: U32,
    /// To be written.
    pub value: U32,
    /// Zero.
    pub reserved: U32,
}

/// From `writ-cardd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Answer {
    /// One of [`answer`].
    pub kind: U32,
    /// See there.
    pub value: U32,
    /// See there.
    pub before: U32,
    /// Zero.
    pub reserved: U32,
    /// See there.
    pub bytes: U64,
}

impl Request {
    /// A request.
    pub fn new(kind: u32, offset: u32, value: u32) -> Self {
        Self { kind: U32::new(kind), offset: U32::new(offset), value: U32::new(value), reserved: U32::new(0) }
    }
}

impl Answer {
    /// An answer without more than a value.
    pub fn new(kind: u32, value: u32) -> Self {
        let zero = U32::new(0);
        Self { kind: U32::new(kind), value: U32::new(value), before: zero, reserved: zero, bytes: U64::new(0) }
    }
}

/// Why a daemon is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// Another daemon has the card.
    InUse = 1,
    /// The peer's uid is not the one that may have the card.
    Stranger = 2,
    /// The peer speaks another version.
    Version = 3,
    /// The peer sent what is no request.
    Protocol = 4,
}

impl Reason {
    /// The reason for its number.
    pub(super) fn error(number: u32) -> CarddError {
        match number {
            1 => CarddError::InUse,
            2 => CarddError::Stranger,
            3 => CarddError::Version,
            4 => CarddError::Protocol("it does not understand this host"),
            _ => CarddError::Protocol("it refuses for a reason without meaning"),
        }
    }
}

const _: () = assert!(size_of::<Request>() == 16 && size_of::<Answer>() == 24);
