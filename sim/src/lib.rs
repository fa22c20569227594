//! Writ's card without a board: the golden model and the Verilated gateware, both behind the driver's traits.
//!
//! What it does: [`model`] says, simply and obviously, what the ABI asks a card to do; [`card::SimCard`] is the seam at which the
//! model and the Verilated top (`rtl`, cargo feature `rtl`) can be exchanged; [`service`] runs either of them in a thread of its
//! own, as a card that a driver reaches through registers and shared memory; `pcie` (feature `rtl-pcie`) is the bus in between, TLP by TLP, and [`wire`] lets another process plug its
//! cables in: play frames, learn their stamps, take what left the card.
//!
//! What it refuses: to be fast at the price of being different. Card time advances with clocks only; when nothing happens the card
//! stands still and burns no processor time.
//!
//! # Threads and blocking
//! One thread runs the card, one a wire connection reads it and one writes it. Register reads block until the card's thread has
//! answered; writes are posted.
//!
//! # Unsafe code
//! `rtl` alone: the calls into the Verilated C++.

pub mod card;
pub mod model;
#[cfg(feature = "rtl-pcie")]
pub mod pcie;
#[cfg(feature = "verilated")]
pub mod rtl;
pub mod service;
pub mod vfio_user;
pub mod wire;
