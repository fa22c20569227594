//! The encoder against a reader that shares only the codecs with it.

mod common;

use common::{
    T0, address,
    delivered::{self, Kind, Pdu, Way},
    encoder_config, hit,
    memory::{Block, Memory},
    target, task, udp_frame,
};
use std::{collections::BTreeMap, net::IpAddr};
use writ_handover::{ids::Cin, pspdu::AccessEventType};
use writ_mediation::{
    accounting::{Ledger, LossCause, TaskDelta},
    arena::{Arena, ArenaConfig, ArenaIdentity, SealedBlock},
    datapath::{Encoder, HitLayer, HitSide, IpHeader, Loss, OpenError, OpenTask, Packet, Phase, TaskHit},
    leap::LeapTable,
    lifecycle::CloseReason,
    task::{Delivery, Scope, TaskSpec},
    units::{DestinationIndex, HostNs, Interface, RecordNumber, SessionKey, TaiNs, TaskIndex},
};

const NOW: HostNs = HostNs(1);
const TARGET: &str = "192.0.2.1";
const OTHER: &str = "198.51.100.7";

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn identity() -> ArenaIdentity {
    ArenaIdentity { boot: [1; 16], arena: [2; 16] }
}

fn encoder(memory: &Memory, cap_blocks: usize) -> Encoder<Block> {
    let (arena, _) = Arena::open(memory.take(), &ArenaConfig::default(), &identity()).expect("good memory");
    let mut encoder = Encoder::new(arena, encoder_config(), LeapTable::built_in());
    for destination in 1..=3 {
        for interface in Interface::ALL {
            encoder.register_session(SessionKey { destination: DestinationIndex(destination), interface }, cap_blocks);
        }
    }
    encoder
}

fn open(encoder: &mut Encoder<Block>, n: u32, spec: &TaskSpec) {
    let open = OpenTask { cin: Cin(n), correlation_id: 0, phase: Phase::New };
    encoder.open_task(TaskIndex(n), spec, &open).expect("room for it");
}

/// All PDUs by session, in order. The blocks are kept away from the encoder.
fn drain(encoder: &mut Encoder<Block>, kept: &mut Vec<SealedBlock<Block>>) -> BTreeMap<SessionKey, Vec<Pdu>> {
    encoder.flush_all();
    let mut all: BTreeMap<SessionKey, Vec<Pdu>> = BTreeMap::new();
    while let Some(block) = encoder.pop_sealed() {
        let mut stream = block.pdus(0..block.bytes());
        while let Some((pdu, used)) = delivered::parse(block.key().interface.is_handover(), stream) {
            all.entry(block.key()).or_default().push(pdu);
            stream = &stream[used..];
        }
        assert!(stream.is_empty(), "a block holds whole PDUs");
        kept.push(block);
    }
    all
}

fn pdus(encoder: &mut Encoder<Block>) -> BTreeMap<SessionKey, Vec<Pdu>> {
    drain(encoder, &mut Vec::new())
}

fn session(destination: u16, interface: Interface) -> SessionKey {
    SessionKey { destination: DestinationIndex(destination), interface }
}

fn deltas(encoder: &mut Encoder<Block>) -> Vec<TaskDelta> {
    let mut all = Vec::new();
    encoder.take_deltas(|delta| all.push(delta));
    all
}

#[test]
fn content_on_hi_begins_with_notice_and_iri_begin_and_ends_with_end_and_notice() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    let spec = task(1, address(TARGET), Scope::Content, Delivery::Hi2AndHi3, &[1]);
    open(&mut encoder, 1, &spec);
    let frame = udp_frame(ip(TARGET), ip(OTHER), (5060, 5061), b"hello");
    for n in 0..3 {
        let encoded = encoder.packet(NOW, &frame.packet(n, T0 + u64::from(n) * 1000), &[hit(1, HitSide::Source)]);
        assert_eq!(encoded.expect("room").accepted, 1);
    }
    encoder.announce_task(TaskIndex(1), TaiNs(T0), NOW).expect("room");
    for _ in 0..2 {
        encoder.close_task(TaskIndex(1), CloseReason::Deactivated, TaiNs(T0 + 9_000_000), NOW).expect("room");
    }
    let all = pdus(&mut encoder);
    let hi2: Vec<_> = all[&session(1, Interface::Hi2)].iter().map(|pdu| (pdu.kind, pdu.sequence, pdu.event)).collect();
    let begin = Some(AccessEventType::StartOfInterceptionWithSessionActive);
    let end = Some(AccessEventType::EndOfInterceptionWithSessionActive);
    assert_eq!(hi2, [(Kind::Notice, 0, None), (Kind::Iri, 0, begin), (Kind::Iri, 1, end), (Kind::Notice, 1, None)]);
    let hi3 = &all[&session(1, Interface::Hi3)];
    assert_eq!(hi3.iter().map(|pdu| pdu.sequence).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(
        hi3.iter()
            .all(|pdu| pdu.payload == frame.expected(Scope::Content) && pdu.way == Way::From && pdu.name == "LIID/1")
    );
    // 37 leap seconds behind TAI.
    assert_eq!(hi3[1].time_us, T0 / 1000 - 37_000_000 + 1);
    let after = encoder.packet(NOW, &frame.packet(9, T0 + 1), &[hit(1, HitSide::Source)]).expect("room");
    assert_eq!((after.accepted, after.refused), (0, 1), "a closed task gets nothing more");
}

