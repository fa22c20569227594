//! Random frames over every path of the parser's grammar, good and bad, and random rows, rules and commands that have to do with them.
//!
//! Everything comes out of one number, so that a run can be repeated.

use super::packet::{self, IPV4, IPV6};
use std::net::{Ipv4Addr, Ipv6Addr};
use writ_abi::command::{Command, Opcode, Rule};
use writ_abi::limits::FRAME_BYTES_MAX;
use writ_abi::parse::TPIDS;
use writ_abi::time::{NOT_AFTER_NEVER, NOT_AFTER_SHIFT};
use writ_abi::{Lookup, MatchIndex, PortSide, Scope, Table, key, limits};
use writ_sim::model::parse::{five_tuple, key_of, parse};

/// SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: u64) -> bool {
        self.next() % 100 < share
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

const PORTS: [u16; 6] = [53, 80, 5060, 40_000, 2152, 1701];
const TUNNEL_PORTS: [u16; 4] = [2152, 4789, 6081, 1701];
const IDENTIFIERS: [u32; 4] = [0, 1, 0x00ab_cdef, 0xffff_ffff];
const VLAN_IDS: [u16; 4] = [0, 1, 100, 4095];
const ETHERTYPES: [u16; 8] = [IPV4, IPV6, 0x8847, 0x8848, 0x8864, 0x8863, 0x0806, 0x05dc];

fn v4(rng: &mut Rng) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 1 + rng.below(6) as u8)
}

/// Two networks of /56 each, hosts in both.
fn v6(rng: &mut Rng) -> Ipv6Addr {
    let network = if rng.percent(50) { 0x5600 } else { 0x5700 };
    Ipv6Addr::new(0x2001, 0xdb8, 0x1234, network, 0, 0, 0, 1 + rng.below(4) as u16)
}

fn body(rng: &mut Rng) -> Vec<u8> {
    let end = match rng.below(100) {
        0..50 => 30,
        50..80 => 120,
        80..95 => 400,
        95..99 => 1500,
        _ => 9700,
    };
    let bytes = rng.below(end);
    packet::body(bytes)
}

fn ports(rng: &mut Rng) -> [u16; 2] {
    [rng.pick(&PORTS), rng.pick(&PORTS)]
}

/// Protocol and bytes of a transport header, or of what is none.
fn transport(rng: &mut Rng) -> (u8, Vec<u8>) {
    let (ports, body) = (ports(rng), body(rng));
    match rng.below(10) {
        0..3 => {
            (6, packet::tcp(ports, if rng.percent(90) { 5 + rng.below(11) as u8 } else { rng.below(5) as u8 }, &body))
        }
        3..6 => (17, packet::udp(ports, &body)),
        6 => (132, packet::sctp(ports, &body)),
        7 => (rng.pick(&[1, 58]), body),
        8 => (rng.pick(&[0, 43, 44, 50, 51, 59, 60, 89]), body),
        _ => (rng.next() as u8, body),
    }
}

/// Mostly the right number, else one that is off by little, or anything.
fn stated(rng: &mut Rng, right: u16) -> u16 {
    match rng.below(20) {
        0 | 1 => right.wrapping_add(rng.below(60) as u16).wrapping_sub(30),
        2 => rng.next() as u16,
        _ => right,
    }
}

fn extensions(rng: &mut Rng) -> Vec<packet::Extension> {
    let count = if rng.percent(50) { 0 } else { rng.below(6) };
    let extension = |rng: &mut Rng| {
        let kind = rng.pick(&[0, 43, 44, 60]);
        let words = match rng.below(10) {
            0..7 => 1 + rng.below(2),
            7..9 => 1 + rng.below(12),
            _ => 1 + rng.below(256),
        };
        let fragment = if rng.percent(85) { rng.below(8) as u16 } else { rng.next() as u16 };
        (kind, if kind == 44 { 8 } else { 8 * words }, fragment)
    };
    (0..count).map(|_| extension(rng)).collect()
}

