//! A capture side with two ports of traffic, verdicts in the order in which windows end, and a reader for each ring.

use crate::bench::{Bench, Random, number, to_bits, to_bytes, value};
use std::collections::VecDeque;
use writ_abi::limits::{RECORD_RINGS, WINDOW_FIFO_FRAMES};
use writ_abi::record::{self, Record, flags, layer_flags, link, tunnel};
use writ_abi::{HitLayer, Lookup, PortSide, Scope};
use writ_hdl::axis::TapBeat;
use writ_hdl::capture::CapturePath;
use writ_hdl::lookup::types::Verdict;
use writ_hdl::parse::types::{Headers, Layer, Ticket};

/// Clocks from the merger to the verdict in these tests, and from keys to verdict.
const VERDICT_CLOCKS: u64 = 30;
const LOOKUP_CLOCKS: u64 = 6;

/// What one slot of a verdict holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotHit {
    pub(crate) slot: usize,
    pub(crate) index: u32,
    pub(crate) scope: Scope,
    pub(crate) ring: u8,
    pub(crate) destination: bool,
}

impl SlotHit {
    fn lookup(&self) -> Lookup {
        match self.slot.checked_sub(17) {
            None => Lookup::ALL[self.slot],
            Some(bank) => Lookup::of_rule(bank as u8, self.destination).expect("a bank"),
        }
    }

    fn bits(&self) -> u64 {
        1 | u64::from(self.index) << 1
            | (self.scope as u64) << 18
            | u64::from(self.ring) << 20
            | u64::from(self.destination) << 22
    }
}

#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    pub(crate) error: bool,
    pub(crate) hits: Vec<SlotHit>,
    pub(crate) headers: Headers,
}

/// What a record must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) port: PortSide,
    pub(crate) stamp: u64,
    pub(crate) original: usize,
    pub(crate) payload: Vec<u8>,
    pub(crate) hits: Vec<(u32, Scope, Lookup)>,
    pub(crate) flags: u8,
    /// Class, link, tunnel, layer flags.
    pub(crate) kinds: [u8; 4],
    pub(crate) layers: [[u8; 4]; 2],
}

fn layer_bytes(layer: Layer) -> [u8; 4] {
    [layer.l3_offset, layer.l3_end, layer.l4_end, layer.protocol].map(|field| value(field) as u8)
}

/// How much of the frame a hit may see, from the text of [`writ_abi::record`].
fn cut(hit: &SlotHit, headers: &Headers, own: bool, original: usize) -> usize {
    let deep = own || matches!(hit.lookup().layer(), HitLayer::Inner | HitLayer::Innermost);
    let has = |layer: &Layer| value(layer.l3_offset) != 0;
    let layer = if deep && has(&headers.inner) { headers.inner } else { headers.outer };
    match hit.scope {
        Scope::Content => original,
        _ if !has(&layer) => 14,
        Scope::HeadersL4 => value(layer.l4_end) as usize,
        Scope::HeadersL3 => value(layer.l3_end) as usize,
    }
}

fn expected(port: usize, stamp: u64, frame: &Frame, ring: u8, own: bool) -> Expected {
    let original = frame.bytes.len().saturating_sub(4);
    let headers = &frame.headers;
    let mut hits: Vec<&SlotHit> = frame.hits.iter().filter(|hit| hit.ring == ring).collect();
    hits.sort_by_key(|hit| hit.lookup() as u8);
    let widest = hits.iter().map(|hit| cut(hit, headers, own, original)).max();
    let captured = widest.expect("a record has hits").min(original);
    let mark = |on: bool, bit: u8| if on { bit } else { 0 };
    let link = value(headers.vlan_tags) as u8
        | (value(headers.mpls_labels) as u8) << link::MPLS_LABELS_LSB
        | mark(headers.pppoe, link::PPPOE)
        | mark(headers.pseudowire, link::PSEUDOWIRE);
    let tunnel = value(headers.tunnel) as u8 | mark(headers.inner_ethernet, tunnel::INNER_ETHERNET);
    let layers = mark(headers.outer.has_ports, layer_flags::OUTER_PORTS)
        | mark(headers.outer.fragment, layer_flags::OUTER_FRAGMENT)
        | mark(headers.inner.has_ports, layer_flags::INNER_PORTS)
        | mark(headers.inner.fragment, layer_flags::INNER_FRAGMENT);
    Expected {
        port: PortSide::ALL[port],
        stamp,
        original,
        payload: frame.bytes[..captured].to_vec(),
        hits: hits.iter().map(|hit| (hit.index, hit.scope, hit.lookup())).collect(),
        flags: mark(hits.len() > record::HITS_INLINE, flags::SECOND_LINE)
            | mark(captured < original, flags::CUT)
            | mark(own, flags::OWN_TUNNEL)
            | 1 << flags::TIME_QUALITY_LSB,
        kinds: [value(headers.class) as u8, link, tunnel, layers],
        layers: [layer_bytes(headers.outer), layer_bytes(headers.inner)],
    }
}

