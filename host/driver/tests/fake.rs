//! The driver against cards that do what they are told, and against cards that do not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use writ_abi::command::{Command, Completion, Opcode, Row, Rule, Status, flags};
use writ_abi::parse::TunnelKind;
use writ_abi::record::{DropCause, GapRecord, Hit, PacketHeader, RawHit, RecordError, RecordKind, SKIP_LINE};
use writ_abi::registers::{BLOCKS, clock, control, counters, identity, lookup, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{Lookup, MatchIndex, Scope, Table, crc};
use writ_driver::memory::{CardMemory, HostMemory};
use writ_driver::{
    Bar, BringUp, Card, CardError, ClockState, CommandError, DamagedPlace, Event, Flow, Irq, Irqs, LookupSettings,
    Parts, PayloadCheck, Progress, Pulse, RecordRing, RingError, RingMemory, RingSizes, SLEW_NS_MAX, TunnelKinds,
    Violation, Wake, register_walk, rule_commands,
};
use zerocopy::{FromZeros, IntoBytes};

const SIZES: RingSizes = RingSizes::uniform(256, 8);
const LOOKUP: LookupSettings = LookupSettings {
    prefix_bits: Some(56),
    own_tunnels: TunnelKinds::NONE.with(TunnelKind::GtpU).with(TunnelKind::Gre),
};
const HOW: BringUp = BringUp {
    now_ns: 5 << 32 | 7,
    quality: TimeQuality::Locked,
    lookup: LOOKUP,
    ready_timeout: Duration::from_millis(30),
};
/// The ring that most tests use: not the first, so that nothing hits the right registers by accident.
const RING: u8 = 2;
/// From the registers of ring 0 to those of [`RING`].
const AT: u32 = RING as u32 * rings::RECORD_STRIDE;

/// A register file made from the ABI, with faults to order.
#[derive(Clone)]
struct Fake(Arc<Mutex<State>>);

struct State {
    words: BTreeMap<u32, u32>,
    /// Registers that read as something else.
    lies: BTreeMap<u32, u32>,
    /// Bits that take a write although they must not.
    leaky: BTreeMap<u32, u32>,
    gone: bool,
    writes: Vec<(u32, u32)>,
    memory: CardMemory,
}

impl Bar for Fake {
    fn read32(&self, offset: u32) -> u32 {
        let state = self.0.lock().expect("lock");
        if state.gone {
            return u32::MAX;
        }
        let word = |at: u32| state.lies.get(&at).or(state.words.get(&at)).copied().unwrap_or(0);
        if offset == clock::STATE_AT && !state.lies.contains_key(&offset) {
            return clock::STATE_QUALITY.place(clock::QUALITY.extract(word(clock::SET_AT)));
        }
        word(offset)
    }

    fn write32(&self, offset: u32, value: u32) {
        let mut state = self.0.lock().expect("lock");
        state.writes.push((offset, value));
        let leaky = state.leaky.get(&offset).copied().unwrap_or(0);
        let writable = writable(offset) | leaky;
        if writable != 0 {
            let word = state.words.entry(offset).or_default();
            *word = *word & !writable | value & writable;
        }
    }
}

fn writable(offset: u32) -> u32 {
    let registers =
        BLOCKS.iter().flat_map(|block| block.registers.iter().map(|each| (block.offset + each.offset, each)));
    registers
        .filter(|(at, _)| *at == offset)
        .flat_map(|(_, register)| register.fields)
        .filter(|field| field.access == writ_abi::registers::Access::ReadWrite)
        .fold(0, |mask, field| mask | field.mask())
}

/// Never signals.
struct Silent(Wake);

impl Irq for Silent {
    fn wait(&mut self, _timeout: Duration) -> Wake {
        std::thread::sleep(Duration::from_millis(1));
        self.0
    }
}

struct Setup {
    fake: Fake,
    memory: Arc<HostMemory>,
}

impl Setup {
    fn new() -> Self {
        let memory = HostMemory::new(SIZES.memory_bytes()).expect("memory");
        let mut words = BTreeMap::new();
        for block in BLOCKS {
            for register in block.registers {
                let reset = register.fields.iter().fold(0, |value, field| value | field.place(field.reset));
                words.insert(block.offset + register.offset, reset);
            }
        }
        *words.entry(control::STATUS_AT).or_default() |= control::TABLES_READY.mask();
        let (lies, leaky) = (BTreeMap::new(), BTreeMap::new());
        let state = State { words, lies, leaky, gone: false, writes: Vec::new(), memory: memory.card() };
        Self { fake: Fake(Arc::new(Mutex::new(state))), memory }
    }

    fn lie(self, register: u32, value: u32) -> Self {
        self.fake.0.lock().expect("lock").lies.insert(register, value);
        self
    }

    fn bring_up_with(&self, wake: Wake) -> Result<Parts, CardError> {
        let rings = RingMemory::allocate(&self.memory, &SIZES)?;
        let irqs = Irqs::each(|| Box::new(Silent(wake)));
        Card::bring_up(Arc::new(self.fake.clone()), rings, irqs, &HOW)
    }

    fn bring_up(&self) -> Result<Parts, CardError> {
        self.bring_up_with(Wake::TimedOut)
    }

    /// Brings the card up and takes the ring that the tests use.
    fn ring(&self) -> RecordRing {
        let rings = self.bring_up().expect("up").rings;
        rings.into_iter().find(|ring| ring.number() == RING).expect("all rings are used")
    }

    fn wide(&self, low: u32, high: u32) -> u64 {
        u64::from(self.fake.read32(high)) << 32 | u64::from(self.fake.read32(low))
    }

    /// Writes lines as the card would.
    fn dma(&self, address: u64, bytes: &[u8]) {
        let memory = self.fake.0.lock().expect("lock").memory.clone();
        for (number, line) in bytes.chunks_exact(64).enumerate() {
            let line = line.try_into().expect("a line");
            memory.write_line(address + 64 * number as u64, line).expect("inside");
        }
    }

    fn index(&self, low: u32, high: u32, value: u32) {
        let mut line = [0; 64];
        line[..4].copy_from_slice(&value.to_le_bytes());
        self.dma(self.wide(low, high), &line);
    }

    fn complete(&self, slot: u64, tag: u32, opcode: u8, status: u8) {
        let mut completion = Completion::new_zeroed();
        (completion.tag, completion.opcode, completion.status) = (tag.into(), opcode, status);
        let base = self.wide(rings::COMPLETION_BASE_LO_AT, rings::COMPLETION_BASE_HI_AT);
        self.dma(base + 128 * slot, completion.as_bytes());
    }

    fn completed(&self, count: u32) {
        self.index(rings::COMPLETION_INDEX_LO_AT, rings::COMPLETION_INDEX_HI_AT, count);
    }

    fn record(&self, line: u64, bytes: &[u8]) {
        self.dma(self.wide(rings::RECORD_BASE_LO_AT + AT, rings::RECORD_BASE_HI_AT + AT) + 64 * line, bytes);
    }

    fn produced(&self, lines: u32) {
        self.index(rings::RECORD_INDEX_LO_AT + AT, rings::RECORD_INDEX_HI_AT + AT, lines);
    }
}

fn packet(sequence: u32, payload: usize) -> Vec<u8> {
    let mut header = PacketHeader::new_zeroed();
    let match_index = MatchIndex::new(3).expect("in range");
    (header.kind, header.hit_count, header.parse_class) = (RecordKind::Packet as u8, 1, 4);
    header.record_sequence = sequence.into();
    header.original_bytes = (payload as u16).into();
    header.captured_bytes = (payload as u16).into();
    let bytes: Vec<u8> = (0..payload).map(|i| (i as u32 + sequence) as u8).collect();
    header.payload_crc32c = crc::crc32c_padded(&bytes).into();
    header.hits[0] = RawHit::new(Hit { match_index, scope: Scope::Content, lookup: Lookup::OuterSource });
    header.header_crc32c = crc::crc32c(header.as_bytes()).into();
    let mut record = header.as_bytes().to_vec();
    record.extend(bytes);
    record.resize(record.len().next_multiple_of(64), 0);
    record
}

fn gap(first: u32, last: u32) -> Vec<u8> {
    let mut gap = GapRecord::new_zeroed();
    (gap.kind, gap.causes) = (RecordKind::Gap as u8, 1 << DropCause::RecordFifo as u8);
    (gap.first_sequence, gap.last_sequence) = (first.into(), last.into());
    gap.header_crc32c = crc::crc32c(gap.as_bytes()).into();
    gap.as_bytes().to_vec()
}

#[test]
fn bring_up_sets_everything_and_reads_it_back() {
    let setup = Setup::new();
    let Parts { card, .. } = setup.bring_up().expect("up");
    assert_eq!(setup.wide(clock::SET_LO_AT, clock::SET_HI_AT), HOW.now_ns);
    assert_eq!(card.time_quality(), Ok(TimeQuality::Locked));
    assert_eq!(setup.fake.read32(rings::COMMAND_COUNT_AT), 8);
    assert_eq!(card.lookup_settings(), Ok(LOOKUP));
    let of_rings = (0..4).flat_map(|ring| {
        let at = ring * rings::RECORD_STRIDE;
        assert_eq!(setup.fake.read32(rings::RECORD_LINES_AT + at), 256);
        [
            setup.wide(rings::RECORD_BASE_LO_AT + at, rings::RECORD_BASE_HI_AT + at),
            setup.wide(rings::RECORD_INDEX_LO_AT + at, rings::RECORD_INDEX_HI_AT + at),
        ]
    });
    let others = [
        setup.wide(rings::COMMAND_BASE_LO_AT, rings::COMMAND_BASE_HI_AT),
        setup.wide(rings::COMPLETION_BASE_LO_AT, rings::COMPLETION_BASE_HI_AT),
        setup.wide(rings::COMPLETION_INDEX_LO_AT, rings::COMPLETION_INDEX_HI_AT),
    ];
    let addresses: Vec<u64> = of_rings.chain(others).collect();
    assert!(addresses.windows(2).all(|pair| pair[0] < pair[1]) && addresses[0] == HostMemory::BUS_BASE);
    let writes = setup.fake.0.lock().expect("lock").writes.clone();
    assert_eq!(writes[0], (control::CONTROL_AT, control::RESET.mask()), "the reset comes first");
    let enable = (rings::ENABLE_AT, rings::ENABLE_RECORDS.mask() | rings::ENABLE_COMMANDS.mask());
    assert_eq!(writes.last(), Some(&enable), "the rings are enabled when all else is set");
    assert!(!card.status().expect("status").armed);
    card.arm().expect("armed");
    assert!(card.status().expect("status").armed);
    assert_eq!(card.set_time(1, TimeQuality::Free), Err(CardError::Armed));
    assert_eq!(card.set_lookup_settings(&LookupSettings::default()), Err(CardError::Armed));
    assert_eq!(card.lookup_settings(), Ok(LOOKUP));
    card.disarm().expect("disarmed");
    card.set_time(1, TimeQuality::Free).expect("set");
    card.set_lookup_settings(&LookupSettings::default()).expect("set");
    assert_eq!(card.lookup_settings(), Ok(LookupSettings::default()));
}

fn rows(table: Table) -> u32 {
    identity::TABLE_ROWS_AT + 4 * table as u32
}

#[test]
fn cards_of_another_kind_are_refused_before_anything_is_written() {
    let abi = u32::from(writ_abi::ABI_MAJOR + 1) << 16;
    let capability = |name, card, host_max| CardError::Capability { name, card, host_max };
    for (register, value, expected) in [
        (identity::MAGIC_AT, 0x1234_5678, CardError::NotWrit { found: 0x1234_5678 }),
        (identity::MAGIC_AT, u32::MAX, CardError::Gone { register: identity::MAGIC_AT }),
        (identity::ABI_AT, abi, CardError::AbiMajor { card: writ_abi::ABI_MAJOR + 1, host: writ_abi::ABI_MAJOR }),
        (rows(Table::Address), 16_384, capability("ADDRESS_ROWS", 16_384, 8192)),
        (rows(Table::Address), 0, capability("ADDRESS_ROWS", 0, 8192)),
        (rows(Table::FiveTuple), 1000, capability("FIVE_TUPLE_ROWS", 1000, 2048)),
        (rows(Table::Vlan), 512, capability("VLAN_ROWS", 512, 256)),
        (identity::RULE_BANKS_AT, 8, capability("RULE_BANKS", 8, 4)),
        (identity::RULES_PER_BANK_AT, 0, capability("RULES_PER_BANK", 0, 128)),
        (identity::MATCH_INDICES_AT, 1 << 20, capability("MATCH_INDICES", 1 << 20, 1 << 17)),
        (identity::RECORD_RINGS_AT, 3, capability("RECORD_RINGS", 3, 4)),
        (identity::RECORD_RINGS_AT, 2, CardError::Rings { card: 2, wanted: 3 }),
    ] {
        let setup = Setup::new().lie(register, value);
        assert_eq!(setup.bring_up().map(|_| ()), Err(expected));
        assert_eq!(setup.fake.0.lock().expect("lock").writes, []);
    }
    // A smaller card is fine, and says so.
    let setup = Setup::new().lie(rows(Table::Endpoint), 1024);
    let card = setup.bring_up().expect("up").card;
    assert_eq!((card.identity().rows_per_way(Table::Endpoint), card.identity().rows_per_way(Table::Mac)), (1024, 1024));
}

#[test]
fn a_card_that_does_not_follow_is_noticed() {
    let setup = Setup::new().lie(control::STATUS_AT, 2);
    assert!(matches!(setup.bring_up(), Err(CardError::NotReady { status: 2, waited }) if waited >= HOW.ready_timeout));
    for register in [
        clock::SET_LO_AT,
        clock::SET_AT,
        rings::ENABLE_AT,
        rings::RECORD_BASE_HI_AT + AT,
        rings::RECORD_LINES_AT,
        lookup::PREFIX_AT,
        lookup::OWN_TUNNELS_AT,
        rings::COMMAND_COUNT_AT,
        rings::COMPLETION_INDEX_LO_AT,
    ] {
        let setup = Setup::new().lie(register, 0x4321);
        let refused = setup.bring_up().map(|_| ());
        assert!(matches!(refused, Err(CardError::NotTaken { register: at, read: 0x4321, .. }) if at == register));
    }
    let setup = Setup::new();
    let Parts { card, .. } = setup.bring_up().expect("up");
    setup.fake.0.lock().expect("lock").lies.insert(control::CONTROL_AT, 0);
    let refused = card.arm();
    assert_eq!(refused, Err(CardError::NotTaken { register: control::CONTROL_AT, wrote: 1, read: 0 }));
}

#[test]
fn settings_out_of_range_are_the_callers_fault() {
    let memory = HostMemory::new(1 << 20).expect("memory");
    for (record_lines, commands, name) in [
        ([256, 256, 255, 256], 8, "record_lines"),
        ([128, 0, 0, 0], 8, "record_lines"),
        ([256, 256, 256, 1 << 25], 8, "record_lines"),
        ([0; 4], 8, "record_lines"),
        ([256; 4], 3, "commands"),
        ([256; 4], 1, "commands"),
    ] {
        let refused = RingMemory::allocate(&memory, &RingSizes { record_lines, commands });
        assert!(matches!(refused, Err(CardError::Setting { name: which, .. }) if which == name));
    }
    let refused = RingMemory::allocate(&memory, &RingSizes::uniform(1 << 20, 8));
    assert!(matches!(refused, Err(CardError::Dma(_))));
    for prefix_bits in [0, 129] {
        let setup = Setup::new();
        let rings = RingMemory::allocate(&setup.memory, &SIZES).expect("memory");
        let how = BringUp { lookup: LookupSettings { prefix_bits: Some(prefix_bits), ..LOOKUP }, ..HOW };
        let refused = Card::bring_up(Arc::new(setup.fake.clone()), rings, Irqs::none(), &how).map(|_| ());
        assert_eq!(refused, Err(CardError::Setting { name: "prefix_bits", given: prefix_bits.into() }));
        assert_eq!(setup.fake.0.lock().expect("lock").writes, []);
    }
}

#[test]
fn only_rings_with_memory_are_enabled() {
    let setup = Setup::new();
    let sizes = RingSizes { record_lines: [0, 512, 0, 256], commands: 8 };
    let rings = RingMemory::allocate(&setup.memory, &sizes).expect("memory");
    let parts = Card::bring_up(Arc::new(setup.fake.clone()), rings, Irqs::none(), &HOW).expect("up");
    assert_eq!(parts.rings.iter().map(RecordRing::number).collect::<Vec<_>>(), [1, 3]);
    let enabled = || rings::ENABLE_RECORDS.extract(setup.fake.read32(rings::ENABLE_AT));
    assert_eq!(enabled(), 0b1010);
    assert_eq!(setup.fake.read32(rings::RECORD_LINES_AT + rings::RECORD_STRIDE), 512);
    // The memory comes back whole, in whatever order the rings' users are done; a ring whose user is lost is left out.
    let mut users = parts.rings;
    let first = users.remove(0);
    let memory = RingMemory::from_parts(parts.commands, users.into_iter().chain([first]));
    let parts = Card::bring_up(Arc::new(setup.fake.clone()), memory, Irqs::none(), &HOW).expect("up");
    assert_eq!(parts.rings.iter().map(RecordRing::number).collect::<Vec<_>>(), [1, 3]);
    let memory = RingMemory::from_parts(parts.commands, parts.rings.into_iter().take(1));
    let parts = Card::bring_up(Arc::new(setup.fake.clone()), memory, Irqs::none(), &HOW).expect("up");
    assert_eq!((parts.rings.len(), enabled()), (1, 0b0010));
}

#[test]
fn each_ring_has_its_own_records_and_its_own_consumer_index() {
    let setup = Setup::new();
    let mut parts = setup.bring_up().expect("up");
    setup.record(0, &packet(0, 100));
    setup.produced(3);
    for ring in &mut parts.rings {
        let mut seen = 0;
        ring.poll(10, |_| {
            seen += 1;
            Flow::Taken
        })
        .expect("good records");
        assert_eq!(seen, u32::from(ring.number() == RING), "ring {}", ring.number());
    }
    for ring in 0..4_u32 {
        let consumer = setup.fake.read32(rings::RECORD_CONSUMER_AT + ring * rings::RECORD_STRIDE);
        assert_eq!(consumer, if ring == u32::from(RING) { 3 } else { 0 });
    }
}

#[test]
fn the_damage_alarm_names_a_place_or_the_card_is_at_fault() {
    let field = |table, way, row| {
        lookup::DAMAGE_SEEN.mask()
            | lookup::DAMAGE_TABLE.place(table)
            | lookup::DAMAGE_WAY.place(way)
            | lookup::DAMAGE_ROW.place(row)
    };
    let damage = |register| Setup::new().lie(lookup::DAMAGE_AT, register).bring_up().expect("up").card.damage();
    assert_eq!(damage(0), Ok(None));
    assert_eq!(damage(5), Ok(None), "nothing was seen");
    let row = |table, way, row| Ok(Some(DamagedPlace::Row { table, way, row }));
    assert_eq!(damage(field(0, 3, 8191)), row(Table::Address, 3, 8191));
    assert_eq!(damage(field(6, 0, 255)), row(Table::Vlan, 0, 255));
    assert_eq!(damage(field(15, 2, 127)), Ok(Some(DamagedPlace::Rule { bank: 2, number: 127 })));
    for (table, way, place) in [(7, 0, 0), (0, 4, 0), (6, 0, 256), (15, 4, 0), (15, 0, 128)] {
        let register = field(table, way, place);
        assert_eq!(damage(register), Err(CardError::UnknownDamage { register }));
    }
}

#[test]
fn a_rule_is_two_commands_in_a_row() {
    let match_index = MatchIndex::new(9).expect("in range");
    let key = [0xf0; writ_abi::key::KEY_BYTES_MAX];
    let row = Row { key, match_index, scope: Scope::Content, not_after: 7, ring: 3 };
    let rule = Rule { row, value: [0x50; writ_abi::key::KEY_BYTES_MAX], destination: true };
    for pending in [false, true] {
        let [stage, write] = rule_commands(2, 77, &rule, pending);
        assert_eq!((stage.check(), write.check()), (Ok(Opcode::StageRule), Ok(Opcode::WriteRule)));
        assert_eq!((stage.key, write.key), (rule.value, key));
        assert_eq!((write.way, write.row.get(), write.match_index_bits()), (2, 77, 9));
        let expected = 3 | flags::DESTINATION | if pending { flags::PENDING } else { 0 };
        assert_eq!(write.flags, expected);
    }
}

#[test]
fn a_card_that_leaves_is_gone_for_everyone() {
    let setup = Setup::new();
    let Parts { card, mut commands, .. } = setup.bring_up_with(Wake::TimedOut).expect("up");
    assert!(card.is_present());
    setup.fake.0.lock().expect("lock").gone = true;
    assert!(!card.is_present());
    assert!(matches!(card.status(), Err(CardError::Gone { .. })));
    assert!(matches!(card.now_ns(), Err(CardError::Gone { .. })));
    assert!(matches!(card.counters(), Err(CardError::Gone { .. })));
    assert!(matches!(card.disarm(), Err(CardError::Gone { .. })));
    assert!(matches!(card.set_time_quality(TimeQuality::Free), Err(CardError::Gone { .. })));
    let refused = commands.execute(&[Command::new(Opcode::Nop, 0)], Duration::from_millis(5)).map(|_| ());
    assert_eq!(refused, Err(CommandError::Gone));
}

#[test]
fn counters_are_read_by_name() {
    let setup = Setup::new();
    let Parts { card, .. } = setup.bring_up().expect("up");
    let at = counters::address(writ_abi::registers::Counter::FramesHit).expect("in the ABI");
    let mut state = setup.fake.0.lock().expect("lock");
    state.lies.extend([(at, u32::MAX), (at + 4, 7)]);
    drop(state);
    let counters = card.counters().expect("counters");
    assert_eq!(counters.by_name("FRAMES_HIT"), Some(7 << 32 | 0xffff_ffff));
    assert_eq!(counters.by_name("FRAMES_MISSED"), None);
    let snapshot = (control::CONTROL_AT, control::SNAPSHOT.mask());
    assert_eq!(setup.fake.0.lock().expect("lock").writes.last(), Some(&snapshot));
}

#[test]
fn a_wire_whose_clock_stands_still_gives_no_counters() {
    let setup = Setup::new();
    let Parts { card, .. } = setup.bring_up().expect("up");
    let status = control::TABLES_READY.mask() | control::SNAPSHOT_PENDING.mask();
    setup.fake.0.lock().expect("lock").lies.insert(control::STATUS_AT, status);
    assert_eq!(card.counters(), Err(CardError::NoSnapshot { status }));
}

#[test]
fn slews_keep_to_the_registers_width() {
    let setup = Setup::new();
    let Parts { card, .. } = setup.bring_up().expect("up");
    card.slew(-3, 65_536).expect("slewed");
    let last = setup.fake.0.lock().expect("lock").writes.split_off(0).pop();
    assert_eq!(last, Some((clock::SLEW_AT, 0x80ff_fffd)));
    assert_eq!(setup.fake.read32(clock::SLEW_INTERVAL_AT), 0xffff);
    for (ns, clocks, name, given) in [
        (SLEW_NS_MAX + 1, 2, "slew_ns", 1 << 23),
        (i32::MIN, 2, "slew_ns", 1 << 31),
        (1, 1, "slew_clocks", 1),
        (1, 65_537, "slew_clocks", 65_537),
    ] {
        assert_eq!(card.slew(ns, clocks), Err(CardError::Setting { name, given }));
    }
    let words = [(clock::STATE_AT, 6), (clock::SLEW_LEFT_AT, 0xff_fffe), (clock::PPS_COUNT_AT, 9)];
    setup.fake.0.lock().expect("lock").lies.extend(words);
    let state = ClockState { quality: TimeQuality::Locked, refused: true, slew_left_ns: -2 };
    assert_eq!((card.clock_state(), card.pulse()), (Ok(state), Ok(Pulse { count: 9, ns: 0 })));
}

#[test]
fn completions_are_matched_in_order() {
    let setup = Setup::new();
    let Parts { mut commands, .. } = setup.bring_up().expect("up");
    let nop = Command::new(Opcode::Nop, 99);
    let clear = Command::clear_row(99, Table::Address, 0, 0);
    for round in 0..5_u32 {
        commands.submit(&[nop, clear]).expect("room");
        assert_eq!(setup.fake.read32(rings::COMMAND_PRODUCER_AT), 2 * round + 2);
        let base = setup.wide(rings::COMMAND_BASE_LO_AT, rings::COMMAND_BASE_HI_AT);
        let place = base + 64 * u64::from(2 * round % 8);
        let line = setup.fake.0.lock().expect("lock").memory.read_line(place).expect("inside");
        let written: Command = zerocopy::transmute!(line);
        assert_eq!((written.tag.get(), written.check()), (2 * round, Ok(Opcode::Nop)), "numbered and sealed");
        let slot = u64::from(2 * round % 8);
        setup.complete(slot, 2 * round, 0, 0);
        setup.complete(slot + 1, 2 * round + 1, Opcode::ClearRow as u8, Status::BadField as u8);
        setup.completed(2 * round + 2);
        let mut completed = Vec::new();
        assert_eq!(commands.poll(&mut completed), Ok(2));
        assert_eq!(completed.iter().map(|each| each.status).collect::<Vec<_>>(), [Status::Done, Status::BadField]);
    }
    let given = [nop; 9];
    assert_eq!(commands.submit(&given), Err(CommandError::TooMany { given: 9, room: 8 }));
    assert!(!commands.is_broken() && commands.outstanding() == 0, "a caller's mistake breaks nothing");
}

#[test]
fn completions_that_lie_break_the_channel() {
    let check = |lie: &dyn Fn(&Setup), expected: CommandError| {
        let setup = Setup::new();
        let Parts { mut commands, .. } = setup.bring_up().expect("up");
        commands.submit(&[Command::new(Opcode::Nop, 0)]).expect("room");
        lie(&setup);
        assert_eq!(commands.poll(&mut Vec::new()), Err(expected));
        assert_eq!(commands.poll(&mut Vec::new()), Err(CommandError::Broken));
        assert_eq!(commands.submit(&[Command::new(Opcode::Nop, 0)]), Err(CommandError::Broken));
    };
    let one = |setup: &Setup, tag, opcode, status| {
        setup.complete(0, tag, opcode, status);
        setup.completed(1);
    };
    check(&|setup| one(setup, 5, 0, 0), CommandError::Tag { expected: 0, found: 5 });
    check(&|setup| one(setup, 0, 1, 0), CommandError::Tag { expected: 0, found: 0 });
    let bad_state = |setup: &Setup| {
        let mut completion = Completion::new_zeroed();
        completion.row_state = 3;
        let base = setup.wide(rings::COMPLETION_BASE_LO_AT, rings::COMPLETION_BASE_HI_AT);
        setup.dma(base, completion.as_bytes());
        setup.completed(1);
    };
    check(&bad_state, CommandError::UnknownRowState { tag: 0, state: 3 });
    check(&|setup| one(setup, 0, 0, 77), CommandError::UnknownStatus { tag: 0, status: 77 });
    check(&|setup| setup.completed(2), CommandError::Producer { completed: 0, outstanding: 1, found: 2 });
    check(&|setup| setup.completed(u32::MAX), CommandError::Producer { completed: 0, outstanding: 1, found: u32::MAX });
}

#[test]
fn a_command_without_completion_times_out() {
    let setup = Setup::new();
    let Parts { mut commands, .. } = setup.bring_up().expect("up");
    let refused = commands.execute(&[Command::new(Opcode::Nop, 0)], Duration::from_millis(10)).map(|_| ());
    assert!(matches!(refused, Err(CommandError::Timeout { outstanding: 1, waited }) if waited.as_millis() >= 10));
    assert!(commands.is_broken());
    let setup = Setup::new();
    let Parts { mut commands, .. } = setup.bring_up_with(Wake::Gone).expect("up");
    let refused = commands.execute(&[Command::new(Opcode::Nop, 0)], Duration::from_secs(10)).map(|_| ());
    assert_eq!(refused, Err(CommandError::Gone));
}

/// What a poll handed out.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Packet(u32, usize),
    Gap(u32, u32),
    Lost(u32, u32),
}

