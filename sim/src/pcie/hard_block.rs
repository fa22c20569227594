//! The hard block with its link: streams towards the card, TLPs towards the root complex.
//!
//! Order on the link: writes keep theirs and wait for nobody but credits; reads and answers to the host do not overtake writes that were there before them,
//! and let writes pass when they have to wait. A read for which there is no credit holds up RQ, and is a violation: `pcie_tfc_nph_av` and `pcie_rq_tag_av` tell the card.

use super::access::{Asked, HostAccess, HostAnswer, put_access};
use super::beats::{Completion, CompletionBeat, Request, RequestParser, put_beat, put_completion};
use super::judge::{Breach, Handshake, Rule, Violation};
use super::pins::Pins;
use super::root::{Reply, Root};
use super::settings::{BusSettings, Chance, Holds};
use crate::card::FunctionState;
use std::collections::VecDeque;
use writ_driver::memory::CardMemory;

/// Error codes of RC. [PG213, requester completion descriptor]
mod code {
    pub(super) const GOOD: u32 = 0;
    pub(super) const POISONED: u32 = 1;
    pub(super) const REFUSED: u32 = 2;
    pub(super) const WRONG_COUNT: u32 = 3;
    pub(super) const WRONG_ADDRESS: u32 = 5;
    pub(super) const FUNCTION_RESET: u32 = 8;
    pub(super) const TIMED_OUT: u32 = 9;
}

/// Tags that RQ keeps back: a beat may hold two reads.
const TAGS_KEPT: usize = 2;
/// Clocks until what was taken shows in the numbers of credits and tags.
const AVAILABLE_CLOCKS: usize = 2;
/// Clocks from a read's end on RQ to its tag.
const TAG_CLOCKS: u64 = 6;
/// Clocks that the card may take to notice that bus master is off or a function-level reset has begun. A TLP that has begun then is not meant.
const NOTICE_CLOCKS: u64 = 64;
/// Bytes of a TLP with a 64-bit address besides its payload: start, header, check sequence.
const FRAMING_BYTES: u32 = 4 + 16 + 4;
/// Where the host mapped BAR 0.
const BAR_BASE: u64 = 0x0000_0040_f000_0000;

/// What went over the bus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BusCounts {
    /// Clocks.
    pub clocks: u64,
    /// Beats that RQ took.
    pub rq_beats: u64,
    /// Clocks in which the card wanted RQ and it was not ready.
    pub rq_waits: u64,
    /// Writes, interrupt messages included.
    pub writes: u64,
    /// Bytes of their payload.
    pub write_bytes: u64,
    /// Reads.
    pub reads: u64,
    /// Reads that timed out.
    pub timeouts: u64,
    /// Parts of answers that came for reads that had ended.
    pub late: u64,
    /// New requests that were thrown away because bus master was off, or the function was being reset.
    pub refused: u64,
}

/// A read that waits for its answer.
struct Pending {
    tag: u8,
    number: u64,
    since: u64,
    address: u64,
    bytes_left: u32,
    /// The clock in which the card was told its tag.
    told_at: Option<u64>,
}

enum Outgoing {
    Posted(Request),
    Read { number: u64, address: u64, bytes: u32 },
    Answer(HostAnswer),
}

/// Waits for the link.
struct Waiting {
    outgoing: Outgoing,
    /// Writes that were accepted before it.
    behind: u64,
}

pub(crate) struct Bus {
    pub(crate) settings: BusSettings,
    pub(crate) root: Root,
    pub(crate) counts: BusCounts,
    pub(crate) violations: Vec<Violation>,
    chance: Chance,
    clock: u64,
    state: FunctionState,
    pub(crate) holds: Holds,
    /// Nothing may begin since.
    silent_since: Option<u64>,
    rq: Handshake,
    cc: Handshake,
    /// What the card is shown of credits and tags, newest last.
    available: VecDeque<[u8; 2]>,
    link_up: bool,
    /// The link is down until then.
    link_back_at: u64,
    /// A function-level reset is in process.
    is_resetting: bool,
    parser: RequestParser,
    writes: VecDeque<Request>,
    others: VecDeque<Waiting>,
    writes_accepted: u64,
    writes_left: u64,
    /// When the link is free again, in 1/1024 of a clock.
    link_free_at: u64,
    on_link: VecDeque<(u64, Outgoing)>,
    /// When credits come back: clock, headers, units of data, non-posted headers.
    credits_back: VecDeque<(u64, u32, u32, u32)>,
    /// Those that are due and held back: headers, units of data, non-posted headers.
    credits_held: (u32, u32, u32),
    posted_headers: u32,
    posted_data: u32,
    non_posted_headers: u32,
    free_tags: VecDeque<u8>,
    pending: Vec<Pending>,
    tags_out: VecDeque<(u64, u8)>,
    next_read: u64,
    /// Reads that end without data: clock, tag, error code. Not before their tags were told.
    endings: VecDeque<(u64, u8, u32)>,
    to_card: VecDeque<CompletionBeat>,
    /// The first access is on CQ and stays there until it is taken.
    is_shown: bool,
    accesses: VecDeque<(u64, HostAccess)>,
    asked: Asked,
    answers: Vec<HostAnswer>,
}

