//! Gateware of the tap card in RustHDL, and the Verilog back end that emits it.

pub mod emit;
pub mod prelude;
pub mod prim;
pub mod axis;
pub mod capture;
pub mod csr;
pub mod dma;
pub mod lookup;
pub mod parse;
pub mod time;
pub mod top;
