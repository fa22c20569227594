//! Settles what becomes of a record that is due: made with its ring's next number, or dropped with it.
//!
//! # Theory of operation
//! Frames that the MAC flagged leave without a number. Every other record takes the next number of its ring; it is dropped if the frame was too long
//! for the copy path, if its store had no room for it, or if the ring's FIFO has no room for the whole record together with the gap record that has to
//! precede it. Room is given away here and comes back line by line as the FIFO is read, so a job that leaves this block always finds its room, and no ring
//! waits for another one's room.
//!
//! What a ring has left depends on the decision, and the next decision on what is left; both have to fit into one clock. So each ring subtracts what the
//! record would take before anybody knows whether it may, the borrow says whether it fits, and the result is kept or not. All else waits for the next
//! clock: outcome, job and drop come out one clock behind the record.
//!
//! A ring whose FIFO was full makes no record until an eighth of it is free again. Otherwise a ring that is asked for more than it can carry would free
//! a few lines, take one record with a gap record in front of it, and drop the next: half of what it carries would be gap records.
//!
//! Consecutive missing numbers of a ring make one gap. It goes out in front of the ring's next record; or alone, in a clock without a record, once half
//! of the ring's FIFO is free. Each ring has its turn for that once in 256 clocks, so that a gap that goes on growing does not become a record for each
//! of its numbers.
//!
//! # Limits
//! One record a clock.

use crate::capture::types::{Description, DroppedRecord, Due, Gap, HitList, Job, SizedDue};
use crate::parse::types::Ticket;
use crate::prelude::*;
use writ_abi::limits;

const _: () = assert!(
    limits::RECORD_FIFO_LINES == 512 && limits::RECORD_FIFO_RESUME_LINES == 64 && limits::RECORD_RINGS == 4,
    "kernels write these out"
);

/// Outcome of a record as the taps show it: made. Any other value is a [`writ_abi::record::DropCause`].
pub const OUTCOME_COPIED: u8 = 7;

