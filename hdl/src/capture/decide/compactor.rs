//! Moves selected items to the front without changing their order.
//!
//! # Theory of operation
//! An item has to move by the number of items in front of it that are not selected. Its moves are made one bit of that number after the other: by 1, 2, 4, 8,
//! then 16 places. In that order no two items ever meet. [`CompactPlan`] finds for one of these steps which items move, from parities
//! alone: the number of gaps in front of an item is odd if its prefix parity of gaps is. What is left of each pair of gaps after the step counts in the next one.

use crate::prelude::*;

/// Which of 21 items move in the step of `D` places. No register.
#[derive(LogicBlock)]
pub struct CompactPlan<const D: u64> {
    /// Places that are taken.
    pub taken: Signal<In, Bits<21>>,
    /// Gaps that count in this step, each shown one place behind.
    pub gaps: Signal<In, Bits<21>>,
    /// Items, by their present place, that move in this step.
    pub moves: Signal<Out, Bits<21>>,
    /// Places that are taken after the step.
    pub taken_next: Signal<Out, Bits<21>>,
    /// Gaps that count in the next step.
    pub gaps_next: Signal<Out, Bits<21>>,
    distance: Constant<Bits<5>>,
    by_2: Signal<Local, Bits<21>>,
    by_4: Signal<Local, Bits<21>>,
    by_8: Signal<Local, Bits<21>>,
    by_16: Signal<Local, Bits<21>>,
    odd: Signal<Local, Bits<21>>,
    movers: Signal<Local, Bits<21>>,
}

impl<const D: u64> Default for CompactPlan<D> {
    fn default() -> Self {
        Self {
            taken: Signal::default(),
            gaps: Signal::default(),
            moves: Signal::default(),
            taken_next: Signal::default(),
            gaps_next: Signal::default(),
            distance: Constant::new(D.into()),
            by_2: Signal::default(),
            by_4: Signal::default(),
            by_8: Signal::default(),
            by_16: Signal::default(),
            odd: Signal::default(),
            movers: Signal::default(),
        }
    }
}

impl<const D: u64> Logic for CompactPlan<D> {
    #[hdl_gen]
    fn update(&mut self) {
        // Prefix parity.
        self.by_2.next = self.gaps.val() ^ (self.gaps.val() << 1);
        self.by_4.next = self.by_2.val() ^ (self.by_2.val() << 2);
        self.by_8.next = self.by_4.val() ^ (self.by_4.val() << 4);
        self.by_16.next = self.by_8.val() ^ (self.by_8.val() << 8);
        self.odd.next = self.by_16.val() ^ (self.by_16.val() << 16);
        self.movers.next = self.odd.val() & self.taken.val();
        self.moves.next = self.movers.val();
        self.taken_next.next = (self.taken.val() ^ self.movers.val()) | (self.movers.val() >> self.distance.val());
        self.gaps_next.next = self.gaps.val() & !self.odd.val();
    }
}