/// An IP packet and its ethertype. `tunnels`: how many more tunnels it may hold.
fn ip(rng: &mut Rng, tunnels: usize) -> (u16, Vec<u8>) {
    let is_tunnel = tunnels > 0 && rng.percent(if tunnels > 1 { 60 } else { 12 });
    let (protocol, payload) = if is_tunnel { tunnel(rng, tunnels - 1) } else { transport(rng) };
    if rng.percent(50) {
        let words = if rng.percent(75) { 0 } else { 1 + rng.below(10) };
        let options = rng.bytes(4 * words);
        let mut packet = packet::ipv4([v4(rng), v4(rng)], protocol, &options, &payload);
        let total = u16::from_be_bytes([packet[2], packet[3]]);
        packet[2..4].copy_from_slice(&stated(rng, total).to_be_bytes());
        let fragment = match rng.below(20) {
            0 => 0x2000,
            1 => rng.next() as u16,
            2..5 => 0x4000,
            _ => 0,
        };
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        (IPV4, packet)
    } else {
        let extensions = extensions(rng);
        let mut packet = packet::ipv6([v6(rng), v6(rng)], &extensions, protocol, &payload);
        let length = u16::from_be_bytes([packet[4], packet[5]]);
        packet[4..6].copy_from_slice(&stated(rng, length).to_be_bytes());
        (IPV6, packet)
    }
}

/// What a tunnel carries: an IP packet in most cases.
fn inside(rng: &mut Rng, tunnels: usize) -> (u16, Vec<u8>) {
    if rng.percent(92) { ip(rng, tunnels) } else { (rng.pick(&ETHERTYPES), body(rng)) }
}

/// An Ethernet frame inside something.
fn ethernet_inside(rng: &mut Rng, tunnels: usize) -> Vec<u8> {
    let (ethertype, packet) = inside(rng, tunnels);
    let count = if rng.percent(60) { 0 } else { 1 + rng.below(3) };
    let tags: Vec<(u16, u16)> = (0..count).map(|_| (rng.pick(&TPIDS), rng.next() as u16)).collect();
    packet::ethernet(&tags, ethertype, &packet)
}

fn ppp_protocol(rng: &mut Rng, ethertype: u16) -> u16 {
    match ethertype {
        IPV4 if rng.percent(96) => 0x0021,
        IPV6 if rng.percent(96) => 0x0057,
        _ => rng.pick(&[0xc021, 0xc223, 0x0021, 0x8057]),
    }
}

/// Protocol over IP and bytes of a tunnel.
fn tunnel(rng: &mut Rng, tunnels: usize) -> (u8, Vec<u8>) {
    let identifier = if rng.percent(85) { rng.pick(&IDENTIFIERS) } else { rng.next() as u32 };
    let source = rng.pick(&PORTS);
    let over_udp = |port: u16, payload: Vec<u8>| (17, packet::udp([source, port], &payload));
    match rng.below(8) {
        0 | 1 => over_udp(TUNNEL_PORTS[0], gtpu(rng, identifier, tunnels)),
        2 => over_udp(TUNNEL_PORTS[1], packet::vxlan(identifier & 0xff_ffff, &ethernet_inside(rng, tunnels))),
        3 => over_udp(TUNNEL_PORTS[2], geneve(rng, identifier & 0xff_ffff, tunnels)),
        4 => {
            let payload = l2tp(rng, identifier, tunnels);
            // Either end may have the port.
            let ports = if rng.percent(70) { [source, 1701] } else { [1701, rng.pick(&[50_000, 53])] };
            (17, packet::udp(ports, &payload))
        }
        5 | 6 => (47, gre(rng, identifier, tunnels)),
        _ => {
            let (ethertype, packet) = ip(rng, tunnels);
            // Now and then the wrong version.
            (if (ethertype == IPV4) == rng.percent(95) { 4 } else { 41 }, packet)
        }
    }
}

