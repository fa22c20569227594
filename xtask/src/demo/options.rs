use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use writ_testbench::check::Delivery;
use writ_testbench::rig::RigError;
use writ_testbench::run::{Warrant, default_warrants, warrants_for};
use writ_testbench::truth::{Scope, Target};

use crate::failure::Failure;

const AFTER_HELP: &str = "\
Exit status:
  0  the verdict is good
  1  it is not, or the run could not be done
  2  wrong command line
  3  nothing is wrong, but a target selected nothing";

/// Options of `demo`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
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
                return Err(Failure::new(format!("--target {target}: given twice")));
            }
        }
        let targets: Vec<_> =
            self.targets.iter().map(|option| (option.target, option.scope, option.delivery)).collect();
        Ok(warrants_for(&targets))
    }

    /// What stopped a run, by the option that it is about if there is one.
    pub(crate) fn explain(&self, error: &RigError) -> Failure {
        match error {
            RigError::Warrant { index, error } if *index < self.targets.len() => Failure::new(format!(
                "--target {}: its order was not put into force: {}",
                self.targets[*index],
                error.said.trim()
            )),
            other => Failure::new(other.to_string()),
        }
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

impl fmt::Display for TargetOption {
    /// As it is typed by somebody who says no more than he has to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.target)?;
        if self.scope != Scope::Content {
            write!(f, ",scope={}", self.scope.name())?;
        }
        if self.delivery != Delivery::Hi {
            write!(f, ",deliver={}", self.delivery.name())?;
        }
        Ok(())
    }
}

impl TargetOption {
    /// Frames need not hold an IP packet, and only X3 carries them all.
    fn check(self) -> Result<Self, String> {
        if !self.target.names_frames() || (self.scope, self.delivery) == (Scope::Content, Delivery::X) {
            return Ok(self);
        }
        Err(format!(
            "the target names whole frames, which only X3 carries, as content: write {},deliver=x, without another scope",
            self.target
        ))
    }
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
        option.check()
    }
}

#[cfg(test)]
mod tests {
    use writ_testbench::rig::OperatorError;

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
        for frames in
            ["mac=02:00:00:00:00:01", "vlan=a:13.10", "tunnel=pppoe:17@02:00:00:00:00:02", "tunnel=mpls:16106"]
        {
            let whole = format!("{frames},deliver=x");
            assert_eq!(read(&whole), Ok((Scope::Content, Delivery::X)));
            for rest in ["", ",deliver=hi", ",scope=headers_l4", ",scope=headers_l3,deliver=x"] {
                let refusal = read(&format!("{frames}{rest}")).expect_err("frames go over X3");
                assert!(refusal.contains(&whole), "{frames}{rest}: {refusal}");
            }
        }
    }

    #[test]
    fn what_only_writd_can_see_names_the_option() {
        let targets =
            ["ipv4=192.0.2.1", "mac=02:00:00:00:00:01,deliver=x"].map(|text| text.parse().expect("a good target"));
        let arguments = Arguments { targets: targets.to_vec(), ..Arguments::default() };
        let said = "bad_request: it is a group (at target)".to_owned();
        let error = OperatorError { command: "task activate".to_owned(), exit: Some(1), said };
        let text = arguments.explain(&RigError::Warrant { index: 1, error }).to_string();
        assert_eq!(
            text,
            "--target mac=02:00:00:00:00:01,deliver=x: its order was not put into force: bad_request: it is a group (at target)"
        );
        let other = arguments.explain(&RigError::Wire("gone".to_owned())).to_string();
        assert_eq!(other, "simulated wires: gone");
    }

    #[test]
    fn the_same_target_twice_is_refused() {
        let twice =
            vec!["ipv4=192.0.2.1".parse().expect("a good target"), "ipv4=192.0.2.1".parse().expect("a good target")];
        let arguments = Arguments { targets: twice, ..Arguments::default() };
        assert!(arguments.warrants().is_err());
    }
}
