//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use writ_sim::service::{Backend, Pace};

/// A Writ card without a board.
#[derive(Debug, Parser)]
#[command(name = "writ-sim", version)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a card that other processes reach by the vfio-user protocol, until it is killed.
    Serve(Serve),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The card's Unix socket; made with mode 0600. One client at a time.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,
    /// Which card.
    #[arg(long, value_enum, default_value_t = CardKind::Model)]
    pub(crate) card: CardKind,
    /// What the card's time follows. Without it the host's clock for the model, and what happens for the gateware, which cannot keep up.
    #[arg(long, value_enum)]
    pub(crate) pace: Option<PaceKind>,
    /// Where another process plugs in the card's cables (protocol: `writ_sim::wire`). With a capture the cables are in use.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["capture", "capture_b"])]
    pub(crate) wire: Option<PathBuf>,
    /// A capture (pcap or pcapng, Ethernet) whose frames come in on port A.
    #[arg(long, value_name = "FILE")]
    pub(crate) capture: Option<PathBuf>,
    /// Another one for port B. The frames of both come in turn.
    #[arg(long, value_name = "FILE")]
    pub(crate) capture_b: Option<PathBuf>,
    /// Frames a second of card time, of both ports together.
    #[arg(long, value_name = "N", default_value = "1000", requires = "traffic")]
    pub(crate) frames_per_s: NonZeroU32,
    /// How often the captures are played; without it until the end.
    #[arg(long, value_name = "N", requires = "traffic")]
    pub(crate) rounds: Option<NonZeroU64>,
    #[command(flatten)]
    pub(crate) traffic: Traffic,
}

/// Names what the options of traffic need.
#[derive(Debug, Args)]
#[group(id = "traffic", args = ["capture", "capture_b"], multiple = true)]
pub(crate) struct Traffic {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CardKind {
    /// The golden model.
    Model,
    /// The Verilated gateware at its core's bus; in builds with the feature rtl.
    Rtl,
    /// The Verilated gateware behind PCIe transactions; in builds with the feature rtl-pcie.
    Tlp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaceKind {
    /// A second of the card is a second of the host.
    Host,
    /// The card runs while there is something to do, and stands still otherwise.
    Events,
}

impl Serve {
    /// The card.
    pub(crate) fn backend(&self) -> Backend {
        match self.card {
            CardKind::Model => Backend::Model,
            CardKind::Rtl => Backend::Rtl,
            CardKind::Tlp => Backend::Tlp,
        }
    }

    /// What its time follows.
    pub(crate) fn pace(&self) -> Pace {
        match (self.pace, self.card) {
            (Some(PaceKind::Host), _) | (None, CardKind::Model) => Pace::Host,
            (Some(PaceKind::Events), _) | (None, CardKind::Rtl | CardKind::Tlp) => Pace::Events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(words: &str) -> Result<Serve, String> {
        let words = ["writ-sim", "serve"].into_iter().chain(words.split_whitespace());
        match Arguments::try_parse_from(words) {
            Ok(Arguments { command: Command::Serve(serve) }) => Ok(serve),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn options_that_make_no_sense_are_refused_by_name() {
        Arguments::command().debug_assert();
        for (words, named) in [
            ("", "--socket"),
            ("--socket s --card banana", "banana"),
            ("--socket s --wire w --capture f", "--capture"),
            ("--socket s --capture f --frames-per-s 0", "--frames-per-s"),
            ("--socket s --capture f --rounds 0", "--rounds"),
            ("--socket s --rounds 3", "--capture"),
            ("--socket s --frames-per-s 3", "--capture"),
        ] {
            let error = parse(words).expect_err(words);
            assert!(error.contains(named), "{words}: {error}");
        }
    }

    #[test]
    fn the_model_follows_the_clock_and_the_gateware_does_not() {
        let pace = |words| parse(words).expect("good").pace();
        assert_eq!(pace("--socket s"), Pace::Host);
        assert_eq!(pace("--socket s --card rtl"), Pace::Events);
        assert_eq!(pace("--socket s --pace events"), Pace::Events);
        assert_eq!(pace("--socket s --card rtl --pace host"), Pace::Host);
        assert_eq!(parse("--socket s --capture-b f --rounds 2").expect("good").backend(), Backend::Model);
    }
}
