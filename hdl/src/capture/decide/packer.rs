//! The hits of a record, in a row.
//!
//! # Theory of operation
//! A verdict has a slot for every lookup, in the order of their numbers, and most are empty; a record shows the hits of its ring without holes. So
//! the selected ones move to the front, in five steps over four clocks ([`super::compactor`]): by 1 and 2 places in clock 2, by 4 and 8 in clock 3, by 16
//! in clock 4. Each step is planned in the clock before. Everything comes out one clock later.
//!
//! # Limits
//! One record a clock.

use super::compactor::CompactPlan;
use super::lookup_of;
use crate::capture::types::HitList;
use crate::prelude::*;
use writ_abi::{Lookup, limits};

/// Of the numbers of hits that have this bit set: the places of the last hit.
fn last_places(bit: usize) -> Bits<21> {
    let places = (0..limits::HITS_MAX).filter(|place| (place + 1) >> bit & 1 == 1);
    places.fold(Bits::default(), |places: Bits<21>, place| places.replace_bit(place, true))
}

/// A lookup's number where it stands in a record's hit.
fn number(lookup: Lookup) -> Constant<Bits<24>> {
    Constant::new(((lookup as LiteralType) << 19).into())
}

/// Packs hits.
#[derive(LogicBlock)]
pub struct HitPacker {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a record.
    pub valid: Signal<In, Bit>,
    /// Hits of its frame, 23 bits each.
    pub hits: Signal<In, Bits<483>>,
    /// Those of them that name the record's ring.
    pub selected: Signal<In, Bits<21>>,
    /// In clock 4: there are more hits than the first line of a header holds.
    pub many: Signal<Out, Bit>,
    /// The hits.
    pub list: Signal<Out, HitList>,
    /// How many there are.
    pub count: Signal<Out, Bits<5>>,
    plan_1: CompactPlan<1>,
    plan_2: CompactPlan<2>,
    plan_4: CompactPlan<4>,
    plan_8: CompactPlan<8>,
    plan_16: CompactPlan<16>,
    lookup: [Constant<Bits<24>>; limits::HITS_MAX],
    lookup_destination: [Constant<Bits<24>>; limits::HITS_MAX],
    count_places: [Constant<Bits<21>>; 5],
    // Clock 2
    ready_2: RegR<Bit>,
    taken_2: Reg<Bits<21>>,
    gaps_2: Reg<Bits<21>>,
    moves_1: Reg<Bits<21>>,
    moves_2: Reg<Bits<21>>,
    items_2: [Reg<Bits<24>>; limits::HITS_MAX],
    // Clock 3
    ready_3: RegR<Bit>,
    taken_3: Reg<Bits<21>>,
    gaps_3: Reg<Bits<21>>,
    moves_4: Reg<Bits<21>>,
    moves_8: Reg<Bits<21>>,
    items_3: [Reg<Bits<24>>; limits::HITS_MAX],
    // Clock 4
    ready_4: RegR<Bit>,
    taken_4: Reg<Bits<21>>,
    moves_16: Reg<Bits<21>>,
    items_4: [Reg<Bits<24>>; limits::HITS_MAX],
    // Out
    list_5: Reg<HitList>,
    count_5: Reg<Bits<5>>,
    item: [Signal<Local, Bits<24>>; limits::HITS_MAX],
    by_1: [Signal<Local, Bits<24>>; limits::HITS_MAX],
    by_2: [Signal<Local, Bits<24>>; limits::HITS_MAX],
    by_4: [Signal<Local, Bits<24>>; limits::HITS_MAX],
    by_8: [Signal<Local, Bits<24>>; limits::HITS_MAX],
    placed: [Signal<Local, Bits<24>>; limits::HITS_MAX],
    last_place: Signal<Local, Bits<21>>,
    new_count: Signal<Local, Bits<5>>,
    new_list: Signal<Local, HitList>,
}

