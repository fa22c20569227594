//! Each judgement about the card, brought about by beats made by hand: a bus that sees nothing wrong in them is blind.

use super::access::HostAccess;
use super::hard_block::Bus;
use super::judge::Rule;
use super::pins::Pins;
use super::settings::{BusSettings, Credits, Holds};
use crate::card::FunctionState;

const STARTED: FunctionState = FunctionState { is_bus_master: true, is_msix_enabled: true, is_msix_masked: false };
/// Words at which `is_sop` and what else is of RQ's sideband stand.
const SOP: u32 = 1 << 20;
const EOP: u32 = 1 << 26;

struct Rig {
    bus: Bus,
    pins: Pins,
}

impl Rig {
    fn new(settings: BusSettings) -> Self {
        let mut rig = Self { bus: Bus::new(settings), pins: Pins { cq_ready: 1, ..Pins::default() } };
        rig.idle(20);
        rig.bus.set_function(STARTED);
        rig.idle(4);
        rig
    }

    fn started() -> Self {
        Self::new(BusSettings { latency_clocks: 0, ..BusSettings::default() })
    }

    fn clock(&mut self) {
        self.bus.clock(&mut self.pins);
    }

    fn idle(&mut self, clocks: u64) {
        (self.pins.rq_valid, self.pins.cc_valid) = (0, 0);
        for _ in 0..clocks {
            self.clock();
        }
    }

    /// Shows a beat on RQ until it is taken.
    fn send(&mut self, (data, user): &([u32; 16], [u32; 5])) {
        (self.pins.rq_data, self.pins.rq_user, self.pins.rq_valid) = (*data, *user, 1);
        loop {
            self.clock();
            if self.pins.rq_ready == 1 {
                break;
            }
        }
        self.pins.rq_valid = 0;
    }

    fn rules(&self) -> Vec<Rule> {
        self.bus.violations.iter().map(|violation| violation.rule).collect()
    }
}

/// A beat with one request of `words` words that ends with the word `end` of the beat.
fn beat(address: u64, words: u32, kind: u32, end: u32) -> ([u32; 16], [u32; 5]) {
    let (mut data, mut user) = ([0; 16], [0; 5]);
    data[..5].copy_from_slice(&[address as u32, (address >> 32) as u32, words | kind << 11, 0, 0xabcd]);
    user[0] = 0xf | if words > 1 { 0xf00 } else { 0 } | SOP | EOP | end << 28;
    (data, user)
}

/// A write of one word.
fn message() -> ([u32; 16], [u32; 5]) {
    beat(crate::card::MESSAGES_AT, 1, 1, 4)
}

fn read() -> ([u32; 16], [u32; 5]) {
    beat(0x4000, 16, 0, 3)
}

/// What is changed in a good beat, and what it is then.
type Case = (fn(&mut [u32; 16], &mut [u32; 5]), Rule);

#[test]
fn a_request_with_anything_wrong_in_it_is_seen() {
    let cases: [Case; 22] = [
        (|data, _| data[0] |= 1, Rule::Descriptor),
        (|data, _| data[0] |= 2, Rule::Descriptor),
        (|data, _| data[2] |= 1 << 15, Rule::Descriptor),
        (|data, _| data[2] |= 1 << 16, Rule::Descriptor),
        (|data, _| data[2] |= 0x0100 << 16, Rule::Descriptor),
        (|data, _| data[3] |= 5, Rule::Descriptor),
        (|data, _| data[3] |= 0x0100 << 8, Rule::Descriptor),
        (|data, _| data[3] |= 1 << 24, Rule::Descriptor),
        (|data, _| data[3] |= 1 << 25, Rule::Descriptor),
        (|data, _| data[3] |= 1 << 28, Rule::Descriptor),
        (|data, _| data[3] |= 1 << 31, Rule::Descriptor),
        (|data, _| data[2] = 1 | 2 << 11, Rule::Type),
        (|_, user| user[0] &= !1, Rule::Enables),
        (|data, user| (data[2], user[0]) = (1 << 11, user[0] | 0xf00), Rule::Payload),
        (|data, user| (data[0], data[2], user[0]) = (0xffc, 2 | 1 << 11, user[0] | 0xf00), Rule::PageBoundary),
        (|data, user| (data[2], user[0]) = (2 | 1 << 11, user[0] | 0xf00), Rule::Length),
        (|_, user| user[0] &= !SOP, Rule::Framing),
        (|_, user| user[1] |= 1 << 4, Rule::Discontinue),
        (|_, user| user[0] |= 1 << 16, Rule::Sideband),
        (|_, user| user[1] |= 1 << 5, Rule::Sideband),
        (|_, user| user[1] |= 1 << 29, Rule::Sideband),
        (|_, user| user[4] |= 1 << 8, Rule::Sideband),
    ];
    for (number, (change, rule)) in cases.into_iter().enumerate() {
        let mut rig = Rig::started();
        rig.send(&message());
        rig.send(&read());
        assert_eq!(rig.rules(), [], "good ones");
        let (mut data, mut user) = message();
        change(&mut data, &mut user);
        rig.send(&(data, user));
        assert!(rig.rules().contains(&rule), "case {number}: {rule:?}, not {:?}", rig.bus.violations);
    }
}

