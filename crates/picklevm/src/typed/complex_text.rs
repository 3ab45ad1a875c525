//! The text format of Python's `complex`.

use super::number_text::{number_text, without_underscores};

/// Parses a text like `complex`: `1`, `2j`, `1+2j`, `(1e3-j)`.
pub(super) fn parse(text: &str) -> Option<(f64, f64)> {
    let text = number_text(text);
    let text = without_underscores(&text)?;
    let is_space = |c: char| matches!(c, '\t'..='\r' | ' ');
    let text = match text.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')')?.trim_matches(is_space),
        None => &*text,
    };
    let imaginary = text.strip_suffix(['j', 'J']);
    let Some(rest) = imaginary else {
        let (real, end) = float(text)?;
        return (end == text.len()).then_some((real, 0.0));
    };
    // A sign alone stands for one.
    let unit = |sign: &str| match sign {
        "" | "+" => Some(1.0),
        "-" => Some(-1.0),
        _ => None,
    };
    let Some((first, end)) = float(rest) else { return Some((0.0, unit(rest)?)) };
    match &rest[end..] {
        "" => Some((0.0, first)),
        second if second.starts_with(['+', '-']) => match float(second) {
            Some((imaginary, end)) => (end == second.len()).then_some((first, imaginary)),
            None => Some((first, unit(second)?)),
        },
        _ => None,
    }
}

/// Parses the longest prefix that is a float; returns its value and length.
fn float(text: &str) -> Option<(f64, usize)> {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    for word in ["infinity", "inf", "nan"] {
        if text.get(sign..sign + word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
            let end = sign + word.len();
            return Some((text[..end].parse().ok()?, end));
        }
    }
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let start = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(start..).map_or(0, |_| digits(start));
        if exponent > 0 {
            end = start + exponent;
        }
    }
    Some((text[..end].parse().ok()?, end))
}
