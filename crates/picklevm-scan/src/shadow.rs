//! What the scan keeps of a value: next to nothing.

use std::borrow::Cow;

use picklevm::machine::Slot;

/// A value on the machine's stack. Payloads are numbers of rows in the tables of [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Hole,
    None,
    Bool(bool),
    Int(i32),
    /// A number that does not fit, or a float.
    Number,
    Text(u32),
    Bytes(u32),
    Tuple(u32),
    List(u32),
    Dict(u32),
    Set(u32),
    Global(u32),
    Object(u32),
    Persistent(u32),
    Buffer,
    /// Something that only some readers could make.
    Unknown,
}

/// A container whose contents were not kept.
pub(crate) const NOT_KEPT: u32 = u32::MAX;

impl Slot for Token {
    const HOLE: Token = Token::Hole;

    #[inline]
    fn is_hole(self) -> bool {
        self == Token::Hole
    }
}

impl Token {
    /// Whether it is data that Python makes without running code of a class.
    pub(crate) fn is_data(self) -> bool {
        use Token::{Bool, Buffer, Bytes, Dict, Int, List, None, Number, Set, Text, Tuple};
        matches!(
            self,
            None | Bool(_) | Int(_) | Number | Text(_) | Bytes(_) | Tuple(_) | List(_) | Dict(_) | Set(_) | Buffer
        )
    }
}

/// Where a string lies: in the data, or, if it was escaped there, in the decoded strings.
#[derive(Clone, Copy)]
struct Span {
    at: u64,
    len: u32,
    decoded: bool,
}

/// Where the items of a tuple lie, and how many values its hash goes through.
#[derive(Clone, Copy)]
struct Row {
    start: u32,
    len: u32,
    cost: u32,
}

/// The cost of a hash of a tuple that was not kept.
const CHEAP: u32 = 1 << 16;
/// The cost from which hashing a key takes seconds.
const COSTLY: u32 = 1 << 28;

/// An object that a call made.
#[derive(Clone, Copy)]
pub(crate) struct Object {
    /// The tuple of arguments.
    pub(crate) args: Token,
    /// What it is an instance of, as far as that is known.
    pub(crate) class: Token,
    /// Whether a state was set.
    pub(crate) built: bool,
}

/// The tables behind the tokens.
pub(crate) struct Values<'a> {
    data: &'a [u8],
    /// Whether lists, dicts and sets are kept as well.
    pub(crate) keeps_all: bool,
    spans: Vec<Span>,
    decoded: Vec<u8>,
    tuples: Vec<Row>,
    items: Vec<Token>,
    containers: Vec<Vec<Token>>,
    pub(crate) objects: Vec<Object>,
}

/// The longest tuple that is always kept: long enough for the arguments of any call.
const KEPT_TUPLE_LEN: usize = 16;

impl<'a> Values<'a> {
    pub(crate) fn new(data: &'a [u8], keeps_all: bool) -> Self {
        Values {
            data,
            keeps_all,
            spans: Vec::new(),
            decoded: Vec::new(),
            tuples: Vec::new(),
            items: Vec::new(),
            containers: Vec::new(),
            objects: Vec::new(),
        }
    }

    /// The number of a string, for a token.
    #[inline]
    pub(crate) fn string(&mut self, bytes: &[u8]) -> u32 {
        let Ok(number) = u32::try_from(self.spans.len()) else { return NOT_KEPT };
        let span = match self.offset_of(bytes) {
            Some(at) => Span { at: at as u64, len: bytes.len().min(u32::MAX as usize) as u32, decoded: false },
            None => self.decode(bytes),
        };
        self.spans.push(span);
        number
    }

    #[cold]
    fn decode(&mut self, bytes: &[u8]) -> Span {
        let at = self.decoded.len() as u64;
        self.decoded.extend_from_slice(bytes);
        Span { at, len: bytes.len().min(u32::MAX as usize) as u32, decoded: true }
    }

    /// Where a slice of the data lies in it.
    #[inline]
    fn offset_of(&self, bytes: &[u8]) -> Option<usize> {
        let at = (bytes.as_ptr() as usize).wrapping_sub(self.data.as_ptr() as usize);
        (at <= self.data.len() && bytes.len() <= self.data.len() - at).then_some(at)
    }

