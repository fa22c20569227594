//! Random frames and commands at any distance from each other.

use crate::frames::{self, Frame, Random};
use crate::reference::Pair;
use writ_abi::command::{Command, Opcode, Row, Rule};
use writ_abi::{Lookup, MatchIndex, Scope, Table, hash};

/// Shapes of a run.
struct Run {
    seed: u64,
    /// One frame every so many clocks, on average.
    frame_every: u64,
    /// One command every so many clocks, on average.
    command_every: u64,
    clocks: u64,
}

fn row(random: &mut Random, tick: u64, key: &[u8]) -> Row {
    let mut padded = [0; 38];
    padded[..key.len()].copy_from_slice(key);
    if random.one_in(8) {
        // Bytes behind the key do not count.
        padded[key.len()..].fill(random.next() as u8);
    }
    Row {
        key: padded,
        match_index: MatchIndex::new(if random.one_in(4) { 131_071 } else { random.below(3) as u32 })
            .expect("in range"),
        scope: *random.pick(&Scope::ALL),
        not_after: if random.one_in(3) { tick + random.below(4) } else { writ_abi::time::NOT_AFTER_NEVER },
        ring: random.below(4) as u8,
    }
}

/// A key that some frame has, or none that any has.
fn key(random: &mut Random, tick: u64, prefix_bits: u8) -> (Table, Vec<u8>) {
    loop {
        let frame = frames::random(random, tick);
        let lookup = Lookup::ALL[random.below(17) as usize];
        if let Some(found) = frame.key(lookup, prefix_bits) {
            return found;
        }
    }
}

fn rule(random: &mut Random, tick: u64) -> Rule {
    let frame: Frame = loop {
        let frame = frames::random(random, tick);
        if frame.rule_key().is_some() {
            break frame;
        }
    };
    let mut value = frame.rule_key().expect("just looked");
    let mut mask = [0xff; 38];
    // Whole fields, runs of bits, single bits.
    for _ in 0..random.below(4) {
        match random.below(4) {
            0 => mask[1..17].fill(0),
            1 => mask[17..33].fill(0),
            2 => mask[33..38].fill(0),
            _ => mask[random.below(38) as usize] = random.next() as u8,
        }
    }
    if random.one_in(10) {
        mask.fill(0);
    }
    if !random.one_in(4) {
        value.iter_mut().zip(&mask).for_each(|(value, mask)| *value &= mask);
    }
    Rule { row: Row { key: mask, ..row(random, tick, &[]) }, value, destination: random.one_in(2) }
}

struct Writer {
    random: Random,
    tick: u64,
    prefix_bits: u8,
    tag: u32,
    /// Rules that were written, to write them again with another content.
    rules: Vec<(u8, u32, Rule)>,
}

impl Writer {
    fn corrupt(&mut self) -> Command {
        let (table, key) = key(&mut self.random, self.tick, self.prefix_bits);
        let way = self.random.below(4) as u8;
        Command::corrupt_row(0, table, way, hash::rows(&key, table.rows_per_way())[usize::from(way)])
    }

