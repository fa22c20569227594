//! The order in which words cross between two sides that share no lock: lines and the indices that publish them.
//!
//! One side writes lines, then an index; the other reads the index, then the lines; and the same the other way round, when lines are given back. Every
//! word that is shared goes through the functions of this module. They take any [`Word`], so that the tests below run the very same code over loom's
//! atomics, through every interleaving and every value that the orders allow a load to see.

use std::sync::atomic::{AtomicU32, Ordering};
use writ_abi::limits::LINE_BYTES;

/// Words of a line.
pub(super) const LINE_WORDS: usize = LINE_BYTES / 4;

/// A 32-bit word that both sides reach.
pub(super) trait Word {
    fn load(&self, order: Ordering) -> u32;
    fn store(&self, value: u32, order: Ordering);
}

impl Word for AtomicU32 {
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }
}

/// Reads an index. What the other side wrote before it stored the index is visible afterwards, and what it will do once it may is still to come.
pub(super) fn load_index(word: &impl Word) -> u32 {
    u32::from_le(word.load(Ordering::Acquire))
}

/// Writes an index. All reads and writes of this side that stand before it are done when the other side sees it.
pub(super) fn store_index(word: &impl Word, value: u32) {
    word.store(value.to_le(), Ordering::Release);
}

/// Copies a line out: as many bytes as the words have.
pub(super) fn load_line(words: &[impl Word], line: &mut [u8]) {
    for (bytes, word) in line.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.load(Ordering::Acquire).to_ne_bytes();
    }
}

/// Copies a line in. The first word comes last, with release order: a line may be an index itself.
pub(super) fn store_line(words: &[impl Word], line: &[u8]) {
    let values = line.as_chunks().0.iter().map(|bytes| u32::from_ne_bytes(*bytes));
    let mut pairs = words.iter().zip(values);
    let Some((first, published)) = pairs.next() else { return };
    for (word, value) in pairs {
        word.store(value, Ordering::Relaxed);
    }
    first.store(published, Ordering::Release);
}

/// Where the two places of a pair begin in its line; the line's first word says which one counts.
const PAIR_PLACES: [usize; 2] = [2, 4];

/// Keeps two numbers for whoever comes after this process: those of before count until the first word says otherwise. The kernel keeps what was
/// stored; that the first word comes last is all that it takes.
pub(super) fn store_pair(words: &[impl Word; LINE_WORDS], pair: [u32; 2]) {
    let place = words[0].load(Ordering::Relaxed) & 1 ^ 1;
    let at = PAIR_PLACES[place as usize];
    words[at].store(pair[0].to_le(), Ordering::Relaxed);
    words[at + 1].store(pair[1].to_le(), Ordering::Relaxed);
    words[0].store(place, Ordering::Release);
}

/// The two numbers that [`store_pair`] kept last.
pub(super) fn load_pair(words: &[impl Word; LINE_WORDS]) -> [u32; 2] {
    let at = PAIR_PLACES[(words[0].load(Ordering::Acquire) & 1) as usize];
    [at, at + 1].map(|word| u32::from_le(words[word].load(Ordering::Relaxed)))
}

/// What is left of a [`store_pair`] in the middle of which its process was killed.
#[cfg(test)]
pub(super) fn store_half_of_a_pair(words: &[impl Word; LINE_WORDS], first: u32) {
    let place = words[0].load(Ordering::Relaxed) & 1 ^ 1;
    words[PAIR_PLACES[place as usize]].store(first, Ordering::Relaxed);
}

#[cfg(test)]
mod loom_tests {
    use super::*;
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    /// Lines of the ring; it is gone round, so lines are given back and written again.
    const RING: u32 = 2;
    const PRODUCED: u32 = 4;
    /// Words of a line here: one that is stored last, one before it. More would only take longer.
    const WORDS: usize = 2;
    const LINE: usize = 4 * WORDS;

