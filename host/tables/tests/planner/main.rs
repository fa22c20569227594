//! The planner against a card that shares nothing with it but the ABI.

mod capacity;
mod card;
mod execute;
mod fan_out;
mod kept;
mod prefixes;
mod reconcile;
mod targets;
