//! Accesses of the host to the card: requests on CQ, answers on CC. [PG213 v1.3: completer request and completer completion descriptors]

use super::judge::{Breach, Rule};
use super::pins::{Pins, bits, set_bits};
use std::collections::BTreeMap;

/// Bus number and device of whoever asks: the root port's. Its functions take turns.
const HOST: u32 = 0x0008;
/// `log2` of BAR 0.
const APERTURE: u32 = writ_abi::pci::BAR_0_BYTES.trailing_zeros();
/// Words of a descriptor on CQ and on CC.
const REQUEST_WORDS: usize = 4;
const ANSWER_WORDS: usize = 3;
/// Bits of a CC descriptor that have to be 0: reserved ones, address type, locked, poison, completer, ECRC.
const ANSWER_ZEROS: [u32; 3] = [0xe000_ff80, 0x0000_c000, 0x81ff_ff00];

/// An access of the host to BAR 0: one or two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostAccess {
    /// Byte offset in BAR 0, a multiple of 4.
    pub(crate) offset: u32,
    /// One or two.
    pub(crate) words: usize,
    /// Byte enables of each word; what is behind the last word means nothing.
    pub(crate) enables: [u8; 2],
    /// What to write; `None`: read.
    pub(crate) value: Option<[u32; 2]>,
    /// Comes back with the answer.
    pub(crate) tag: u8,
}

impl HostAccess {
    /// One whole word.
    pub(crate) fn word(offset: u32, value: Option<u32>, tag: u8) -> Self {
        Self { offset, words: 1, enables: [0xf, 0], value: value.map(|value| [value, 0]), tag }
    }

    /// Every function of the root port asks.
    fn requester(&self) -> u32 {
        HOST | u32::from(self.tag & 7)
    }

    /// Class in bits 2:0, attributes in bits 5:3: all kinds, so that it shows who does not give them back.
    fn class_and_attributes(&self) -> u32 {
        u32::from(self.tag ^ self.tag >> 2) & 0x3f
    }

    /// The enabled bytes from the first to the last: their place, and their number.
    fn span(&self) -> (u32, u32) {
        let enables = u32::from(self.enables[0]) | if self.words == 2 { u32::from(self.enables[1]) << 4 } else { 0 };
        if enables == 0 {
            // A read of nothing: one byte that nobody looks at.
            return (0, 1);
        }
        let first = enables.trailing_zeros();
        (first, 32 - enables.leading_zeros() - first)
    }
}

/// Puts an access on CQ: one beat.
pub(super) fn put_access(pins: &mut Pins, access: &HostAccess, bar_base: u64) {
    let address = bar_base + u64::from(access.offset);
    let kind = u32::from(access.value.is_some());
    (pins.cq_data, pins.cq_user) = ([0; 16], [0; 6]);
    pins.cq_data[0] = address as u32;
    pins.cq_data[1] = (address >> 32) as u32;
    pins.cq_data[2] = access.words as u32 | kind << 11 | access.requester() << 16;
    pins.cq_data[3] = u32::from(access.tag) | APERTURE << 19 | access.class_and_attributes() << 25;
    // first_be, last_be; byte_en; is_sop, is_eop and where that is.
    set_bits(&mut pins.cq_user, 0, access.enables[0].into());
    if access.words == 2 {
        set_bits(&mut pins.cq_user, 8, access.enables[1].into());
    }
    let mut words = REQUEST_WORDS;
    for (value, enables) in access.value.iter().flatten().zip(access.enables).take(access.words) {
        pins.cq_data[words] = *value;
        set_bits(&mut pins.cq_user, 16 + 4 * words, enables.into());
        words += 1;
    }
    set_bits(&mut pins.cq_user, 80, 1);
    set_bits(&mut pins.cq_user, 86, 1);
    set_bits(&mut pins.cq_user, 88, words as u32 - 1);
    (pins.cq_valid, pins.cq_last) = (1, 1);
}

/// The card's answer to a read of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostAnswer {
    pub(crate) tag: u8,
    /// `None`: it was not successful.
    pub(crate) words: Option<Vec<u32>>,
}

/// Requests that have gone to the card and wait for an answer.
#[derive(Default)]
pub(super) struct Asked {
    /// By tag; `None`: it was answered.
    requests: BTreeMap<u8, Option<HostAccess>>,
}

impl Asked {
    pub(super) fn reset(&mut self) {
        self.requests.clear();
    }

    /// The card has taken a request.
    pub(super) fn asked(&mut self, access: &HostAccess) {
        if access.value.is_none() {
            self.requests.insert(access.tag, Some(*access));
        }
    }

    /// Reads a completion from CC, one beat, and holds it against its request.
    pub(super) fn take_answer(&mut self, pins: &Pins) -> Result<HostAnswer, Breach> {
        let [first, second, third, ..] = pins.cc_data;
        let evidence = format!("descriptor {first:08x} {second:08x} {third:08x}");
        let breach = |rule, what: &str| Err(Breach::new(rule, format!("{what}: {evidence}")));
        if bits(&pins.cc_user, 16, 1) == 1 {
            return breach(Rule::Discontinue, "CC");
        }
        // All but is_sop, its first pointer, is_eop and its first pointer.
        let stray = [pins.cc_user[0] & !0xfcf, pins.cc_user[1], pins.cc_user[2]];
        if stray != [0; 3] {
            return breach(Rule::Sideband, &format!("CC's tuser {:x?}", pins.cc_user));
        }
        let tag = third as u8;
        let asked = match self.requests.get(&tag) {
            Some(Some(asked)) => *asked,
            Some(None) => return breach(Rule::AnsweredTwice, "answered before"),
            None => return breach(Rule::UnknownTag, "never asked"),
        };
        let status = second >> 11 & 7;
        let words = if status == 0 { asked.words } else { 0 };
        let total = ANSWER_WORDS + words;
        let framed = bits(&pins.cc_user, 0, 4) == 1 && bits(&pins.cc_user, 6, 2) == 1;
        let ends = bits(&pins.cc_user, 8, 4) as usize == total - 1 && pins.cc_last == 1;
        let is_known = matches!(status, 0 | 1 | 4);
        if !framed || !ends || !is_known || pins.cc_keep != (1 << total) - 1 || (second & 0x7ff) as usize != words {
            return breach(Rule::Completion, &format!("keep {:04x}, tuser {:03x}", pins.cc_keep, pins.cc_user[0]));
        }
        if [first, second, third].iter().zip(ANSWER_ZEROS).any(|(word, zeros)| word & zeros != 0) {
            return breach(Rule::Descriptor, "CC");
        }
        if second >> 16 != asked.requester() || third >> 25 & 0x3f != asked.class_and_attributes() {
            return breach(Rule::Echo, &format!("asked by {:04x}", asked.requester()));
        }
        let (at, count) = asked.span();
        if (first & 0x7f, first >> 16 & 0x1fff) != ((asked.offset + at) & 0x7f, count) {
            return breach(Rule::Bytes, &format!("asked for {count} from {:x}", asked.offset + at));
        }
        self.requests.insert(tag, None);
        let found = pins.cc_data[ANSWER_WORDS..total].to_vec();
        Ok(HostAnswer { tag, words: (status == 0).then_some(found) })
    }
}
