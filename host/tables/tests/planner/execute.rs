//! Carrying plans out on a card, or on a way to it, that does not do what it is told.

use crate::card::*;
use writ_abi::command::{Command, Completion, Opcode, Status};
use writ_tables::*;

type Completions = Result<Vec<Completion>, &'static str>;

/// A card behind a way that the test controls: what becomes of a command before, and of its completion after the card.
struct Link<'a> {
    card: &'a mut Card,
    submitted: usize,
    on_command: Box<dyn Fn(usize, Command) -> Command>,
    on_completions: Box<dyn Fn(usize, Vec<Completion>) -> Completions>,
}

impl<'a> Link<'a> {
    fn new(card: &'a mut Card) -> Self {
        let (on_command, on_completions) = (Box::new(|_, command| command), Box::new(|_, completions| Ok(completions)));
        Self { card, submitted: 0, on_command, on_completions }
    }

    fn execute(mut self, tables: &mut Tables) -> (Result<Committed, ExecuteError<&'static str>>, usize) {
        let mut calls = 0;
        let result = tables.execute(|commands| {
            calls += 1;
            let mut completions = Vec::new();
            for command in commands {
                self.submitted += 1;
                completions.push(self.card.execute(&(self.on_command)(self.submitted, *command)));
            }
            (self.on_completions)(calls, completions)
        });
        (result, self.submitted)
    }
}

fn damaged(mut command: Command) -> Command {
    command.key[3] ^= 0x40;
    command
}

fn impossible(mut command: Command) -> Command {
    command.row.set(u32::MAX);
    command.seal()
}

/// Tables in which the next change needs five writes in two batches, begun.
fn world() -> (Tables, Card, Plain, Plain) {
    let (mut tables, mut card) = (Tables::new(Geometry::ABI), Card::new(Geometry::ABI));
    let first = [Change::Add(task(1, [0, 1, 2], Scope::HeadersL4, 0))];
    apply(&mut tables, &mut card, &first);
    let before = Plain::default().with(&first).expect("a new task");
    let second = [Change::Modify(task(1, [2, 3, 4], Scope::Content, 0))];
    let plan = tables.plan(&second).expect("fits");
    assert_eq!(plan.batches().map(<[RowWrite]>::len).collect::<Vec<_>>(), [3, 2]);
    tables.begin(plan).expect("nothing is open");
    let after = before.with(&second).expect("the task is there");
    (tables, card, before, after)
}

#[test]
fn damaged_commands_are_sent_again() {
    let (mut tables, mut card, _, after) = world();
    let mut link = Link::new(&mut card);
    link.on_command = Box::new(|number, command| if number == 2 || number == 4 { damaged(command) } else { command });
    let (result, submitted) = link.execute(&mut tables);
    assert_eq!(result.map(|committed| committed.outcome), Ok(Outcome::Applied));
    assert_eq!(submitted, 7, "only what was damaged is sent again");
    check_settled(&card, &after, &tables);
}

#[test]
fn a_card_that_always_sees_damage_gets_its_old_rows_back() {
    let (mut tables, mut card, before, _) = world();
    let mut link = Link::new(&mut card);
    // The second batch never arrives whole; the rollback does.
    link.on_command = Box::new(|number, command| if (4..12).contains(&number) { damaged(command) } else { command });
    let (result, _) = link.execute(&mut tables);
    let Err(ExecuteError::RolledBack { status, committed, .. }) = result else { panic!("{result:?}") };
    assert_eq!(status, Status::BadCrc as u8);
    assert_eq!((committed.outcome, committed.retired.len()), (Outcome::RolledBack, 2));
    check_settled(&card, &before, &tables);
}

#[test]
fn a_refusal_is_rolled_back_at_once() {
    let (mut tables, mut card, before, _) = world();
    let mut link = Link::new(&mut card);
    link.on_command = Box::new(|number, command| if number == 5 { impossible(command) } else { command });
    let (result, submitted) = link.execute(&mut tables);
    let Err(error @ ExecuteError::RolledBack { .. }) = result else { panic!("{result:?}") };
    assert_eq!(submitted, 10, "five writes there, five back");
    assert!(error.to_string().contains("BadField"), "{error}");
    check_settled(&card, &before, &tables);
    assert!(tables.is_verified());
    // The indices of the rows that went back rest like any others.
    assert_eq!(tables.usage().indices_quarantined, 2);
}

