//! What survives the process: store, audit log, and the keys that they are sealed with.

pub(crate) mod audit;
mod audit_file;
pub(crate) mod kept;
pub(crate) mod keys;
pub(crate) mod signer;
pub(crate) mod store;
pub(crate) mod tally;
