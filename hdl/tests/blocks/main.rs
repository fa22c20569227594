//! The gateware's blocks in RustHDL's own simulator, each against the ABI's code or against a few lines that say the same thing
//! another way. The emitted card as a whole is compared with the golden model in `writ-sim`.

mod bench;
mod capture;
mod dma;
mod linear;
mod parser;
mod pcie;
mod registers;
mod top;
mod window;