#[test]
fn padding_is_never_delivered() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    open(&mut encoder, 1, &task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[2]));
    let short = udp_frame(ip(TARGET), ip(OTHER), (1, 2), b"x");
    assert_eq!((short.bytes.len(), short.ip_end), (60, 43));
    encoder.packet(NOW, &short.packet(0, T0), &[hit(1, HitSide::Destination)]).expect("room");
    let all = pdus(&mut encoder);
    let pdu = &all[&session(2, Interface::X3)][0];
    assert_eq!((pdu.payload.as_slice(), pdu.way), (&short.bytes[14..43], Way::To));
}

/// A content order and headers-only orders on the same packet: each gets its own cut.
#[test]
fn headers_only_tasks_see_no_octet_past_their_cut_beside_a_content_order() {
    let memory = Memory::new(12);
    let mut encoder = encoder(&memory, 1);
    let target = || address("2001:db8::1");
    open(&mut encoder, 1, &task(1, target(), Scope::Content, Delivery::Hi2AndHi3, &[1]));
    open(&mut encoder, 2, &task(2, target(), Scope::HeadersL4, Delivery::Hi2Only, &[1]));
    open(&mut encoder, 3, &task(3, target(), Scope::HeadersL3, Delivery::Hi2Only, &[2]));
    open(&mut encoder, 4, &task(4, target(), Scope::HeadersL4, Delivery::X2Only, &[2]));
    open(&mut encoder, 5, &task(5, target(), Scope::HeadersL3, Delivery::X2Only, &[3]));
    let frame = udp_frame(ip("2001:db8::1"), ip("2001:db8::2"), (0x5E, 0x5D), b"SECRETSECRETSECRET");
    let hits: Vec<_> = (1..=5).map(|n| hit(n, HitSide::Source)).collect();
    assert_eq!(encoder.packet(NOW, &frame.packet(0, T0), &hits).expect("room").accepted, 5);
    let all = pdus(&mut encoder);
    let find = |destination, interface, name: &str| {
        let mut found =
            all[&session(destination, interface)].iter().filter(|pdu| !pdu.payload.is_empty() && pdu.name == name);
        let pdu = found.next().expect("one PDU").clone();
        assert!(found.next().is_none(), "one packet gives one PDU");
        pdu
    };
    let xid = |n: u32| format!("{n:08x}{}", "40".repeat(12));
    let is_clean = |pdu: &Pdu| !pdu.raw.windows(6).any(|window| window == b"SECRET");
    assert_eq!(find(1, Interface::Hi3, "LIID/1").payload, frame.expected(Scope::Content));
    for (pdu, scope) in [
        (find(1, Interface::Hi2, "LIID/2"), Scope::HeadersL4),
        (find(2, Interface::Hi2, "LIID/3"), Scope::HeadersL3),
        (find(2, Interface::X2, &xid(4)), Scope::HeadersL4),
        (find(3, Interface::X2, &xid(5)), Scope::HeadersL3),
    ] {
        assert_eq!(pdu.payload, frame.expected(scope));
        assert!(is_clean(&pdu));
        if pdu.kind == Kind::X2 {
            assert_eq!(pdu.has_flow_ports, scope == Scope::HeadersL4, "ports are L4 headers");
            assert_eq!(pdu.matched, ["<ipv6Address>2001:0db8:0000:0000:0000:0000:0000:0001</ipv6Address>"]);
        }
    }
    for ((_, interface), list) in all.iter().map(|(key, list)| ((key.destination, key.interface), list)) {
        assert!(interface == Interface::Hi3 || list.iter().all(is_clean));
    }
}