fn got(event: &Event<'_>) -> Got {
    match event {
        Event::Packet(packet) => Got::Packet(packet.header.record_sequence.get(), packet.payload.len()),
        Event::Gap(gap) => Got::Gap(gap.first_sequence.get(), gap.last_sequence.get()),
        Event::Lost { first_sequence, last_sequence } => Got::Lost(*first_sequence, *last_sequence),
    }
}

#[test]
fn records_are_handed_out_once_and_released_in_one_write() {
    let setup = Setup::new();
    let mut records = setup.ring();
    setup.record(0, &packet(0, 100));
    setup.record(3, &gap(1, 4));
    setup.record(4, &packet(5, 0));
    setup.produced(5);
    let before = setup.fake.0.lock().expect("lock").writes.len();
    let mut seen = Vec::new();
    let progress = records.poll(10, |event| {
        seen.push(got(&event));
        Flow::Taken
    });
    assert_eq!(progress, Ok(Progress { records: 3, lines: 5, stopped: false }));
    assert_eq!(seen, [Got::Packet(0, 100), Got::Gap(1, 4), Got::Packet(5, 0)]);
    let writes = setup.fake.0.lock().expect("lock").writes.split_off(before);
    assert_eq!(writes, [(rings::RECORD_CONSUMER_AT + AT, 5)]);
    assert_eq!(records.poll(10, |_| panic!("nothing is left")), Ok(Progress::default()));
    let sums = records.statistics();
    assert_eq!((sums.packets, sums.gaps, sums.missing, sums.lost), (2, 1, 4, 0));
}

