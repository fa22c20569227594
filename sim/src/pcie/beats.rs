//! Beats of the hard block's streams and the packets that they carry. [PG213 v1.3: descriptors and `tuser` of the 512-bit interfaces]

use super::pins::{Pins, bits, set_bits};
use std::collections::VecDeque;

/// Words of a beat.
const WORDS: usize = 16;
/// Most bytes of a TLP's payload.
const PAYLOAD_BYTES_MAX: usize = 512;

/// What the card asks for on RQ.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Request {
    Write { address: u64, data: Vec<u8> },
    Read { address: u64, bytes: u32 },
}

/// How the card broke the rules of RQ or CC. The gateware is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A TLP ends before its length is over, or goes on behind it.
    Length,
    /// A TLP begins inside another one, or a beat holds none.
    Framing,
    /// Byte enables that do not fit the length.
    Enables,
    /// A request type that the card has no use for.
    Type,
    /// More payload than the maximum payload size, or none.
    Payload,
    /// A write or a read over a multiple of 4096 bytes.
    PageBoundary,
    /// A new request when bus master has been off for a while.
    NotBusMaster,
    /// A completion that nobody waits for, or of a wrong size.
    Completion,
}

/// A TLP on its way through RQ.
struct Partial {
    descriptor: [u32; 4],
    first_enables: u32,
    last_enables: u32,
    words: Vec<u32>,
    /// Words that have come, descriptor included.
    seen: usize,
}

/// RQ with straddle: beats in, requests out.
#[derive(Default)]
pub(super) struct RequestParser {
    partial: Option<Partial>,
}

impl RequestParser {
    /// Forgets a TLP that has begun.
    pub(super) fn reset(&mut self) {
        self.partial = None;
    }

    /// Takes a beat.
    pub(super) fn beat(
        &mut self,
        pins: &Pins,
        max_payload_bytes: u32,
        mut found: impl FnMut(Result<Request, Violation>),
    ) {
        let user = &pins.rq_user;
        let (starts, ends) = (bits(user, 20, 2), bits(user, 26, 2));
        let start_at = [bits(user, 22, 2) as usize * 4, bits(user, 24, 2) as usize * 4];
        let end_at = [bits(user, 28, 4) as usize, bits(user, 32, 4) as usize];
        let (mut started, mut ended, mut at) = (0, 0, 0);
        if self.partial.is_none() && starts & 1 == 0 {
            return found(Err(Violation::Framing));
        }
        loop {
            if self.partial.is_none() {
                if started == 2 || starts >> started & 1 == 0 {
                    break;
                }
                let start = start_at[started];
                if start < at {
                    return found(Err(Violation::Framing));
                }
                at = start;
                self.partial = Some(Partial {
                    descriptor: [0; 4],
                    first_enables: bits(user, 4 * started, 4),
                    last_enables: bits(user, 8 + 4 * started, 4),
                    words: Vec::with_capacity(PAYLOAD_BYTES_MAX / 4),
                    seen: 0,
                });
                started += 1;
            }
            let ends_here = ended < 2 && ends >> ended & 1 == 1;
            let end = if ends_here { end_at[ended] + 1 } else { WORDS };
            let Some(partial) = &mut self.partial else { break };
            for word in pins.rq_data.iter().take(end).skip(at) {
                match partial.descriptor.get_mut(partial.seen) {
                    Some(place) => *place = *word,
                    None => partial.words.push(*word),
                }
                partial.seen += 1;
            }
            if !ends_here {
                break;
            }
            at = end;
            ended += 1;
            if let Some(partial) = self.partial.take() {
                found(request(&partial, max_payload_bytes));
            }
        }
        if starts >> started != 0 || ends >> ended != 0 {
            found(Err(Violation::Framing));
        }
    }
}

fn request(partial: &Partial, max_payload_bytes: u32) -> Result<Request, Violation> {
    let [low, high, head, _] = partial.descriptor;
    if partial.seen < 4 {
        return Err(Violation::Length);
    }
    let address = u64::from(high) << 32 | u64::from(low & !3);
    let words = head & 0x7ff;
    let bytes = words * 4;
    let last = if words == 1 { 0 } else { 0xf };
    if partial.first_enables != 0xf || partial.last_enables != last {
        return Err(Violation::Enables);
    }
    if bytes == 0 || bytes > max_payload_bytes.min(PAYLOAD_BYTES_MAX as u32) {
        return Err(Violation::Payload);
    }
    if address % 4096 + u64::from(bytes) > 4096 {
        return Err(Violation::PageBoundary);
    }
    match head >> 11 & 0xf {
        0 if partial.words.is_empty() => Ok(Request::Read { address, bytes }),
        1 if partial.words.len() == words as usize => {
            Ok(Request::Write { address, data: partial.words.iter().flat_map(|word| word.to_le_bytes()).collect() })
        }
        0 | 1 => Err(Violation::Length),
        _ => Err(Violation::Type),
    }
}

/// An access of the host to BAR 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostAccess {
    /// Byte offset in BAR 0, a multiple of 4.
    pub(crate) offset: u32,
    /// What to write; `None`: read.
    pub(crate) value: Option<u32>,
    /// Comes back with the answer.
    pub(crate) tag: u8,
}

