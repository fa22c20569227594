//! Blocks of the lookup path in RustHDL's simulator. The path as a whole is tested in Verilator, in `tests/lookup`.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use rust_hdl::core::prelude::*;
use std::net::Ipv6Addr;
use writ_abi::command::{Command, Opcode, Row, Status, flags};
use writ_abi::{MatchIndex, Scope, Table, hash, key};
use writ_hdl::lookup::engine::{CommandCheck, Loader};
use writ_hdl::lookup::rules::{RuleBank, RuleWriter};
use writ_hdl::lookup::types::{Found, RowData, RuleWord};
use writ_hdl::lookup::{Delay, MatchTable, PrefixMask};
use writ_hdl::prim::{RamStyle, Reg};
use zerocopy::{FromBytes, IntoBytes};

#[test]
fn the_prefix_mask_follows_the_length() {
    let mut bench = Bench::new(PrefixMask::default(), |block| &mut block.clock);
    for bits in (0..=255_u8).rev() {
        bench.block.prefix_bits.next = number(bits.into());
        bench.tick();
        assert_eq!(bench.block.some.val(), (1..=128).contains(&bits), "length {bits}");
        if bench.block.some.val() {
            let mut expected = key::prefix_key(Ipv6Addr::from(u128::MAX), bits);
            expected[0] = 0xff;
            assert_eq!(to_bytes(bench.block.mask.val()), expected, "length {bits}");
        }
    }
}

#[test]
fn a_delayed_word_comes_out_when_it_is_due() {
    let mut bench = Bench::new(Delay::<Bits<16>, 3>::new(5), |block| &mut block.clock);
    let mut given = Vec::new();
    for clock in 0..100_u64 {
        // A word in two of three clocks.
        let write = clock % 3 != 0;
        given.push(write);
        bench.block.write.next = write;
        bench.block.data_in.next = number(clock * 7);
        // What was written at clock c is read in clock c + 4 and stands there from clock c + 5.
        bench.block.read.next = clock >= 4 && given[clock as usize - 4];
        bench.tick();
        if let Some(due) = clock.checked_sub(4).filter(|due| given[*due as usize]) {
            assert_eq!(value(bench.block.data_out.val()), due * 7);
        }
    }
}

/// A row with its parity; content 0 for one that is not valid.
fn row_data(valid: bool, pending: bool, clear: bool, index: u64, not_after: u64) -> RowData {
    let mut row = RowData {
        valid,
        pending,
        pending_clear: clear,
        ring: number(index & 3),
        scope: number(index % 3),
        match_index: number(index),
        not_after: number(not_after),
        parity: number(0),
    };
    let bits: Bits<72> = row.into();
    let parity = (0..68).filter(|&i| bits.get_bit(i)).fold(0, |parity, i| parity ^ 1 << (i % 4));
    row.parity = number(parity);
    row
}

fn xor(bytes: impl IntoIterator<Item = u8>) -> u8 {
    bytes.into_iter().fold(0, |sum, byte| sum ^ byte)
}

type SmallTable = MatchTable<48, 56, 2, 4>;

/// A row of the reference: key and row.
type SmallRows = [[Option<([u8; 6], RowData)>; 16]; 4];

/// What one lookup has to find.
fn find(rows: &SmallRows, key: &[u8; 6], tick: u64, committed: bool) -> Found {
    let mut found = Found::default();
    let places = hash::rows(key, 16);
    let matching = (0..4).filter_map(|way| rows[way][places[way] as usize]).filter(|(other, row)| {
        key == other && row.valid && !(row.pending && !committed) && !(row.pending_clear && committed)
    });
    let (live, dead): (Vec<_>, Vec<_>) =
        matching.map(|(_, row)| row).partition(|row| tick < value(row.not_after));
    found.expired = live.is_empty() && !dead.is_empty();
    if let Some(first) = live.first() {
        found.hit.valid = true;
        found.hit.match_index = first.match_index;
        found.hit.scope = first.scope;
        found.hit.ring = first.ring;
        let content = |row: &RowData| (row.match_index, row.scope, row.ring, row.not_after);
        found.multi = live.iter().any(|row| content(row) != content(first));
    }
    found
}

