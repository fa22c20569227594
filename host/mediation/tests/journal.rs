//! The journal on a disk that misbehaves in chosen ways.

mod common;
#[path = "simulation/storage.rs"]
mod storage;

use common::{
    T0, address,
    delivered::{self, Pdu},
    encoder_config, hit,
    memory::{Block, Memory},
    task, udp_frame,
};
use proptest::prelude::*;
use storage::Disk;
use writ_handover::{ids::Cin, time::UnixTime, x2x3};
use writ_mediation::{
    arena::{Arena, ArenaConfig, ArenaIdentity},
    datapath::{Encoder, HitSide, OpenTask, Phase},
    journal::{Journal, JournalKey, JournalRecovery, SegmentId, Storage},
    leap::LeapTable,
    session::{Action, Notice, Session, SessionConfig, WallClock},
    task::{Delivery, Scope},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaskIndex},
};

const KEY: SessionKey = SessionKey { destination: DestinationIndex(1), interface: Interface::X2 };
const S: u64 = 1_000_000_000;

fn open(disk: &Disk, key: u8) -> (Journal<Disk>, JournalRecovery) {
    let mut random = common::Random(disk.clone().list().map_or(0, |segments| segments.len() as u64));
    let entropy = Box::new(move |into: &mut [u8]| into.iter_mut().for_each(|octet| *octet = random.next() as u8));
    Journal::open(disk.clone(), JournalKey([key; 32]), entropy, KEY).expect("the disk works")
}

fn session(journal: Journal<Disk>) -> Session<Block, Disk> {
    let wall_clock = WallClock { host: HostNs(0), utc: UnixTime::EPOCH };
    Session::new(SessionConfig::new(KEY, None, wall_clock), Some(journal)).expect("good settings")
}

fn encoder(memory: &Memory) -> Encoder<Block> {
    let identity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };
    let (arena, _) = Arena::open(memory.take(), &ArenaConfig::default(), &identity).expect("good memory");
    let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    encoder.register_session(KEY, 4);
    let spec = task(1, address("192.0.2.1"), Scope::HeadersL4, Delivery::X2Only, &[1]);
    let open = OpenTask { cin: Cin(1), correlation_id: 0, phase: Phase::New };
    encoder.open_task(TaskIndex(1), &spec, &open).expect("room");
    encoder
}

fn feed(encoder: &mut Encoder<Block>, session: &mut Session<Block, Disk>, range: std::ops::Range<u32>) {
    let frame = udp_frame([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), (1, 2), b"content that must not be there");
    for n in range {
        encoder.packet(HostNs(1), &frame.packet(n, T0), &[hit(1, HitSide::Source)]).expect("room");
    }
    encoder.flush_all();
    while let Some(block) = encoder.pop_sealed() {
        session.push(block).expect("its own");
    }
}

/// Connects, writes everything, confirms it if asked to; what the peer got.
fn deliver(session: &mut Session<Block, Disk>, now: u64, confirm: bool) -> Vec<Pdu> {
    let (mut stream, mut got) = (Vec::new(), Vec::new());
    for step in 0..200 {
        let now = HostNs(now + step * S / 10);
        match session.poll(now) {
            Action::Connect => session.connected(now),
            Action::Write => {
                let bytes = session.transmit().to_vec();
                session.transmitted(bytes.len(), now);
                stream.extend(bytes);
            }
            _ => {}
        }
        while let Some((pdu, used)) = delivered::parse(false, &stream) {
            stream.drain(..used);
            if pdu.kind == delivered::Kind::X2 {
                got.push(pdu);
            } else if confirm {
                session.received(&x2x3::keepalive_ack(x2x3::Version::default(), pdu.sequence), now);
            }
        }
    }
    got
}

fn numbers(pdus: &[Pdu]) -> Vec<u32> {
    pdus.iter().map(|pdu| pdu.sequence).collect()
}

