//! A card that differs from what it should hold, and how it is put right.

use crate::card::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use writ_abi::command::Command;
use writ_abi::time;
use writ_tables::*;

fn world() -> (Tables, Card, Plain) {
    let changes = [
        Change::Add(task(1, 0..20, Scope::HeadersL4, 3)),
        Change::Add(task(2, 10..30, Scope::Content, 1)),
        Change::Add(task(3, [40, 41, 43], Scope::HeadersL3, 8)),
    ];
    world_of(geometry(16, 8, 200), &changes)
}

fn world_of(geometry: Geometry, changes: &[Change]) -> (Tables, Card, Plain) {
    let (mut tables, mut card) = (Tables::new(geometry), Card::new(geometry));
    apply(&mut tables, &mut card, changes);
    (tables, card, Plain::default().with(changes).expect("new tasks"))
}

fn place_of(tables: &Tables, number: u32) -> Place {
    tables.find(&target(number).keys(Some(PREFIX_BITS))[0]).expect("the target is in the tables").0
}

fn reconcile(tables: &Tables, card: &mut Card) -> Reconciliation {
    let read = card.read_all();
    tables.reconcile(&read, card.clock_ns).expect("nothing is open")
}

fn repair(tables: &mut Tables, card: &mut Card, reconciliation: Reconciliation) {
    tables.begin_repair(reconciliation).expect("nothing is open");
    assert_eq!(execute(tables, card).outcome, Outcome::Repaired);
    assert!(reconcile(tables, card).is_clean());
}

/// A row that the planner did not ask for.
fn plant(card: &mut Card, number: u32, way: usize, index: u32, scope: Scope) -> Place {
    let key = target(number).keys(Some(PREFIX_BITS))[0];
    let place = card.geometry.places_of(&key).expect("an exact key")[way];
    let row = writ_abi::command::Row {
        key: *key.padded_bytes(),
        match_index: MatchIndex::new(index).expect("in range"),
        scope,
        not_after: time::NOT_AFTER_NEVER,
        ring: 0,
    };
    let Area::Table(table) = place.area else { panic!("an exact key") };
    card.execute(&Command::write_row(0, table, place.way, place.row, &row));
    place
}

#[test]
fn a_card_as_it_should_be_is_clean() {
    let (tables, mut card, _) = world();
    let reconciliation = reconcile(&tables, &mut card);
    assert!(reconciliation.is_clean() && reconciliation.is_complete() && reconciliation.writes().is_empty());
}

#[test]
fn every_kind_of_difference_is_named_and_mended() {
    let (mut tables, mut card, plain) = world();
    let missing = place_of(&tables, 0);
    card.rows.remove(&missing);
    // A wider scope and an endless term under the right key.
    let (right, index) = tables.find(&target(40).keys(None)[0]).expect("the target is in the tables");
    let way = usize::from(right.way);
    assert_eq!(plant(&mut card, 40, way, index.value(), Scope::Content), right);
    // Somebody's key that no task names, where nothing should stand.
    let free = (60..200)
        .filter(|number| number % 4 == 0)
        .find_map(|number| {
            let places = card.geometry.places_of(&target(number).keys(Some(PREFIX_BITS))[0]).expect("an exact key");
            let way = places.iter().position(|place| !card.rows.contains_key(place))?;
            Some((number, way))
        })
        .expect("a free place");
    let foreign = plant(&mut card, free.0, free.1, 150, Scope::Content);
    let damaged = place_of(&tables, 43);
    card.rows.get_mut(&damaged).expect("a row").scope = 7;

    let reconciliation = reconcile(&tables, &mut card);
    let found: BTreeSet<String> = reconciliation.differences().iter().map(|each| format!("{each:?}")).collect();
    let different = Difference::Different {
        place: right,
        match_index: false,
        scope: true,
        not_after: true,
        ring: true,
        wider: true,
    };
    let expected =
        [Difference::Missing(missing), Difference::Foreign(foreign), Difference::Damaged(damaged), different];
    assert_eq!(found, expected.iter().map(|each| format!("{each:?}")).collect());
    assert!(
        different.to_string().ends_with("another scope and end and record ring; the card allows more than was ordered")
    );
    // What no order allows goes with the very first batch.
    assert!(reconciliation.writes().iter().any(|write| write.place() == foreign && write.after().is_none()));
    repair(&mut tables, &mut card, reconciliation);
    check_settled(&card, &plain, &tables);
    // The index that the card has used behind our back rests before it is given out.
    assert_eq!(tables.usage().indices_quarantined, 1);
    let rest = MatchIndex::new(150).expect("in range");
    let later = apply(&mut tables, &mut card, &[]);
    assert_eq!(tables.drained(later.generation), [rest]);
}

