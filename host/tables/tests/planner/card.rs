//! A card that keeps to the ABI's rules and shares nothing with the planner, and a plain map of what it should find.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::command::{Command, Completion, Opcode, RowState, Status, flags};
use writ_abi::parse::TunnelKind;
use writ_abi::{PortSide, hash, key, limits, time};
use writ_tables::*;
use zerocopy::FromZeros;
use zerocopy::little_endian::{U32, U64};

/// Area and compared bytes; of a rule value, mask and which end it stands for.
pub(crate) type KeyBytes = (Area, Vec<u8>);

/// What a hit returns: match index, scope, `not_after`, ring.
pub(crate) type Content = (u32, Scope, u64, u8);

/// The match tables of a card.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) geometry: Geometry,
    pub(crate) rows: BTreeMap<Place, Command>,
    /// Values of the rules.
    values: BTreeMap<Place, [u8; key::KEY_BYTES_MAX]>,
    staged: Option<[u8; key::KEY_BYTES_MAX]>,
    pub(crate) clock_ns: u64,
}

impl Card {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self { geometry, rows: BTreeMap::new(), values: BTreeMap::new(), staged: None, clock_ns: 1_000_000 }
    }

    pub(crate) fn execute(&mut self, command: &Command) -> Completion {
        self.clock_ns += 1000;
        let mut completion = Completion::new_zeroed();
        completion.tag = command.tag;
        completion.opcode = command.opcode;
        completion.stamp_ns = U64::new(self.clock_ns);
        let staged = self.staged.take();
        match command.check() {
            Ok(opcode) => self.carry_out(opcode, command, staged, &mut completion),
            Err(status) => completion.status = status as u8,
        }
        completion
    }

    fn carry_out(
        &mut self,
        opcode: Opcode,
        command: &Command,
        staged: Option<[u8; key::KEY_BYTES_MAX]>,
        completion: &mut Completion,
    ) {
        let is_rule = matches!(opcode, Opcode::WriteRule | Opcode::ClearRule | Opcode::ReadRule);
        let area = if is_rule { Area::Rules } else { Area::Table(Table::from_bits(command.table).expect("checked")) };
        let place = Place { area, way: command.way, row: command.row.get() };
        match opcode {
            Opcode::StageRule => self.staged = Some(command.key),
            Opcode::WriteRow | Opcode::WriteRule => {
                assert!(self.geometry.has(place), "place outside this card");
                if is_rule {
                    let Some(value) = staged else { return completion.status = Status::BadState as u8 };
                    self.values.insert(place, value);
                }
                self.rows.insert(place, *command);
            }
            Opcode::ClearRow | Opcode::ClearRule => {
                self.rows.remove(&place);
            }
            Opcode::ReadRow | Opcode::ReadRule => {
                if let Some(row) = self.rows.get(&place) {
                    completion.row_state = RowState::Valid as u8;
                    completion.row = Command { opcode: 0, tag: U32::ZERO, crc32c: U32::ZERO, ..*row };
                    if is_rule && command.flags & flags::MASK == 0 {
                        completion.row.key = self.values[&place];
                    }
                }
            }
            _ => {}
        }
    }

    /// The key of a row or rule.
    fn key_at(&self, place: Place, row: &Command) -> KeyBytes {
        match place.area {
            Area::Table(table) => (place.area, row.key[..table.key_bytes()].to_vec()),
            Area::Rules => {
                (place.area, rule_bytes(&self.values[&place], &row.key, row.flags & flags::DESTINATION != 0))
            }
        }
    }

    pub(crate) fn read_back(&mut self, place: Place) -> ReadBack {
        let completions: Vec<Completion> =
            place.read_commands(|| 0).iter().map(|command| self.execute(command)).collect();
        assert!(completions.iter().all(|completion| completion.status == Status::Done as u8));
        ReadBack::parse(place, &completions)
    }

    pub(crate) fn read_all(&mut self) -> Vec<ReadBack> {
        self.geometry.places().map(|place| self.read_back(place)).collect()
    }

    /// Every copy of a key that a lookup can see, lowest way first.
    pub(crate) fn copies(&self, key: &KeyBytes) -> Vec<Content> {
        let places: Vec<Place> = match key.0 {
            Area::Table(_) => {
                let rows = hash::rows(&key.1, self.geometry.rows_per_way(key.0));
                (0..limits::WAYS).map(|way| Place { area: key.0, way: way as u8, row: rows[way] }).collect()
            }
            Area::Rules => self.rows.keys().filter(|place| place.area == Area::Rules).copied().collect(),
        };
        let at = |place: Place| self.rows.get(&place).filter(|row| self.key_at(place, row) == *key);
        let content = |row: &Command| {
            let scope = Scope::from_bits(row.scope).expect("checked");
            (row.match_index_bits(), scope, row.not_after_ticks(), row.flags & flags::RING_MASK)
        };
        places.into_iter().filter_map(at).map(content).collect()
    }

    /// What a lookup of the key returns: the lowest way wins.
    pub(crate) fn find(&self, key: &KeyBytes) -> Option<Content> {
        self.copies(key).first().copied()
    }

    /// Keys of all valid rows, wherever they stand.
    pub(crate) fn keys(&self) -> Vec<KeyBytes> {
        self.rows.iter().map(|(place, row)| self.key_at(*place, row)).collect()
    }
}