/// Decides, one record a clock. Index `n` is record ring `n`.
#[derive(LogicBlock)]
pub struct Decider {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a record.
    pub valid: Signal<In, Bit>,
    /// The record.
    pub sized: Signal<In, SizedDue>,
    /// Its hits.
    pub list: Signal<In, HitList>,
    /// How many there are.
    pub count: Signal<In, Bits<5>>,
    /// A line has left the ring's FIFO.
    pub line_freed: [Signal<In, Bit>; limits::RECORD_RINGS],
    /// A record is decided.
    pub decided: Signal<Out, Bit>,
    /// With `decided`: of which frame.
    pub decided_ticket: Signal<Out, Ticket>,
    /// With `decided`: it will be made.
    pub decided_copy: Signal<Out, Bit>,
    /// With `decided`: it was the last of its frame.
    pub decided_last: Signal<Out, Bit>,
    /// There is a job.
    pub job_valid: Signal<Out, Bit>,
    /// The job.
    pub job: Signal<Out, Job>,
    /// A record is dropped.
    pub dropped: Signal<Out, Bit>,
    /// Its hits, for the per-match counters.
    pub dropped_record: Signal<Out, DroppedRecord>,
    /// A number has been given.
    pub outcome: Signal<Out, Bit>,
    /// With `outcome`: drop cause, or [`OUTCOME_COPIED`].
    pub outcome_cause: Signal<Out, Bits<3>>,
    /// With `outcome`: it is the first of its frame.
    pub outcome_first: Signal<Out, Bit>,
    /// With `job_valid`: a gap record goes out.
    pub gap_record: Signal<Out, Bit>,
    /// With `outcome` or `gap_record`: the ring.
    pub ring: Signal<Out, Bits<2>>,
    /// A frame with hits was discarded because the MAC flagged it.
    pub flagged: Signal<Out, Bit>,
    /// No gap open.
    pub idle: Signal<Out, Bit>,
    sequence: [RegR<Bits<32>>; limits::RECORD_RINGS],
    open: RegR<Bits<4>>,
    gap_causes: [Reg<Bits<8>>; limits::RECORD_RINGS],
    gap_first: [Reg<Bits<32>>; limits::RECORD_RINGS],
    gap_begin: [Reg<Bits<64>>; limits::RECORD_RINGS],
    gap_end: [Reg<Bits<64>>; limits::RECORD_RINGS],
    overdue: [RegR<Bit>; limits::RECORD_RINGS],
    free: [RegR<Bits<11>>; limits::RECORD_RINGS],
    freed: [RegR<Bit>; limits::RECORD_RINGS],
    held: RegR<Bits<4>>,
    waiting: RegR<Bits<4>>,
    turn: RegR<Bits<8>>,
    was_decided: RegR<Bit>,
    was_numbered: RegR<Bit>,
    was_copied: RegR<Bit>,
    was_lonely: RegR<Bit>,
    was_flagged: RegR<Bit>,
    was_first: Reg<Bit>,
    was_last: Reg<Bit>,
    was_ring: Reg<Bits<2>>,
    obstacle: Reg<Bits<3>>,
    work: Reg<Job>,
    turn_of: [Constant<Bits<8>>; limits::RECORD_RINGS],
    due: Signal<Local, Due>,
    description: Signal<Local, Description>,
    alone: Signal<Local, Bits<4>>,
    half_free: Signal<Local, Bits<4>>,
    some_free: Signal<Local, Bits<4>>,
    ring_bits: Signal<Local, Bits<4>>,
    now_gap: Signal<Local, Gap>,
    now_sequence: Signal<Local, Bits<32>>,
    rest: Signal<Local, Bits<11>>,
    room: Signal<Local, Bits<11>>,
    room_with_gap: Signal<Local, Bits<11>>,
    wish: [Signal<Local, Bits<11>>; limits::RECORD_RINGS],
    left_over: [Signal<Local, Bits<11>>; limits::RECORD_RINGS],
    kept: [Signal<Local, Bits<11>>; limits::RECORD_RINGS],
    causes: Signal<Local, Bits<8>>,
    numbered: Signal<Local, Bit>,
    candidate: Signal<Local, Bit>,
    taken: Signal<Local, Bits<4>>,
    lone: Signal<Local, Bits<4>>,
    lost: Signal<Local, Bits<4>>,
    now_work: Signal<Local, Job>,
    now_open: Signal<Local, Bit>,
    new_job: Signal<Local, Job>,
    new_drop: Signal<Local, DroppedRecord>,
}

impl Default for Decider {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            sized: Signal::default(),
            list: Signal::default(),
            count: Signal::default(),
            line_freed: Default::default(),
            decided: Signal::default(),
            decided_ticket: Signal::default(),
            decided_copy: Signal::default(),
            decided_last: Signal::default(),
            job_valid: Signal::default(),
            job: Signal::default(),
            dropped: Signal::default(),
            dropped_record: Signal::default(),
            outcome: Signal::default(),
            outcome_cause: Signal::default(),
            outcome_first: Signal::default(),
            gap_record: Signal::default(),
            ring: Signal::default(),
            flagged: Signal::default(),
            idle: Signal::default(),
            sequence: Default::default(),
            open: RegR::default(),
            gap_causes: Default::default(),
            gap_first: Default::default(),
            gap_begin: Default::default(),
            gap_end: Default::default(),
            overdue: Default::default(),
            free: core::array::from_fn(|_| RegR::new((limits::RECORD_FIFO_LINES as LiteralType).into())),
            freed: Default::default(),
            held: RegR::default(),
            waiting: RegR::default(),
            turn: RegR::default(),
            was_decided: RegR::default(),
            was_numbered: RegR::default(),
            was_copied: RegR::default(),
            was_lonely: RegR::default(),
            was_flagged: RegR::default(),
            was_first: Reg::default(),
            was_last: Reg::default(),
            was_ring: Reg::default(),
            obstacle: Reg::default(),
            work: Reg::default(),
            turn_of: core::array::from_fn(|ring| Constant::new((64 * ring as LiteralType).into())),
            due: Signal::default(),
            description: Signal::default(),
            alone: Signal::default(),
            half_free: Signal::default(),
            some_free: Signal::default(),
            ring_bits: Signal::default(),
            now_gap: Signal::default(),
            now_sequence: Signal::default(),
            rest: Signal::default(),
            room: Signal::default(),
            room_with_gap: Signal::default(),
            wish: Default::default(),
            left_over: Default::default(),
            kept: Default::default(),
            causes: Signal::default(),
            numbered: Signal::default(),
            candidate: Signal::default(),
            taken: Signal::default(),
            lone: Signal::default(),
            lost: Signal::default(),
            now_work: Signal::default(),
            now_open: Signal::default(),
            new_job: Signal::default(),
            new_drop: Signal::default(),
        }
    }
}

