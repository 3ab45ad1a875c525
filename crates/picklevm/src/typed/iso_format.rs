//! The texts that `fromisoformat` of `date`, `time` and `datetime` reads, as CPython 3.13 does (`_pydatetime.py`).

use super::datetime::{Date, Time};
use super::timedelta::TimeDelta;
use super::zones::TimeZone;

/// Longer texts have no date.
const MAX_LEN: usize = 100;

/// Reads `2030-01-02`, `20300102`, `2030-W01-3`, `2030W013`, `2030-W01` or `2030W01`.
pub(super) fn date(text: &str) -> Option<Date> {
    let text = text.as_bytes();
    if !matches!(text.len(), 7 | 8 | 10) {
        return None;
    }
    let year = number(text.get(..4)?)?;
    let has_separator = text[4] == b'-';
    let rest = &text[4 + usize::from(has_separator)..];
    // Removes the separator before the next part, which is there if one is after the year.
    let next = |rest: &'_ [u8]| match rest.strip_prefix(b"-") {
        Some(_) if !has_separator => None,
        Some(part) => Some(part.to_vec()),
        None => (!has_separator).then(|| rest.to_vec()),
    };
    if let Some(rest) = rest.strip_prefix(b"W") {
        let week = number(rest.get(..2)?)?;
        let day = match &rest[2..] {
            [] => 1,
            rest => number(&next(rest)?).filter(|day| *day < 10)?,
        };
        return Date::from_iso_week(year.into(), week.into(), day.into());
    }
    let month = number(rest.get(..2)?)?;
    let day = next(&rest[2..])?;
    let day = number(&day).filter(|_| day.len() == 2)?;
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Reads `09`, `09:30`, `0930`, `09:30:00.5`, … with an optional offset such as `+01:00`, `-0130` or `Z`.
pub(super) fn time<'g>(text: &str) -> Option<Time<'g>> {
    if text.len() > MAX_LEN {
        return None;
    }
    let text = text.strip_prefix('T').unwrap_or(text);
    let sign = text.find('-').or_else(|| text.find('+')).or_else(|| text.find('Z'));
    let (clock, zone) = match sign {
        Some(at) => (&text[..at], Some((&text[at..=at], &text[at + 1..]))),
        None => (text, None),
    };
    let [hour, minute, second, microsecond] = parts(clock.as_bytes())?;
    let [hour, minute, second] = [hour, minute, second].map(|part| u8::try_from(part).ok());
    let time = Time::new(hour?, minute?, second?, microsecond).ok()?;
    match zone {
        None => Some(time),
        Some(("Z", rest)) => rest.is_empty().then(|| time.with_zone(TimeZone::UTC)),
        Some((_, offset)) if matches!(offset.len(), 0 | 1 | 3) => None,
        Some((sign, offset)) => {
            let [hours, minutes, seconds, microseconds] = parts(offset.as_bytes())?.map(i64::from);
            let size = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + microseconds;
            let offset = TimeDelta::from_microseconds(if sign == "-" { -size } else { size }).ok()?;
            Some(time.with_zone(TimeZone::new(offset).ok()?))
        }
    }
}

/// Reads a date, any character, and a time; or a date alone.
pub(super) fn datetime<'g>(text: &str) -> Option<(Date, Time<'g>)> {
    let at = separator(text.as_bytes())?;
    let (day, rest) = (text.get(..at)?, text.get(at..)?);
    let mut rest = rest.chars();
    let time = match rest.next() {
        None => Time::default(),
        // Only `time.fromisoformat` takes a `T` that nothing comes before.
        Some(_) => time(rest.as_str()).filter(|_| !rest.as_str().starts_with('T'))?,
    };
    Some((date(day)?, time))
}

/// Returns where the date ends in the text of a datetime.
fn separator(text: &[u8]) -> Option<usize> {
    let len = text.len();
    if len <= 7 {
        return (len == 7).then_some(7);
    }
    match (text[4], text[5]) {
        (b'-', b'W') if len > 8 && text[8] == b'-' => match text.get(9..)? {
            [] => None,
            [_, next, ..] if next.is_ascii_digit() => Some(8),
            _ => Some(10),
        },
        (b'-', b'W') => Some(8),
        (b'-', _) => Some(10),
        (b'W', _) => {
            let digits = text[7..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            match 7 + digits {
                end if end < 9 => Some(end),
                end if end % 2 == 0 => Some(7),
                _ => Some(8),
            }
        }
        _ => Some(8),
    }
    .map(|at| at.min(len))
}

/// Reads hours, minutes, seconds and microseconds.
fn parts(mut text: &[u8]) -> Option<[u32; 4]> {
    let mut parts = [0; 4];
    let mut has_separator = false;
    for (at, part) in parts.iter_mut().enumerate().take(3) {
        (*part, text) = (number(text.get(..2)?)?, &text[2..]);
        if at == 0 {
            has_separator = text.first() == Some(&b':');
        }
        if at == 2 || matches!(text.first(), None | Some(b'.' | b',')) {
            break;
        }
        if has_separator {
            text = text.strip_prefix(b":")?;
        }
    }
    if let Some((point, fraction)) = text.split_first() {
        if !matches!(point, b'.' | b',') || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let read = &fraction[..fraction.len().min(6)];
        // A point without digits after it is an error in Python too.
        parts[3] = number(read)? * 10_u32.pow(6 - read.len() as u32);
    }
    Some(parts)
}

/// Reads digits.
fn number(digits: &[u8]) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.len() < 9 && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0')))
}