#[test]
fn several_hits_of_one_task_give_one_pdu_and_the_right_direction() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    let mut spec = task(1, address(TARGET), Scope::HeadersL4, Delivery::X2Only, &[1]);
    let fragments = ["<ipv4Address>192.0.2.1</ipv4Address>", "<udpPort>5060</udpPort>"];
    spec.targets.push(target("endpoint=192.0.2.1:5060/udp", &fragments));
    spec.targets.push(address(OTHER));
    spec.targets.push(target("tunnel=vxlan:77@192.0.2.1", &[]));
    open(&mut encoder, 1, &spec);
    let frame = udp_frame(ip(TARGET), ip(OTHER), (5060, 9), b"abc");
    let source = hit(1, HitSide::Source);
    let endpoint = TaskHit { target: 1, ..source };
    let destination = TaskHit { target: 2, ..hit(1, HitSide::Destination) };
    let nameless = TaskHit { target: 3, ..hit(1, HitSide::Either) };
    encoder.packet(NOW, &frame.packet(0, T0), &[source, endpoint]).expect("room");
    encoder.packet(NOW, &frame.packet(1, T0), &[source, destination, endpoint]).expect("room");
    encoder.packet(NOW, &frame.packet(2, T0), &[destination]).expect("room");
    encoder.packet(NOW, &frame.packet(3, T0), &[nameless]).expect("room");
    let all = pdus(&mut encoder);
    let x2 = &all[&session(1, Interface::X2)];
    assert_eq!(
        x2.iter().map(|pdu| (pdu.sequence, pdu.way)).collect::<Vec<_>>(),
        [(0, Way::From), (1, Way::Both), (2, Way::To), (3, Way::Unknown)]
    );
    let address = "<ipv4Address>192.0.2.1</ipv4Address>";
    assert_eq!(x2[0].matched, [address, address, "<udpPort>5060</udpPort>"]);
    assert_eq!(x2[2].matched, ["<ipv4Address>198.51.100.7</ipv4Address>"], "only what matched");
    assert!(x2[3].matched.is_empty(), "X1 has no word for it");
}

#[test]
fn nothing_stamped_outside_the_task_is_delivered() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    let mut spec = task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[1]);
    (spec.start, spec.end) = (TaiNs(T0 + 10), TaiNs(T0 + 20));
    open(&mut encoder, 1, &spec);
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), b"abc");
    for (n, at) in [9, 10, 19, 20, u64::MAX - T0].into_iter().enumerate() {
        encoder.packet(NOW, &frame.packet(n as u32, T0 + at), &[hit(1, HitSide::Source)]).expect("room");
    }
    let times: Vec<_> = pdus(&mut encoder)[&session(1, Interface::X3)].iter().map(|pdu| pdu.sequence).collect();
    assert_eq!(times, [0, 1], "the two inside, and no number was used for the others");
    assert_eq!(deltas(&mut encoder)[0].faults.outside_window, 3);
}

#[test]
fn a_loss_uses_up_numbers_and_is_told_to_its_task_alone() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    open(&mut encoder, 1, &task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[1]));
    open(&mut encoder, 2, &task(2, address(TARGET), Scope::Content, Delivery::X3Only, &[2]));
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), b"abc");
    let both = [hit(1, HitSide::Source), hit(2, HitSide::Source)];
    encoder.packet(NOW, &frame.packet(0, T0), &both).expect("room");
    encoder.loss(TaskIndex(1), &Loss { packets: 5, cause: LossCause::CardCopyFifo, attributed: true });
    encoder.loss(TaskIndex(2), &Loss { packets: 5, cause: LossCause::CardCopyFifo, attributed: false });
    encoder.packet(NOW, &frame.packet(6, T0), &both).expect("room");
    let all = pdus(&mut encoder);
    let sequences =
        |destination| all[&session(destination, Interface::X3)].iter().map(|pdu| pdu.sequence).collect::<Vec<_>>();
    assert_eq!((sequences(1), sequences(2)), (vec![0, 6], vec![0, 1]));
    let mut ledger = Ledger::new();
    for delta in deltas(&mut encoder) {
        ledger.apply_delta(&delta);
    }
    ledger.check(TaskIndex(1), session(1, Interface::X3), 2).expect("7 = 2 buffered + 5 lost");
    ledger.check(TaskIndex(2), session(2, Interface::X3), 2).expect("2 = 2 buffered");
    assert_eq!(ledger.task(TaskIndex(2)).next().expect("an account").1.unattributed_packets, 5);
    ledger.check(TaskIndex(1), session(1, Interface::X3), 1).expect_err("one is missing");
}

