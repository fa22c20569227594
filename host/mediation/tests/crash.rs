//! Kills the encoder at every single store into the arena, and looks at what is found afterwards.

mod common;

use common::{
    T0, address, delivered, encoder_config, hit,
    memory::{Block, Memory, until_killed},
    task, udp_frame,
};
use std::net::IpAddr;
use writ_handover::ids::Cin;
use writ_mediation::{
    accounting::LossCause,
    arena::{Arena, ArenaConfig, ArenaError, ArenaIdentity, DiscardReason, Outcome, Recovery, SealedBlock},
    datapath::{Encoder, HitSide, Loss, OpenError, OpenTask, Opened, Phase},
    leap::LeapTable,
    task::{Delivery, Scope},
    units::{DestinationIndex, HostNs, Interface, SessionKey, TaskIndex},
};

const KEY: SessionKey = SessionKey { destination: DestinationIndex(1), interface: Interface::X3 };
const IDENTITY: ArenaIdentity = ArenaIdentity { boot: [1; 16], arena: [2; 16] };

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn start(memory: &Memory) -> (Encoder<Block>, Recovery<Block>) {
    let (arena, recovery) = Arena::open(memory.take(), &ArenaConfig::default(), &IDENTITY).expect("good memory");
    let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    encoder.register_session(KEY, 8);
    (encoder, recovery)
}

fn open(encoder: &mut Encoder<Block>) -> u64 {
    open_task(encoder).contexts[0].next_sequence
}

fn open_task(encoder: &mut Encoder<Block>) -> Opened {
    let spec = task(1, address("192.0.2.1"), Scope::Content, Delivery::X3Only, &[1]);
    let open = |phase| OpenTask { cin: Cin(1), correlation_id: 0, phase };
    let opened = match encoder.open_task(TaskIndex(1), &spec, &open(Phase::Resumed)) {
        Err(OpenError::SequencesLost(_)) => encoder.open_task(TaskIndex(1), &spec, &open(Phase::New)),
        other => other,
    };
    opened.expect("room")
}

/// Sequence numbers in blocks, in order; every PDU is read with the codec.
fn sequences(blocks: &mut dyn Iterator<Item = &SealedBlock<Block>>) -> Vec<u32> {
    let mut all = Vec::new();
    for block in blocks {
        let mut stream = block.pdus(block.start_of(block.confirmed())..block.bytes());
        for index in block.confirmed()..block.len() {
            let (pdu, used) = delivered::parse(false, stream).expect("whole PDUs");
            assert_eq!(pdu.sequence, block.entry(index).sequence);
            all.push(pdu.sequence);
            stream = &stream[used..];
        }
        assert!(stream.is_empty());
    }
    all
}

/// Packets, a loss, a flush, a merge, a confirmation, a recycled block: everything that stores something.
fn work(memory: &Memory, accepted: &mut Vec<u32>) {
    let (mut encoder, recovery) = start(memory);
    assert!(recovery.sealed.is_empty());
    open(&mut encoder);
    let frame = udp_frame(ip("192.0.2.1"), ip("192.0.2.2"), (1, 2), b"abc");
    let put = |encoder: &mut Encoder<Block>, record: u32, accepted: &mut Vec<u32>, sequence: u32| {
        let encoded = encoder.packet(HostNs(1), &frame.packet(record, T0), &[hit(1, HitSide::Source)]).expect("room");
        assert_eq!(encoded.accepted, 1);
        accepted.push(sequence);
    };
    put(&mut encoder, 0, accepted, 0);
    put(&mut encoder, 1, accepted, 1);
    encoder.flush_all();
    let mut first = encoder.pop_sealed().expect("sealed");
    encoder.loss(TaskIndex(1), &Loss { packets: 3, cause: LossCause::CardCopyFifo, attributed: true });
    put(&mut encoder, 5, accepted, 5);
    encoder.flush_all();
    let second = encoder.pop_sealed().expect("sealed");
    encoder.recycle(first.merge(second).expect("it fits"));
    put(&mut encoder, 6, accepted, 6);
    encoder.flush_all();
    let third = encoder.pop_sealed().expect("sealed");
    encoder.recycle(third.free());
    put(&mut encoder, 7, accepted, 7);
    first.confirm(1);
}