#[test]
fn a_small_table_agrees_with_a_list_in_every_clock() {
    let mut bench = Bench::new(SmallTable::new(RamStyle::Block), |block| &mut block.clock);
    let mut random = Random(5);
    let mut rows = SmallRows::default();
    let keys: Vec<[u8; 6]> = (0..6).map(|_| random.bytes(6).try_into().expect("six bytes")).collect();
    // Results that are due, by the clock in which they stand at the outputs; and the ticks that the comparison needs.
    let mut due = std::collections::VecDeque::from(vec![None; 6]);
    let mut conditions = std::collections::VecDeque::from(vec![(0, false); 3]);
    let mut waiting: Option<[[u8; 6]; 2]> = None;
    let mut hits = 0;
    for _ in 0..6_000 {
        // Keys that were presented in the clock before enter now; else a row may be written.
        let tick = random.below(4);
        let committed = random.one_in(2);
        let entering = waiting.take();
        due.push_back(entering.map(|keys: [[u8; 6]; 2]| keys.map(|key| find(&rows, &key, tick, committed))));
        conditions.push_back((tick, committed));
        let table = &mut bench.block;
        table.write_ways.next = number(0);
        if entering.is_none() && random.one_in(2) {
            let key = keys[random.below(6) as usize];
            let way = random.below(4) as usize;
            let place = hash::rows(&key, 16)[way];
            let row = if random.one_in(3) {
                RowData::default()
            } else {
                row_data(true, random.one_in(4), random.one_in(4), random.below(3), random.below(4))
            };
            rows[way][place as usize] = Some((key, row));
            table.write_ways.next = number(1 << way);
            table.write_keys.next = true;
            table.row.next = number(place.into());
            table.write_row.next = row;
            table.write_word.next = to_bits(&[&[xor(key)][..], &key].concat());
        }
        table.look_up.next = number(0);
        if random.one_in(2) {
            let pair = [(); 2].map(|()| keys[random.below(6) as usize]);
            table.look_up.next = number(3);
            table.key[0].next = to_bits(&pair[0]);
            table.key[1].next = to_bits(&pair[1]);
            waiting = Some(pair);
        }
        // Sampled when the keys entered, needed two clocks later.
        let (then, was_committed) = conditions[conditions.len() - 3];
        table.tick.next = number(then);
        table.committed.next = was_committed;
        bench.tick();
        let expected = due[due.len() - 5].unwrap_or_default();
        assert_eq!([bench.block.found[0].val(), bench.block.found[1].val()], expected);
        hits += usize::from(expected[0].hit.valid);
    }
    assert!(hits > 200, "{hits} hits");
}

#[test]
fn parities_are_those_of_what_is_stored() {
    let mut bench = Bench::new(Loader::default(), |block| &mut block.clock);
    let mut random = Random(6);
    for round in 0..40 {
        let (key, value_bytes) = (random.bytes(38), random.bytes(38));
        let kept = [5, 17, 38][round % 3];
        let mask: Vec<u8> = (0..38).map(|i| if i < kept { 0xff } else { 0 }).collect();
        let wanted = row_data(true, random.one_in(2), false, random.below(1 << 17), random.below(1 << 44));
        let loader = &mut bench.block;
        loader.command_key.next = to_bits(&value_bytes);
        loader.stage.next = true;
        bench.tick();
        let loader = &mut bench.block;
        loader.stage.next = false;
        loader.take.next = true;
        loader.command_key.next = to_bits(&key);
        loader.key_mask.next = to_bits(&mask);
        loader.command_row.next = RowData { parity: number(0), ..wanted };
        loader.command_destination.next = round % 2 == 1;
        bench.tick();
        bench.block.take.next = false;
        bench.block.sum.next = true;
        bench.tick();
        bench.block.sum.next = false;
        let loader = &bench.block;
        let stored: Vec<u8> = key.iter().zip(&mask).map(|(key, mask)| key & mask).collect();
        assert_eq!(to_bytes(loader.key.val()), stored);
        assert_eq!(value(loader.key_parity.val()), u64::from(xor(stored.iter().copied())));
        let rule = xor(stored.iter().chain(&value_bytes).copied()) ^ u8::from(round % 2 == 1);
        assert_eq!(value(loader.rule_parity.val()), u64::from(rule));
        assert_eq!(loader.row.val(), wanted);
        // Marked and spoiled rows.
        bench.block.found_row.next = wanted;
        bench.block.take_marked.next = true;
        bench.tick();
        bench.block.take_marked.next = false;
        let marked = row_data(true, wanted.pending, true, value(wanted.match_index), value(wanted.not_after));
        assert_eq!(bench.block.row.val(), marked);
        bench.block.found_row.next = marked;
        bench.block.take_corrupt.next = true;
        bench.tick();
        bench.block.take_corrupt.next = false;
        assert_ne!(bench.block.row.val().parity, marked.parity);
        bench.block.blank.next = true;
        bench.tick();
        bench.block.blank.next = false;
        assert_eq!((bench.block.row.val(), value(bench.block.key.val().get_bits::<32>(0))), (RowData::default(), 0));
    }
}

