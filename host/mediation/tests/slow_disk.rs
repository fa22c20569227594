//! Headers while the disk is slow: related information waits for each sync, and nothing of it may be lost while there is memory.
//! In virtual time: a sync takes as long as the test says, and packets go on arriving meanwhile.

mod common;
#[path = "simulation/storage.rs"]
mod storage;

use common::{T0, address, encoder_config, hit, memory::Memory, task, udp_frame};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use storage::Disk;
use writ_handover::{ids::Cin, time::UnixTime};
use writ_mediation::{
    arena::{Arena, ArenaConfig, ArenaIdentity},
    datapath::{Encoder, HitSide, OpenTask, Phase},
    journal::{Journal, JournalKey, SegmentId, Storage, StorageError},
    leap::LeapTable,
    session::{Session, SessionConfig, WallClock},
    task::{Delivery, Scope},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaskIndex},
};

const KEY: SessionKey = SessionKey { destination: DestinationIndex(1), interface: Interface::X2 };
const MS: u64 = 1_000_000;
/// The ring thread looks this often.
const STEP_NS: u64 = MS / 2;

/// A disk of which each sync takes a while.
struct SlowDisk {
    disk: Disk,
    sync_ns: u64,
    /// Time that was spent since somebody looked.
    spent: Arc<AtomicU64>,
}

impl Storage for SlowDisk {
    fn list(&mut self) -> Result<Vec<SegmentId>, StorageError> {
        self.disk.list()
    }
    fn create(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        self.disk.create(segment)
    }
    fn write(&mut self, segment: SegmentId, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.disk.write(segment, offset, bytes)
    }
    fn sync(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        self.spent.fetch_add(self.sync_ns, Ordering::Relaxed);
        self.disk.sync(segment)
    }
    fn read(&mut self, segment: SegmentId, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.disk.read(segment, offset, into)
    }
    fn bytes(&mut self, segment: SegmentId) -> Result<u64, StorageError> {
        self.disk.bytes(segment)
    }
    fn truncate(&mut self, segment: SegmentId, bytes: u64) -> Result<(), StorageError> {
        self.disk.truncate(segment, bytes)
    }
    fn remove(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        self.disk.remove(segment)
    }
}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    accepted: u32,
    lost: u32,
    /// Most time from a packet to the end of the poll that journalled it.
    journalled_after_ms_max: u64,
}

struct Load {
    cap_blocks: usize,
    sync_ns: u64,
    /// Every so many steps a packet comes.
    steps_a_packet: u64,
    packets_a_step: u32,
    duration_ns: u64,
    /// Nothing can be written before this time.
    broken_until_ns: u64,
}

const QUIET: Load = Load {
    cap_blocks: 4,
    sync_ns: 0,
    steps_a_packet: 1,
    packets_a_step: 1,
    duration_ns: 2000 * MS,
    broken_until_ns: 0,
};

