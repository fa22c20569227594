//! Beats of the hard block's streams and the packets that they carry. [PG213 v1.3: descriptors and `tuser` of the 512-bit interfaces]

use super::judge::{Breach, Rule};
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

    /// A TLP begins in the beat.
    pub(super) fn begins(pins: &Pins) -> bool {
        bits(&pins.rq_user, 20, 2) != 0
    }

    /// Takes a beat.
    pub(super) fn beat(&mut self, pins: &Pins, max_payload_bytes: u32, mut found: impl FnMut(Result<Request, Breach>)) {
        let user = &pins.rq_user;
        let (starts, ends) = (bits(user, 20, 2), bits(user, 26, 2));
        let start_at = [bits(user, 22, 2) as usize * 4, bits(user, 24, 2) as usize * 4];
        let end_at = [bits(user, 28, 4) as usize, bits(user, 32, 4) as usize];
        let (mut started, mut ended, mut at) = (0, 0, 0);
        let framing = || {
            Breach::new(Rule::Framing, format!("is_sop {starts:02b} at {start_at:?}, is_eop {ends:02b} at {end_at:?}"))
        };
        if let Some(breach) = sideband(user) {
            found(Err(breach));
        }
        if self.partial.is_none() && starts & 1 == 0 {
            return found(Err(framing()));
        }
        loop {
            if self.partial.is_none() {
                if started == 2 || starts >> started & 1 == 0 {
                    break;
                }
                let start = start_at[started];
                if start < at {
                    return found(Err(framing()));
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
            found(Err(framing()));
        }
    }
}

/// What the card says besides about its TLPs, which is nothing.
fn sideband(user: &[u32]) -> Option<Breach> {
    if bits(user, 36, 1) == 1 {
        return Some(Breach::new(Rule::Discontinue, "RQ"));
    }
    // Offset of the address; everything behind `discontinue`: hints, sequence numbers, parity.
    let stray = [bits(user, 16, 4), user[1] & !0x1f, user[2], user[3], user[4]];
    (stray != [0; 5]).then(|| Breach::new(Rule::Sideband, format!("RQ's tuser {user:08x?}")))
}

fn request(partial: &Partial, max_payload_bytes: u32) -> Result<Request, Breach> {
    let [low, high, head, tail] = partial.descriptor;
    let evidence = format!("descriptor {low:08x} {high:08x} {head:08x} {tail:08x}, {} words", partial.seen);
    let breach = |rule| Err(Breach::new(rule, evidence.clone()));
    if partial.seen < 4 {
        return breach(Rule::Length);
    }
    // Address type; poison and whoever asks; whom, the tag, class, attributes: the hard block's, or 0.
    if low & 3 != 0 || head >> 15 != 0 || tail != 0 {
        return breach(Rule::Descriptor);
    }
    let address = u64::from(high) << 32 | u64::from(low);
    let words = head & 0x7ff;
    let bytes = words * 4;
    let last = if words == 1 { 0 } else { 0xf };
    if partial.first_enables != 0xf || partial.last_enables != last {
        return breach(Rule::Enables);
    }
    if bytes == 0 || bytes > max_payload_bytes.min(PAYLOAD_BYTES_MAX as u32) {
        return breach(Rule::Payload);
    }
    if address % 4096 + u64::from(bytes) > 4096 {
        return breach(Rule::PageBoundary);
    }
    match head >> 11 & 0xf {
        0 if partial.words.is_empty() => Ok(Request::Read { address, bytes }),
        1 if partial.words.len() == words as usize => {
            Ok(Request::Write { address, data: partial.words.iter().flat_map(|word| word.to_le_bytes()).collect() })
        }
        0 | 1 => breach(Rule::Length),
        _ => breach(Rule::Type),
    }
}

/// Who answers: the root port.
const HOST: u32 = 0x0008;

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