impl Bus {
    pub(crate) fn new(settings: BusSettings) -> Self {
        Self {
            settings,
            root: Root::new(),
            counts: BusCounts::default(),
            violations: Vec::new(),
            chance: Chance::new(settings.seed),
            clock: 0,
            state: FunctionState::default(),
            holds: Holds::default(),
            silent_since: Some(0),
            rq: Handshake::default(),
            cc: Handshake::default(),
            available: VecDeque::from([[0; 2]; AVAILABLE_CLOCKS]),
            link_up: false,
            link_back_at: 16,
            is_resetting: false,
            parser: RequestParser::default(),
            writes: VecDeque::new(),
            others: VecDeque::new(),
            writes_accepted: 0,
            writes_left: 0,
            link_free_at: 0,
            on_link: VecDeque::new(),
            credits_back: VecDeque::new(),
            credits_held: (0, 0, 0),
            posted_headers: settings.credits.posted_headers,
            posted_data: settings.credits.posted_data,
            non_posted_headers: settings.credits.non_posted_headers,
            free_tags: (0..settings.tags).collect(),
            pending: Vec::new(),
            tags_out: VecDeque::new(),
            next_read: 0,
            endings: VecDeque::new(),
            to_card: VecDeque::new(),
            is_shown: false,
            accesses: VecDeque::new(),
            asked: Asked::default(),
            answers: Vec::new(),
        }
    }

    pub(crate) fn set_memory(&mut self, memory: CardMemory) {
        self.root.set_memory(memory);
    }

    pub(crate) fn set_function(&mut self, state: FunctionState) {
        self.state = state;
    }

    /// Begins a function-level reset: reads under way end, until the card says that it is done nothing new goes out.
    pub(crate) fn reset_function(&mut self) {
        if !self.link_up {
            return;
        }
        self.is_resetting = true;
        for pending in std::mem::take(&mut self.pending) {
            self.free_tags.push_back(pending.tag);
            self.endings.push_back((self.clock + 2 * TAG_CLOCKS, pending.tag, code::FUNCTION_RESET));
        }
    }

    pub(crate) fn is_resetting(&self) -> bool {
        self.is_resetting
    }

    /// Takes the link down for as many clocks; `u64::MAX`: for good.
    pub(crate) fn drop_link(&mut self, clocks: u64) {
        self.link_up = false;
        self.link_back_at = self.clock.saturating_add(clocks);
        self.state = FunctionState::default();
        self.is_resetting = false;
        self.parser.reset();
        self.rq.reset();
        self.cc.reset();
        self.writes.clear();
        self.others.clear();
        self.writes_left = self.writes_accepted;
        self.on_link.clear();
        self.credits_back.clear();
        self.credits_held = (0, 0, 0);
        let credits = self.settings.credits;
        (self.posted_headers, self.posted_data) = (credits.posted_headers, credits.posted_data);
        self.non_posted_headers = credits.non_posted_headers;
        self.free_tags = (0..self.settings.tags).collect();
        self.pending.clear();
        self.tags_out.clear();
        self.endings.clear();
        self.to_card.clear();
        self.is_shown = false;
        self.accesses.clear();
        self.asked.reset();
        self.answers.clear();
        self.root.forget();
    }

    pub(crate) fn is_link_up(&self) -> bool {
        self.link_up
    }

    /// The host accesses BAR 0.
    pub(crate) fn access(&mut self, access: HostAccess) {
        if self.link_up {
            self.accesses.push_back((self.clock + self.settings.latency_clocks, access));
        }
    }

    /// Accesses that have not reached the card.
    pub(crate) fn accesses_waiting(&self) -> usize {
        self.accesses.len()
    }

    pub(crate) fn take_answer(&mut self, tag: u8) -> Option<HostAnswer> {
        let at = self.answers.iter().position(|answer| answer.tag == tag)?;
        Some(self.answers.swap_remove(at))
    }