fn run(load: &Load) -> Outcome {
    let memory = Memory::new(load.cap_blocks + 9);
    let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
    let (arena, _) = Arena::open(memory.take(), &ArenaConfig::default(), &identity).expect("good memory");
    let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    encoder.register_session(KEY, load.cap_blocks);
    let spec = task(1, address("192.0.2.1"), Scope::HeadersL4, Delivery::X2Only, &[1]);
    let open = OpenTask { cin: Cin(1), correlation_id: 0, phase: Phase::New };
    encoder.open_task(TaskIndex(1), &spec, &open).expect("room");

    let (spent, disk) = (Arc::new(AtomicU64::new(0)), Disk::new(1));
    let slow = SlowDisk { disk: disk.clone(), sync_ns: load.sync_ns, spent: Arc::clone(&spent) };
    let entropy = Box::new(|into: &mut [u8]| into.fill(7));
    let (journal, _) = Journal::open(slow, JournalKey([1; 32]), entropy, KEY).expect("the disk works");
    let wall_clock = WallClock { host: HostNs(0), utc: UnixTime::EPOCH };
    let mut session = Session::new(SessionConfig::new(KEY, None, wall_clock), Some(journal)).expect("good settings");

    let frame = udp_frame([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), (1, 2), b"content");
    let (mut outcome, mut queue) = (Outcome::default(), VecDeque::new());
    let (mut now, mut busy_until, mut record) = (1, 0, 0);
    // Since when packets are not journalled, and since when those are that the poll under way took.
    let (mut waiting_since, mut polled_since) = (None, None);
    while now < load.duration_ns {
        now += STEP_NS;
        if (now / STEP_NS).is_multiple_of(load.steps_a_packet) {
            for _ in 0..load.packets_a_step {
                let hits = [hit(1, HitSide::Source)];
                let encoded =
                    encoder.packet(HostNs(now), &frame.packet(record, T0), &hits).expect("the arena is larger");
                (outcome.accepted, outcome.lost) = (outcome.accepted + encoded.accepted, outcome.lost + encoded.lost);
                record += 1;
                waiting_since.get_or_insert(now);
            }
        }
        encoder.flush(HostNs(now), |_| queue.is_empty());
        queue.extend(std::iter::from_fn(|| encoder.pop_sealed()));
        if now < busy_until {
            continue;
        }
        if let Some(since) = polled_since.take() {
            outcome.journalled_after_ms_max = outcome.journalled_after_ms_max.max((now - since) / MS);
        }
        // What the last poll gave back is known only now that its syncs are over.
        while let Some(free) = session.pop_free() {
            encoder.recycle(free);
        }
        if queue.is_empty() && now >= load.broken_until_ns {
            let _ = session.poll(HostNs(now));
            busy_until = now + spent.swap(0, Ordering::Relaxed);
            continue;
        }
        queue.drain(..).for_each(|block| session.push(block).expect("its own"));
        polled_since = waiting_since.take();
        disk.set_faults(u64::from(now < load.broken_until_ns), 0);
        let _ = session.poll(HostNs(now));
        busy_until = now + spent.swap(0, Ordering::Relaxed);
    }
    outcome
}

#[test]
fn syncs_of_any_length_lose_nothing_while_the_share_has_room() {
    for sync_ms in [50, 100, 200, 500] {
        for cap_blocks in [2, 3, 5, 15] {
            // What comes in two syncs has to fit: one is under way with it, and the other goes on meanwhile.
            let packets_a_step = if cap_blocks < 15 { 1 } else { 3 };
            let sync_ns = if cap_blocks < 3 { sync_ms * MS / 2 } else { sync_ms * MS };
            let load = Load { cap_blocks, sync_ns, packets_a_step, ..QUIET };
            let outcome = run(&load);
            assert_eq!(outcome.lost, 0, "{sync_ms} ms, {cap_blocks} blocks: {outcome:?}");
            assert!(outcome.accepted > 3900, "{outcome:?}");
        }
    }
}

#[test]
fn a_disk_that_takes_nothing_for_a_while_loses_nothing_while_the_share_has_room() {
    let load = Load { cap_blocks: 6, broken_until_ns: 1500 * MS, duration_ns: 4000 * MS, ..QUIET };
    let outcome = run(&load);
    assert_eq!((outcome.lost, outcome.accepted), (0, 8000));
}

#[test]
fn a_trickle_does_not_wait_for_its_block_to_fill() {
    let outcome = run(&Load { sync_ns: MS, steps_a_packet: 40, ..QUIET });
    assert!(outcome.accepted == 100 && outcome.journalled_after_ms_max <= 6, "{outcome:?}");
    let slow = run(&Load { sync_ns: 50 * MS, steps_a_packet: 40, ..QUIET });
    assert!(slow.journalled_after_ms_max <= 110, "what comes during a sync goes with the next one: {slow:?}");
}
