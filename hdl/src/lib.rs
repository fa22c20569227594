//! Gateware of the tap card in RustHDL, and the Verilog back end that emits it.
//!
//! # Overview
//! [`top`] is the card; [`top::emit_top`] gives its text. [`core`] is what of it runs on the core's clock. [`prelude`] is what a block imports,
//! [`prim`] holds the primitives that blocks are made of, [`emit`] is the back end. `hdl/README.md` says how they work, and why RustHDL's own emitter
//! is not used.

pub mod axis;
pub mod capture;
pub mod cdc;
pub mod core;
pub mod csr;
pub mod dma;
pub mod emit;
pub mod lookup;
pub mod parse;
pub mod pcie;
pub mod prelude;
pub mod prim;
pub mod time;
pub mod top;
pub mod vendor;