    /// One clock: looks at what the card shows and sets what it sees.
    pub(crate) fn clock(&mut self, pins: &mut Pins) {
        self.counts.clocks += 1;
        if !self.link_up && self.clock >= self.link_back_at {
            self.link_up = true;
        }
        pins.link_up = self.link_up.into();
        pins.user_reset = (!self.link_up).into();
        pins.bus_master = self.state.is_bus_master.into();
        pins.msix_enable = self.state.is_msix_enabled.into();
        pins.msix_mask = self.state.is_msix_masked.into();
        pins.max_payload = match self.settings.max_payload_bytes {
            128 => 0,
            256 => 1,
            _ => 2,
        };
        (pins.cq_valid, pins.cq_last, pins.rc_valid, pins.rc_last) = (0, 0, 0, 0);
        (pins.rq_ready, pins.cc_ready) = (0, 0);
        pins.tag_valid = [0; 2];
        pins.function_reset = self.is_resetting.into();
        if self.state.is_bus_master && !self.is_resetting {
            self.silent_since = None;
        } else if self.silent_since.is_none() {
            self.silent_since = Some(self.clock);
        }
        self.show_available(pins);
        if self.link_up {
            if self.is_resetting && pins.function_reset_done == 1 {
                self.is_resetting = false;
            }
            self.requests(pins);
            self.answers(pins);
            self.tags(pins);
            self.link();
            self.completions(pins);
            self.host_accesses(pins);
        }
        self.clock += 1;
    }

    /// Credits for reads and tags, as the card sees them.
    fn show_available(&mut self, pins: &mut Pins) {
        let credits = (self.non_posted_headers as usize).saturating_sub(self.reads_waiting());
        let tags = self.free_tags.len().saturating_sub(TAGS_KEPT);
        self.available.push_back([credits.min(15) as u8, tags.min(15) as u8]);
        if let Some([credits, tags]) = self.available.pop_front() {
            (pins.read_credits, pins.free_tags) = (credits, tags);
        }
    }

    /// Reads that RQ took and the link did not.
    fn reads_waiting(&self) -> usize {
        self.others.iter().filter(|waiting| matches!(waiting.outgoing, Outgoing::Read { .. })).count()
    }

    /// The card has broken a rule.
    fn breach(&mut self, breach: Breach) {
        self.violations.push(Violation { rule: breach.rule, clock: self.clock, evidence: breach.evidence });
    }

    /// RQ.
    fn requests(&mut self, pins: &mut Pins) {
        let room = self.writes.len() + self.others.len() < self.settings.hard_block_tlps
            && self.free_tags.len() > TAGS_KEPT
            && self.reads_waiting() <= self.non_posted_headers as usize
            && !self.holds.rq;
        let ready = room && !self.chance.happens(self.settings.faults.rq_stall);
        pins.rq_ready = ready.into();
        let (is_new, valid) = (!self.rq.waits(), pins.rq_valid == 1);
        let shown = [("tdata", &pins.rq_data[..]), ("tuser", &pins.rq_user[..])];
        if let Some(breach) = self.rq.clock("RQ", valid, &shown, ready) {
            self.breach(breach);
        }
        if !valid {
            return;
        }
        if let Some(since) = self.silent_since
            && is_new
            && RequestParser::begins(pins)
            && self.clock > since + NOTICE_CLOCKS
        {
            let state = if self.is_resetting { "in a function-level reset" } else { "without bus master" };
            let clocks = self.clock - since;
            self.breach(Breach::new(Rule::NotBusMaster, format!("a TLP begins {clocks} clocks {state}")));
        }
        if !ready {
            self.counts.rq_waits += 1;
            return;
        }
        self.counts.rq_beats += 1;
        let mut found = Vec::new();
        self.parser.beat(pins, self.settings.max_payload_bytes, |request| found.push(request));
        for request in found {
            match request {
                Ok(request) => self.accept(request),
                Err(breach) => self.breach(breach),
            }
        }
    }

    fn accept(&mut self, request: Request) {
        if self.silent_since.is_some() {
            self.counts.refused += 1;
            if let Request::Read { .. } = request {
                // It gets a tag and an end all the same.
                if let Some(tag) = self.free_tags.pop_front() {
                    self.tags_out.push_back((self.clock + TAG_CLOCKS, tag));
                    self.free_tags.push_back(tag);
                    self.endings.push_back((self.clock + 2 * TAG_CLOCKS, tag, code::REFUSED));
                }
            }
            return;
        }
        match request {
            Request::Write { ref data, .. } => {
                self.counts.writes += 1;
                self.counts.write_bytes += data.len() as u64;
                self.writes_accepted += 1;
                self.writes.push_back(request);
            }
            Request::Read { address, bytes } => self.accept_read(address, bytes),
        }
    }

