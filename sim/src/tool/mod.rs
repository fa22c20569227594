//! The program around the card: command line, captures, traffic.

pub(crate) mod args;
mod capture;
pub(crate) mod serve;
mod traffic;
