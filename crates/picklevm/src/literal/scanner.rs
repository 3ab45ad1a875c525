//! Strings, numbers and names of a text in Python syntax.

use num_bigint::{BigInt, BigUint, Sign};

use crate::error::{Error, ErrorKind, Result};
use crate::graph::from_digits;

/// Digits of an integer that are read.
const MAX_DIGITS: usize = 1 << 22;

/// A text and a position in it.
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// Whether strings without a prefix are 8-bit strings.
    pub(super) byte_strings: bool,
}

/// A string of any kind.
pub(super) struct StringToken {
    pub(super) payload: Vec<u8>,
    pub(super) surrogates: bool,
    pub(super) prefix: Prefix,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    None,
    Unicode,
    Bytes,
}

/// A number.
pub(super) enum Number {
    /// Whether it has a minus sign: in a complex number, `-0` is not `0`.
    Int(BigInt, bool),
    Float(f64),
    Imaginary(f64),
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, byte_strings: bool) -> Self {
        Scanner { text, at: 0, byte_strings }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Passes over a text if it comes next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    #[cold]
    pub(super) fn expected(&self, expected: impl Into<std::borrow::Cow<'static, str>>) -> Error {
        let found = match self.rest() {
            "" => "the end".to_owned(),
            rest if rest.starts_with("...") => {
                "`...`: this text was cut off (`picklevm show --full` is not)".to_owned()
            }
            rest => format!("`{}`", rest.split_whitespace().next().map_or("a blank", |word| short(word))),
        };
        Error::new(ErrorKind::Malformed, expected, found).at(self.at as u64, None)
    }

    /// Passes over characters, and returns them.
    pub(super) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub(super) fn digits(&mut self) -> Result<u64> {
        let at = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| Scanner { at, ..*self }.expected("a number"))
    }

    /// Reads a dotted name, `module:Outer.Inner` too.
    pub(super) fn name(&mut self) -> &'t str {
        let is_part = |c: char| c.is_alphanumeric() || "_<>.".contains(c);
        let start = self.at;
        let first = self.take_while(is_part);
        let mut rest = self.rest().chars();
        let continues = rest.next() == Some(':') && rest.next().is_some_and(|c| is_part(c) && !c.is_ascii_digit());
        if continues && !matches!(first, "None" | "True" | "False" | "nan") {
            self.at += 1;
            self.take_while(is_part);
        }
        &self.text[start..self.at]
    }

    /// Reads a string if one comes next.
    pub(super) fn string(&mut self) -> Result<Option<StringToken>> {
        let start = self.at;
        let letters = self.rest().chars().take(3).take_while(|c| "rRbBuU".contains(*c)).count();
        let (prefix, rest) = self.rest().split_at(letters);
        if letters > 2 || !rest.starts_with(['\'', '"']) {
            return Ok(None);
        }
        self.at += letters;
        let raw = prefix.contains(['r', 'R']);
        let kind = match prefix {
            _ if prefix.contains(['b', 'B']) => Prefix::Bytes,
            _ if prefix.contains(['u', 'U']) => Prefix::Unicode,
            _ => Prefix::None,
        };
        let quote = &rest[..1];
        let triple = rest.get(..3).filter(|triple| *triple == quote.repeat(3));
        let close = triple.unwrap_or(quote);
        self.at += close.len();
        let mut token = StringToken { payload: Vec::new(), surrogates: false, prefix: kind };
        loop {
            if self.eat(close) {
                return Ok(Some(token));
            }
            match self.peek() {
                None => return Err(Scanner { at: start, ..*self }.expected(format!("a string that ends with {close}"))),
                Some('\\') if !raw => self.escape(&mut token)?,
                Some(c) => {
                    self.at += c.len_utf8();
                    token.payload.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    if raw && c == '\\' && self.rest().starts_with(quote) {
                        self.at += 1;
                        token.payload.extend_from_slice(quote.as_bytes());
                    }
                }
            }
        }
    }

    fn escape(&mut self, token: &mut StringToken) -> Result<()> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.peek() else { return Err(self.expected("an escape")) };
        self.at += c.len_utf8();
        let is_bytes = token.prefix == Prefix::Bytes || token.prefix == Prefix::None && self.byte_strings;
        let code = match c {
            '\n' => return Ok(()),
            '\\' | '\'' | '"' => u32::from(c),
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'a' => 0x07,
            'b' => 0x08,
            'f' => 0x0c,
            'v' => 0x0b,
            'x' => self.hex(2)?,
            'u' if !is_bytes => self.hex(4)?,
            'U' if !is_bytes => self.hex(8)?,
            '0'..='7' => {
                self.at -= 1;
                let digits = self.rest().bytes().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
                let code = u32::from_str_radix(&self.rest()[..digits], 8).unwrap_or(0);
                self.at += digits;
                code
            }
            'N' if !is_bytes => return Err(Scanner { at: start, ..*self }.expected("an escape other than \\N")),
            // Python keeps the backslash.
            c => {
                token.payload.push(b'\\');
                u32::from(c)
            }
        };
        match code {
            0..=0xff if is_bytes => token.payload.push(code as u8),
            0..0x11_0000 => token.surrogates |= push_code_point(&mut token.payload, code),
            _ => return Err(Scanner { at: start, ..*self }.expected("a character of Unicode")),
        }
        Ok(())
    }

    pub(super) fn hex(&mut self, count: usize) -> Result<u32> {
        let code = self.rest().get(..count).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.expected(format!("{count} hexadecimal digits")))?;
        self.at += count;
        Ok(code)
    }

    /// Reads a number if one comes next.
    pub(super) fn number(&mut self) -> Result<Option<Number>> {
        let start = self.at;
        let negative = match self.peek() {
            Some('-') => self.eat("-"),
            Some('+') => !self.eat("+"),
            _ => false,
        };
        if self.rest().starts_with("nan") || self.rest().starts_with("inf") {
            let word = self.take_while(char::is_alphanumeric);
            let (value, is_imaginary) = match word {
                "nan" => (f64::NAN, false),
                "nanj" => (f64::NAN, true),
                "inf" => (f64::INFINITY, false),
                "infj" => (f64::INFINITY, true),
                _ => {
                    self.at = start;
                    return Ok(None);
                }
            };
            return Ok(Some(number(if negative { -value } else { value }, is_imaginary)));
        }
        let is_number = match self.peek() {
            Some('.') => self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()),
            next => next.is_some_and(|c| c.is_ascii_digit()),
        };
        if !is_number {
            self.at = start;
            return Ok(None);
        }
        let radix = match self.rest().get(..2) {
            Some("0x" | "0X") => 16,
            Some("0o" | "0O") => 8,
            Some("0b" | "0B") => 2,
            _ => 10,
        };
        let is_hex = radix == 16;
        if radix != 10 {
            self.at += 2;
        }
        let mut last = ' ';
        let mut end = 0;
        for c in self.rest().chars() {
            let is_sign = matches!(c, '+' | '-') && matches!(last, 'e' | 'E') && !is_hex;
            if !(c.is_ascii_alphanumeric() || c == '_' || c == '.' && !self.rest()[end..].starts_with("..") || is_sign)
            {
                break;
            }
            last = c;
            end += 1;
        }
        let digits = self.rest()[..end].replace('_', "");
        let bad = Scanner { at: start, ..*self };
        self.at += end;
        if radix != 10 || digits.bytes().all(|digit| digit.is_ascii_digit()) || digits.ends_with(['l', 'L']) {
            let digits = digits.trim_end_matches(['l', 'L']);
            if digits.len() > MAX_DIGITS {
                return Err(Error::new(ErrorKind::Limit, format!("at most {MAX_DIGITS} digits"), "more"));
            }
            let int: BigUint = from_digits(digits.as_bytes(), radix).ok_or_else(|| bad.expected("a number"))?;
            let sign = if negative { Sign::Minus } else { Sign::Plus };
            return Ok(Some(Number::Int(BigInt::from_biguint(sign, int), negative)));
        }
        let (digits, is_imaginary) = match digits.strip_suffix(['j', 'J']) {
            Some(digits) => (digits, true),
            None => (&*digits, false),
        };
        let value: f64 = digits.parse().map_err(|_| bad.expected("a number"))?;
        Ok(Some(number(if negative { -value } else { value }, is_imaginary)))
    }
}

/// Adds a code point to a text. Returns whether it is a surrogate, which takes three bytes like its neighbours.
pub(super) fn push_code_point(text: &mut Vec<u8>, code: u32) -> bool {
    match char::from_u32(code) {
        Some(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => text.extend([0xe0 | code >> 12, 0x80 | code >> 6 & 0x3f, 0x80 | code & 0x3f].map(|byte| byte as u8)),
    }
    char::from_u32(code).is_none()
}

fn number(value: f64, is_imaginary: bool) -> Number {
    if is_imaginary { Number::Imaginary(value) } else { Number::Float(value) }
}

fn short(word: &str) -> &str {
    word.char_indices().nth(30).map_or(word, |(end, _)| &word[..end])
}
