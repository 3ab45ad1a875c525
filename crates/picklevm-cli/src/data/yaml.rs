//! YAML as a graph of plain values, by the core schema of YAML 1.2.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use picklevm::literal::Strings;
use picklevm::{Graph, Id};

use super::text_input::at;
use crate::failure::{Failure, note};

/// Tags that are read, for messages.
const TAGS: &str = "!!str, !!int, !!float, !!bool, !!null, !!seq, !!map, !!set and !!binary";

/// What is wrong, and where.
type Wrong = (Marker, String);

/// Reads one document, or a list of several; `None` if there is none.
///
/// An alias is the same value as its anchor. A mapping under the key `<<` gives the keys that are not there, as in YAML 1.1.
pub(super) fn read(name: &str, text: &str) -> Result<Graph, Failure> {
    let mut reader = Reader { graph: Graph::new(), open: Vec::new(), anchors: HashMap::new(), zeros: Vec::new() };
    let mut roots = Vec::new();
    let mut parser = Parser::new_from_str(text);
    let fail = |(mark, message): Wrong| Failure::data(name, at(mark.line(), mark.col() + 1, &message));
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| fail((*error.marker(), format!("this is not YAML: {}", error.info()))))?;
        roots.extend(reader.event(event, span).map_err(fail)?);
    }
    let Reader { mut graph, zeros, .. } = reader;
    if let Some((mark, number)) = zeros.first() {
        let more =
            if zeros.len() > 1 { format!(", and {} more have such zeros", zeros.len() - 1) } else { String::new() };
        let value = number.trim_start_matches(['+', '-', '0']);
        let value = if value.is_empty() { "0" } else { value };
        let message = format!("{number} is the number {value} in YAML{more}; quote what is text");
        note(&format!("{name}: {}", at(mark.line(), mark.col() + 1, &message)));
    }
    let root = match roots[..] {
        [root] => root,
        [] => graph.add(()),
        _ => graph.list(roots),
    };
    graph.set_root(root);
    Ok(graph)
}

struct Reader {
    graph: Graph,
    open: Vec<Open>,
    anchors: HashMap<usize, Id>,
    /// Numbers with leading zeros, which may have been meant as text.
    zeros: Vec<(Marker, String)>,
}

/// What has begun.
struct Open {
    kind: Kind,
    /// The list or dict; `None` for a set, which is made at its end.
    id: Option<Id>,
    anchor: usize,
    begin: Marker,
    /// The items; of a mapping keys and values in turn, with the place of each.
    parts: Vec<(Id, Marker)>,
    /// Whether the key before the next value is `<<`.
    is_merge: bool,
    /// The mappings under `<<`.
    merged: Vec<(Id, Marker)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Dict,
    Set,
}