    /// The bytes of a text or of bytes.
    pub(crate) fn bytes_of(&self, token: Token) -> Option<&[u8]> {
        let (Token::Text(number) | Token::Bytes(number)) = token else { return None };
        let span = self.spans.get(number as usize)?;
        let within = if span.decoded { &self.decoded } else { self.data };
        within.get(span.at as usize..)?.get(..span.len as usize)
    }

    /// The bytes of a text or of bytes, borrowed from the data where they lie there.
    pub(crate) fn string_of(&self, token: Token) -> Option<Cow<'a, [u8]>> {
        let (Token::Text(number) | Token::Bytes(number)) = token else { return None };
        let span = self.spans.get(number as usize)?;
        if span.decoded {
            return self.bytes_of(token).map(|bytes| bytes.to_vec().into());
        }
        self.data.get(span.at as usize..)?.get(..span.len as usize).map(Cow::Borrowed)
    }

    /// The text of a text, or of an 8-bit string; what is no UTF-8 is replaced.
    pub(crate) fn text_of(&self, token: Token) -> Option<Cow<'_, str>> {
        self.bytes_of(token).map(String::from_utf8_lossy)
    }

    #[inline(never)]
    pub(crate) fn tuple(&mut self, items: &[Token]) -> Token {
        let cost = self.hash_cost(items);
        let is_kept = items.len() <= KEPT_TUPLE_LEN || self.keeps_all;
        if !is_kept && cost <= CHEAP || self.items.len() + items.len() > u32::MAX as usize {
            return Token::Tuple(NOT_KEPT);
        }
        let Ok(number) = u32::try_from(self.tuples.len()) else { return Token::Tuple(NOT_KEPT) };
        let start = if is_kept { self.items.len() as u32 } else { NOT_KEPT };
        self.tuples.push(Row { start, len: items.len() as u32, cost });
        if is_kept {
            self.items.extend_from_slice(items);
        }
        Token::Tuple(number)
    }

    /// How many values Python goes through to hash a tuple of these: it hashes what is shared once for each share.
    fn hash_cost(&self, items: &[Token]) -> u32 {
        let costs = items.iter().map(|item| if let Token::Tuple(number) = item { self.cost(*number) } else { 1 });
        costs.fold(1, u32::saturating_add)
    }

    fn cost(&self, number: u32) -> u32 {
        self.tuples.get(number as usize).map_or(CHEAP, |row| row.cost)
    }

    /// Whether a key is so many tuples in tuples that its hash takes for ever.
    #[inline]
    pub(crate) fn is_costly_key(&self, token: Token) -> bool {
        matches!(token, Token::Tuple(number) if self.cost(number) > COSTLY)
    }

    /// The number of a list, dict or set.
    #[inline]
    pub(crate) fn container(&mut self, items: &[Token]) -> u32 {
        if !self.keeps_all {
            return NOT_KEPT;
        }
        self.containers.push(items.to_vec());
        u32::try_from(self.containers.len() - 1).unwrap_or(NOT_KEPT)
    }

    /// Puts more into a list, dict or set.
    #[inline]
    pub(crate) fn extend(&mut self, target: Token, items: &[Token]) {
        if self.keeps_all
            && let Token::List(number) | Token::Dict(number) | Token::Set(number) = target
            && let Some(container) = self.containers.get_mut(number as usize)
        {
            container.extend_from_slice(items);
        }
    }

    /// The items of a tuple, list or set, or keys and values of a dict in turn; `None` if they were not kept.
    pub(crate) fn items_of(&self, token: Token) -> Option<&[Token]> {
        match token {
            Token::Tuple(number) => {
                let Row { start, len, .. } = *self.tuples.get(number as usize)?;
                self.items.get(start as usize..)?.get(..len as usize)
            }
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                self.containers.get(number as usize).map(Vec::as_slice)
            }
            _ => None,
        }
    }

    pub(crate) fn object(&mut self, class: Token, args: Option<&[Token]>) -> Token {
        let Ok(number) = u32::try_from(self.objects.len()) else { return Token::Unknown };
        let args = match args {
            Some(args) if self.keeps_all => self.tuple(args),
            _ => Token::Unknown,
        };
        self.objects.push(Object { args, class, built: false });
        Token::Object(number)
    }
}