#[test]
fn what_cannot_be_taken_stays() {
    let setup = Setup::new();
    let mut records = setup.ring();
    for number in 0..4 {
        setup.record(u64::from(number), &packet(number, 0));
    }
    setup.produced(4);
    assert_eq!(records.poll(1, |_| Flow::Taken), Ok(Progress { records: 1, lines: 1, stopped: false }));
    let mut room = 1;
    let progress = records.poll(10, |_| if std::mem::replace(&mut room, 0) == 1 { Flow::Taken } else { Flow::Later });
    assert_eq!(progress, Ok(Progress { records: 1, lines: 1, stopped: true }));
    let mut seen = Vec::new();
    records
        .poll(10, |event| {
            seen.push(got(&event));
            Flow::Taken
        })
        .expect("good records");
    assert_eq!(seen, [Got::Packet(2, 0), Got::Packet(3, 0)]);
}

#[test]
fn the_ring_wraps_with_and_without_skip() {
    let setup = Setup::new();
    let mut records = setup.ring();
    let (mut line, mut sequence) = (0_u32, 0);
    for round in 0..400_u32 {
        let record = packet(sequence, (round as usize * 97) % 3000);
        let lines = (record.len() / 64) as u32;
        if lines > 256 - line % 256 {
            setup.record(u64::from(line % 256), &SKIP_LINE);
            line += 256 - line % 256;
        }
        setup.record(u64::from(line % 256), &record);
        line += lines;
        setup.produced(line);
        let mut seen = Vec::new();
        records
            .poll(10, |event| {
                seen.push(got(&event));
                Flow::Taken
            })
            .expect("good records");
        assert_eq!(seen, [Got::Packet(sequence, (round as usize * 97) % 3000)]);
        assert_eq!(setup.fake.read32(rings::RECORD_CONSUMER_AT + AT), line);
        sequence += 1;
    }
    assert!(line > 1000, "the ring went round");
}

