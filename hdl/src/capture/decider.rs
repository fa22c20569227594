//! Settles what becomes of a frame with hits: copied with the next record number, or dropped with it.
//!
//! # Theory of operation
//! The first clock turns hits and description into sizes: the widest scope among the hits gives the cut, the cut the number of lines. The
//! second decides. Frames that the MAC flagged leave without a number. Every other frame takes the next number; it is
//! dropped if it was too long for the copy path, if its store had no room for it, or if the record FIFO has no room for the whole record together with the gap
//! record that has to precede it. Room is given away here and comes back line by line as the FIFO is read, so a job that
//! leaves this block always finds its room.
//!
//! Consecutive missing numbers make one gap. It goes out in front of the next record, or alone when no verdict waits.
//!
//! # Limits
//! One frame a clock.

use super::types::{Description, DroppedFrame, Gap, Job};
use crate::lookup::types::{Hit, Verdict};
use crate::parse::types::{Headers, Ticket};
use crate::prelude::*;
use writ_abi::{Scope, limits};

const _: () = {
    assert!(Scope::HeadersL3 as u8 == 0 && Scope::HeadersL4 as u8 == 1 && Scope::Content as u8 == 2);
    assert!(limits::RECORD_FIFO_LINES == 512 && limits::DROP_QUEUE_FRAMES == 512);
};

/// Outcome of a frame as the taps show it: copied. Any other value is a [`writ_abi::record::DropCause`].
pub const OUTCOME_COPIED: u8 = 7;

/// Decides, one frame a clock.
#[derive(LogicBlock, Default)]
pub struct Decider {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// Its verdict.
    pub verdict: Signal<In, Verdict>,
    /// Its description.
    pub description: Signal<In, Description>,
    /// Verdicts wait in front of this block.
    pub more: Signal<In, Bit>,
    /// A line has left the record FIFO.
    pub line_freed: Signal<In, Bit>,
    /// A frame is decided.
    pub decided: Signal<Out, Bit>,
    /// With `decided`: which.
    pub decided_ticket: Signal<Out, Ticket>,
    /// With `decided`: it will be copied.
    pub decided_copy: Signal<Out, Bit>,
    /// There is a job.
    pub job_valid: Signal<Out, Bit>,
    /// The job.
    pub job: Signal<Out, Job>,
    /// A frame is dropped.
    pub dropped: Signal<Out, Bit>,
    /// Its hits, for the per-match counters.
    pub dropped_frame: Signal<Out, DroppedFrame>,
    /// A number has been given.
    pub outcome: Signal<Out, Bit>,
    /// With `outcome`: drop cause, or [`OUTCOME_COPIED`].
    pub outcome_cause: Signal<Out, Bits<3>>,
    /// With `job_valid`: a gap record goes out.
    pub gap_record: Signal<Out, Bit>,
    /// A frame with hits was discarded because the MAC flagged it.
    pub flagged: Signal<Out, Bit>,
    /// Nothing inside, no gap open.
    pub idle: Signal<Out, Bit>,
    sized: RegR<Bit>,
    size: Reg<Job>,
    size_description: Reg<Description>,
    sequence: RegR<Bits<32>>,
    gap: RegR<Gap>,
    reserved: RegR<Bits<10>>,
    sizing: Signal<Local, Verdict>,
    headers: Signal<Local, Headers>,
    hit_0: Signal<Local, Hit>,
    hit_1: Signal<Local, Hit>,
    hit_2: Signal<Local, Hit>,
    hit_3: Signal<Local, Hit>,
    content: Signal<Local, Bit>,
    to_l4: Signal<Local, Bit>,
    original: Signal<Local, Bits<16>>,
    cut: Signal<Local, Bits<16>>,
    captured: Signal<Local, Bits<16>>,
    new_size: Signal<Local, Job>,
    now: Signal<Local, Job>,
    now_verdict: Signal<Local, Verdict>,
    now_description: Signal<Local, Description>,
    open_gap: Signal<Local, Gap>,
    wider_gap: Signal<Local, Gap>,
    needed: Signal<Local, Bits<10>>,
    taken: Signal<Local, Bits<10>>,
    fits: Signal<Local, Bit>,
    causes: Signal<Local, Bits<8>>,
    cause: Signal<Local, Bits<3>>,
    numbered: Signal<Local, Bit>,
    copied: Signal<Local, Bit>,
    lost: Signal<Local, Bit>,
    lonely: Signal<Local, Bit>,
    new_job: Signal<Local, Job>,
    new_drop: Signal<Local, DroppedFrame>,
}