/// A journal with 300 PDUs in it, unconfirmed.
fn filled(disk: &Disk) {
    let memory = Memory::new(6);
    let (mut encoder, mut session) = (encoder(&memory), session(open(disk, 1).0));
    feed(&mut encoder, &mut session, 0..300);
    assert!(matches!(session.poll(HostNs(1)), Action::Connect));
    assert!(session.pop_free().is_some(), "the block is given back once it is synced");
}

fn all_bytes(disk: &Disk) -> Vec<(SegmentId, Vec<u8>)> {
    let mut disk = disk.clone();
    let segments = disk.list().expect("it works");
    let read = |segment| {
        let mut bytes = vec![0; disk.bytes(segment).expect("it works") as usize];
        disk.read(segment, 0, &mut bytes).expect("it works");
        (segment, bytes)
    };
    segments.into_iter().map(read).collect()
}

#[test]
fn a_segment_that_none_can_follow_is_an_error_of_the_storage() {
    let mut disk = Disk::new(1);
    disk.create(SegmentId(u64::MAX)).expect("the disk works");
    let opened = Journal::open(disk, JournalKey([1; 32]), Box::new(|_: &mut [u8]| {}), KEY);
    assert_eq!(opened.expect_err("no number is left").segment, Some(SegmentId(u64::MAX)));
}

#[test]
fn what_is_journalled_goes_out_after_a_restart_and_is_erased_when_confirmed() {
    let disk = Disk::new(1);
    filled(&disk);
    let (journal, recovery) = open(&disk, 1);
    assert_eq!((recovery.pdus, recovery.packets, recovery.torn_bytes, recovery.damaged_segments), (300, 300, 0, 0));
    let mut first = session(journal);
    assert_eq!(numbers(&deliver(&mut first, 0, false)), (0..300).collect::<Vec<_>>());
    let mut second = session(open(&disk, 1).0);
    assert_eq!(numbers(&deliver(&mut second, 0, true)), (0..300).collect::<Vec<_>>(), "not confirmed, so once more");
    assert_eq!(second.status().buffered_bytes, 0);
    let (_, recovery) = open(&disk, 1);
    assert_eq!(recovery.pdus, 0, "confirmed");
    let left: usize = all_bytes(&disk).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(left < 1000, "{left} bytes are left: the segments with PDUs are erased");
}

#[test]
fn nothing_readable_is_on_the_disk() {
    let disk = Disk::new(1);
    filled(&disk);
    let target = [192, 0, 2, 1];
    for (_, bytes) in all_bytes(&disk) {
        assert!(bytes.len() > 10_000);
        assert!(!bytes.windows(4).any(|window| window == target || window == b"ipv4"), "sealed means sealed");
    }
}

#[test]
fn another_key_or_another_session_opens_nothing_and_destroys_nothing() {
    let disk = Disk::new(1);
    filled(&disk);
    let (_, recovery) = open(&disk, 2);
    assert_eq!((recovery.pdus, recovery.damaged_segments), (0, 1));
    let other = SessionKey { destination: DestinationIndex(2), ..KEY };
    let (_, recovery) =
        Journal::open(disk.clone(), JournalKey([1; 32]), Box::new(|_: &mut [u8]| {}), other).expect("it works");
    assert_eq!((recovery.pdus, recovery.damaged_segments), (0, 1));
    assert_eq!(open(&disk, 1).1.pdus, 300);
}

#[test]
fn damage_is_told_from_a_torn_end() {
    let spoilt = |spoil: &dyn Fn(&mut Disk, SegmentId, u64)| {
        let mut disk = Disk::new(1);
        filled(&disk);
        let segment = disk.list().expect("the disk works")[0];
        let bytes = disk.bytes(segment).expect("the disk works");
        spoil(&mut disk, segment, bytes);
        open(&disk, 1).1
    };
    let torn = spoilt(&|disk, segment, bytes| disk.truncate(segment, bytes - 1).expect("the disk works"));
    assert_eq!((torn.damaged_frames, torn.pdus < 300, torn.torn_bytes > 0), (0, true, true));
    let damaged = spoilt(&|disk, segment, _| {
        let mut octet = [0];
        disk.read(segment, 3000, &mut octet).expect("the disk works");
        disk.write(segment, 3000, &[octet[0] ^ 1]).expect("the disk works");
    });
    assert_eq!((damaged.damaged_frames, damaged.pdus < 300), (1, true));
}

