//! Tables that go on after their process died, on a card that ran on.

use crate::card::*;
use writ_tables::*;

fn world() -> (Tables, Card) {
    let (mut tables, mut card) = (Tables::new(Geometry::ABI), Card::new(Geometry::ABI));
    let first =
        [task(1, 0..6, Scope::HeadersL4, 0), task(2, 4..9, Scope::Content, 0), task(3, [40, 41], Scope::HeadersL3, 0)];
    apply(&mut tables, &mut card, &first.map(Change::Add));
    // Ended, but its records may stand in the rings.
    apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(2))]);
    (tables, card)
}

fn shares(tables: &Tables) -> Vec<(u32, Vec<Share>)> {
    let fan_out = tables.fan_out();
    let indices = (0..tables.geometry().match_indices()).filter_map(MatchIndex::new);
    indices.filter_map(|index| Some((index.value(), fan_out.shares(index)?.to_vec()))).collect()
}

fn repair(tables: &mut Tables, card: &mut Card) -> Vec<Difference> {
    let read = card.read_all();
    let repair = tables.reconcile(&read, card.clock_ns).expect("nothing is open");
    assert!(repair.is_complete());
    let differences = repair.differences().to_vec();
    tables.begin_repair(repair).expect("nothing is open");
    assert_eq!(execute(tables, card).outcome, Outcome::Repaired);
    differences
}

#[test]
fn every_index_stands_for_the_tasks_that_it_stood_for() {
    let (before, mut card) = world();
    let (mut tables, generation) = Tables::from_kept(Geometry::ABI, &before.kept()).expect("as it was kept");
    assert_eq!(shares(&tables), shares(&before));
    assert!(shares(&tables).iter().flat_map(|(_, shares)| shares).any(|share| share.task == TaskIndex(2)));
    assert_eq!(tables.usage(), before.usage());
    assert_eq!(tables.kept(), before.kept());
    // Nothing is planned before the card is known.
    let change = [Change::Add(task(4, [70, 71], Scope::Content, 0))];
    assert!(matches!(tables.plan(&change), Err(Refusal::CardUnverified)));
    assert_eq!(repair(&mut tables, &mut card), []);
    // What still rests is given to nobody.
    let resting = before.kept().resting;
    assert!(!resting.is_empty());
    apply(&mut tables, &mut card, &change);
    for number in [70, 71] {
        let (_, index) = tables.find(&target(number).keys(None)[0]).expect("in the tables");
        assert!(!resting.contains(&index));
    }
    let due = tables.drained(generation);
    assert_eq!(due, resting);
    for index in due {
        tables.counters_cleared(index).expect("it was due");
    }
    assert!(shares(&tables).iter().flat_map(|(_, shares)| shares).all(|share| share.task != TaskIndex(2)));
}

/// Killed while a change was under way: the card holds rows of a task that nobody put into force.
#[test]
fn what_a_change_left_half_done_is_taken_back() {
    let (mut before, mut card) = world();
    let kept = before.kept();
    apply(&mut before, &mut card, &[Change::Add(task(4, [80], Scope::Content, 0))]);
    let (_, index) = before.find(&target(80).keys(None)[0]).expect("in the tables");
    let (mut tables, _) = Tables::from_kept(Geometry::ABI, &kept).expect("as it was kept");
    assert!(matches!(repair(&mut tables, &mut card)[..], [Difference::Foreign(_)]));
    assert_eq!(card.find(&key_of(&target(80))), None);
    assert!(tables.fan_out().shares(index).is_none(), "its records are nobody's");
    // Nor do they become somebody's: the index rests.
    apply(&mut tables, &mut card, &[Change::Add(task(5, [90], Scope::Content, 0))]);
    assert_ne!(tables.find(&target(90).keys(None)[0]).expect("in the tables").1, index);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let (tables, _) = world();
    let kept = tables.kept();
    let refused = |edit: &dyn Fn(&mut Kept)| {
        let mut kept = kept.clone();
        edit(&mut kept);
        let error = Tables::from_kept(Geometry::ABI, &kept).expect_err("it contradicts itself");
        assert!(!error.to_string().is_empty());
        error
    };
    let (place, entry) = kept.rows[0];
    let index = kept.rows[1].1.match_index;
    let other = kept.rows[1].0;
    assert_eq!(refused(&|kept| kept.rows[0].1.match_index = index), RestoreError::Index(index));
    assert_eq!(refused(&|kept| kept.rows[0].0 = other), RestoreError::Row(other));
    assert_eq!(refused(&|kept| kept.rows[0].1.scope = Scope::Content), RestoreError::Row(place));
    assert_eq!(refused(&|kept| kept.rows[0].1.ring = entry.ring ^ 1), RestoreError::Row(place));
    assert_eq!(refused(&|kept| kept.rows.truncate(1)), RestoreError::NoRow);
    assert_eq!(refused(&|kept| kept.resting.push(index)), RestoreError::Index(index));
    assert_eq!(refused(&|kept| kept.tasks[0].1 = 9), RestoreError::Ring(TaskIndex(1)));
    let twice = |kept: &mut Kept| kept.tasks.push(kept.tasks[0].clone());
    assert_eq!(refused(&twice), RestoreError::Tasks(Refusal::TaskExists(TaskIndex(1))));
    let free = MatchIndex::new(200).expect("in range");
    assert_eq!(refused(&|kept| kept.ended[0].index = free), RestoreError::Index(free));
}
