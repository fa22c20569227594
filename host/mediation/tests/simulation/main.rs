//! The whole chain from record to peer under faults, in virtual time: a seed is a run, and the same seed is the same run.
//!
//! What is checked after every run: each task got exactly what its order names, in order and once after removing duplicates;
//! numbers are gapless; duplicates are octet for octet the same and no more than the unconfirmed window; every packet is accounted
//! for; all memory came back. `WRIT_SIMULATION_SEEDS=n` runs n seeds of each kind instead of the few that every test run affords;
//! `WRIT_SIMULATION_SEED=s` runs that one.

#[path = "../common/mod.rs"]
mod common;
mod peer;
mod storage;
mod world;

use common::delivered::{Kind, Pdu};
use std::collections::BTreeMap;
use world::{Expected, Plan, WINDOW_BYTES, World};
use writ_handover::pspdu::AccessEventType;
use writ_mediation::{
    task::TaskSpec,
    units::{DestinationIndex, Interface, SessionKey, TaskIndex},
};

const QUIET: Plan = Plan {
    seed: 1,
    steps: 600,
    blocks: 24,
    cap_blocks: 24,
    resets: false,
    kills: false,
    disk_faults: false,
    written: false,
};

fn seeds(few: u64) -> Vec<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    match (number("WRIT_SIMULATION_SEED"), number("WRIT_SIMULATION_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(count)) => (1..=count).collect(),
        (None, None) => (1..=few).collect(),
    }
}

fn run(plan: Plan) -> World {
    let mut world = World::new(plan);
    for _ in 0..plan.steps {
        world.step(true);
    }
    world.settle();
    world
}

fn packet_kind(interface: Interface) -> Kind {
    match interface {
        Interface::Hi2 => Kind::Iri,
        Interface::Hi3 => Kind::Content,
        Interface::X2 => Kind::X2,
        Interface::X3 => Kind::X3,
    }
}

fn name_of(spec: &TaskSpec, interface: Interface) -> String {
    if interface.is_handover() {
        spec.liid.text()
    } else {
        spec.xid.0.iter().map(|octet| format!("{octet:02x}")).collect()
    }
}

/// The PDUs of a task's packets as the peer has them, by number.
fn received<'w>(world: &'w World, spec: &TaskSpec, destination: DestinationIndex) -> BTreeMap<u32, &'w Pdu> {
    let interface = spec.packet_interface();
    let name = name_of(spec, interface);
    let peer = world.peer(SessionKey { destination, interface });
    let wanted = |pdu: &&Pdu| pdu.kind == packet_kind(interface) && pdu.name == name && pdu.event.is_none();
    peer.received.values().filter(wanted).map(|pdu| (pdu.sequence, pdu)).collect()
}

fn as_expected(pdu: &Pdu) -> Expected {
    Expected { payload: pdu.payload.clone(), way: pdu.way, time_us: pdu.time_us }
}

/// Exactly what was ordered, once, in order, under gapless numbers.
fn check_exact(world: &World) {
    let seed = world.plan.seed;
    let nothing = Vec::new();
    for (index, spec) in &world.tasks {
        for &destination in &spec.destinations {
            let expected = world.expected.get(&(*index, destination)).unwrap_or(&nothing);
            let got = received(world, spec, destination);
            // On HI2 the IRI-Begin has number 0.
            let first = u32::from(spec.packet_interface() == Interface::Hi2);
            let numbers: Vec<u32> = got.keys().copied().collect();
            let wanted: Vec<u32> = (first..first + expected.len() as u32).collect();
            let differ = wanted.iter().zip(&numbers).position(|(wanted, number)| wanted != number);
            let (have, want) = (numbers.len(), wanted.len());
            assert!(
                numbers == wanted,
                "seed {seed}, task {index:?}, {destination:?}: {have} of {want} PDUs, first difference at {differ:?}"
            );
            for (number, (pdu, expected)) in got.values().zip(expected).enumerate() {
                assert_eq!(
                    as_expected(pdu),
                    *expected,
                    "seed {seed}, task {index:?}, {destination:?}: packet {number}"
                );
            }
        }
    }
    check_nothing_else(world);
}

/// No PDU that no task explains, and the events of each task around its packets.
fn check_nothing_else(world: &World) {
    let mut explained = 0;
    for (_, spec) in &world.tasks {
        for &destination in &spec.destinations {
            explained += received(world, spec, destination).len();
            if spec.delivery.is_handover() {
                explained += check_events(world, spec, destination);
            }
        }
    }
    let total: usize = world.peers().map(|(_, peer)| peer.received.len()).sum();
    assert_eq!(total, explained, "seed {}: every PDU is explained by a task", world.plan.seed);
}

fn check_events(world: &World, spec: &TaskSpec, destination: DestinationIndex) -> usize {
    let peer = world.peer(SessionKey { destination, interface: Interface::Hi2 });
    let name = spec.liid.text();
    let of = |kind: Kind| peer.received.values().filter(move |pdu| pdu.kind == kind);
    let notices: Vec<u32> = of(Kind::Notice).filter(|pdu| pdu.name == name).map(|pdu| pdu.sequence).collect();
    assert_eq!(notices, [0, 1], "seed {}: HI1 activation and deactivation", world.plan.seed);
    let events: Vec<_> = of(Kind::Iri).filter(|pdu| pdu.name == name && pdu.event.is_some()).collect();
    assert_eq!(events.len(), 2, "seed {}: begin and end", world.plan.seed);
    assert_eq!((events[0].sequence, events[0].event), (0, Some(AccessEventType::StartOfInterceptionWithSessionActive)));
    assert_eq!(events[1].event, Some(AccessEventType::EndOfInterceptionWithSessionActive));
    let last = of(Kind::Iri).filter(|pdu| pdu.name == name).map(|pdu| pdu.sequence).max();
    assert_eq!(last, Some(events[1].sequence), "seed {}: the end is the last", world.plan.seed);
    4
}

