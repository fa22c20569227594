//! TAI and UTC by a table of its own, so that a wrong table in the product shows.

const NS_PER_S: u64 = 1_000_000_000;

/// Second of UTC since 1970 from which TAI is ahead by so many seconds (IERS Bulletin C).
const LEAPS: [(u64, u64); 28] = [
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

/// TAI nanoseconds since 1970 for a time of UTC; before 1972 the two are taken to be 10 s apart.
pub fn tai_from_utc_ns(utc_ns: u64) -> u64 {
    let seconds = utc_ns / NS_PER_S;
    let ahead = LEAPS.iter().rev().find(|(from, _)| seconds >= *from).map_or(LEAPS[0].1, |(_, ahead)| *ahead);
    utc_ns + ahead * NS_PER_S
}

/// UTC nanoseconds since 1970 for a time of TAI. A stamp inside a leap second gets the second's predecessor again.
pub fn utc_from_tai_ns(tai_ns: u64) -> u64 {
    let seconds = tai_ns / NS_PER_S;
    let ahead =
        LEAPS.iter().rev().find(|(from, ahead)| seconds >= from + ahead).map_or(LEAPS[0].1, |(_, ahead)| *ahead);
    tai_ns.saturating_sub(ahead * NS_PER_S)
}