fn gtpu(rng: &mut Rng, teid: u32, tunnels: usize) -> Vec<u8> {
    let (_, payload) = inside(rng, tunnels);
    let (flags, extensions) = match rng.below(10) {
        0..5 => (0, Vec::new()),
        5 | 6 => (rng.pick(&[1_u8, 2, 3]), Vec::new()),
        _ => {
            let count = rng.below(4);
            let extension = |rng: &mut Rng| {
                let words = if rng.percent(90) { 1 + rng.below(2) } else { rng.below(20) };
                (rng.pick(&[0x85_u8, 0xc0, 1]), words as u8)
            };
            (4 | rng.below(4) as u8, (0..count).map(|_| extension(rng)).collect())
        }
    };
    let mut bytes = packet::gtpu(teid, flags, &extensions, &payload);
    if rng.percent(4) {
        bytes[1] = rng.pick(&[1, 26, 254]);
    }
    bytes
}

fn geneve(rng: &mut Rng, vni: u32, tunnels: usize) -> Vec<u8> {
    let words = match rng.below(10) {
        0..6 => 0,
        6..9 => 1 + rng.below(6),
        _ => 1 + rng.below(63),
    };
    let options = rng.bytes(4 * words);
    if rng.percent(50) {
        let payload = ethernet_inside(rng, tunnels);
        packet::geneve(vni, packet::TRANSPARENT_ETHERNET, &options, &payload)
    } else {
        let (ethertype, payload) = inside(rng, tunnels);
        packet::geneve(vni, ethertype, &options, &payload)
    }
}

fn l2tp(rng: &mut Rng, identifier: u32, tunnels: usize) -> Vec<u8> {
    let (ethertype, payload) = inside(rng, tunnels);
    let ppp = packet::ppp(rng.percent(50), ppp_protocol(rng, ethertype), &payload);
    let mut flags = 0;
    for flag in [packet::L2TP_LENGTH, packet::L2TP_SEQUENCE, packet::L2TP_OFFSET] {
        flags |= if rng.percent(35) { flag } else { 0 };
    }
    if rng.percent(4) {
        flags |= 0x8000;
    }
    let offset = match rng.below(10) {
        0..6 => 2 * rng.below(6),
        6..9 => rng.below(20),
        _ => rng.below(300),
    };
    packet::l2tp(flags, [(identifier >> 16) as u16, identifier as u16], offset as u16, &ppp)
}

fn gre(rng: &mut Rng, key: u32, tunnels: usize) -> Vec<u8> {
    let mut flags = 0;
    for flag in [packet::GRE_CHECKSUM, packet::GRE_KEY, packet::GRE_SEQUENCE] {
        flags |= if rng.percent(40) { flag } else { 0 };
    }
    if rng.percent(4) {
        flags |= rng.pick(&[0x4000, 1, 0x0800]);
    }
    if rng.percent(35) {
        let payload = ethernet_inside(rng, tunnels);
        packet::gre(flags, packet::TRANSPARENT_ETHERNET, key, &payload)
    } else {
        let (ethertype, payload) = inside(rng, tunnels);
        packet::gre(flags, ethertype, key, &payload)
    }
}

/// What follows the tags: ethertype and bytes.
fn link(rng: &mut Rng) -> (u16, Vec<u8>) {
    match rng.below(20) {
        0..12 => ip(rng, 2),
        12..15 => {
            let (ethertype, packet) = ip(rng, 2);
            let mut bytes = packet::pppoe(rng.pick(&VLAN_IDS), ppp_protocol(rng, ethertype), &packet);
            if rng.percent(6) {
                let at = rng.below(2);
                bytes[at] = rng.next() as u8;
            }
            (packet::PPPOE, bytes)
        }
        15..19 => {
            let most = if rng.percent(85) { 4 } else { 6 };
            let count = 1 + rng.below(most);
            let labels: Vec<u32> = (0..count).map(|_| rng.pick(&IDENTIFIERS) & 0xf_ffff).collect();
            let payload = match rng.below(10) {
                0..6 => ip(rng, 2).1,
                6..9 => packet::control_word(&ethernet_inside(rng, 2)),
                _ => body(rng),
            };
            (rng.pick(&[packet::MPLS, 0x8848]), packet::mpls(&labels, &payload))
        }
        _ => (rng.pick(&ETHERTYPES), body(rng)),
    }
}

