//! TAI and UTC. [`LeapTable::utc_from_tai`] is the only place in the product where a stamp of the card becomes UTC.
//!
//! Leap seconds are announced half a year ahead, so a table has an end: [`LeapTable::expires`]. Past it the table is *stale*:
//! conversions go on with the last known difference, and [`LeapTable::is_stale`] tells the daemon to raise the alarm.

use crate::units::TaiNs;
use core::fmt;
use writ_handover::time::UnixTime;

const NS_PER_S: u64 = 1_000_000_000;
/// Seconds from 1900-01-01 (the epoch of the table's file form) to 1970-01-01.
const NTP_TO_UNIX_S: u64 = 2_208_988_800;
/// (UTC second from which it holds, TAI-UTC in seconds), from IERS Bulletin C.
const BUILT_IN: [(u64, u64); 28] = [
    (63_072_000, 10),
    (78_796_800, 11),
    (94_694_400, 12),
    (126_230_400, 13),
    (157_766_400, 14),
    (189_302_400, 15),
    (220_924_800, 16),
    (252_460_800, 17),
    (283_996_800, 18),
    (315_532_800, 19),
    (362_793_600, 20),
    (394_329_600, 21),
    (425_865_600, 22),
    (489_024_000, 23),
    (567_993_600, 24),
    (631_152_000, 25),
    (662_688_000, 26),
    (709_948_800, 27),
    (741_484_800, 28),
    (773_020_800, 29),
    (820_454_400, 30),
    (867_715_200, 31),
    (915_148_800, 32),
    (1_136_073_600, 33),
    (1_230_768_000, 34),
    (1_341_100_800, 35),
    (1_435_708_800, 36),
    (1_483_228_800, 37),
];
/// When [`BUILT_IN`] ends: 2027-06-28T00:00:00Z.
const BUILT_IN_EXPIRES_S: u64 = 1_814_140_800;

/// Differences between TAI and UTC, and until when they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeapTable {
    // Rising in both members; never empty.
    steps: Vec<(u64, u64)>,
    expires_s: u64,
}

/// Why a text is no leap second table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeapError {
    /// A line is neither a comment nor two numbers; its number, from 1.
    Line(usize),
    /// A line's time or difference does not continue the line before; its number, from 1.
    Order(usize),
    /// There is no line `#@` with the table's end.
    NoExpiry,
    /// There is no line with a difference.
    Empty,
}

impl fmt::Display for LeapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => {
                write!(f, "leap second table, line {line}: neither a comment nor `NTP-SECONDS TAI-UTC`")
            }
            Self::Order(line) => write!(f, "leap second table, line {line}: does not continue the line before it"),
            Self::NoExpiry => write!(f, "leap second table: no line `#@` says when it expires"),
            Self::Empty => write!(f, "leap second table: no line with a difference"),
        }
    }
}

impl core::error::Error for LeapError {}

impl Default for LeapTable {
    fn default() -> Self {
        Self::built_in()
    }
}

impl LeapTable {
    /// The table this version was built with. Load a newer one with [`LeapTable::parse`] where there is one.
    pub fn built_in() -> Self {
        Self { steps: BUILT_IN.to_vec(), expires_s: BUILT_IN_EXPIRES_S }
    }

