use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use writ_testbench::check::Delivery;
use writ_testbench::run::{Warrant, default_warrants, warrants_for};
use writ_testbench::truth::{Scope, Target};

use crate::failure::Failure;

/// Options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Capture to play, pcap or pcapng, Ethernet [default: a generated one]
    #[arg(long, value_name = "FILE", requires = "targets")]
    pub(crate) capture: Option<PathBuf>,
    /// What stands behind the driver
    #[arg(long, value_enum, default_value_t = Card::Tlp)]
    pub(crate) card: Card,
    /// What a warrant names: ipv4=ADDR or ADDR/BITS, ipv6 alike, endpoint=ADDR:PORT/PROTO, flow=ADDR:PORT-ADDR:PORT/PROTO,
    /// tunnel=gtpu|vxlan|geneve|gre|l2tp|ipip:ID@ADDR (gre and ipip without :ID), or, with deliver=x, mac=ADDR, vlan=a|b:ID.ID, tunnel=pppoe:ID@MAC,
    /// tunnel=mpls:LABEL; then perhaps ,scope=content|headers_l4|headers_l3 and ,deliver=hi|x; may be repeated
    #[arg(long = "target", value_name = "KIND=VALUE[,scope=SCOPE][,deliver=hi|x]")]
    pub(crate) targets: Vec<TargetOption>,
    /// Longest gap between two frames, in ns of card time; longer ones are shortened to it
    #[arg(long, value_name = "NS", default_value_t = MAX_GAP_NS, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) max_gap_ns: u64,
    /// Folder for what the run writes [default: target/demo]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the summary as one JSON object on stdout, and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

/// 2 us: some 650 clocks of the card.
const MAX_GAP_NS: u64 = 2_000;

impl Default for Arguments {
    fn default() -> Self {
        Self { capture: None, card: Card::Tlp, targets: Vec::new(), max_gap_ns: MAX_GAP_NS, out: None, json: false }
    }
}

impl Arguments {
    /// The warrants that the options ask for.
    pub(crate) fn warrants(&self) -> Result<Vec<Warrant>, Failure> {
        if self.targets.is_empty() {
            return Ok(default_warrants());
        }
        for (index, target) in self.targets.iter().enumerate() {
            if self.targets[..index].contains(target) {
                return Err(Failure::new(format!("--target {}: given twice", target.target)));
            }
        }
        let targets: Vec<_> =
            self.targets.iter().map(|option| (option.target, option.scope, option.delivery)).collect();
        Ok(warrants_for(&targets))
    }
}

/// What stands behind the driver.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Card {
    /// The Verilated gateware behind PCIe transactions, in a process of its own (vfio-user), owned by writ-cardd
    Tlp,
    /// The Verilated gateware at its core's bus, in writd
    Rtl,
    /// The golden model, in writd
    Model,
}

/// One `--target`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TargetOption {
    pub(crate) target: Target,
    pub(crate) scope: Scope,
    pub(crate) delivery: Delivery,
}

impl FromStr for TargetOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let target = parts.next().unwrap_or_default().parse()?;
        let mut option = Self { target, scope: Scope::Content, delivery: Delivery::Hi };
        let mut said = Vec::new();
        for part in parts {
            let name = part.split_once('=').map_or(part, |(name, _)| name);
            if said.contains(&name) {
                return Err(format!("`{part}`: {name} is said twice"));
            }
            said.push(name);
            match part.split_once('=') {
                Some(("scope", "content")) => option.scope = Scope::Content,
                Some(("scope", "headers_l4")) => option.scope = Scope::HeadersL4,
                Some(("scope", "headers_l3")) => option.scope = Scope::HeadersL3,
                Some(("deliver", "hi")) => option.delivery = Delivery::Hi,
                Some(("deliver", "x")) => option.delivery = Delivery::X,
                Some(("scope", other)) => {
                    return Err(format!("scope `{other}`: known are content, headers_l4 and headers_l3"));
                }
                Some(("deliver", other)) => return Err(format!("deliver `{other}`: known are hi and x")),
                _ => return Err(format!("`{part}`: behind the target stand scope=... and deliver=... only")),
            }
        }
        Ok(option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_with_their_options() {
        let read = |text: &str| text.parse::<TargetOption>().map(|option| (option.scope, option.delivery));
        assert_eq!(read("ipv4=192.0.2.1"), Ok((Scope::Content, Delivery::Hi)));
        assert_eq!(read("ipv6=2001:db8::1,deliver=x"), Ok((Scope::Content, Delivery::X)));
        assert_eq!(
            read("endpoint=[2001:db8::1]:5060/udp,scope=headers_l3,deliver=x"),
            Ok((Scope::HeadersL3, Delivery::X))
        );
        for text in [
            "",
            "ipv4=1.2.3",
            "ipv4=192.0.2.1,scope=all",
            "ipv4=192.0.2.1,deliver=fax",
            "ipv4=192.0.2.1,x",
            "ipv4=192.0.2.1,deliver=x,deliver=hi",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_target_twice_is_refused() {
        let twice =
            vec!["ipv4=192.0.2.1".parse().expect("a good target"), "ipv4=192.0.2.1".parse().expect("a good target")];
        let arguments = Arguments { targets: twice, ..Arguments::default() };
        assert!(arguments.warrants().is_err());
    }
}