/// A frame without FCS. Any length from 0 on.
pub(crate) fn frame(rng: &mut Rng) -> Vec<u8> {
    if rng.percent(2) {
        let bytes = rng.below(300);
        return rng.bytes(bytes);
    }
    let (ethertype, packet) = link(rng);
    let most = if rng.percent(85) { 3 } else { 5 };
    let count = if rng.percent(55) { 0 } else { 1 + rng.below(most) };
    let tags: Vec<(u16, u16)> =
        (0..count).map(|_| (rng.pick(&TPIDS), rng.pick(&VLAN_IDS) | (rng.next() as u16 & 0xf000))).collect();
    let mut frame = packet::ethernet(&tags, ethertype, &packet);
    if rng.percent(30) {
        let (there, here) = frame.split_at_mut(6);
        there.swap_with_slice(&mut here[..6]);
    }
    match rng.below(20) {
        0..3 => {
            for _ in 0..1 + rng.below(2) {
                let at = rng.below(frame.len().min(140));
                frame[at] = if rng.percent(50) { rng.next() as u8 } else { frame[at] ^ 1 << rng.below(8) };
            }
        }
        3..6 => frame.truncate(rng.below(260)),
        6 => frame.truncate(rng.below(64)),
        7..9 => frame.extend(vec![0; rng.below(30)]),
        // About as long as the copy path takes, or longer.
        9 if rng.percent(8) => frame.resize(FRAME_BYTES_MAX - 100 + rng.below(300), 0x5a),
        _ => {}
    }
    frame
}

/// A key that a frame has, or one that is off by a bit, and its table.
pub(crate) fn key(rng: &mut Rng, frames: &[Vec<u8>], prefix_bits: u8) -> (Table, Vec<u8>) {
    for _ in 0..20 {
        let frame = &frames[rng.below(frames.len())];
        let parsed = parse(&super::with_fcs(frame));
        let port = rng.pick(&PortSide::ALL);
        let keys: Vec<(Table, Vec<u8>)> = Lookup::ALL
            .into_iter()
            .filter_map(|lookup| Some((lookup.table()?, key_of(&parsed, port, lookup, prefix_bits)?)))
            .collect();
        if keys.is_empty() {
            continue;
        }
        let (table, mut key) = keys[rng.below(keys.len())].clone();
        if rng.percent(3) {
            let at = rng.below(key.len());
            key[at] ^= 1 << rng.below(8);
        }
        return (table, key);
    }
    (Table::Mac, packet::MAC_A.to_vec())
}

fn match_index(rng: &mut Rng) -> u32 {
    // Few, so that they meet, and spread over the whole range.
    let index = rng.below(48) as u32 * 2788;
    assert!(MatchIndex::new(index).is_some());
    index
}

fn not_after(rng: &mut Rng) -> u64 {
    let now = super::EPOCH_NS >> NOT_AFTER_SHIFT;
    match rng.below(12) {
        0 => now,
        1 => now + 1,
        2 => now + 2,
        _ => NOT_AFTER_NEVER,
    }
}

/// A row for something that the frames have.
pub(crate) fn write_row(rng: &mut Rng, frames: &[Vec<u8>], prefix_bits: u8) -> Command {
    let (table, key) = key(rng, frames, prefix_bits);
    let (way, index, scope) = (rng.below(limits::WAYS), match_index(rng), rng.pick(&Scope::ALL));
    super::in_ring(super::row(table, &key, way, index, scope, not_after(rng)), rng.below(4) as u8)
}

/// Which bits of a 5-tuple key a rule compares.
fn mask(rng: &mut Rng) -> [u8; key::KEY_BYTES_MAX] {
    let mut mask = [0; key::KEY_BYTES_MAX];
    mask[0] = if rng.percent(80) { 0xff } else { 0 };
    for (at, bytes) in [(1, 16), (17, 16), (33, 1), (34, 2), (36, 2)] {
        let bits = match rng.below(6) {
            0 | 1 => 8 * bytes,
            2 => rng.below(8 * bytes + 1),
            3 if bytes == 16 => 29,
            _ => 0,
        };
        for bit in 0..bits {
            mask[at + bit / 8] |= 0x80 >> (bit % 8);
        }
    }
    if rng.percent(10) {
        for byte in &mut mask {
            *byte &= rng.next() as u8;
        }
    }
    mask
}

