//! Times as text: GeneralizedTime and UTCTime (X.680 clauses 46 and 47).

use super::Octets;
use crate::{EncodeError, time::UnixTime};

/// A GeneralizedTime as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GeneralizedTime<'a>(pub Octets<'a>);

/// A UTCTime as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UtcTime<'a>(pub Octets<'a>);

/// 9999-12-31T23:59:59Z, the last second that four digits of a year can say.
const LAST_SECOND: u64 = 253_402_300_799;

/// Year, month, day for days since 1970-01-01 (proleptic Gregorian calendar).
const fn date_from_days(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year: 400 years have 146,097 days.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on: 153 days for each five.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Days since 1970-01-01 for a date, which has to be no earlier.
const fn days_from_date(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    (year * 365 + year / 4 - year / 100 + year / 400 + day_of_year).checked_sub(719_468)
}

const fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A GeneralizedTime in UTC, microseconds without trailing zeros: the first octets count, as many as the number says. `None` after the
/// year 9999.
#[inline]
pub(crate) fn generalized_time(time: UnixTime) -> Option<([u8; 22], usize)> {
    if time.seconds() > LAST_SECOND {
        return None;
    }
    let (year, month, day) = date_from_days(time.seconds() / 86_400);
    let (hour, minute, second) = clock(time.seconds());
    let mut text = *b"YYYYMMDDhhmmss.ffffffZ";
    let pairs = [year / 100, year % 100, month, day, hour, minute, second];
    for (at, pair) in pairs.into_iter().enumerate() {
        text[2 * at] = b'0' + (pair / 10) as u8;
        text[2 * at + 1] = b'0' + (pair % 10) as u8;
    }
    let mut microseconds = time.microseconds();
    let mut end = 14;
    for at in (15..21).rev() {
        text[at] = b'0' + (microseconds % 10) as u8;
        if end == 14 && text[at] != b'0' {
            end = at + 1;
        }
        microseconds /= 10;
    }
    text[end] = b'Z';
    Some((text, end + 1))
}

impl GeneralizedTime<'static> {
    /// In UTC, microseconds without trailing zeros: `20231114221320.123456Z`.
    pub fn from_unix(time: UnixTime) -> Result<Self, EncodeError> {
        let (text, octets) = generalized_time(time).ok_or(EncodeError::ValueOutOfRange { field: "GeneralizedTime" })?;
        Ok(Self(text[..octets].to_vec().into()))
    }
}

impl UtcTime<'static> {
    /// `YYMMDDhhmmssZ`; two digits can say the years up to 2049 only.
    pub fn from_unix(time: UnixTime) -> Result<Self, EncodeError> {
        let (year, month, day) = date_from_days(time.seconds().min(LAST_SECOND) / 86_400);
        if year > 2049 {
            return Err(EncodeError::ValueOutOfRange { field: "UTCTime" });
        }
        let (hour, minute, second) = clock(time.seconds());
        Ok(Self(format!("{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z", year % 100).into()))
    }
}

const fn clock(seconds: u64) -> (u64, u64, u64) {
    (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

impl GeneralizedTime<'_> {
    /// The point in time, if the text is complete to the second, not before 1970, and says its offset from UTC (`Z` or `+hhmm`);
    /// digits below a nanosecond are cut.
    pub fn to_unix(&self) -> Option<UnixTime> {
        let (date, rest) = self.0.as_text()?.split_at_checked(8)?;
        let year = decimal(date.get(..4)?)?;
        to_unix(year, date.get(4..)?, rest)
    }
}

impl UtcTime<'_> {
    /// The point in time, if the text has seconds, is not before 1970 and says its offset from UTC (`Z` or `+hhmm`).
    pub fn to_unix(&self) -> Option<UnixTime> {
        let (date, rest) = self.0.as_text()?.split_at_checked(6)?;
        let year = decimal(date.get(..2)?)?;
        if rest.contains(['.', ',']) {
            return None;
        }
        to_unix(if year < 50 { 2000 + year } else { 1900 + year }, date.get(2..)?, rest)
    }
}

fn decimal(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// From a year, `MMDD` and `hhmmss[.f]` with an offset.
fn to_unix(year: u64, month_day: &str, rest: &str) -> Option<UnixTime> {
    let (month, day) = month_day.split_at_checked(2)?;
    let (month, day) = (decimal(month)?, decimal(day)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }
    let (time, rest) = rest.split_at_checked(6)?;
    let (hour, minute, second) = (decimal(time.get(..2)?)?, decimal(time.get(2..4)?)?, decimal(time.get(4..)?)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanoseconds, zone) = fraction(rest)?;
    let local = days_from_date(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = match zone.split_at_checked(1)? {
        ("Z", "") => local,
        ("+", offset) => local.checked_sub(offset_seconds(offset)?)?,
        ("-", offset) => local + offset_seconds(offset)?,
        _ => return None,
    };
    UnixTime::new(seconds, nanoseconds)
}

/// Nanoseconds of `.digits`, if there are any, and what comes after.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = text.strip_prefix(['.', ',']) else { return Some((0, text)) };
    let end = digits.bytes().position(|octet| !octet.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let nanoseconds =
        digits.bytes().chain(std::iter::repeat(b'0')).take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some((nanoseconds, rest))
}

fn offset_seconds(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_at_checked(2)?;
    let (hours, minutes) = (decimal(hours)?, if minutes.is_empty() { 0 } else { decimal(minutes)? });
    (hours <= 23 && minutes <= 59 && matches!(text.len(), 2 | 4)).then_some(hours * 3_600 + minutes * 60)
}
