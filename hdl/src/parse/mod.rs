//! From a frame's first bytes to match keys: exactly what [`writ_abi::parse`] says.
//!
//! # Overview
//! A [`WindowCollector`] per direction gathers the first 192 bytes of each frame. A [`Merger`] holds up to 64 windows a direction and
//! gives them, one a clock, to the one [`Parser`] that serves both directions.
//!
//! # Theory of operation
//! The parser is a pipeline with one header a stage. Nothing is shifted as a whole: stages carry *where* a header
//! starts, and gather the few bytes they need from the window. Every header behind the Ethernet header starts 4 bytes or a multiple
//! behind byte 14, so its place is a number of 32-bit words behind byte 14 (`word`; byte offset `14 + 4 * word`), and a
//! gather is a multiplexer over whole words.
//!
//! | clocks | stage | reads | finds |
//! |---|---|---|---|
//! | 1 | [`ethernet`] | bytes 12 to 21 | tags, ethertype, class of what is no IP |
//! | 1 | [`ip`] (gather) | 40 bytes from one of three places | |
//! | 1 | [`ip`] (check) | those | addresses, protocol, end of the packet |
//! | 4 x 2 | [`extension`] | 4 bytes anywhere | one IPv6 extension header each |
//! | 2 | [`transport`] | 5 bytes anywhere | ports, end of the transport header |
//!
//! Bytes of the window behind the frame's end hold what the frame before left there. No rule looks at them: each
//! compares with `W` first.

pub mod ethernet;
pub mod extension;
pub mod ip;
mod merge;
mod pipeline;
pub mod transport;
pub mod types;
mod window;

pub use merge::Merger;
pub use pipeline::{PARSER_CLOCKS, Parser};
pub use window::WindowCollector;