/// A destination that takes nothing loses its own packets, counted; the other one gets all of them.
#[test]
fn a_full_destination_does_not_block_another() {
    let memory = Memory::new(30);
    let mut encoder = encoder(&memory, 2);
    open(&mut encoder, 1, &task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[1]));
    open(&mut encoder, 2, &task(2, address(TARGET), Scope::Content, Delivery::X3Only, &[2]));
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), &[7; 1400]);
    let both = [hit(1, HitSide::Source), hit(2, HitSide::Source)];
    let (mut stuck, mut got) = (Vec::new(), Vec::new());
    for n in 0..1000 {
        encoder.packet(NOW, &frame.packet(n, T0 + u64::from(n)), &both).expect("the arena has free blocks");
        while let Some(block) = encoder.pop_sealed() {
            if block.key().destination == DestinationIndex(1) {
                stuck.push(block);
            } else {
                got.push(block.len());
                encoder.recycle(block.free());
            }
        }
    }
    let kept: u32 = stuck.iter().map(SealedBlock::len).sum();
    let rest = pdus(&mut encoder)[&session(2, Interface::X3)].len() as u32;
    assert_eq!(got.iter().sum::<u32>() + rest, 1000);
    assert_eq!(stuck.len(), 2);
    let all = deltas(&mut encoder);
    let of = |n| all.iter().find(|delta| delta.task == TaskIndex(n)).expect("a delta");
    assert_eq!(of(1).losses.of(LossCause::DestinationFull), u64::from(1000 - kept));
    assert_eq!((of(1).selected_packets, of(2).losses.total()), (1000, 0));
    // Room again: the numbers go on behind the lost ones.
    for block in stuck.drain(..) {
        encoder.recycle(block.free());
    }
    encoder.packet(NOW, &frame.packet(1000, T0 + 1000), &both).expect("room");
    assert_eq!(pdus(&mut encoder)[&session(1, Interface::X3)][0].sequence, 1000);
}

/// When no block is left the packet is refused as a whole or in part, and offering it again completes it without doubling anything.
#[test]
fn a_full_arena_stops_and_goes_on_without_loss_or_doubles() {
    let memory = Memory::new(1 + 3);
    let mut encoder = encoder(&memory, 8);
    for n in 1..=3 {
        open(&mut encoder, n, &task(n, address(TARGET), Scope::Content, Delivery::X3Only, &[n as u16]));
    }
    let all_hits: Vec<_> = (1..=3).map(|n| hit(n, HitSide::Source)).collect();
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), &[7; 1400]);
    let (mut held, mut received, mut refusals) = (Vec::new(), BTreeMap::new(), 0);
    let take = |block: SealedBlock<Block>, received: &mut BTreeMap<u16, Vec<u32>>| {
        let list = received.entry(block.key().destination.0).or_default();
        (0..block.len()).for_each(|index| list.push(block.entry(index).sequence));
        block.free()
    };
    for n in 0..900 {
        while encoder.packet(NOW, &frame.packet(n, T0 + u64::from(n)), &all_hits).is_err() {
            refusals += 1;
            while let Some(block) = encoder.pop_sealed() {
                held.push(block);
            }
            if held.is_empty() {
                encoder.flush_all();
            } else {
                let block = held.remove(0);
                encoder.recycle(take(block, &mut received));
            }
        }
    }
    encoder.flush_all();
    while let Some(block) = encoder.pop_sealed() {
        held.push(block);
    }
    for block in held {
        take(block, &mut received);
    }
    assert!(refusals > 10, "the test has to fill the arena");
    for n in 1..=3 {
        assert_eq!(received[&n], (0..900).collect::<Vec<_>>());
    }
    assert!(deltas(&mut encoder).iter().all(|delta| delta.selected_packets == 900 && delta.losses.total() == 0));
}

