//! Everything that touches the card: the table side (control thread) and the record side (ring thread).

mod hits;
pub(crate) mod open;
mod passed;
pub(crate) mod ring;
pub(crate) mod side;
pub(crate) mod take;
