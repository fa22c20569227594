//! From a frame's first bytes to match keys: exactly what [`writ_abi::parse`] says.
//!
//! # Overview
//! A [`WindowCollector`] per direction gathers the first 192 bytes of each frame. A [`Merger`] holds up to 64 windows a direction and
//! gives them, one a clock, to the one [`Parser`] that serves both directions.
//!
//! # Theory of operation
//! The parser is a pipeline with one header a stage. Nothing is shifted as a whole: stages carry *where* a header starts, and gather the few bytes
//! they need from the window. Every header starts an even number of bytes behind byte 14, so places are counted in units of two bytes from there,
//! and a gather is a multiplexer over 16-bit words. Gather and check are different clocks.
//!
//! | clocks | stage | reads | finds |
//! |---|---|---|---|
//! | 1 | [`layers::ethernet`] | bytes 0 to 25 | MAC addresses, VLAN tags, ethertype |
//! | 4 | [`layers::link`] | 42 bytes from one of four places | PPPoE, MPLS, pseudowire; the outer IP header |
//! | 3 | [`layers::ip`] | 40 bytes from 17 places up to byte 68 | outer addresses, protocol, end of the packet |
//! | 4 x 2 | [`layers::extension`] | 4 bytes anywhere | one IPv6 extension header each |
//! | 3 | [`layers::transport`] | 22 bytes anywhere | ports, end of the transport header; which tunnel |
//! | 2 | [`layers::tunnel`] | the same 22 bytes | identifier, end of the tunnel's fixed header |
//! | 2 x 2 | [`layers::gtpu`] | 4 bytes anywhere | one GTP-U extension header each |
//! | 3 | [`layers::payload`] | 24 bytes anywhere | PPP, inner Ethernet and its tags; the inner IP header |
//! | 3 | [`layers::ip`] | 40 bytes anywhere | inner addresses, protocol, end of the packet |
//! | 4 x 2 | [`layers::extension`] | 4 bytes anywhere | one IPv6 extension header each |
//! | 3 | [`layers::transport`] | 13 bytes anywhere | ports, end of the transport header |
//! | 1 | [`results`] | | keys |
//!
//! The window gets shorter on the way: its first 14 bytes stay behind at the Ethernet header, 16 more at each IP header. What is known early and
//! needed late goes around the stages in a [`lane`]. A stage's registers move only when a frame comes, and those of a gather only when
//! the frame's walk has not ended, so that an idle pipeline costs neither power nor simulation time.
//!
//! Bytes of the window behind the frame's end hold what the frame before left there. No rule looks at them: each
//! compares with `W` first, or its outcome is not taken.

pub mod lane;
pub mod layers;
mod merge;
mod pipeline;
pub mod results;
pub mod types;
mod window;

pub use merge::Merger;
pub use pipeline::{PARSER_CLOCKS, Parser};
pub use window::WindowCollector;
