//! Objects made by `functools.partial(cls, *bound)(*args)` and by class methods.

use picklevm::typed::{
    Array, Complex, Date, DateTime, Decimal, DefaultDict, Deque, Fraction, IpAddress, Path, Range, Time, TimeDelta,
    Uuid, View,
};
use picklevm::{Symbolic, Unpickler};

/// Returns the view of the object that the ops make, as text.
#[track_caller]
fn shown<T: for<'g> View<'g>>(ops: &str, show: impl Fn(T) -> String) -> Option<String> {
    let pickle = [b"\x80\x04", ops.as_bytes(), b"."].concat();
    let graph = Unpickler::new().resolver(Symbolic).loads(pickle).expect("it loads");
    T::view(graph.root()).map(show)
}

macro_rules! text_of {
    ($view:ty, $ops:expr) => {{
        let pickle = [b"\x80\x04", $ops.as_bytes(), b"."].concat();
        let graph = Unpickler::new().resolver(Symbolic).loads(pickle).expect("it loads");
        <$view>::view(graph.root()).map(|view| view.to_string())
    }};
}

/// The ops of `functools.partial(cls, *bound)(*args)`.
fn bound(class: &str, bound: &str, args: &str) -> String {
    let class = format!("c{}\n", class.replacen(' ', "\n", 1));
    format!("cfunctools\npartial\n({class}{bound}tR({args}tR")
}

/// The ops of `cls.method(*args)`.
fn method(class: &str, method: &str, args: &str) -> String {
    format!("cbuiltins\ngetattr\n(c{}\nV{method}\ntR({args}tR", class.replacen(' ', "\n", 1))
}

