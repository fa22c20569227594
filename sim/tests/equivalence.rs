//! The Verilated gateware against the golden model: record for record, counter for counter, completion for completion, on random
//! frames of every path of the grammar, on all frame lengths, and on real captures.
#![cfg(feature = "rtl")]

mod common;

use common::random;
use common::replay::{Expected, Replay};
use common::{Bench, MakeCard, TIMEOUT, address_row, with_fcs};
use pcap_parser::{Linktype, PcapBlockOwned, PcapError, create_reader};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use writ_abi::command::Command;
use writ_abi::record::{DropCause, RecordKind};
use writ_abi::registers::{COUNTERS, Counter};
use writ_abi::time::TimeQuality;
use writ_abi::{MatchIndex, PortSide, Scope, Table, key};
use writ_driver::{Completed, Event, Flow, RingSizes};
use writ_sim::card::{Arrival, EgressFrame, IngressFrame, Latency, SimCard};
use writ_sim::model::parse::parse;
use writ_sim::rtl::{RtlCard, Tap};
use zerocopy::IntoBytes;

/// One thing to do to the card.
#[derive(Debug, Clone)]
enum Action {
    Frame {
        port: PortSide,
        bytes: Vec<u8>,
        damaged: bool,
    },
    /// A good frame at a clock, counted from arming.
    FrameAt {
        port: PortSide,
        frame: Vec<u8>,
        clock: u64,
    },
    Command(Command),
    /// All at once.
    Commands(Vec<Command>),
    Run(u64),
    Consume,
}

#[derive(Debug, Clone)]
struct Scenario {
    rows: Vec<Command>,
    actions: Vec<Action>,
    record_lines: u32,
    seed: u64,
    ingress_stalls: u8,
    dma_stalls: u8,
}

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
    fn dma_lines(&self) -> u64 {
        self.card().dma_lines()
    }
    fn dma_faults(&self) -> u64 {
        self.card().dma_faults()
    }
    fn interrupts(&self) -> u64 {
        self.card().interrupts()
    }
}

thread_local! {
    /// Hands the second handle out of the maker that the bench takes.
    static LAST: std::cell::RefCell<Option<Tapped>> = const { std::cell::RefCell::new(None) };
}

const MAKE: MakeCard = |memory| {
    let card = Tapped(Arc::new(Mutex::new(RtlCard::new(memory))));
    LAST.set(Some(card.clone()));
    Box::new(card)
};

struct Run {
    bench: Bench,
    tapped: Tapped,
    armed_at: u64,
    sent: Vec<IngressFrame>,
    submitted: Vec<Command>,
    completed: Vec<Completed>,
    records: Vec<Vec<u8>>,
}

impl Run {
    fn new(scenario: &Scenario) -> Self {
        let sizes = RingSizes { record_lines: scenario.record_lines, commands: 64 };
        let bench = Bench::with(MAKE, sizes, TimeQuality::Free);
        let tapped = LAST.take().expect("the bench has made a card");
        tapped.card().disturb(scenario.seed, scenario.ingress_stalls, scenario.dma_stalls);
        tapped.card().trace(true);
        bench.parts.card.arm().expect("armed");
        let armed_at = tapped.clocks();
        Self {
            bench,
            tapped,
            armed_at,
            sent: Vec::new(),
            submitted: Vec::new(),
            completed: Vec::new(),
            records: Vec::new(),
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Frame { port, bytes, damaged } => self.push(*port, bytes.clone(), *damaged, 0),
            Action::FrameAt { port, frame, clock } => {
                self.push(*port, with_fcs(frame), false, self.armed_at + clock);
            }
            Action::Command(command) => self.commands(std::slice::from_ref(command)),
            Action::Commands(commands) => self.commands(commands),
            Action::Run(clocks) => self.bench.run(*clocks),
            Action::Consume => self.consume(),
        }
    }

    fn push(&mut self, port: PortSide, bytes: Vec<u8>, damaged: bool, earliest_clock: u64) {
        let frame = IngressFrame { number: self.sent.len() as u64, port, earliest_clock, bytes, damaged };
        self.sent.push(frame.clone());
        self.bench.shared.card().push(frame);
    }

