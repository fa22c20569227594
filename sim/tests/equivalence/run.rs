//! Plays a scenario on the gateware and compares everything with the model.

use crate::common::replay::{Done, Expected, Replay};
use crate::common::scenario::{Action, Scenario};
use crate::common::{Bench, MakeCard, TIMEOUT, with_fcs};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use writ_abi::balance::Account;
use writ_abi::command::{Command, Opcode};
use writ_abi::limits::RECORD_RINGS;
use writ_abi::registers::{COUNTERS, Counter};
use writ_abi::{MatchIndex, PortSide, Table};
use writ_driver::memory::CardMemory;
use writ_driver::{Completed, Event, Flow};
use writ_sim::card::{Arrival, EgressFrame, IngressFrame, Latency, SimCard};
use writ_sim::model::tables::{CardState, Tables};
use writ_sim::rtl::{RtlCard, Tap};
use zerocopy::IntoBytes;

/// A card of which the test keeps a second handle, for its taps.
#[derive(Clone)]
struct Tapped(Arc<Mutex<RtlCard>>);

impl Tapped {
    fn card(&self) -> MutexGuard<'_, RtlCard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimCard for Tapped {
    fn name(&self) -> &'static str {
        "rtl"
    }
    fn read32(&mut self, offset: u32) -> u32 {
        self.card().read32(offset)
    }
    fn write32(&mut self, offset: u32, value: u32) {
        self.card().write32(offset, value);
    }
    fn run(&mut self, clocks: u64) {
        self.card().run(clocks);
    }
    fn clocks(&self) -> u64 {
        self.card().clocks()
    }
    fn now_ns(&self) -> u64 {
        self.card().now_ns()
    }
    fn increment(&self) -> u64 {
        self.card().increment()
    }
    fn push(&mut self, frame: IngressFrame) {
        self.card().push(frame);
    }
    fn queued(&self) -> usize {
        self.card().queued()
    }
    fn take_arrivals(&mut self, out: &mut Vec<Arrival>) {
        self.card().take_arrivals(out);
    }
    fn take_egress(&mut self, out: &mut Vec<EgressFrame>) {
        self.card().take_egress(out);
    }
    fn latency(&self, port: PortSide) -> Option<Latency> {
        self.card().latency(port)
    }
    fn set_pps(&mut self, high: bool) {
        self.card().set_pps(high);
    }
    fn dma_lines(&self) -> u64 {
        self.card().dma_lines()
    }
    fn dma_faults(&self) -> u64 {
        self.card().dma_faults()
    }
    fn interrupts(&self) -> u64 {
        self.card().interrupts()
    }

    fn set_memory(&mut self, memory: CardMemory) {
        self.card().set_memory(memory);
    }
}

/// The card that scenarios are played on.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) make: fn(CardMemory) -> RtlCard,
    /// How many parts in a million the wires' clocks are faster than the core's, and how much later they rise, in femtoseconds; `None`: all
    /// three rise together.
    pub(crate) apart: Option<([i64; 2], [u64; 2])>,
    /// How far stamps may be off the card's time.
    pub(crate) stamp_error_ns_max: u64,
}

impl Kind {
    /// The card for 100 Gb/s, its clocks together.
    pub(crate) const PLAIN: Self = Self { make: RtlCard::new, apart: None, stamp_error_ns_max: 3 };
}

thread_local! {
    /// Hands the second handle out of the maker that the bench takes.
    static LAST: std::cell::RefCell<Option<Tapped>> = const { std::cell::RefCell::new(None) };
    /// Hands in what the maker has to make.
    static KIND: std::cell::Cell<Kind> = const { std::cell::Cell::new(Kind::PLAIN) };
}

const MAKE: MakeCard = |memory| {
    let Kind { make, apart, .. } = KIND.get();
    let mut card = make(memory.card());
    if let Some((ppm, phase_fs)) = apart {
        card.set_apart(ppm, phase_fs);
    }
    let card = Tapped(Arc::new(Mutex::new(card)));
    LAST.set(Some(card.clone()));
    Box::new(card)
};

/// What was seen of the card between two resets.
struct Segment {
    submitted: Vec<(Command, bool, bool)>,
    completed: Vec<Completed>,
    /// Of each ring.
    records: [Vec<Vec<u8>>; RECORD_RINGS],
    /// What the tables hold when all that was submitted is done; for the drop counters it does not care.
    shadow: Tables,
}

