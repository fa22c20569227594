//! Formats of United States carriers.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/strategies.rs"]
#[allow(dead_code, reason = "a part is used")]
mod values;

mod atis;
mod ccc;
mod json;
mod json_atis;
mod pcesp;
mod properties;
mod strategies;
mod strategies_atis;
mod streams;