    fn commands(&mut self, commands: &[Command]) {
        let channel = &mut self.bench.parts.commands;
        if channel.outstanding() + commands.len() > channel.capacity() {
            channel.wait_all(TIMEOUT, &mut self.completed).expect("completions");
        }
        channel.submit(commands).expect("room");
        self.submitted.extend(commands);
    }

    fn consume(&mut self) {
        let records = &mut self.records;
        let take = |event: Event<'_>| {
            records.push(match event {
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
            });
            Flow::Taken
        };
        self.bench.parts.records.poll(u32::MAX, take).expect("good records");
    }

    /// Lets everything come to its end.
    fn finish(&mut self) {
        for _ in 0..200_000 {
            self.bench.run(256);
            self.consume();
            let idle = self.bench.parts.card.status().expect("status").records_idle;
            if idle && self.bench.shared.card().queued() == 0 {
                self.bench.run(256);
                self.consume();
                self.bench.parts.commands.wait_all(TIMEOUT, &mut self.completed).expect("completions");
                return;
            }
        }
        panic!("the card never came to rest");
    }
}

/// Runs a scenario on the gateware and compares everything with the model. Returns what the model expected.
fn check(scenario: &Scenario) -> Expected {
    let mut run = Run::new(scenario);
    for row in &scenario.rows {
        run.commands(std::slice::from_ref(row));
    }
    for action in &scenario.actions {
        run.act(action);
    }
    run.finish();
    // What the tables hold at the end, row by row and index by index.
    let places: BTreeSet<(u8, u8, u32)> =
        run.submitted.iter().map(|command| (command.table, command.way, command.row.get())).collect();
    for (table, way, row) in places {
        let table = Table::from_bits(table).expect("a table");
        run.commands(&[Command::read_row(0, table, way, row)]);
    }
    let indices: BTreeSet<u32> = run.submitted.iter().map(Command::match_index_bits).collect();
    for index in indices {
        let index = MatchIndex::new(index).expect("in range");
        run.commands(&[Command::drops(0, index, true), Command::drops(0, index, false)]);
    }
    run.finish();

    let counters = run.bench.parts.card.counters().expect("counters");
    let (arrivals, egress) = (run.bench.arrivals(), run.bench.egress());
    let mut taps: Vec<Tap> = Vec::new();
    run.tapped.card().take_taps(&mut taps);
    let commands: Vec<(Command, Completed)> =
        run.submitted.iter().copied().zip(run.completed.iter().copied()).collect();
    assert_eq!(commands.len(), run.submitted.len(), "every command completes");
    let (_, expected) = Replay::new(&run.sent, &arrivals, &commands).run(&taps);

    compare_records(&run.records, &expected.records);
    for (found, expected) in run.completed.iter().zip(&expected.completions) {
        assert_eq!(found.completion, *expected);
    }
    for (counter, name, _) in COUNTERS {
        let expected = match counter {
            Counter::FramesInA | Counter::FramesOutB => count(&run.sent, PortSide::A),
            Counter::FramesInB | Counter::FramesOutA => count(&run.sent, PortSide::B),
            Counter::BytesInA => bytes(&run.sent, PortSide::A),
            Counter::BytesInB => bytes(&run.sent, PortSide::B),
            Counter::Commands => run.submitted.len() as u64,
            Counter::Drop(3) => run.sent.iter().filter(|frame| frame.damaged).count() as u64,
            other => expected.counters.get(other).copied().unwrap_or(0),
        };
        assert_eq!(counters.value(*counter), expected, "{name}");
    }
    compare_wire(&run.sent, &egress);
    assert_eq!(run.bench.shared.card().dma_faults(), 0);
    expected
}

fn count(sent: &[IngressFrame], port: PortSide) -> u64 {
    sent.iter().filter(|frame| frame.port == port).count() as u64
}

fn bytes(sent: &[IngressFrame], port: PortSide) -> u64 {
    sent.iter().filter(|frame| frame.port == port).map(|frame| frame.bytes.len() as u64).sum()
}

