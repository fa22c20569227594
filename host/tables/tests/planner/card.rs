//! A card that keeps to the ABI's rules and shares nothing with the planner, and a plain map of what it should find.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::command::{Command, Completion, Opcode, Status};
use writ_abi::{hash, key, limits, time};
use writ_tables::*;
use zerocopy::FromZeros;
use zerocopy::little_endian::{U32, U64};

pub(crate) type KeyBytes = (Table, Vec<u8>);

/// What a hit returns: match index, scope, `not_after`.
pub(crate) type Content = (u32, Scope, u64);

/// The match tables of a card.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) geometry: Geometry,
    pub(crate) rows: BTreeMap<(Table, u8, u32), Command>,
    pub(crate) clock_ns: u64,
}

impl Card {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self { geometry, rows: BTreeMap::new(), clock_ns: 1_000_000 }
    }

    pub(crate) fn execute(&mut self, command: &Command) -> Completion {
        self.clock_ns += 1000;
        let mut completion = Completion::new_zeroed();
        completion.tag = command.tag;
        completion.opcode = command.opcode;
        completion.stamp_ns = U64::new(self.clock_ns);
        match command.check() {
            Ok(opcode) => self.carry_out(opcode, command, &mut completion),
            Err(status) => completion.status = status as u8,
        }
        completion
    }

    fn carry_out(&mut self, opcode: Opcode, command: &Command, completion: &mut Completion) {
        let table = Table::from_bits(command.table).expect("checked");
        let place = (table, command.way, command.row.get());
        match opcode {
            Opcode::WriteRow => {
                assert!(command.row.get() < self.geometry.rows_per_way(table), "row outside this card");
                self.rows.insert(place, *command);
            }
            Opcode::ClearRow => {
                self.rows.remove(&place);
            }
            Opcode::ReadRow => {
                if let Some(row) = self.rows.get(&place) {
                    completion.row_valid = 1;
                    completion.row = Command { opcode: 0, tag: U32::ZERO, crc32c: U32::ZERO, ..*row };
                }
            }
            _ => {}
        }
    }

    pub(crate) fn read_back(&mut self, place: Place) -> ReadBack {
        let completion = self.execute(&Command::read_row(0, place.table, place.way, place.row));
        assert_eq!(completion.status, Status::Done as u8);
        ReadBack::parse(place, &completion)
    }

    pub(crate) fn read_all(&mut self) -> Vec<ReadBack> {
        self.geometry.places().map(|place| self.read_back(place)).collect()
    }

    /// Every copy of a key that a lookup can see, lowest way first.
    pub(crate) fn copies(&self, (table, key): &KeyBytes) -> Vec<Content> {
        let rows = hash::rows(key, self.geometry.rows_per_way(*table));
        let at = |way: usize| self.rows.get(&(*table, way as u8, rows[way]));
        let same = |row: &&Command| &row.key[..key.len()] == key.as_slice();
        let content = |row: &Command| {
            (row.match_index_bits(), Scope::from_bits(row.scope).expect("checked"), row.not_after_ticks())
        };
        (0..limits::WAYS).filter_map(at).filter(same).map(content).collect()
    }

    /// What a lookup of the key returns: the lowest way wins.
    pub(crate) fn find(&self, key: &KeyBytes) -> Option<Content> {
        self.copies(key).first().copied()
    }

    /// Keys of all valid rows, wherever they stand.
    pub(crate) fn keys(&self) -> Vec<KeyBytes> {
        self.rows.iter().map(|((table, _, _), row)| (*table, row.key[..table.key_bytes()].to_vec())).collect()
    }
}

/// The key of a target, straight from the ABI.
pub(crate) fn key_bytes(target: &Target) -> KeyBytes {
    match *target {
        Target::Ipv4(address) => (Table::Address, key::address_key(address.into()).to_vec()),
        Target::Ipv6(address) => (Table::Address, key::address_key(address.into()).to_vec()),
        Target::Endpoint { address, protocol, port } => {
            (Table::Endpoint, key::endpoint_key(address, protocol.number(), port).to_vec())
        }
    }
}

/// The task set, as a plain map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plain(pub(crate) BTreeMap<TaskIndex, Task>);

impl Plain {
    /// Applies changes; `None` if one of them makes no sense.
    pub(crate) fn with(&self, changes: &[Change]) -> Option<Self> {
        let mut tasks = self.0.clone();
        for change in changes {
            let fits = match change {
                Change::Add(task) => tasks.insert(task.index, task.clone()).is_none(),
                Change::Modify(task) => tasks.insert(task.index, task.clone()).is_some(),
                Change::Remove(index) => tasks.remove(index).is_some(),
            };
            fits.then_some(())?;
        }
        Some(Self(tasks))
    }

    /// What the card should find: widest scope and latest end.
    pub(crate) fn expected(&self) -> BTreeMap<KeyBytes, (Scope, u64)> {
        let mut expected: BTreeMap<KeyBytes, (Scope, u64)> = BTreeMap::new();
        for task in self.0.values() {
            for target in &task.targets {
                let tick = time::not_after_from_ns(task.end_ns);
                let entry = expected.entry(key_bytes(target)).or_insert((task.scope, tick));
                *entry = (entry.0.max(task.scope), entry.1.max(tick));
            }
        }
        expected
    }

    /// Tasks that name a key.
    pub(crate) fn holders(&self, key: &KeyBytes) -> BTreeSet<TaskIndex> {
        let holds = |task: &&Task| task.targets.iter().any(|target| key_bytes(target) == *key);
        self.0.values().filter(holds).map(|task| task.index).collect()
    }
}

