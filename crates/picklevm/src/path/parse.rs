//! Paths from text.

use std::str::FromStr;

use super::{Part, Path, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::literal;
use crate::steps::is_identifier;

impl Path {
    /// Reads a path: see [`Path`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] with the offset in the text.
    ///
    /// ```
    /// let error = picklevm::Path::parse("cart[0").unwrap_err();
    /// assert_eq!(error.to_string(), "offset 4: expected `]` after a key, found the end");
    /// ```
    pub fn parse(text: &str) -> Result<Path> {
        if let Some(pointer) = text.strip_prefix('/') {
            let name = |token: &str| Step::Name(token.replace("~1", "/").replace("~0", "~"));
            return Ok(Path(pointer.split('/').map(name).collect()));
        }
        let (path, end) = Path::parse_prefix(text)?;
        match &text[end..] {
            "" => Ok(path),
            rest => Err(wrong(end, "`.name` or `[key]`", &format!("`{rest}`"))),
        }
    }

    /// Reads a path up to the `=` behind it, as in `cart[0].price=5`, and returns both sides.
    ///
    /// # Errors
    ///
    /// Like [`parse`](Path::parse).
    ///
    /// ```
    /// let (path, value) = picklevm::Path::parse_assignment("cart['a=b']='x'")?;
    /// assert_eq!((path.to_string().as_str(), value), (".cart['a=b']", "'x'"));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn parse_assignment(text: &str) -> Result<(Path, &str)> {
        if text.starts_with('/') {
            let (path, value) = text.split_once('=').ok_or_else(|| wrong(text.len(), "`=` and a value", "the end"))?;
            return Ok((Path::parse(path)?, value));
        }
        let (path, end) = Path::parse_prefix(text)?;
        match text[end..].strip_prefix('=') {
            Some(value) => Ok((path, value)),
            None => {
                let rest = &text[end..];
                Err(wrong(end, "`=` and a value", if rest.is_empty() { "the end" } else { rest }))
            }
        }
    }

    /// Reads as much as is a path, and returns where it ends.
    fn parse_prefix(text: &str) -> Result<(Path, usize)> {
        let mut steps = Vec::new();
        let mut at = 0;
        // Quotes alone are the empty path, for shells in which nothing is not an argument.
        if let Some(rest) = text.strip_prefix("''").filter(|rest| rest.is_empty() || rest.starts_with('=')) {
            return Ok((Path::root(), text.len() - rest.len()));
        }
        if text == "." || text.starts_with(".=") {
            return Ok((Path::root(), 1));
        }
        while let Some(first) = text[at..].chars().next() {
            match first {
                '[' => {
                    let end = key_end(text, at)?;
                    steps.push(key(text[at + 1..end].trim(), at)?);
                    at = end + 1;
                }
                '=' => break,
                '.' => {
                    at += 1;
                    at = name(text, at, &mut steps)?;
                }
                _ if at == 0 => at = name(text, at, &mut steps)?,
                _ => break,
            }
        }
        Ok((Path(steps), at))
    }
}

/// Reads the name of an attribute, with or without quotes.
fn name(text: &str, at: usize, steps: &mut Vec<Step>) -> Result<usize> {
    let rest = &text[at..];
    if rest.starts_with("**") {
        steps.push(Step::Below);
        return Ok(at + 2);
    }
    if rest.starts_with('*') {
        steps.push(Step::Each);
        return Ok(at + 1);
    }
    if rest.starts_with(['\'', '"']) {
        let end = string_end(text, at).ok_or_else(|| wrong(at, "the quote at the end of a name", "the end"))?;
        let name = literal::parse(&text[at..end]).map_err(|error| error.offset_by(at as u64))?;
        let name = name.root().as_str().ok_or_else(|| wrong(at, "text", "surrogates"))?.to_owned();
        steps.push(Step::Name(name));
        return Ok(end);
    }
    let len = rest.find(['.', '[', '=']).unwrap_or(rest.len());
    if len == 0 {
        return Err(wrong(at, "a name", rest.get(..1).unwrap_or("the end")));
    }
    let end = at + len;
    if let Some(part) = rest[..len].strip_prefix("__").and_then(|name| name.strip_suffix("__")) {
        if let Some(part) = Part::named(part, None) {
            steps.push(Step::Part(part));
            return Ok(end);
        }
        let index = text[end..].strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if let Some((index, _)) = index
            && let Some(part) = Part::named(part, index.parse().ok())
        {
            steps.push(Step::Part(part));
            return Ok(end + index.len() + 2);
        }
    }
    steps.push(Step::Name(rest[..len].to_owned()));
    Ok(end)
}

/// Reads what stands in brackets.
fn key(text: &str, at: usize) -> Result<Step> {
    if text == "*" {
        return Ok(Step::Each);
    }
    if let Ok(index) = text.parse() {
        return Ok(Step::Index(index));
    }
    if is_identifier(text) && !matches!(text, "None" | "True" | "False" | "Ellipsis" | "nan") {
        let expected = format!("a key as Python writes it, such as `['{text}']`");
        return Err(Error::new(ErrorKind::Malformed, expected, text.to_owned()).at(at as u64 + 1, None));
    }
    // The index of an array with several axes is a tuple without parentheses.
    let literal = literal::parse(text).or_else(|error| literal::parse(&format!("({text})")).map_err(|_| error));
    match literal {
        Ok(_) => Ok(Step::Key(text.to_owned())),
        Err(error) if text.is_empty() || error.offset().is_none() => Err(wrong(at, "a key in brackets", text)),
        Err(error) => Err(error.offset_by(at as u64 + 1)),
    }
}

/// Returns where the bracket closes that opens at `at`.
fn key_end(text: &str, at: usize) -> Result<usize> {
    let mut depth = 0usize;
    let mut next = at;
    while let Some(c) = text[next..].chars().next() {
        match c {
            '\'' | '"' => {
                next = string_end(text, next).ok_or_else(|| wrong(next, "the quote at the end of a key", "the end"))?;
                continue;
            }
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(next);
                }
            }
            _ => {}
        }
        next += c.len_utf8();
    }
    Err(wrong(at, "`]` after a key", "the end"))
}

/// Returns the offset behind the string that begins at `at`.
fn string_end(text: &str, at: usize) -> Option<usize> {
    let quote = text.as_bytes().get(at)?;
    let mut escaped = false;
    let len = text.as_bytes()[at + 1..].iter().position(|byte| {
        let is_end = byte == quote && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    })?;
    Some(at + len + 2)
}

#[cold]
fn wrong(at: usize, expected: &'static str, found: &str) -> Error {
    Error::new(ErrorKind::Malformed, expected, found.to_owned()).at(at as u64, None)
}

/// Reads a path: see [`Path`].
impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Path> {
        Path::parse(text)
    }
}
