//! A card in a process of its own: registers and memory over vfio-user, cables over the wire socket.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use writ_abi::PortSide;
use writ_abi::time::CORE_CLOCK_HZ;
use writ_driver::Bar;
use writ_driver::bus::vfio_user::VfioUserCard;
use writ_driver::memory::{CardMemory, HostMemory};
use writ_sim::card::{Arrival, EgressFrame, IngressFrame, Latency, SimCard};
use writ_sim::wire::{Client, PlayFrame, Seen, Statistics};

/// `writ-sim serve`, killed when it is dropped.
pub(crate) struct CardProcess {
    child: Child,
    pub(crate) socket: PathBuf,
}

impl CardProcess {
    /// Starts the model with further options, and waits until it takes clients.
    pub(crate) fn start(options: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("writ-card-{}-{number}", std::process::id()));
        let wire = Self::wire_of(&socket);
        let mut command = Command::new(env!("CARGO_BIN_EXE_writ-sim"));
        command.args(["serve", "--socket"]).arg(&socket).args(options).stdout(Stdio::piped());
        if !["--capture", "--tap"].iter().any(|cables| options.contains(cables)) {
            command.arg("--wire").arg(&wire);
        }
        let mut child = command.spawn().expect("it starts");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("it speaks");
        assert_eq!(said.trim(), "writ-sim: ready");
        Self { child, socket }
    }

    fn wire_of(socket: &Path) -> PathBuf {
        let mut name = socket.as_os_str().to_owned();
        name.push(".wire");
        name.into()
    }

    /// Its cables.
    pub(crate) fn wire(&self) -> Client {
        Client::connect(&Self::wire_of(&self.socket)).expect("connected")
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for CardProcess {
    fn drop(&mut self) {
        // One that has ended already is just as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.socket);
        let _ = std::fs::remove_file(Self::wire_of(&self.socket));
    }
}

/// A card in another process, as the test bench wants it: it runs when it is told to, and a little longer whenever something happened.
/// Frames that were pushed are played with the next run, all of them.
pub(crate) struct RemoteCard {
    // In this order: the driver leaves before the process ends.
    _function: VfioUserCard,
    wire: RefCell<Client>,
    bar: Arc<dyn Bar>,
    /// Frames that are not played yet.
    pushed: Vec<IngressFrame>,
    arrivals: Vec<Arrival>,
    egress: Vec<EgressFrame>,
    _process: CardProcess,
}

impl RemoteCard {
    /// A card that has `memory`.
    pub(crate) fn new(memory: &Arc<HostMemory>) -> Self {
        let process = CardProcess::start(&["--pace", "events"]);
        let function = VfioUserCard::open(&process.socket, Arc::clone(memory)).expect("the card is free");
        let (wire, bar) = (RefCell::new(process.wire()), function.bar());
        Self {
            _function: function,
            wire,
            bar,
            pushed: Vec::new(),
            arrivals: Vec::new(),
            egress: Vec::new(),
            _process: process,
        }
    }

    fn statistics(&self) -> Statistics {
        self.wire.borrow_mut().statistics().expect("the card answers")
    }

    fn play(&mut self) {
        let frames = std::mem::take(&mut self.pushed);
        let Statistics { clocks, now_ns, .. } = self.statistics();
        let at_ns = |frame: &IngressFrame| now_ns + nominal_ns(frame.earliest_clock.saturating_sub(clocks));
        let numbers: Vec<u64> = frames.iter().map(|frame| frame.number).collect();
        let timed: Vec<PlayFrame> = frames
            .into_iter()
            .map(|frame| PlayFrame {
                at_ns: at_ns(&frame),
                port: frame.port,
                bytes: frame.bytes,
                damaged: frame.damaged,
            })
            .collect();
        let Self { wire, arrivals, egress, .. } = self;
        let seen = |seen| match seen {
            Seen::Arrived { number, port, clock, stamp_ns } => {
                arrivals.push(Arrival { number: numbers[number as usize], port, clock, stamp_ns });
            }
            Seen::Left { number, port, ingress_clock, egress_clock, bytes, damaged } => {
                let number = numbers[number as usize];
                egress.push(EgressFrame { number, port, ingress_clock, egress_clock, bytes, damaged });
            }
        };
        let played = wire.get_mut().play(timed, seen).expect("played");
        assert_eq!(played.lost, 0, "the wire loses nothing");
    }
}

/// What so many clocks take when nobody has set the clock's increment.
fn nominal_ns(clocks: u64) -> u64 {
    (clocks as f64 * 1e9 / CORE_CLOCK_HZ) as u64
}

impl SimCard for RemoteCard {
    fn name(&self) -> &'static str {
        "model over vfio-user"
    }

    fn read32(&mut self, offset: u32) -> u32 {
        self.bar.read32(offset)
    }

    fn write32(&mut self, offset: u32, value: u32) {
        self.bar.write32(offset, value);
    }

    fn run(&mut self, clocks: u64) {
        if !self.pushed.is_empty() {
            self.play();
        }
        let until = self.now_ns() + nominal_ns(clocks);
        self.wire.get_mut().advance_to(until).expect("the card answers");
    }

    fn clocks(&self) -> u64 {
        self.statistics().clocks
    }

    fn now_ns(&self) -> u64 {
        self.wire.borrow_mut().card_time_ns().expect("the card answers")
    }

    fn increment(&self) -> u64 {
        panic!("a card in another process does not tell")
    }

    fn push(&mut self, frame: IngressFrame) {
        self.pushed.push(frame);
    }

    fn queued(&self) -> usize {
        self.pushed.len()
    }

    fn take_arrivals(&mut self, out: &mut Vec<Arrival>) {
        out.append(&mut self.arrivals);
    }

    fn take_egress(&mut self, out: &mut Vec<EgressFrame>) {
        out.append(&mut self.egress);
    }

    fn latency(&self, _port: PortSide) -> Option<Latency> {
        let sums = self.statistics();
        Some(Latency { clocks_min: sums.latency_clocks_min?, clocks_max: sums.latency_clocks_max? })
    }

    fn set_pps(&mut self, _high: bool) {
        panic!("there is no such cable between processes")
    }

    fn dma_lines(&self) -> u64 {
        panic!("a card in another process does not tell")
    }

    fn dma_faults(&self) -> u64 {
        self.statistics().dma_faults
    }

    fn interrupts(&self) -> u64 {
        panic!("a card in another process does not tell")
    }

    fn set_memory(&mut self, _memory: CardMemory) {
        panic!("it has what it was opened with")
    }
}