impl Logic for Decider {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sized, size, size_description, sequence, gap, reserved);
        self.sized.reset.next = self.reset.val();
        self.sequence.reset.next = self.reset.val();
        self.gap.reset.next = self.reset.val();
        self.reserved.reset.next = self.reset.val();

        // First clock: sizes.
        self.sizing.next = self.verdict.val();
        self.headers.next = self.sizing.val().headers;
        self.hit_0.next = self.sizing.val().hit_0;
        self.hit_1.next = self.sizing.val().hit_1;
        self.hit_2.next = self.sizing.val().hit_2;
        self.hit_3.next = self.sizing.val().hit_3;
        self.content.next = (self.hit_0.val().valid & (self.hit_0.val().scope == bits::<2>(2)))
            | (self.hit_1.val().valid & (self.hit_1.val().scope == bits::<2>(2)))
            | (self.hit_2.val().valid & (self.hit_2.val().scope == bits::<2>(2)))
            | (self.hit_3.val().valid & (self.hit_3.val().scope == bits::<2>(2)));
        self.to_l4.next = (self.hit_0.val().valid & (self.hit_0.val().scope == bits::<2>(1)))
            | (self.hit_1.val().valid & (self.hit_1.val().scope == bits::<2>(1)))
            | (self.hit_2.val().valid & (self.hit_2.val().scope == bits::<2>(1)))
            | (self.hit_3.val().valid & (self.hit_3.val().scope == bits::<2>(1)));
        self.original.next = bits::<16>(0);
        if self.description.val().length > bits::<16>(4) {
            self.original.next = self.description.val().length - bits::<16>(4);
        }
        self.cut.next = bit_cast::<16, 8>(self.headers.val().l3_end);
        if self.content.val() {
            self.cut.next = self.original.val();
        } else if self.to_l4.val() {
            self.cut.next = bit_cast::<16, 8>(self.headers.val().l4_end);
        }
        self.captured.next = self.cut.val();
        if self.cut.val() > self.original.val() {
            self.captured.next = self.original.val();
        }
        self.new_size.next.gap = self.gap.q.val();
        self.new_size.next.packet = true;
        self.new_size.next.verdict = self.verdict.val();
        self.new_size.next.original = self.original.val();
        self.new_size.next.captured = self.captured.val();
        self.new_size.next.lines = (self.captured.val() + bits::<16>(63)).get_bits::<8>(6);
        self.new_size.next.sequence = bits::<32>(0);
        self.sized.d.next = self.valid.val();
        if self.valid.val() {
            self.size.d.next = self.new_size.val();
            self.size_description.d.next = self.description.val();
        }

        // Second clock: decision.
        self.now.next = self.size.q.val();
        self.now_verdict.next = self.now.val().verdict;
        self.now_description.next = self.size_description.q.val();
        self.open_gap.next = self.gap.q.val();
        self.needed.next = bit_cast::<10, 8>(self.now.val().lines)
            + bits::<10>(1)
            + bit_cast::<10, 1>(self.open_gap.val().open.into());
        self.fits.next = (self.reserved.q.val() + self.needed.val()) <= bits::<10>(512);
        self.cause.next = bits::<3>(7);
        self.causes.next = bits::<8>(0);
        if self.now_description.val().oversize {
            self.cause.next = bits::<3>(2);
            self.causes.next = bits::<8>(4);
        } else if !self.now_description.val().stored {
            self.cause.next = bits::<3>(0);
            self.causes.next = bits::<8>(1);
        } else if !self.fits.val() {
            self.cause.next = bits::<3>(1);
            self.causes.next = bits::<8>(2);
        }
        self.numbered.next = self.sized.q.val() & !self.now_description.val().error;
        self.copied.next = self.numbered.val() & (self.cause.val() == bits::<3>(7));
        self.lost.next = self.numbered.val() & !self.copied.val();
        self.lonely.next = self.open_gap.val().open
            & !self.sized.q.val()
            & !self.valid.val()
            & !self.more.val()
            & (self.reserved.q.val() != bits::<10>(512));

        if self.numbered.val() {
            self.sequence.d.next = self.sequence.q.val() + bits::<32>(1);
        }
        self.wider_gap.next = self.open_gap.val();
        self.wider_gap.next.open = true;
        self.wider_gap.next.causes = self.open_gap.val().causes | self.causes.val();
        self.wider_gap.next.last_stamp = self.now_verdict.val().ticket.stamp;
        if !self.open_gap.val().open {
            self.wider_gap.next.causes = self.causes.val();
            self.wider_gap.next.first_sequence = self.sequence.q.val();
            self.wider_gap.next.first_stamp = self.now_verdict.val().ticket.stamp;
        }
        if self.lost.val() {
            self.gap.d.next = self.wider_gap.val();
        }
        self.taken.next = bits::<10>(0);
        if self.copied.val() {
            self.taken.next = self.needed.val();
        } else if self.lonely.val() {
            self.taken.next = bits::<10>(1);
        }
        self.reserved.d.next =
            self.reserved.q.val() + self.taken.val() - bit_cast::<10, 1>(self.line_freed.val().into());

        self.new_job.next = self.now.val();
        self.new_job.next.gap = self.open_gap.val();
        self.new_job.next.packet = self.sized.q.val();
        self.new_job.next.sequence = self.sequence.q.val();
        self.job_valid.next = self.copied.val() | self.lonely.val();
        self.job.next = self.new_job.val();
        self.gap_record.next = (self.copied.val() | self.lonely.val()) & self.open_gap.val().open;
        if self.copied.val() | self.lonely.val() {
            self.open_gap.next.open = false;
            self.gap.d.next = self.open_gap.val();
        }
        self.decided.next = self.sized.q.val();
        self.decided_ticket.next = self.now_verdict.val().ticket;
        self.decided_copy.next = self.copied.val();
        self.new_drop.next.hit_0 = self.now_verdict.val().hit_0;
        self.new_drop.next.hit_1 = self.now_verdict.val().hit_1;
        self.new_drop.next.hit_2 = self.now_verdict.val().hit_2;
        self.new_drop.next.hit_3 = self.now_verdict.val().hit_3;
        self.new_drop.next.bytes = self.now.val().original;
        self.dropped.next = self.lost.val();
        self.dropped_frame.next = self.new_drop.val();
        self.outcome.next = self.numbered.val();
        self.outcome_cause.next = self.cause.val();
        self.flagged.next = self.sized.q.val() & self.now_description.val().error;
        self.idle.next = !self.sized.q.val() & !self.gap.q.val().open;
    }
}
