//! Everything that proves Writ from outside: captures and generated traffic, the brute-force ground truth, mock LEMF and MDF
//! on a throw-away PKI, the verdict over what they received, and the scenarios that put the real binaries together.
//!
//! What it refuses: sharing code with what it judges. [`truth`] parses frames with etherparse alone and knows nothing of the
//! model, the tables or the gateware; only the decoders of the handover codecs are used, on received octets, and those are
//! checked by foreign tools (`cargo xtask oracles`).
//!
//! Threads and blocking: plain threads and blocking sockets throughout; nothing here is on a path that carries load.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod binaries;
pub mod capture;
pub mod check;
pub mod expectations;
pub mod lemf;
pub mod pki;
pub mod play;
pub mod rig;
pub mod run;
pub mod traffic;
pub mod truth;
