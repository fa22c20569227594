//! Host, card, peers and disks in virtual time, out of one seed.

use crate::{
    common::{
        Frame, Random, T0, address,
        delivered::Way,
        encoder_config, hit,
        memory::{Block, Memory, until_killed},
        task, udp_frame,
    },
    peer::Peer,
    storage::Disk,
};
use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};
use writ_handover::{
    ids::{Cin, CountryCode, Liid, OperatorId},
    time::UnixTime,
};
use writ_mediation::{
    accounting::Ledger,
    arena::{Arena, ArenaConfig, ArenaIdentity, Outcome, SealedBlock},
    datapath::{Encoder, HitSide, OpenTask, Phase, TaskHit},
    journal::{Journal, JournalKey},
    leap::LeapTable,
    lifecycle::CloseReason,
    session::{Action, Confirmation, HandoverIdentity, KeepAlive, Retry, Session, SessionConfig, WallClock},
    task::{Delivery, Scope, TaskSpec},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaiNs, TaskIndex},
};

/// Unconfirmed bytes that a session may have under way.
pub(crate) const WINDOW_BYTES: u64 = 256 * 1024;
const MS: u64 = 1_000_000;

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) steps: u32,
    pub(crate) blocks: usize,
    /// Blocks a session may hold; as many as there are: the ring waits and nothing is lost.
    pub(crate) cap_blocks: usize,
    pub(crate) resets: bool,
    pub(crate) kills: bool,
    pub(crate) disk_faults: bool,
    pub(crate) written: bool,
}

#[derive(Debug, Clone)]
struct Record {
    sequence: u32,
    stamp: u64,
    frame: usize,
    hits: Vec<TaskHit>,
}

struct Node {
    key: SessionKey,
    session: Option<Session<Block, Disk>>,
    queue: VecDeque<SealedBlock<Block>>,
    pub(crate) peer: Peer,
    pub(crate) disk: Disk,
    /// Bytes that the peer reads in a step.
    pace: usize,
    /// The peer does not take connections.
    away: bool,
}

