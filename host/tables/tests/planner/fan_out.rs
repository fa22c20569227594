//! Who gets what of a hit: before, during and after changes.

use crate::card::*;
use std::net::Ipv4Addr;
use writ_abi::time;
use writ_tables::*;

const TICK_NS: u64 = 1 << time::NOT_AFTER_SHIFT;

fn world() -> (Tables, Card) {
    (Tables::new(Geometry::ABI), Card::new(Geometry::ABI))
}

fn index_of(tables: &Tables, number: u32) -> MatchIndex {
    tables.find(&target(number).keys(None)[0]).expect("the target is in the tables").1
}

/// Tasks and scopes that cover a stamp.
fn covering(tables: &Tables, index: MatchIndex, stamp_ns: u64) -> Vec<(u32, Scope)> {
    tables.fan_out().covering(index, stamp_ns).map(|share| (share.task.0, share.scope)).collect()
}

#[test]
fn tasks_on_one_key_share_a_row_and_nothing_else() {
    let (mut tables, mut card) = world();
    let pen_register = Task { start_ns: 50 * TICK_NS, ..task(1, [0], Scope::HeadersL4, 20) };
    let content = Task { end_ns: 100 * TICK_NS + 17, ..task(2, [0, 4], Scope::Content, 0) };
    apply(&mut tables, &mut card, &[Change::Add(pen_register.clone()), Change::Add(content)]);
    let index = index_of(&tables, 0);
    let found = card.find(&key_of(&target(0)));
    assert_eq!(found, Some((index.value(), Scope::Content, time::not_after_from_ns(pen_register.end_ns), 0)));
    assert_eq!(covering(&tables, index, 49 * TICK_NS), [(2, Scope::Content)]);
    assert_eq!(covering(&tables, index, 50 * TICK_NS), [(1, Scope::HeadersL4), (2, Scope::Content)]);
    // The ordered end lies within a tick; what counts ends with the tick before.
    assert_eq!(covering(&tables, index, 100 * TICK_NS - 1).len(), 2);
    assert_eq!(covering(&tables, index, 100 * TICK_NS), [(1, Scope::HeadersL4)]);
    assert_eq!(covering(&tables, index, pen_register.end_ns), []);
    // Once the wide order has ended it is to be removed, and the card cuts again.
    assert_eq!(tables.next_end_ns(), Some(100 * TICK_NS));
    assert_eq!(tables.ended(100 * TICK_NS).collect::<Vec<_>>(), [TaskIndex(2)]);
    apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(2))]);
    assert_eq!(card.find(&key_of(&target(0))).map(|(_, scope, ..)| scope), Some(Scope::HeadersL4));
    assert_eq!(card.find(&key_of(&target(4))), None);
}

/// Which target a hit stands for is a matter of each task: they may name the same one in different places.
#[test]
fn every_share_says_which_target_of_its_task_it_is() {
    let (mut tables, mut card) = world();
    let text = ["ipv4=192.0.2.1", "ipv4=198.51.100.0/24", "mac=02:00:5e:00:53:01"];
    let named = |index: u32, order: [usize; 4]| {
        let targets = order.map(|number| text[number].parse().expect("good text")).into();
        Task { targets, ..task(index, [], Scope::Content, 0) }
    };
    // The last one repeats the first, which counts.
    apply(&mut tables, &mut card, &[Change::Add(named(1, [0, 1, 2, 0])), Change::Add(named(2, [2, 1, 0, 2]))]);
    let shares = |tables: &Tables, text: &str| {
        let keys = text.parse::<Target>().expect("good text").keys(None);
        let of_key = |key: &Key| {
            let (_, index) = tables.find(key).expect("the key is in the tables");
            let fan_out = tables.fan_out();
            let covering = fan_out.covering(index, 9000 * TICK_NS);
            covering.map(|share| (share.task.0, share.target)).collect::<Vec<_>>()
        };
        keys.iter().map(of_key).collect::<Vec<_>>()
    };
    assert_eq!(shares(&tables, text[0]), [[(1, 0), (2, 2)]]);
    assert_eq!(shares(&tables, text[1]), [[(1, 1), (2, 1)], [(1, 1), (2, 1)]], "both rules of a prefix");
    assert_eq!(shares(&tables, text[2]), [[(1, 2), (2, 0)]]);
    // The order is written anew, with the targets in another order.
    card.clock_ns = 5000 * TICK_NS;
    let changed = apply(&mut tables, &mut card, &[Change::Modify(named(1, [2, 0, 1, 1]))]);
    assert_eq!(shares(&tables, text[0]), [[(1, 1), (2, 2)]]);
    assert_eq!(shares(&tables, text[2]), [[(1, 0), (2, 0)]]);
    let (_, index) = tables.find(&text[0].parse::<Target>().expect("good text").keys(None)[0]).expect("in the tables");
    let before: Vec<u16> = tables
        .fan_out()
        .covering(index, changed.effective_ns - 1)
        .filter(|share| share.task == TaskIndex(1))
        .map(|share| share.target)
        .collect();
    assert_eq!(before, [0], "what was hit before the change is what it was then");
}