    /// What is made weaker on purpose, to see that the model notices.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Weak {
        Nothing,
        Loads,
        Stores,
    }

    struct LoomWord {
        word: loom::sync::atomic::AtomicU32,
        weak: Weak,
    }

    impl LoomWord {
        fn new(weak: Weak) -> Self {
            Self { word: loom::sync::atomic::AtomicU32::new(0), weak }
        }
    }

    impl Word for LoomWord {
        fn load(&self, order: Ordering) -> u32 {
            self.word.load(if self.weak == Weak::Loads { Ordering::Relaxed } else { order })
        }

        fn store(&self, value: u32, order: Ordering) {
            self.word.store(value, if self.weak == Weak::Stores { Ordering::Relaxed } else { order });
        }
    }

    struct Line {
        words: [LoomWord; WORDS],
        /// Stands for the plain bytes that `Region::bytes` gives out: loom fails if one side reads them while, or without knowing that, the other
        /// one has written them.
        plain: UnsafeCell<()>,
    }

    struct Shared {
        lines: [Line; RING as usize],
        /// A line as well: the card writes its index like all other lines.
        producer: [LoomWord; WORDS],
        consumer: LoomWord,
    }

    impl Shared {
        /// `producer` and `consumer`: what is weak about the words that carry the index of that side.
        fn new(producer: Weak, consumer: Weak) -> Self {
            let strong = || std::array::from_fn(|_| LoomWord::new(Weak::Nothing));
            Self {
                lines: std::array::from_fn(|_| Line { words: strong(), plain: UnsafeCell::new(()) }),
                producer: std::array::from_fn(|_| LoomWord::new(producer)),
                consumer: LoomWord::new(consumer),
            }
        }

        fn line(&self, number: u32) -> &Line {
            &self.lines[(number % RING) as usize]
        }
    }

    fn content(number: u32) -> [u8; LINE] {
        std::array::from_fn(|at| (number * 16) as u8 + at as u8 + 1)
    }

    /// The card: lines as long as there is room, an index after each.
    fn card(shared: &Shared) {
        for number in 0..PRODUCED {
            while number.wrapping_sub(load_index(&shared.consumer)) >= RING {
                thread::yield_now();
            }
            let line = shared.line(number);
            line.plain.with_mut(|_| store_line(&line.words, &content(number)));
            let mut index = [0; LINE];
            index[..4].copy_from_slice(&(number + 1).to_le_bytes());
            store_line(&shared.producer, &index);
        }
    }

    /// The host: whatever is there, in place, and then one index for all of it.
    fn host(shared: &Shared) {
        let mut consumed = 0;
        while consumed < PRODUCED {
            let produced = load_index(&shared.producer[0]);
            assert!(produced.wrapping_sub(consumed) <= RING, "{produced} produced, {consumed} consumed");
            if produced == consumed {
                thread::yield_now();
                continue;
            }
            for number in consumed..produced {
                let line = shared.line(number);
                let mut found = [0; LINE];
                line.plain.with(|_| {
                    for (bytes, word) in found.as_chunks_mut().0.iter_mut().zip(&line.words) {
                        *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
                    }
                });
                assert_eq!(found, content(number), "line {number}");
            }
            consumed = produced;
            store_index(&shared.consumer, consumed);
        }
    }

    fn explore(producer: Weak, consumer: Weak) {
        let mut model = loom::model::Builder::new();
        // Every order that is wrong shows with fewer; without a bound the loops of those who wait have no end.
        model.preemption_bound = Some(3);
        model.check(move || {
            let shared = Arc::new(Shared::new(producer, consumer));
            let theirs = Arc::clone(&shared);
            let other = thread::spawn(move || card(&theirs));
            host(&shared);
            other.join().expect("no fault");
        });
    }

    #[test]
    fn loom_finds_no_line_that_is_read_too_early_or_written_too_early() {
        explore(Weak::Nothing, Weak::Nothing);
    }

    /// What the host would read may be an older round's.
    #[test]
    #[should_panic(expected = "Causality violation")]
    fn loom_notices_a_producer_index_without_release() {
        explore(Weak::Stores, Weak::Nothing);
    }

    #[test]
    #[should_panic(expected = "Causality violation")]
    fn loom_notices_a_producer_index_without_acquire() {
        explore(Weak::Loads, Weak::Nothing);
    }

    /// The card would write over what the host still reads.
    #[test]
    #[should_panic(expected = "Causality violation")]
    fn loom_notices_a_consumer_index_without_release() {
        explore(Weak::Nothing, Weak::Stores);
    }

    #[test]
    #[should_panic(expected = "Causality violation")]
    fn loom_notices_a_consumer_index_without_acquire() {
        explore(Weak::Nothing, Weak::Loads);
    }
}
