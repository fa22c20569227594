//! Tables, lookups and the table engine together: commands and frames in, hits and completions out.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use rust_hdl::core::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::command::{Command, Completion, Opcode, Row, Status};
use writ_abi::key::{self, KEY_BYTES_MAX};
use writ_abi::limits::ADDRESS_ROWS_PER_WAY;
use writ_abi::{MatchIndex, Scope, Table, hash};
use writ_hdl::lookup::types::Hit;
use writ_hdl::lookup::{Lookup, TableEngine};
use writ_hdl::parse::types::{Headers, Parsed, Ticket};
use zerocopy::{FromBytes, IntoBytes};

/// Lookup and engine as the card connects them; the drop counters answer at once.
#[derive(LogicBlock, Default)]
struct Pair {
    clock: Signal<In, Clock>,
    reset: Signal<In, Bit>,
    valid: Signal<In, Bit>,
    parsed: Signal<In, Parsed>,
    armed: Signal<In, Bit>,
    expiry_floor: Signal<In, Bits<44>>,
    now_ns: Signal<In, Bits<64>>,
    command_valid: Signal<In, Bit>,
    command: Signal<In, Bits<512>>,
    completion_take: Signal<In, Bit>,
    lookup: Lookup,
    engine: TableEngine,
    entering: Signal<Local, Ticket>,
}

impl Logic for Pair {
    #[hdl_gen]
    fn update(&mut self) {
        self.lookup.clock.next = self.clock.val();
        self.engine.clock.next = self.clock.val();
        self.lookup.reset.next = self.reset.val();
        self.engine.reset.next = self.reset.val();
        self.lookup.valid.next = self.valid.val();
        self.lookup.parsed.next = self.parsed.val();
        self.lookup.armed.next = self.armed.val();
        self.lookup.expiry_floor.next = self.expiry_floor.val();
        self.lookup.access.next = self.engine.access.val();
        self.lookup.read_table.next = self.engine.read_table.val();
        self.lookup.read_way.next = self.engine.read_way.val();
        self.entering.next = self.lookup.entering_ticket.val();
        self.engine.enable.next = true;
        self.engine.now_ns.next = self.now_ns.val();
        self.engine.command_valid.next = self.command_valid.val();
        self.engine.command.next = self.command.val();
        self.engine.entering.next = self.lookup.entering.val();
        self.engine.entering_port.next = self.entering.val().port;
        self.engine.slot_free.next = self.lookup.slot_free.val();
        self.engine.read_key.next = self.lookup.read_key.val();
        self.engine.read_data.next = self.lookup.read_data.val();
        self.engine.drop_done.next = self.engine.drop_request.val();
        self.engine.drop_packets.next = bits::<64>(11);
        self.engine.drop_bytes.next = bits::<64>(1_234);
        self.engine.drops_ready.next = true;
        self.engine.completion_take.next = self.completion_take.val();
    }
}

struct Card {
    bench: Bench<Pair>,
    frames: [u64; 2],
}

fn frame(source: IpAddr, destination: IpAddr, ports: Option<(u8, u16, u16)>, stamp: u64, port: bool) -> Parsed {
    let (protocol, from, to) = ports.unwrap_or((1, 0, 0));
    let class = if ports.is_some() { 4 } else { 5 };
    let wire = [from.to_be_bytes(), to.to_be_bytes()].concat();
    Parsed {
        ticket: Ticket { port, quality: number(1), stamp: number(stamp), start: number(0) },
        headers: Headers { class: number(class), protocol: number(u64::from(protocol)), ..Headers::default() },
        has_addresses: true,
        has_ports: ports.is_some(),
        source: to_bits(&key::address_key(source)),
        destination: to_bits(&key::address_key(destination)),
        ports: to_bits(&wire),
    }
}

fn row(key: &[u8], index: u32, scope: Scope, not_after: u64) -> Row {
    let mut padded = [0; KEY_BYTES_MAX];
    padded[..key.len()].copy_from_slice(key);
    Row { key: padded, match_index: MatchIndex::new(index).expect("in range"), scope, not_after }
}

impl Card {
    fn new() -> Self {
        let bench = Bench::new(Pair::default(), |block| &mut block.clock);
        Self { bench, frames: [0; 2] }
    }

    fn swept() -> Self {
        let mut card = Self::new();
        for _ in 0..ADDRESS_ROWS_PER_WAY {
            assert!(!card.bench.block.engine.ready.val());
            card.tick();
        }
        assert!(card.bench.block.engine.ready.val());
        card.bench.block.armed.next = true;
        card
    }

    fn tick(&mut self) {
        self.bench.block.now_ns.next = number(self.bench.clocks);
        self.bench.tick();
    }