fn compare_records(found: &[Vec<u8>], expected: &[Vec<u8>]) {
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        let differ = found.iter().zip(expected).position(|(a, b)| a != b);
        assert!(
            found == expected,
            "record {number} differs at byte {differ:?} ({} and {} bytes): {:02x?} should be {:02x?}",
            found.len(),
            expected.len(),
            &found[..found.len().min(128)],
            &expected[..expected.len().min(128)],
        );
    }
    assert_eq!(found.len(), expected.len(), "number of records");
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

fn action() -> impl Strategy<Value = Action> {
    let frame = (any::<bool>(), random::frame(), 0_u8..20).prop_filter_map("empty", |(port, frame, damaged)| {
        let bytes = with_fcs(&frame);
        Some(Action::Frame { port: PortSide::ALL[usize::from(port)], bytes, damaged: damaged == 0 })
    });
    prop_oneof![
        20 => frame,
        2 => random::write_row().prop_map(Action::Command),
        1 => random::clear_row().prop_map(Action::Command),
        3 => (0_u64..200).prop_map(Action::Run),
        2 => Just(Action::Consume),
    ]
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let stalls = || prop_oneof![2 => Just(0_u8), 1 => 1_u8..128];
    (
        proptest::collection::vec(random::write_row(), 0..30),
        proptest::collection::vec(action(), 1..160),
        prop_oneof![Just(256_u32), Just(4096)],
        any::<u64>(),
        stalls(),
        stalls(),
    )
        .prop_map(|(rows, actions, record_lines, seed, ingress_stalls, dma_stalls)| Scenario {
            rows,
            actions,
            record_lines,
            seed,
            ingress_stalls,
            dma_stalls,
        })
}

/// Random scenarios to run; a night's worth if `WRIT_EQUIVALENCE_CASES` says so.
fn cases() -> u32 {
    std::env::var("WRIT_EQUIVALENCE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_scenarios(scenario in scenario()) {
        check(&scenario);
    }
}

fn plain(rows: Vec<Command>, actions: Vec<Action>) -> Scenario {
    Scenario { rows, actions, record_lines: 4096, seed: 1, ingress_stalls: 0, dma_stalls: 0 }
}

fn good(port: PortSide, frame: &[u8]) -> Action {
    Action::Frame { port, bytes: with_fcs(frame), damaged: false }
}

#[test]
fn every_frame_length_from_60_to_9664() {
    let rows = vec![address_row("192.0.2.1", 0, 1, Scope::Content)];
    for start in (60..=9664).step_by(1601) {
        let mut actions = Vec::new();
        for length in start..(start + 1601).min(9665) {
            let frame = common::frames::udp("192.0.2.1", "192.0.2.2", [1, 2], length - 42);
            actions.push(good(PortSide::ALL[length % 2], &frame));
            actions.push(Action::Run(length as u64 / 64 + 2));
            if length % 8 == 0 {
                actions.push(Action::Consume);
            }
        }
        let expected = check(&plain(rows.clone(), actions));
        assert!(expected.dropped == 0 && expected.records.len() > 1000, "{} dropped", expected.dropped);
    }
}

#[test]
fn a_host_that_stalls_under_full_load() {
    let rows = vec![
        address_row("192.0.2.1", 0, 1, Scope::Content),
        address_row("192.0.2.2", 1, 2, Scope::HeadersL4),
        address_row("192.0.2.3", 2, 2, Scope::HeadersL3),
    ];
    let mut actions = Vec::new();
    for number in 0..3000_usize {
        let [source, destination] = [number % 4, number / 4 % 4].map(|host| format!("192.0.2.{}", host + 1));
        // Some are too long, so that one gap has more than one cause.
        let payload = if number % 97 == 0 { 9700 } else { number * 89 % 1400 };
        let frame = common::frames::udp(&source, &destination, [1, 2], payload);
        actions.push(good(PortSide::ALL[number % 2], &frame));
        // The host takes nothing for most of the time.
        if number % 700 > 600 {
            actions.push(Action::Consume);
            actions.push(Action::Run(40));
        }
        if number % 16 == 0 {
            actions.push(Action::Run(100));
        }
    }
    let expected = check(&Scenario { record_lines: 512, ..plain(rows, actions) });
    assert!(expected.dropped > 500, "{}", expected.dropped);
    let causes = |record: &Vec<u8>| record[0] == RecordKind::Gap as u8 && record[1].count_ones() > 1;
    assert!(expected.records.iter().any(causes), "a gap with two causes");
}

