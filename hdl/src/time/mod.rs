//! The card's clock.

mod card_clock;

pub use card_clock::CardClock;
