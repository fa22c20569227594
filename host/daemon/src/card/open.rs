//! The card's way into this process: simulated in a thread of it, or owned by `writ-cardd`.

use crate::config::{Backend, Config};
use std::{error::Error, num::NonZeroU64, sync::Arc};
use writ_driver::{
    Bar, BringUp, Card, CardError, Irqs, Parts, RingMemory, RingSizes, bus::cardd::CarddCard, memory::HostMemory,
};
use writ_sim::service::{self, Service};

/// Commands that can be outstanding.
const COMMANDS: u32 = 1024;

/// What keeps the card on its bus. Dropping it takes a simulated card away, and gives that of `writ-cardd` back.
pub(crate) enum CardOnBus {
    /// In a thread of this process.
    Simulated(Service),
    /// In `writ-cardd`'s hands.
    Owned(CarddCard),
}

impl CardOnBus {
    /// Reaches the card that is configured.
    pub(crate) fn open(config: &Config) -> Result<Self, Box<dyn Error>> {
        let backend = match (config.card.backend.get_ref(), &config.card.cardd) {
            (Backend::Cardd, Some(socket)) => {
                let card = CarddCard::connect(socket)?;
                tracing::info!(
                    "writ-cardd has handed over its card; daemons before this one: {}",
                    card.daemons_before()
                );
                return Ok(Self::Owned(card));
            }
            (Backend::Cardd, None) => return Err("card.cardd is missing".into()),
            (Backend::Model, _) => service::Backend::Model,
            (Backend::Rtl, _) => service::Backend::Rtl,
        };
        let options = service::Options {
            memory_bytes: sizes(config).memory_bytes(),
            wire_socket: config.card.wire_socket.clone(),
            ..service::Options::default()
        };
        Ok(Self::Simulated(Service::start(backend, &options)?))
    }

    /// Registers, memory and interrupts.
    pub(crate) fn ways(&self) -> std::io::Result<(Arc<dyn Bar>, Arc<HostMemory>, Irqs)> {
        Ok(match self {
            Self::Simulated(service) => (service.bar(), service.dma(), service.irqs()),
            Self::Owned(card) => (card.bar(), card.dma(), card.irqs()?),
        })
    }

    /// Names the card's life since its last reset; `None` for a card that has no life beyond this process.
    pub(crate) fn session(&self) -> Result<Option<NonZeroU64>, CardError> {
        match self {
            Self::Simulated(_) => Ok(None),
            Self::Owned(card) => card.session(),
        }
    }

    /// The memory of the rings that are configured. To be asked for once.
    pub(crate) fn memory(&self, config: &Config) -> Result<RingMemory, Box<dyn Error>> {
        let (_, memory, _) = self.ways()?;
        Ok(RingMemory::allocate(&memory, &sizes(config))?)
    }

    /// Brings the card up anew: what it held and what waited in its rings is gone.
    pub(crate) fn bring_up(&self, config: &Config, memory: RingMemory, how: &BringUp) -> Result<Parts, Box<dyn Error>> {
        let (bar, _, irqs) = self.ways()?;
        let parts = Card::bring_up(bar, memory, irqs, how)?;
        let identity = parts.card.identity();
        let backend = config.card.backend.get_ref().name();
        tracing::info!("card is up: {backend}, ABI {}.{}", identity.abi_major, identity.abi_minor);
        Ok(parts)
    }
}

fn sizes(config: &Config) -> RingSizes {
    RingSizes { record_lines: config.card.record_ring_lines.get_ref().lines(), commands: COMMANDS }
}