impl Reader {
    /// Handles one event. Returns the root of a document that it completes.
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<Option<Id>, Wrong> {
        let mark = span.start;
        let tag_mark = span.tag_start().unwrap_or(mark);
        let value = match event {
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(value) => *value,
                None => return Err((mark, "expected the name of an anchor before, found another".to_owned())),
            },
            Event::Scalar(text, style, anchor, tag) => {
                let is_key = self.open.last().is_some_and(|open| open.kind == Kind::Dict && open.parts.len() % 2 == 0);
                if is_key && text == "<<" && style == ScalarStyle::Plain && tag.is_none() {
                    self.open.last_mut().into_iter().for_each(|open| open.is_merge = true);
                    return Ok(None);
                }
                let value = self.scalar(&text, style, tag_name(tag.as_deref(), tag_mark)?, mark)?;
                self.anchors.insert(anchor, value);
                value
            }
            Event::SequenceStart(_, anchor, tag) => {
                match tag_name(tag.as_deref(), tag_mark)? {
                    None | Some("seq") => {}
                    Some(tag) => {
                        return Err((mark, format!("expected a sequence without a tag or with !!seq, found !!{tag}")));
                    }
                }
                let id = self.graph.list::<Id>([]);
                self.begin(Kind::List, Some(id), anchor, mark);
                return Ok(None);
            }
            Event::MappingStart(_, anchor, tag) => {
                let kind = match tag_name(tag.as_deref(), tag_mark)? {
                    None | Some("map") => Kind::Dict,
                    Some("set") => Kind::Set,
                    Some(tag) => {
                        return Err((
                            mark,
                            format!("expected a mapping without a tag or with !!map or !!set, found !!{tag}"),
                        ));
                    }
                };
                let id = match kind {
                    Kind::Set => None,
                    _ => Some(self.graph.dict::<Id, Id>([]).map_err(|error| (mark, error.to_string()))?),
                };
                self.begin(kind, id, anchor, mark);
                return Ok(None);
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.end(open)?,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.add(value, mark)
    }

    fn begin(&mut self, kind: Kind, id: Option<Id>, anchor: usize, begin: Marker) {
        // A value may hold itself.
        self.anchors.extend(id.map(|id| (anchor, id)));
        self.open.push(Open { kind, id, anchor, begin, parts: Vec::new(), is_merge: false, merged: Vec::new() });
    }

    /// Adds a complete value to what is open around it.
    fn add(&mut self, value: Id, mark: Marker) -> Result<Option<Id>, Wrong> {
        let Some(open) = self.open.last_mut() else { return Ok(Some(value)) };
        if !std::mem::take(&mut open.is_merge) {
            open.parts.push((value, mark));
            return Ok(None);
        }
        let maps = match self.graph.value(value).as_list() {
            Some(items) => items.map(|item| item.id()).collect(),
            None => vec![value],
        };
        if maps.iter().any(|map| self.graph.value(*map).as_dict().is_none()) {
            return Err((mark, "expected a mapping, or a sequence of them, under the key <<".to_owned()));
        }
        open.merged.extend(maps.into_iter().map(|map| (map, mark)));
        Ok(None)
    }

    /// Fills a list, dict or set.
    fn end(&mut self, open: Open) -> Result<Id, Wrong> {
        let wrong = |error: picklevm::Error| (open.begin, error.to_string());
        let Open { kind, id, ref parts, ref merged, .. } = open;
        let (Some(id), false) = (id, kind == Kind::Set) else {
            let members = parts.iter().step_by(2).map(|(member, _)| *member);
            let id = self.graph.set(members).map_err(wrong)?;
            self.anchors.insert(open.anchor, id);
            return Ok(id);
        };
        if kind == Kind::List {
            self.graph.value_mut(id).extend(parts.iter().map(|(item, _)| *item)).map_err(wrong)?;
            return Ok(id);
        }
        for row in parts.chunks_exact(2) {
            let key = self.graph.value(row[0].0);
            if matches!(key.kind(), picklevm::Kind::List(_) | picklevm::Kind::Dict(_) | picklevm::Kind::Set(_)) {
                let found = key.type_name();
                return Err((row[0].1, format!("expected a key that Python can hash, found a {found}")));
            }
        }
        let rows = parts.chunks_exact(2).map(|row| (row[0].0, row[1].0));
        self.graph.value_mut(id).update(rows).map_err(wrong)?;
        if self.graph.value(id).len() < parts.len() / 2 {
            let mut seen = HashSet::new();
            for (key, mark) in parts.iter().step_by(2) {
                let text = self.graph.value(*key).to_string();
                if !seen.insert(text.clone()) {
                    return Err((*mark, format!("the key {text} is there twice")));
                }
            }
        }
        // Keys of the mapping itself come first, then those of the first that is merged.
        for (map, _) in merged {
            let here = self.graph.value(id);
            let rows: Vec<(Id, Id)> = (self.graph.value(*map).entries())
                .filter(|(key, _)| here.get(*key).is_none())
                .map(|(key, value)| (key.id(), value.id()))
                .collect();
            self.graph.value_mut(id).update(rows).map_err(wrong)?;
        }
        Ok(id)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&str>, mark: Marker) -> Result<Id, Wrong> {
        let tag = match tag {
            None if style == ScalarStyle::Plain => None,
            None => Some("str"),
            tag => tag,
        };
        let graph = &mut self.graph;
        match tag {
            Some("str") => return Ok(graph.add(text)),
            Some("binary") => {
                let digits: String = text.split_ascii_whitespace().collect();
                let bytes =
                    STANDARD.decode(digits).map_err(|error| (mark, format!("expected base64, found {error}")))?;
                return Ok(graph.bytes(bytes));
            }
            _ => {}
        }
        let plain = Plain::of(text);
        let value = match (tag, &plain) {
            (None, Plain::Text) => graph.add(text),
            (None | Some("null"), Plain::Null) => graph.add(()),
            (None | Some("bool"), Plain::Bool(value)) => graph.add(*value),
            (None | Some("int"), Plain::Int(radix, digits)) => {
                let number = match radix {
                    8 => format!("0o{digits}"),
                    16 => format!("0x{digits}"),
                    _ => digits.clone(),
                };
                if *radix == 10
                    && tag.is_none()
                    && text.trim_start_matches(['+', '-']).starts_with('0')
                    && text.len() > 1
                {
                    self.zeros.push((mark, text.to_owned()));
                }
                graph.add_literal(&number, Strings::Text).map_err(|error| (mark, error.to_string()))?
            }
            (None | Some("float"), Plain::Float(value)) => graph.add(*value),
            (Some("float"), Plain::Int(10, digits)) => graph.add(digits.parse().unwrap_or(f64::NAN)),
            (tag, _) => {
                return Err((mark, format!("expected a value of !!{}, found {text}", tag.unwrap_or_default())));
            }
        };
        Ok(value)
    }
}

/// Returns the name of a tag of YAML's own that is read.
fn tag_name(tag: Option<&Tag>, mark: Marker) -> Result<Option<&'static str>, Wrong> {
    let Some(tag) = tag else { return Ok(None) };
    // `!` alone makes a scalar text.
    if tag.parts() == ("", "!") {
        return Ok(Some("str"));
    }
    let name = tag.suffix_in_namespace("tag:yaml.org,2002:");
    let known = ["str", "int", "float", "bool", "null", "seq", "map", "set", "binary"];
    match known.into_iter().find(|known| name.as_deref() == Some(known)) {
        Some(known) => Ok(Some(known)),
        None => Err((
            mark,
            format!(
                "the tag {} has no meaning here, where {TAGS} are read; remove it to read the value without it",
                tag.original()
            ),
        )),
    }
}