#[test]
fn after_a_bad_record_the_reader_goes_on_at_the_producer_index() {
    let setup = Setup::new();
    let mut records = setup.ring();
    setup.record(0, &packet(0, 0));
    let mut bad = packet(1, 64);
    bad[70] ^= 1;
    setup.record(1, &bad);
    setup.record(3, &packet(2, 0));
    setup.produced(4);
    let mut seen = Vec::new();
    let result = records.poll(10, |event| {
        seen.push(got(&event));
        Flow::Taken
    });
    assert!(matches!(
        result,
        Err(RingError::BadRecord { at_line: 1, error: RecordError::PayloadCrc { .. }, lines_discarded: 3, ring: RING })
    ));
    assert_eq!(seen, [Got::Packet(0, 0)]);
    assert_eq!(setup.fake.read32(rings::RECORD_CONSUMER_AT + AT), 4, "the lines are given back all the same");
    setup.record(4, &packet(3, 0));
    setup.produced(5);
    seen.clear();
    records
        .poll(10, |event| {
            seen.push(got(&event));
            Flow::Taken
        })
        .expect("good records");
    assert_eq!(seen, [Got::Lost(1, 2), Got::Packet(3, 0)], "what was given up is reported before what follows");
    let sums = records.statistics();
    assert_eq!((sums.bad_records, sums.lines_discarded, sums.lost, sums.packets), (1, 3, 2, 2));
}