fn rule_bytes(value: &[u8], mask: &[u8], destination: bool) -> Vec<u8> {
    [value, mask, &[u8::from(destination)]].concat()
}

/// The prefix table of every test's card has prefixes of this length.
pub(crate) const PREFIX_BITS: u8 = 56;

/// A small card: address, endpoint and any other table's rows in a way.
pub(crate) fn geometry(address: u32, endpoint: u32, match_indices: u32) -> Geometry {
    let mut rows_per_way = [4; Table::ALL.len()];
    (rows_per_way[Table::Address as usize], rows_per_way[Table::Endpoint as usize]) = (address, endpoint);
    let capabilities = Capabilities { rows_per_way, rules_per_bank: 6, match_indices, rings: 4 };
    Geometry::new(&capabilities).expect("a valid geometry").with_prefix_bits(Some(PREFIX_BITS))
}

/// The keys of a target, straight from the ABI.
pub(crate) fn key_bytes(target: &Target) -> Vec<KeyBytes> {
    let exact = |table, key: &[u8]| vec![(Area::Table(table), key.to_vec())];
    match *target {
        Target::Ipv4(address) => exact(Table::Address, &key::address_key(address.into())),
        Target::Ipv6(address) => exact(Table::Address, &key::address_key(address.into())),
        Target::Ipv6Prefix { network, bits } if bits == PREFIX_BITS => {
            exact(Table::Prefix, &key::prefix_key(network, bits))
        }
        Target::Ipv4Prefix { network, bits } => rules(4, &network.octets(), bits),
        Target::Ipv6Prefix { network, bits } => rules(6, &network.octets(), bits),
        Target::Endpoint { address, protocol, port } => {
            exact(Table::Endpoint, &key::endpoint_key(address, protocol.number(), port))
        }
        Target::Flow { target, peer, protocol } => {
            let ports = [target.port, peer.port];
            let key = key::five_tuple_key(target.address, peer.address, protocol.number(), ports);
            key.map_or(Vec::new(), |key| exact(Table::FiveTuple, &key))
        }
        Target::Tunnel(TunnelTarget::Ip { kind, identifier, destination }) => {
            exact(Table::Tunnel, &key::tunnel_key(kind, identifier, destination))
        }
        Target::Tunnel(TunnelTarget::Pppoe { session, destination }) => {
            exact(Table::Tunnel, &key::pppoe_key(session, destination))
        }
        Target::Tunnel(TunnelTarget::Mpls { label }) => exact(Table::Tunnel, &key::mpls_key(label)),
        Target::Mac(address) => exact(Table::Mac, &address),
        Target::Vlan { port, first, second } => exact(Table::Vlan, &key::vlan_key(port, first, second)),
    }
}

/// The first key of a target; most have one.
pub(crate) fn key_of(target: &Target) -> KeyBytes {
    key_bytes(target).swap_remove(0)
}

/// Two rules: version and the first bits of source or destination address.
fn rules(version: u8, network: &[u8], bits: u8) -> Vec<KeyBytes> {
    let rule = |at: usize, destination| {
        let (mut value, mut mask) = ([0; key::KEY_BYTES_MAX], [0; key::KEY_BYTES_MAX]);
        (value[0], mask[0]) = (version, 0xff);
        for (byte, octet) in network.iter().enumerate() {
            let left = usize::from(bits).saturating_sub(8 * byte).min(8);
            mask[at + byte] = (0xff_u16 << (8 - left)) as u8;
            value[at + byte] = octet & mask[at + byte];
        }
        (Area::Rules, rule_bytes(&value, &mask, destination))
    };
    vec![rule(1, false), rule(17, true)]
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
            for key in task.targets.iter().flat_map(key_bytes) {
                let tick = time::not_after_from_ns(task.end_ns);
                let entry = expected.entry(key).or_insert((task.scope, tick));
                *entry = (entry.0.max(task.scope), entry.1.max(tick));
            }
        }
        expected
    }

    /// Tasks that name a key.
    pub(crate) fn holders(&self, key: &KeyBytes) -> BTreeSet<TaskIndex> {
        let holds = |task: &&Task| task.targets.iter().flat_map(key_bytes).any(|own| own == *key);
        self.0.values().filter(holds).map(|task| task.index).collect()
    }
}

