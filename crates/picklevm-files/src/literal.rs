//! Python literals, as far as `.npy` headers have them: texts, integers, booleans, tuples, lists and dicts.

/// A literal. Tuples and lists are alike here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Int(u64),
    /// `True`, `False`, `None`.
    Word,
    Sequence(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

/// Nesting that is read; types of fields in fields of types seldom have more than three.
const DEPTH: usize = 64;

impl Literal {
    /// The value of a text key in a dict; the last one counts.
    pub(crate) fn get(&self, key: &str) -> Option<&Literal> {
        let Literal::Dict(entries) = self else { return None };
        let found = entries.iter().rev().find(|(k, _)| matches!(k, Literal::Text(text) if text == key));
        found.map(|(_, value)| value)
    }

    /// The texts in it that may name types: in a list of fields, not the names of the fields.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = &str> {
        let mut work = vec![self];
        std::iter::from_fn(move || {
            loop {
                match work.pop()? {
                    Literal::Text(text) => return Some(text.as_str()),
                    Literal::Sequence(fields) => {
                        let types = fields.iter().filter_map(|field| match field {
                            Literal::Sequence(parts) => parts.get(1),
                            _ => Some(field),
                        });
                        work.extend(types);
                    }
                    _ => {}
                }
            }
        })
    }

    /// What a type is called in messages.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Literal::Text(text) => text.clone(),
            _ => "structures".to_owned(),
        }
    }
}

/// What is being filled while a literal is read.
enum Open {
    Sequence(Vec<Literal>, u8),
    Dict(Vec<(Literal, Literal)>, Option<Literal>),
}

/// Reads a literal; blanks may surround it.
pub(crate) fn parse(text: &[u8]) -> Option<Literal> {
    let text = String::from_utf8_lossy(text);
    let mut rest = text.trim_start();
    let mut open: Vec<Open> = Vec::new();
    loop {
        let first = rest.chars().next()?;
        let mut done = match first {
            '(' | '[' | '{' => {
                if open.len() == DEPTH {
                    return None;
                }
                open.push(match first {
                    '(' => Open::Sequence(Vec::new(), b')'),
                    '[' => Open::Sequence(Vec::new(), b']'),
                    _ => Open::Dict(Vec::new(), None),
                });
                rest = rest[1..].trim_start();
                None
            }
            ')' | ']' | '}' => {
                rest = rest[1..].trim_start();
                Some(close(open.pop()?, first)?)
            }
            _ => {
                let (scalar, after) = scalar(rest)?;
                rest = after.trim_start();
                Some(scalar)
            }
        };
        // What is done goes into what is open; a comma or a colon follows, or the end of it.
        while let Some(value) = done.take() {
            let Some(container) = open.last_mut() else {
                return rest.is_empty().then_some(value);
            };
            match container {
                Open::Sequence(items, _) => items.push(value),
                Open::Dict(_, key @ None) => {
                    *key = Some(value);
                    rest = rest.strip_prefix(':')?.trim_start();
                    break;
                }
                Open::Dict(entries, key) => entries.push((key.take()?, value)),
            }
            match rest.strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None if !rest.starts_with([')', ']', '}']) => return None,
                None => {}
            }
        }
    }
}

fn close(open: Open, bracket: char) -> Option<Literal> {
    match (open, bracket) {
        (Open::Sequence(items, end), bracket) if bracket as u8 == end => Some(Literal::Sequence(items)),
        (Open::Dict(entries, None), '}') => Some(Literal::Dict(entries)),
        _ => None,
    }
}

fn scalar(text: &str) -> Option<(Literal, &str)> {
    for word in ["True", "False", "None"] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((Literal::Word, rest));
        }
    }
    // Prefixes of Python 2 and 3: u'', b''.
    let quoted = text.strip_prefix(['u', 'b']).unwrap_or(text);
    if let Some(quote @ ('\'' | '"')) = quoted.chars().next() {
        let mut out = String::new();
        let mut chars = quoted[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => out.push(chars.next()?.1),
                c if c == quote => return Some((Literal::Text(out), &quoted[1 + at + 1..])),
                c => out.push(c),
            }
        }
        return None;
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().ok()?;
    // NumPy on Python 2 wrote long integers.
    Some((Literal::Int(number), text[end..].strip_prefix('L').unwrap_or(&text[end..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descr(header: &str) -> Vec<String> {
        let literal = parse(header.as_bytes()).unwrap();
        literal.get("descr").unwrap().leaves().map(str::to_owned).collect()
    }

    #[test]
    fn headers_of_npy_files_are_read() {
        let literal = parse(b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3L), }   \n").unwrap();
        assert_eq!(literal.get("descr"), Some(&Literal::Text("<f8".to_owned())));
        assert_eq!(literal.get("shape"), Some(&Literal::Sequence(vec![Literal::Int(2), Literal::Int(3)])));
        assert_eq!(parse(b"{'shape': ()}").unwrap().get("shape"), Some(&Literal::Sequence(Vec::new())));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(descr("{'descr': '<f8', 'descr': '|O'}"), ["|O"]);
    }

    #[test]
    fn types_of_fields_are_told_from_their_names() {
        assert_eq!(descr("{'descr': [('Open', '<f8'), ('x', [('O', '<i4')])]}"), ["<i4", "<f8"]);
        assert_eq!(descr("{'descr': [(('title', 'name'), '|O', (2,))]}"), ["|O"]);
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in ["", "{", "{'a' 1}", "{'a': 1", "(1, 2]", "x", "{'a': (1,)} x", &"(".repeat(1000)] {
            assert_eq!(parse(text.as_bytes()), None, "{text:.20}");
        }
    }
}