#[test]
fn what_was_selected_before_the_end_is_delivered_after_it() {
    let (mut tables, mut card) = world();
    apply(&mut tables, &mut card, &[Change::Add(task(1, [0, 1], Scope::Content, 0))]);
    apply(&mut tables, &mut card, &[Change::Add(task(2, [0], Scope::HeadersL3, 9))]);
    let (shared, own) = (index_of(&tables, 0), index_of(&tables, 1));
    let held = tables.fan_out();
    let gone = apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(1))]);
    assert_eq!(gone.retired, [own]);
    let before = gone.effective_ns - 1;
    assert_eq!(covering(&tables, own, before), [(1, Scope::Content)]);
    assert_eq!(covering(&tables, own, gone.effective_ns), []);
    assert_eq!(covering(&tables, shared, before), [(1, Scope::Content), (2, Scope::HeadersL3)]);
    assert_eq!(covering(&tables, shared, gone.effective_ns), [(2, Scope::HeadersL3)]);

    // Drained: nothing of the task is left where another one stays; the resting index still says whose drops its counters count.
    assert_eq!(tables.drained(gone.generation), [own]);
    assert_eq!(covering(&tables, shared, before), [(2, Scope::HeadersL3)]);
    assert_eq!(covering(&tables, own, before), [(1, Scope::Content)]);
    assert_eq!(tables.counters_due().collect::<Vec<_>>(), [own]);
    tables.counters_cleared(own).expect("the index waits for it");
    assert_eq!(tables.fan_out().shares(own), None);
    // A snapshot never changes under its holder.
    assert_eq!(held.covering(own, before).count(), 1);
}

#[test]
fn draining_an_earlier_change_keeps_a_later_one() {
    let (mut tables, mut card) = world();
    apply(&mut tables, &mut card, &[Change::Add(task(1, [0], Scope::Content, 0))]);
    apply(&mut tables, &mut card, &[Change::Add(task(2, [1], Scope::Content, 0))]);
    let (one, two) = (index_of(&tables, 0), index_of(&tables, 1));
    let first = apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(1))]);
    let second = apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(2))]);
    assert_eq!(tables.drained(first.generation), [one]);
    assert_eq!(covering(&tables, two, second.effective_ns - 1), [(2, Scope::Content)]);
    assert_eq!(tables.drained(second.generation), [two]);
    assert_eq!(tables.drained(second.generation), []);
}

#[test]
fn a_changed_order_holds_from_the_change_on() {
    let (mut tables, mut card) = world();
    apply(&mut tables, &mut card, &[Change::Add(task(1, [0], Scope::HeadersL4, 0))]);
    let index = index_of(&tables, 0);
    let wider = apply(&mut tables, &mut card, &[Change::Modify(task(1, [0], Scope::Content, 5))]);
    assert_eq!(wider.retired, []);
    assert_eq!(index_of(&tables, 0), index, "a change of the order moves the key to another index");
    assert_eq!(covering(&tables, index, wider.effective_ns - 1), [(1, Scope::HeadersL4)]);
    assert_eq!(covering(&tables, index, wider.effective_ns), [(1, Scope::Content)]);
    let narrower = apply(&mut tables, &mut card, &[Change::Modify(task(1, [0], Scope::HeadersL3, 5))]);
    for (stamp, scope) in [
        (wider.effective_ns - 1, Scope::HeadersL4),
        (wider.effective_ns, Scope::Content),
        (narrower.effective_ns - 1, Scope::Content),
        (narrower.effective_ns, Scope::HeadersL3),
    ] {
        assert_eq!(covering(&tables, index, stamp), [(1, scope)], "at {stamp}");
    }
    tables.drained(narrower.generation);
    assert_eq!(tables.fan_out().shares(index).map(<[Share]>::len), Some(1));
}

