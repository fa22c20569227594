//! What the host asks of the card: register accesses, and everything that is none.

pub mod access;
pub mod answers;

pub use access::RegisterAccess;
pub use answers::Completer;