impl Default for HitPacker {
    fn default() -> Self {
        let destination = |slot| {
            let bank = usize::checked_sub(slot, limits::HITS_MAX - limits::RULE_BANKS);
            bank.and_then(|bank| Lookup::of_rule(bank as u8, true)).unwrap_or(lookup_of(slot))
        };
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            hits: Signal::default(),
            selected: Signal::default(),
            many: Signal::default(),
            list: Signal::default(),
            count: Signal::default(),
            plan_1: CompactPlan::default(),
            plan_2: CompactPlan::default(),
            plan_4: CompactPlan::default(),
            plan_8: CompactPlan::default(),
            plan_16: CompactPlan::default(),
            lookup: core::array::from_fn(|slot| number(lookup_of(slot))),
            lookup_destination: core::array::from_fn(|slot| number(destination(slot))),
            count_places: core::array::from_fn(|bit| Constant::new(last_places(bit))),
            ready_2: RegR::default(),
            taken_2: Reg::default(),
            gaps_2: Reg::default(),
            moves_1: Reg::default(),
            moves_2: Reg::default(),
            items_2: core::array::from_fn(|_| Reg::default()),
            ready_3: RegR::default(),
            taken_3: Reg::default(),
            gaps_3: Reg::default(),
            moves_4: Reg::default(),
            moves_8: Reg::default(),
            items_3: core::array::from_fn(|_| Reg::default()),
            ready_4: RegR::default(),
            taken_4: Reg::default(),
            moves_16: Reg::default(),
            items_4: core::array::from_fn(|_| Reg::default()),
            list_5: Reg::default(),
            count_5: Reg::default(),
            item: Default::default(),
            by_1: Default::default(),
            by_2: Default::default(),
            by_4: Default::default(),
            by_8: Default::default(),
            placed: Default::default(),
            last_place: Signal::default(),
            new_count: Signal::default(),
            new_list: Signal::default(),
        }
    }
}