#[test]
fn whatever_was_accepted_is_found_after_a_kill_at_any_store() {
    let whole = Memory::new(6);
    work(&whole, &mut Vec::new());
    let stores = whole.stores();
    assert!(stores > 80, "the work has to store something: {stores}");
    for fuse in 0..stores {
        let memory = Memory::new(6);
        memory.set_fuse(Some(fuse));
        let mut accepted = Vec::new();
        until_killed(|| work(&memory, &mut accepted)).expect_err("the fuse is shorter than the work");
        // Killed once more while it recovers, at some store, and then started for good.
        memory.set_fuse(Some(fuse % 7));
        let _ = until_killed(|| start(&memory));
        memory.set_fuse(None);
        let (mut encoder, recovery) = start(&memory);
        assert_eq!(recovery.damaged_pdus, 0, "fuse {fuse}");
        let found = sequences(&mut recovery.sealed.iter());
        // 6 is given back (delivered) at some point, 0 is confirmed at the end; a PDU on the brink may have been accepted. A merge
        // may leave doubles.
        let mut once = found.clone();
        once.dedup();
        once.sort_unstable();
        once.dedup();
        assert!(found.len() - once.len() <= 1, "fuse {fuse}: {found:?}");
        for sequence in &accepted {
            assert!(
                once.contains(sequence) || matches!(sequence, 0 | 6),
                "fuse {fuse}: {accepted:?} accepted, {found:?} found"
            );
        }
        let last = accepted.last().map_or(0, |last| last + 1);
        assert!(once.iter().all(|sequence| *sequence <= last + 4), "fuse {fuse}: {found:?}");
        // No number is given out again, and none is skipped but those of the loss.
        let next = open(&mut encoder);
        let highest = found.iter().chain(&accepted).max().map_or(0, |highest| u64::from(*highest) + 1);
        assert!(next >= highest && next <= highest + 3, "fuse {fuse}: {next} after {highest}");
        if next > highest {
            assert_eq!((highest, next), (2, 5), "fuse {fuse}: only the loss skips numbers");
        }
    }
}

/// Who tells of losses may be killed before it has written down that it did, and tells them again.
#[test]
fn a_loss_that_is_told_again_is_counted_once() {
    const LOST: u64 = 3;
    let loss = Loss { packets: LOST, cause: LossCause::CardMixed, attributed: true };
    let tell = |memory: &Memory| {
        let (mut encoder, _) = start(memory);
        open(&mut encoder);
        encoder.told_before(TaskIndex(1), 0);
        encoder.loss(TaskIndex(1), &loss);
    };
    let reopened = |memory: &Memory| {
        let (mut encoder, _) = start(memory);
        let opened = open_task(&mut encoder);
        (encoder, opened.contexts[0])
    };
    let whole = Memory::new(6);
    tell(&whole);
    let mut twice = 0;
    for fuse in 0..=whole.stores() {
        let memory = Memory::new(6);
        memory.set_fuse(Some(fuse));
        let _ = until_killed(|| tell(&memory));
        memory.set_fuse(None);
        tell(&memory);
        let (mut encoder, found) = reopened(&memory);
        // One store is on the brink: what was lost is kept, that it was told is not yet.
        assert!(found.lost == LOST || found.lost == 2 * LOST, "fuse {fuse}: {found:?}");
        twice += u32::from(found.lost != LOST);
        assert!(
            found.next_sequence <= found.lost,
            "fuse {fuse}: a number is said to be a PDU that was lost: {found:?}"
        );

        // Written down, it is not expected again: the next loss is another one.
        encoder.told_before(TaskIndex(1), found.lost);
        encoder.loss(TaskIndex(1), &loss);
        // A card that was reset counts anew.
        encoder.card_restarted();
        encoder.loss(TaskIndex(1), &loss);
        drop(encoder);
        assert_eq!(reopened(&memory).1.lost, found.lost + 2 * LOST, "fuse {fuse}");
        let (mut encoder, _) = reopened(&memory);
        encoder.told_before(TaskIndex(1), LOST);
        encoder.loss(TaskIndex(1), &loss);
        encoder.forget_task(TaskIndex(1));
        drop(encoder);
        let (encoder, _) = start(&memory);
        assert_eq!(encoder.usage().contexts_used, 0, "fuse {fuse}: rows of a task that is over");
    }
    assert!(twice <= 1);
}