#[test]
fn a_stray_copy_goes_last() {
    let (mut tables, mut card, plain) = world();
    let home = place_of(&tables, 4);
    let index = tables.find(&target(4).keys(None)[0]).expect("the target is in the tables").1.value();
    let places = card.geometry.places_of(&target(4).keys(None)[0]).expect("an exact key");
    let free = places.iter().position(|place| !card.rows.contains_key(place));
    let stray = plant(&mut card, 4, free.expect("a free place"), index, Scope::Content);
    card.rows.remove(&home);
    let reconciliation = reconcile(&tables, &mut card);
    let places: Vec<_> = reconciliation.writes().iter().map(RowWrite::place).collect();
    assert_eq!(places, [home, stray], "the key has to stand at home before the stray copy goes");
    assert!(reconciliation.differences().contains(&Difference::Stray(stray)));
    repair(&mut tables, &mut card, reconciliation);
    check_settled(&card, &plain, &tables);
}

#[test]
fn expired_rows_may_be_gone_but_not_others() {
    let (tables, mut card, _) = world();
    card.rows.clear();
    let expected = tables.rows().count();
    let end = tables.tasks().map(|task| task.end_ns).max().expect("there are tasks");
    let at = |now_ns| {
        let read: Vec<ReadBack> = tables.places().map(|place| ReadBack { place, row: ReadBackRow::Invalid }).collect();
        tables.reconcile(&read, now_ns).expect("nothing is open").differences().len()
    };
    assert_eq!((at(0), at(end)), (expected, 0));
    assert!(at(end - 1) > 0, "expired a tick too early");
}

#[test]
fn a_card_that_was_reset_is_filled_again() {
    let (mut tables, mut card, plain) = world();
    card.rows.clear();
    let reconciliation = tables.card_was_reset().expect("nothing is open");
    assert_eq!(tables.plan(&[]).map(|_| ()), Err(Refusal::CardUnverified));
    repair(&mut tables, &mut card, reconciliation);
    check_settled(&card, &plain, &tables);
    assert!(tables.is_verified());
}

#[test]
fn a_part_that_is_clean_does_not_make_the_card_verified() {
    let (mut tables, mut card, _) = world();
    tables.card_was_reset().expect("nothing is open");
    let places: Vec<Place> = tables.places().take(10).collect();
    let read: Vec<ReadBack> = places.into_iter().map(|place| card.read_back(place)).collect();
    let reconciliation = tables.reconcile(&read, 0).expect("nothing is open");
    assert!(!reconciliation.is_complete());
    tables.begin_repair(reconciliation).expect("nothing is open");
    execute(&mut tables, &mut card);
    assert!(!tables.is_verified());
    let outside = Place { area: Area::Table(Table::Endpoint), way: 0, row: 8 };
    let read = [ReadBack { place: outside, row: ReadBackRow::Invalid }];
    assert_eq!(tables.reconcile(&read, 0).map(|_| ()), Err(Misuse::NoSuchPlace(outside)));
}

#[test]
fn an_answer_about_another_row_is_damage() {
    let (tables, mut card, _) = world();
    let (place, other) = (place_of(&tables, 0), place_of(&tables, 4));
    let completions = place.read_commands(|| 0).iter().map(|command| card.execute(command)).collect::<Vec<_>>();
    assert!(matches!(ReadBack::parse(place, &completions).row, ReadBackRow::Valid(_)));
    assert_eq!(ReadBack::parse(other, &completions).row, ReadBackRow::Damaged);
}

/// Tables so full that a new key needs long chains, and the changes that add one.
fn crowded() -> (Tables, Card, Plain, Vec<Change>) {
    let geometry = geometry(8, 8, 200);
    let (mut tables, mut card, mut plain) = world_of(geometry, &[]);
    let candidates: Vec<Change> =
        (0..400).map(|number| Change::Add(task(number, [4 * number], Scope::Content, 0))).collect();
    let mut rest = Vec::new();
    for change in candidates {
        let changes = [change];
        if tables.usage().tables[0].rows_used < 29 && tables.plan(&changes).is_ok() {
            apply(&mut tables, &mut card, &changes);
            plain = plain.with(&changes).expect("a new task");
        } else {
            rest.extend(changes);
        }
    }
    (tables, card, plain, rest)
}

