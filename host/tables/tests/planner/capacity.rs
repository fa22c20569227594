//! Full tables, long moves, keys made to collide.

use crate::card::*;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use writ_abi::limits;
use writ_tables::*;

/// SplitMix64: the same numbers on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn one_target(index: u32, target: Target) -> Change {
    Change::Add(Task { targets: vec![target], ..task(index, [0], Scope::Content, 0) })
}

/// Adds targets one by one until one does not fit; the share of the table that is in use then.
fn fill(table: Table, mut next: impl FnMut() -> Target) -> f64 {
    let mut tables = Tables::new(Geometry::ABI);
    let mut card = Card::new(Geometry::ABI);
    let mut keys = BTreeSet::new();
    let mut longest_chain = 0;
    for index in 0.. {
        let target = next();
        let change = [one_target(index, target)];
        let plan = match tables.plan(&change) {
            Ok(plan) => plan,
            Err(Refusal::TableFull { area: full, rows_used, rows, .. }) => {
                assert_eq!((full, rows_used as usize), (Area::Table(table), keys.len()));
                for key in &keys {
                    assert_eq!(card.copies(key).len(), 1, "a key was lost on the way");
                }
                assert_eq!(card.rows.len(), keys.len());
                println!("{table:?} table: {rows_used} of {rows} rows, longest chain {longest_chain}");
                return f64::from(rows_used) / f64::from(rows);
            }
            Err(other) => panic!("unexpected refusal: {other}"),
        };
        longest_chain = longest_chain.max(plan.summary().moved);
        tables.begin(plan).expect("nothing else is open");
        execute(&mut tables, &mut card);
        keys.insert(key_of(&target));
    }
    unreachable!("the table has an end")
}

#[test]
fn random_addresses_fill_the_address_table() {
    let mut numbers = Numbers(1);
    let load = fill(Table::Address, || match numbers.next() {
        number if number & 1 == 0 => Target::Ipv4(Ipv4Addr::from(0x0b00_0000 | (number >> 40) as u32)),
        number => Target::Ipv6(Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(number) << 20)),
    });
    assert!(load > 0.93, "load {load}");
}

#[test]
fn neighbouring_addresses_fill_the_address_table() {
    // A carrier's pool: one address after the other. The hash is linear, which neighbours must not feel.
    let mut address = 0x0a40_0000;
    let load = fill(Table::Address, || {
        address += 1;
        Target::Ipv4(Ipv4Addr::from(address))
    });
    assert!(load > 0.93, "load {load}");
}

/// One address out of each of many consecutive prefixes. A linear hash gives such keys as many rows of a way as its rank on the bits that differ.
#[test]
fn prefixes_of_homes_fill_what_the_hash_gives_them() {
    let mut number = 0_u128;
    let load = fill(Table::Address, || {
        number += 1;
        Target::Ipv6(Ipv6Addr::from(0x2001_0db8_u128 << 96 | number << 72 | 1))
    });
    assert!(load > 0.93, "load {load}");
}

#[test]
fn endpoints_fill_the_endpoint_table() {
    let mut numbers = Numbers(2);
    let load = fill(Table::Endpoint, || {
        let number = numbers.next();
        let address = Ipv4Addr::from(0x0a00_0000 | (number & 0xffff) as u32).into();
        let protocol = if number >> 16 & 1 == 0 { Protocol::Udp } else { Protocol::Tcp };
        Target::Endpoint { address, protocol, port: 10_000 + (number >> 32 & 0x3fff) as u16 }
    });
    assert!(load > 0.93, "load {load}");
}

#[test]
fn fifteen_thousand_targets_in_one_plan() {
    let mut tables = Tables::new(Geometry::ABI);
    let mut card = Card::new(Geometry::ABI);
    let changes: Vec<Change> =
        (0..15_000).map(|number| one_target(number, Target::Ipv4(Ipv4Addr::from(0x0a00_0001 + number * 3)))).collect();
    let plan = tables.plan(&changes).expect("15000 of 16384 rows");
    assert_eq!(plan.summary().added, 15_000);
    // Chains that have nothing to do with each other share batches.
    assert!(plan.batches().count() < 100, "{} batches", plan.batches().count());
    tables.begin(plan).expect("nothing else is open");
    execute(&mut tables, &mut card);
    let plain = Plain::default().with(&changes).expect("new tasks");
    for key in plain.expected().keys() {
        assert_eq!(card.copies(key).len(), 1);
    }
    let removal: Vec<Change> = (0..15_000).map(|number| Change::Remove(TaskIndex(number))).collect();
    apply(&mut tables, &mut card, &removal);
    assert!(card.rows.is_empty());
    assert_eq!(tables.usage().indices_quarantined, 15_000);
}