impl Logic for HitPacker {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ready_2, taken_2, gaps_2, moves_1, moves_2);
        dff_setup!(self, clock, ready_3, taken_3, gaps_3, moves_4, moves_8);
        dff_setup!(self, clock, ready_4, taken_4, moves_16, list_5, count_5);
        self.ready_2.reset.next = self.reset.val();
        self.ready_3.reset.next = self.reset.val();
        self.ready_4.reset.next = self.reset.val();
        for i in 0..21 {
            self.items_2[i].clock.next = self.clock.val();
            self.items_3[i].clock.next = self.clock.val();
            self.items_4[i].clock.next = self.clock.val();
            self.items_2[i].d.next = self.items_2[i].q.val();
            self.items_3[i].d.next = self.items_3[i].q.val();
            self.items_4[i].d.next = self.items_4[i].q.val();
        }

        // Clock 1. A hit of a verdict is valid, index, scope, ring from bit 20, receiver; one of a record index, scope, lookup from bit 19.
        for i in 0..21 {
            self.item[i].next =
                (self.hits.val().get_bits::<24>(i * 23 + 1) & bits::<24>(0x7_ffff)) | self.lookup[i].val();
            if self.hits.val().get_bit(i * 23 + 22) {
                self.item[i].next = (self.hits.val().get_bits::<24>(i * 23 + 1) & bits::<24>(0x7_ffff))
                    | self.lookup_destination[i].val();
            }
        }
        self.plan_1.taken.next = self.selected.val();
        self.plan_1.gaps.next = !self.selected.val() << 1;
        self.plan_2.taken.next = self.plan_1.taken_next.val();
        self.plan_2.gaps.next = self.plan_1.gaps_next.val();
        self.ready_2.d.next = self.valid.val();
        if self.valid.val() {
            self.moves_1.d.next = self.plan_1.moves.val();
            self.moves_2.d.next = self.plan_2.moves.val();
            self.taken_2.d.next = self.plan_2.taken_next.val();
            self.gaps_2.d.next = self.plan_2.gaps_next.val();
            for i in 0..21 {
                self.items_2[i].d.next = self.item[i].val();
            }
        }

        // Clock 2.
        self.plan_4.taken.next = self.taken_2.q.val();
        self.plan_4.gaps.next = self.gaps_2.q.val();
        self.plan_8.taken.next = self.plan_4.taken_next.val();
        self.plan_8.gaps.next = self.plan_4.gaps_next.val();
        for i in 0..21 {
            self.by_1[i].next = self.items_2[i].q.val();
        }
        for i in 0..20 {
            if self.moves_1.q.val().get_bit(i + 1) {
                self.by_1[i].next = self.items_2[i + 1].q.val();
            }
        }
        for i in 0..21 {
            self.by_2[i].next = self.by_1[i].val();
        }
        for i in 0..19 {
            if self.moves_2.q.val().get_bit(i + 2) {
                self.by_2[i].next = self.by_1[i + 2].val();
            }
        }
        self.ready_3.d.next = self.ready_2.q.val();
        if self.ready_2.q.val() {
            self.moves_4.d.next = self.plan_4.moves.val();
            self.moves_8.d.next = self.plan_8.moves.val();
            self.taken_3.d.next = self.plan_8.taken_next.val();
            self.gaps_3.d.next = self.plan_8.gaps_next.val();
            for i in 0..21 {
                self.items_3[i].d.next = self.by_2[i].val();
            }
        }

        // Clock 3.
        self.plan_16.taken.next = self.taken_3.q.val();
        self.plan_16.gaps.next = self.gaps_3.q.val();
        for i in 0..21 {
            self.by_4[i].next = self.items_3[i].q.val();
        }
        for i in 0..17 {
            if self.moves_4.q.val().get_bit(i + 4) {
                self.by_4[i].next = self.items_3[i + 4].q.val();
            }
        }
        for i in 0..21 {
            self.by_8[i].next = self.by_4[i].val();
        }
        for i in 0..13 {
            if self.moves_8.q.val().get_bit(i + 8) {
                self.by_8[i].next = self.by_4[i + 8].val();
            }
        }
        self.ready_4.d.next = self.ready_3.q.val();
        if self.ready_3.q.val() {
            self.moves_16.d.next = self.plan_16.moves.val();
            self.taken_4.d.next = self.plan_16.taken_next.val();
            for i in 0..21 {
                self.items_4[i].d.next = self.by_8[i].val();
            }
        }

        // Clock 4. From here on the taken places are the first ones.
        for i in 0..21 {
            self.placed[i].next = self.items_4[i].q.val();
        }
        for i in 0..5 {
            if self.moves_16.q.val().get_bit(i + 16) {
                self.placed[i].next = self.items_4[i + 16].q.val();
            }
        }
        for i in 0..21 {
            if !self.taken_4.q.val().get_bit(i) {
                self.placed[i].next = bits::<24>(0);
            }
        }
        self.many.next = self.taken_4.q.val().get_bit(8);
        self.last_place.next = self.taken_4.q.val() & !(self.taken_4.q.val() >> 1);
        self.new_count.next = bits::<5>(0);
        for bit in 0..5 {
            self.new_count.next =
                self.new_count.val().replace_bit(bit, (self.last_place.val() & self.count_places[bit].val()).any());
        }
        self.new_list.next.hit_0 = self.placed[0].val();
        self.new_list.next.hit_1 = self.placed[1].val();
        self.new_list.next.hit_2 = self.placed[2].val();
        self.new_list.next.hit_3 = self.placed[3].val();
        self.new_list.next.hit_4 = self.placed[4].val();
        self.new_list.next.hit_5 = self.placed[5].val();
        self.new_list.next.hit_6 = self.placed[6].val();
        self.new_list.next.hit_7 = self.placed[7].val();
        self.new_list.next.hit_8 = self.placed[8].val();
        self.new_list.next.hit_9 = self.placed[9].val();
        self.new_list.next.hit_10 = self.placed[10].val();
        self.new_list.next.hit_11 = self.placed[11].val();
        self.new_list.next.hit_12 = self.placed[12].val();
        self.new_list.next.hit_13 = self.placed[13].val();
        self.new_list.next.hit_14 = self.placed[14].val();
        self.new_list.next.hit_15 = self.placed[15].val();
        self.new_list.next.hit_16 = self.placed[16].val();
        self.new_list.next.hit_17 = self.placed[17].val();
        self.new_list.next.hit_18 = self.placed[18].val();
        self.new_list.next.hit_19 = self.placed[19].val();
        self.new_list.next.hit_20 = self.placed[20].val();
        if self.ready_4.q.val() {
            self.list_5.d.next = self.new_list.val();
            self.count_5.d.next = self.new_count.val();
        }
        self.list.next = self.list_5.q.val();
        self.count.next = self.count_5.q.val();
    }
}
