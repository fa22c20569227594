//! Settles what becomes of a record that is due: made with its ring's next number, or dropped with it.
//!
//! # Theory of operation
//! Frames that the MAC flagged leave without a number. Every other record takes the next number of its ring; it is dropped if the frame was too long
//! for the copy path, if its store had no room for it, or if the ring's FIFO has no room for the whole record together with the gap record that has to
//! precede it. Room is given away here and comes back line by line as the FIFO is read, so a job that leaves this block always finds its room, and no ring
//! waits for another one's room.
//!
//! A ring whose FIFO was full makes no record until half of it is free again. Otherwise a ring that is asked for more than it can carry would free
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

const _: () = assert!(limits::RECORD_FIFO_LINES == 512 && limits::RECORD_RINGS == 4, "kernels write these out");

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
    gap: [RegR<Gap>; limits::RECORD_RINGS],
    overdue: [RegR<Bit>; limits::RECORD_RINGS],
    reserved: [RegR<Bits<10>>; limits::RECORD_RINGS],
    turn: RegR<Bits<8>>,
    turn_of: [Constant<Bits<8>>; limits::RECORD_RINGS],
    due: Signal<Local, Due>,
    description: Signal<Local, Description>,
    alone: Signal<Local, Bits<4>>,
    ring_bits: Signal<Local, Bits<4>>,
    now_gap: Signal<Local, Gap>,
    now_sequence: Signal<Local, Bits<32>>,
    wider_gap: Signal<Local, Gap>,
    closed_gap: Signal<Local, Gap>,
    record_room: Signal<Local, Bits<10>>,
    needed: [Signal<Local, Bits<10>>; limits::RECORD_RINGS],
    room: Signal<Local, Bits<4>>,
    half_free: Signal<Local, Bits<4>>,
    was_full: Signal<Local, Bits<4>>,
    fits: Signal<Local, Bit>,
    causes: Signal<Local, Bits<8>>,
    cause: Signal<Local, Bits<3>>,
    numbered: Signal<Local, Bit>,
    copied: Signal<Local, Bit>,
    lost: Signal<Local, Bit>,
    lonely: Signal<Local, Bit>,
    taken: [Signal<Local, Bits<10>>; limits::RECORD_RINGS],
    new_job: Signal<Local, Job>,
    new_drop: Signal<Local, DroppedRecord>,
    open: Signal<Local, Bits<4>>,
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
            gap: Default::default(),
            overdue: Default::default(),
            reserved: Default::default(),
            turn: RegR::default(),
            turn_of: core::array::from_fn(|ring| Constant::new((64 * ring as LiteralType).into())),
            due: Signal::default(),
            description: Signal::default(),
            alone: Signal::default(),
            ring_bits: Signal::default(),
            now_gap: Signal::default(),
            now_sequence: Signal::default(),
            wider_gap: Signal::default(),
            closed_gap: Signal::default(),
            record_room: Signal::default(),
            needed: Default::default(),
            room: Signal::default(),
            half_free: Signal::default(),
            was_full: Signal::default(),
            fits: Signal::default(),
            causes: Signal::default(),
            cause: Signal::default(),
            numbered: Signal::default(),
            copied: Signal::default(),
            lost: Signal::default(),
            lonely: Signal::default(),
            taken: Default::default(),
            new_job: Signal::default(),
            new_drop: Signal::default(),
            open: Signal::default(),
        }
    }
}

