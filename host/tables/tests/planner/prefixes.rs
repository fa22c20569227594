//! Random changes: what has to hold after every single write, whatever part of a batch succeeds, whatever the card refuses.

use crate::card::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use writ_abi::command::{Command, Status};
use writ_abi::hash;
use writ_tables::*;

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Changes(Vec<Change>),
    /// The rings are drained up to the last change; that many indices get their counters cleared.
    Drain(usize),
}

fn any_scope() -> impl Strategy<Value = Scope> + Clone {
    prop::sample::select(Scope::ALL.to_vec())
}

/// Few tasks and few targets, so that tasks meet on keys.
fn any_change() -> impl Strategy<Value = Change> {
    let content = (0..10_u32, vec(0..56_u32, 1..9), any_scope(), 0..6_u64);
    let any_task = content.prop_map(|(index, targets, scope, end)| task(index, targets, scope, end));
    prop_oneof![
        3 => any_task.clone().prop_map(Change::Add),
        3 => any_task.prop_map(Change::Modify),
        2 => (0..10_u32).prop_map(|index| Change::Remove(TaskIndex(index))),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => vec(any_change(), 1..4).prop_map(Step::Changes),
        1 => (0..20_usize).prop_map(Step::Drain),
    ]
}

/// Tables so small that moves, refusals and full tables are common.
fn small() -> Geometry {
    geometry(8, 4, 96)
}

struct World {
    tables: Tables,
    card: Card,
    plain: Plain,
    last: Option<Generation>,
    /// Indices that may not be given out, with whether their rings are drained.
    resting: BTreeSet<MatchIndex>,
}

impl World {
    fn new() -> Self {
        let (tables, card) = (Tables::new(small()), Card::new(small()));
        Self { tables, card, plain: Plain::default(), last: None, resting: BTreeSet::new() }
    }

    /// The plan for some changes and the state that they lead to, or `None` if they are refused. Checks that a refusal is right.
    fn plan(&self, changes: &[Change]) -> Option<(Plan, Plain)> {
        let after = self.plain.with(changes);
        match self.tables.plan(changes) {
            Ok(plan) => Some((plan, after.expect("a senseless change was planned"))),
            Err(Refusal::TaskExists(_) | Refusal::UnknownTask(_)) => {
                assert!(after.is_none(), "a sensible change was refused");
                None
            }
            Err(Refusal::RulesOverlap { .. }) => {
                let after = after.expect("senseless changes are refused first");
                assert!(count_of_rules(&self.plain, &after) > 2 * 4, "refused, but every rule may have a bank");
                None
            }
            Err(Refusal::TableFull { area: Area::Rules, .. }) => {
                let after = after.expect("senseless changes are refused first");
                assert!(count_of_rules(&self.plain, &after) > 6, "refused, but a single bank would hold all rules");
                None
            }
            Err(Refusal::TableFull { area, .. }) => {
                let after = after.expect("senseless changes are refused first").expected();
                let mut keys: BTreeSet<KeyBytes> = self.plain.expected().into_keys().collect();
                keys.extend(after.into_keys());
                let of_table: Vec<_> = keys.iter().filter(|key| key.0 == area).collect();
                assert!(!all_fit(small(), of_table), "refused, but there is a way to place all keys");
                None
            }
            Err(Refusal::IndicesExhausted { needed, free, .. }) => {
                assert!(needed > free);
                None
            }
            Err(other) => panic!("unexpected refusal: {other}"),
        }
    }

    fn drain(&mut self, count: usize) {
        let Some(generation) = self.last else { return };
        self.tables.drained(generation);
        let due: Vec<_> = self.tables.counters_due().take(count).collect();
        for index in due {
            self.tables.counters_cleared(index).expect("the index waits for it");
            assert!(self.resting.remove(&index), "an index rested that was in use");
            assert_eq!(self.tables.fan_out().shares(index), None);
        }
    }