#[test]
fn commands_are_refused_as_the_contract_says() {
    let mut bench = Bench::new(CommandCheck::default(), |block| &mut block.clock);
    let mut random = Random(7);
    let content = Row {
        key: [4; 38],
        match_index: MatchIndex::new(131_071).expect("in range"),
        scope: Scope::Content,
        not_after: 77,
        ring: 3,
    };
    let mut seen = [0; 6];
    for _ in 0..3_000 {
        let table = Table::ALL[random.below(7) as usize];
        let row = [0, 127, 128, table.rows_per_way() - 1, table.rows_per_way()][random.below(5) as usize];
        let mut command = Command::write_row(9, table, random.below(5) as u8, row, &content);
        command.opcode = random.below(15) as u8;
        match random.below(6) {
            0 => command.table = random.below(10) as u8,
            1 => command.scope = random.below(5) as u8,
            2 => command.match_index = [0, 0, random.below(4) as u8],
            3 => command.not_after[5] = random.below(32) as u8,
            4 => command.flags |= flags::PENDING,
            _ => {}
        }
        command = command.seal();
        if random.one_in(8) {
            let mut bytes = [0; 64];
            bytes.copy_from_slice(command.as_bytes());
            bytes[random.below(64) as usize] ^= 1 << random.below(8);
            command = Command::read_from_bytes(&bytes).expect("64 bytes");
        }
        let [ready, staged, committed, armed] = [(); 4].map(|()| random.one_in(2));
        let check = &mut bench.block;
        (check.tables_ready.next, check.staged.next) = (ready, staged);
        (check.committed.next, check.armed.next) = (committed, armed);
        check.command.next = to_bits(command.as_bytes());
        check.sum.next = true;
        bench.tick();
        bench.block.sum.next = false;
        bench.settle();
        let pending = command.flags & flags::PENDING != 0;
        let expected = match command.check() {
            Err(status) => status,
            Ok(Opcode::Nop) => Status::Done,
            Ok(_) if !ready => Status::NotReady,
            Ok(Opcode::WriteRule) if !staged || pending && committed => Status::BadState,
            Ok(Opcode::WriteRow | Opcode::ClearRow | Opcode::ClearRule) if pending && committed => Status::BadState,
            Ok(Opcode::Commit | Opcode::Abort) if committed => Status::BadState,
            Ok(Opcode::Settle) if !committed => Status::BadState,
            Ok(Opcode::CorruptRow) if armed => Status::BadState,
            Ok(_) => Status::Done,
        };
        seen[expected as usize] += 1;
        assert_eq!(value(bench.block.status.val()), u64::from(expected as u8), "{command:?} {:?}", command.check());
        assert_eq!(value(bench.block.opcode.val()), u64::from(command.opcode));
    }
    assert!(seen.iter().all(|&count| count > 50), "{seen:?}");
}

/// A bank, and the writer that fills its cells.
#[derive(LogicBlock, Default)]
struct Bank {
    clock: Signal<In, Clock>,
    start: Signal<In, Bit>,
    busy: Signal<Out, Bit>,
    bank: RuleBank,
    writer: RuleWriter,
    number: Signal<In, Bits<7>>,
    word: Signal<In, RuleWord>,
    keys: [Reg<Bits<304>>; 7],
    key: Signal<In, Bits<304>>,
    rows: [Reg<Bits<7>>; 4],
}