#[derive(Default)]
struct Side {
    queue: VecDeque<Frame>,
    sent: usize,
    start: u64,
    /// Windows that wait for the merger: stamp, frame.
    windows: VecDeque<(u64, Frame)>,
}

/// A frame between merger and verdict.
struct InFlight {
    due: u64,
    port: usize,
    stamp: u64,
    frame: Frame,
    own: bool,
}

pub(crate) struct Card {
    pub(crate) bench: Bench<CapturePath>,
    sides: [Side; 2],
    in_flight: VecDeque<InFlight>,
    starts: VecDeque<u64>,
    own_tunnels: u64,
    /// By ring, in the order of their numbers.
    pub(crate) numbered: [Vec<Expected>; RECORD_RINGS],
    /// By ring, records as they came.
    pub(crate) records: [VecDeque<Vec<u8>>; RECORD_RINGS],
    pub(crate) reading: [bool; RECORD_RINGS],
    /// Idle clocks in a hundred, inside of frames and between them.
    pub(crate) pause: u64,
    random: Random,
    /// Frames with hits that the MAC flagged: as the card says, and as they were.
    pub(crate) flagged: usize,
    pub(crate) damaged: usize,
    pub(crate) stalled: u64,
    pub(crate) window_dropped: usize,
    /// Events of counters: first outcomes, outcomes, records, gap records.
    pub(crate) counted: [usize; 4],
}

impl Card {
    pub(crate) fn new() -> Self {
        Self {
            bench: Bench::new(CapturePath::default(), |block| &mut block.clock),
            sides: Default::default(),
            in_flight: VecDeque::new(),
            starts: VecDeque::new(),
            own_tunnels: 0,
            numbered: Default::default(),
            records: Default::default(),
            reading: [true; RECORD_RINGS],
            pause: 0,
            random: Random(6),
            flagged: 0,
            damaged: 0,
            stalled: 0,
            window_dropped: 0,
            counted: [0; 4],
        }
    }

    pub(crate) fn send(&mut self, port: usize, frame: Frame) {
        self.sides[port].queue.push_back(frame);
    }

    /// Sets LOOKUP.OWN_TUNNELS.
    pub(crate) fn set_own_tunnels(&mut self, kinds: u64) {
        self.own_tunnels = kinds;
        self.bench.block.own_tunnels.next = number(kinds);
    }

    fn drive_port(&mut self, port: usize) {
        let now = self.bench.clocks;
        let idle = self.random.below(100) < self.pause;
        let side = &mut self.sides[port];
        let block = &mut self.bench.block;
        let Some(frame) = side.queue.front().filter(|_| !idle).cloned() else {
            block.beat[port].next = TapBeat::default();
            block.window_complete[port].next = false;
            return;
        };
        let from = side.sent;
        let to = frame.bytes.len().min(from + 64);
        let (first, last) = (from == 0, to == frame.bytes.len());
        if first {
            side.start = now;
        }
        let complete = to == 192.min(frame.bytes.len()) || (from < 192 && last);
        let dropped = side.windows.len() >= WINDOW_FIFO_FRAMES;
        let length = to.min(0xffff) as u64;
        block.beat[port].next =
            TapBeat { valid: true, first, last, error: last && frame.error, length: number(length) };
        block.data[port].next = to_bits(&frame.bytes[from..to]);
        block.window_complete[port].next = complete;
        block.window_dropped[port].next = dropped;
        if complete && dropped {
            self.window_dropped += 1;
        } else if complete {
            side.windows.push_back((side.start, frame));
        }
        side.sent = to;
        if last {
            side.sent = 0;
            side.queue.pop_front();
        }
    }

    /// One window a clock leaves, from the ports in turn, unless the card wants none.
    fn merge(&mut self) {
        let now = self.bench.clocks;
        if self.bench.block.stall.val() {
            self.stalled += 1;
            return;
        }
        let order = if now.is_multiple_of(2) { [0, 1] } else { [1, 0] };
        let Some(port) = order.into_iter().find(|port| !self.sides[*port].windows.is_empty()) else { return };
        let (stamp, frame) = self.sides[port].windows.pop_front().expect("just looked");
        self.in_flight.push_back(InFlight { due: now + VERDICT_CLOCKS, port, stamp, frame, own: false });
    }

