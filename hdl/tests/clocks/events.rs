//! Events from clock to clock.

use crate::bench::Random;
use crate::two_clocks::{Schedule, TwoClocks};
use writ_hdl::cdc::EventCrossing;

#[test]
fn every_event_arrives_once() {
    for (seed, mut schedule) in [
        (1, Schedule::ppm([100, -100], 1)),
        (2, Schedule::ppm([-100, 100], 1_000_000)),
        (3, Schedule::periods([1_000, 3_700], 0)),
        (4, Schedule::periods([3_700, 1_000], 10)),
        (5, Schedule::Chaos(Random(50))),
    ] {
        let mut bench = TwoClocks::new(EventCrossing::<6>::default(), |block, clocks| {
            (block.from_clock.next, block.clock.next) = (clocks[0], clocks[1]);
        });
        let mut random = Random(seed);
        let (mut sent, mut seen) = (0_u64, 0_u64);
        for step in 0..6_000 {
            let (_, edges) = schedule.next();
            // No more under way than the counter can tell apart.
            let event = step < 5_500 && sent - seen < 60 && random.one_in(2);
            bench.block.event.next = event;
            bench.settle();
            sent += u64::from(event && edges[0]);
            seen += u64::from(bench.block.seen.val() && edges[1]);
            bench.rise(edges);
            assert!(seen <= sent, "an event that was not");
        }
        assert_eq!(sent, seen, "schedule {seed}");
        assert!(sent > 500, "schedule {seed}: {sent}");
    }
}

#[test]
fn a_reset_forgets() {
    let mut bench = TwoClocks::new(EventCrossing::<6>::default(), |block, clocks| {
        (block.from_clock.next, block.clock.next) = (clocks[0], clocks[1]);
    });
    bench.block.event.next = true;
    for _ in 0..9 {
        bench.rise([true, false]);
    }
    bench.block.event.next = false;
    bench.block.reset.next = true;
    for _ in 0..6 {
        bench.rise([false, true]);
    }
    bench.block.reset.next = false;
    for _ in 0..20 {
        bench.settle();
        assert!(!bench.block.seen.val());
        bench.rise([false, true]);
    }
}