/// One frame may make a record in each of two rings, with the same number and stamp by chance: a record that has to be offered again is not
/// mistaken for the other one.
#[test]
fn a_full_arena_keeps_the_records_of_several_rings_apart() {
    let memory = Memory::new(1 + 4);
    let mut encoder = encoder(&memory, 8);
    for n in 1..=4 {
        let destination = (n as u16 - 1) % 2 + 1;
        open(&mut encoder, n, &task(n, address(TARGET), Scope::Content, Delivery::X3Only, &[destination]));
    }
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), &[7; 1400]);
    // Tasks 1 and 2 come through ring 0, tasks 3 and 4 through ring 3.
    let hits = [[1, 2], [3, 4]].map(|tasks| tasks.map(|n| hit(n, HitSide::Source)));
    let mut next = [0_u32; 2];
    let (mut held, mut received, mut refusals) = (Vec::new(), BTreeMap::<u32, Vec<u32>>::new(), 0);
    let take = |block: SealedBlock<Block>, received: &mut BTreeMap<u32, Vec<u32>>| {
        for index in 0..block.len() {
            let entry = block.entry(index);
            received.entry(entry.context.0).or_default().push(entry.sequence);
        }
        block.free()
    };
    while next.iter().any(|&next| next < 700) {
        let mut stuck = true;
        for (which, ring) in [(0, 0), (1, 3)] {
            if next[which] == 700 {
                continue;
            }
            let record = RecordNumber { ring, sequence: next[which] };
            let packet = Packet { record, ..frame.packet(0, T0 + u64::from(next[which])) };
            match encoder.packet(NOW, &packet, &hits[which]) {
                Ok(encoded) => {
                    assert_eq!(encoded.accepted, 2);
                    next[which] += 1;
                    stuck = false;
                }
                Err(_) => refusals += 1,
            }
        }
        while let Some(block) = encoder.pop_sealed() {
            held.push(block);
        }
        if stuck && held.is_empty() {
            encoder.flush_all();
        } else if stuck {
            let block = held.remove(0);
            encoder.recycle(take(block, &mut received));
        }
    }
    encoder.flush_all();
    while let Some(block) = encoder.pop_sealed() {
        held.push(block);
    }
    for block in held {
        take(block, &mut received);
    }
    assert!(refusals > 10, "the test has to fill the arena");
    assert_eq!(received.len(), 4);
    assert!(received.values().all(|sequences| sequences.iter().copied().eq(0..700)), "a PDU is missing or doubled");
}

#[test]
fn a_cut_short_record_is_delivered_as_truncated_and_counted() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    open(&mut encoder, 1, &task(1, address(TARGET), Scope::Content, Delivery::Hi2AndHi3, &[1]));
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), &[7; 100]);
    let mut packet = frame.packet(0, T0);
    packet.captured = &frame.bytes[..60];
    encoder.packet(NOW, &packet, &[hit(1, HitSide::Source)]).expect("room");
    let all = pdus(&mut encoder);
    let pdu = &all[&session(1, Interface::Hi3)][0];
    assert_eq!((pdu.truncated, pdu.payload.as_slice()), (true, &frame.bytes[14..60]));
    assert_eq!(deltas(&mut encoder).iter().map(|delta| delta.faults.truncated).sum::<u64>(), 1);
}

#[test]
fn records_that_contradict_themselves_are_counted_and_never_panic() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    open(&mut encoder, 1, &task(1, address(TARGET), Scope::HeadersL4, Delivery::X2Only, &[1]));
    let good = udp_frame(ip(TARGET), ip(OTHER), (1, 2), &[7; 100]);
    let mut record = 0;
    for l3_offset in [0, 14, 15, 200] {
        for l3_end in [0, 14, 34, 200] {
            for l4_end in [0, 34, 42, 500] {
                for captured in [0, 14, 20, 34, 42, 60, 142] {
                    let bad = IpHeader { l3_offset, l3_end, l4_end, ..good.outer.expect("an IP packet") };
                    for (outer, inner, layer) in [
                        (Some(bad), None, HitLayer::Outer),
                        (Some(bad), None, HitLayer::Inner),
                        (good.outer, Some(bad), HitLayer::Inner),
                        (Some(bad), good.outer, HitLayer::Inner),
                        (None, Some(bad), HitLayer::Inner),
                    ] {
                        let captured = &good.bytes[..captured];
                        let packet = Packet { outer, inner, captured, ..good.packet(record, T0) };
                        let hit = TaskHit { layer, ..hit(1, HitSide::Source) };
                        encoder.packet(NOW, &packet, &[hit]).expect("room");
                        record += 1;
                    }
                }
            }
        }
    }
    let all = pdus(&mut encoder);
    let delivered = all[&session(1, Interface::X2)].len() as u64;
    let delta = deltas(&mut encoder)[0];
    assert_eq!(delta.losses.of(LossCause::Malformed) + delivered, u64::from(record));
    assert!(all[&session(1, Interface::X2)].iter().all(|pdu| pdu.payload.len() <= 28));
}

