//! The adapter to the PCIe hard block: beats made and read by hand, from the tables of PG213 that `hdl/docs/pcie.md` names.

mod adapter;
mod beats;
mod completer;
mod msix;
mod reader;
mod requester;
mod session;
mod stall;