#[test]
fn a_disk_that_fails_holds_things_up_and_loses_nothing() {
    let disk = Disk::new(3);
    let memory = Memory::new(6);
    let (mut encoder, mut session) = (encoder(&memory), session(open(&disk, 1).0));
    feed(&mut encoder, &mut session, 0..50);
    disk.set_faults(1, 0);
    assert!(matches!(session.poll(HostNs(1)), Action::Connect));
    session.connected(HostNs(1));
    assert!(matches!(session.poll(HostNs(2)), Action::Wait(Some(_))), "nothing may be sent");
    assert!(session.pop_free().is_none());
    let notices = session.take_report().expect("notices").notices;
    assert!(notices.iter().any(|notice| matches!(notice, Notice::StorageFailed(_))), "{notices:?}");
    feed(&mut encoder, &mut session, 50..60);
    disk.set_faults(0, 0);
    assert_eq!(numbers(&deliver(&mut session, 2 * S, true)), (0..60).collect::<Vec<_>>());
    let notices = session.take_report().expect("notices").notices;
    assert!(notices.contains(&Notice::StorageRecovered), "{notices:?}");
}

/// What was confirmed is not sent again after a restart, even though its segment still holds something else.
#[test]
fn confirmations_survive_in_marks() {
    let disk = Disk::new(3);
    {
        let memory = Memory::new(6);
        let (mut encoder, mut session) = (encoder(&memory), session(open(&disk, 1).0));
        feed(&mut encoder, &mut session, 0..30);
        assert_eq!(numbers(&deliver(&mut session, 0, true)).len(), 30);
        feed(&mut encoder, &mut session, 30..40);
        assert_eq!(numbers(&deliver(&mut session, 100 * S, false)).len(), 10);
    }
    let (journal, recovery) = open(&disk, 1);
    assert_eq!((recovery.pdus, recovery.packets), (10, 10));
    assert_eq!(numbers(&deliver(&mut session(journal), 0, true)), (30..40).collect::<Vec<_>>());
}

/// After a failed sync nobody knows what the disk has: it is written again, elsewhere, and counts once.
#[test]
fn what_was_written_twice_counts_once() {
    let disk = Disk::new(3);
    {
        let memory = Memory::new(6);
        let (mut encoder, mut session) = (encoder(&memory), session(open(&disk, 1).0));
        feed(&mut encoder, &mut session, 0..50);
        disk.fail_next_sync();
        session.poll(HostNs(1));
        assert!(session.pop_free().is_none());
        session.poll(HostNs(2 * S));
        assert!(session.pop_free().is_some());
    }
    assert_eq!(disk.clone().list().expect("it works").len(), 2);
    let (journal, recovery) = open(&disk, 1);
    assert_eq!(recovery.pdus, 50);
    assert_eq!(numbers(&deliver(&mut session(journal), 0, true)), (0..50).collect::<Vec<_>>());
}

proptest! {
    /// A journal that was cut or changed anywhere gives a prefix of what was in it, and never anything else.
    #[test]
    fn damage_gives_a_prefix(cut in any::<bool>(), at: prop::sample::Index, flip in 1..=255_u8) {
        let disk = Disk::new(1);
        filled(&disk);
        let (segment, bytes) = all_bytes(&disk).remove(0);
        let at = at.index(bytes.len());
        let mut handle = disk.clone();
        if cut {
            handle.truncate(segment, at as u64).expect("it works");
        } else {
            handle.write(segment, at as u64, &[bytes[at] ^ flip]).expect("it works");
        }
        let (journal, recovery) = open(&disk, 1);
        let got = numbers(&deliver(&mut session(journal), 0, true));
        prop_assert_eq!(got.len() as u64, recovery.pdus);
        prop_assert_eq!(&got, &(0..got.len() as u32).collect::<Vec<_>>());
    }
}