/// What a scalar without quotes is by the core schema of YAML 1.2 (section 10.3.2).
enum Plain {
    Null,
    Bool(bool),
    /// The radix, and the digits with a sign but without zeros before them.
    Int(u32, String),
    Float(f64),
    Text,
}

impl Plain {
    fn of(text: &str) -> Plain {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
            "true" | "True" | "TRUE" => return Plain::Bool(true),
            "false" | "False" | "FALSE" => return Plain::Bool(false),
            ".nan" | ".NaN" | ".NAN" => return Plain::Float(f64::NAN),
            _ => {}
        }
        for (prefix, radix) in [("0o", 8), ("0x", 16)] {
            if let Some(digits) = text.strip_prefix(prefix)
                && !digits.is_empty()
                && digits.chars().all(|c| c.is_digit(radix))
            {
                return Plain::Int(radix, digits.to_owned());
            }
        }
        let (sign, number) = match text.as_bytes().first() {
            Some(b'-') => ("-", &text[1..]),
            Some(b'+') => ("", &text[1..]),
            _ => ("", text),
        };
        if matches!(number, ".inf" | ".Inf" | ".INF") {
            return Plain::Float(if sign.is_empty() { f64::INFINITY } else { f64::NEG_INFINITY });
        }
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !number.is_empty() && is_digits(number) {
            let digits = number.trim_start_matches('0');
            return Plain::Int(10, format!("{sign}{}", if digits.is_empty() { "0" } else { digits }));
        }
        let (mantissa, exponent) =
            number.split_once(['e', 'E']).map_or((number, "0"), |(before, after)| (before, after));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let is_float = is_digits(whole)
            && is_digits(fraction)
            && is_digits(exponent)
            && !exponent.is_empty()
            && !(whole.is_empty() && fraction.is_empty());
        match text.parse() {
            Ok(value) if is_float => Plain::Float(value),
            _ => Plain::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    fn shown(text: &str) -> String {
        match read("x.yaml", text) {
            Ok(graph) => graph.root().to_string(),
            Err(crate::failure::Failure::Data(message)) => message,
            Err(_) => "another failure".to_owned(),
        }
    }

    #[test]
    fn scalars_follow_the_core_schema_of_yaml_1_2() {
        for (text, value) in [
            ("~", "None"),
            ("NULL", "None"),
            ("[true, False, yes, on]", "[True, False, 'yes', 'on']"),
            ("[7, -7, +7, 0o14, 0xFF, 012]", "[7, -7, 7, 12, 255, 12]"),
            ("99999999999999999999", "99999999999999999999"),
            ("[1.5, .5, 1., 1e3, -.inf, .NaN]", "[1.5, 0.5, 1.0, 1000.0, -1e309, nan]"),
            ("[., e3, 1e, 1_000, 0b1, 1:30]", "['.', 'e3', '1e', '1_000', '0b1', '1:30']"),
            ("['7', \"null\", 2024-01-01]", "['7', 'null', '2024-01-01']"),
        ] {
            assert_eq!(shown(text), value, "{text}");
        }
    }

    #[test]
    fn tags_of_yaml_are_read_and_others_are_an_error_with_their_place() {
        assert_eq!(
            shown("a: !!binary aGk=\nb: !!str 7\nc: !!set {x, y}\nd: !!float 7"),
            "{'a': b'hi', 'b': '7', 'c': {'x', 'y'}, 'd': 7.0}"
        );
        let message = shown("a:\n  - !custom 7\n");
        assert!(message.starts_with("x.yaml: line 2, column 5: the tag !custom has no meaning"), "{message}");
        let message = shown("when: !!timestamp 2024-01-01");
        assert!(message.contains("the tag !!timestamp"), "{message}");
        assert_eq!(shown("!!int x"), "x.yaml: line 1, column 7: expected a value of !!int, found x");
    }

    #[test]
    fn an_alias_is_the_same_value_and_merged_keys_do_not_replace_others() {
        assert_eq!(shown("a: &x [1]\nb: *x"), "{'a': &1 [1], 'b': *1}");
        assert_eq!(shown("&x [*x]"), "&1 [*1]");
        assert_eq!(
            shown("base: &b {k: 1, l: 2}\nmine: {<<: *b, k: 3}"),
            "{'base': {'k': 1, 'l': 2}, 'mine': {'k': 3, 'l': 2}}"
        );
    }

    #[test]
    fn what_is_wrong_has_a_line_and_a_column() {
        assert!(shown("a: 1\na: 2").starts_with("x.yaml: line 2, column 1: the key 'a' is there twice"));
        assert!(shown("{[1]: 2}").contains("expected a key that Python can hash, found a list"));
        assert!(shown("a: [1\nb: 2").starts_with("x.yaml: line 2, column "), "{}", shown("a: [1\nb: 2"));
    }

    #[test]
    fn several_documents_are_a_list() {
        assert_eq!(shown("1\n---\n2\n"), "[1, 2]");
        assert_eq!(shown(""), "None");
    }
}
