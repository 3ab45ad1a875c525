//! What the scan keeps of a value: what it may be, and next to nothing else.

use std::borrow::Cow;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use picklevm::machine::Slot;

use crate::chunks::Chunks;
use crate::nature::Nature;

/// A value on the machine's stack. Payloads are numbers of rows in the tables of [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Hole,
    None,
    Bool(bool),
    Int(i32),
    /// An integer of at most [`LONG_INT`] bytes that does not fit, or a float.
    Number,
    /// A longer integer: arithmetic on it may take unbounded time.
    LongInt,
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

/// Bytes of an integer from which it is a [`Token::LongInt`].
pub(crate) const LONG_INT: usize = 512;

/// The number of what was not kept.
pub(crate) const NOT_KEPT: u32 = u32::MAX;

impl Slot for Token {
    const HOLE: Token = Token::Hole;

    #[inline]
    fn is_hole(&self) -> bool {
        *self == Token::Hole
    }
}

impl Token {
    /// Whether it is a number, a text or bytes, or `None`.
    #[inline]
    pub(crate) fn is_atom(self) -> bool {
        use Token::{Bool, Buffer, Bytes, Int, LongInt, None, Number, Text};
        matches!(self, None | Bool(_) | Int(_) | Number | LongInt | Text(_) | Bytes(_) | Buffer)
    }

    /// Whether it is a tuple, list, dict or set that opcodes made.
    #[inline]
    pub(crate) fn is_container(self) -> bool {
        matches!(self, Token::Tuple(_) | Token::List(_) | Token::Dict(_) | Token::Set(_))
    }
}

/// Where a string lies in the data, or in the decoded strings.
#[derive(Clone, Copy)]
struct Span {
    at: u32,
    len: u32,
}

/// The bit of the number of a string that was escaped, which lies in the decoded strings.
const DECODED_BIT: u32 = 1 << 31;

/// A tuple: where its items lie, how many values its hash goes through, and what may be in it.
#[derive(Clone, Copy)]
struct Row {
    start: u32,
    len: u32,
    cost: u32,
    nature: Nature,
    depth: u16,
}

/// The cost from which going through a value takes seconds.
pub(crate) const COSTLY: u32 = 1 << 28;

/// How many values may lie in one another in a key or an argument: C hashes by recursion, which a thread has no stack for
/// some ten thousand deep.
pub(crate) const DEEP: u16 = 5000;

/// A list, dict or set: what may be in it, its length, how many values going through all of it goes through, and whether it
/// lies in something else.
#[derive(Clone, Copy)]
struct Container {
    nature: Nature,
    escaped: bool,
    depth: u16,
    len: u32,
    cost: u32,
}

/// An object that a call made.
#[derive(Clone, Copy)]
pub(crate) struct Object {
    /// The tuple of arguments.
    pub(crate) args: Token,
    /// What it is an instance of, as far as that is known.
    pub(crate) class: Token,
    /// Whether a state was set.
    pub(crate) built: bool,
    /// Whether it lies in something else.
    escaped: bool,
    /// What it is, and what may be in it.
    pub(crate) nature: Nature,
    /// How many values going through it goes through.
    pub(crate) cost: u32,
    /// How many values lie in one another in it, itself included.
    depth: u16,
    /// A number whose meaning is known to the check of its class.
    pub(crate) detail: u32,
}

/// The tables behind the tokens.
pub(crate) struct Values<'a> {
    data: &'a [u8],
    /// Whether the items of lists, dicts and sets are kept as well.
    pub(crate) keeps_all: bool,
    spans: Chunks<Span>,
    decoded_spans: Chunks<Span>,
    decoded: Vec<u8>,
    /// Strings that spell bytes in an encoding, and these bytes.
    encoded: HashMap<(u32, bool), u32, RandomState>,
    tuples: Chunks<Row>,
    items: Vec<Token>,
    containers: Chunks<Container>,
    contents: Vec<Vec<Token>>,
    pub(crate) objects: Vec<Object>,
    /// What each global is.
    pub(crate) globals: Vec<Nature>,
    /// What was put into containers that lay in others by then: those may hold it too.
    late: Nature,
    /// By how much that may have multiplied what going through them goes through.
    late_factor: u32,
    /// How many values lie in one another at the most, as they were put into each other.
    pub(crate) deepest: u16,
    /// The length of the longest string.
    pub(crate) longest: usize,
}

