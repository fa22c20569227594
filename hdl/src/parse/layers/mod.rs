//! The parser's stages, in the order of a frame's headers.
//!
//! What stands at a walk's place behind the transport header ([`types::TunnelWalk::follows`]):
//! 1 an IP header, 2 an Ethernet header, 3 GTP-U's payload, 4 a GTP-U extension header if the byte in front of it is not 0, 5 PPP.

pub mod ethernet;
pub mod extension;
pub mod gather;
pub mod gtpu;
pub mod ip;
pub mod link;
pub mod payload;
pub mod tags;
pub mod transport;
pub mod tunnel;
pub mod types;