#[test]
fn only_the_payload_can_go_unchecked() {
    let setup = Setup::new();
    let mut records = setup.ring();
    let (mut payload, mut header) = (packet(0, 64), packet(1, 0));
    (payload[70], header[63]) = (payload[70] ^ 1, 1);
    setup.record(0, &[payload, header].concat());
    setup.produced(3);
    records.set_payload_check(PayloadCheck::Off);
    let result = records.poll(10, |event| if got(&event) == Got::Packet(0, 64) { Flow::Taken } else { Flow::Later });
    assert!(matches!(result, Err(RingError::BadRecord { at_line: 2, error: RecordError::HeaderCrc { .. }, .. })));
}

#[test]
fn numbers_never_come_twice() {
    for second in [packet(0, 0), packet(u32::MAX, 0), gap(0, 3), gap(5, 4)] {
        let setup = Setup::new();
        let mut records = setup.ring();
        setup.record(0, &packet(0, 0));
        setup.record(1, &second);
        setup.produced(2);
        let mut seen = Vec::new();
        let result = records.poll(10, |event| {
            seen.push(got(&event));
            Flow::Taken
        });
        let error = RecordError::Field("record_sequence");
        assert_eq!(result, Err(RingError::BadRecord { ring: RING, at_line: 1, error, lines_discarded: 1 }));
        assert_eq!(seen, [Got::Packet(0, 0)]);
    }
}

