//! How the bus is, and what goes wrong on it.

/// The bus between card and host. Clocks are of the hard block: 4 ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusSettings {
    /// Maximum payload size in bytes: 128, 256 or 512.
    pub max_payload_bytes: u32,
    /// Completions end at multiples of this many bytes: 64 or 128.
    pub read_boundary_bytes: u32,
    /// A completion has at most this many bytes, so that reads of a line come in several: 4 to 64.
    pub completion_bytes_max: u32,
    /// Clocks of a TLP's way, each direction.
    pub latency_clocks: u64,
    /// Clocks that the host's memory takes for a read.
    pub memory_clocks: u64,
    /// Clocks after which the hard block gives a read up. A real one takes 50 ms and more.
    pub timeout_clocks: u64,
    /// Credits of the root port.
    pub credits: Credits,
    /// Tags of the hard block.
    pub tags: u8,
    /// TLPs that the hard block holds for the link. Full: RQ is not ready.
    pub hard_block_tlps: usize,
    /// Bytes that the link carries in a clock, all of a TLP's framing counted. Gen3 x16: 63. 0: without limit.
    pub link_bytes_per_clock: u32,
    /// What goes wrong.
    pub faults: FaultRates,
    /// Of everything that is random.
    pub seed: u64,
}

impl Default for BusSettings {
    fn default() -> Self {
        Self {
            max_payload_bytes: 512,
            read_boundary_bytes: 64,
            completion_bytes_max: 64,
            latency_clocks: 40,
            memory_clocks: 40,
            timeout_clocks: 1 << 16,
            credits: Credits::default(),
            tags: 64,
            hard_block_tlps: 32,
            link_bytes_per_clock: 63,
            faults: FaultRates::default(),
            seed: 1,
        }
    }
}

/// What stands still until it is let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holds {
    /// RQ takes nothing.
    pub rq: bool,
    /// No credit for writes comes back.
    pub writes: bool,
    /// No credit for reads comes back.
    pub reads: bool,
}

/// What a root port lets a card send before it gives credits back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credits {
    /// Posted headers: writes under way.
    pub posted_headers: u32,
    /// Units of 16 bytes of their payload.
    pub posted_data: u32,
    /// Non-posted headers: reads under way.
    pub non_posted_headers: u32,
}

impl Default for Credits {
    fn default() -> Self {
        Self { posted_headers: 127, posted_data: 2047, non_posted_headers: 127 }
    }
}

/// In how many of 65,536 cases something goes wrong. All 0: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// A read's completion is lost: the hard block times out.
    pub lost: u16,
    /// It comes so late that the hard block has given up.
    pub late: u16,
    /// It waits for a while, so that others overtake it.
    pub reordered: u16,
    /// It is poisoned.
    pub poisoned: u16,
    /// It says unsupported request.
    pub unsupported: u16,
    /// It says completer abort.
    pub aborted: u16,
    /// It says too many bytes.
    pub wrong_count: u16,
    /// It says another address.
    pub wrong_address: u16,
    /// It lacks its last word.
    pub short: u16,
    /// A clock in which RQ is not ready.
    pub rq_stall: u16,
    /// A clock in which CC is not ready.
    pub cc_stall: u16,
    /// A clock without a beat on CQ and RC though there is one.
    pub gap: u16,
}

/// What becomes of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// Its completion never comes.
    Lost,
    /// It comes when nobody waits for it any more.
    Late,
    /// It comes after others that were asked for later.
    Reordered,
    /// It is poisoned.
    Poisoned,
    /// Status: unsupported request.
    Unsupported,
    /// Status: completer abort.
    Aborted,
    /// It says that there are more bytes to come than were asked for: the hard block ends the read.
    WrongCount,
    /// Its lower address is not that of the bytes that are due: the hard block says so.
    WrongAddress,
    /// It lacks the last word and says nothing of it, and the hard block does not notice.
    Short,
}

/// SplitMix64: any seed is a good one.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// True in `rate` of 65,536 cases.
    pub(super) fn happens(&mut self, rate: u16) -> bool {
        rate > 0 && self.next() & 0xffff < u64::from(rate)
    }

    /// What happens to the next read.
    pub(super) fn read_fault(&mut self, rates: &FaultRates) -> Option<ReadFault> {
        [
            (rates.lost, ReadFault::Lost),
            (rates.late, ReadFault::Late),
            (rates.reordered, ReadFault::Reordered),
            (rates.poisoned, ReadFault::Poisoned),
            (rates.unsupported, ReadFault::Unsupported),
            (rates.aborted, ReadFault::Aborted),
            (rates.wrong_count, ReadFault::WrongCount),
            (rates.wrong_address, ReadFault::WrongAddress),
            (rates.short, ReadFault::Short),
        ]
        .into_iter()
        .find_map(|(rate, fault)| self.happens(rate).then_some(fault))
    }
}
