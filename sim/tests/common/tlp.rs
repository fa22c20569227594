//! The Verilated card behind TLPs.

use std::sync::Arc;
use writ_driver::memory::HostMemory;
use writ_sim::card::SimCard;
use writ_sim::pcie::BusSettings;
use writ_sim::rtl::TlpCard;

/// Nothing goes wrong on the bus.
pub(crate) fn quiet(memory: &Arc<HostMemory>) -> Box<dyn SimCard> {
    Box::new(TlpCard::started(BusSettings::default(), memory.card()))
}
