//! Conversions of dates and times to and from `chrono` and `jiff`.

use picklevm::typed::{Date, DateTime, Time, TimeDelta, TimeZone, ZoneInfo};
use picklevm::{Error, ErrorKind};

fn date() -> Date {
    Date::new(2030, 10, 27).expect("a date")
}

fn time() -> Time<'static> {
    Time::new(2, 30, 5, 7).expect("a time")
}

fn is_out_of_range<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert_eq!(result.unwrap_err().kind(), ErrorKind::OutOfRange);
}

#[test]
fn dates_and_times_convert_to_chrono_and_back() {
    use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
    assert_eq!(NaiveDate::from(date()).to_string(), "2030-10-27");
    assert_eq!(Date::try_from(NaiveDate::from(date())).expect("a date"), date());
    is_out_of_range(Date::try_from(NaiveDate::MAX));
    assert_eq!(NaiveTime::try_from(time()).expect("a time").to_string(), "02:30:05.000007");
    assert_eq!(Time::try_from(NaiveTime::try_from(time()).expect("a time")).expect("a time"), time());

    let naive = DateTime::new(date(), time());
    let there = NaiveDateTime::try_from(naive).expect("a time without a time zone");
    assert_eq!(there.to_string(), "2030-10-27 02:30:05.000007");
    assert_eq!(DateTime::try_from(there).expect("a datetime"), naive);
    is_out_of_range(chrono::DateTime::<Utc>::try_from(naive));

    let zone = TimeZone::new(TimeDelta::new(0, 3600, 0).expect("an hour")).expect("a zone");
    let zoned = DateTime::new(date(), time().with_zone(zone));
    let there = chrono::DateTime::<FixedOffset>::try_from(zoned).expect("a fixed offset");
    assert_eq!(there.to_rfc3339(), "2030-10-27T02:30:05.000007+01:00");
    assert_eq!(DateTime::try_from(there).expect("a datetime"), zoned);
    let utc = chrono::DateTime::<Utc>::try_from(zoned).expect("a fixed offset");
    assert_eq!(utc.to_rfc3339(), "2030-10-27T01:30:05.000007+00:00");
    assert_eq!(DateTime::try_from(utc).expect("a datetime").zone(), Some(TimeZone::UTC.into()));
    is_out_of_range(NaiveDateTime::try_from(zoned));
    is_out_of_range(NaiveTime::try_from(zoned.time()));
}

#[test]
fn dates_and_times_convert_to_jiff_and_back() {
    use jiff::{Timestamp, Zoned, civil};
    assert_eq!(civil::Date::from(date()).to_string(), "2030-10-27");
    assert_eq!(Date::try_from(civil::Date::from(date())).expect("a date"), date());
    is_out_of_range(Date::try_from(civil::Date::MIN));
    assert_eq!(Time::from(civil::Time::try_from(time()).expect("a time")), time());

    let naive = DateTime::new(date(), time());
    let there = civil::DateTime::try_from(naive).expect("a time without a time zone");
    assert_eq!(there.to_string(), "2030-10-27T02:30:05.000007");
    assert_eq!(DateTime::try_from(there).expect("a datetime"), naive);
    is_out_of_range(Zoned::try_from(naive));

    let zone = TimeZone::new(TimeDelta::new(0, 3600, 0).expect("an hour")).expect("a zone");
    let zoned = DateTime::new(date(), time().with_zone(zone));
    let there = Timestamp::try_from(zoned).expect("a zone");
    assert_eq!(there.to_string(), "2030-10-27T01:30:05.000007Z");
    let utc = DateTime::try_from(there).expect("a datetime");
    assert_eq!(utc.to_string(), "2030-10-27T01:30:05.000007+00:00");
    is_out_of_range(civil::DateTime::try_from(zoned));
}

/// At the end of daylight saving time, half past two occurs twice (PEP 495).
#[test]
fn fold_selects_one_of_two_ambiguous_times() {
    let berlin = ZoneInfo::new("Europe/Berlin");
    let [first, second] = [false, true].map(|fold| {
        let time = DateTime::new(date(), time().with_zone(berlin).with_fold(fold));
        let zoned = jiff::Zoned::try_from(time).expect("a zone");
        assert_eq!(DateTime::try_from(&zoned).expect("a datetime"), time);
        zoned.to_string()
    });
    assert_eq!(first, "2030-10-27T02:30:05.000007+02:00[Europe/Berlin]");
    assert_eq!(second, "2030-10-27T02:30:05.000007+01:00[Europe/Berlin]");
}

#[test]
fn time_deltas_convert_to_all_duration_types_and_back() {
    for micros in [0, 1, -1, 86_400_000_000, -90_000_000_001] {
        let delta = TimeDelta::from_microseconds(micros).expect("in range");
        let there = chrono::TimeDelta::from(delta);
        assert_eq!(there.num_microseconds(), Some(micros));
        assert_eq!(TimeDelta::try_from(there).expect("in range"), delta);
        let there = jiff::SignedDuration::from(delta);
        assert_eq!(there.as_micros(), i128::from(micros));
        assert_eq!(TimeDelta::try_from(there).expect("in range"), delta);
        match std::time::Duration::try_from(delta) {
            Ok(there) => assert_eq!(TimeDelta::try_from(there).expect("in range"), delta),
            Err(error) => assert_eq!((error.kind(), micros < 0), (ErrorKind::OutOfRange, true)),
        }
    }
    is_out_of_range(TimeDelta::try_from(std::time::Duration::MAX));
    is_out_of_range(TimeDelta::try_from(jiff::SignedDuration::MAX));
    is_out_of_range(TimeDelta::new(1_000_000_000, 0, 0));
}

#[test]
fn offsets_convert_to_chrono_and_jiff_and_back() {
    let zone = TimeZone::new(TimeDelta::new(0, -12_600, 0).expect("in range")).expect("an offset");
    let there = chrono::FixedOffset::try_from(zone).expect("whole seconds");
    assert_eq!((there.to_string(), TimeZone::try_from(there).expect("an offset")), ("-03:30".to_owned(), zone));
    let there = jiff::tz::Offset::try_from(zone).expect("whole seconds");
    assert_eq!((there.to_string(), TimeZone::try_from(there).expect("an offset")), ("-03:30".to_owned(), zone));
    let odd = TimeZone::new(TimeDelta::from_microseconds(1).expect("in range")).expect("an offset");
    is_out_of_range(chrono::FixedOffset::try_from(odd));
    is_out_of_range(jiff::tz::Offset::try_from(odd));
}
