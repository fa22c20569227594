//! When the card may use the bus: [`Session`] on the hard block's clock, [`CoreReset`] on the core's, [`StallWatch`], which notices a bus that takes nothing.

mod core_reset;
mod stall;
mod state;

pub use core_reset::CoreReset;
pub use stall::StallWatch;
pub use state::{Session, SessionState};
