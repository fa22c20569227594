//! What every gateware file imports: RustHDL's core, the macro `dff_setup!` and the primitives.
//!
//! RustHDL's widgets are left out on purpose: [`crate::emit`] refuses them.

pub use crate::prim::{
    DualClockRam, Fifo, GrayCounter, LutRam, Ram1r1w, Ram2p, Ram2r1w, RamStyle, Reg, RegR, Synchronizer, WideCounter,
};
pub use rust_hdl::core::prelude::*;
pub use rust_hdl::widgets::dff_setup;
