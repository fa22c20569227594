//! Primitives: registers, memories, FIFOs and synchronisers, and tools for blocks that are built by hand.
//!
//! A primitive is a RustHDL block that simulates in RustHDL like any other. Towards Verilog it says what it is through a
//! [`Marker`], which [`crate::emit`] prints in place, inside the module that holds it: a register becomes one `always_ff`
//! there, not a module of its own. `emit` knows no other leaf: RustHDL's own `DFF` and `RAM` reach the syntax tree as
//! text only, and are refused.

pub mod build;
pub mod counter;
pub mod crossing;
pub mod fifo;
pub mod marker;
pub mod memory;
pub mod register;

pub use counter::WideCounter;
pub use crossing::{GrayCounter, Synchronizer};
pub use fifo::Fifo;
pub use marker::{Marker, RamStyle};
pub use memory::{DualClockRam, LutRam, Ram1r1w, Ram2p, Ram2r1w};
pub use register::{Reg, RegR};