#[test]
fn an_order_prolonged_after_its_end_gets_nothing_from_between() {
    let (mut tables, mut card) = world();
    let short = Task { end_ns: 3 * TICK_NS, ..task(1, [0], Scope::Content, 0) };
    apply(&mut tables, &mut card, &[Change::Add(short), Change::Add(task(2, [0], Scope::Content, 0))]);
    card.clock_ns = 8 * TICK_NS;
    let prolonged = apply(&mut tables, &mut card, &[Change::Modify(task(1, [0], Scope::Content, 0))]);
    let index = index_of(&tables, 0);
    let has_one = |stamp| covering(&tables, index, stamp).contains(&(1, Scope::Content));
    assert!(has_one(3 * TICK_NS - 1) && has_one(prolonged.effective_ns));
    assert!(!has_one(3 * TICK_NS) && !has_one(prolonged.effective_ns - 1));
}

#[test]
fn a_task_that_comes_back_is_not_there_twice() {
    let (mut tables, mut card) = world();
    let (one, two) = (task(1, [0], Scope::Content, 0), task(2, [0], Scope::Content, 0));
    apply(&mut tables, &mut card, &[Change::Add(one.clone()), Change::Add(two)]);
    let gone = apply(&mut tables, &mut card, &[Change::Remove(TaskIndex(1))]);
    card.clock_ns += 77_777;
    let back = apply(&mut tables, &mut card, &[Change::Add(one)]);
    let index = index_of(&tables, 0);
    for stamp in [gone.effective_ns - 1, gone.effective_ns, back.effective_ns - 1, back.effective_ns] {
        let here = covering(&tables, index, stamp);
        assert!(here.iter().filter(|(task, _)| *task == 1).count() <= 1, "twice at {stamp}");
    }
}

#[test]
fn a_change_without_writes_takes_the_cards_time() {
    let (mut tables, mut card) = world();
    apply(&mut tables, &mut card, &[Change::Add(task(1, [0], Scope::Content, 5))]);
    card.clock_ns = 123_456_789;
    let change = [Change::Add(task(2, [0], Scope::HeadersL3, 1))];
    let plan = tables.plan(&change).expect("the key is there");
    assert_eq!(plan.writes().len(), 0);
    let committed = apply(&mut tables, &mut card, &change);
    assert!(committed.effective_ns > 123_456_789);
    assert_eq!(committed.outcome, Outcome::Applied);
}

#[test]
fn calls_in_the_wrong_order_change_nothing() {
    let (mut tables, mut card) = world();
    let changes = [Change::Add(task(1, [0, 1], Scope::Content, 0))];
    assert_eq!(tables.commit(5), Err(Misuse::NoPlan));
    assert_eq!(tables.roll_back(), Err(Misuse::NoPlan));
    assert_eq!(tables.abandon(), Err(Misuse::NoPlan));
    let nobody = |_: &[writ_abi::command::Command]| -> Result<Vec<_>, ()> { panic!("nothing to submit") };
    assert_eq!(tables.execute(nobody), Err(ExecuteError::Misuse(Misuse::NoPlan)));

    let (plan, stale) = (tables.plan(&changes).expect("fits"), tables.plan(&changes).expect("fits"));
    let ids: Vec<WriteId> = plan.writes().iter().map(RowWrite::id).collect();
    tables.begin(plan).expect("nothing is open");
    assert_eq!(tables.plan(&changes).map(|_| ()), Err(Refusal::PlanOpen));
    assert_eq!(tables.begin(stale.clone()), Err(Misuse::PlanOpen));
    assert_eq!(tables.reconcile(&[], 0).map(|_| ()), Err(Misuse::PlanOpen));
    assert_eq!(tables.confirm(ids[0]), Err(Misuse::UnknownWrite), "confirmed before it was handed out");
    assert_eq!(tables.commit(5), Err(Misuse::WritesMissing(2)));
    execute(&mut tables, &mut card);
    assert_eq!(tables.begin(stale), Err(Misuse::StalePlan));
    check_settled(&card, &Plain::default().with(&changes).expect("a new task"), &tables);
}