/// The longest tuple that is always kept: long enough for the arguments of any call.
const KEPT_TUPLE_LEN: usize = 16;
/// Bytes of strings that are decoded or encoded anew: beyond, they are not kept.
const DECODED: usize = 1 << 28;

impl<'a> Values<'a> {
    pub(crate) fn new(data: &'a [u8], keeps_all: bool) -> Self {
        let mut tuples = Chunks::new();
        // The empty tuple.
        tuples.push(Row { start: 0, len: 0, cost: 1, nature: Nature::DATA, depth: 1 });
        Values {
            data,
            keeps_all,
            spans: Chunks::new(),
            decoded_spans: Chunks::new(),
            decoded: Vec::new(),
            encoded: HashMap::default(),
            tuples,
            items: Vec::new(),
            containers: Chunks::new(),
            contents: Vec::new(),
            objects: Vec::new(),
            globals: Vec::new(),
            late: Nature::DATA,
            late_factor: 1,
            deepest: 1,
            longest: 0,
        }
    }

    /// The number of a string, for a token.
    #[inline]
    pub(crate) fn string(&mut self, bytes: &[u8]) -> u32 {
        self.longest = self.longest.max(bytes.len());
        let Some(at) = self.offset_of(bytes) else { return self.decode(bytes) };
        let (Ok(at), number @ 0..DECODED_BIT) = (u32::try_from(at), self.spans.len() as u32) else { return NOT_KEPT };
        self.spans.push(Span { at, len: u32::try_from(bytes.len()).unwrap_or(u32::MAX) });
        number
    }

    #[cold]
    fn decode(&mut self, bytes: &[u8]) -> u32 {
        if bytes.len() > DECODED - self.decoded.len() {
            return NOT_KEPT;
        }
        // Fewer than `DECODED`, of one byte or more; empty ones need an opcode each.
        let number = self.decoded_spans.len() as u32 | DECODED_BIT;
        self.decoded_spans.push(Span { at: self.decoded.len() as u32, len: bytes.len() as u32 });
        self.decoded.extend_from_slice(bytes);
        number
    }

    /// Where a string lies; whether that is in the decoded strings.
    fn span_of(&self, number: u32) -> Option<(Span, bool)> {
        let is_decoded = number & DECODED_BIT != 0;
        let spans = if is_decoded { &self.decoded_spans } else { &self.spans };
        Some((*spans.get(number & !DECODED_BIT)?, is_decoded))
    }

    /// Where a slice of the data lies in it.
    #[inline]
    fn offset_of(&self, bytes: &[u8]) -> Option<usize> {
        let at = (bytes.as_ptr() as usize).wrapping_sub(self.data.as_ptr() as usize);
        (at <= self.data.len() && bytes.len() <= self.data.len() - at).then_some(at)
    }

    /// The bytes of a text in Latin-1 or UTF-8, made once for each text; `None` if it has no such bytes.
    pub(crate) fn encode(&mut self, text: Token, latin_1: bool) -> Option<u32> {
        let Token::Text(number) = text else { return None };
        if let Some(&bytes) = self.encoded.get(&(number, latin_1)) {
            return Some(bytes);
        }
        let spelled = self.text_of(text)?;
        let bytes = if !latin_1 || spelled.is_ascii() {
            // In UTF-8 the bytes of a text are the text.
            number
        } else {
            let bytes: Vec<u8> = spelled.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<_>>()?;
            self.string(&bytes)
        };
        self.encoded.insert((number, latin_1), bytes);
        Some(bytes)
    }

