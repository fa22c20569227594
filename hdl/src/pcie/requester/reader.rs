//! Reads of host memory: several under way, answers in the order of the requests.
//!
//! # Theory of operation
//! Each request has one of 16 places, in turn. The hard block gives tags to reads in the order in which they go out and tells each one (`pcie_rq_tag`), so tags
//! go to places in turn, too. Pieces of lines find their place by their tag, in any order; a place gives its line when its turn has come and its request has ended.
//!
//! A request ends with its last completion, or with one that cannot be used, or, if nothing comes for as long as the watchdog waits for the oldest
//! place, without. A request that has ended badly gives a line of all ones and `error`. While `open` is low every request ends so, and nothing
//! goes out. Pieces without a place are dropped, and counted once a request: the watchdog has ended it, or it is from before a reset.
//!
//! A piece has to be of its place's address, too, as far as a completion says it. So if tags and places should ever be apart, because the hard block kept a read over a
//! reset, reads fail; none gets the line of another.
//!
//! A request goes into the row of TLPs only when RQ is sure to take it: there is more credit, and there are more tags, than requests that are between here and their tags.
//! So none that has to wait for a host holds up the writes behind it, and answers, which wait for writes, never wait for a host's readiness to be read.
//!
//! An oldest request that has not even got a tag when the watchdog bites is not ended here: RQ itself is stuck, or the host gives no credit (`stuck`).
//!
//! A request that is said to have ended well gives its line only if each of its words has come.
//!
//! # Limits
//! Nothing that comes late changes a line: the hard block gives a tag again only when its request has ended there. A tag may come again as early as with the
//! last beat of its completion, and its new completion one clock later: tags are delayed like pieces, so both are seen in the order in which they came.

use crate::pcie::types::{Piece, ReadLine};
use crate::prelude::*;

/// Clocks that the oldest request may take: 134 ms at 250 MHz, longer than the longest usual time-out of the hard block, 50 ms.
pub const WATCHDOG_CLOCKS: u64 = 1 << 25;