impl Logic for Decider {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            open,
            held,
            waiting,
            turn,
            was_decided,
            was_numbered,
            was_copied,
            was_lonely,
            was_flagged
        );
        dff_setup!(self, clock, was_first, was_last, was_ring, obstacle, work);
        self.open.reset.next = self.reset.val();
        self.held.reset.next = self.reset.val();
        self.waiting.reset.next = self.reset.val();
        self.turn.reset.next = self.reset.val();
        self.was_decided.reset.next = self.reset.val();
        self.was_numbered.reset.next = self.reset.val();
        self.was_copied.reset.next = self.reset.val();
        self.was_lonely.reset.next = self.reset.val();
        self.was_flagged.reset.next = self.reset.val();
        for i in 0..4 {
            self.sequence[i].clock.next = self.clock.val();
            self.sequence[i].reset.next = self.reset.val();
            self.sequence[i].d.next = self.sequence[i].q.val();
            self.gap_causes[i].clock.next = self.clock.val();
            self.gap_causes[i].d.next = self.gap_causes[i].q.val();
            self.gap_first[i].clock.next = self.clock.val();
            self.gap_first[i].d.next = self.gap_first[i].q.val();
            self.gap_begin[i].clock.next = self.clock.val();
            self.gap_begin[i].d.next = self.gap_begin[i].q.val();
            self.gap_end[i].clock.next = self.clock.val();
            self.gap_end[i].d.next = self.gap_end[i].q.val();
            self.overdue[i].clock.next = self.clock.val();
            self.overdue[i].reset.next = self.reset.val();
            self.free[i].clock.next = self.clock.val();
            self.free[i].reset.next = self.reset.val();
            self.freed[i].clock.next = self.clock.val();
            self.freed[i].reset.next = self.reset.val();
            self.freed[i].d.next = self.line_freed[i].val();
        }

        // Rings whose gap may go out alone. Chosen one clock ahead: what happens in between can close a gap, but never take the one line that it needs.
        self.due.next = self.sized.val().due;
        self.description.next = self.due.val().description;
        self.turn.d.next = self.turn.q.val() + bits::<8>(1);
        self.alone.next = bits::<4>(0);
        self.half_free.next = bits::<4>(0);
        self.some_free.next = bits::<4>(0);
        for i in 0..4 {
            self.some_free.next = self.some_free.val().replace_bit(i, self.free[i].q.val().get_bits::<4>(6).any());
            self.half_free.next = self.half_free.val().replace_bit(i, self.free[i].q.val().get_bits::<2>(8).any());
            self.overdue[i].d.next =
                self.open.q.val().get_bit(i) & (self.overdue[i].q.val() | (self.turn.q.val() == self.turn_of[i].val()));
            self.alone.next = self.alone.val().replace_bit(
                i,
                self.open.q.val().get_bit(i) & self.overdue[i].q.val() & self.half_free.val().get_bit(i),
            );
        }
        self.waiting.d.next = self.alone.val() & (!self.alone.val() + bits::<4>(1));

        // Which ring is this clock's: that of the record, or without one that of a gap.
        self.lone.next = bits::<4>(0);
        self.ring_bits.next = self.due.val().ring;
        if !self.valid.val() {
            self.lone.next = self.waiting.q.val() & self.open.q.val();
            self.ring_bits.next = self.waiting.q.val();
        }
        self.now_gap.next.open = (self.open.q.val() & self.ring_bits.val()).any();
        self.now_gap.next.causes = self.gap_causes[0].q.val();
        self.now_gap.next.first_sequence = self.gap_first[0].q.val();
        self.now_gap.next.first_stamp = self.gap_begin[0].q.val();
        self.now_gap.next.last_stamp = self.gap_end[0].q.val();
        self.now_sequence.next = self.sequence[0].q.val();
        self.was_ring.d.next = bits::<2>(0);
        if self.ring_bits.val().get_bit(1) {
            self.now_gap.next.causes = self.gap_causes[1].q.val();
            self.now_gap.next.first_sequence = self.gap_first[1].q.val();
            self.now_gap.next.first_stamp = self.gap_begin[1].q.val();
            self.now_gap.next.last_stamp = self.gap_end[1].q.val();
            self.now_sequence.next = self.sequence[1].q.val();
            self.was_ring.d.next = bits::<2>(1);
        } else if self.ring_bits.val().get_bit(2) {
            self.now_gap.next.causes = self.gap_causes[2].q.val();
            self.now_gap.next.first_sequence = self.gap_first[2].q.val();
            self.now_gap.next.first_stamp = self.gap_begin[2].q.val();
            self.now_gap.next.last_stamp = self.gap_end[2].q.val();
            self.now_sequence.next = self.sequence[2].q.val();
            self.was_ring.d.next = bits::<2>(2);
        } else if self.ring_bits.val().get_bit(3) {
            self.now_gap.next.causes = self.gap_causes[3].q.val();
            self.now_gap.next.first_sequence = self.gap_first[3].q.val();
            self.now_gap.next.first_stamp = self.gap_begin[3].q.val();
            self.now_gap.next.last_stamp = self.gap_end[3].q.val();
            self.now_sequence.next = self.sequence[3].q.val();
            self.was_ring.d.next = bits::<2>(3);
        }

        // Each ring's room for the record and its gap, side by side. A line that has left the FIFO makes the record one line shorter.
        self.numbered.next = self.valid.val() & !self.description.val().error;
        self.candidate.next = self.numbered.val() & !self.description.val().oversize & self.description.val().stored;
        self.rest.next = bit_cast::<11, 9>(self.sized.val().rest);
        self.room.next = bit_cast::<11, 9>(self.sized.val().room);
        self.room_with_gap.next = bit_cast::<11, 9>(self.sized.val().room_with_gap);
        self.taken.next = bits::<4>(0);
        self.lost.next = bits::<4>(0);
        for i in 0..4 {
            self.wish[i].next = self.room.val();
            if self.open.q.val().get_bit(i) & !self.freed[i].q.val() {
                self.wish[i].next = self.room_with_gap.val();
            } else if !self.open.q.val().get_bit(i) & self.freed[i].q.val() {
                self.wish[i].next = self.rest.val();
            }
            self.left_over[i].next = self.free[i].q.val() - self.wish[i].val();
            self.taken.next = self.taken.val().replace_bit(
                i,
                self.candidate.val()
                    & self.due.val().ring.get_bit(i)
                    & !self.left_over[i].val().get_bit(10)
                    & !self.held.q.val().get_bit(i),
            );
            self.lost.next = self
                .lost
                .val()
                .replace_bit(i, self.numbered.val() & self.due.val().ring.get_bit(i) & !self.taken.val().get_bit(i));
            self.kept[i].next = self.free[i].q.val();
            if self.freed[i].q.val() & !self.lone.val().get_bit(i) {
                self.kept[i].next = self.free[i].q.val() + bits::<11>(1);
            } else if !self.freed[i].q.val() & self.lone.val().get_bit(i) {
                self.kept[i].next = self.free[i].q.val() - bits::<11>(1);
            }
            self.free[i].d.next = self.kept[i].val();
            if self.taken.val().get_bit(i) {
                self.free[i].d.next = self.left_over[i].val();
            }
        }
        self.held.d.next = self.held.q.val() & !self.some_free.val();
        if self.candidate.val() {
            self.held.d.next = (self.held.q.val() | self.lost.val()) & !self.some_free.val();
        }
        self.causes.next = bits::<8>(2);
        self.obstacle.d.next = bits::<3>(1);
        if self.description.val().oversize {
            self.causes.next = bits::<8>(4);
            self.obstacle.d.next = bits::<3>(2);
        } else if !self.description.val().stored {
            self.causes.next = bits::<8>(1);
            self.obstacle.d.next = bits::<3>(0);
        }

        // What changes in the ring.
        for i in 0..4 {
            if self.numbered.val() & self.due.val().ring.get_bit(i) {
                self.sequence[i].d.next = self.sequence[i].q.val() + bits::<32>(1);
            }
            if self.lost.val().get_bit(i) {
                self.gap_end[i].d.next = self.due.val().ticket.stamp;
                self.gap_causes[i].d.next = self.gap_causes[i].q.val() | self.causes.val();
                if !self.open.q.val().get_bit(i) {
                    self.gap_causes[i].d.next = self.causes.val();
                    self.gap_first[i].d.next = self.sequence[i].q.val();
                    self.gap_begin[i].d.next = self.due.val().ticket.stamp;
                }
            }
        }
        self.open.d.next = self.lost.val() | (self.open.q.val() & !self.taken.val() & !self.lone.val());

        self.new_job.next.ring = self.ring_bits.val();
        self.new_job.next.gap = self.now_gap.val();
        self.new_job.next.packet = self.valid.val();
        self.new_job.next.ticket = self.due.val().ticket;
        self.new_job.next.headers = self.due.val().headers;
        self.new_job.next.own_tunnel = self.due.val().own_tunnel;
        self.new_job.next.original = self.due.val().original;
        self.new_job.next.captured = self.sized.val().captured;
        self.new_job.next.lines = self.sized.val().lines;
        self.new_job.next.sequence = self.now_sequence.val();
        self.new_job.next.hit_count = self.count.val();
        self.new_job.next.hits = self.list.val();
        self.was_decided.d.next = self.valid.val();
        self.was_numbered.d.next = self.numbered.val();
        self.was_copied.d.next = self.taken.val().any();
        self.was_lonely.d.next = self.lone.val().any();
        self.was_flagged.d.next = self.valid.val() & self.description.val().error;
        if self.valid.val() | self.waiting.q.val().any() {
            self.work.d.next = self.new_job.val();
            self.was_first.d.next = self.due.val().first;
            self.was_last.d.next = self.due.val().last;
        }

        // The clock behind.
        self.now_work.next = self.work.q.val();
        self.now_open.next = self.now_work.val().gap.open;
        self.job_valid.next = self.was_copied.q.val() | self.was_lonely.q.val();
        self.job.next = self.work.q.val();
        self.gap_record.next = (self.was_copied.q.val() | self.was_lonely.q.val()) & self.now_open.val();
        self.ring.next = self.was_ring.q.val();
        self.decided.next = self.was_decided.q.val();
        self.decided_ticket.next = self.now_work.val().ticket;
        self.decided_copy.next = self.was_copied.q.val();
        self.decided_last.next = self.was_last.q.val();
        self.new_drop.next.hit_count = self.now_work.val().hit_count;
        self.new_drop.next.hits = self.now_work.val().hits;
        self.new_drop.next.bytes = self.now_work.val().original;
        self.dropped.next = self.was_numbered.q.val() & !self.was_copied.q.val();
        self.dropped_record.next = self.new_drop.val();
        self.outcome.next = self.was_numbered.q.val();
        self.outcome_cause.next = self.obstacle.q.val();
        if self.was_copied.q.val() {
            self.outcome_cause.next = bits::<3>(7);
        }
        self.outcome_first.next = self.was_first.q.val();
        self.flagged.next = self.was_flagged.q.val();
        self.idle.next = !self.open.q.val().any() & !self.was_decided.q.val() & !self.was_lonely.q.val();
    }
}