/// A chain was carried out to its end and then given up: every moved row stands in the place of the next. The repair has to walk the chain
/// back in order, whatever the order within a batch.
#[test]
fn a_chain_that_was_given_up_is_walked_back_in_order() {
    let mut walked = 0;
    for backwards in [false, true] {
        let (mut tables, mut card, plain, rest) = crowded();
        for change in rest {
            let Ok(plan) = tables.plan(&[change]) else { continue };
            if plan.summary().moved < 2 {
                continue;
            }
            tables.begin(plan).expect("nothing is open");
            loop {
                let batch = tables.next_batch();
                if batch.is_empty() {
                    break;
                }
                for write in batch {
                    send(&mut card, &write);
                    tables.confirm(write.id()).expect("handed out");
                }
            }
            tables.abandon().expect("a plan is open");
            let reconciliation = reconcile(&tables, &mut card);
            tables.begin_repair(reconciliation).expect("nothing is open");
            loop {
                let mut batch = tables.next_batch();
                if batch.is_empty() {
                    break;
                }
                if backwards {
                    batch.reverse();
                }
                for write in batch {
                    send(&mut card, &write);
                    tables.confirm(write.id()).expect("handed out");
                    let all_found = plain.expected().keys().all(|key| card.find(key).is_some());
                    assert!(all_found, "a key went away in the repair");
                }
            }
            let committed = tables.commit(card.clock_ns).expect("all writes are confirmed");
            check_settled(&card, &plain, &tables);
            for index in tables.drained(committed.generation) {
                tables.counters_cleared(index).expect("the index waits for it");
            }
            walked += 1;
        }
    }
    assert!(walked >= 10, "only {walked} chains were long enough");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Whatever happened to a card's rows, a repair puts them right, and keys that are found stay found unless rows stand in a circle.
    #[test]
    fn any_card_is_mended(damage in vec((0..120_u32, 0..4_usize, 0..200_u32, 0..4_u8), 0..30)) {
        let (mut tables, mut card, plain) = world();
        for (number, way, index, what) in damage {
            let key = target(number).keys(Some(PREFIX_BITS))[0];
            let Some(places) = card.geometry.places_of(&key) else { continue };
            let place = places[way];
            let at = place;
            match what {
                0 => { card.rows.remove(&at); }
                1 | 2 => { plant(&mut card, number, way, index, Scope::Content); }
                _ => if let Some(row) = card.rows.get_mut(&at) { row.match_index = [255; 3]; },
            }
        }
        let reconciliation = reconcile(&tables, &mut card);
        prop_assert_eq!(reconciliation.is_clean(), reconciliation.writes().is_empty());
        repair(&mut tables, &mut card, reconciliation);
        check_settled(&card, &plain, &tables);
    }

    /// A plan that broke off anywhere and was given up leaves a card that a repair mends without losing a key on the way.
    #[test]
    fn a_plan_that_broke_off_is_mended_without_a_gap(
        old in vec(0..60_u32, 20..28),
        new in vec(0..90_u32, 1..8),
        broke_off in 0..20_usize,
    ) {
        // So full that keys have to move.
        let geometry = geometry(8, 8, 200);
        let before = [Change::Add(task(1, old, Scope::HeadersL4, 3)), Change::Add(task(3, [3, 7], Scope::Content, 3))];
        let (mut tables, mut card, plain) = world_of(geometry, &before);
        let changes = [Change::Add(task(2, new, Scope::Content, 0)), Change::Remove(TaskIndex(3))];
        let Ok(plan) = tables.plan(&changes) else { return Ok(()) };
        let after = plain.with(&changes).expect("the tasks are there");
        tables.begin(plan).expect("nothing is open");
        'plan: for count in 0.. {
            for write in tables.next_batch() {
                if count >= broke_off {
                    break 'plan;
                }
                send(&mut card, &write);
                tables.confirm(write.id()).expect("handed out");
            }
            if tables.next_batch().is_empty() {
                break;
            }
        }
        tables.abandon().expect("a plan is open");
        let reconciliation = reconcile(&tables, &mut card);
        tables.begin_repair(reconciliation).expect("nothing is open");
        let common: Vec<KeyBytes> =
            plain.expected().into_keys().filter(|key| after.expected().contains_key(key)).collect();
        loop {
            let batch = tables.next_batch();
            if batch.is_empty() {
                break;
            }
            for write in batch {
                send(&mut card, &write);
                tables.confirm(write.id()).expect("handed out");
                prop_assert!(common.iter().all(|key| card.find(key).is_some()), "a key went away in the repair");
            }
        }
        tables.commit(card.clock_ns).expect("all writes are confirmed");
        check_settled(&card, &plain, &tables);
    }
}