/// Headers that end around the end of the window, in frames that end around it: each side of each comparison.
#[test]
fn the_edge_of_the_window() {
    let rows = vec![address_row("2001:db8::1", 0, 1, Scope::HeadersL4)];
    let mut actions = Vec::new();
    let mut ends = BTreeSet::new();
    for tags in 0..=2 {
        for extension in (40..=136).step_by(8) {
            for (protocol, header) in [(17, 8), (132, 12), (58, 8), (6, 20), (6, 24), (6, 44), (6, 60), (59, 0)] {
                let end = 14 + 4 * tags + 40 + extension + header;
                if !(182..=202).contains(&end) {
                    continue;
                }
                ends.insert(end);
                for length in 182..=204 {
                    let frame = edge_frame(tags, extension, protocol, header, length);
                    actions.push(good(PortSide::ALL[length % 2], &frame));
                }
                actions.push(Action::Run(100));
                actions.push(Action::Consume);
            }
        }
    }
    // Headers end at 2 more than a multiple of 4.
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [182, 186, 190, 194, 198, 202]);
    let expected = check(&Scenario { record_lines: 1 << 14, ..plain(rows, actions) });
    assert_eq!(expected.dropped, 0);
    for class in [Counter::Class(4), Counter::Class(5), Counter::Class(8)] {
        assert!(expected.counters.get(&class).is_some_and(|count| *count > 50), "{class:?}");
    }
}

/// IPv6 with one destination-options header and a transport header, cut or padded to a length.
fn edge_frame(tags: usize, extension: usize, protocol: u8, header: usize, length: usize) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for _ in 0..tags {
        frame.extend([0x81, 0, 0, 5]);
    }
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend(((extension + header + 40) as u16).to_be_bytes());
    frame.extend([60, 64]);
    for host in [1, 2] {
        frame.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);
    }
    let mut options = vec![0; extension];
    (options[0], options[1]) = (protocol, (extension / 8 - 1) as u8);
    frame.extend(options);
    let mut transport = vec![0x33; header];
    if protocol == 6 {
        transport[12] = (header as u8 / 4) << 4;
    }
    frame.extend(transport);
    frame.resize(length, 0x44);
    frame
}

/// 148.81 million frames a second on each port, and 10 million table commands a second all the time: every frame is looked up.
#[test]
fn line_rate_on_both_ports_with_commands() {
    let frame = common::frames::udp("192.0.2.5", "192.0.2.6", [1, 2], 18);
    assert_eq!(frame.len(), 60);
    let of_target = common::frames::udp("192.0.2.1", "192.0.2.6", [1, 2], 18);
    let row = address_row("192.0.2.1", 0, 1, Scope::Content);
    let mut actions = Vec::new();
    let frames = 20_000_u64;
    for number in 0..frames {
        // A frame with preamble and gap takes 84 bytes of 33/1280 clocks.
        let clock = (number * 84 * 33).div_ceil(1280);
        let frame = if number % 50 == 0 { &of_target } else { &frame };
        for port in PortSide::ALL {
            actions.push(Action::FrameAt { port, frame: frame.clone(), clock });
        }
    }
    // Five commands in 155 clocks, of which the two register writes take 80.
    let commands = vec![row, common::clear_of(&row), row, row, row];
    for _ in 0..frames * 84 * 33 / 1280 / 155 {
        actions.push(Action::Commands(commands.clone()));
        actions.push(Action::Run(75));
        actions.push(Action::Consume);
    }
    let expected = check(&plain(vec![row], actions));
    assert_eq!(expected.counters.get(&Counter::Drop(DropCause::WindowFifo as u8)), None);
    assert_eq!(expected.dropped, 0);
    assert!(expected.records.len() > 500, "{}", expected.records.len());
    let commits = &expected.completions[1..expected.completions.len() - 10];
    let took_ns = commits[commits.len() - 1].stamp_ns.get() - commits[0].stamp_ns.get();
    assert!(commits.len() as u64 * 100 > took_ns, "{} commands in {took_ns} ns", commits.len());
}