#[test]
fn an_impossible_producer_index_is_fatal() {
    let setup = Setup::new();
    let mut records = setup.ring();
    for found in [257, u32::MAX, 1 << 31] {
        setup.produced(found);
        let refused = records.poll(10, |_| panic!("nothing can be read"));
        assert_eq!(refused, Err(RingError::Producer { ring: RING, consumed: 0, found, lines: 256 }));
    }
    // A skip record that promises more lines than were produced.
    let setup = Setup::new();
    let mut records = setup.ring();
    setup.record(0, &SKIP_LINE);
    setup.produced(5);
    let refused = records.poll(10, |_| panic!("nothing can be read"));
    assert!(matches!(refused, Err(RingError::BadRecord { lines_discarded: 5, .. })));
}

#[test]
fn the_register_walk_finds_what_is_wrong() {
    assert_eq!(register_walk(&Setup::new().fake), []);
    let violations = |setup: Setup| {
        register_walk(&setup.fake).into_iter().map(|finding| (finding.offset, finding.violation)).collect::<Vec<_>>()
    };
    let with_leak = |register, bits| {
        let setup = Setup::new();
        setup.fake.0.lock().expect("lock").leaky.insert(register, bits);
        violations(setup)
    };
    assert!(violations(Setup::new().lie(identity::MAGIC_AT, 1)).contains(&(identity::MAGIC_AT, Violation::Reset)));
    assert!(violations(Setup::new().lie(0x3fc, 5)).contains(&(0x3fc, Violation::Unmapped)));
    for register in [rings::RECORD_LINES_AT, rings::RECORD_LINES_AT + AT, lookup::PREFIX_AT, lookup::OWN_TUNNELS_AT] {
        assert!(violations(Setup::new().lie(register, 0)).contains(&(register, Violation::NotStored)));
    }
    assert!(with_leak(control::STATUS_AT, 2).contains(&(control::STATUS_AT, Violation::Writable)));
    assert!(with_leak(clock::SET_AT, 1 << 9).contains(&(clock::SET_AT, Violation::Writable)), "a reserved bit");
    assert!(with_leak(0x3fc, 1).contains(&(0x3fc, Violation::Unmapped)));
    let setup = Setup::new();
    register_walk(&setup.fake);
    let writes = setup.fake.0.lock().expect("lock").writes.clone();
    let pulses = writes.iter().filter(|(at, value)| {
        *at == control::CONTROL_AT && value & (control::RESET.mask() | control::SNAPSHOT.mask()) != 0
            || *at == clock::SET_AT && value & clock::APPLY.mask() != 0
    });
    assert_eq!(pulses.count(), 0, "a walk makes nothing happen");
    assert_eq!(setup.fake.read32(control::CONTROL_AT), 0);
}