#[test]
fn given_up_before_anything_was_sent_is_harmless() {
    let (mut tables, _) = world();
    tables.begin(tables.plan(&[Change::Add(task(1, [0], Scope::Content, 0))]).expect("fits")).expect("nothing is open");
    tables.abandon().expect("a plan is open");
    assert!(tables.is_verified() && tables.tasks().count() == 0);
}

#[test]
fn nothing_that_is_printed_names_a_target() {
    let (mut tables, mut card) = world();
    apply(&mut tables, &mut card, &[Change::Add(task(1, 0..8, Scope::Content, 0))]);
    let changes = [Change::Modify(task(1, 3..12, Scope::Content, 0))];
    let plan = tables.plan(&changes).expect("fits");
    let read = card.read_all();
    let mut other = Tables::new(Geometry::ABI);
    let reconciliation = other.card_was_reset().expect("nothing is open");
    let mut printed = format!("{plan:?} {tables:?} {changes:?} {:?} {:?} {read:?}", tables.fan_out(), plan.writes());
    printed += &format!("{:?} {reconciliation:?}", other.reconcile(&read, 0));
    tables.begin(plan).expect("nothing is open");
    printed += &format!("{tables:?}");
    for number in 0..12 {
        let text = target(number).reveal();
        let value = text.split(['=', '/']).nth(1).expect("a value");
        assert!(!printed.contains(value), "{text} is printed");
        let key = key_of(&target(number)).1;
        let bytes = format!("{:?}", &key[1..5]);
        assert!(!printed.contains(bytes.trim_matches(['[', ']'])), "the key of {text} is printed");
    }
}

/// Two groups of tasks on different rings become one as soon as a task shares with both; all their rows follow.
#[test]
fn tasks_that_share_targets_share_a_ring() {
    let (mut tables, mut card) = world();
    let ring = |card: &Card, number: u32| card.find(&key_of(&target(number))).expect("the key is in the card").3;
    for index in 0..4 {
        apply(&mut tables, &mut card, &[Change::Add(task(index, [4 * index, 4 * index + 2], Scope::Content, 0))]);
    }
    let rings: Vec<u8> = (0..4).map(|index| ring(&card, 4 * index)).collect();
    assert_eq!(rings, [0, 1, 2, 3], "tasks are spread");
    // Task 10 meets tasks 1 and 3, which had nothing to do with each other.
    apply(&mut tables, &mut card, &[Change::Add(task(10, [6, 12, 40], Scope::HeadersL4, 0))]);
    let joined: Vec<u8> = [4, 6, 12, 14, 40].into_iter().map(|number| ring(&card, number)).collect();
    assert!(joined.windows(2).all(|pair| pair[0] == pair[1]), "{joined:?}");
    assert_eq!((ring(&card, 0), ring(&card, 8)), (0, 2), "nobody else moves");
    let told: Vec<Option<u8>> = [0, 1, 2, 3, 10, 99].map(|task| tables.ring_of(TaskIndex(task))).into();
    assert_eq!(told, [Some(0), Some(joined[0]), Some(2), Some(joined[0]), Some(joined[0]), None]);
}

/// A packet hits one rule of a bank. What a prefix sends may go to another one, so senders' and receivers' rules never share a bank, which
/// leaves two banks for each: any number of prefixes side by side, two deep, and the third by name refused.
#[test]
fn overlapping_prefixes_take_banks_of_their_own() {
    let (mut tables, mut card) = world();
    let prefix = |third: u8, bits: u8| Target::Ipv4Prefix { network: Ipv4Addr::new(10, 20, third, 0), bits };
    let add = |index: u32, target| Change::Add(Task { targets: vec![target], ..task(index, [0], Scope::Content, 0) });
    for index in 0..50 {
        apply(&mut tables, &mut card, &[add(index, prefix(2 * index as u8, 24))]);
        check_banks(&card);
    }
    apply(&mut tables, &mut card, &[add(60, prefix(0, 22))]);
    check_banks(&card);
    assert_eq!(tables.usage().tables[Table::ALL.len()].rows_used, 102);
    let refused = tables.plan(&[add(99, prefix(0, 20))]).map(|_| ());
    assert_eq!(refused, Err(Refusal::RulesOverlap { task: TaskIndex(99) }));
}
