//! Periods: how long one is, and its text.

use std::fmt;

use picklevm::Value;

use super::manager::attr;
use crate::names::{Form, form};
use crate::time::civil;

/// The length of a period, with pandas' letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freq {
    letters: String,
}

/// The classes of pandas' offsets, and the letters of the period that each is.
const OFFSETS: &[(&str, &str)] = &[
    ("YearEnd", "Y"),
    ("YearBegin", "Y"),
    ("BYearEnd", "Y"),
    ("QuarterEnd", "Q"),
    ("QuarterBegin", "Q"),
    ("BQuarterEnd", "Q"),
    ("MonthEnd", "M"),
    ("MonthBegin", "M"),
    ("BusinessMonthEnd", "M"),
    ("Week", "W"),
    ("BusinessDay", "B"),
    ("BDay", "B"),
    ("Day", "D"),
    ("Hour", "h"),
    ("Minute", "min"),
    ("Second", "s"),
    ("Milli", "ms"),
    ("Micro", "us"),
    ("Nano", "ns"),
];

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

impl Freq {
    /// The length that an offset of pandas stands for, or text.
    pub(crate) fn of(offset: Option<Value<'_>>) -> Freq {
        let unknown = || Freq { letters: "?".to_owned() };
        let Some(offset) = offset else { return unknown() };
        if offset.as_text().is_some() || offset.as_bytes().is_some() {
            let text = crate::numpy_text(offset);
            let letters = text.strip_suffix(']').and_then(|text| Some(text.split_once('[')?.1)).unwrap_or(&text);
            return Freq { letters: letters.to_owned() };
        }
        if form(offset) != Some(Form::Offset) {
            return unknown();
        }
        let class = crate::names::class(offset).and_then(Value::as_global);
        let name = class.map(|class| class.name().to_string()).unwrap_or_default();
        let row = OFFSETS.iter().find(|row| row.0 == name.rsplit('.').next().unwrap_or_default());
        let Some((_, letters)) = row else { return unknown() };
        let arg = |at: usize| offset.view::<picklevm::typed::InstanceView<'_>>().ok()?.args().get(at);
        let number = |names: &[&str], at: usize| attr(offset, names).or(arg(at)).and_then(Value::as_i64);
        let count = number(&["n"], 0).unwrap_or(1);
        let suffix = match *letters {
            "Y" => number(&["month"], 2).and_then(|month| MONTHS.get(usize::try_from(month - 1).ok()?)),
            "Q" => number(&["startingMonth"], 2).and_then(|month| MONTHS.get(usize::try_from(month - 1).ok()?)),
            "W" => number(&["weekday"], 2).and_then(|day| DAYS.get(usize::try_from(day).ok()?)),
            _ => None,
        };
        let suffix = suffix.map(|suffix| format!("-{suffix}")).unwrap_or_default();
        let count = if count == 1 { String::new() } else { count.to_string() };
        Freq { letters: format!("{count}{letters}{suffix}") }
    }

    /// The letters without a count, and the month or day after the hyphen.
    fn parts(&self) -> (&str, Option<&str>) {
        let letters = self.letters.trim_start_matches(|c: char| c.is_ascii_digit());
        match letters.split_once('-') {
            Some((letters, suffix)) => (letters, Some(suffix)),
            None => (letters, None),
        }
    }

    /// A period as pandas writes it: `2020-01`, `2020Q1`.
    pub(crate) fn text(&self, ordinal: i64) -> String {
        let (letters, suffix) = self.parts();
        let wide = i128::from(ordinal);
        let date = |days: i128| {
            let (year, month, day) = civil(days);
            format!("{year:04}-{month:02}-{day:02}")
        };
        let clock = |per_second: i128, digits: usize| {
            let (seconds, fraction) = (wide.div_euclid(per_second), wide.rem_euclid(per_second));
            let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
            let text = format!("{} {:02}:{:02}:{:02}", date(days), rest / 3600, rest / 60 % 60, rest % 60);
            if digits > 0 { format!("{text}.{fraction:0digits$}") } else { text }
        };
        match letters {
            "Y" | "A" => format!("{}", wide + 1970),
            "Q" => {
                format!("{}Q{}", wide.div_euclid(4) + 1970, wide.rem_euclid(4) + 1)
            }
            "M" => format!("{}-{:02}", wide.div_euclid(12) + 1970, wide.rem_euclid(12) + 1),
            "W" => {
                // The days count from Sunday here: `asfreq_WtoDT` of pandas.
                let last = suffix.and_then(|suffix| DAYS.iter().position(|day| *day == suffix)).unwrap_or(6);
                let end = wide * 7 + (last as i128 + 1) % 7 - 4;
                format!("{}/{}", date(end - 6), date(end))
            }
            "B" => {
                // 1970-01-01 was the fourth day of a week of five.
                let shifted = wide + 3;
                date(shifted.div_euclid(5) * 7 + shifted.rem_euclid(5) - 3)
            }
            "D" => date(wide),
            "h" | "H" => {
                let (days, hour) = (wide.div_euclid(24), wide.rem_euclid(24));
                format!("{} {hour:02}:00", date(days))
            }
            "min" | "T" => {
                let (days, minute) = (wide.div_euclid(1440), wide.rem_euclid(1440));
                format!("{} {:02}:{:02}", date(days), minute / 60, minute % 60)
            }
            "s" | "S" => clock(1, 0),
            "ms" | "L" => clock(1_000, 3),
            "us" | "U" => clock(1_000_000, 6),
            "ns" | "N" => clock(1_000_000_000, 9),
            _ => ordinal.to_string(),
        }
    }
}

impl fmt::Display for Freq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.letters)
    }
}
