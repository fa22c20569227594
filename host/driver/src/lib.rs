//! Brings Writ's card up and consumes its rings.
//!
//! What it does: everything between [`writ_abi`] and the rest of the host. [`Card::bring_up`] checks who the card is,
//! resets it, sets its clock, its lookups and its rings; [`CommandChannel`] submits table commands and collects their completions;
//! each [`RecordRing`] hands out the records of one of the card's rings in place. [`Card::adopt`] takes over a card that runs, from a process that died:
//! nothing is reset, and what waited in the rings is there. The card itself is reached through three traits, [`Bar`],
//! [`Dma`] and [`Irq`], so that one driver serves a PCIe function, a golden model and a Verilated top alike.
//!
//! What it refuses: a card of another ABI major, a card whose tables or rings go beyond [`writ_abi::limits`], a record or
//! completion that does not check. Nothing that comes from the card can make it panic.
//!
//! # Threads and blocking
//! [`Card`] is `Sync` and may be shared. [`CommandChannel`] and every [`RecordRing`] belong to one thread each; they share nothing
//! but the bus. Only functions with a timeout argument wait, on their [`Irq`] or by sleeping; none of them spins for long.
//!
//! # A card that is gone
//! A function that has left the bus reads as all ones. No register of the ABI that the driver looks at can have that value in
//! working order ([`writ_abi::MAGIC`] above all), so it becomes [`CardError::Gone`], never data.
//!
//! # Unsafe code
//! [`memory`]: shared mappings whose other side is a card or a file; the one place in [`RecordRing::poll`] that reads
//! records in place; and the one in [`bus::vfio`] that lets a board reach memory. Each block states why it is sound.

pub mod bus;
mod card;
mod command;
mod counters;
mod lookup;
pub mod memory;
mod records;
mod self_test;
mod setup;
mod steer;
mod walk;

pub use bus::{Bar, Dma, DmaError, Irq, NoIrq, Wake};
pub use card::{Card, CardError, CardStatus, INDEX_DELAY_NS_MAX, Identity};
pub use command::{CommandChannel, CommandError, Completed, rule_commands};
pub use counters::Counters;
pub use lookup::{DamagedPlace, LookupSettings, TunnelKinds};
pub use records::{Event, Flow, PayloadCheck, Progress, RecordRing, RingError, RingStatistics};
pub use setup::{Adopt, AdoptFault, Adopted, BringUp, Irqs, NotAdopted, Parts, RingMemory, RingSizes};
pub use steer::{ClockState, Pulse, SLEW_NS_MAX};
pub use walk::{Examination, Finding, Violation, examine, register_walk};