/// Places for reads.
#[derive(LogicBlock)]
pub struct Reader {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets all requests.
    pub reset: Signal<In, Bit>,
    /// Reads may go to the bus.
    pub open: Signal<In, Bit>,
    /// There is a request.
    pub request_valid: Signal<In, Bit>,
    /// Of the line at this address.
    pub request_address: Signal<In, Bits<64>>,
    /// It is taken.
    pub request_take: Signal<Out, Bit>,
    /// `pcie_tfc_nph_av`: reads for which the host gives credit; 15 and more.
    pub credits: Signal<In, Bits<4>>,
    /// `pcie_rq_tag_av`: tags that the hard block has; 15 and more.
    pub free_tags: Signal<In, Bits<4>>,
    /// There is a read for the bus, and RQ will take it.
    pub issue_valid: Signal<Out, Bit>,
    /// Of which line.
    pub issue_address: Signal<Out, Bits<64>>,
    /// It is taken.
    pub issue_take: Signal<In, Bit>,
    /// A read went out on RQ.
    pub sent: Signal<In, Bit>,
    /// `pcie_rq_tag_vld0`, `pcie_rq_tag_vld1`.
    pub tag_valid: [Signal<In, Bit>; 2],
    /// `pcie_rq_tag0`, `pcie_rq_tag1`.
    pub tag: [Signal<In, Bits<8>>; 2],
    /// A piece of a line.
    pub piece: Signal<In, Piece>,
    /// There is a line.
    pub line_valid: Signal<Out, Bit>,
    /// The line.
    pub line: Signal<Out, ReadLine>,
    /// It is taken.
    pub line_take: Signal<In, Bit>,
    /// Reads are out whose tags are not known yet.
    pub untagged: Signal<Out, Bit>,
    /// The watchdog bit, and the oldest request has no tag.
    pub stuck: Signal<Out, Bit>,
    /// A request was not let out.
    pub refused: Signal<Out, Bit>,
    /// The watchdog has ended a request.
    pub abandoned: Signal<Out, Bit>,
    /// A request ended that has no place.
    pub unexpected: Signal<Out, Bit>,
    /// A request ended well, and a part of its line never came.
    pub short: Signal<Out, Bit>,
    /// A request ends badly.
    pub failed: Signal<Out, Bit>,
    /// With it: the code, as [`Piece`] has it.
    pub failed_code: Signal<Out, Bits<4>>,
    words: [LutRam<Bits<32>, 4>; 16],
    tags: [Reg<Bits<8>>; 16],
    tag_delay: [RegR<Bits<18>>; 3],
    places: [Reg<Bits<6>>; 16],
    tagged: RegR<Bits<16>>,
    waiting: RegR<Bits<16>>,
    done: RegR<Bits<16>>,
    bad: RegR<Bits<16>>,
    next: RegR<Bits<5>>,
    oldest: RegR<Bits<5>>,
    next_tag: RegR<Bits<4>>,
    out: RegR<Bits<5>>,
    issuing: RegR<Bit>,
    address: Reg<Bits<64>>,
    credits_seen: Reg<Bits<4>>,
    tags_seen: Reg<Bits<4>>,
    claimed: RegR<Bits<5>>,
    have: [Reg<Bits<16>>; 16],
    shorting: RegR<Bit>,
    matched: Reg<Bits<16>>,
    arrived: Reg<Piece>,
    timer: RegR<Bits<26>>,
    biting: RegR<Bit>,
    giving: RegR<Bit>,
    given: Reg<ReadLine>,
    refusing: RegR<Bit>,
    abandoning: RegR<Bit>,
    strange: RegR<Bit>,
    failing: RegR<Bit>,
    code: Reg<Bits<4>>,
    limit: Constant<Bits<26>>,
    found: Signal<Local, Bits<16>>,
    incoming: Signal<Local, Piece>,
    present: Signal<Local, Piece>,
    place: Signal<Local, Bits<4>>,
    hits: Signal<Local, Bit>,
    used: Signal<Local, Bits<5>>,
    accepts: Signal<Local, Bit>,
    gives: Signal<Local, Bit>,
    bites: Signal<Local, Bits<16>>,
    here: Signal<Local, Bits<16>>,
    turn: Signal<Local, Bits<16>>,
    starts: Signal<Local, Bits<16>>,
    refuses: Signal<Local, Bits<16>>,
    after: Signal<Local, Bits<5>>,
    news: Signal<Local, Bits<5>>,
    tag_place: Signal<Local, Bits<16>>,
    first_tag: Signal<Local, Bits<8>>,
    names: Signal<Local, Bits<16>>,
    names_more: Signal<Local, Bits<16>>,
    owner: Signal<Local, Bits<16>>,
    ended: Signal<Local, Bits<16>>,
    spoilt: Signal<Local, Bits<16>>,
    gone: Signal<Local, Bits<16>>,
    result: Signal<Local, ReadLine>,
    line_words: Signal<Local, Bits<512>>,
    word: Signal<Local, Bits<32>>,
    whole: Signal<Local, Bits<16>>,
    good: Signal<Local, Bit>,
    tag_now: Signal<Local, Bits<18>>,
    tag_came: Signal<Local, Bits<18>>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            open: Signal::default(),
            request_valid: Signal::default(),
            request_address: Signal::default(),
            request_take: Signal::default(),
            credits: Signal::default(),
            free_tags: Signal::default(),
            issue_valid: Signal::default(),
            issue_address: Signal::default(),
            issue_take: Signal::default(),
            sent: Signal::default(),
            tag_valid: Default::default(),
            tag: Default::default(),
            piece: Signal::default(),
            line_valid: Signal::default(),
            line: Signal::default(),
            line_take: Signal::default(),
            untagged: Signal::default(),
            stuck: Signal::default(),
            refused: Signal::default(),
            abandoned: Signal::default(),
            unexpected: Signal::default(),
            short: Signal::default(),
            failed: Signal::default(),
            failed_code: Signal::default(),
            words: Default::default(),
            tags: Default::default(),
            tag_delay: Default::default(),
            places: Default::default(),
            tagged: RegR::default(),
            waiting: RegR::default(),
            done: RegR::default(),
            bad: RegR::default(),
            next: RegR::default(),
            oldest: RegR::default(),
            next_tag: RegR::default(),
            out: RegR::default(),
            issuing: RegR::default(),
            address: Reg::default(),
            credits_seen: Reg::default(),
            tags_seen: Reg::default(),
            claimed: RegR::default(),
            have: Default::default(),
            shorting: RegR::default(),
            matched: Reg::default(),
            arrived: Reg::default(),
            timer: RegR::default(),
            biting: RegR::default(),
            giving: RegR::default(),
            given: Reg::default(),
            refusing: RegR::default(),
            abandoning: RegR::default(),
            strange: RegR::default(),
            failing: RegR::default(),
            code: Reg::default(),
            limit: Constant::new(WATCHDOG_CLOCKS.into()),
            found: Signal::default(),
            incoming: Signal::default(),
            present: Signal::default(),
            place: Signal::default(),
            hits: Signal::default(),
            used: Signal::default(),
            accepts: Signal::default(),
            gives: Signal::default(),
            bites: Signal::default(),
            here: Signal::default(),
            turn: Signal::default(),
            starts: Signal::default(),
            refuses: Signal::default(),
            after: Signal::default(),
            news: Signal::default(),
            tag_place: Signal::default(),
            first_tag: Signal::default(),
            names: Signal::default(),
            names_more: Signal::default(),
            owner: Signal::default(),
            ended: Signal::default(),
            spoilt: Signal::default(),
            gone: Signal::default(),
            result: Signal::default(),
            line_words: Signal::default(),
            word: Signal::default(),
            whole: Signal::default(),
            good: Signal::default(),
            tag_now: Signal::default(),
            tag_came: Signal::default(),
        }
    }
}