/// Bank, number and content of a rule for something that the frames have.
pub(crate) fn rule(rng: &mut Rng, frames: &[Vec<u8>]) -> (u8, u32, Rule) {
    let mask = mask(rng);
    let mut value = [0; key::KEY_BYTES_MAX];
    for _ in 0..20 {
        let frame = &frames[rng.below(frames.len())];
        if let Some(key) = five_tuple(&parse(&super::with_fcs(frame))) {
            value[..key.len()].copy_from_slice(&key);
            break;
        }
    }
    if rng.percent(5) {
        let at = rng.below(key::FIVE_TUPLE_KEY_BYTES);
        value[at] ^= 1 << rng.below(8);
    }
    for (value, mask) in value.iter_mut().zip(mask) {
        *value &= mask;
    }
    let mut row = super::content(&mask, match_index(rng), rng.pick(&Scope::ALL), not_after(rng));
    row.ring = rng.below(4) as u8;
    let number = if rng.percent(80) { rng.below(6) as u32 } else { rng.below(limits::RULES_PER_BANK as usize) as u32 };
    (rng.below(limits::RULE_BANKS) as u8, number, Rule { row, value, destination: rng.percent(50) })
}

/// Commands that belong together. `known`: writes of rows and rules that may stand in the tables.
pub(crate) fn commands(rng: &mut Rng, frames: &[Vec<u8>], prefix_bits: u8, known: &mut Vec<Command>) -> Vec<Command> {
    let pending = rng.percent(40);
    let mark = |command: Command| if pending { command.pending() } else { command };
    let old = if known.is_empty() { None } else { Some(known[rng.below(known.len())]) };
    match (rng.below(24), old) {
        (0..7, _) => {
            let write = write_row(rng, frames, prefix_bits);
            known.push(write);
            vec![mark(write)]
        }
        (7..10, _) => {
            let (bank, number, rule) = rule(rng, frames);
            known.push(Command::write_rule(0, bank, number, &rule));
            writ_driver::rule_commands(bank, number, &rule, pending).to_vec()
        }
        (10..14, Some(old)) => vec![mark(super::clear_of(&old))],
        (14..16, _) => vec![Command::new(Opcode::Commit, 0)],
        (16..18, _) => vec![Command::new(Opcode::Settle, 0)],
        (18, _) => vec![Command::new(Opcode::Abort, 0)],
        (19, Some(old)) if old.opcode == Opcode::WriteRule as u8 => {
            vec![Command::read_rule(0, old.way, old.row.get(), rng.percent(50))]
        }
        (19, Some(old)) => vec![super::read_of(&old)],
        (20, Some(old)) => {
            let index = MatchIndex::new(old.match_index_bits()).expect("in range");
            vec![Command::drops(0, index, false)]
        }
        (21, Some(old)) => vec![damaged_command(rng, old)],
        (22, Some(old)) if old.opcode == Opcode::WriteRow as u8 => vec![corrupt_of(&old)],
        _ => vec![Command::new(Opcode::Nop, 0)],
    }
}

/// The command that damages the row of `write`.
pub(crate) fn corrupt_of(write: &Command) -> Command {
    Command::corrupt_row(0, Table::from_bits(write.table).expect("a table"), write.way, write.row.get())
}

/// A command with a field that does not exist, or any bits at all.
fn damaged_command(rng: &mut Rng, mut command: Command) -> Command {
    match rng.below(6) {
        0 => command.opcode = rng.next() as u8 | 0x10,
        1 => command.table = 7 + rng.below(249) as u8,
        2 => command.way = 4 + rng.below(252) as u8,
        3 => command.row = (8192 + rng.next() as u32 % 100_000).into(),
        4 => command.scope = 3 + rng.below(253) as u8,
        _ => command.not_after[5] = 0x10 + rng.below(0xf0) as u8,
    }
    command.seal()
}
