//! Tap, window collector and merger: beats in, windows out.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use rust_hdl::core::prelude::*;
use writ_hdl::axis::{Beat, Tap};
use writ_hdl::parse::{Merger, WindowCollector};

/// One direction up to the window FIFO, and the merger with the other direction idle.
#[derive(LogicBlock, Default)]
struct Direction {
    clock: Signal<In, Clock>,
    reset: Signal<In, Bit>,
    rx: Signal<In, Beat>,
    rx_data: Signal<In, Bits<512>>,
    now_ns: Signal<In, Bits<64>>,
    hold: Signal<In, Bit>,
    tap: Tap,
    collector: WindowCollector,
    merger: Merger,
}

impl Logic for Direction {
    #[hdl_gen]
    fn update(&mut self) {
        self.tap.clock.next = self.clock.val();
        self.collector.clock.next = self.clock.val();
        self.merger.clock.next = self.clock.val();
        self.tap.reset.next = self.reset.val();
        self.collector.reset.next = self.reset.val();
        self.merger.reset.next = self.reset.val();
        self.tap.rx.next = self.rx.val();
        self.tap.rx_data.next = self.rx_data.val();
        self.tap.now_ns.next = self.now_ns.val();
        self.tap.quality.next = bits::<2>(1);
        self.collector.beat.next = self.tap.beat.val();
        self.collector.data.next = self.tap.data.val();
        self.collector.stamp_ns.next = self.tap.stamp_ns.val();
        self.collector.stamp_quality.next = self.tap.stamp_quality.val();
        self.collector.space.next = self.merger.space_a.val();
        self.merger.push_a.next = self.collector.push.val();
        self.merger.window_a.next = self.collector.window.val();
        self.merger.hold.next = self.hold.val();
    }
}

struct Traffic {
    bench: Bench<Direction>,
    random: Random,
    /// Frames with the clock of their first beat.
    sent: Vec<(u64, Vec<u8>)>,
    /// Windows with their stamps.
    seen: Vec<(u64, Vec<u8>)>,
    dropped: usize,
    errors: usize,
    arrived_bytes: usize,
}

impl Traffic {
    fn new() -> Self {
        let bench = Bench::new(Direction::default(), |block| &mut block.clock);
        Self { bench, random: Random(5), sent: vec![], seen: vec![], dropped: 0, errors: 0, arrived_bytes: 0 }
    }

    fn clock(&mut self, beat: Option<(&[u8], bool, bool)>) {
        let block = &mut self.bench.block;
        let (data, last, error) = beat.unwrap_or((&[], false, false));
        block.rx.next = Beat { valid: beat.is_some(), last, error, bytes: number(data.len() as u64) };
        block.rx_data.next = to_bits(data);
        block.now_ns.next = number(self.bench.clocks);
        self.bench.tick();
        let block = &self.bench.block;
        if block.collector.complete.val() && block.collector.dropped.val() {
            self.dropped += 1;
        }
        if block.tap.arrived.val() {
            self.errors += usize::from(block.tap.arrived_error.val());
            self.arrived_bytes += value(block.tap.arrived_bytes.val()) as usize;
        }
        if block.merger.valid.val() {
            let window = block.merger.window.val();
            let mut bytes = to_bytes(window.bytes);
            bytes.truncate(value(window.length) as usize);
            self.seen.push((value(window.stamp), bytes));
        }
    }

    fn send(&mut self, frame: &[u8], error: bool) {
        self.sent.push((self.bench.clocks, frame.to_vec()));
        let beats = frame.chunks(64).count();
        for (i, chunk) in frame.chunks(64).enumerate() {
            self.clock(Some((chunk, i + 1 == beats, error)));
            while self.random.one_in(8) {
                self.clock(None);
            }
        }
    }
}

/// The window that the ABI's text gives.
fn expected(frame: &[u8]) -> Vec<u8> {
    frame[..frame.len().saturating_sub(4).min(192)].to_vec()
}

#[test]
fn windows_are_the_frames_beginnings() {
    let mut traffic = Traffic::new();
    for _ in 0..150 {
        let length = 1 + traffic.random.below(270) as usize;
        let frame = traffic.random.bytes(length);
        let error = traffic.random.one_in(7);
        traffic.send(&frame, error);
    }
    for _ in 0..10 {
        traffic.clock(None);
    }
    let expected: Vec<_> = traffic.sent.iter().map(|(clock, frame)| (*clock, expected(frame))).collect();
    assert_eq!(traffic.seen, expected);
    assert_eq!(traffic.dropped, 0);
    assert_eq!(traffic.arrived_bytes, traffic.sent.iter().map(|(_, frame)| frame.len()).sum::<usize>());
    assert!(traffic.errors > 5);
}

#[test]
fn a_full_fifo_drops_whole_windows_and_says_so() {
    let mut traffic = Traffic::new();
    traffic.bench.block.hold.next = true;
    for _ in 0..80 {
        let frame = traffic.random.bytes(64);
        traffic.send(&frame, false);
    }
    traffic.bench.block.hold.next = false;
    for _ in 0..100 {
        traffic.clock(None);
    }
    assert_eq!((traffic.seen.len(), traffic.dropped), (64, 16));
    for (seen, (clock, frame)) in traffic.seen.iter().zip(&traffic.sent) {
        assert_eq!(*seen, (*clock, expected(frame)));
    }
}

#[test]
fn a_frame_under_way_at_a_reset_is_not_seen() {
    let mut traffic = Traffic::new();
    let frame = traffic.random.bytes(256);
    traffic.clock(Some((&frame[..64], false, false)));
    traffic.bench.block.reset.next = true;
    traffic.clock(Some((&frame[64..128], false, false)));
    traffic.bench.block.reset.next = false;
    traffic.clock(Some((&frame[128..192], false, false)));
    traffic.clock(Some((&frame[192..], true, false)));
    let next = traffic.random.bytes(100);
    traffic.send(&next, false);
    for _ in 0..10 {
        traffic.clock(None);
    }
    assert_eq!(traffic.seen.iter().map(|(_, window)| window.clone()).collect::<Vec<_>>(), [expected(&next)]);
    assert_eq!(traffic.arrived_bytes, 356, "frames are counted whether the copy side saw their start or not");
}