#[test]
fn a_partial_that_is_called_with_more_arguments_is_viewed_as_the_result() {
    assert_eq!(text_of!(Date, bound("datetime date", "I2030\n", "I1\nI2\n")).as_deref(), Some("2030-01-02"));
    assert_eq!(
        text_of!(DateTime<'_>, bound("datetime datetime", "I2030\nI1\n", "I2\nI3\n")).as_deref(),
        Some("2030-01-02T03:00:00")
    );
    assert_eq!(text_of!(TimeDelta, bound("datetime timedelta", "I1\n", "I2\n")).as_deref(), Some("PT24H2S"));
    assert_eq!(text_of!(Fraction, bound("fractions Fraction", "I2\n", "I4\n")).as_deref(), Some("1/2"));
    assert_eq!(text_of!(Path<'_>, bound("pathlib PurePosixPath", "Va\n", "Vb\n")).as_deref(), Some("a/b"));
    assert_eq!(text_of!(Range, bound("builtins range", "I1\n", "I5\n")).as_deref(), Some("range(1, 5)"));
    assert_eq!(text_of!(Decimal<'_>, bound("decimal Decimal", "V1.5\n", "N")).as_deref(), Some("1.5"));
    let array = |array: Array| format!("{} {:?}", array.typecode(), array.items());
    assert_eq!(shown(&bound("array array", "Vi\n", "(lI1\na"), array).as_deref(), Some("i Int([1])"));
    let complex = |complex: Complex| format!("{} {}", complex.re, complex.im);
    assert_eq!(shown(&bound("builtins complex", "I1\n", "I2\n"), complex).as_deref(), Some("1 2"));
    // Too many arguments, or too few.
    assert_eq!(text_of!(Date, bound("datetime date", "I2030\nI1\n", "I2\nI3\n")), None);
    assert_eq!(text_of!(Date, bound("datetime date", "I2030\n", "I1\n")), None);
    assert_eq!(text_of!(Uuid, bound("datetime date", "I2030\n", "I1\nI2\n")), None);
}

#[test]
fn containers_may_be_made_by_a_partial_with_more_arguments() {
    let pickle = [bound("collections deque", "(lI1\naI2\na", "I1\n").as_bytes(), b"."].concat();
    let graph = picklevm::loads(pickle).expect("it loads");
    let deque: Deque<'_> = graph.root().view().expect("a deque");
    assert_eq!(
        (deque.items().filter_map(|item| item.as_i64()).collect::<Vec<_>>(), deque.max_len()),
        (vec![2], Some(1))
    );
    let pickle = [bound("collections defaultdict", "cbuiltins\nlist\n", "(dI1\nI2\ns").as_bytes(), b"."].concat();
    let graph = picklevm::loads(pickle).expect("it loads");
    let dict: DefaultDict<'_> = graph.root().view().expect("a defaultdict");
    assert!(dict.factory().is_some() && dict.get(1).is_some_and(|value| value == 2));
}

/// The keyword arguments are in the state of the partial.
#[test]
fn a_partial_may_have_keyword_arguments_too() {
    let ops = "cfunctools\npartial\n(cdatetime\ndate\ntR(cdatetime\ndate\n(I2030\nt(dVday\nI2\nsNtb(I1\ntR";
    assert_eq!(text_of!(Date, ops).as_deref(), Some("2030-01-02"));
}

/// The expected texts are what CPython 3.13 makes of them.
#[test]
fn class_methods_make_dates_and_times() {
    let date = |name: &str, args: &str| text_of!(Date, method("datetime date", name, args));
    for (text, expected) in [
        ("2030-01-02", Some("2030-01-02")),
        ("20300102", Some("2030-01-02")),
        ("2030-W01-3", Some("2030-01-02")),
        ("2030W013", Some("2030-01-02")),
        ("2030-W01", Some("2029-12-31")),
        ("2026-W53-7", Some("2027-01-03")),
        ("2030-W53-1", None),
        ("2030-0102", None),
        ("203001-02", None),
        ("2030-13-02", None),
        ("2030-01-2", None),
        ("", None),
    ] {
        assert_eq!(date("fromisoformat", &format!("V{text}\n")).as_deref(), expected, "{text}");
    }
    for (ordinal, expected) in [
        (1, Some("0001-01-01")),
        (730_120, Some("2000-01-01")),
        (730_179, Some("2000-02-29")),
        (741_228, Some("2030-05-31")),
        (3_652_059, Some("9999-12-31")),
        (3_652_060, None),
        (0, None),
    ] {
        assert_eq!(date("fromordinal", &format!("I{ordinal}\n")).as_deref(), expected, "{ordinal}");
    }
    assert_eq!(date("fromisocalendar", "I2020\nI53\nI5\n").as_deref(), Some("2021-01-01"));
    assert_eq!(date("fromisocalendar", "I1\nI1\nI1\n").as_deref(), Some("0001-01-01"));
    assert_eq!(date("today", ""), None);

    let time = |text: &str| text_of!(Time<'_>, method("datetime time", "fromisoformat", &format!("V{text}\n")));
    for (text, expected) in [
        ("03", Some("03:00:00")),
        ("T0304", Some("03:04:00")),
        ("03:04:05.5", Some("03:04:05.500000")),
        ("03:04:05,1234567", Some("03:04:05.123456")),
        ("03:04:05.5Z", Some("03:04:05.500000+00:00")),
        ("03.5", Some("03:00:00.500000")),
        ("03+01", Some("03:00:00+01:00")),
        ("03-0130", Some("03:00:00-01:30")),
        ("03:0405", None),
        ("03:04:", None),
        ("03+1:00", None),
        ("03+24:00", None),
        ("24:00", None),
    ] {
        assert_eq!(time(text).as_deref(), expected, "{text}");
    }

    let datetime = |name: &str, args: &str| text_of!(DateTime<'_>, method("datetime datetime", name, args));
    for (text, expected) in [
        ("2030-01-02", Some("2030-01-02T00:00:00")),
        ("2030-01-02 03:04", Some("2030-01-02T03:04:00")),
        ("20300102T030405", Some("2030-01-02T03:04:05")),
        ("2030W01103", Some("2029-12-31T03:00:00")),
        ("2030-W01T03", Some("2029-12-31T03:00:00")),
        ("2030-W01-3T03Z", Some("2030-01-02T03:00:00+00:00")),
        ("2030-01-02T", None),
        ("2030-01-02TT03", None),
        ("2030-01-0203:04", None),
        ("2030-01-02€03:04", Some("2030-01-02T03:04:00")),
    ] {
        // LATIN-1 text of protocol 0 has no euro sign.
        let written: String = text
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
            .collect();
        assert_eq!(datetime("fromisoformat", &format!("V{written}\n")).as_deref(), expected, "{text}");
    }
    let parts = "cdatetime\ndate\n(I2030\nI1\nI2\ntRcdatetime\ntime\n(I3\nI4\ntR";
    assert_eq!(datetime("combine", parts).as_deref(), Some("2030-01-02T03:04:00"));
    assert_eq!(datetime("fromordinal", "I1\n").as_deref(), Some("0001-01-01T00:00:00"));
    assert_eq!(text_of!(IpAddress<'_>, method("datetime date", "fromisoformat", "V2030-01-02\n")), None);
}
