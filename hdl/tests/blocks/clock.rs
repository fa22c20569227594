//! The card's clock against 128-bit arithmetic.

use crate::bench::{Bench, Random, number, value};
use writ_hdl::time::CardClock;

#[test]
fn counts_steps_and_keeps_the_floor() {
    let mut bench = Bench::new(CardClock::default(), |block| &mut block.clock);
    let mut random = Random(1);
    let (mut time, mut floor, mut armed) = (0_u128, 0_u64, false);
    for round in 0..4_000 {
        let (ns, fraction) = if round % 50 == 0 { (255, u64::from(u32::MAX)) } else { (3, random.below(1 << 32)) };
        let set = random.one_in(20);
        let set_ns = if random.one_in(2) { random.next() } else { random.below(1 << 40) };
        if random.one_in(30) {
            armed = !armed;
        }
        let block = &mut bench.block;
        block.armed.next = armed;
        block.set.next = set;
        block.set_ns.next = number(set_ns);
        block.set_quality.next = number(round % 4);
        block.increment_ns.next = number(ns);
        block.increment_fraction.next = number(fraction);
        bench.tick();
        if set && !armed {
            floor = floor.max((time >> 32) as u64 >> 20);
            time = u128::from(set_ns) << 32;
        } else {
            time = (time + (u128::from(ns) << 32 | u128::from(fraction))) & ((1 << 96) - 1);
        }
        assert_eq!(value(bench.block.now_ns.val()), (time >> 32) as u64, "round {round}");
        assert_eq!(value(bench.block.expiry_floor.val()), floor, "round {round}");
        let quality = if round % 4 == 3 { 0 } else { round % 4 };
        assert_eq!(value(bench.block.quality.val()), quality, "round {round}");
    }
    bench.block.reset.next = true;
    bench.tick();
    assert_eq!((value(bench.block.now_ns.val()), value(bench.block.expiry_floor.val())), (0, 0));
}
