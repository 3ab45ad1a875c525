//! Sizes on the command line: `4096`, `100K`, `1.5GiB`, `2 GB`.

/// Multiples of a byte by their names in lower case: a letter alone is a power of 1024, as for GNU programs.
const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
];

/// Reads a number of bytes.
pub(crate) fn parse(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let expected = || "expected bytes such as 4096, 100K, 1.5GiB or 2GB".to_owned();
    let &(_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 9 || number.ends_with('.') || fraction.contains('.') {
        return Err(expected());
    }
    let too_large = || format!("expected at most {} bytes", usize::MAX);
    let whole: u128 = whole.parse().map_err(|_| too_large())?;
    let part = fraction.parse::<u128>().unwrap_or(0) * u128::from(factor) / 10u128.pow(fraction.len() as u32);
    let bytes = whole.checked_mul(factor.into()).and_then(|bytes| bytes.checked_add(part)).ok_or_else(too_large)?;
    usize::try_from(bytes).map_err(|_| too_large())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_have_units_of_si_and_iec() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("100K", 102_400),
            ("100k", 102_400),
            ("100 KiB", 102_400),
            ("100kB", 100_000),
            ("1M", 1 << 20),
            ("1.5MiB", 3 << 19),
            ("2GB", 2_000_000_000),
            ("1GiB", 1 << 30),
            ("7B", 7),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "G", "1X", "1.", ".5G", "1.2.3", "-1", "1e3", "99999999999999999999", "99999999T", "1 0", "٣"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