impl Segment {
    fn new() -> Self {
        let records = std::array::from_fn(|_| Vec::new());
        Self { submitted: Vec::new(), completed: Vec::new(), records, shadow: Tables::new() }
    }

    fn done(&self) -> Vec<Done> {
        assert_eq!(self.submitted.len(), self.completed.len(), "every command completes");
        let both = self.submitted.iter().zip(&self.completed);
        both.map(|((command, armed, at_rest), completed)| Done {
            command: *command,
            completed: *completed,
            armed: *armed,
            at_rest: *at_rest,
        })
        .collect()
    }
}

struct Run<'a> {
    scenario: &'a Scenario,
    bench: Bench,
    tapped: Tapped,
    armed: bool,
    at_rest: bool,
    armed_at: u64,
    sent: Vec<IngressFrame>,
    /// Those that a reset has ended.
    ended: Vec<Segment>,
    now: Segment,
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let bench = Bench::brought_up(MAKE, scenario.sizes(), &scenario.how());
        let tapped = LAST.take().expect("the bench has made a card");
        tapped.card().disturb(scenario.seed, scenario.ingress_stalls, scenario.dma_stalls);
        tapped.card().trace(true);
        let run = Self {
            scenario,
            bench,
            tapped,
            armed: false,
            at_rest: false,
            armed_at: 0,
            sent: Vec::new(),
            ended: Vec::new(),
            now: Segment::new(),
        };
        run.started()
    }

    /// The card was brought up: its rows, then armed.
    fn started(mut self) -> Self {
        let scenario = self.scenario;
        for rows in &scenario.rows {
            self.commands(rows);
        }
        self.wait();
        self.bench.parts.card.arm().expect("armed");
        self.armed = true;
        self.armed_at = self.tapped.clocks();
        self
    }

    fn act(mut self, action: &Action) -> Self {
        match action {
            Action::Frame { port, bytes, damaged } => self.push(*port, bytes.clone(), *damaged, 0),
            Action::FrameAt { port, frame, clock } => self.push(*port, with_fcs(frame), false, self.armed_at + clock),
            Action::Commands(commands) => self.commands(commands),
            Action::Run(clocks) => self.bench.run(*clocks),
            Action::Consume(rings) => self.consume(*rings),
            Action::Reset => return self.reset(),
        }
        self
    }

    fn reset(mut self) -> Self {
        self.wait();
        self.consume(u8::MAX);
        self.ended.push(std::mem::replace(&mut self.now, Segment::new()));
        self.armed = false;
        self.bench = self.bench.bring_up_as(&self.scenario.how());
        self.started()
    }

    fn push(&mut self, port: PortSide, bytes: Vec<u8>, damaged: bool, earliest_clock: u64) {
        let frame = IngressFrame { number: self.sent.len() as u64, port, earliest_clock, bytes, damaged };
        self.sent.push(frame.clone());
        self.bench.shared.card().push(frame);
    }

    /// Submits commands at once. A rule goes to a place without another one: how long that one is still seen is not said.
    fn commands(&mut self, commands: &[Command]) {
        let mut all = Vec::new();
        for command in commands {
            if let [stage, write] = &[all.last().copied(), Some(*command)]
                && let (Some(stage), Some(write)) = (stage, write)
                && self.replaces_a_rule(stage, write)
            {
                let last = all.len() - 1;
                all.insert(last, Command::clear_rule(0, write.way, write.row.get()));
            }
            all.push(*command);
        }
        for command in &all {
            let state = CardState { tables_ready: true, armed: self.armed };
            self.now.shadow.execute(command, state);
        }
        let channel = &mut self.bench.parts.commands;
        if channel.outstanding() + all.len() > channel.capacity() {
            channel.wait_all(TIMEOUT, &mut self.now.completed).expect("completions");
        }
        channel.submit(&all).expect("room");
        self.now.submitted.extend(all.iter().map(|command| (*command, self.armed, self.at_rest)));
    }

    /// Whether the two write a rule over another one. Only what stands there now is looked at; commands of the same group write one rule.
    fn replaces_a_rule(&mut self, stage: &Command, write: &Command) -> bool {
        if (stage.opcode, write.opcode) != (Opcode::StageRule as u8, Opcode::WriteRule as u8) {
            return false;
        }
        let state = CardState { tables_ready: true, armed: self.armed };
        let mut read = |mask| {
            let read = Command::read_rule(0, write.way, write.row.get(), mask);
            self.now.shadow.execute(&read, state).row
        };
        let (value, mask) = (read(false), read(true));
        let destination = |command: &Command| command.flags & writ_abi::command::flags::DESTINATION;
        let is_free = value == mask && value.as_bytes() == [0; 64];
        let is_same = value.key == stage.key && mask.key == write.key && destination(&value) == destination(write);
        !is_free && !is_same
    }

    fn wait(&mut self) {
        self.bench.parts.commands.wait_all(TIMEOUT, &mut self.now.completed).expect("completions");
    }

    /// Takes what the rings hold whose bit is set.
    fn consume(&mut self, rings: u8) {
        for ring in &mut self.bench.parts.rings {
            if rings >> ring.number() & 1 == 0 {
                continue;
            }
            let records = &mut self.now.records[usize::from(ring.number())];
            let take = |event: Event<'_>| {
                records.push(record_bytes(&event));
                Flow::Taken
            };
            ring.poll(u32::MAX, take).expect("good records");
        }
    }

    /// Lets everything come to its end.
    fn finish(&mut self) {
        for _ in 0..200_000 {
            self.bench.run(256);
            self.consume(u8::MAX);
            let idle = self.bench.parts.card.status().expect("status").records_idle;
            if idle && self.bench.shared.card().queued() == 0 {
                self.bench.run(256);
                self.consume(u8::MAX);
                self.wait();
                return;
            }
        }
        panic!("the card never came to rest");
    }

    /// Reads back what the tables hold, row by row, rule by rule and index by index.
    fn read_back(&mut self) {
        self.at_rest = true;
        let (mut rows, mut rules, mut indices) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (command, ..) in &self.now.submitted {
            indices.insert(command.match_index_bits());
            match command.check() {
                Ok(Opcode::WriteRow | Opcode::ClearRow | Opcode::CorruptRow | Opcode::ReadRow) => {
                    rows.insert((command.table, command.way, command.row.get()));
                }
                Ok(Opcode::WriteRule | Opcode::ClearRule | Opcode::ReadRule) => {
                    rules.insert((command.way, command.row.get()));
                }
                _ => {}
            }
        }
        for (table, way, row) in rows {
            self.commands(&[Command::read_row(0, Table::from_bits(table).expect("a table"), way, row)]);
        }
        for (bank, number) in rules {
            self.commands(&[false, true].map(|mask| Command::read_rule(0, bank, number, mask)));
        }
        for index in indices.into_iter().filter_map(MatchIndex::new) {
            self.commands(&[Command::drops(0, index, true), Command::drops(0, index, false)]);
        }
        self.wait();
    }
}