impl Logic for Decider {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, turn);
        self.turn.reset.next = self.reset.val();
        for i in 0..4 {
            self.sequence[i].clock.next = self.clock.val();
            self.sequence[i].reset.next = self.reset.val();
            self.sequence[i].d.next = self.sequence[i].q.val();
            self.gap[i].clock.next = self.clock.val();
            self.gap[i].reset.next = self.reset.val();
            self.gap[i].d.next = self.gap[i].q.val();
            self.overdue[i].clock.next = self.clock.val();
            self.overdue[i].reset.next = self.reset.val();
            self.reserved[i].clock.next = self.clock.val();
            self.reserved[i].reset.next = self.reset.val();
        }

        // Which ring is this clock's: that of the record, or without one the lowest whose gap may go out alone.
        self.due.next = self.sized.val().due;
        self.description.next = self.due.val().description;
        self.open.next = bit_cast::<4, 1>(self.gap[0].q.val().open.into())
            | (bit_cast::<4, 1>(self.gap[1].q.val().open.into()) << 1)
            | (bit_cast::<4, 1>(self.gap[2].q.val().open.into()) << 2)
            | (bit_cast::<4, 1>(self.gap[3].q.val().open.into()) << 3);
        self.was_full.next = self.open.val()
            & (bit_cast::<4, 1>(self.gap[0].q.val().causes.get_bits::<1>(1))
                | (bit_cast::<4, 1>(self.gap[1].q.val().causes.get_bits::<1>(1)) << 1)
                | (bit_cast::<4, 1>(self.gap[2].q.val().causes.get_bits::<1>(1)) << 2)
                | (bit_cast::<4, 1>(self.gap[3].q.val().causes.get_bits::<1>(1)) << 3));
        self.turn.d.next = self.turn.q.val() + bits::<8>(1);
        self.alone.next = bits::<4>(0);
        self.half_free.next = bits::<4>(0);
        for i in 0..4 {
            self.half_free.next = self.half_free.val().replace_bit(i, self.reserved[i].q.val() <= bits::<10>(256));
            self.overdue[i].d.next =
                self.open.val().get_bit(i) & (self.overdue[i].q.val() | (self.turn.q.val() == self.turn_of[i].val()));
            self.alone.next = self
                .alone
                .val()
                .replace_bit(i, self.open.val().get_bit(i) & self.overdue[i].q.val() & self.half_free.val().get_bit(i));
        }
        self.lonely.next = !self.valid.val() & self.alone.val().any();
        self.ring_bits.next = self.alone.val() & (!self.alone.val() + bits::<4>(1));
        if self.valid.val() {
            self.ring_bits.next = self.due.val().ring;
        }
        self.now_gap.next = self.gap[0].q.val();
        self.now_sequence.next = self.sequence[0].q.val();
        self.ring.next = bits::<2>(0);
        if self.ring_bits.val().get_bit(1) {
            self.now_gap.next = self.gap[1].q.val();
            self.now_sequence.next = self.sequence[1].q.val();
            self.ring.next = bits::<2>(1);
        } else if self.ring_bits.val().get_bit(2) {
            self.now_gap.next = self.gap[2].q.val();
            self.now_sequence.next = self.sequence[2].q.val();
            self.ring.next = bits::<2>(2);
        } else if self.ring_bits.val().get_bit(3) {
            self.now_gap.next = self.gap[3].q.val();
            self.now_sequence.next = self.sequence[3].q.val();
            self.ring.next = bits::<2>(3);
        }

        // Each ring's room for the record and its gap, side by side.
        self.record_room.next = bit_cast::<10, 9>(self.sized.val().room);
        self.room.next = bits::<4>(0);
        for i in 0..4 {
            self.needed[i].next = self.record_room.val();
            if self.open.val().get_bit(i) {
                self.needed[i].next = self.record_room.val() + bits::<10>(1);
            }
            self.room.next =
                self.room.val().replace_bit(i, (self.reserved[i].q.val() + self.needed[i].val()) <= bits::<10>(512));
        }
        self.fits.next = (self.room.val() & (self.half_free.val() | !self.was_full.val()) & self.ring_bits.val()).any();
        self.cause.next = bits::<3>(7);
        self.causes.next = bits::<8>(0);
        if self.description.val().oversize {
            self.cause.next = bits::<3>(2);
            self.causes.next = bits::<8>(4);
        } else if !self.description.val().stored {
            self.cause.next = bits::<3>(0);
            self.causes.next = bits::<8>(1);
        } else if !self.fits.val() {
            self.cause.next = bits::<3>(1);
            self.causes.next = bits::<8>(2);
        }
        self.numbered.next = self.valid.val() & !self.description.val().error;
        self.copied.next = self.numbered.val() & (self.cause.val() == bits::<3>(7));
        self.lost.next = self.numbered.val() & !self.copied.val();

        // What changes in the ring.
        self.wider_gap.next = self.now_gap.val();
        self.wider_gap.next.open = true;
        self.wider_gap.next.causes = self.now_gap.val().causes | self.causes.val();
        self.wider_gap.next.last_stamp = self.due.val().ticket.stamp;
        if !self.now_gap.val().open {
            self.wider_gap.next.causes = self.causes.val();
            self.wider_gap.next.first_sequence = self.now_sequence.val();
            self.wider_gap.next.first_stamp = self.due.val().ticket.stamp;
        }
        self.closed_gap.next = self.now_gap.val();
        self.closed_gap.next.open = false;
        for i in 0..4 {
            self.taken[i].next = bits::<10>(0);
            if self.ring_bits.val().get_bit(i) {
                if self.numbered.val() {
                    self.sequence[i].d.next = self.sequence[i].q.val() + bits::<32>(1);
                }
                if self.lost.val() {
                    self.gap[i].d.next = self.wider_gap.val();
                } else if (self.copied.val() | self.lonely.val()) & self.open.val().get_bit(i) {
                    self.gap[i].d.next = self.closed_gap.val();
                }
                if self.copied.val() {
                    self.taken[i].next = self.needed[i].val();
                } else if self.lonely.val() {
                    self.taken[i].next = bits::<10>(1);
                }
            }
            self.reserved[i].d.next = self.reserved[i].q.val() + self.taken[i].val();
            if self.line_freed[i].val() {
                self.reserved[i].d.next = self.reserved[i].q.val() + self.taken[i].val() - bits::<10>(1);
            }
        }

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
        self.job_valid.next = self.copied.val() | self.lonely.val();
        self.job.next = self.new_job.val();
        self.gap_record.next = (self.copied.val() | self.lonely.val()) & self.now_gap.val().open;
        self.decided.next = self.valid.val();
        self.decided_ticket.next = self.due.val().ticket;
        self.decided_copy.next = self.copied.val();
        self.decided_last.next = self.due.val().last;
        self.new_drop.next.hit_count = self.count.val();
        self.new_drop.next.hits = self.list.val();
        self.new_drop.next.bytes = self.due.val().original;
        self.dropped.next = self.lost.val();
        self.dropped_record.next = self.new_drop.val();
        self.outcome.next = self.numbered.val();
        self.outcome_cause.next = self.cause.val();
        self.outcome_first.next = self.due.val().first;
        self.flagged.next = self.valid.val() & self.description.val().error;
        self.idle.next = !self.open.val().any();
    }
}