    fn commands(&mut self) -> Vec<Command> {
        self.tag += 1;
        let (tag, tick) = (self.tag, self.tick);
        let random = &mut self.random;
        let (table, key) = key(random, tick, self.prefix_bits);
        let way = random.below(4) as u8;
        let place = hash::rows(&key, table.rows_per_way())[usize::from(way)];
        let (bank, number) = (random.below(4) as u8, *random.pick(&[0_u32, 1, 2, 63, 64, 126, 127]));
        let pending = random.one_in(3);
        let mark = |command: Command| if pending { command.pending() } else { command };
        match random.below(40) {
            0..=11 => vec![mark(Command::write_row(tag, table, way, place, &row(random, tick, &key)))],
            12..=15 => vec![mark(Command::clear_row(tag, table, way, place))],
            16..=18 => vec![Command::read_row(tag, table, way, place)],
            19..=22 => {
                let rule = rule(random, tick);
                self.rules.push((bank, number, rule));
                vec![Command::stage_rule(tag, &rule), mark(Command::write_rule(tag, bank, number, &rule))]
            }
            23 | 24 if !self.rules.is_empty() => {
                let (bank, number, mut rule) = *random.pick(&self.rules);
                rule.row = Row { key: rule.row.key, ..row(random, tick, &[]) };
                vec![Command::stage_rule(tag, &rule), mark(Command::write_rule(tag, bank, number, &rule))]
            }
            25 => vec![mark(Command::clear_rule(tag, bank, number))],
            26 | 27 => vec![Command::read_rule(tag, bank, number, false), Command::read_rule(tag, bank, number, true)],
            28 => vec![Command::write_rule(tag, bank, number, &rule(random, tick))],
            29 => vec![Command::new(Opcode::Commit, tag)],
            30 => vec![Command::new(Opcode::Settle, tag)],
            31 if random.one_in(3) => vec![Command::new(Opcode::Abort, tag)],
            32 => vec![Command::corrupt_row(tag, table, way, place)],
            33 => vec![Command::drops(tag, MatchIndex::new(7).expect("in range"), random.one_in(2))],
            34 => {
                let mut command = Command::write_row(tag, table, way, place, &row(random, tick, &key));
                match random.below(5) {
                    0 => command.crc32c.set(random.next() as u32),
                    1 => {
                        command.opcode = 14 + random.below(200) as u8;
                        command = command.seal();
                    }
                    2 => {
                        command.row.set(table.rows_per_way());
                        command = command.seal();
                    }
                    3 => {
                        command.scope = 3;
                        command = command.seal();
                    }
                    _ => {
                        command.opcode = random.below(14) as u8;
                        command.table = random.below(9) as u8;
                        command = command.seal();
                    }
                }
                vec![command]
            }
            _ => vec![Command::new(Opcode::Nop, tag)],
        }
    }
}

fn run(shape: &Run) {
    let Some(mut pair) = Pair::armed() else { return };
    let mut random = Random(shape.seed);
    let mut writer = Writer { random: Random(shape.seed + 1), tick: 1_000, prefix_bits: 64, tag: 0, rules: Vec::new() };
    let (mut hits, mut multi, mut expired, mut damaged, mut refused) = (0, 0, 0, 0, 0);
    for round in 0..6 {
        writer.prefix_bits = [64, 128, 1, 0, 47, 64][round];
        // The floor rises past some of the rows.
        let floor = if round < 3 { 0 } else { writer.tick + 1 };
        pair.set(false, floor, writer.prefix_bits);
        for _ in 0..20 {
            let commands = writer.commands();
            commands.into_iter().for_each(|command| pair.command(command));
        }
        for _ in 0..5 {
            let command = writer.corrupt();
            pair.command(command);
        }
        let (_, completions) = pair.finish();
        refused += completions.iter().filter(|completion| completion.status != 0).count();
        pair.set(true, floor, writer.prefix_bits);
        for _ in 0..shape.clocks / 6 {
            if random.one_in(shape.command_every) {
                let commands = writer.commands();
                commands.into_iter().for_each(|command| pair.command(command));
            }
            if random.one_in(shape.frame_every) {
                let frame = frames::random(&mut random, writer.tick);
                pair.frame(&frame);
            } else {
                pair.card.idle(1);
            }
        }
        let (verdicts, completions) = pair.finish();
        refused += completions.iter().filter(|completion| completion.status != 0).count();
        hits += verdicts.iter().map(|verdict| verdict.hits.len()).sum::<usize>();
        multi += verdicts.iter().map(|verdict| verdict.multi).sum::<u32>();
        expired += verdicts.iter().map(|verdict| verdict.expired).sum::<u32>();
        damaged += verdicts.iter().map(|verdict| verdict.damaged).sum::<u32>();
    }
    println!("hits {hits}, multi {multi}, expired {expired}, damaged {damaged}, refused {refused}");
    assert!(hits > 100 && multi > 10 && expired > 10 && damaged > 10 && refused > 10, "the run says too little");
}

#[test]
fn sparse_frames_and_commands() {
    run(&Run { seed: 1, frame_every: 3, command_every: 40, clocks: 30_000 });
}

#[test]
fn frames_nearly_every_clock() {
    run(&Run { seed: 2, frame_every: 1, command_every: 400, clocks: 30_000 });
}

#[test]
fn frames_with_one_gap_in_ten() {
    run(&Run { seed: 3, frame_every: 2, command_every: 100, clocks: 60_000 });
}