#[test]
fn memory_that_cannot_be_trusted_is_not_used() {
    let memory = Memory::new(6);
    let mut accepted = Vec::new();
    work(&memory, &mut accepted);
    let judge = |change: &dyn Fn(&mut [Block]), identity: &ArenaIdentity| {
        let mut blocks = memory.take();
        change(&mut blocks);
        Arena::open(blocks, &ArenaConfig::default(), identity).map(|(_, recovery)| recovery.outcome)
    };
    assert_eq!(judge(&|_| {}, &IDENTITY), Ok(Outcome::Recovered));
    let foreign = judge(&|blocks| blocks[0].as_mut()[..8].copy_from_slice(b"SQLite f"), &IDENTITY);
    assert_eq!(foreign, Err(ArenaError::ForeignContent));
    let other_boot = ArenaIdentity { boot: [9; 16], ..IDENTITY };
    judge(&|blocks| blocks[0].as_mut()[..8].copy_from_slice(b"WRITCTX1"), &IDENTITY).expect("as before");
    assert_eq!(judge(&|_| {}, &other_boot), Ok(Outcome::Discarded(DiscardReason::Reboot)));
    assert_eq!(judge(&|_| {}, &other_boot), Ok(Outcome::Recovered), "it was formatted");
    assert_eq!(
        judge(&|blocks| blocks[0].as_mut()[40] ^= 1, &other_boot),
        Ok(Outcome::Discarded(DiscardReason::Damaged))
    );
    let few = Arena::open(Memory::new(1).take(), &ArenaConfig::default(), &IDENTITY).map(|_| ());
    assert_eq!(few, Err(ArenaError::TooFewBlocks { given: 1, needed: 2 }));
    let small = Arena::open(vec![vec![0_u8; 100]], &ArenaConfig::default(), &IDENTITY).map(|_| ());
    assert_eq!(small, Err(ArenaError::BlockSize { index: 0, bytes: 100 }));
}

/// Every flipped bit of a block's header, index or commit word is noticed or harmless; nothing panics and no foreign octets come
/// out.
#[test]
fn damaged_blocks_are_cut_and_never_misread() {
    let memory = Memory::new(4);
    let mut accepted = Vec::new();
    {
        let (mut encoder, _) = start(&memory);
        open(&mut encoder);
        let frame = udp_frame(ip("192.0.2.1"), ip("192.0.2.2"), (1, 2), b"abc");
        for n in 0..3 {
            encoder.packet(HostNs(1), &frame.packet(n, T0), &[hit(1, HitSide::Source)]).expect("room");
            accepted.push(n);
        }
    }
    let size = writ_mediation::arena::BLOCK_BYTES;
    let used = |block: &Block| block.as_ref()[0] != 0;
    let places: Vec<usize> = (0..64).chain(size - 4 * 24..size).collect();
    for at in places {
        for bit in 0..8 {
            let mut blocks = memory.take();
            let index = 1 + blocks[1..].iter().position(used).expect("one block is in use");
            blocks[index].as_mut()[at] ^= 1 << bit;
            let image: Vec<Vec<u8>> = blocks.iter().map(|block| block.as_ref().to_vec()).collect();
            blocks[index].as_mut()[at] ^= 1 << bit;
            drop(blocks);
            let (_, recovery) = Arena::open(image, &ArenaConfig::default(), &IDENTITY).expect("the table is whole");
            let mut found = Vec::new();
            for block in &recovery.sealed {
                let mut stream = block.pdus(0..block.bytes());
                while let Some((pdu, used)) = delivered::parse(false, stream) {
                    found.push(pdu.sequence);
                    stream = &stream[used..];
                }
                assert!(stream.is_empty(), "byte {at}, bit {bit}");
            }
            assert!(accepted.starts_with(&found), "byte {at}, bit {bit}: {found:?}");
        }
    }
}
