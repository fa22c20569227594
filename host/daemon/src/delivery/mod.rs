//! Delivery: sessions on tokio, their connections and their journals.

pub(crate) mod journal;
pub(crate) mod sessions;
pub(crate) mod task;
pub(crate) mod tls;
pub(crate) mod transport;
pub(crate) mod withheld;
