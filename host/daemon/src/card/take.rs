//! How the daemon comes to its card: it takes over one that ran on, or brings it up anew.

use super::open::CardOnBus;
use crate::{
    config::Config,
    run::Fault,
    state::kept::{KeptCard, Told},
};
use std::num::NonZeroU64;
use writ_driver::{Adopt, Adopted, BringUp, Card, Identity, NotAdopted, Parts, RingMemory};
use writ_tables::{Geometry, Tables};

/// What is known of the card from before.
pub(crate) struct Known {
    /// The card's life that it was in.
    pub(crate) session: u64,
    /// What it held; or why that cannot be used.
    pub(crate) kept: Result<KeptCard, String>,
}

/// The card, and what its tables should hold.
pub(crate) struct Taken {
    pub(crate) parts: Parts,
    pub(crate) tables: Tables,
    /// Names the card's life from here on. `None`: it ends with this process.
    pub(crate) session: Option<NonZeroU64>,
    pub(crate) arrival: Arrival,
}

/// How the daemon came to its card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Reset and brought up: it holds nothing.
    BroughtUp {
        /// Why it was not taken over.
        reason: String,
    },
    /// Taken over as it ran.
    TakenOver {
        /// Commands that the daemon before gave and did not hear of again.
        commands_left: u64,
        /// What of its losses was told.
        told: Told,
    },
}

/// Takes the card. Of a card that cannot be taken over nothing is kept.
pub(crate) fn take(
    config: &Config,
    on_bus: &CardOnBus,
    how: &BringUp,
    geometry: impl Fn(&Identity) -> Result<Geometry, Fault>,
    known: Option<&Known>,
) -> Result<Taken, Fault> {
    let memory = on_bus.memory(config)?;
    let (reason, memory) = match same_life(on_bus, known)? {
        Err(reason) => (reason, memory),
        Ok((session, kept)) => match take_over(on_bus, memory, how, &geometry, kept)? {
            Ok((parts, tables, arrival)) => return Ok(Taken { parts, tables, session: Some(session), arrival }),
            Err(refused) => refused,
        },
    };
    let parts = on_bus.bring_up(config, memory, how)?;
    let tables = Tables::new(geometry(parts.card.identity())?);
    Ok(Taken { parts, tables, session: on_bus.session()?, arrival: Arrival::BroughtUp { reason } })
}

/// Whether the card is in the life that is known; else why nothing is known of it.
fn same_life<'a>(
    on_bus: &CardOnBus,
    known: Option<&'a Known>,
) -> Result<Result<(NonZeroU64, &'a KeptCard), String>, Fault> {
    let Some(session) = on_bus.session()? else { return Ok(Err("a card of this process alone".to_owned())) };
    let Some(known) = known else { return Ok(Err("nothing was kept of it, or it was given up".to_owned())) };
    if known.session != session.get() {
        return Ok(Err("it was reset, or writ-cardd was started again".to_owned()));
    }
    Ok(match &known.kept {
        Ok(kept) => Ok((session, kept)),
        Err(why) => Err(why.clone()),
    })
}

type TakenOver = (Parts, Tables, Arrival);

/// `Err`: why it was not taken over, and the memory to bring it up with.
fn take_over(
    on_bus: &CardOnBus,
    memory: RingMemory,
    how: &BringUp,
    geometry: &impl Fn(&Identity) -> Result<Geometry, Fault>,
    kept: &KeptCard,
) -> Result<Result<TakenOver, (String, RingMemory)>, Fault> {
    let (bar, _, irqs) = on_bus.ways()?;
    let adopt = Adopt { lookup: how.lookup, timeout: how.ready_timeout };
    let Adopted { parts, left } = match Card::adopt(bar, memory, irqs, &adopt) {
        Ok(adopted) => adopted,
        Err(refused) => {
            let NotAdopted { fault, memory } = *refused;
            return Ok(Err((fault.to_string(), memory)));
        }
    };
    match Tables::from_kept(geometry(parts.card.identity())?, &kept.tables) {
        Ok((tables, _)) => {
            tracing::info!("the card was taken over as it ran; {} commands were left", left.len());
            let arrival = Arrival::TakenOver { commands_left: left.len() as u64, told: kept.told.clone() };
            Ok(Ok((parts, tables, arrival)))
        }
        Err(error) => Ok(Err((error.to_string(), RingMemory::from_parts(parts.commands, parts.rings)))),
    }
}