    /// Reads the `leap-seconds.list` of IERS and NIST (as tzdata installs it).
    ///
    /// # Errors
    /// [`LeapError`]. The caller keeps the table it has.
    pub fn parse(text: &str) -> Result<Self, LeapError> {
        let mut steps: Vec<(u64, u64)> = Vec::new();
        let mut expires_s = None;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if let Some(expiry) = line.strip_prefix("#@") {
                let ntp: u64 = expiry.trim().parse().map_err(|_| LeapError::Line(number))?;
                expires_s = Some(ntp.checked_sub(NTP_TO_UNIX_S).ok_or(LeapError::Line(number))?);
            }
            let data = line.split('#').next().unwrap_or_default().trim();
            if data.is_empty() {
                continue;
            }
            let mut columns = data.split_ascii_whitespace().map(str::parse::<u64>);
            let (Some(Ok(ntp)), Some(Ok(difference)), None) = (columns.next(), columns.next(), columns.next()) else {
                return Err(LeapError::Line(number));
            };
            let from_s = ntp.checked_sub(NTP_TO_UNIX_S).ok_or(LeapError::Line(number))?;
            let continues =
                steps.last().is_none_or(|&(last_s, last)| from_s > last_s && difference.abs_diff(last) == 1);
            // Two minutes are more than any difference in the life of this product: a wrong column is noticed here.
            if !continues || difference > 120 {
                return Err(LeapError::Order(number));
            }
            steps.push((from_s, difference));
        }
        if steps.is_empty() {
            return Err(LeapError::Empty);
        }
        Ok(Self { steps, expires_s: expires_s.ok_or(LeapError::NoExpiry)? })
    }

    /// UTC of a stamp. Inside an inserted leap second (23:59:60, which POSIX time cannot count) the answer stays at the last
    /// nanosecond before it: order is kept and nothing is dated later than it was. Stamps before the first entry are converted with
    /// its difference.
    pub fn utc_from_tai(&self, stamp: TaiNs) -> UnixTime {
        let (tai_s, ns) = (stamp.0 / NS_PER_S, stamp.0 % NS_PER_S);
        // Nearly every stamp there will ever be: no search for each packet.
        if let Some(&(last_s, difference)) = self.steps.last()
            && tai_s >= last_s + difference
        {
            return UnixTime::new(tai_s - difference, ns as u32).unwrap_or(UnixTime::EPOCH);
        }
        let step = self.steps.partition_point(|&(from_s, difference)| from_s + difference <= tai_s).saturating_sub(1);
        let (_, difference) = self.steps[step];
        let utc_s = tai_s.saturating_sub(difference);
        match self.steps.get(step + 1) {
            Some(&(next_s, _)) if utc_s >= next_s => UnixTime::from_ns(next_s * NS_PER_S - 1),
            _ => UnixTime::from_ns(utc_s * NS_PER_S + ns),
        }
    }

    /// The stamp of a point in UTC; the inverse of [`LeapTable::utc_from_tai`], used for the limits of orders and for captures.
    /// `None` if it is beyond what the card's clock can count (the year 2554).
    pub fn tai_from_utc(&self, utc: UnixTime) -> Option<TaiNs> {
        let step = self.steps.partition_point(|&(from_s, _)| from_s <= utc.seconds()).saturating_sub(1);
        let tai_s = utc.seconds().checked_add(self.steps[step].1)?;
        tai_s.checked_mul(NS_PER_S)?.checked_add(u64::from(utc.nanoseconds())).map(TaiNs)
    }

    /// Until when the table is known to be complete.
    pub fn expires(&self) -> UnixTime {
        UnixTime::from_ns(self.expires_s * NS_PER_S)
    }

    /// Whether `now` lies past the table's end: a newer one has to be installed.
    pub fn is_stale(&self, now: UnixTime) -> bool {
        now.seconds() >= self.expires_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(table: &LeapTable, s: u64, ns: u64) -> (u64, u32) {
        let time = table.utc_from_tai(TaiNs(s * NS_PER_S + ns));
        (time.seconds(), time.nanoseconds())
    }

    #[test]
    fn the_last_leap_second_is_where_it_was() {
        let table = LeapTable::built_in();
        // 2016-12-31T23:59:59Z is TAI-UTC = 36, 2017-01-01T00:00:00Z is 37.
        assert_eq!(utc(&table, 1_483_228_799 + 36, 5), (1_483_228_799, 5));
        assert_eq!(utc(&table, 1_483_228_800 + 36, 5), (1_483_228_799, 999_999_999), "23:59:60 is held");
        assert_eq!(utc(&table, 1_483_228_800 + 37, 5), (1_483_228_800, 5));
    }

    #[test]
    fn reads_the_published_form() {
        let text: String = BUILT_IN.iter().map(|(s, d)| format!("{} {d} # x\n", s + NTP_TO_UNIX_S)).collect();
        let text = format!("#$ 1\n#@ {}\n# words\n\n{text}#h 0 0\n", BUILT_IN_EXPIRES_S + NTP_TO_UNIX_S);
        assert_eq!(LeapTable::parse(&text), Ok(LeapTable::built_in()));
    }

    #[test]
    fn refuses_what_is_no_table() {
        assert_eq!(LeapTable::parse("#@ 3991593600\n"), Err(LeapError::Empty));
        assert_eq!(LeapTable::parse("2272060800 10\n"), Err(LeapError::NoExpiry));
        assert_eq!(LeapTable::parse("#@ 3991593600\n2272060800 ten\n"), Err(LeapError::Line(2)));
        assert_eq!(LeapTable::parse("2272060800 10\n2272060800 11\n"), Err(LeapError::Order(2)));
        assert_eq!(LeapTable::parse("2272060800 10\n2287785600 13\n"), Err(LeapError::Order(2)));
        assert_eq!(LeapTable::parse("12 10\n"), Err(LeapError::Line(1)));
    }

    #[test]
    fn says_when_it_is_stale() {
        let table = LeapTable::built_in();
        let expires = table.expires();
        assert!(table.is_stale(expires));
        assert!(!table.is_stale(UnixTime::from_ns(expires.seconds() * NS_PER_S - 1)));
    }

    proptest! {
        #[test]
        fn there_and_back(seconds in 0..4_000_000_000_u64, ns in 0..1_000_000_000_u32) {
            let table = LeapTable::built_in();
            let there = UnixTime::new(seconds, ns).expect("below a second");
            let tai = table.tai_from_utc(there).expect("in range");
            prop_assert_eq!(table.utc_from_tai(tai), there);
        }

        #[test]
        fn never_runs_back(a: u64, step in 0..3_000_000_000_u64) {
            let table = LeapTable::built_in();
            prop_assert!(table.utc_from_tai(TaiNs(a)) <= table.utc_from_tai(TaiNs(a.saturating_add(step))));
        }
    }
}