    fn execute(&mut self, command: &Command) -> Completion {
        self.bench.block.command_valid.next = true;
        self.bench.block.command.next = to_bits(command.as_bytes());
        self.bench.settle();
        assert!(self.bench.block.engine.command_take.val());
        self.tick();
        self.bench.block.command_valid.next = false;
        for _ in 0..40 {
            self.bench.settle();
            if self.bench.block.engine.completion_valid.val() {
                let mut bytes = to_bytes(self.bench.block.engine.completion_head.val());
                bytes.extend_from_slice(&to_bytes(self.bench.block.engine.completion_row.val()));
                self.bench.block.completion_take.next = true;
                self.tick();
                self.bench.block.completion_take.next = false;
                return Completion::read_from_bytes(&bytes).expect("128 bytes");
            }
            self.tick();
        }
        panic!("no completion");
    }

    fn write(&mut self, table: Table, way: u8, key: &[u8], index: u32, scope: Scope, not_after: u64) -> u32 {
        let place = hash::rows(key, table.rows_per_way())[usize::from(way)];
        let completion = self.execute(&Command::write_row(7, table, way, place, &row(key, index, scope, not_after)));
        assert_eq!((completion.status, completion.tag.get()), (Status::Done as u8, 7));
        place
    }

    /// Hits of one frame: (lookup, index, scope); whether it was suppressed; lookups with expired rows only.
    fn look_up(&mut self, parsed: Parsed) -> (Vec<(usize, u64, u64)>, bool, u64) {
        self.frames[usize::from(parsed.ticket.port)] += 1;
        self.bench.block.valid.next = true;
        self.bench.block.parsed.next = parsed;
        self.tick();
        self.bench.block.valid.next = false;
        for _ in 0..2 {
            self.tick();
            assert!(!self.bench.block.lookup.done.val());
        }
        self.tick();
        let lookup = &self.bench.block.lookup;
        assert!(lookup.done.val());
        let verdict = lookup.verdict.val();
        let hits: [Hit; 4] = [verdict.hit_0, verdict.hit_1, verdict.hit_2, verdict.hit_3];
        let found = hits.iter().enumerate().filter(|(_, hit)| hit.valid && lookup.hit.val());
        let found = found.map(|(i, hit)| (i, value(hit.match_index), value(hit.scope))).collect();
        (found, lookup.suppressed.val(), value(lookup.expired.val()))
    }
}

const ALICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const BOB: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));
const NEVER: u64 = writ_abi::time::NOT_AFTER_NEVER;

#[test]
fn each_lookup_finds_its_row_and_no_other() {
    let mut card = Card::swept();
    card.write(Table::Address, 2, &key::address_key(ALICE), 100, Scope::HeadersL3, NEVER);
    card.write(Table::Endpoint, 1, &key::endpoint_key(BOB, 17, 5060), 32_767, Scope::Content, NEVER);
    let both = frame(ALICE, BOB, Some((17, 4000, 5060)), 50, false);
    assert_eq!(card.look_up(both).0, [(0, 100, 0), (3, 32_767, 2)]);
    let back = frame(BOB, ALICE, Some((17, 5060, 4000)), 50, true);
    assert_eq!(card.look_up(back).0, [(1, 100, 0), (2, 32_767, 2)]);
    let no_ports = frame(ALICE, BOB, None, 50, false);
    assert_eq!(card.look_up(no_ports).0, [(0, 100, 0)]);
    let mut no_ip = frame(ALICE, BOB, None, 50, false);
    no_ip.has_addresses = false;
    assert_eq!(card.look_up(no_ip).0, []);
    for (protocol, port) in [(6, 5060), (17, 5061)] {
        assert_eq!(card.look_up(frame(BOB, BOB, Some((protocol, port, port)), 50, false)).0, []);
    }
    card.bench.block.armed.next = false;
    assert_eq!(card.look_up(both).0, []);
}

#[test]
fn the_lowest_live_way_counts_and_expiry_is_final() {
    let mut card = Card::swept();
    let key = key::address_key(ALICE);
    card.write(Table::Address, 3, &key, 3, Scope::Content, NEVER);
    card.write(Table::Address, 1, &key, 1, Scope::HeadersL4, 1_000);
    let at = |tick: u64| frame(ALICE, BOB, None, tick << 20, false);
    assert_eq!(card.look_up(at(999)).0, [(0, 1, 1)]);
    assert_eq!(card.look_up(at(1_000)).0, [(0, 3, 2)]);
    card.bench.block.expiry_floor.next = number(1_000);
    assert_eq!(card.look_up(at(5)).0, [(0, 3, 2)], "the clock went back; the row stays expired");
    let place = hash::rows(&key, ADDRESS_ROWS_PER_WAY)[3];
    card.execute(&Command::clear_row(1, Table::Address, 3, place));
    assert_eq!(card.look_up(at(5)), (vec![], false, 1));
    card.bench.block.expiry_floor.next = number(0);
    let mut untimed = at(5);
    untimed.ticket.quality = number(0);
    assert_eq!(card.look_up(untimed), (vec![], true, 0));
}

