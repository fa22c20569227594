//! Versioned types of the operator protocol: what `writ` asks of `writd`, and what it answers.
//!
//! One request and one answer a line, each a JSON object that carries [`PROTOCOL_VERSION`]; the daemon answers the
//! requests of a connection in their order. Unknown fields are refused on both sides, so that a word that one side does not
//! know is never silently dropped from an order. Lines are bounded ([`REQUEST_BYTES_MAX`], [`RESPONSE_BYTES_MAX`]);
//! whatever can grow without limit is asked for by the page.
//!
//! What the crate refuses: sockets, files, clocks, randomness. Main types: [`Request`], [`Response`], [`Refusal`], the
//! reports in [`report`], and the values that people type ([`Target`], [`TimeSpec`]). Nothing here blocks.
//!
//! Identities of targets stand in [`Sensitive`] or [`Target`], whose `Debug` shows none of them.
#![forbid(unsafe_code)]

mod calendar;
mod line;
pub mod report;
mod request;
mod response;
pub mod settings;
mod values;

pub use calendar::{CalendarError, UtcTime};
pub use line::{LineBuffer, LineError, decode_request, decode_response, encode};
pub use request::{
    ActivateTask, AddDestination, Ask, Confirmation, Delivery, InterfaceAddresses, MinTls, OrderKind, Page, Request,
    Scope, TaskSelector, TransportSecurity,
};
pub use response::{Answer, Outcome, Refusal, RefusalCode, Response};
pub use settings::DestinationSettings;
pub use uuid::Uuid;
pub use values::{Sensitive, Target, TimeSpec, ValueError};

/// Version of the protocol. A daemon answers a request of another version with [`RefusalCode::UnsupportedVersion`].
pub const PROTOCOL_VERSION: u32 = 3;
/// Longest request line, line feed included. A destination's CA certificates are the biggest thing in it.
pub const REQUEST_BYTES_MAX: usize = 256 * 1024;
/// Longest response line, line feed included.
pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Entries that one page of a listing may hold at most.
pub const PAGE_ENTRIES_MAX: u32 = 1000;