    fn committed(&mut self, committed: Committed) {
        for index in &committed.retired {
            assert!(self.resting.insert(*index), "an index retired twice");
            assert!(self.tables.fan_out().shares(*index).is_some(), "a resting index does not resolve");
        }
        self.last = Some(committed.generation);
        self.check_resting();
    }

    fn check_resting(&self) {
        for (_, row) in self.tables.rows() {
            assert!(!self.resting.contains(&row.match_index), "a resting index was given out");
        }
    }
}

/// Rules that the card may have to hold at once on the way from one state to another.
fn count_of_rules(before: &Plain, after: &Plain) -> usize {
    let keys: BTreeSet<KeyBytes> = before.expected().into_keys().chain(after.expected().into_keys()).collect();
    keys.iter().filter(|key| key.0 == Area::Rules).count()
}

/// Whatever the card may return while a plan is under way finds all tasks that are entitled before and after.
fn check_staged_fan_out(tables: &Tables, card: &Card, before: &Plain, after: &Plain) {
    let fan_out = tables.fan_out();
    for key in card.keys() {
        let Some((index, ..)) = card.find(&key) else { continue };
        let index = MatchIndex::new(index).expect("checked by the card");
        let shares = fan_out.shares(index).expect("what the card returns resolves");
        let here: BTreeSet<TaskIndex> = shares.iter().map(|share| share.task).collect();
        assert!(before.holders(&key).is_subset(&here) && after.holders(&key).is_subset(&here));
        for share in shares.iter().filter(|share| share.covers(card.clock_ns)) {
            let scopes = [before, after].map(|plain| plain.0.get(&share.task).map(|task| task.scope));
            let least = scopes.into_iter().flatten().min();
            let both = before.holders(&key).contains(&share.task) && after.holders(&key).contains(&share.task);
            assert!(!both || Some(share.scope) == least, "a changing share shows more than both orders allow");
        }
    }
}