/// No repetition is longer than the unconfirmed window (and the run that was begun in it).
fn check_window(world: &World) {
    for (key, peer) in world.peers() {
        let longest = WINDOW_BYTES + 64 * 1024 + 2048;
        let (seed, most) = (world.plan.seed, peer.duplicate_bytes_max);
        assert!(most <= longest, "seed {seed}, {key:?}: {most} bytes sent again on one connection");
    }
}

fn check_balance(world: &mut World) {
    let buffered = world.buffered_packets();
    let tasks: Vec<(TaskIndex, TaskSpec)> = world.tasks.clone();
    let mut by_session: BTreeMap<SessionKey, (u64, u64)> = BTreeMap::new();
    for (index, _) in &tasks {
        for (session, account) in world.ledger.task(*index) {
            let sums = by_session.entry(session).or_default();
            sums.0 += account.carried.packets + account.selected_packets;
            sums.1 += account.delivered.packets + account.withheld.packets + account.losses.total();
            assert!(account.faults.truncated == 0);
        }
    }
    for (session, (taken, accounted)) in by_session {
        assert_eq!(taken, accounted + buffered[&session], "seed {}, {session:?}: the books", world.plan.seed);
    }
}

#[test]
fn a_quiet_day() {
    for seed in seeds(3) {
        let mut world = run(Plan { seed, ..QUIET });
        check_exact(&world);
        check_balance(&mut world);
        assert!(world.peers().all(|(_, peer)| peer.duplicates == 0 && peer.connections == 1));
        assert!(world.peers().map(|(_, peer)| peer.answered).sum::<u64>() > 10, "peers' keep-alives are answered");
    }
}

#[test]
fn connections_break_and_peers_are_slow_or_away() {
    let mut duplicates = 0;
    for seed in seeds(8) {
        let mut world = run(Plan { seed, resets: true, ..QUIET });
        check_exact(&world);
        check_window(&world);
        check_balance(&mut world);
        duplicates += world.peers().map(|(_, peer)| peer.duplicates).sum::<u64>();
    }
    assert!(duplicates > 0, "the test has to break connections with something under way");
}

#[test]
fn the_books_balance_at_every_moment() {
    for seed in seeds(2) {
        let plan = Plan { seed, resets: true, blocks: 16, cap_blocks: 2, steps: 300, ..QUIET };
        let mut world = World::new(plan);
        for step in 0..plan.steps {
            world.step(true);
            if step % 20 == 0 {
                check_balance(&mut world);
            }
        }
    }
}

#[test]
fn the_host_is_killed_at_any_store_and_the_disk_fails() {
    let (mut crashes, mut duplicates) = (0, 0);
    for seed in seeds(16) {
        let world = run(Plan { seed, resets: true, kills: true, disk_faults: true, ..QUIET });
        check_exact(&world);
        check_window(&world);
        crashes += world.crashes;
        duplicates += world.peers().map(|(_, peer)| peer.duplicates).sum::<u64>();
    }
    assert!(crashes > 8 && duplicates > 0, "the test has to kill: {crashes} crashes, {duplicates} duplicates");
}

/// With a small share of memory a slow destination loses packets: its own, counted, and under numbers that stay unused.
#[test]
fn slow_destinations_lose_their_own_packets_only() {
    let mut lost = 0;
    for seed in seeds(6) {
        let mut world = run(Plan { seed, resets: true, blocks: 16, cap_blocks: 2, steps: 1500, ..QUIET });
        check_balance(&mut world);
        let mut missing = 0;
        for (index, spec) in world.tasks.clone() {
            for &destination in &spec.destinations {
                let got = received(&world, &spec, destination);
                let expected = &world.expected[&(index, destination)];
                let first = u32::from(spec.packet_interface() == Interface::Hi2);
                missing += expected.len() - got.len();
                for (number, pdu) in got {
                    // A lost packet uses up its number, so the number tells which packet it is.
                    assert_eq!(as_expected(pdu), expected[(number - first) as usize], "seed {seed}, task {index:?}");
                }
            }
        }
        assert_eq!(missing as u64, world.lost, "seed {seed}: what is missing was counted as lost");
        lost += world.lost;
    }
    assert!(lost > 0, "the test has to run out of memory");
}

#[test]
fn written_sends_the_last_part_again() {
    for seed in seeds(4) {
        let world = run(Plan { seed, written: true, ..QUIET });
        check_exact(&world);
        assert!(world.peers().all(|(_, peer)| peer.duplicates == 0));
    }
}

/// After a power failure the arena is gone; what was in the journals is not, and nothing had been sent that is not in them.
#[test]
fn what_was_sent_on_hi2_and_x2_survives_a_power_failure() {
    let mut checked = 0;
    for seed in seeds(12) {
        let plan = Plan { seed, resets: true, disk_faults: true, ..QUIET };
        let mut world = World::new(plan);
        for _ in 0..100 + seed % 300 {
            world.step(true);
        }
        checked += world.power_failure();
    }
    assert!(checked > 100, "the test has to cut power with something under way: {checked}");
}
