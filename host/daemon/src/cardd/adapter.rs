//! The registers of the adapter between card and bus: what the operator sets there, and what it says of trouble.

use std::sync::Arc;
use writ_abi::pci::adapter::{COUNTERS, MODERATION_AT, MODERATION_CLOCKS, STATE_AT, counter_at, state};
use writ_driver::Bar;

/// Nanoseconds of a clock of the adapter.
const CLOCK_NS: u32 = 4;
/// Longest time between two messages of a vector that can be set, us.
pub(crate) const MODERATION_US_MAX: u32 = 0xffff * MODERATION_CLOCKS * CLOCK_NS / 1000;

/// The adapter's registers, and what was told of them.
pub(crate) struct Adapter {
    bar: Arc<dyn Bar>,
    counters: [u32; COUNTERS.len()],
    is_stalled: bool,
}

impl Adapter {
    /// The adapter of this card; `None` if it has none, as the golden model, which stands behind no bus.
    pub(crate) fn of(bar: Arc<dyn Bar>) -> Option<Self> {
        // A card that is used has a link, and never all bits.
        let found = bar.read32(STATE_AT);
        let is_there = found != u32::MAX && found & state::LINK_UP != 0;
        let counters = std::array::from_fn(|number| bar.read32(counter_at(number as u32)));
        is_there.then_some(Self { bar, counters, is_stalled: false })
    }

    /// Sets the least time between two interrupts of a vector.
    pub(crate) fn moderate(&self, us: u32) -> Result<(), String> {
        let units = (us * 1000).div_ceil(MODERATION_CLOCKS * CLOCK_NS);
        self.bar.write32(MODERATION_AT, units);
        match self.bar.read32(MODERATION_AT) {
            found if found == units => Ok(()),
            found => Err(format!("the card does not take {units} as time between interrupts, it has {found}")),
        }
    }

    /// What has happened on the bus since the last look, one line each. Nothing of a card that is gone: others notice that.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let mut news = Vec::new();
        let found = self.bar.read32(STATE_AT);
        if found == u32::MAX {
            return news;
        }
        let is_stalled = found & state::RQ_STALLED != 0;
        if is_stalled && !self.is_stalled {
            news.push(
                "the bus takes nothing from the card any more: it stands still until the bus is reset".to_owned(),
            );
        }
        self.is_stalled = is_stalled;
        for (number, (name, meaning)) in (0..).zip(COUNTERS) {
            let (now, before) = (self.bar.read32(counter_at(number)), &mut self.counters[number as usize]);
            let more = now.wrapping_sub(*before);
            *before = now;
            // Messages are how it should be.
            if more > 0 && name != "MESSAGES" {
                news.push(format!("bus: {more} {meaning}"));
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use writ_abi::pci::adapter::counter_at;

    #[derive(Default)]
    struct Words(Mutex<BTreeMap<u32, u32>>);

    impl Bar for Words {
        fn read32(&self, offset: u32) -> u32 {
            self.0.lock().expect("no panic").get(&offset).copied().unwrap_or(0)
        }

        fn write32(&self, offset: u32, value: u32) {
            self.0
                .lock()
                .expect("no panic")
                .insert(offset, if offset == MODERATION_AT { value & 0xffff } else { value });
        }
    }

    #[test]
    fn times_are_rounded_up_and_trouble_is_told_once() {
        let words = Arc::new(Words::default());
        assert!(Adapter::of(words.clone()).is_none(), "a card without a bus");
        words.write32(STATE_AT, state::LINK_UP | state::BUS_MASTER);
        words.write32(counter_at(3), 7);
        let mut adapter = Adapter::of(words.clone()).expect("a card on a bus");
        for (us, units) in [(0, 0), (1, 1), (100, 98), (MODERATION_US_MAX, 0xffff)] {
            adapter.moderate(us).expect("it takes that");
            assert_eq!(words.read32(MODERATION_AT), units, "{us} us");
        }
        assert!(adapter.moderate(MODERATION_US_MAX + 100).is_err());
        assert!(adapter.news().is_empty(), "what was counted before is old");
        words.write32(counter_at(3), 9);
        words.write32(counter_at(11), 900);
        words.write32(STATE_AT, state::LINK_UP | state::RQ_STALLED);
        let news = adapter.news();
        assert_eq!(news.len(), 2, "{news:?}");
        assert!(
            news[0].contains("stands still") && news[1].starts_with("bus: 2 lines for host memory dropped"),
            "{news:?}"
        );
        assert!(adapter.news().is_empty());
        words.write32(STATE_AT, u32::MAX);
        words.write32(counter_at(3), u32::MAX);
        assert!(adapter.news().is_empty(), "a card that is gone");
    }
}