impl Logic for Bank {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, bank, writer);
        self.bank.reset.next = false;
        self.writer.reset.next = false;
        self.writer.start.next = self.start.val();
        self.writer.bank.next = bits::<2>(0);
        self.writer.number.next = self.number.val();
        self.writer.value.next = self.word.val().value;
        self.writer.mask.next = self.word.val().mask;
        self.busy.next = self.writer.busy.val();
        self.bank.number.next = self.number.val();
        self.bank.word.next = self.word.val();
        self.bank.cell_write.next = self.writer.write.val();
        self.bank.cell_group.next = self.writer.group.val();
        self.bank.cell_entry.next = self.writer.entry.val();
        for k in 0..16 {
            self.bank.cell_word[k].next = self.writer.word[k].val();
        }
        self.bank.key.next = self.key.val();
        for k in 0..7 {
            self.keys[k].clock.next = self.clock.val();
        }
        self.keys[0].d.next = self.key.val();
        for k in 0..6 {
            self.keys[k + 1].d.next = self.keys[k].q.val();
        }
        self.bank.compare_key.next = self.keys[6].q.val();
        for k in 0..4 {
            self.rows[k].clock.next = self.clock.val();
        }
        self.rows[0].d.next = self.number.val();
        for k in 0..3 {
            self.rows[k + 1].d.next = self.rows[k].q.val();
        }
        self.bank.row_number.next = self.rows[3].q.val();
    }
}

#[test]
fn a_bank_agrees_with_a_list() {
    let mut bench = Bench::new(Bank::default(), |block| &mut block.clock);
    let mut random = Random(8);
    let mut rules: Vec<Option<([u8; 38], [u8; 38], u64)>> = vec![None; 128];
    let base: [u8; 38] = random.bytes(38).try_into().expect("38 bytes");
    for written in 0..12_u64 {
        // Rules that differ from the frames in a few bits, some of which their masks leave out.
        let number_of = [0, 127, 64, 63, 5, 6, 100, 101, 1, 2, 126, 31][written as usize];
        let (mut rule, mut mask) = (base, [0xff; 38]);
        for _ in 0..random.below(3) {
            let bit = random.below(304) as usize;
            rule[bit / 8] ^= 1 << (bit % 8);
            if random.one_in(2) {
                mask[bit / 8] &= !(1 << (bit % 8));
            }
        }
        let parity = xor(rule.iter().chain(&mask).copied());
        let word = RuleWord {
            parity: number(parity.into()),
            value: to_bits(&rule),
            mask: to_bits(&mask),
            ..RuleWord::default()
        };
        rules[number_of as usize] = Some((rule, mask, written));
        bench.block.number.next = number(number_of);
        bench.block.word.next = word;
        bench.block.start.next = true;
        bench.tick();
        bench.block.start.next = false;
        while bench.block.busy.val() {
            bench.tick();
        }
        bench.block.bank.row.next = row_data(true, false, false, written, 1 << 43);
        bench.block.bank.write.next = true;
        bench.block.bank.write_words.next = true;
        bench.tick();
        bench.block.bank.write.next = false;
        for _ in 0..6 {
            bench.tick();
        }
        for _ in 0..6 {
            let mut key = base;
            if !random.one_in(3) {
                let bit = random.below(304) as usize;
                key[bit / 8] ^= 1 << (bit % 8);
            }
            bench.block.key.next = to_bits(&key);
            bench.block.bank.look_up.next = true;
            bench.tick();
            bench.block.bank.look_up.next = false;
            for _ in 0..9 {
                bench.tick();
            }
            let fits: Vec<u64> = rules
                .iter()
                .flatten()
                .filter(|(rule, mask, _)| (0..38).all(|i| (rule[i] ^ key[i]) & mask[i] == 0))
                .map(|rule| rule.2)
                .collect();
            let found = bench.block.bank.found.val();
            assert_eq!((found.hit.valid, found.multi), (!fits.is_empty(), fits.len() > 1));
            assert_eq!(value(found.hit.match_index), fits.first().copied().unwrap_or(0));
        }
    }
}
