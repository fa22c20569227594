//! Everything that touches the card: the table side (control thread) and the record side (ring thread).

mod hits;
mod passed;
pub(crate) mod ring;
pub(crate) mod side;