/// Bus number, device and function of whoever asks: the root port's.
const HOST: u32 = 0x0008;
/// `log2` of BAR 0.
const APERTURE: u32 = writ_abi::pci::BAR_0_BYTES.trailing_zeros();

/// Puts an access on CQ: one beat.
pub(super) fn put_access(pins: &mut Pins, access: &HostAccess, bar_base: u64) {
    let address = bar_base + u64::from(access.offset);
    let kind = u32::from(access.value.is_some());
    (pins.cq_data, pins.cq_user) = ([0; 16], [0; 6]);
    pins.cq_data[0] = address as u32;
    pins.cq_data[1] = (address >> 32) as u32;
    pins.cq_data[2] = 1 | kind << 11 | HOST << 16;
    pins.cq_data[3] = u32::from(access.tag) | APERTURE << 19;
    let words = match access.value {
        Some(value) => {
            pins.cq_data[4] = value;
            5
        }
        None => 4,
    };
    // first_be; byte_en; is_sop, is_eop and where that is.
    set_bits(&mut pins.cq_user, 0, 0xf);
    if words == 5 {
        set_bits(&mut pins.cq_user, 16 + 16, 0xf);
    }
    set_bits(&mut pins.cq_user, 80, 1);
    set_bits(&mut pins.cq_user, 86, 1);
    set_bits(&mut pins.cq_user, 88, words - 1);
    (pins.cq_valid, pins.cq_last) = (1, 1);
}

/// The card's answer to a read of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostAnswer {
    pub(crate) tag: u8,
    /// `None`: it was not successful.
    pub(crate) value: Option<u32>,
}

/// Reads a completion from CC: one beat, of one word or none.
pub(super) fn take_answer(pins: &Pins) -> Result<HostAnswer, Violation> {
    let [first, second, third, value, ..] = pins.cc_data;
    let status = second >> 11 & 7;
    let (words, bytes) = (second & 0x7ff, first >> 16 & 0x1fff);
    let expected = if status == 0 { 1 } else { 0 };
    let keep = (1 << (3 + expected)) - 1;
    let framed = bits(&pins.cc_user, 0, 2) == 1 && bits(&pins.cc_user, 6, 2) == 1;
    let ends = bits(&pins.cc_user, 8, 4) == 2 + expected;
    let shape = pins.cc_last == 1 && pins.cc_keep == keep && framed && ends;
    if !shape || words != expected || bytes != 4 || second >> 16 != HOST {
        return Err(Violation::Completion);
    }
    Ok(HostAnswer { tag: third as u8, value: (status == 0).then_some(value) })
}

/// A completion for the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Completion {
    pub(super) tag: u8,
    /// The hard block's error code; 0: good.
    pub(super) code: u32,
    /// PCIe completion status: 0 good, 1 unsupported request, 4 completer abort.
    pub(super) status: u32,
    pub(super) is_poisoned: bool,
    /// The request has ended with it.
    pub(super) is_last: bool,
    /// Of the first byte.
    pub(super) address: u64,
    /// Bytes that are left of the request, this completion's included.
    pub(super) bytes_left: u32,
    pub(super) words: Vec<u32>,
}

/// A beat of RC.
pub(super) struct CompletionBeat {
    data: [u32; WORDS],
    user: [u32; 6],
    keep: u16,
    last: bool,
}

/// Cuts a completion into beats.
pub(super) fn put_completion(completion: &Completion, beats: &mut VecDeque<CompletionBeat>) {
    let count = completion.words.len() as u32;
    let first = (completion.address & 0xfff) as u32
        | completion.code << 12
        | completion.bytes_left << 16
        | u32::from(completion.is_last) << 30;
    let second = count | completion.status << 11 | u32::from(completion.is_poisoned) << 14;
    let third = u32::from(completion.tag) | HOST << 8;
    let words: Vec<u32> = [first, second, third].into_iter().chain(completion.words.iter().copied()).collect();
    let chunks = words.chunks(WORDS).count();
    for (at, chunk) in words.chunks(WORDS).enumerate() {
        let mut beat = CompletionBeat {
            data: [0; WORDS],
            user: [0; 6],
            keep: ((1_u32 << chunk.len()) - 1) as u16,
            last: at + 1 == chunks,
        };
        beat.data[..chunk.len()].copy_from_slice(chunk);
        for word in 0..chunk.len() {
            // byte_en marks payload.
            if at > 0 || word >= 3 {
                set_bits(&mut beat.user, 4 * word, 0xf);
            }
        }
        set_bits(&mut beat.user, 64, u32::from(at == 0));
        set_bits(&mut beat.user, 76, u32::from(beat.last));
        if beat.last {
            set_bits(&mut beat.user, 80, chunk.len() as u32 - 1);
        }
        beats.push_back(beat);
    }
}

/// Puts a beat on RC.
pub(super) fn put_beat(pins: &mut Pins, beat: &CompletionBeat) {
    (pins.rc_data, pins.rc_user, pins.rc_keep) = (beat.data, beat.user, beat.keep);
    (pins.rc_valid, pins.rc_last) = (1, beat.last.into());
}