/// Moves that a new key needs at least, by a search of its own: rings of places around the key's own four.
fn moves_needed(card: &Card, (area, key): &KeyBytes) -> Option<usize> {
    let Area::Table(table) = *area else { return Some(0) };
    let rows_per_way = card.geometry.rows_per_way(*area);
    let places = |key: &[u8]| hash::rows(key, rows_per_way).into_iter().enumerate().map(|(way, row)| (way as u8, row));
    let mut ring: BTreeSet<(u8, u32)> = places(key).collect();
    let mut seen = ring.clone();
    for moves in 0.. {
        let occupant = |&(way, row): &(u8, u32)| card.rows.get(&Place { area: *area, way, row });
        if ring.iter().any(|place| occupant(place).is_none()) {
            return Some(moves);
        }
        let next = ring.iter().filter_map(occupant).flat_map(|row| places(&row.key[..table.key_bytes()]));
        ring = next.filter(|place| !seen.contains(place)).collect();
        seen.extend(&ring);
        if ring.is_empty() {
            return None;
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_prefix_of_every_plan_finds_what_it_should(history in vec(any_step(), 1..40)) {
        let mut world = World::new();
        for step in history {
            let changes = match step {
                Step::Drain(count) => {
                    world.drain(count);
                    continue;
                }
                Step::Changes(changes) => changes,
            };
            let untouched = (world.tables.rows().map(|(place, row)| (place, *row)).collect::<Vec<_>>(), world.tables.usage());
            let Some((plan, after)) = world.plan(&changes) else {
                let now = (world.tables.rows().map(|(place, row)| (place, *row)).collect::<Vec<_>>(), world.tables.usage());
                prop_assert_eq!(untouched, now, "a refusal changed something");
                continue;
            };
            let summary = plan.summary();
            prop_assert_eq!(plan.writes().len(), summary.added + summary.rewritten + summary.moved + summary.cleared);
            world.tables.begin(plan).expect("nothing else is open");
            let mut found = BTreeSet::new();
            check_between(&world.card, &world.plain, &after, &mut found);
            loop {
                let batch = world.tables.next_batch();
                if batch.is_empty() {
                    break;
                }
                for write in batch {
                    send(&mut world.card, &write);
                    check_between(&world.card, &world.plain, &after, &mut found);
                    check_staged_fan_out(&world.tables, &world.card, &world.plain, &after);
                    world.tables.confirm(write.id()).expect("the write was handed out");
                }
            }
            let committed = world.tables.commit(world.card.clock_ns).expect("all writes are confirmed");
            world.plain = after;
            world.committed(committed);
            check_settled(&world.card, &world.plain, &world.tables);
        }
    }

    #[test]
    fn any_part_of_a_batch_may_fail(
        history in vec(vec(any_change(), 1..4), 1..25),
        mut coins in vec(any::<bool>(), 64),
    ) {
        let mut world = World::new();
        coins.push(true);
        let mut coins = coins.into_iter().cycle();
        for changes in history {
            let Some((plan, after)) = world.plan(&changes) else { continue };
            world.tables.begin(plan).expect("nothing else is open");
            let mut found = BTreeSet::new();
            // Some writes of a batch fail, and are handed out again until all are done.
            loop {
                let batch = world.tables.next_batch();
                if batch.is_empty() {
                    break;
                }
                for write in batch {
                    if coins.next() == Some(true) {
                        send(&mut world.card, &write);
                        world.tables.confirm(write.id()).expect("the write was handed out");
                    }
                    check_between(&world.card, &world.plain, &after, &mut found);
                }
            }
            let committed = world.tables.commit(world.card.clock_ns).expect("all writes are confirmed");
            world.plain = after;
            world.committed(committed);
            check_settled(&world.card, &world.plain, &world.tables);
        }
    }

    #[test]
    fn a_way_back_is_as_safe_as_the_way_there(
        history in vec((vec(any_change(), 1..4), 0..12_usize, any::<u64>()), 1..25),
    ) {
        let mut world = World::new();
        for (changes, turn_after, coins) in history {
            let Some((plan, after)) = world.plan(&changes) else { continue };
            let before_card = world.card.rows.clone();
            world.tables.begin(plan).expect("nothing else is open");
            let mut found = BTreeSet::new();
            let mut turned = false;
            let mut written = 0;
            loop {
                let batch = world.tables.next_batch();
                if batch.is_empty() {
                    break;
                }
                for write in batch {
                    // At the turn, part of the batch happened without anybody knowing.
                    let known = turned || written < turn_after;
                    if known || coins >> (written % 64) & 1 == 1 {
                        send(&mut world.card, &write);
                    }
                    if turned {
                        // What comes back is what stood before: nothing is absent that was there.
                        check_between(&world.card, &after, &world.plain, &mut BTreeSet::new());
                    } else {
                        check_between(&world.card, &world.plain, &after, &mut found);
                    }
                    if known {
                        world.tables.confirm(write.id()).expect("the write was handed out");
                    }
                    written += 1;
                }
                if !turned && written >= turn_after {
                    world.tables.roll_back().expect("a change can be taken back");
                    turned = true;
                }
            }
            let committed = world.tables.commit(world.card.clock_ns).expect("all writes are confirmed");
            if turned {
                prop_assert!(world.card.rows.len() == before_card.len(), "rows are left over");
                for (place, row) in &before_card {
                    prop_assert!(world.card.rows.get(place).is_some_and(|now| now.key == row.key), "a row moved");
                }
            } else {
                world.plain = after;
            }
            world.committed(committed);
            check_settled(&world.card, &world.plain, &world.tables);
        }
    }

    #[test]
    fn a_card_that_refuses_leaves_everything_as_it_was(
        history in vec((vec(any_change(), 1..4), vec(0..40_u8, 0..30)), 1..20),
    ) {
        let mut world = World::new();
        for (changes, mut faults) in history {
            let Some((plan, after)) = world.plan(&changes) else { continue };
            let before_rows = world.card.rows.clone();
            world.tables.begin(plan).expect("nothing else is open");
            let card = &mut world.card;
            let mut transport_failed = false;
            let submit = |commands: &[Command]| {
                let mut completions = Vec::new();
                for command in commands {
                    let fault = faults.pop().unwrap_or(0);
                    let mut sent = *command;
                    match fault {
                        1..=6 => sent.key[0] ^= 1,
                        7 => { sent.row.set(u32::MAX); sent = sent.seal(); }
                        8 if !transport_failed => { transport_failed = true; return Err("gone"); }
                        _ => {}
                    }
                    completions.push(card.execute(&sent));
                }
                Ok(completions)
            };
            let mut submit = submit;
            let mut result = world.tables.execute(&mut submit);
            if matches!(result, Err(ExecuteError::Transport("gone"))) {
                // Try again: what was submitted may be there already.
                result = world.tables.execute(&mut submit);
            }
            match result {
                Ok(committed) => {
                    world.plain = after;
                    world.committed(committed);
                }
                Err(ExecuteError::RolledBack { status, committed, .. }) => {
                    prop_assert!([Status::BadCrc as u8, Status::BadField as u8, Status::BadState as u8].contains(&status));
                    world.committed(committed);
                    let keys = |rows: &BTreeMap<_, Command>| rows.iter().map(|(place, row)| (*place, row.key)).collect::<Vec<_>>();
                    prop_assert!(keys(&world.card.rows) == keys(&before_rows), "rows are not where they were");
                }
                Err(ExecuteError::CardUnverified { .. }) => {
                    prop_assert_eq!(world.tables.plan(&[]).err(), Some(Refusal::CardUnverified));
                    world.resting = world.card.keys().iter().filter_map(|key| world.card.find(key))
                        .filter_map(|(index, ..)| MatchIndex::new(index)).collect();
                    let read = world.card.read_all();
                    let reconciliation = world.tables.reconcile(&read, world.card.clock_ns).expect("nothing is open");
                    prop_assert!(reconciliation.is_complete());
                    world.tables.begin_repair(reconciliation).expect("nothing is open");
                    let committed = execute(&mut world.tables, &mut world.card);
                    prop_assert!(world.tables.is_verified());
                    world.resting = (0..96).filter_map(MatchIndex::new)
                        .filter(|index| world.tables.fan_out().shares(*index).is_some_and(<[Share]>::is_empty)).collect();
                    world.last = Some(committed.generation);
                }
                Err(other) => prop_assert!(false, "unexpected: {:?}", other),
            }
            check_settled(&world.card, &world.plain, &world.tables);
        }
    }

    #[test]
    fn the_shortest_chain_is_taken(order in Just((0..64_u32).filter(|number| number % 4 == 0).collect::<Vec<_>>()).prop_shuffle(), more in vec(0..4000_u32, 40)) {
        let mut tables = Tables::new(small());
        let mut card = Card::new(small());
        let mut plain = Plain::default();
        for (index, number) in order.into_iter().chain(more.into_iter().map(|number| 64 + 4 * number)).enumerate() {
            let added = task(index as u32, [number], Scope::Content, 0);
            let key = key_of(&added.targets[0]);
            if plain.expected().contains_key(&key) {
                continue;
            }
            let needed = moves_needed(&card, &key);
            let changes = [Change::Add(added)];
            match tables.plan(&changes) {
                Ok(plan) => {
                    prop_assert_eq!(Some(plan.summary().moved), needed);
                    plain = plain.with(&changes).expect("a new task");
                    apply(&mut tables, &mut card, &changes);
                    check_settled(&card, &plain, &tables);
                }
                Err(Refusal::TableFull { rows_used, rows, .. }) => {
                    prop_assert_eq!(needed, None);
                    prop_assert_eq!((rows_used as usize, rows), (plain.expected().len(), 32));
                }
                Err(other) => prop_assert!(false, "unexpected refusal: {}", other),
            }
        }
    }
}