/// What a task has to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) payload: Vec<u8>,
    pub(crate) way: Way,
    pub(crate) time_us: u64,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    now: u64,
    card_ns: u64,
    memory: Memory,
    encoder: Option<Encoder<Block>>,
    nodes: Vec<Node>,
    pub(crate) tasks: Vec<(TaskIndex, TaskSpec)>,
    frames: Vec<Frame>,
    ring: VecDeque<Record>,
    /// The record that was taken last, as long as no other one was looked at: if the host dies, its ring may not know yet that it was taken.
    taken: Option<Record>,
    next_record: u32,
    pub(crate) expected: BTreeMap<(TaskIndex, DestinationIndex), Vec<Expected>>,
    pub(crate) ledger: Ledger,
    pub(crate) crashes: u32,
    pub(crate) lost: u64,
    closed: bool,
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let target = || address("192.0.2.1");
        let mut tasks = vec![
            task(1, target(), Scope::Content, Delivery::Hi2AndHi3, &[1]),
            // Another agency on the same target, another window.
            task(2, target(), Scope::Content, Delivery::Hi2AndHi3, &[2]),
            task(3, address("2001:db8::1"), Scope::Content, Delivery::X3Only, &[3]),
            task(4, target(), Scope::HeadersL4, Delivery::Hi2Only, &[1]),
            task(5, target(), Scope::HeadersL3, Delivery::X2Only, &[3]),
            // One order for two destinations.
            task(6, address("198.51.100.7"), Scope::HeadersL4, Delivery::X2Only, &[3, 4]),
        ];
        let half = u64::from(plan.steps) * MS / 2;
        tasks[1].end = TaiNs(T0 + half);
        tasks[3].start = TaiNs(T0 + half / 2);
        let tasks: Vec<_> = tasks.into_iter().zip(1..).map(|(spec, n)| (TaskIndex(n), spec)).collect();
        let nodes = [
            (1, Interface::Hi2),
            (1, Interface::Hi3),
            (2, Interface::Hi2),
            (2, Interface::Hi3),
            (3, Interface::X2),
            (3, Interface::X3),
            (4, Interface::X2),
        ]
        .map(|(destination, interface)| Node {
            key: SessionKey { destination: DestinationIndex(destination), interface },
            session: None,
            queue: VecDeque::new(),
            peer: Peer::new(interface.is_handover()),
            disk: Disk::new(plan.seed ^ u64::from(destination)),
            pace: 64 * 1024,
            away: false,
        })
        .into();
        let memory = Memory::new(plan.blocks);
        let mut world = Self {
            plan,
            random: Random(plan.seed),
            now: 1,
            card_ns: T0,
            memory,
            encoder: None,
            nodes,
            tasks,
            frames: Vec::new(),
            ring: VecDeque::new(),
            taken: None,
            next_record: 0,
            expected: BTreeMap::new(),
            ledger: Ledger::new(),
            crashes: 0,
            lost: 0,
            closed: false,
        };
        world.frames = world.make_frames();
        world.start(Phase::New);
        world
    }

    fn make_frames(&mut self) -> Vec<Frame> {
        let (a, b, c) = (ip("192.0.2.1"), ip("198.51.100.7"), ip("203.0.113.9"));
        let (v6, w6) = (ip("2001:db8::1"), ip("2001:db8::2"));
        let mut frames = Vec::new();
        for (source, destination) in [(a, b), (b, a), (a, c), (c, a), (b, c), (v6, w6), (w6, v6), (a, a), (c, c)] {
            for length in [0, 1, 17, 18, 400, 1400] {
                let fill = self.random.next() as u8;
                frames.push(udp_frame(source, destination, (4000, 53), &vec![fill; length]));
            }
        }
        frames
    }

    /// Starts the host: the first time, or after it died.
    fn start(&mut self, phase: Phase) {
        let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
        let (arena, recovery) =
            Arena::open(self.memory.take(), &ArenaConfig::default(), &identity).expect("it was ours before");
        let wanted = if phase == Phase::New { Outcome::Fresh } else { Outcome::Recovered };
        assert_eq!((recovery.outcome, recovery.damaged_pdus), (wanted, 0));
        let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
        for node in &mut self.nodes {
            encoder.register_session(node.key, self.plan.cap_blocks);
            let mut seed = Random(self.random.next());
            let entropy = Box::new(move |into: &mut [u8]| into.iter_mut().for_each(|octet| *octet = seed.next() as u8));
            let journal = node.key.interface.is_journalled().then(|| {
                let opened = Journal::open(node.disk.clone(), JournalKey([3; 32]), entropy, node.key);
                let (journal, recovered) = opened.expect("disk faults are off while it is opened");
                assert_eq!(recovered.damaged_segments, 0);
                journal
            });
            node.session = Some(Session::new(config(&self.plan, node.key), journal).expect("good settings"));
        }
        for block in recovery.sealed {
            let node =
                self.nodes.iter_mut().find(|node| node.key == block.key()).expect("blocks belong to our sessions");
            node.queue.push_back(block);
        }
        self.encoder = Some(encoder);
        for index in 0..self.tasks.len() {
            self.open_task(index, phase);
        }
    }

    fn open_task(&mut self, index: usize, phase: Phase) {
        let (task, spec) = &self.tasks[index];
        let encoder = self.encoder.as_mut().expect("it was just made");
        let open = |phase| OpenTask { cin: Cin(task.0 * 10), correlation_id: 0, phase };
        let opened = match encoder.open_task(*task, spec, &open(phase)) {
            // Killed before it was opened the first time: a stored task without numbers that nothing was ever sent of.
            Err(writ_mediation::datapath::OpenError::SequencesLost(_)) => {
                encoder.open_task(*task, spec, &open(Phase::New))
            }
            other => other,
        };
        for context in opened.expect("there is room").contexts {
            self.ledger.open(*task, context.context, context.session);
        }
    }

    /// One step of everything. Answers whether anything was left to do.
    pub(crate) fn step(&mut self, producing: bool) {
        self.now += self.random.below(2 * MS);
        if producing {
            self.produce();
        }
        let faults = producing && self.plan.kills;
        let kill = faults && self.random.one_in(30);
        let fuse = self.random.below(400);
        self.memory.set_fuse(kill.then_some(fuse));
        for node in &self.nodes {
            let fail = if producing && self.plan.disk_faults { 150 } else { 0 };
            node.disk.set_faults(fail, if faults { 400 } else { 0 });
        }
        let survived = until_killed(|| self.host_step(producing));
        self.memory.set_fuse(None);
        self.nodes.iter().for_each(|node| node.disk.set_faults(0, 0));
        if survived.is_err() {
            self.crash();
        }
        self.peer_step(producing);
    }

    /// Packets arrive at the card.
    fn produce(&mut self) {
        for _ in 0..self.random.below(24) {
            if self.ring.len() > 2000 {
                return;
            }
            self.card_ns += self.random.below(MS / 12);
            let frame = self.random.below(self.frames.len() as u64) as usize;
            let hits = self.hits(frame);
            if hits.is_empty() {
                continue;
            }
            let record = Record { sequence: self.next_record, stamp: self.card_ns, frame, hits };
            self.next_record = self.next_record.wrapping_add(1);
            self.expect(&record);
            self.ring.push_back(record);
        }
    }

    /// What the card and the fan-out say: also hits outside a task's time, which the encoder has to refuse.
    fn hits(&self, frame: usize) -> Vec<TaskHit> {
        let bytes = &self.frames[frame].bytes;
        let (source, destination): (IpAddr, IpAddr) = if bytes[12] == 8 {
            let octets = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).expect("four");
            (octets(26).into(), octets(30).into())
        } else {
            let octets = |at: usize| <[u8; 16]>::try_from(&bytes[at..at + 16]).expect("sixteen");
            (octets(22).into(), octets(38).into())
        };
        let mut hits = Vec::new();
        for (index, spec) in &self.tasks {
            for (end, address) in [(HitSide::Source, source), (HitSide::Destination, destination)] {
                if spec.targets.iter().any(|target| target.address == Some(address)) {
                    hits.push(hit(index.0, end));
                }
            }
        }
        hits
    }

    /// Notes what each task has to get of a record.
    fn expect(&mut self, record: &Record) {
        let frame = &self.frames[record.frame];
        for (index, spec) in &self.tasks {
            let ends: Vec<_> = record.hits.iter().filter(|hit| hit.task == *index).map(|hit| hit.side).collect();
            if ends.is_empty() || record.stamp < spec.start.0 || record.stamp >= spec.end.0 {
                continue;
            }
            let way = match ends.as_slice() {
                [HitSide::Source] => Way::From,
                [HitSide::Destination] => Way::To,
                _ => Way::Both,
            };
            for &destination in &spec.destinations {
                self.expected.entry((*index, destination)).or_default().push(Expected {
                    payload: frame.expected(spec.scope).to_vec(),
                    way,
                    time_us: record.stamp / 1000 - 37_000_000,
                });
            }
        }
    }

    fn host_step(&mut self, producing: bool) {
        self.ring_step();
        for index in 0..self.nodes.len() {
            for _ in 0..=self.random.below(6) {
                self.session_step(index, producing);
            }
        }
    }

    fn ring_step(&mut self) {
        let now = HostNs(self.now);
        let encoder = self.encoder.as_mut().expect("the host runs");
        for _ in 0..self.random.below(40) {
            let Some(record) = self.ring.front() else { break };
            let packet = self.frames[record.frame].packet(record.sequence, record.stamp);
            self.taken = None;
            match encoder.packet(now, &packet, &record.hits) {
                Err(_) => break,
                Ok(encoded) => self.lost += u64::from(encoded.lost),
            }
            self.taken = self.ring.pop_front();
        }
        let nodes = &self.nodes;
        encoder.flush(now, |key| nodes.iter().all(|node| node.key != key || node.queue.is_empty()));
        while let Some(block) = encoder.pop_sealed() {
            let node =
                self.nodes.iter_mut().find(|node| node.key == block.key()).expect("blocks belong to our sessions");
            node.queue.push_back(block);
        }
        let ledger = &mut self.ledger;
        encoder.take_deltas(|delta| ledger.apply_delta(&delta));
    }

    fn session_step(&mut self, index: usize, producing: bool) {
        let now = HostNs(self.now);
        let node = &mut self.nodes[index];
        let session = node.session.as_mut().expect("the host runs");
        if self.random.one_in(2)
            && let Some(block) = node.queue.pop_front()
        {
            session.push(block).expect("its own block");
        }
        match session.poll(now) {
            Action::Connect if node.away => session.connect_failed(now),
            Action::Connect => {
                node.peer.connect();
                session.connected(now);
            }
            Action::Write => {
                let bytes = session.transmit();
                assert!(!bytes.is_empty(), "there is something to write");
                let limit = 1 + self.random.below(90_000) as usize;
                let taken = node.peer.write(&bytes[..bytes.len().min(limit)]);
                session.transmitted(taken, now);
            }
            Action::Close(_) => {
                node.peer.reset();
                session.disconnected(now);
            }
            Action::Wait(_) => {}
        }
        let answers = node.peer.take_answers(1 + self.random.below(300) as usize);
        if !answers.is_empty() {
            session.received(&answers, now);
        }
        if producing && self.plan.resets && node.peer.up && self.random.one_in(250) {
            node.peer.reset();
            session.disconnected(now);
        }
        let encoder = self.encoder.as_mut().expect("the host runs");
        while let Some(free) = session.pop_free() {
            encoder.recycle(free);
        }
        if let Some(report) = session.take_report() {
            assert_eq!(self.ledger.apply_report(&report), [], "every numbering is known");
        }
    }

    fn peer_step(&mut self, producing: bool) {
        for node in &mut self.nodes {
            if producing && self.random.one_in(60) {
                node.pace = [0, 700, 20_000, 200_000][self.random.below(4) as usize];
                node.away = self.random.one_in(4);
            }
            if !producing {
                (node.pace, node.away) = (200_000, false);
            }
            if node.peer.up {
                node.peer.read(node.pace);
                if self.random.one_in(40) {
                    node.peer.keep_alive();
                }
            }
        }
    }

    /// `kill -9`: everything in the process is gone; the arena's memory, the disk and what the connections hold stay.
    fn crash(&mut self) {
        self.crashes += 1;
        self.encoder = None;
        for node in &mut self.nodes {
            node.session = None;
            node.queue.clear();
            node.peer.host_died(&mut self.random);
        }
        // The ring may offer the record again that it was at.
        if let Some(record) = self.taken.take().filter(|_| self.random.one_in(2)) {
            self.ring.push_front(record);
        }
        self.ledger = Ledger::new();
        self.start(Phase::Resumed);
    }

    /// Announces the ends, and waits until everything is delivered.
    pub(crate) fn settle(&mut self) {
        for _ in 0..40_000 {
            let was_closed = self.closed;
            self.step(false);
            if self.ring.is_empty() && !self.closed {
                let (now, at) = (HostNs(self.now), TaiNs(self.card_ns));
                let encoder = self.encoder.as_mut().expect("the host runs");
                self.closed = self.tasks.iter().all(|(index, _)| {
                    encoder.announce_task(*index, at, now).is_ok()
                        && encoder.close_task(*index, CloseReason::Deactivated, at, now).is_ok()
                });
                encoder.flush_all();
            }
            let drained = |node: &Node| {
                let status = node.session.as_ref().expect("the host runs").status();
                node.queue.is_empty() && self.is_drained(status) && node.peer.unanswered() == 0
            };
            if was_closed && self.nodes.iter().all(drained) {
                self.nodes.iter_mut().for_each(|node| node.peer.read(usize::MAX));
                let usage = self.encoder.as_ref().expect("the host runs").usage();
                if !self.plan.written {
                    assert_eq!(usage.blocks_free, usage.blocks_total, "all memory came back");
                }
                return;
            }
        }
        let statuses: Vec<_> =
            self.nodes.iter().filter_map(|node| node.session.as_ref().map(Session::status)).collect();
        panic!("seed {}: not drained: {} records, {statuses:?}", self.plan.seed, self.ring.len());
    }

    fn is_drained(&self, status: writ_mediation::session::SessionStatus) -> bool {
        // Handed over by `written` is never confirmed: it is kept for the next connection.
        if self.plan.written { status.all_sent } else { status.buffered_bytes == 0 }
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = (SessionKey, &Peer)> {
        self.nodes.iter().map(|node| (node.key, &node.peer))
    }

    pub(crate) fn peer(&self, key: SessionKey) -> &Peer {
        &self.nodes.iter().find(|node| node.key == key).expect("a session of the world").peer
    }

    /// Cuts the power: memory and what was not synced are gone. Checks that each journal has every PDU that its peer received and
    /// did not confirm, and that what is read back is what was sent. Answers how many PDUs that were.
    pub(crate) fn power_failure(mut self) -> usize {
        self.encoder = None;
        self.memory.wipe();
        let mut checked = 0;
        for node in self.nodes.iter_mut().filter(|node| node.key.interface.is_journalled()) {
            node.session = None;
            node.peer.read(usize::MAX);
            node.disk.power_failure();
            let unconfirmed = std::mem::take(&mut node.peer.unconfirmed);
            let before = node.peer.received.clone();
            let (journal, _) =
                Journal::open(node.disk.clone(), JournalKey([3; 32]), Box::new(|_: &mut [u8]| {}), node.key)
                    .expect("the disk works");
            let mut session: Session<Block, Disk> =
                Session::new(config(&self.plan, node.key), Some(journal)).expect("good settings");
            node.peer = Peer::new(node.key.interface.is_handover());
            for step in 0..2000 {
                let now = HostNs(self.now + step * MS);
                match session.poll(now) {
                    Action::Connect => {
                        node.peer.connect();
                        session.connected(now);
                    }
                    Action::Write => {
                        let taken = node.peer.write(session.transmit());
                        session.transmitted(taken, now);
                    }
                    _ => {}
                }
                node.peer.read(usize::MAX);
                session.received(&node.peer.take_answers(usize::MAX), now);
            }
            assert_eq!(session.status().buffered_bytes, 0, "everything was sent and confirmed");
            for (key, pdu) in &node.peer.received {
                assert!(before.get(key).is_none_or(|known| known.raw == pdu.raw), "{key:?} came back changed");
            }
            for key in &unconfirmed {
                assert!(
                    node.peer.received.contains_key(key),
                    "seed {}: {key:?} was sent before it was synced",
                    self.plan.seed
                );
            }
            checked += unconfirmed.len();
        }
        checked
    }

    /// Packets of each session that are in its queue or in it: counted where they are.
    pub(crate) fn buffered_packets(&mut self) -> BTreeMap<SessionKey, u64> {
        let encoder = self.encoder.as_mut().expect("the host runs");
        encoder.flush_all();
        while let Some(block) = encoder.pop_sealed() {
            let node =
                self.nodes.iter_mut().find(|node| node.key == block.key()).expect("blocks belong to our sessions");
            node.queue.push_back(block);
        }
        let ledger = &mut self.ledger;
        encoder.take_deltas(|delta| ledger.apply_delta(&delta));
        let mut counts = BTreeMap::new();
        for node in &mut self.nodes {
            let queued: u64 =
                node.queue.iter().flat_map(|block| (0..block.len()).map(|n| u64::from(block.entry(n).packets))).sum();
            let session = node.session.as_mut().expect("the host runs");
            let held: u64 = session.buffered().expect("the disk works").iter().map(|(_, counts)| counts.packets).sum();
            if let Some(report) = session.take_report() {
                self.ledger.apply_report(&report);
            }
            counts.insert(node.key, queued + held);
        }
        counts
    }
}

fn config(plan: &Plan, key: SessionKey) -> SessionConfig {
    let identity = HandoverIdentity {
        liid: Liid::parse("writ").expect("good"),
        country: CountryCode::parse("US").expect("good"),
        operator: OperatorId::parse("CARRIER").expect("good"),
        network_element: None,
    };
    let wall_clock = WallClock { host: HostNs(0), utc: UnixTime::from_ns(1_700_000_000_000_000_000) };
    let mut config = SessionConfig::new(key, Some(identity), wall_clock);
    config.confirmation = if plan.written {
        Confirmation::Written { resend_bytes: WINDOW_BYTES }
    } else {
        Confirmation::Barrier { every_bytes: WINDOW_BYTES / 4, every_ns: 20 * MS }
    };
    config.keep_alive = KeepAlive { after_ns: 500 * MS, answer_ns: 300 * MS };
    config.retry = Retry { first_ns: 5 * MS, longest_ns: 80 * MS };
    config.window_bytes = WINDOW_BYTES;
    config
}