#[test]
fn a_rollback_that_fails_leaves_the_card_unverified() {
    let (mut tables, mut card, before, _) = world();
    let mut link = Link::new(&mut card);
    link.on_command = Box::new(|number, command| if number > 3 { impossible(command) } else { command });
    let (result, _) = link.execute(&mut tables);
    assert!(matches!(result, Err(ExecuteError::CardUnverified { .. })), "{result:?}");
    assert!(!tables.is_verified() && !tables.is_open());
    assert_eq!(tables.plan(&[]).map(|_| ()), Err(Refusal::CardUnverified));
    let read = card.read_all();
    let reconciliation = tables.reconcile(&read, card.clock_ns).expect("nothing is open");
    assert!(!reconciliation.is_clean());
    tables.begin_repair(reconciliation).expect("nothing is open");
    execute(&mut tables, &mut card);
    assert!(tables.is_verified());
    check_settled(&card, &before, &tables);
}

#[test]
fn a_transport_that_fails_leaves_the_plan_open() {
    let (mut tables, mut card, _, after) = world();
    let mut link = Link::new(&mut card);
    link.on_completions = Box::new(|call, completions| if call == 2 { Err("gone") } else { Ok(completions) });
    assert_eq!(link.execute(&mut tables).0, Err(ExecuteError::Transport("gone")));
    assert!(tables.is_open() && tables.is_verified());
    let (result, submitted) = Link::new(&mut card).execute(&mut tables);
    assert!(result.is_ok());
    assert_eq!(submitted, 2, "only what nobody has confirmed is sent again");
    check_settled(&card, &after, &tables);
}

#[test]
fn the_way_back_is_open_after_a_transport_that_failed() {
    let (mut tables, mut card, before, _) = world();
    let mut link = Link::new(&mut card);
    link.on_completions = Box::new(|call, completions| if call == 2 { Err("gone") } else { Ok(completions) });
    assert!(link.execute(&mut tables).0.is_err());
    tables.roll_back().expect("a change can be taken back");
    assert_eq!(tables.roll_back(), Err(Misuse::NoWayBack));
    let (result, submitted) = Link::new(&mut card).execute(&mut tables);
    assert_eq!(result.map(|committed| committed.outcome), Ok(Outcome::RolledBack));
    assert_eq!(submitted, 5, "the lost batch may have happened");
    check_settled(&card, &before, &tables);
}

#[test]
fn answers_that_do_not_fit_are_not_taken() {
    type Twist = fn(Vec<Completion>) -> Vec<Completion>;
    let twists: [(Twist, usize); 4] = [
        (
            |mut completions| {
                completions.pop();
                completions
            },
            2,
        ),
        (
            |mut completions| {
                completions.extend_from_within(..1);
                completions
            },
            3,
        ),
        (
            |mut completions| {
                completions.swap(1, 2);
                completions
            },
            1,
        ),
        (|_| Vec::new(), 0),
    ];
    for (twist, fitting) in twists {
        let (mut tables, mut card, _, after) = world();
        let mut link = Link::new(&mut card);
        link.on_completions =
            Box::new(move |call, completions| Ok(if call == 1 { twist(completions) } else { completions }));
        assert_eq!(link.execute(&mut tables).0, Err(ExecuteError::Answers { commands: 3, fitting }));
        assert!(tables.is_open());
        assert!(Link::new(&mut card).execute(&mut tables).0.is_ok());
        check_settled(&card, &after, &tables);
    }
}

#[test]
fn the_effective_time_is_that_of_the_last_completion() {
    let (mut tables, mut card, ..) = world();
    let (result, submitted) = Link::new(&mut card).execute(&mut tables);
    assert_eq!(submitted, 5);
    assert_eq!(result.map(|committed| committed.effective_ns), Ok(card.clock_ns));
}

#[test]
fn a_change_without_writes_asks_for_the_time_alone() {
    let (mut tables, mut card) = (Tables::new(Geometry::ABI), Card::new(Geometry::ABI));
    tables.begin(tables.plan(&[]).expect("nothing to refuse")).expect("nothing is open");
    let mut link = Link::new(&mut card);
    link.on_command = Box::new(|_, command| {
        assert_eq!(Opcode::from_bits(command.opcode), Some(Opcode::Nop));
        command
    });
    assert_eq!(link.execute(&mut tables).1, 1);
    tables.begin(tables.plan(&[]).expect("nothing to refuse")).expect("nothing is open");
    let mut link = Link::new(&mut card);
    link.on_completions = Box::new(|_, _| Ok(Vec::new()));
    assert_eq!(link.execute(&mut tables).0, Err(ExecuteError::Answers { commands: 1, fitting: 0 }));
}
