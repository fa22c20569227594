//! Blocks between clocks, in RustHDL's own simulator: clocks a little apart, far apart, and without any relation.

#[path = "../blocks/bench.rs"]
#[allow(dead_code)] // what only tests on one clock use
mod bench;

mod async_fifo;
mod branch;
mod events;
mod mac_fifo;
mod mac_lines;
mod self_test;
mod steered_clock;
mod tap_crossing;
mod time_crossing;
mod two_clocks;
mod width;