    fn accept_read(&mut self, address: u64, bytes: u32) {
        let (tags, credits) = (self.free_tags.len(), self.non_posted_headers as usize);
        let Some(tag) = self.free_tags.pop_front() else { return };
        let number = self.next_read;
        self.next_read += 1;
        self.counts.reads += 1;
        self.tags_out.push_back((self.clock + TAG_CLOCKS, tag));
        let pending = Pending { tag, number, since: self.clock, address, bytes_left: bytes, told_at: None };
        self.pending.push(pending);
        self.wait(Outgoing::Read { number, address, bytes });
        let reads = self.reads_waiting();
        if reads > credits || tags <= TAGS_KEPT {
            let evidence = format!("{reads} reads for {credits} credits and {} tags", tags.saturating_sub(TAGS_KEPT));
            self.breach(Breach::new(Rule::ReadBlocks, evidence));
        }
    }

    fn wait(&mut self, outgoing: Outgoing) {
        self.others.push_back(Waiting { outgoing, behind: self.writes_accepted });
    }

    /// CC.
    fn answers(&mut self, pins: &mut Pins) {
        let ready = !self.chance.happens(self.settings.faults.cc_stall);
        pins.cc_ready = ready.into();
        let marks = [u32::from(pins.cc_keep), u32::from(pins.cc_last)];
        let shown = [("tdata", &pins.cc_data[..]), ("tuser", &pins.cc_user[..]), ("tkeep and tlast", &marks[..])];
        if let Some(breach) = self.cc.clock("CC", pins.cc_valid == 1, &shown, ready) {
            self.breach(breach);
        }
        if pins.cc_valid == 0 || !ready {
            return;
        }
        match self.asked.take_answer(pins) {
            Ok(answer) => self.wait(Outgoing::Answer(answer)),
            Err(breach) => self.breach(breach),
        }
    }

    fn tags(&mut self, pins: &mut Pins) {
        for place in 0..2 {
            let Some((_, tag)) = self.tags_out.pop_front_if(|(clock, _)| *clock <= self.clock) else { return };
            (pins.tag_valid[place], pins.tag[place]) = (1, tag);
            if let Some(pending) = self.pending.iter_mut().find(|pending| pending.tag == tag) {
                pending.told_at = Some(self.clock);
            }
        }
    }

    /// What leaves, and what arrives at the root complex.
    fn link(&mut self) {
        while let Some((_, headers, data, reads)) = self.credits_back.pop_front_if(|(clock, ..)| *clock <= self.clock) {
            let held = &mut self.credits_held;
            *held = (held.0 + headers, held.1 + data, held.2 + reads);
        }
        if !self.holds.writes {
            self.posted_headers += std::mem::take(&mut self.credits_held.0);
            self.posted_data += std::mem::take(&mut self.credits_held.1);
        }
        if !self.holds.reads {
            self.non_posted_headers += std::mem::take(&mut self.credits_held.2);
        }
        while self.link_free_at <= self.clock << 10 {
            let Some((outgoing, bytes)) = self.leave() else { break };
            if let Some(time) = (u64::from(bytes) << 10).checked_div(self.settings.link_bytes_per_clock.into()) {
                self.link_free_at = self.link_free_at.max(self.clock << 10) + time;
            }
            self.on_link.push_back((self.clock + self.settings.latency_clocks, outgoing));
        }
        while let Some((_, outgoing)) = self.on_link.pop_front_if(|(clock, _)| *clock <= self.clock) {
            let back = self.clock + self.settings.latency_clocks;
            match outgoing {
                Outgoing::Posted(request) => {
                    let Request::Write { data, .. } = &request else { continue };
                    self.credits_back.push_back((back, 1, data_credits(data.len()), 0));
                    self.root.posted(&request);
                }
                Outgoing::Read { number, address, bytes } => {
                    self.credits_back.push_back((back, 0, 0, 1));
                    self.root.read(self.clock, number, address, bytes, &self.settings, &mut self.chance);
                }
                Outgoing::Answer(answer) => self.answers.push(answer),
            }
        }
    }