/// Checks that the card finds exactly what it should, each key once, and that the fan-out gives every task its own part.
pub(crate) fn check_settled(card: &Card, plain: &Plain, tables: &Tables) {
    let expected = plain.expected();
    let keys = card.keys();
    assert_eq!(keys.len(), expected.len(), "rows in the card");
    let mut indices = BTreeSet::new();
    for (key, (scope, not_after)) in &expected {
        let copies = card.copies(key);
        assert_eq!(copies.len(), 1, "copies of a key");
        let (index, found_scope, found_not_after) = copies[0];
        assert_eq!((found_scope, found_not_after), (*scope, *not_after), "content of a row");
        assert!(indices.insert(index), "two keys with one match index");
        let index = MatchIndex::new(index).expect("checked by the card");
        let fan_out = tables.fan_out();
        let shares = fan_out.shares(index).expect("an index in use resolves");
        // The stamp of now, which no draining share covers.
        let stamp = card.clock_ns + 1;
        let now: BTreeMap<TaskIndex, &Share> =
            shares.iter().filter(|share| share.covers(stamp)).map(|share| (share.task, share)).collect();
        assert_eq!(now.keys().copied().collect::<BTreeSet<_>>(), plain.holders(key), "who shares in a key");
        for (task, share) in now {
            let task = &plain.0[&task];
            assert_eq!((share.scope, share.end_ns), (task.scope, effective_end_ns(task.end_ns)));
            assert!(share.start_ns >= task.start_ns);
        }
    }
}

/// Checks what has to hold at any moment between two settled states. `found` is what has been found so far and has to stay.
pub(crate) fn check_between(card: &Card, before: &Plain, after: &Plain, found: &mut BTreeSet<KeyBytes>) {
    let (old, new) = (before.expected(), after.expected());
    for key in card.keys() {
        assert!(old.contains_key(&key) || new.contains_key(&key), "a key that no task names");
    }
    for key in old.keys().chain(new.keys()) {
        let copies = card.copies(key);
        assert!(copies.len() <= 2, "more copies than a move needs");
        assert!(copies.windows(2).all(|pair| pair[0] == pair[1]), "two copies with different content");
        let allowed = [old.get(key), new.get(key)];
        if let Some((_, scope, not_after)) = copies.first() {
            assert!(allowed.contains(&Some(&(*scope, *not_after))), "content of no state");
        }
        match (old.contains_key(key), new.contains_key(key)) {
            (true, true) => assert!(!copies.is_empty(), "a key that stays is absent"),
            (false, true) if copies.is_empty() => assert!(!found.contains(key), "an added key went away"),
            (false, true) => {
                found.insert(key.clone());
            }
            (true, false) => {
                let all_added = new.keys().all(|key| !card.copies(key).is_empty());
                assert!(all_added || !copies.is_empty(), "a key was cleared before all others were there");
            }
            (false, false) => unreachable!("the key comes from one of the maps"),
        }
    }
}

/// Whether all keys can stand in the card at once: a maximum bipartite matching (Kuhn), key by key.
pub(crate) fn all_fit<'a>(geometry: Geometry, keys: impl IntoIterator<Item = &'a KeyBytes>) -> bool {
    fn place<'a>(
        geometry: Geometry,
        key: &'a KeyBytes,
        seen: &mut BTreeSet<(Table, u8, u32)>,
        held: &mut BTreeMap<(Table, u8, u32), &'a KeyBytes>,
    ) -> bool {
        let rows = hash::rows(&key.1, geometry.rows_per_way(key.0));
        for (way, row) in rows.into_iter().enumerate() {
            let slot = (key.0, way as u8, row);
            if !seen.insert(slot) {
                continue;
            }
            let free = match held.get(&slot).copied() {
                None => true,
                Some(other) => place(geometry, other, seen, held),
            };
            if free {
                held.insert(slot, key);
                return true;
            }
        }
        false
    }
    let mut held = BTreeMap::new();
    keys.into_iter().all(|key| place(geometry, key, &mut BTreeSet::new(), &mut held))
}

/// Target number `number` of a pool: half IPv4, a quarter IPv6, a quarter endpoints.
pub(crate) fn target(number: u32) -> Target {
    let v4 = Ipv4Addr::from(0x0a00_0001 + number * 7);
    let v6 = Ipv6Addr::from((0x2001_0db8_u128 << 96) + u128::from(number) * 0x1_0000_0001);
    match number % 4 {
        0 | 2 => Target::Ipv4(v4),
        1 => Target::Ipv6(v6),
        _ if number % 8 == 3 => Target::Endpoint { address: IpAddr::V4(v4), protocol: Protocol::Udp, port: 5060 },
        _ => Target::Endpoint { address: IpAddr::V6(v6), protocol: Protocol::Tcp, port: 443 },
    }
}

/// A task for tests, in force at any time that a test's card reaches.
pub(crate) fn task(index: u32, targets: impl IntoIterator<Item = u32>, scope: Scope, end_ticks: u64) -> Task {
    Task {
        index: TaskIndex(index),
        targets: targets.into_iter().map(target).collect(),
        scope,
        start_ns: 0,
        end_ns: (10_000 + end_ticks) << time::NOT_AFTER_SHIFT,
    }
}

/// Carries the open plan out on a card that does what it is told.
pub(crate) fn execute(tables: &mut Tables, card: &mut Card) -> Committed {
    let mut submit =
        |commands: &[Command]| Ok::<_, ()>(commands.iter().map(|command| card.execute(command)).collect::<Vec<_>>());
    tables.execute(&mut submit).expect("the card does what it is told")
}

/// Plans and carries out changes that have to fit.
pub(crate) fn apply(tables: &mut Tables, card: &mut Card, changes: &[Change]) -> Committed {
    let plan = tables.plan(changes).expect("the changes fit");
    tables.begin(plan).expect("nothing else is open");
    execute(tables, card)
}