#[test]
fn rows_read_back_as_written_and_completions_count_frames() {
    let mut card = Card::swept();
    let key = key::endpoint_key(ALICE, 6, 443);
    card.look_up(frame(ALICE, BOB, None, 1, false));
    card.look_up(frame(ALICE, BOB, None, 1, true));
    card.look_up(frame(ALICE, BOB, None, 1, true));
    let place = card.write(Table::Endpoint, 3, &key, 12_345, Scope::HeadersL4, 0x0123_4567_89ab);
    let read = card.execute(&Command::read_row(9, Table::Endpoint, 3, place));
    let expected =
        Command::write_row(0, Table::Endpoint, 3, place, &row(&key, 12_345, Scope::HeadersL4, 0x0123_4567_89ab));
    assert_eq!((read.status, read.row_valid, read.opcode), (0, 1, Opcode::ReadRow as u8));
    assert_eq!(
        read.row.as_bytes()[1..60],
        {
            let mut bytes = expected.as_bytes()[1..60].to_vec();
            bytes[3..7].fill(0);
            bytes
        }[..]
    );
    assert_eq!((read.row.opcode, read.row.crc32c.get()), (0, 0));
    assert_eq!(read.frames_looked_up.map(|count| count.get()), card.frames);
    let empty = card.execute(&Command::read_row(9, Table::Endpoint, 2, place));
    assert_eq!((empty.row_valid, empty.row.as_bytes() == [0; 64]), (0, true));
    let drops = card.execute(&Command::drops(4, MatchIndex::new(5).expect("in range"), true));
    assert_eq!((drops.drop_packets.get(), drops.drop_bytes.get()), (11, 1_234));
    assert!(drops.stamp_ns.get() > empty.stamp_ns.get());
}

#[test]
fn damaged_and_early_commands_are_refused() {
    let mut card = Card::new();
    let good = Command::write_row(1, Table::Address, 0, 0, &row(&[4; 17], 1, Scope::Content, NEVER));
    assert_eq!(card.execute(&good).status, Status::NotReady as u8);
    assert_eq!(card.execute(&Command::new(Opcode::Nop, 3)).status, Status::Done as u8);
    let mut card = Card::swept();
    let mut random = Random(12);
    for _ in 0..300 {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(good.as_bytes());
        for _ in 0..=random.below(2) {
            bytes[random.below(64) as usize] = random.next() as u8;
        }
        let mut command = Command::read_from_bytes(&bytes).expect("64 bytes");
        if random.one_in(2) {
            command = command.seal();
        }
        let expected = command.check().map_or_else(|status| status as u8, |_| Status::Done as u8);
        let completion = card.execute(&command);
        assert_eq!(completion.status, expected, "{:02x?}", command.as_bytes());
        assert_eq!((completion.opcode, completion.tag.get()), (command.opcode, command.tag.get()));
    }
}

#[test]
fn frames_every_clock_do_not_hold_back_commands_for_ever() {
    let mut card = Card::swept();
    let stream = frame(ALICE, BOB, Some((6, 1, 2)), 9, false);
    card.bench.block.valid.next = true;
    card.bench.block.parsed.next = stream;
    for _ in 0..10 {
        card.tick();
    }
    // The merger leaves a slot a few clocks after `hold`.
    let place = hash::rows(&key::address_key(ALICE), ADDRESS_ROWS_PER_WAY)[0];
    let row = row(&key::address_key(ALICE), 42, Scope::Content, NEVER);
    card.bench.block.command_valid.next = true;
    card.bench.block.command.next = to_bits(Command::write_row(1, Table::Address, 0, place, &row).as_bytes());
    card.bench.settle();
    assert!(card.bench.block.engine.hold.val());
    card.tick();
    card.bench.block.command_valid.next = false;
    for clock in 0..30 {
        card.bench.block.valid.next = clock != 15;
        card.tick();
    }
    card.bench.settle();
    assert!(card.bench.block.engine.completion_valid.val());
    let head = to_bytes(card.bench.block.engine.completion_head.val());
    let before = u64::from_le_bytes(head[16..24].try_into().expect("eight bytes"));
    let entered = value(card.bench.block.engine.looked_up_a.val());
    assert!(before < entered);
    assert_eq!(value(card.bench.block.lookup.verdict.val().hit_0.match_index), 42);
}