    fn drive_verdict(&mut self) {
        let now = self.bench.clocks;
        let entering = self.in_flight.iter_mut().find(|each| each.due == now + LOOKUP_CLOCKS);
        self.bench.block.entering.next = entering.is_some();
        if let Some(each) = entering {
            let kind = value(each.frame.headers.tunnel);
            each.own = kind != 0 && self.own_tunnels >> kind & 1 == 1;
        }
        self.bench.block.patience.next = number(192);
        self.bench.block.done.next = false;
        let Some(InFlight { port, stamp, frame, own, .. }) = self.in_flight.pop_front_if(|each| each.due <= now) else {
            return;
        };
        let start = self.start_of(port, stamp);
        // What stands in a slot without a hit means nothing.
        let mut hits = to_bits::<483>(&self.random.bytes(60));
        for slot in 0..21 {
            let found = frame.hits.iter().find(|hit| hit.slot == slot);
            match found {
                Some(hit) => hits.set_bits::<23>(slot * 23, number(hit.bits())),
                None => hits = hits.replace_bit(slot * 23, false),
            }
        }
        let ticket = Ticket { port: port == 1, quality: number(1), stamp: number(stamp), start: number(start) };
        let block = &mut self.bench.block;
        block.done.next = true;
        block.hit.next = !frame.hits.is_empty();
        block.verdict.next = Verdict { ticket, headers: frame.headers, hits };
        if frame.error {
            self.damaged += usize::from(!frame.hits.is_empty());
        } else {
            for ring in 0..RECORD_RINGS {
                if frame.hits.iter().any(|hit| usize::from(hit.ring) == ring) {
                    self.numbered[ring].push(expected(port, stamp, &frame, ring as u8, own));
                }
            }
        }
    }

    /// Where the frame with this stamp started, as the store said in that clock.
    fn start_of(&mut self, port: usize, stamp: u64) -> u64 {
        let key = stamp << 1 | port as u64;
        let at = self.starts.iter().position(|entry| entry >> 12 == key).expect("the frame has come");
        self.starts.remove(at).expect("just found") & 0xfff
    }

    pub(crate) fn tick(&mut self) {
        self.drive_port(0);
        self.drive_port(1);
        self.drive_verdict();
        self.bench.settle();
        self.merge();
        let now = self.bench.clocks;
        let block = &self.bench.block;
        for port in 0..2 {
            let beat = block.beat[port].val();
            if beat.valid && beat.first {
                self.starts.push_back((now << 1 | port as u64) << 12 | value(block.start[port].val()));
            }
        }
        self.flagged += usize::from(block.flagged.val());
        let copied = block.outcome.val() && value(block.outcome_cause.val()) == 7;
        let events =
            [block.outcome.val() && block.outcome_first.val(), block.outcome.val(), copied, block.gap_record.val()];
        for (count, event) in self.counted.iter_mut().zip(events) {
            *count += usize::from(event);
        }
        for ring in 0..RECORD_RINGS {
            self.read(ring);
        }
        self.bench.tick();
    }

    /// Takes whole records, a line a clock, first line first.
    fn read(&mut self, ring: usize) {
        let block = &mut self.bench.block;
        block.take_header[ring].next = false;
        block.take_rest[ring].next = false;
        let records = &mut self.records[ring];
        let owed = records.back().map_or(0, |record| {
            let second = usize::from(record[1] & flags::SECOND_LINE);
            let payload = usize::from(u16::from_le_bytes([record[18], record[19]])).div_ceil(64);
            let lines = if record[0] == 1 { second + payload } else { 0 };
            lines * 64 + 64 - record.len()
        });
        if owed > 0 {
            assert!(block.rest_valid[ring].val(), "a first line came before the rest of its record");
            block.take_rest[ring].next = true;
            records.back_mut().expect("a record").extend_from_slice(&to_bytes(block.rest[ring].val()));
        } else if self.reading[ring] && block.header_valid[ring].val() {
            block.take_header[ring].next = true;
            records.push_back(to_bytes(block.header[ring].val()));
        }
    }