mod any_ring_content {
    use super::{AT, Event, Flow, Setup, packet, rings};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever stands in the ring, nothing panics, every number is accounted for at most once, and all lines come back.
        #[test]
        fn is_survived(
            damage in proptest::collection::vec((0_usize..256 * 64, any::<u8>()), 0..12),
            polls in proptest::collection::vec(1_u32..9, 1..40),
        ) {
            let setup = Setup::new();
            let mut records = setup.ring();
            let mut ring = Vec::new();
            let mut ends = Vec::new();
            for sequence in 0.. {
                let record = packet(sequence, (sequence as usize * 131) % 900);
                if ring.len() + record.len() > 256 * 64 {
                    break;
                }
                ring.extend(record);
                ends.push((ring.len() / 64) as u32);
            }
            for (at, value) in damage {
                if let Some(byte) = ring.get_mut(at) {
                    *byte = value;
                }
            }
            setup.record(0, &ring);
            let mut next = 0;
            let mut polls = polls.into_iter().cycle();
            for end in ends.iter().step_by(3).chain(ends.last()) {
                setup.produced(*end);
                for _ in 0..4 {
                    let limit = polls.next().unwrap_or(1);
                    let _ = records.poll(limit, |event| {
                        match event {
                            Event::Packet(packet) => {
                                assert_eq!(packet.header.record_sequence.get(), next);
                                next += 1;
                            }
                            Event::Lost { first_sequence, last_sequence } => {
                                assert!(first_sequence == next && last_sequence >= next);
                                next = last_sequence + 1;
                            }
                            Event::Gap(_) => panic!("a byte cannot turn a packet record into a good gap record"),
                        }
                        Flow::Taken
                    });
                }
            }
            while records.poll(100, |_| Flow::Taken).map_or(true, |progress| progress.lines > 0) {}
            prop_assert_eq!(setup.fake.0.lock().expect("lock").words[&(rings::RECORD_CONSUMER_AT + AT)], *ends.last().expect("records"));
        }
    }
}