fn record_bytes(event: &Event<'_>) -> Vec<u8> {
    match event {
        Event::Packet(packet) => {
            let mut bytes = packet.header.as_bytes().to_vec();
            bytes.extend(packet.second.map_or(&[][..], |line| line.as_bytes()));
            bytes.extend_from_slice(packet.payload);
            // Zeros are what the payload's CRC was found right over.
            bytes.resize(bytes.len().next_multiple_of(64), 0);
            bytes
        }
        Event::Gap(gap) => gap.as_bytes().to_vec(),
        Event::Lost { .. } => panic!("numbers are lost: {event:?}"),
    }
}

/// Plays a scenario on the gateware and compares everything with the model. Returns what the model expected since the last reset.
pub(crate) fn check(scenario: &Scenario) -> Expected {
    check_on(Kind::PLAIN, scenario)
}

/// The same on a card of another kind.
pub(crate) fn check_on(kind: Kind, scenario: &Scenario) -> Expected {
    KIND.set(kind);
    let mut run = scenario.actions.iter().fold(Run::new(scenario), Run::act);
    run.finish();
    let committed = run.bench.parts.card.status().expect("status").committed;
    assert_eq!(committed, run.now.shadow.is_committed(), "STATUS.COMMITTED");
    run.read_back();

    let counters = run.bench.parts.card.counters().expect("counters");
    let (arrivals, egress) = (run.bench.arrivals(), run.bench.egress());
    let mut taps: Vec<(u64, Tap)> = Vec::new();
    run.tapped.card().take_taps(&mut taps);
    let error_ns = run.tapped.card().stamp_error_ns_max();
    assert!(error_ns <= kind.stamp_error_ns_max, "stamps are {error_ns} ns off the card's time");
    for port in PortSide::ALL {
        let latency = run.tapped.latency(port);
        assert!(latency.is_none_or(|latency| latency.clocks_min == latency.clocks_max), "{port:?}: {latency:?}");
    }
    let Run { bench, sent, mut ended, now, .. } = run;
    ended.push(now);
    let done: Vec<Vec<Done>> = ended.iter().map(Segment::done).collect();
    let mut expected = Replay::new(scenario, &sent, &arrivals).run(&taps, &done);

    let last = ended.len() - 1;
    for (number, (found, expected)) in ended.iter().zip(&expected).enumerate() {
        for ring in 0..RECORD_RINGS {
            compare_records(ring, &found.records[ring], &expected.records[ring], number == last);
        }
        compare_completions(found, expected);
    }
    let expected = expected.pop().expect("a segment");
    for (counter, name, _) in COUNTERS {
        let has_reset = last > 0;
        let value = match counter {
            Counter::ScrubRounds | Counter::DamagedRows => continue,
            Counter::Commands => ended[last].submitted.len() as u64,
            // A frame that was on the wire during the reset counts or not, by the clock of its last beat.
            Counter::FramesInA | Counter::FramesInB | Counter::FramesOutA | Counter::FramesOutB if has_reset => {
                continue;
            }
            Counter::BytesInA | Counter::BytesInB | Counter::Drop(3) if has_reset => continue,
            Counter::FramesInA | Counter::FramesOutB => count(&sent, PortSide::A),
            Counter::FramesInB | Counter::FramesOutA => count(&sent, PortSide::B),
            Counter::BytesInA => bytes(&sent, PortSide::A),
            Counter::BytesInB => bytes(&sent, PortSide::B),
            Counter::Drop(3) => sent.iter().filter(|frame| frame.damaged).count() as u64,
            other => expected.counters.get(other).copied().unwrap_or(0),
        };
        assert_eq!(counters.value(*counter), value, "{name}");
    }
    for account in Account::ALL {
        let balance = account.balance(|counter| counters.value(counter));
        assert!(balance.holds_at_rest(), "{balance}");
    }
    compare_wire(&sent, &egress);
    assert_eq!(bench.shared.card().dma_faults(), 0);
    expected
}