impl Reader {
    /// With a watchdog that bites after so many clocks, at most 2^26 - 1.
    pub fn new(watchdog_clocks: u64) -> Self {
        Self { limit: Constant::new(watchdog_clocks.into()), ..Self::default() }
    }
}

impl Logic for Reader {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, tagged, waiting, done, bad, next, oldest, next_tag, out, issuing, address, matched);
        dff_setup!(self, clock, credits_seen, tags_seen, claimed, shorting);
        dff_setup!(self, clock, arrived, timer, biting, giving, given, refusing, abandoning, strange, failing, code);
        self.tagged.reset.next = self.reset.val();
        self.waiting.reset.next = self.reset.val();
        self.done.reset.next = self.reset.val();
        self.bad.reset.next = self.reset.val();
        self.next.reset.next = self.reset.val();
        self.oldest.reset.next = self.reset.val();
        self.next_tag.reset.next = self.reset.val();
        self.out.reset.next = self.reset.val();
        self.issuing.reset.next = self.reset.val();
        self.claimed.reset.next = self.reset.val();
        self.shorting.reset.next = self.reset.val();
        self.timer.reset.next = self.reset.val();
        self.biting.reset.next = self.reset.val();
        self.giving.reset.next = self.reset.val();
        self.refusing.reset.next = self.reset.val();
        self.abandoning.reset.next = self.reset.val();
        self.strange.reset.next = self.reset.val();
        self.failing.reset.next = self.reset.val();

        // A request takes the next place.
        self.here.next = bits::<16>(1) << self.next.q.val().get_bits::<4>(0);
        self.turn.next = bits::<16>(1) << self.oldest.q.val().get_bits::<4>(0);
        self.used.next = self.next.q.val() - self.oldest.q.val();
        self.accepts.next = self.request_valid.val() & !self.used.val().get_bit(4) & !self.issuing.q.val();
        self.request_take.next = self.accepts.val();
        self.refusing.d.next = self.accepts.val() & !self.open.val();
        self.starts.next = bits::<16>(0);
        self.refuses.next = bits::<16>(0);
        self.after.next = self.next.q.val();
        if self.accepts.val() {
            self.after.next = self.next.q.val() + bits::<5>(1);
            self.address.d.next = self.request_address.val();
            self.issuing.d.next = self.open.val();
            if self.open.val() {
                self.starts.next = self.here.val();
            } else {
                self.refuses.next = self.here.val();
            }
        }
        self.next.d.next = self.after.val();
        self.credits_seen.d.next = self.credits.val();
        self.tags_seen.d.next = self.free_tags.val();
        self.issue_valid.next = self.issuing.q.val()
            & (bit_cast::<5, 4>(self.credits_seen.q.val()) > self.claimed.q.val())
            & (bit_cast::<5, 4>(self.tags_seen.q.val()) > self.claimed.q.val());
        self.issue_address.next = self.address.q.val();
        if self.issue_take.val() {
            self.issuing.d.next = false;
        }

        // Tags, in the order in which reads went out, as late as pieces are behind RC.
        self.tag_now.next = (bit_cast::<18, 8>(self.tag[0].val()) << 2)
            | (bit_cast::<18, 8>(self.tag[1].val()) << 10)
            | bit_cast::<18, 1>(self.tag_valid[0].val().into())
            | (bit_cast::<18, 1>(self.tag_valid[1].val().into()) << 1);
        self.tag_delay[0].clock.next = self.clock.val();
        self.tag_delay[0].reset.next = self.reset.val();
        self.tag_delay[0].d.next = self.tag_now.val();
        for i in 0..2 {
            self.tag_delay[i + 1].clock.next = self.clock.val();
            self.tag_delay[i + 1].reset.next = self.reset.val();
            self.tag_delay[i + 1].d.next = self.tag_delay[i].q.val();
        }
        self.tag_came.next = self.tag_delay[2].q.val();
        self.news.next = bit_cast::<5, 1>(self.tag_came.val().get_bits::<1>(0))
            + bit_cast::<5, 1>(self.tag_came.val().get_bits::<1>(1));
        if !self.out.q.val().any() {
            // From before a reset.
            self.news.next = bits::<5>(0);
        }
        self.claimed.d.next = self.claimed.q.val() + bit_cast::<5, 1>(self.issue_take.val().into()) - self.news.val();
        if !self.open.val() {
            self.claimed.d.next = bits::<5>(0);
        }
        self.out.d.next = self.out.q.val() + bit_cast::<5, 1>(self.sent.val().into()) - self.news.val();
        self.untagged.next = self.out.q.val().any();
        self.tag_place.next = bits::<16>(1) << self.next_tag.q.val();
        self.first_tag.next = self.tag_came.val().get_bits::<8>(2);
        if !self.tag_came.val().get_bit(0) {
            self.first_tag.next = self.tag_came.val().get_bits::<8>(10);
        }
        self.names.next = bits::<16>(0);
        self.names_more.next = bits::<16>(0);
        if self.news.val().any() {
            self.names.next = self.tag_place.val();
        }
        if self.news.val().get_bit(1) {
            self.names_more.next = (self.tag_place.val() << 1) | (self.tag_place.val() >> 15);
        }
        self.next_tag.d.next = self.next_tag.q.val() + self.news.val().get_bits::<4>(0);
        if !self.open.val() & !self.out.q.val().any() {
            // Nothing is out: the next tag is that of the next request.
            self.next_tag.d.next = self.after.val().get_bits::<4>(0);
        }

        // Pieces: the place whose tag it has, then the words.
        self.incoming.next = self.piece.val();
        self.found.next = bits::<16>(0);
        for i in 0..16 {
            self.tags[i].clock.next = self.clock.val();
            self.tags[i].d.next = self.tags[i].q.val();
            if self.names.val().get_bit(i) {
                self.tags[i].d.next = self.first_tag.val();
            }
            if self.names_more.val().get_bit(i) {
                self.tags[i].d.next = self.tag_came.val().get_bits::<8>(10);
            }
            self.places[i].clock.next = self.clock.val();
            self.places[i].d.next = self.places[i].q.val();
            if self.starts.val().get_bit(i) {
                self.places[i].d.next = self.request_address.val().get_bits::<6>(6);
            }
            self.found.next = self.found.val().replace_bit(
                i,
                (self.tags[i].q.val() == self.incoming.val().tag)
                    & ((self.places[i].q.val() == self.incoming.val().place) | self.incoming.val().code.any()),
            );
        }
        self.matched.d.next = self.found.val() & self.tagged.q.val();
        if !self.incoming.val().valid | (self.incoming.val().code == bits::<4>(6)) {
            self.matched.d.next = bits::<16>(0);
        }
        self.arrived.d.next = self.incoming.val();
        self.present.next = self.arrived.q.val();
        self.owner.next = self.matched.q.val() & self.waiting.q.val();
        self.hits.next = self.owner.val().any();
        self.strange.d.next = self.present.val().valid & self.present.val().ends & !self.hits.val();
        self.place.next = bit_cast::<4, 1>((self.owner.val() & bits::<16>(0xaaaa)).any().into())
            | (bit_cast::<4, 1>((self.owner.val() & bits::<16>(0xcccc)).any().into()) << 1)
            | (bit_cast::<4, 1>((self.owner.val() & bits::<16>(0xf0f0)).any().into()) << 2)
            | (bit_cast::<4, 1>((self.owner.val() & bits::<16>(0xff00)).any().into()) << 3);
        self.line_words.next = bits::<512>(0);
        for i in 0..16 {
            self.words[i].clock.next = self.clock.val();
            self.words[i].write_enable.next = self.hits.val() & self.present.val().words.get_bit(i);
            self.words[i].write_address.next = self.place.val();
            self.words[i].write_data.next = self.present.val().data.get_bits::<32>(i * 32);
            self.words[i].read_address.next = self.oldest.q.val().get_bits::<4>(0);
            self.word.next = self.words[i].read_data.val();
            self.line_words.next = (self.line_words.val() >> 32) | (bit_cast::<512, 32>(self.word.val()) << 480);
        }
        // A place whose line has come whole.
        self.whole.next = bits::<16>(0);
        for i in 0..16 {
            self.have[i].clock.next = self.clock.val();
            self.have[i].d.next = self.have[i].q.val();
            if self.owner.val().get_bit(i) {
                self.have[i].d.next = self.have[i].q.val() | self.present.val().words;
            }
            if self.starts.val().get_bit(i) {
                self.have[i].d.next = bits::<16>(0);
            }
            self.whole.next = self.whole.val().replace_bit(i, self.have[i].q.val().all());
        }
        self.ended.next = bits::<16>(0);
        self.spoilt.next = bits::<16>(0);
        self.failing.d.next = false;
        if self.present.val().ends {
            self.ended.next = self.owner.val();
        }
        if self.present.val().code.any() {
            self.spoilt.next = self.owner.val();
            // Once a request, with the first that is wrong with it.
            self.failing.d.next = (self.owner.val() & !self.bad.q.val()).any();
        }
        self.code.d.next = self.present.val().code;

        // The watchdog.
        self.timer.d.next = bits::<26>(0);
        if self.used.val().any() & !(self.done.q.val() & self.turn.val()).any() & !self.biting.q.val() {
            self.timer.d.next = self.timer.q.val() + bits::<26>(1);
        }
        self.biting.d.next = self.timer.q.val() == self.limit.val();
        self.bites.next = bits::<16>(0);
        if self.biting.q.val() {
            self.bites.next = self.turn.val() & self.waiting.q.val() & self.tagged.q.val();
        }
        self.abandoning.d.next = self.bites.val().any();
        self.stuck.next = self.biting.q.val() & (self.turn.val() & self.waiting.q.val() & !self.tagged.q.val()).any();

        // The oldest line goes out when it is complete.
        self.gives.next = (self.done.q.val() & self.turn.val()).any() & (!self.giving.q.val() | self.line_take.val());
        self.gone.next = bits::<16>(0);
        if self.line_take.val() {
            self.giving.d.next = false;
        }
        self.good.next = (self.whole.val() & !self.bad.q.val() & self.turn.val()).any();
        self.result.next.error = !self.good.val();
        self.result.next.data = self.line_words.val();
        if !self.good.val() {
            self.result.next.data = !bits::<512>(0);
        }
        self.shorting.d.next =
            self.gives.val() & (self.done.q.val() & self.turn.val() & !self.bad.q.val() & !self.whole.val()).any();
        if self.gives.val() {
            self.giving.d.next = true;
            self.given.d.next = self.result.val();
            self.gone.next = self.turn.val();
            self.oldest.d.next = self.oldest.q.val() + bits::<5>(1);
        }
        self.tagged.d.next =
            ((self.tagged.q.val() & !self.starts.val()) | self.names.val() | self.names_more.val()) & !self.gone.val();
        self.waiting.d.next = (self.waiting.q.val() & !self.ended.val() & !self.bites.val()) | self.starts.val();
        self.done.d.next =
            (self.done.q.val() & !self.gone.val()) | self.ended.val() | self.bites.val() | self.refuses.val();
        self.bad.d.next =
            (self.bad.q.val() & !self.gone.val()) | self.spoilt.val() | self.bites.val() | self.refuses.val();

        self.line_valid.next = self.giving.q.val();
        self.line.next = self.given.q.val();
        self.refused.next = self.refusing.q.val();
        self.abandoned.next = self.abandoning.q.val();
        self.unexpected.next = self.strange.q.val();
        self.failed.next = self.failing.q.val();
        self.short.next = self.shorting.q.val();
        self.failed_code.next = self.code.q.val();
    }
}