    /// The bytes of a text or of bytes.
    pub(crate) fn bytes_of(&self, token: Token) -> Option<&[u8]> {
        let (Token::Text(number) | Token::Bytes(number)) = token else { return None };
        let (span, is_decoded) = self.span_of(number)?;
        let within = if is_decoded { &self.decoded } else { self.data };
        within.get(span.at as usize..)?.get(..span.len as usize)
    }

    /// The bytes of a text or of bytes, borrowed from the data where they lie there.
    pub(crate) fn string_of(&self, token: Token) -> Option<Cow<'a, [u8]>> {
        let (Token::Text(number) | Token::Bytes(number)) = token else { return None };
        let (span, is_decoded) = self.span_of(number)?;
        if is_decoded {
            return self.bytes_of(token).map(|bytes| bytes.to_vec().into());
        }
        self.data.get(span.at as usize..)?.get(..span.len as usize).map(Cow::Borrowed)
    }

    /// The text of a text, or of an 8-bit string; what is no UTF-8 is replaced.
    pub(crate) fn text_of(&self, token: Token) -> Option<Cow<'_, str>> {
        self.bytes_of(token).map(String::from_utf8_lossy)
    }

    /// What a value is, and what may be in it.
    #[inline]
    pub(crate) fn nature_of(&self, token: Token) -> Nature {
        match token {
            Token::Tuple(number) => self.tuples.get(number).map_or(Nature::UNKNOWN, |row| row.nature.with(self.late)),
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                self.containers.get(number).map_or(Nature::UNKNOWN, |it| it.nature.with(self.late))
            }
            Token::Global(number) => self.globals.get(number as usize).copied().unwrap_or(Nature::UNKNOWN),
            Token::Object(number) => self.objects.get(number as usize).map_or(Nature::UNKNOWN, |it| it.nature),
            Token::Persistent(_) => Nature::OBJECT,
            Token::Unknown | Token::Hole => Nature::UNKNOWN,
            _ => Nature::DATA,
        }
    }

    /// What several values may be; those that are lists, dicts and sets lie in something from now on.
    #[inline]
    fn take_in(&mut self, items: &[Token]) -> Nature {
        let mut nature = Nature::DATA;
        for item in items {
            if item.is_atom() {
                continue;
            }
            match item {
                Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                    if let Some(container) = self.containers.get_mut(*number) {
                        container.escaped = true;
                    }
                }
                Token::Object(number) => {
                    if let Some(object) = self.objects.get_mut(*number as usize) {
                        object.escaped = true;
                    }
                }
                _ => {}
            }
            nature = nature.with(self.nature_of(*item));
        }
        nature
    }

    #[inline(never)]
    pub(crate) fn tuple(&mut self, items: &[Token]) -> Token {
        if items.is_empty() {
            return Token::Tuple(0);
        }
        let (cost, depth) = self.cost_and_depth(items);
        let nature = self.take_in(items);
        let is_kept = items.len() <= KEPT_TUPLE_LEN || self.keeps_all;
        let Ok(number) = u32::try_from(self.tuples.len()) else { return Token::Tuple(NOT_KEPT) };
        let is_kept = is_kept && self.items.len() + items.len() < NOT_KEPT as usize;
        let start = if is_kept { self.items.len() as u32 } else { NOT_KEPT };
        self.tuples.push(Row { start, len: items.len() as u32, cost, nature, depth });
        if is_kept {
            self.items.extend_from_slice(items);
        }
        Token::Tuple(number)
    }

    /// How many values Python goes through to hash a tuple of these: it hashes what is shared once for each share.
    #[inline]
    fn cost_of_all(&self, items: &[Token]) -> u32 {
        items.iter().fold(1, |cost, item| cost.saturating_add(self.cost_of(*item)))
    }

    /// The cost of a container of these, and its depth, which is noted.
    #[inline]
    fn cost_and_depth(&mut self, items: &[Token]) -> (u32, u16) {
        let (mut cost, mut depth) = (1u32, 0);
        for item in items {
            let (more, inner) = match *item {
                item if item.is_atom() => (1, 0),
                item => (self.cost_of(item), self.depth_of(item)),
            };
            cost = cost.saturating_add(more);
            depth = depth.max(inner);
        }
        let depth = depth.saturating_add(1);
        self.deepest = self.deepest.max(depth);
        (cost, depth)
    }

    /// How many containers and objects lie in one another in a value, itself included.
    #[inline]
    pub(crate) fn depth_of(&self, token: Token) -> u16 {
        match token {
            Token::Tuple(number) => self.tuples.get(number).map_or(0, |row| row.depth),
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                self.containers.get(number).map_or(0, |container| container.depth)
            }
            Token::Object(number) => self.objects.get(number as usize).map_or(0, |object| object.depth),
            _ => 0,
        }
    }

    /// How many values going through a value goes through, all that is shared once for each share.
    #[inline]
    pub(crate) fn cost_of(&self, token: Token) -> u32 {
        match token {
            Token::Tuple(number) => self.tuples.get(number).map_or(1, |row| row.cost),
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                self.containers.get(number).map_or(1, |container| container.cost.saturating_mul(self.late_factor))
            }
            Token::Object(number) => self.objects.get(number as usize).map_or(1, |object| object.cost),
            _ => 1,
        }
    }

    /// Whether hashing a key takes exponential time, or recurses so deep that the process ends.
    #[inline]
    pub(crate) fn is_costly_key(&self, token: Token) -> bool {
        matches!(token, Token::Tuple(_) | Token::Object(_) | Token::Set(_))
            && (self.cost_of(token) > COSTLY || self.depth_of(token) > DEEP)
    }

    /// How many values and bytes of strings values hold, all that is shared once for each share, as long as that is no more than
    /// `most`; `None` where it is more, or not known.
    pub(crate) fn weight_of(&self, values: &[Token], most: u64) -> Option<u64> {
        let mut left = most;
        let mut work = values.to_vec();
        while let Some(value) = work.pop() {
            let len = self.bytes_of(value).map_or(0, <[u8]>::len) as u64;
            left = left.checked_sub(1 + len)?;
            match value {
                Token::Object(_) => match self.object_of(value)?.args {
                    // So many that they were not kept.
                    Token::Unknown if self.keeps_all => left = left.checked_sub(u64::from(self.cost_of(value)))?,
                    Token::Unknown => return None,
                    args => work.push(args),
                },
                value if value.is_container() => {
                    let items = self.items_of(value)?;
                    // The items wait for as much memory as they weigh at least.
                    left.checked_sub((work.len() + items.len()) as u64)?;
                    work.extend_from_slice(items);
                }
                _ => {}
            }
        }
        Some(most - left)
    }

    /// The number of a list, dict or set.
    #[inline]
    pub(crate) fn container(&mut self, items: &[Token]) -> u32 {
        let Ok(number) = u32::try_from(self.containers.len()) else { return NOT_KEPT };
        let (cost, depth) = self.cost_and_depth(items);
        let nature = self.take_in(items);
        self.containers.push(Container { nature, escaped: false, depth, len: items.len() as u32, cost });
        if self.keeps_all {
            self.contents.push(items.to_vec());
        }
        number
    }

    /// Puts more into a list, dict or set.
    #[inline]
    pub(crate) fn extend(&mut self, target: Token, items: &[Token]) {
        let (cost, depth) = self.cost_and_depth(items);
        let nature = self.take_in(items);
        if let Token::List(number) | Token::Dict(number) | Token::Set(number) = target
            && let Some(container) = self.containers.get_mut(number)
        {
            container.nature = container.nature.with(nature);
            container.len = container.len.saturating_add(items.len() as u32);
            container.cost = container.cost.saturating_add(cost);
            container.depth = container.depth.max(depth);
            if container.escaped {
                self.late = self.late.with(nature);
                // What holds it has counted less: each container in it may be one more way down.
                let inner = items.iter().filter(|item| item.is_container()).count();
                self.late_factor = self.late_factor.saturating_mul(u32::try_from(inner).map_or(u32::MAX, |n| n + 1));
            }
            if let Some(contents) = self.contents.get_mut(number as usize) {
                contents.extend_from_slice(items);
            }
        }
    }

    /// How many items a container has, or keys and values a dict; `None` if it is none.
    pub(crate) fn len_of(&self, token: Token) -> Option<usize> {
        match token {
            Token::Tuple(number) => self.tuples.get(number).map(|row| row.len as usize),
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                self.containers.get(number).map(|container| container.len as usize)
            }
            _ => None,
        }
    }

    /// The items of a tuple, list or set, or keys and values of a dict in turn; `None` if they were not kept.
    pub(crate) fn items_of(&self, token: Token) -> Option<&[Token]> {
        match token {
            Token::Tuple(number) => {
                let Row { start, len, .. } = *self.tuples.get(number)?;
                self.items.get(start as usize..)?.get(..len as usize)
            }
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                match self.contents.get(number as usize) {
                    Some(contents) => Some(contents),
                    None if self.len_of(token) == Some(0) => Some(&[]),
                    None => None,
                }
            }
            _ => None,
        }
    }

    /// The value of a key of a dict; the last one counts.
    pub(crate) fn entry(&self, dict: Token, key: &str) -> Option<Token> {
        if !matches!(dict, Token::Dict(_)) {
            return None;
        }
        let pairs = self.items_of(dict)?.chunks_exact(2).rev();
        pairs.into_iter().find(|pair| self.bytes_of(pair[0]) == Some(key.as_bytes())).map(|pair| pair[1])
    }

    /// An object that a call made, of this nature beside that of its arguments.
    pub(crate) fn object(&mut self, class: Token, args: Option<&[Token]>, nature: Nature) -> Token {
        let Ok(number) = u32::try_from(self.objects.len()) else { return Token::Unknown };
        // The class is not in what is made of it.
        let inner = args.map_or(Nature::UNKNOWN, |args| {
            let parts = args.split(|arg| *arg == class);
            parts.fold(Nature::DATA, |nature, parts| nature.with(self.take_in(parts)))
        });
        let (cost, depth) = args.map_or((1, 1), |args| self.cost_and_depth(args));
        let args = match args {
            // A long tuple may be the arguments of many calls.
            Some(args) if self.keeps_all && args.len() <= KEPT_TUPLE_LEN => self.tuple(args),
            _ => Token::Unknown,
        };
        let nature = nature.with(inner.held());
        self.objects.push(Object { args, class, built: false, escaped: false, nature, cost, depth, detail: NOT_KEPT });
        Token::Object(number)
    }

    /// The object behind a token.
    pub(crate) fn object_of(&self, token: Token) -> Option<&Object> {
        match token {
            Token::Object(number) => self.objects.get(number as usize),
            _ => None,
        }
    }

    /// The object behind a token, to be changed.
    pub(crate) fn object_mut(&mut self, token: Token) -> Option<&mut Object> {
        match token {
            Token::Object(number) => self.objects.get_mut(number as usize),
            _ => None,
        }
    }

    /// Going through an object goes through so many values more.
    pub(crate) fn add_cost(&mut self, object: Token, cost: u32) {
        if let Some(object) = self.object_mut(object) {
            object.cost = object.cost.saturating_add(cost);
        }
    }

    /// Going through an object goes through these as well.
    pub(crate) fn add_cost_of(&mut self, object: Token, items: &[Token]) {
        self.add_cost(object, self.cost_of_all(items));
    }

    /// Says what an object is, whatever its class.
    pub(crate) fn put_nature(&mut self, object: Token, nature: Nature) {
        if let Some(object) = self.object_mut(object) {
            object.nature = nature;
        }
    }

    /// Something is put into an object: a state or items.
    pub(crate) fn put_into(&mut self, target: Token, items: &[Token]) {
        let nature = self.take_in(items).held();
        let (_, depth) = self.cost_and_depth(items);
        if let Some(object) = self.object_mut(target) {
            object.depth = object.depth.max(depth);
        }
        if let Some(object) = self.object_mut(target)
            && object.nature.with(nature) != object.nature
        {
            object.nature = object.nature.with(nature);
            if object.escaped {
                self.late = self.late.with(nature.grave());
            }
        }
    }
}