    pub(crate) fn run_until_idle(&mut self) {
        let mut quiet = false;
        for _ in 0..20_000 {
            self.tick();
            // `idle` is of one clock ago.
            if quiet && self.bench.block.idle.val() {
                self.tick();
                return;
            }
            let busy = self.sides.iter().any(|side| !side.queue.is_empty() || !side.windows.is_empty());
            quiet = !busy && self.in_flight.is_empty();
        }
        panic!("the capture side does not come to rest");
    }

    /// Every number of the ring once and in order, as the right packet or in a gap; returns how many are in gaps.
    pub(crate) fn check(&self, ring: usize) -> usize {
        let numbered = &self.numbered[ring];
        let (mut next, mut missing) = (0, 0);
        for bytes in &self.records[ring] {
            let (record, used) = record::parse(bytes).expect("a sound record");
            assert_eq!(used, bytes.len());
            match record {
                Record::Packet(packet) => {
                    assert_eq!(packet.header.record_sequence.get() as usize, next, "ring {ring}");
                    assert_eq!(got(&packet), numbered[next], "ring {ring}");
                    let start = bytes.len() - packet.payload.len().next_multiple_of(64);
                    let padding = &bytes[start + packet.payload.len()..];
                    assert!(padding.iter().all(|&byte| byte == 0), "bytes behind the cut");
                    let widest = packet.hits().map(|hit| packet.cut(&hit)).max();
                    assert_eq!(widest, Some(packet.payload.len()), "the reader sees another cut");
                    next += 1;
                }
                Record::Gap(gap) => {
                    assert_eq!(gap.first_sequence.get() as usize, next, "ring {ring}");
                    let last = gap.last_sequence.get() as usize;
                    assert_eq!(gap.first_stamp_ns.get(), numbered[next].stamp);
                    assert_eq!(gap.last_stamp_ns.get(), numbered[last].stamp);
                    assert_ne!(gap.causes, 0);
                    missing += last + 1 - next;
                    next = last + 1;
                }
                Record::Skip => panic!("no skip record is made here"),
            }
        }
        assert_eq!(next, numbered.len(), "ring {ring}");
        missing
    }
}

/// What a record says.
fn got(packet: &record::Packet<'_>) -> Expected {
    let header = packet.header;
    let layer = |layer: record::Layer| [layer.l3_offset, layer.l3_end, layer.l4_end, layer.protocol];
    Expected {
        port: packet.port_side(),
        stamp: header.stamp_ns.get(),
        original: usize::from(header.original_bytes.get()),
        payload: packet.payload.to_vec(),
        hits: packet.hits().map(|hit| (hit.match_index.value(), hit.scope, hit.lookup)).collect(),
        flags: header.flags,
        kinds: [header.parse_class, header.link, header.tunnel, header.layer_flags],
        layers: [layer(header.outer), layer(header.inner)],
    }
}

/// Headers with or without an outer and an inner IP header, anywhere in the window.
pub(crate) fn headers(random: &mut Random) -> Headers {
    let mut below = |end: u64| random.below(end);
    let mut headers = Headers { class: number(below(16)), vlan_tags: number(below(4)), ..Headers::default() };
    headers.mpls_labels = number(below(5));
    headers.pppoe = below(2) == 1;
    headers.pseudowire = below(2) == 1;
    let mut layer = |start: u64| {
        let l3_end = start + 20 + below(21);
        let has_l4 = below(2) == 1;
        let l4_end = if has_l4 { l3_end + 8 } else { l3_end };
        Layer {
            l3_offset: number(start),
            l3_end: number(l3_end),
            l4_end: number(l4_end),
            protocol: number(below(256)),
            has_ports: has_l4 && below(2) == 1,
            fragment: below(2) == 1,
        }
    };
    let (outer, inner) = (layer(14), layer(90));
    if below(6) != 0 {
        headers.outer = outer;
        headers.tunnel = number(below(8));
        if below(2) == 1 {
            headers.inner = inner;
            headers.inner_ethernet = below(2) == 1;
        }
    }
    headers
}

/// A frame with hits in the given slots, each in one of the rings.
pub(crate) fn frame(random: &mut Random, bytes: usize, slots: &[usize], rings: &[u8]) -> Frame {
    let hits = slots.iter().map(|&slot| SlotHit {
        slot,
        index: random.below(1 << 17) as u32,
        scope: Scope::ALL[random.below(3) as usize],
        ring: rings[random.below(rings.len() as u64) as usize],
        destination: slot >= 17 && random.one_in(2),
    });
    let hits = hits.collect();
    Frame { bytes: random.bytes(bytes), error: false, hits, headers: headers(random) }
}
