//! The card's own frames between those of a port.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use writ_abi::self_test;
use writ_hdl::axis::{SelfTest, TapBeat};

const TOKEN: u64 = 0x0123_4567_89ab_cdef;

struct Run {
    bench: Bench<SelfTest>,
    random: Random,
    /// Beats that were given and came out, tests left out.
    given: Vec<(u64, bool, Vec<u8>, u64)>,
    came: Vec<(u64, bool, Vec<u8>, u64)>,
    tests: Vec<(u64, Vec<u8>)>,
    inside: bool,
}

impl Run {
    fn new(port: u8, period: u64) -> Self {
        let mut bench = Bench::new(SelfTest::new(port), |block| &mut block.clock);
        bench.block.enable.next = true;
        bench.block.period.next = number(period - 1);
        bench.block.token.next = number(TOKEN);
        Self { bench, random: Random(4), given: vec![], came: vec![], tests: vec![], inside: false }
    }

    fn clock(&mut self, beat: Option<(bool, bool)>) {
        let (first, last) = beat.unwrap_or_default();
        let (data, length) = (self.random.bytes(64), self.random.below(9_000));
        let stamp = self.random.next();
        let block = &mut self.bench.block;
        block.tap_beat.next = TapBeat { valid: beat.is_some(), first, last, error: false, length: number(length) };
        block.tap_data.next = to_bits(&data);
        block.tap_stamp_ns.next = number(stamp);
        block.now_ns.next = number(self.bench.clocks);
        block.quality.next = number(2);
        let now = self.bench.clocks;
        self.bench.tick();
        let block = &self.bench.block;
        let out = block.beat.val();
        let beat_out = (value(out.length), out.last, to_bytes(block.data.val()), value(block.stamp_ns.val()));
        assert_eq!(out.valid, beat.is_some() || block.sent.val());
        if block.sent.val() {
            assert!(beat.is_none() && !self.inside, "in the middle of a frame");
            assert!(out.first && out.last && !out.error && beat_out.0 == 64 && value(block.stamp_quality.val()) == 2);
            assert_eq!(beat_out.3, now);
            assert_eq!(value(block.count.val()), self.tests.len() as u64 + 1);
            self.tests.push((now, beat_out.2));
        } else if out.valid {
            assert_eq!(out.first, first);
            self.came.push(beat_out);
        }
        if beat.is_some() {
            self.given.push((length, last, data, stamp));
            self.inside = !last;
        }
    }
}

#[test]
fn its_frame_is_ip_and_udp_with_a_right_checksum() {
    let frame = self_test::frame(1, TOKEN, 7);
    let sum = |bytes: &[u8]| {
        let mut sum: u32 = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
        while sum >> 16 > 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum
    };
    assert_eq!(sum(&frame[14..34]), 0xffff);
    assert_eq!((frame[12], frame[13], frame[14], frame[23]), (8, 0, 0x45, 17));
    // Lengths: IP to the FCS, UDP behind the IP header.
    assert_eq!((frame[16..18].to_vec(), frame[38..40].to_vec()), (vec![0, 46], vec![0, 26]));
    assert_eq!(frame[46..54], TOKEN.to_le_bytes());
}

#[test]
fn frames_go_into_empty_clocks_between_frames_and_nothing_else_changes() {
    for port in 0..2 {
        let mut run = Run::new(port, 50);
        for _ in 0..1_500 {
            let longest = if run.random.one_in(20) { 150 } else { 4 };
            let beats = 1 + run.random.below(longest);
            for index in 0..beats {
                run.clock(Some((index == 0, index + 1 == beats)));
                while index + 1 < beats && run.random.one_in(3) {
                    run.clock(None);
                }
            }
            run.clock(None);
        }
        assert_eq!(run.came, run.given);
        let clocks = run.bench.clocks;
        assert!(
            run.tests.len() as u64 > clocks / 80 && run.tests.len() as u64 <= clocks / 50 + 1,
            "{}",
            run.tests.len()
        );
        for (sequence, (_, frame)) in run.tests.iter().enumerate() {
            assert_eq!(*frame, self_test::frame(port, TOKEN, sequence as u32));
        }
    }
}

#[test]
fn it_waits_for_the_end_of_a_frame_and_stops_when_disabled() {
    let mut run = Run::new(0, 20);
    (0..100).for_each(|_| run.clock(None));
    let periods: Vec<u64> = run.tests.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert_eq!(periods, [20; 4]);
    run.clock(Some((true, false)));
    (0..100).for_each(|_| run.clock(None));
    assert_eq!(run.tests.len(), 5);
    run.clock(Some((false, true)));
    run.clock(None);
    assert_eq!(run.tests.len(), 6);
    run.bench.block.enable.next = false;
    (0..100).for_each(|_| run.clock(None));
    assert_eq!(run.tests.len(), 6);
}
