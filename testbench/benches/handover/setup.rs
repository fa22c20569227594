//! `writd` between a flooding card and sinks.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

use writ_sim::service::{Options, Pace, Slot};
use writ_sim::vfio_user::Socket;
use writ_testbench::binaries::{Binaries, target_folder};
use writ_testbench::check::Delivery;
use writ_testbench::lemf::Interface;
use writ_testbench::rig::{Backend, Rig, RigPlan, order, server_name};
use writ_testbench::traffic;
use writ_testbench::truth::{Scope, Target, tai_from_utc_ns};

use crate::card::{Flood, FloodCard};
use crate::measure::{Case, Found, Sample};
use crate::process::Cost;
use crate::sink::Sink;
use crate::text;

/// The one destination.
const DESTINATION: &str = "sink";
/// The tasks end long after the measurement: a day.
const TERM_NS: u64 = 86_400_000_000_000;
/// Blocks of 256 KiB: memory of the arena. A sixteenth of it is under way at most, as long as the receiver keeps up.
const ARENA_BLOCKS: u32 = 512;
const UNDER_WAY_BYTES: u64 = 16 << 20;
/// What a PDU has besides the packet, about.
const OVERHEAD_BYTES: u64 = 150;
/// The first packets find cold caches and growing buffers.
const WARM_UP: Duration = Duration::from_millis(500);
/// Until then what is under way has arrived.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(30);

/// What the packets go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) interface: Interface,
    pub(crate) tls: bool,
}

impl FromStr for Path {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (name, tls) = match word.strip_suffix("-plain") {
            Some(name) => (name, false),
            None => (word, true),
        };
        let interface = [Interface::Hi2, Interface::Hi3, Interface::X2, Interface::X3];
        let interface = interface.into_iter().find(|interface| interface.name() == name);
        interface
            .map(|interface| Self { interface, tls })
            .ok_or_else(|| format!("{word}: hi2, hi3, x2, x3 or one of them with -plain is wanted"))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.interface.name(), if self.tls { " over TLS 1.3" } else { " in the clear" })
    }
}

impl Path {
    fn is_journalled(self) -> bool {
        matches!(self.interface, Interface::Hi2 | Interface::X2)
    }

    fn scope(self) -> Scope {
        if self.is_journalled() { Scope::HeadersL4 } else { Scope::Content }
    }
}

pub(crate) struct Setup {
    rig: Rig,
    flood: Arc<Flood>,
    sink: Sink,
    path: Path,
    epoch_ns: u64,
    active: u16,
    folder: PathBuf,
}

impl Setup {
    pub(crate) fn new(binaries: &Binaries, path: Path) -> Result<Self, String> {
        let folder = target_folder().join("bench-handover");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let epoch_ns = tai_from_utc_ns(traffic::FIRST_TIME_NS);
        let mut plan = RigPlan::new(&folder, binaries.clone(), Backend::Served, epoch_ns);
        plan.arena_blocks = ARENA_BLOCKS;
        let mut rig = Rig::set_up(plan).map_err(text)?;
        let flood = Arc::new(Flood::default());
        let slot = Slot::start_card(
            Box::new(FloodCard::new(Arc::clone(&flood))),
            &Options { pace: Pace::Host, ..Options::default() },
        );
        let (slot, socket) = (slot.map_err(text)?, Socket::open(&rig.card_socket()).map_err(text)?);
        let serving = std::thread::Builder::new().name("card-socket".into());
        serving.spawn(move || socket.serve(slot, |_| {}).map(|never| match never {})).map_err(text)?;
        rig.start().map_err(text)?;
        let sink = Self::destination(&rig, path, &flood)?;
        Ok(Self { rig, flood, sink, path, epoch_ns, active: 0, folder })
    }