fn count(sent: &[IngressFrame], port: PortSide) -> u64 {
    sent.iter().filter(|frame| frame.port == port).count() as u64
}

fn bytes(sent: &[IngressFrame], port: PortSide) -> u64 {
    sent.iter().filter(|frame| frame.port == port).map(|frame| frame.bytes.len() as u64).sum()
}

/// `all`: everything that is expected has to be there; otherwise a reset came before the end.
fn compare_records(ring: usize, found: &[Vec<u8>], expected: &[Vec<u8>], all: bool) {
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        let differ = found.iter().zip(expected).position(|(a, b)| a != b);
        assert!(
            found == expected,
            "record {number} of ring {ring} differs at byte {differ:?} ({} and {} bytes): {:02x?} should be {:02x?}",
            found.len(),
            expected.len(),
            &found[..found.len().min(128)],
            &expected[..expected.len().min(128)],
        );
    }
    let (found, expected) = (found.len(), expected.len());
    assert!(found == expected || !all && found < expected, "{found} records in ring {ring}, {expected} expected");
}

fn compare_completions(found: &Segment, expected: &Expected) {
    let all = found.submitted.iter().zip(&found.completed).zip(&expected.completions);
    for (number, (((command, ..), found), expected)) in all.enumerate() {
        assert_eq!(found.completion, *expected, "completion {number}, of {command:?}");
    }
    assert_eq!(found.completed.len(), expected.completions.len());
    assert!(found.completed.is_sorted_by_key(Completed::stamp_ns), "commands take effect in their order");
}

fn compare_wire(sent: &[IngressFrame], egress: &[EgressFrame]) {
    assert_eq!(egress.len(), sent.len());
    for frame in egress {
        let sent = &sent[frame.number as usize];
        assert!(frame.bytes == sent.bytes && frame.damaged == sent.damaged, "frame {}", frame.number);
        assert_eq!(frame.port as u8, 1 - sent.port as u8);
    }
    for port in PortSide::ALL {
        let numbers: Vec<u64> = egress.iter().filter(|frame| frame.port == port).map(|frame| frame.number).collect();
        assert!(numbers.is_sorted(), "order on the wire");
    }
    let latencies: BTreeSet<u64> = egress.iter().map(|frame| frame.egress_clock - frame.ingress_clock).collect();
    assert!(latencies.len() <= 1, "{latencies:?}");
}
