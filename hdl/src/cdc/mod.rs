//! From one clock to another: events. Words go through [`crate::axis::AsyncFifo`], single bits through a
//! [`Synchronizer`](crate::prim::Synchronizer). Nothing else in the card crosses, and [`crate::emit`] refuses what does.

mod events;

pub use events::EventCrossing;
