//! The command line.

use crate::adapter;
use clap::{Args, Parser};
use std::num::NonZeroU32;
use std::path::PathBuf;
use writ_driver::bus::place::Place;
use writ_driver::bus::sysfs::PciAddress;
use writ_driver::memory::PageSize;

/// Owns a Writ card and the memory of its rings, and hands both to `writd`.
#[derive(Debug, Parser)]
#[command(
    name = "writ-cardd",
    version,
    after_help = "It runs until it is killed or the card is gone. Either way the card is disarmed then."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) listen: Listen,
    #[command(flatten)]
    card: Card,
    /// The uid that writd runs under [default: our own]
    #[arg(long, value_name = "UID")]
    pub(crate) allow_uid: Option<u32>,
    /// Group of the socket, whose members can connect; who has the card is still decided by the uid
    #[arg(long, value_name = "GID")]
    pub(crate) group: Option<u32>,
    /// Least time between two interrupts of a record ring or of the completions, us; for cards on a bus
    #[arg(long, value_name = "US", value_parser = clap::value_parser!(u32).range(..=i64::from(adapter::MODERATION_US_MAX)))]
    pub(crate) moderation_us: Option<u32>,
    /// Memory for the rings, MiB
    #[arg(long, value_name = "MIB", default_value = "32")]
    pub(crate) memory_mib: NonZeroU32,
    /// Size of the memory's pages: 4k, 2m or 1g. Large ones have to be set aside by the operator
    #[arg(long, value_name = "SIZE", default_value = "4k", value_parser = parse_pages)]
    pub(crate) pages: PageSize,
    /// If there are not enough large pages, say so and take small ones
    #[arg(long)]
    pub(crate) small_pages_will_do: bool,
}

/// Where writd comes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Listen {
    /// Unix socket for writd
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Take the listening socket that standard input is, from a systemd socket unit: StandardInput=socket
    #[arg(long, conflicts_with = "group")]
    pub(crate) socket_on_stdin: bool,
}

/// Which card.
#[derive(Debug, Args)]
#[group(id = "place", required = true, multiple = false)]
struct Card {
    /// The card: a board in this machine, bound to vfio-pci, by its PCI address (writ card list)
    #[arg(long, value_name = "ADDRESS")]
    device: Option<PciAddress>,
    /// The card: the socket of a process that serves it by the vfio-user protocol, like writ-sim
    #[arg(long, value_name = "PATH")]
    vfio_user: Option<PathBuf>,
}

fn parse_pages(name: &str) -> Result<PageSize, String> {
    name.parse().map_err(|error: writ_driver::memory::UnknownPageSize| error.to_string())
}

impl Arguments {
    /// Where the card is. `None`: the command line names none, which its parser refuses.
    pub(crate) fn place(&self) -> Option<Place> {
        let Card { device, vfio_user } = &self.card;
        device.map(Place::Device).or_else(|| vfio_user.clone().map(Place::Socket))
    }

    /// The uid that may have the card.
    pub(crate) fn allowed_uid(&self) -> u32 {
        self.allow_uid.unwrap_or_else(|| rustix::process::geteuid().as_raw())
    }
}