#[test]
fn numberings_go_on_after_a_restart_and_never_begin_anew_silently() {
    let memory = Memory::new(8);
    let spec = task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[1]);
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), b"abc");
    let again = |phase| OpenTask { cin: Cin(1), correlation_id: 5, phase };
    {
        let mut encoder = encoder(&memory, 2);
        open(&mut encoder, 1, &spec);
        for n in 0..4 {
            encoder.packet(NOW, &frame.packet(n, T0), &[hit(1, HitSide::Source)]).expect("room");
        }
    }
    let mut encoder = encoder(&memory, 2);
    assert!(matches!(encoder.open_task(TaskIndex(1), &spec, &again(Phase::New)), Err(OpenError::SequencesExist(_))));
    let other = task(2, address(TARGET), Scope::Content, Delivery::X3Only, &[1]);
    let lost = encoder.open_task(TaskIndex(1), &other, &again(Phase::Resumed));
    assert!(matches!(lost, Err(OpenError::SequencesLost(_))), "another task under the same index has no numbering");
    let opened = encoder.open_task(TaskIndex(1), &spec, &again(Phase::Resumed)).expect("it survived");
    assert_eq!(opened.contexts[0].next_sequence, 4);
    // The card's ring offers the record again that it was at: if it became a PDU it is recognised.
    for n in 3..6 {
        encoder.packet(NOW, &frame.packet(n, T0), &[hit(1, HitSide::Source)]).expect("room");
    }
    let sequences: Vec<_> = pdus(&mut encoder)[&session(1, Interface::X3)].iter().map(|pdu| pdu.sequence).collect();
    assert_eq!(sequences, [4, 5]);
    drop(encoder);

    // Of a ring that it did not come through before, no record is known: nothing is taken for a repetition.
    let mut encoder = self::encoder(&memory, 8);
    encoder.open_task(TaskIndex(1), &spec, &again(Phase::Resumed)).expect("it survived");
    for sequence in 2..4 {
        let packet = Packet { record: RecordNumber { ring: 2, sequence }, ..frame.packet(0, T0) };
        assert_eq!(encoder.packet(NOW, &packet, &[hit(1, HitSide::Source)]).expect("room").accepted, 1);
    }
    drop(encoder);
    let mut encoder = self::encoder(&memory, 8);
    encoder.open_task(TaskIndex(1), &spec, &again(Phase::Resumed)).expect("it survived");
    for (sequence, replayed) in [(3, 1), (4, 0), (3, 0)] {
        let packet = Packet { record: RecordNumber { ring: 2, sequence }, ..frame.packet(0, T0) };
        assert_eq!(encoder.packet(NOW, &packet, &[hit(1, HitSide::Source)]).expect("room").replayed, replayed);
    }
}

/// The last PDU of a task may be of a record of a former life of the card, or of one half the circle of numbers ago: neither says anything of records
/// to come.
#[test]
fn only_the_record_that_a_ring_was_at_can_come_again() {
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), b"abc");
    let spec = task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[1]);
    for (next, sequence, replayed) in [
        (1_000_000, 1_000_000, 1),
        (17, 1_000_000, 0),
        (17, 999_999, 0),
        (17, 17, 0),
        (3_000_000_000, 3_000_000_000, 0),
    ] {
        let memory = Memory::new(8);
        let record = |sequence| Packet { record: RecordNumber { ring: 0, sequence }, ..frame.packet(0, T0) };
        {
            let mut encoder = encoder(&memory, 2);
            open(&mut encoder, 1, &spec);
            encoder.packet(NOW, &record(1_000_000), &[hit(1, HitSide::Source)]).expect("room");
        }
        let mut encoder = encoder(&memory, 2);
        let again = OpenTask { cin: Cin(1), correlation_id: 5, phase: Phase::Resumed };
        encoder.open_task(TaskIndex(1), &spec, &again).expect("it survived");
        encoder.card_taken_over(&[
            RecordNumber { ring: 1, sequence: 1_000_000 },
            RecordNumber { ring: 0, sequence: next },
        ]);
        let encoded = encoder.packet(NOW, &record(sequence), &[hit(1, HitSide::Source)]).expect("room");
        assert_eq!((encoded.replayed, encoded.accepted), (replayed, 1 - replayed), "{next} {sequence}");
    }
}