/// More frames than any line carries: what is not looked up is counted, and everything else is right.
#[test]
fn more_than_the_line_carries() {
    let rows = vec![address_row("192.0.2.1", 3, 1, Scope::HeadersL3)];
    let frame = common::frames::udp("192.0.2.1", "192.0.2.6", [1, 2], 0);
    let actions = (0..6000).map(|number| good(PortSide::ALL[number % 2], &frame)).collect();
    let expected = check(&plain(rows, actions));
    let lost = expected.counters.get(&Counter::Drop(DropCause::WindowFifo as u8)).copied();
    assert!(lost.is_some_and(|lost| lost > 1000), "{lost:?}");
}

fn captures() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    match std::fs::read_dir(&folder) {
        Ok(entries) => {
            let paths = entries.map(|entry| entry.expect("an entry").path());
            let mut captures: Vec<PathBuf> =
                paths.filter(|path| path.extension().is_some_and(|extension| extension == "pcap")).collect();
            captures.sort();
            Some(captures)
        }
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{}: {error}", folder.display());
            eprintln!("SKIPPED: {}: {error}", folder.display());
            None
        }
    }
}

/// Frames of a classic capture, `None` if it is not Ethernet.
fn ethernet_frames(path: &Path) -> Option<Vec<Vec<u8>>> {
    let file = std::fs::File::open(path).expect("readable");
    let mut reader = create_reader(1 << 20, file).expect("a capture");
    let mut frames = Vec::new();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) if header.network != Linktype::ETHERNET => return None,
                    PcapBlockOwned::Legacy(packet) => frames.push(packet.data.to_vec()),
                    _ => {}
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => return Some(frames),
            Err(PcapError::Incomplete(_)) => reader.refill().expect("readable"),
            Err(error) => panic!("{}: {error:?}", path.display()),
        }
    }
}

/// Rows for every second address and every second endpoint that the frames have.
fn rows_for(frames: &[Vec<u8>]) -> Vec<Command> {
    let (mut addresses, mut endpoints) = (BTreeSet::new(), BTreeSet::new());
    for frame in frames {
        let parsed = parse(&with_fcs(frame));
        let Some(pair) = parsed.addresses else { continue };
        addresses.extend(pair);
        if let Some(ports) = parsed.ports {
            endpoints.extend([(pair[0], parsed.protocol, ports[0]), (pair[1], parsed.protocol, ports[1])]);
        }
    }
    let address_rows = addresses.iter().step_by(2).enumerate().map(|(i, address)| {
        common::row(Table::Address, &key::address_key(*address), i % 4, i as u32, Scope::ALL[i % 3], u64::MAX >> 20)
    });
    let endpoint_rows = endpoints.iter().step_by(2).enumerate().map(|(i, (address, protocol, port))| {
        let key = key::endpoint_key(*address, *protocol, *port);
        common::row(Table::Endpoint, &key, i % 4, 20_000 + i as u32, Scope::ALL[i % 3], u64::MAX >> 20)
    });
    address_rows.take(400).chain(endpoint_rows.take(400)).collect()
}

#[test]
fn real_captures() {
    let Some(captures) = captures() else { return };
    let mut played = 0;
    for capture in &captures {
        let Some(frames) = ethernet_frames(capture) else { continue };
        let rows = rows_for(&frames);
        let mut actions = Vec::new();
        for (number, frame) in frames.iter().enumerate() {
            actions.push(good(PortSide::ALL[number % 2], frame));
            actions.push(Action::Run(frame.len() as u64 / 64));
            if number % 4 == 0 {
                actions.push(Action::Consume);
            }
        }
        let expected = check(&plain(rows, actions));
        assert_eq!(expected.dropped, 0);
        println!("{}: {} frames, {} records", capture.display(), frames.len(), expected.records.len());
        played += 1;
    }
    assert!(played > 10, "{played} Ethernet captures in {} files", captures.len());
}