#[test]
fn a_beat_that_was_shown_has_to_stay_as_it_is() {
    let changes: [Case; 3] = [
        (|data, _| data[15] ^= 1, Rule::Changed),
        (|_, user| user[0] ^= 1 << 8, Rule::Changed),
        // Taken away.
        (|_, _| {}, Rule::Withdrawn),
    ];
    for (change, rule) in changes {
        let mut rig = Rig::started();
        rig.bus.holds = Holds { rq: true, ..Holds::default() };
        let (mut data, mut user) = message();
        (rig.pins.rq_data, rig.pins.rq_user, rig.pins.rq_valid) = (data, user, 1);
        for _ in 0..5 {
            rig.clock();
        }
        assert_eq!(rig.rules(), [], "it stands");
        change(&mut data, &mut user);
        (rig.pins.rq_data, rig.pins.rq_user, rig.pins.rq_valid) = (data, user, (rule == Rule::Changed).into());
        rig.clock();
        assert_eq!(rig.rules(), [rule]);
    }
}

/// A TLP that begins too late is seen, also if it is not taken; one that had begun goes on.
#[test]
fn nothing_begins_without_bus_master_or_in_a_function_level_reset() {
    for resets in [false, true] {
        for (clocks, allowed) in [(50, true), (80, false)] {
            let mut rig = Rig::started();
            // A write of a line: two beats, the second of which comes late.
            let (mut data, mut user) = beat(0x4000, 16, 1, 0);
            user[0] &= !(EOP | 0xf << 28);
            rig.send(&(data, user));
            if resets {
                rig.bus.reset_function();
            }
            rig.bus.set_function(FunctionState { is_bus_master: false, ..STARTED });
            rig.idle(clocks);
            (data, user) = ([0; 16], [EOP | 3 << 28, 0, 0, 0, 0]);
            rig.send(&(data, user));
            assert_eq!(rig.rules(), []);
            rig.bus.holds = Holds { rq: true, ..Holds::default() };
            let (data, user) = message();
            (rig.pins.rq_data, rig.pins.rq_user, rig.pins.rq_valid) = (data, user, 1);
            for _ in 0..80 {
                rig.clock();
            }
            assert_eq!(rig.rules(), if allowed { vec![] } else { vec![Rule::NotBusMaster] }, "{clocks}");
        }
    }
}

#[test]
fn a_read_that_has_to_wait_for_credit_or_a_tag_is_seen() {
    let credits = Credits { non_posted_headers: 2, ..Credits::default() };
    let mut rig = Rig::new(BusSettings { credits, ..BusSettings::default() });
    rig.bus.holds = Holds { reads: true, ..Holds::default() };
    rig.idle(4);
    assert_eq!(rig.pins.read_credits, 2);
    rig.send(&read());
    rig.send(&read());
    rig.idle(200);
    assert_eq!((rig.rules(), rig.pins.read_credits), (vec![], 0));
    rig.send(&read());
    assert_eq!(rig.rules(), [Rule::ReadBlocks]);
    // Writes stand behind it, until there is credit.
    let (data, user) = message();
    (rig.pins.rq_data, rig.pins.rq_user, rig.pins.rq_valid) = (data, user, 1);
    for _ in 0..300 {
        rig.clock();
        assert_eq!(rig.pins.rq_ready, 0);
    }
    rig.bus.holds = Holds::default();
    rig.send(&message());

    let mut rig = Rig::new(BusSettings { tags: 3, ..BusSettings::default() });
    rig.idle(4);
    assert_eq!(rig.pins.free_tags, 1);
    // Two in one beat.
    let (mut data, mut user) = read();
    data.copy_within(0..4, 8);
    user[0] |= 0xf00 << 4 | 0xf << 4 | 2 << 20 | 2 << 24 | 2 << 26;
    user[1] |= 11;
    rig.send(&(data, user));
    assert_eq!(rig.rules(), [Rule::ReadBlocks]);
}