#[test]
fn what_cannot_be_opened_leaves_no_trace() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    let spec = task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[1, 9]);
    let open = OpenTask { cin: Cin(1), correlation_id: 0, phase: Phase::New };
    assert_eq!(
        encoder.open_task(TaskIndex(1), &spec, &open),
        Err(OpenError::SessionUnknown(session(9, Interface::X3)))
    );
    assert_eq!(encoder.usage().contexts_used, 0);
    let restarted = OpenTask { phase: Phase::Restarted, ..open };
    let spec = task(1, address(TARGET), Scope::Content, Delivery::X3Only, &[1]);
    assert_eq!(encoder.open_task(TaskIndex(1), &spec, &restarted), Err(OpenError::CorrelationId));
    encoder.open_task(TaskIndex(1), &spec, &open).expect("good");
    assert_eq!(encoder.open_task(TaskIndex(1), &spec, &open), Err(OpenError::Index(TaskIndex(1))));
}

/// After the numbers were lost: a new CIN, cINReset, IRI-Begin, and numbers from 0.
#[test]
fn a_restarted_numbering_says_so_and_begins_at_zero() {
    let memory = Memory::new(8);
    let mut encoder = encoder(&memory, 2);
    let spec = task(1, address(TARGET), Scope::Content, Delivery::Hi2AndHi3, &[1]);
    let restarted = OpenTask { cin: Cin(77), correlation_id: 3, phase: Phase::Restarted };
    encoder.open_task(TaskIndex(1), &spec, &restarted).expect("a new CIN");
    for _ in 0..2 {
        encoder.announce_reset(TaskIndex(1), TaiNs(T0), NOW).expect("room");
        encoder.announce_task(TaskIndex(1), TaiNs(T0), NOW).expect("room");
    }
    let frame = udp_frame(ip(TARGET), ip(OTHER), (1, 2), b"abc");
    encoder.packet(NOW, &frame.packet(0, T0), &[hit(1, HitSide::Source)]).expect("room");
    let all = pdus(&mut encoder);
    let kinds = |interface| all[&session(1, interface)].iter().map(|pdu| (pdu.kind, pdu.sequence)).collect::<Vec<_>>();
    assert_eq!(kinds(Interface::Hi2), [(Kind::CinReset, 0), (Kind::Notice, 0), (Kind::Iri, 0)]);
    assert_eq!(kinds(Interface::Hi3), [(Kind::CinReset, 0), (Kind::Content, 0)]);
    assert!(all[&session(1, Interface::Hi3)].iter().all(|pdu| pdu.cin == 77));
}

/// Killed while a task was being opened: some of its rows are there, no number was given out.
#[test]
fn a_half_opened_task_can_be_opened_again() {
    let spec = task(1, address(TARGET), Scope::Content, Delivery::Hi2AndHi3, &[1, 2]);
    for phase in [Phase::New, Phase::Resumed] {
        for fuse in 0..60 {
            let memory = Memory::new(8);
            drop(encoder(&memory, 2));
            let open = |phase| OpenTask { cin: Cin(1), correlation_id: 0, phase };
            let killed = {
                let mut first = encoder(&memory, 2);
                memory.set_fuse(Some(fuse));
                let killed =
                    common::memory::until_killed(|| drop(first.open_task(TaskIndex(1), &spec, &open(Phase::New))))
                        .is_err();
                memory.set_fuse(None);
                killed
            };
            if !killed {
                break;
            }
            let mut second = encoder(&memory, 2);
            let opened = match second.open_task(TaskIndex(1), &spec, &open(phase)) {
                Err(OpenError::SequencesLost(_)) if phase == Phase::Resumed => {
                    second.open_task(TaskIndex(1), &spec, &open(Phase::New))
                }
                other => other,
            };
            let opened = opened.unwrap_or_else(|error| panic!("fuse {fuse}: {error}"));
            assert_eq!(opened.contexts.len(), 6);
            assert!(opened.contexts.iter().all(|context| context.next_sequence == 0));
            assert_eq!(second.usage().contexts_used, 6, "no row is left over");
        }
    }
}