    /// The TLP that may leave now, and its bytes.
    fn leave(&mut self) -> Option<(Outgoing, u32)> {
        if let Some(front) = self.others.front()
            && front.behind <= self.writes_left
        {
            let is_read = matches!(front.outgoing, Outgoing::Read { .. });
            if !is_read || self.non_posted_headers > 0 {
                self.non_posted_headers -= u32::from(is_read);
                let outgoing = self.others.pop_front()?.outgoing;
                return Some((outgoing, FRAMING_BYTES));
            }
        }
        let Request::Write { data, .. } = self.writes.front()? else { return None };
        let (bytes, credits) = (data.len() as u32, data_credits(data.len()));
        if self.posted_headers == 0 || self.posted_data < credits {
            return None;
        }
        self.posted_headers -= 1;
        self.posted_data -= credits;
        self.writes_left += 1;
        Some((Outgoing::Posted(self.writes.pop_front()?), FRAMING_BYTES + bytes))
    }

    /// RC.
    fn completions(&mut self, pins: &mut Pins) {
        while let Some((_, tag, code)) = self.endings.pop_front_if(|(clock, ..)| *clock <= self.clock) {
            put_completion(&ended(tag, code), &mut self.to_card);
        }
        while let Some(reply) = self.arrived() {
            self.reply(&reply);
        }
        let patience = self.settings.timeout_clocks;
        while let Some(at) = self.pending.iter().position(|pending| self.clock > pending.since + patience) {
            let pending = self.pending.swap_remove(at);
            self.counts.timeouts += 1;
            self.free_tags.push_back(pending.tag);
            put_completion(&ended(pending.tag, code::TIMED_OUT), &mut self.to_card);
        }
        if !self.chance.happens(self.settings.faults.gap)
            && let Some(beat) = self.to_card.pop_front()
        {
            put_beat(pins, &beat);
        }
    }

    /// The next part of an answer. One whose tag the card does not know yet waits: no link is so fast.
    fn arrived(&mut self) -> Option<Reply> {
        let read = self.root.next_arrived(self.clock)?;
        let is_told = |pending: &Pending| pending.told_at.is_some_and(|clock| clock < self.clock);
        if self.pending.iter().any(|pending| pending.number == read && !is_told(pending)) {
            return None;
        }
        self.root.take_arrived()
    }

    fn reply(&mut self, reply: &Reply) {
        let Some(at) = self.pending.iter().position(|pending| pending.number == reply.read) else {
            self.counts.late += 1;
            return;
        };
        let pending = &mut self.pending[at];
        let bytes = 4 * reply.words.len() as u32;
        let code = match (reply.status, reply.is_poisoned) {
            (0, _) if reply.bytes_left > pending.bytes_left || bytes > reply.bytes_left => code::WRONG_COUNT,
            (0, _) if reply.address & 0x7f != pending.address & 0x7f => code::WRONG_ADDRESS,
            (0, false) => code::GOOD,
            (0, true) => code::POISONED,
            _ => code::REFUSED,
        };
        // Whose own count says that nothing is left has answered, however little it was.
        pending.bytes_left = reply.bytes_left.saturating_sub(bytes).min(pending.bytes_left);
        pending.address += u64::from(bytes);
        let is_last = reply.status != 0 || code == code::WRONG_COUNT || pending.bytes_left == 0;
        let tag = pending.tag;
        if is_last {
            self.pending.swap_remove(at);
            self.free_tags.push_back(tag);
        }
        let completion = Completion {
            tag,
            code,
            status: reply.status,
            is_poisoned: reply.is_poisoned,
            is_last,
            address: reply.address,
            bytes_left: reply.bytes_left,
            words: reply.words.clone(),
        };
        put_completion(&completion, &mut self.to_card);
    }

    /// CQ.
    fn host_accesses(&mut self, pins: &mut Pins) {
        let Some((clock, access)) = self.accesses.front() else { return };
        if *clock > self.clock || !self.is_shown && self.chance.happens(self.settings.faults.gap) {
            return;
        }
        put_access(pins, access, BAR_BASE);
        self.is_shown = pins.cq_ready == 0;
        // The card's ready comes from a register: it is that of this clock.
        if pins.cq_ready == 1 {
            self.asked.asked(access);
            self.accesses.pop_front();
        }
    }
}

/// The end of a read without data.
fn ended(tag: u8, code: u32) -> Completion {
    Completion { tag, code, status: 0, is_poisoned: false, is_last: true, address: 0, bytes_left: 0, words: Vec::new() }
}

fn data_credits(bytes: usize) -> u32 {
    bytes.div_ceil(16) as u32
}
