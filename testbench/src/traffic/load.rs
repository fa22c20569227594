//! What a measurement offers to a card: sizes of frames, how many of them match, table commands beside them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use writ_sim::wire::IMIX;

/// Bytes of the FCS, which the wire carries and sizes here do not count.
pub const FCS_BYTES: usize = 4;
/// The smallest size: minimal Ethernet frames.
pub const FRAME_BYTES_MIN: u16 = 60;
/// The biggest size that is ever measured.
pub const FRAME_BYTES_MAX: u16 = 9600;

/// Sizes of the frames of a case, in bytes without FCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FrameSizes {
    /// All the same.
    Fixed(u16),
    /// The Internet mix.
    Mix(Mix),
}

/// The mix, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mix {
    /// [`IMIX`].
    #[serde(rename = "imix")]
    Imix,
}

impl FrameSizes {
    /// Size of a frame by its number.
    pub fn of(self, number: u64) -> u16 {
        match self {
            Self::Fixed(bytes) => bytes,
            Self::Mix(Mix::Imix) => {
                // Five and twelve have no factor in common: every place once, and sizes well mixed.
                let mut place = number * 5 % 12;
                for (bytes, share) in IMIX {
                    if place < share {
                        return bytes;
                    }
                    place -= share;
                }
                IMIX[0].0
            }
        }
    }
}

impl fmt::Display for FrameSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(bytes) => bytes.fmt(f),
            Self::Mix(Mix::Imix) => "imix".fmt(f),
        }
    }
}

impl FromStr for FrameSizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "imix" {
            return Ok(Self::Mix(Mix::Imix));
        }
        let bytes = text.parse().ok().filter(|bytes| (FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(bytes));
        bytes.map(Self::Fixed).ok_or_else(|| format!("{FRAME_BYTES_MIN} to {FRAME_BYTES_MAX} bytes, or `imix`"))
    }
}

/// Whether a frame matches, by its number on its port, when `percent` of 100 do. As evenly spread as can be.
pub fn is_matched(number: u64, percent: u8) -> bool {
    let share = u64::from(percent);
    (number + 1) * share / 100 > number * share / 100
}

/// What is measured: every size with every share and every rate of commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// Sizes.
    pub frame_bytes: Vec<FrameSizes>,
    /// Shares of frames that match, of 100.
    pub matched_percent: Vec<u8>,
    /// Table commands a second of card time.
    pub commands_per_s: Vec<u32>,
    /// Clocks of line rate in each case.
    pub clocks: u64,
}

/// Sizes of the whole measurement.
const SIZES: [u16; 11] = [60, 61, 64, 65, 127, 128, 129, 256, 512, 1518, 9600];

impl Default for LoadPlan {
    /// The whole measurement.
    fn default() -> Self {
        let sizes = SIZES.map(FrameSizes::Fixed).into_iter().chain([FrameSizes::Mix(Mix::Imix)]);
        Self {
            frame_bytes: sizes.collect(),
            matched_percent: vec![0, 1, 10, 100],
            commands_per_s: vec![0, 10_000_000],
            clocks: 100_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_the_internet_s() {
        let mix = FrameSizes::Mix(Mix::Imix);
        for first in [0, 12, 5000] {
            let count = |bytes| (first..first + 12).filter(|number| mix.of(*number) == bytes).count();
            assert_eq!([count(60), count(590), count(1514)], [7, 4, 1]);
        }
    }

    #[test]
    fn shares_are_exact_and_even() {
        for percent in [0, 1, 10, 33, 100] {
            for first in [0, 100, 1700] {
                let count = (first..first + 100).filter(|number| is_matched(*number, percent)).count();
                assert_eq!(count, usize::from(percent));
            }
        }
        let tenth: Vec<u64> = (0..40).filter(|number| is_matched(*number, 10)).collect();
        assert_eq!(tenth, [9, 19, 29, 39]);
    }

    #[test]
    fn sizes_are_words_or_numbers() {
        assert_eq!("imix".parse(), Ok(FrameSizes::Mix(Mix::Imix)));
        assert_eq!("9600".parse(), Ok(FrameSizes::Fixed(9600)));
        for bad in ["", "59", "9601", "IMIX", "-1", "1e3"] {
            assert!(bad.parse::<FrameSizes>().is_err(), "{bad}");
        }
        let plan = LoadPlan {
            frame_bytes: vec![FrameSizes::Fixed(60), FrameSizes::Mix(Mix::Imix)],
            matched_percent: vec![0, 100],
            commands_per_s: vec![10_000_000],
            clocks: 7,
        };
        let text = serde_json::to_string(&plan).expect("text");
        assert!(text.contains(r#""frame_bytes":[60,"imix"]"#), "{text}");
        assert_eq!(serde_json::from_str::<LoadPlan>(&text).expect("a plan"), plan);
    }
}
