//! The program around the card: command line, captures, traffic.

pub(crate) mod args;
mod capture;
mod generate;
pub(crate) mod serve;
mod tap;
mod traffic;