/// What is changed in a good answer, and what it is then.
type AnswerCase = (fn(&mut Pins), Rule);

/// The request that answers are made for: two words, the first from its second byte on.
const ASKED: HostAccess = HostAccess { offset: 0x208, words: 2, enables: [0xe, 0x3], value: None, tag: 0x5b };

/// The answer to it: lower address, bytes, words; requester; tag, class and attributes.
fn answer() -> Pins {
    let kind = u32::from(ASKED.tag ^ ASKED.tag >> 2) & 0x3f;
    let mut pins = Pins { cc_valid: 1, cc_last: 1, cc_keep: 0x1f, ..Pins::default() };
    pins.cc_data[..5].copy_from_slice(&[
        0x09 | 5 << 16,
        2 | (8 | u32::from(ASKED.tag & 7)) << 16,
        u32::from(ASKED.tag) | kind << 25,
        0x1111,
        0x2222,
    ]);
    pins.cc_user[0] = 0x441;
    pins
}

/// A bus whose card has taken the request.
fn asked() -> Rig {
    let mut rig = Rig::started();
    rig.bus.access(ASKED);
    rig.idle(4);
    rig
}

fn answer_with(rig: &mut Rig, pins: &Pins) {
    (rig.pins.cc_data, rig.pins.cc_user) = (pins.cc_data, pins.cc_user);
    (rig.pins.cc_valid, rig.pins.cc_last, rig.pins.cc_keep) = (1, pins.cc_last, pins.cc_keep);
    rig.clock();
    rig.pins.cc_valid = 0;
}

#[test]
fn an_answer_with_anything_wrong_in_it_is_seen() {
    let cases: [AnswerCase; 21] = [
        (|pins| pins.cc_data[2] ^= 1, Rule::UnknownTag),
        (|pins| pins.cc_data[1] ^= 1 << 16, Rule::Echo),
        (|pins| pins.cc_data[1] ^= 0x0100 << 16, Rule::Echo),
        (|pins| pins.cc_data[2] ^= 1 << 25, Rule::Echo),
        (|pins| pins.cc_data[2] ^= 1 << 28, Rule::Echo),
        (|pins| pins.cc_data[0] ^= 1, Rule::Bytes),
        (|pins| pins.cc_data[0] ^= 1 << 6, Rule::Bytes),
        (|pins| pins.cc_data[0] ^= 1 << 16, Rule::Bytes),
        (|pins| pins.cc_data[0] |= 1 << 8, Rule::Descriptor),
        (|pins| pins.cc_data[0] |= 1 << 29, Rule::Descriptor),
        (|pins| pins.cc_data[1] |= 1 << 14, Rule::Descriptor),
        (|pins| pins.cc_data[2] |= 1 << 8, Rule::Descriptor),
        (|pins| pins.cc_data[2] |= 1 << 31, Rule::Descriptor),
        (|pins| pins.cc_data[1] ^= 3, Rule::Completion),
        (|pins| pins.cc_data[1] |= 2 << 11, Rule::Completion),
        (|pins| pins.cc_keep = 0xf, Rule::Completion),
        (|pins| pins.cc_last = 0, Rule::Completion),
        (|pins| pins.cc_user[0] ^= 1 << 8, Rule::Completion),
        (|pins| pins.cc_user[0] |= 1 << 16, Rule::Discontinue),
        (|pins| pins.cc_user[0] |= 1 << 17, Rule::Sideband),
        (|pins| pins.cc_user[2] |= 1 << 16, Rule::Sideband),
    ];
    for (number, (change, rule)) in cases.into_iter().enumerate() {
        let mut rig = asked();
        let mut pins = answer();
        change(&mut pins);
        answer_with(&mut rig, &pins);
        assert_eq!(rig.rules(), [rule], "case {number}: {:?}", rig.bus.violations);
    }
}