    /// Starts the sinks of both interfaces and makes them known. Gives that of the packets.
    fn destination(rig: &Rig, path: Path, flood: &Arc<Flood>) -> Result<Sink, String> {
        let tls = if path.tls { Some(rig.server_config(DESTINATION).map_err(text)?) } else { None };
        let (family, interfaces) = match path.interface {
            Interface::Hi2 | Interface::Hi3 => ("hi", [Interface::Hi2, Interface::Hi3]),
            Interface::X2 | Interface::X3 => ("x", [Interface::X2, Interface::X3]),
        };
        let mut words = ["destination", "add", DESTINATION, "--interface", family].map(str::to_owned).to_vec();
        let mut found = None;
        for interface in interfaces {
            let flood = (interface == path.interface).then(|| Arc::clone(flood));
            let is_packets = flood.is_some();
            let sink = Sink::start(interface, tls.clone(), flood).map_err(text)?;
            words.extend([format!("--{}", interface.name()), sink.address.to_string()]);
            found = if is_packets { Some(sink) } else { found };
        }
        match path.tls {
            true => words.extend(["--server-name".to_owned(), server_name(DESTINATION)]),
            false => words.push("--danger-plaintext".to_owned()),
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        rig.writ(&words).map_err(text)?;
        found.ok_or_else(|| "no sink".to_owned())
    }

    /// Puts tasks into force, until there are so many.
    pub(crate) fn activate(&mut self, tasks: u16) -> Result<(), String> {
        let delivery = if self.path.interface.is_hi() { Delivery::Hi } else { Delivery::X };
        for number in self.active..tasks {
            let target = Target::Address(IpAddr::V4(target(number)));
            let liid = format!("BENCH-{number}");
            let end_ns = self.epoch_ns + TERM_NS;
            let activation = order(DESTINATION, &liid, target, self.path.scope(), delivery, end_ns);
            self.rig.activate(&activation).map_err(text)?;
        }
        self.active = self.active.max(tasks);
        Ok(())
    }

    pub(crate) fn measure(&mut self, case: &Case, measured: Duration) -> Result<Found, String> {
        let frames = case.frames();
        let under_way = UNDER_WAY_BYTES / (case.frame_bytes_mean() as u64 + OVERHEAD_BYTES);
        self.flood.set_frames(frames, under_way);
        self.until("the card's look at its new frames", |flood| flood.missed().is_some())?;
        if let Some(missed) = self.flood.missed().filter(|missed| *missed > 0) {
            return Err(format!("{case}: {missed} frames select nothing"));
        }
        // Announcements of tasks are no packets.
        self.settle();
        self.flood.turn(true);
        std::thread::sleep(WARM_UP);
        let before = self.sample()?;
        std::thread::sleep(measured);
        let after = self.sample()?;
        self.flood.turn(false);
        let drained = self.until("the arrival of every packet", |flood| flood.under_way() == 0);
        drained.map_err(|late| format!("{case}: {late}; {} packets are missing", self.flood.under_way()))?;
        Ok(Found::new(*case, &before, &after))
    }

    /// Waits until nothing more arrives: what did is no packet and does not count.
    fn settle(&self) {
        let mut arrived = u64::MAX;
        while arrived != self.sink.arrived.pdus.load(Acquire) {
            arrived = self.sink.arrived.pdus.load(Acquire);
            std::thread::sleep(Duration::from_millis(100));
        }
        self.flood.delivered.store(self.flood.produced.load(Acquire), Release);
    }

    fn sample(&self) -> Result<Sample, String> {
        let process = self.rig.process_id().ok_or("writd does not run")?;
        Ok(Sample {
            at: Instant::now(),
            pdus: self.sink.arrived.pdus.load(Acquire),
            octets: self.sink.arrived.octets.load(Acquire),
            cost: Cost::of(process).map_err(text)?,
        })
    }

    fn until(&self, what: &str, is_so: impl Fn(&Flood) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + DRAIN_TIME_MAX;
        while !is_so(&self.flood) {
            if Instant::now() > deadline {
                return Err(format!("{what} did not happen in time"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    pub(crate) fn end(mut self) -> Result<(), String> {
        self.rig.stop().map_err(text)?;
        drop(self.rig);
        // What is left stays for the next run, which removes it.
        let _ = fs::remove_dir_all(&self.folder);
        Ok(())
    }
}

/// The target of a task.
pub(crate) fn target(number: u16) -> Ipv4Addr {
    let [high, low] = number.to_be_bytes();
    Ipv4Addr::new(10, 0, high, low)
}
