//! RFC 3339 text to and from POSIX seconds. No leap seconds here: TAI and UTC meet elsewhere, in one function.

use core::fmt;

/// An instant of UTC as POSIX counts it: every day has 86 400 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcTime {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub posix_s: u64,
    /// Nanoseconds of that second, below 1e9.
    pub nanos: u32,
}

/// What is wrong with a text that should be an RFC 3339 date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarError {
    /// It does not have the form `2026-01-31T12:00:00Z` (fraction and offset allowed).
    Form,
    /// A field is out of its range; its name.
    Range(&'static str),
    /// Before 1970 or after 9999.
    Era,
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => write!(f, "not of the form 2026-01-31T12:00:00Z or 2026-01-31T12:00:00.25+01:00"),
            Self::Range(name) => write!(f, "the {name} is out of range"),
            Self::Era => write!(f, "only the years 1970 to 9999 can be given"),
        }
    }
}

impl core::error::Error for CalendarError {}

const DAY_S: i64 = 86_400;

impl UtcTime {
    /// Reads a date and time of RFC 3339. A leap second (`:60`) is refused: an order that ends there has to name the
    /// second before or after.
    ///
    /// # Errors
    /// [`CalendarError`].
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let bytes = text.as_bytes();
        if bytes.len() < 20 || !text.is_ascii() {
            return Err(CalendarError::Form);
        }
        let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if separators.iter().any(|&(at, wanted)| bytes[at] != wanted) || !matches!(bytes[10], b'T' | b't' | b' ') {
            return Err(CalendarError::Form);
        }
        let field = |from: usize, to: usize| digits(&bytes[from..to]);
        let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
        let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
        in_range(month, 1, 12, "month")?;
        in_range(day, 1, days_in_month(year, month), "day")?;
        in_range(hour, 0, 23, "hour")?;
        in_range(minute, 0, 59, "minute")?;
        in_range(second, 0, 59, "second")?;
        let (nanos, zone) = fraction(&bytes[19..])?;
        let offset_s = zone_offset_s(zone)?;
        let seconds = days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - offset_s;
        let posix_s = u64::try_from(seconds).map_err(|_| CalendarError::Era)?;
        Ok(Self { posix_s, nanos })
    }
}

impl fmt::Display for UtcTime {
    /// RFC 3339 with `Z`; nine digits of fraction, because two stamps of one millisecond should stay two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = (self.posix_s / DAY_S as u64) as i64;
        let second = self.posix_s % DAY_S as u64;
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:09}Z", self.nanos)
    }
}

fn digits(bytes: &[u8]) -> Result<i64, CalendarError> {
    bytes.iter().try_fold(0_i64, |value, byte| match byte {
        b'0'..=b'9' => Ok(value * 10 + i64::from(byte - b'0')),
        _ => Err(CalendarError::Form),
    })
}

fn in_range(value: i64, low: i64, high: i64, name: &'static str) -> Result<(), CalendarError> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(CalendarError::Range(name)) }
}

fn fraction(rest: &[u8]) -> Result<(u32, &[u8]), CalendarError> {
    let Some(rest) = rest.strip_prefix(b".") else { return Ok((0, rest)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (value, zone) = rest.split_at(length);
    if !(1..=9).contains(&length) {
        return Err(CalendarError::Form);
    }
    let scale = 10_i64.pow(9 - length as u32);
    Ok(((digits(value)? * scale) as u32, zone))
}

fn zone_offset_s(zone: &[u8]) -> Result<i64, CalendarError> {
    match zone {
        [b'Z' | b'z'] => Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hour, minute) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            in_range(hour, 0, 23, "offset")?;
            in_range(minute, 0, 59, "offset")?;
            let seconds = hour * 3600 + minute * 60;
            Ok(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => Err(CalendarError::Form),
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days before the first of `month` in a common year.
const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Days from 1970-01-01 to the first of January of `year`.
fn days_before_year(year: i64) -> i64 {
    let past = year - 1;
    let leap_days = |y: i64| y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    (year - 1970) * 365 + leap_days(past) - leap_days(1969)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let leap_day = i64::from(month > 2 && is_leap(year));
    days_before_year(year) + DAYS_BEFORE_MONTH[(month - 1) as usize] + leap_day + day - 1
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // The estimate is at most one year off, as 365.2425 is the mean length of a year.
    let mut year = 1970 + days * 10_000 / 3_652_425;
    while days_before_year(year) > days {
        year -= 1;
    }
    while days_before_year(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_before_year(year);
    let mut month = 1;
    while day >= days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2000-02-29T23:59:59Z", 951_868_799, 0),
            ("2023-11-14T22:13:20.5Z", 1_700_000_000, 500_000_000),
            ("2023-11-15T00:13:20.000000001+02:00", 1_700_000_000, 1),
            ("2023-11-14T17:43:20-04:30", 1_700_000_000, 0),
        ];
        for (text, posix_s, nanos) in cases {
            assert_eq!(UtcTime::parse(text), Ok(UtcTime { posix_s, nanos }), "{text}");
        }
        let time = UtcTime { posix_s: 951_868_799, nanos: 1_000_000 };
        assert_eq!(time.to_string(), "2000-02-29T23:59:59.001000000Z");
    }

    #[test]
    fn every_day_of_eight_centuries_survives_the_round_trip() {
        for day in 0..300_000_u64 {
            let time = UtcTime { posix_s: day * 86_400 + day % 86_400, nanos: 0 };
            assert_eq!(UtcTime::parse(&time.to_string()), Ok(time));
        }
    }

    #[test]
    fn bad_texts_are_refused() {
        use CalendarError::{Era, Form, Range};
        let cases = [
            ("", Form),
            ("2023-11-14", Form),
            ("2023-11-14T22:13:20", Form),
            ("2023-11-14T22:13:20.Z", Form),
            ("2023-11-14T22:13:20.1234567890Z", Form),
            ("2023/11/14T22:13:20Z", Form),
            ("2023-11-14T22:13:2xZ", Form),
            ("2023-11-14T22:13:20+0100", Form),
            ("2023-11-14T22:13:2é Z", Form),
            ("2023-13-14T22:13:20Z", Range("month")),
            ("2023-02-29T22:13:20Z", Range("day")),
            ("2023-11-14T24:00:00Z", Range("hour")),
            ("2016-12-31T23:59:60Z", Range("second")),
            ("2023-11-14T22:13:20+25:00", Range("offset")),
            ("1969-12-31T23:59:59Z", Era),
        ];
        for (text, error) in cases {
            assert_eq!(UtcTime::parse(text), Err(error), "{text}");
        }
    }
}