#[test]
fn a_request_is_answered_once_and_by_a_beat_that_stays() {
    let mut rig = asked();
    answer_with(&mut rig, &answer());
    rig.idle(4);
    assert_eq!(rig.rules(), []);
    let answered = rig.bus.take_answer(ASKED.tag).expect("an answer");
    assert_eq!(answered.words, Some(vec![0x1111, 0x2222]));
    answer_with(&mut rig, &answer());
    assert_eq!(rig.rules(), [Rule::AnsweredTwice]);
    // Asked again, it may be answered again.
    rig.bus.access(ASKED);
    rig.idle(4);
    answer_with(&mut rig, &answer());
    assert_eq!(rig.rules().len(), 1);

    let changes: [AnswerCase; 4] = [
        (|pins| pins.cc_data[4] ^= 1, Rule::Changed),
        (|pins| pins.cc_user[0] ^= 1 << 4, Rule::Changed),
        (|pins| pins.cc_keep ^= 1 << 9, Rule::Changed),
        (|pins| pins.cc_valid = 0, Rule::Withdrawn),
    ];
    for (change, rule) in changes {
        let mut rig = asked();
        rig.bus.settings.faults.cc_stall = u16::MAX;
        let pins = answer();
        answer_with(&mut rig, &pins);
        assert_eq!((rig.rules(), rig.pins.cc_ready), (vec![], 0));
        rig.pins.cc_valid = 1;
        change(&mut rig.pins);
        rig.clock();
        assert_eq!(rig.rules(), [rule]);
    }
}

/// Byte counts as the base specification lists them for the enables of a read of one word, and of two.
#[test]
fn bytes_of_an_answer_are_those_of_the_base_specification() {
    let one: [(u8, u32, u32); 9] = [
        (0b1001, 0, 4),
        (0b0101, 0, 3),
        (0b1010, 1, 3),
        (0b0011, 0, 2),
        (0b0110, 1, 2),
        (0b1100, 2, 2),
        (0b0100, 2, 1),
        (0b1000, 3, 1),
        (0b0000, 0, 1),
    ];
    let two: [(u8, u8, u32, u32); 7] = [
        (0b0001, 0b1000, 0, 8),
        (0b1111, 0b0100, 0, 7),
        (0b0001, 0b0010, 0, 6),
        (0b0001, 0b0001, 0, 5),
        (0b0010, 0b1111, 1, 7),
        (0b1100, 0b0011, 2, 4),
        (0b1000, 0b0001, 3, 2),
    ];
    let one = one.map(|(first, at, count)| ([first, 0], 1, at, count));
    let two = two.map(|(first, last, at, count)| ([first, last], 2, at, count));
    for (enables, words, at, count) in one.into_iter().chain(two) {
        for (at, count, is_good) in [(at, count, true), (at ^ 1, count, false), (at, count + 1, false)] {
            let mut rig = Rig::started();
            rig.bus.access(HostAccess { words, enables, ..ASKED });
            rig.idle(4);
            let mut pins = answer();
            pins.cc_data[0] = (0x08 + at) | count << 16;
            pins.cc_data[1] = pins.cc_data[1] & !3 | words as u32;
            (pins.cc_keep, pins.cc_user[0]) = if words == 1 { (0xf, 0x341) } else { (0x1f, 0x441) };
            answer_with(&mut rig, &pins);
            assert_eq!(rig.rules().is_empty(), is_good, "{enables:?}: {at}, {count}: {:?}", rig.bus.violations);
        }
    }
}

/// However fast host and link are, a completion comes behind its tag.
#[test]
fn a_tag_is_told_before_its_completion_comes() {
    let mut rig = Rig::new(BusSettings { latency_clocks: 0, memory_clocks: 0, ..BusSettings::default() });
    let (mut told, mut came) = (Vec::new(), 0);
    for clock in 0..200 {
        (rig.pins.rq_data, rig.pins.rq_user) = read();
        rig.pins.rq_valid = u8::from(clock % 3 == 0 && clock < 60);
        rig.clock();
        if rig.pins.rc_valid == 1 {
            assert!(told.contains(&(rig.pins.rc_data[2] as u8)), "clock {clock}");
            came += 1;
        }
        told.extend((0..2).filter(|&n| rig.pins.tag_valid[n] == 1).map(|n| rig.pins.tag[n]));
    }
    assert_eq!((came, told.len()), (20, 20));
}