/// Addresses whose keys have the same row in every way. The hash is linear, so they differ by elements of its kernel, which elimination finds.
fn colliding_addresses() -> Vec<Ipv6Addr> {
    let hash = |address: u128| {
        let places = Geometry::ABI.places_of(&Target::Ipv6(Ipv6Addr::from(address)).keys(None)[0]);
        places.expect("an exact key").iter().fold(0_u64, |bits, place| bits << 13 | u64::from(place.row))
    };
    let base = 0x2001_0db8_u128 << 96;
    let mut kernel = Vec::new();
    let mut echelon: Vec<(u64, u128)> = Vec::new();
    for bit in 0..96 {
        let (mut image, mut element) = (hash(base ^ 1 << bit) ^ hash(base), 1_u128 << bit);
        for (other_image, other) in &echelon {
            if image & (1 << other_image.ilog2()) != 0 {
                image ^= other_image;
                element ^= other;
            }
        }
        if image == 0 { kernel.push(element) } else { echelon.push((image, element)) }
    }
    assert!(echelon.len() <= 52 && kernel.len() >= 44);
    let mut addresses = vec![base];
    addresses.extend(kernel.iter().map(|element| base ^ element));
    assert!(addresses.iter().all(|address| hash(*address) == hash(base)));
    addresses.into_iter().map(Ipv6Addr::from).collect()
}

#[test]
fn keys_made_to_collide_are_refused_and_harm_nobody() {
    let mut tables = Tables::new(Geometry::ABI);
    let mut card = Card::new(Geometry::ABI);
    let addresses = colliding_addresses();
    let (fitting, rest) = addresses.split_at(limits::WAYS);
    for (index, address) in fitting.iter().enumerate() {
        apply(&mut tables, &mut card, &[one_target(index as u32, Target::Ipv6(*address))]);
    }
    let before = card.rows.clone();
    for address in rest {
        let change = [one_target(99, Target::Ipv6(*address))];
        let refusal = tables.plan(&change).expect_err("a fifth key in four rows");
        let expected =
            Refusal::TableFull { task: TaskIndex(99), area: Area::Table(Table::Address), rows_used: 4, rows: 32_768 };
        assert_eq!(refusal, expected);
        assert!(!refusal.to_string().contains(&address.to_string()), "a refusal names the target");
    }
    assert!(card.rows == before && tables.usage().tables[0].rows_used == 4);
    // Others are not in their way, and one that goes makes room.
    apply(&mut tables, &mut card, &[one_target(50, target(0))]);
    apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(0))]);
    apply(&mut tables, &mut card, &[one_target(99, Target::Ipv6(rest[0]))]);
}

#[test]
fn one_key_that_does_not_fit_refuses_the_whole_change() {
    let mut tables = Tables::new(Geometry::ABI);
    let addresses = colliding_addresses();
    let many = Task {
        targets: addresses[..5].iter().map(|address| Target::Ipv6(*address)).collect(),
        ..task(0, [0], Scope::Content, 0)
    };
    let changes = [one_target(1, target(0)), Change::Add(many)];
    assert!(matches!(tables.plan(&changes), Err(Refusal::TableFull { task: TaskIndex(0), .. })));
    assert_eq!(tables.tasks().count(), 0);
    assert_eq!(tables.usage(), Tables::new(Geometry::ABI).usage());
    assert!(tables.begin(tables.plan(&changes[..1]).expect("fits")).is_ok());
}

#[test]
fn indices_run_out_before_they_are_reused() {
    let geometry = geometry(64, 64, 3);
    let mut tables = Tables::new(geometry);
    let mut card = Card::new(geometry);
    for index in 0..3 {
        apply(&mut tables, &mut card, &[one_target(index, target(index))]);
    }
    let fourth = [one_target(3, target(3))];
    let refused = |free, quarantined| Err(Refusal::IndicesExhausted { needed: 1, free, quarantined });
    assert_eq!(tables.plan(&fourth).map(|_| ()), refused(0, 0));
    let committed = apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(1))]);
    assert_eq!(tables.plan(&fourth).map(|_| ()), refused(0, 1));
    assert_eq!(tables.counters_cleared(committed.retired[0]), Err(Misuse::NotWaiting));
    assert_eq!(tables.drained(committed.generation), committed.retired);
    assert_eq!(tables.plan(&fourth).map(|_| ()), refused(0, 1));
    assert_eq!(tables.counters_cleared(committed.retired[0]), Ok(()));
    assert_eq!(tables.counters_cleared(committed.retired[0]), Err(Misuse::NotWaiting));
    apply(&mut tables, &mut card, &fourth);
    assert_eq!(tables.find(&target(3).keys(None)[0]).map(|(_, index)| index), Some(committed.retired[0]));
}

#[test]
fn tasks_that_make_no_sense_are_refused() {
    let tables = Tables::new(Geometry::ABI);
    let good = task(4, [1], Scope::Content, 0);
    let refusal = |task: Task| tables.plan(&[Change::Add(task)]).expect_err("a task that makes no sense");
    assert_eq!(refusal(Task { targets: Vec::new(), ..good.clone() }), Refusal::NoTargets(TaskIndex(4)));
    // The end is in the tick in which the task begins: no row would ever be live.
    assert_eq!(refusal(Task { start_ns: good.end_ns, ..good.clone() }), Refusal::EmptyTerm(TaskIndex(4)));
    let targets = vec![Target::Ipv4(Ipv4Addr::BROADCAST)];
    let fault = TargetFault::SharedAddress;
    assert_eq!(refusal(Task { targets, ..good.clone() }), Refusal::BadTarget { task: TaskIndex(4), fault });
    assert!(tables.plan(&[Change::Modify(good.clone())]).is_err_and(|it| it == Refusal::UnknownTask(TaskIndex(4))));
    let twice = [Change::Add(good.clone()), Change::Add(good)];
    assert!(tables.plan(&twice).is_err_and(|refusal| refusal == Refusal::TaskExists(TaskIndex(4))));
}