/// Checks that the card finds exactly what it should, each key once, and that the fan-out gives every task its own part.
pub(crate) fn check_settled(card: &Card, plain: &Plain, tables: &Tables) {
    let expected = plain.expected();
    let keys = card.keys();
    assert_eq!(keys.len(), expected.len(), "rows in the card");
    let mut indices = BTreeSet::new();
    let mut rings: BTreeMap<TaskIndex, u8> = BTreeMap::new();
    check_banks(card);
    for (key, (scope, not_after)) in &expected {
        let copies = card.copies(key);
        assert_eq!(copies.len(), 1, "copies of a key");
        let (index, found_scope, found_not_after, ring) = copies[0];
        for task in plain.holders(key) {
            assert_eq!(*rings.entry(task).or_insert(ring), ring, "a task's packets come from two rings");
        }
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

/// No packet may match two rules of a bank.
pub(crate) fn check_banks(card: &Card) {
    let rules: Vec<(Place, KeyBytes)> = card
        .rows
        .iter()
        .filter(|(place, _)| place.area == Area::Rules)
        .map(|(place, row)| (*place, card.key_at(*place, row)))
        .collect();
    for (at, (one, (_, first))) in rules.iter().enumerate() {
        for (_, (_, second)) in rules[at + 1..].iter().filter(|(other, _)| other.way == one.way) {
            let bytes = 0..key::KEY_BYTES_MAX;
            let apart = |byte: usize| {
                let mask = first[key::KEY_BYTES_MAX + byte] & second[key::KEY_BYTES_MAX + byte];
                (first[byte] ^ second[byte]) & mask != 0
            };
            assert!(bytes.into_iter().any(apart), "two rules of a bank match the same packets");
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
        if let Some((_, scope, not_after, _)) = copies.first() {
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
        seen: &mut BTreeSet<(Area, u8, u32)>,
        held: &mut BTreeMap<(Area, u8, u32), &'a KeyBytes>,
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

/// Target number `number` of a pool: half IPv4, a quarter IPv6, an eighth endpoints, an eighth all other kinds.
pub(crate) fn target(number: u32) -> Target {
    let v4 = Ipv4Addr::from(0x0a00_0001 + number * 7);
    let v6 = Ipv6Addr::from((0x2001_0db8_u128 << 96) + u128::from(number) * 0x1_0000_0001);
    match number % 4 {
        0 | 2 => Target::Ipv4(v4),
        1 => Target::Ipv6(v6),
        _ if number % 8 == 3 => Target::Endpoint { address: IpAddr::V4(v4), protocol: Protocol::Udp, port: 5060 },
        _ => other_target(number / 8, v4),
    }
}

/// Every kind in turn. The IPv4 prefixes overlap each other: a longer one lies in each shorter one.
fn other_target(number: u32, v4: Ipv4Addr) -> Target {
    let v6 = |number: u32| Ipv6Addr::from((0x2001_0db8_u128 << 96) + (u128::from(number) << 80));
    let end = |address: IpAddr, port| End { address, port };
    match number % 8 {
        0 => Target::Endpoint { address: v6(number).into(), protocol: Protocol::Tcp, port: 443 },
        1 => Target::Flow {
            target: end(v4.into(), 1000),
            peer: end(Ipv4Addr::new(198, 51, 100, 1).into(), 443),
            protocol: Protocol::Tcp,
        },
        2 => Target::Tunnel(TunnelTarget::Ip { kind: TunnelKind::GtpU, identifier: number, destination: v4.into() }),
        3 => Target::Mac([2, 0, 0, 0, 0, number as u8]),
        4 => Target::Vlan { port: PortSide::A, first: 100 + number as u16, second: None },
        5 => Target::Ipv6Prefix { network: v6(number), bits: PREFIX_BITS },
        6 => Target::Ipv6Prefix { network: v6(number), bits: 48 },
        _ => Target::Ipv4Prefix { network: Ipv4Addr::new(10, 20, 0, 0), bits: 16 + (number / 8 % 16) as u8 },
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

/// Gives a write's commands to the card.
pub(crate) fn send(card: &mut Card, write: &RowWrite) {
    for command in write.commands(|| 7) {
        assert_eq!(card.execute(&command).status, Status::Done as u8);
    }
}
