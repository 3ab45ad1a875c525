//! What the scan keeps of a value: what it may be, and next to nothing else.

use std::borrow::Cow;
use std::cell::Cell;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::nature::Nature;
use crate::recent::Recent;
use crate::strings::Strings;
use crate::table::{Row, Table};
use crate::token::{NOT_KEPT, Packed, Token};

/// The cost from which going through a value takes seconds.
pub(crate) const COSTLY: u32 = 1 << 28;

/// How many values may lie in one another in a key or an argument: C hashes by recursion, which a thread has no stack for
/// some ten thousand deep.
pub(crate) const DEEP: u16 = 5000;

/// A tuple, list, dict or set: what may be in it, whether it lies in something else, how many values lie in one another in it,
/// its length, and how many values going through all of it goes through.
#[derive(Clone, Copy)]
struct Container {
    nature: Nature,
    escaped: bool,
    depth: u16,
    len: u32,
    cost: u32,
}

impl Row for Container {
    #[inline]
    fn pack(&self) -> Option<u32> {
        let Container { nature, escaped, depth, len, cost } = *self;
        let fits = nature.0 < 1 << 3 && depth < 1 << 4 && len < 1 << 10 && cost < 1 << 13;
        let (nature, depth) = (u32::from(nature.0), u32::from(depth));
        fits.then_some(nature << 28 | u32::from(escaped) << 27 | depth << 23 | len << 13 | cost)
    }

    #[inline]
    fn unpack(packed: u32) -> Self {
        let bits = |from: u32, count: u32| packed >> from & ((1 << count) - 1);
        Container {
            nature: Nature(bits(28, 3) as u8),
            escaped: bits(27, 1) != 0,
            depth: bits(23, 4) as u16,
            len: bits(13, 10),
            cost: bits(0, 13),
        }
    }
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

impl Row for Object {
    #[inline]
    fn pack(&self) -> Option<u32> {
        let Object { args, class: Token::Global(class), detail: NOT_KEPT, .. } = *self else { return None };
        let Object { built, escaped, nature, cost, depth, .. } = *self;
        let has_none = args == Token::Tuple(0);
        let fits = (has_none || args == Token::Unknown)
            && class < 1 << 11
            && nature.0 < 1 << 4
            && depth < 1 << 4
            && cost < 1 << 9;
        let flags = u32::from(has_none) << 2 | u32::from(built) << 1 | u32::from(escaped);
        let (nature, depth) = (u32::from(nature.0), u32::from(depth));
        fits.then_some(class << 20 | flags << 17 | nature << 13 | depth << 9 | cost)
    }

    #[inline]
    fn unpack(packed: u32) -> Self {
        let bits = |from: u32, count: u32| packed >> from & ((1 << count) - 1);
        Object {
            args: if bits(19, 1) != 0 { Token::Tuple(0) } else { Token::Unknown },
            class: Token::Global(bits(20, 11)),
            built: bits(18, 1) != 0,
            escaped: bits(17, 1) != 0,
            nature: Nature(bits(13, 4) as u8),
            cost: bits(0, 9),
            depth: bits(9, 4) as u16,
            detail: NOT_KEPT,
        }
    }
}

/// The tables behind the tokens.
pub(crate) struct Values<'a> {
    /// Whether the items of lists, dicts and sets are kept as well.
    pub(crate) keeps_all: bool,
    pub(crate) strings: Strings<'a>,
    tuples: Table<Container>,
    items: Recent,
    containers: Table<Container>,
    contents: HashMap<u32, Vec<Token>, RandomState>,
    /// Whether items are forgotten that are not likely to be asked for again, and whether they were.
    forgets: bool,
    pub(crate) misses: Cell<bool>,
    objects: Table<Object>,
    /// What each global is.
    pub(crate) globals: Vec<Nature>,
    /// What was put into containers that lay in others by then: those may hold it too.
    late: Nature,
    /// By how much that may have multiplied what going through them goes through.
    late_factor: u32,
    /// How many values lie in one another at the most, as they were put into each other.
    pub(crate) deepest: u16,
}

/// The longest tuple that is always kept: long enough for the arguments of any call.
const KEPT_TUPLE_LEN: usize = 16;

impl<'a> Values<'a> {
    pub(crate) fn new(data: &'a [u8], keeps_all: bool, forgets: bool) -> Self {
        let mut tuples = Table::new();
        // The empty tuple.
        tuples.push(Container { nature: Nature::DATA, escaped: false, depth: 1, len: 0, cost: 1 });
        Values {
            keeps_all,
            strings: Strings::new(data),
            tuples,
            items: Recent::new(keeps_all && !forgets),
            containers: Table::new(),
            contents: HashMap::default(),
            forgets,
            misses: Cell::new(false),
            objects: Table::new(),
            globals: Vec::new(),
            late: Nature::DATA,
            late_factor: 1,
            deepest: 1,
        }
    }

    /// A token of the machine.
    #[inline]
    pub(crate) fn unpack(&self, packed: Packed) -> Token {
        match packed.unpack() {
            Token::Number(op) => self.strings.int_at(op).map_or(Token::Number(op), Token::Int),
            token => token,
        }
    }

    /// The bytes of a text or of bytes.
    pub(crate) fn bytes_of(&self, token: Token) -> Option<&[u8]> {
        let (Token::Text(number) | Token::Bytes(number)) = token else { return None };
        self.strings.get(number)
    }

    /// The bytes of a text or of bytes, borrowed from the data where they lie there.
    pub(crate) fn string_of(&self, token: Token) -> Option<Cow<'a, [u8]>> {
        let (Token::Text(number) | Token::Bytes(number)) = token else { return None };
        self.strings.get_cow(number)
    }

    /// The text of a text, or of an 8-bit string; what is no UTF-8 is replaced.
    pub(crate) fn text_of(&self, token: Token) -> Option<Cow<'_, str>> {
        self.bytes_of(token).map(String::from_utf8_lossy)
    }

    /// What a value is and holds in all.
    #[inline]
    fn whole(&self, token: Token) -> Container {
        let of = |nature| Container { nature, escaped: false, depth: 0, len: 0, cost: 1 };
        let row = match token {
            Token::Tuple(number) => self.tuples.get(number).map(|row| (row, 1)),
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                self.containers.get(number).map(|row| (row, self.late_factor))
            }
            Token::Object(number) => {
                let object = self.objects.get(number);
                return object.map_or(of(Nature::UNKNOWN), |it| Container {
                    depth: it.depth,
                    cost: it.cost,
                    ..of(it.nature)
                });
            }
            Token::Global(number) => return of(*self.globals.get(number as usize).unwrap_or(&Nature::UNKNOWN)),
            Token::Persistent(_) => return of(Nature::OBJECT),
            Token::Unknown | Token::Hole => None,
            Token::LongInt => return of(Nature::LONG),
            _ => return of(Nature::DATA),
        };
        row.map_or(of(Nature::UNKNOWN), |(row, factor)| Container {
            nature: row.nature.with(self.late),
            cost: row.cost.saturating_mul(factor),
            ..row
        })
    }

    /// What a value is, and what may be in it.
    #[inline]
    pub(crate) fn nature_of(&self, token: Token) -> Nature {
        self.whole(token).nature
    }

    /// How many containers and objects lie in one another in a value, itself included.
    #[inline]
    pub(crate) fn depth_of(&self, token: Token) -> u16 {
        self.whole(token).depth
    }

    /// How many values going through a value goes through, all that is shared once for each share.
    #[inline]
    pub(crate) fn cost_of(&self, token: Token) -> u32 {
        self.whole(token).cost
    }

    /// What a container of these holds in all. Lists, dicts, sets and objects lie in something from now on.
    #[inline]
    fn take_in(&mut self, items: &[Token]) -> Container {
        let mut all = Container { nature: Nature::DATA, escaped: false, depth: 0, len: items.len() as u32, cost: 1 };
        for &item in items {
            if item.is_atom() && item != Token::LongInt {
                all.cost = all.cost.saturating_add(1);
                continue;
            }
            match item {
                Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                    self.containers.change(number, |container| container.escaped = true);
                }
                Token::Object(number) => self.objects.change(number, |object| object.escaped = true),
                _ => {}
            }
            let whole = self.whole(item);
            all.nature = all.nature.with(whole.nature);
            all.cost = all.cost.saturating_add(whole.cost);
            all.depth = all.depth.max(whole.depth);
        }
        all.depth = all.depth.saturating_add(1);
        self.deepest = self.deepest.max(all.depth);
        all
    }

    #[inline(never)]
    pub(crate) fn tuple(&mut self, items: &[Token]) -> Token {
        if items.is_empty() {
            return Token::Tuple(0);
        }
        let row = self.take_in(items);
        let number = self.tuples.push(row);
        if items.len() <= KEPT_TUPLE_LEN || self.keeps_all {
            self.items.push(number, items);
        }
        Token::Tuple(number)
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
        let row = self.take_in(items);
        let number = self.containers.push(row);
        self.keep(number, items);
        number
    }

    /// Keeps more items of a list, dict or set.
    #[inline]
    fn keep(&mut self, number: u32, items: &[Token]) {
        if self.keeps_all && !items.is_empty() {
            self.contents.entry(number).or_default().extend_from_slice(items);
        }
    }

    /// Forgets the items of a state that was set, and of what lies in it.
    pub(crate) fn forget(&mut self, state: Token) {
        let mut work = if self.forgets { vec![state] } else { Vec::new() };
        while let Some(value) = work.pop() {
            if let Token::List(number) | Token::Dict(number) | Token::Set(number) = value {
                work.extend(self.contents.remove(&number).into_iter().flatten().filter(|item| item.is_container()));
            }
        }
    }

    /// Puts more into a list, dict or set.
    #[inline]
    pub(crate) fn extend(&mut self, target: Token, items: &[Token]) {
        let all = self.take_in(items);
        let (Token::List(number) | Token::Dict(number) | Token::Set(number)) = target else { return };
        let mut escaped = false;
        self.containers.change(number, |container| {
            container.nature = container.nature.with(all.nature);
            container.len = container.len.saturating_add(all.len);
            container.cost = container.cost.saturating_add(all.cost);
            container.depth = container.depth.max(all.depth);
            escaped = container.escaped;
        });
        if escaped {
            self.late = self.late.with(all.nature);
            // What holds it has counted less: each container in it may be one more way down.
            let inner = items.iter().filter(|item| item.is_container()).count();
            self.late_factor = self.late_factor.saturating_mul(u32::try_from(inner).map_or(u32::MAX, |n| n + 1));
        }
        self.keep(number, items);
    }

    /// How many items a container has, or keys and values a dict; `None` if it is none.
    pub(crate) fn len_of(&self, token: Token) -> Option<usize> {
        token.is_container().then(|| self.whole(token).len as usize)
    }

    /// The items of a tuple, list or set, or keys and values of a dict in turn; `None` if they were not kept.
    pub(crate) fn items_of(&self, token: Token) -> Option<&[Token]> {
        let len = self.len_of(token)?;
        let items = match token {
            _ if len == 0 => Some(&[][..]),
            Token::Tuple(number) => self.items.get(number, len),
            Token::List(number) | Token::Dict(number) | Token::Set(number) => {
                self.contents.get(&number).filter(|items| items.len() == len).map(Vec::as_slice)
            }
            _ => None,
        };
        if items.is_none() {
            self.misses.set(true);
        }
        items
    }

    /// The value of a key of a dict; the last one counts.
    pub(crate) fn entry(&self, dict: Token, key: &str) -> Option<Token> {
        if !matches!(dict, Token::Dict(_)) {
            return None;
        }
        let pairs = self.items_of(dict)?.chunks_exact(2).rev();
        pairs.into_iter().find(|pair| self.bytes_of(pair[0]) == Some(key.as_bytes())).map(|pair| pair[1])
    }

    /// An object that a call made, of this nature beside that of its arguments, which may be worth keeping.
    pub(crate) fn object(&mut self, class: Token, args: Option<&[Token]>, nature: Nature, keeps_args: bool) -> Token {
        // The class is not in what is made of it.
        let inner = args.map_or(Nature::UNKNOWN, |args| {
            let parts = args.split(|arg| *arg == class);
            parts.fold(Nature::DATA, |nature, parts| nature.with(self.take_in(parts).nature))
        });
        let (cost, depth) = args.map_or((1, 1), |args| {
            let all = self.take_in(args);
            (all.cost, all.depth)
        });
        let args = match args {
            // A long tuple may be the arguments of many calls.
            Some(args) if self.keeps_all && keeps_args && args.len() <= KEPT_TUPLE_LEN => self.tuple(args),
            _ => Token::Unknown,
        };
        let nature = nature.with(inner.held());
        let object = Object { args, class, built: false, escaped: false, nature, cost, depth, detail: NOT_KEPT };
        match self.objects.push(object) {
            NOT_KEPT => Token::Unknown,
            number => Token::Object(number),
        }
    }

    /// The object behind a token.
    pub(crate) fn object_of(&self, token: Token) -> Option<Object> {
        match token {
            Token::Object(number) => self.objects.get(number),
            _ => None,
        }
    }

    /// Changes the object behind a token, if that is one.
    pub(crate) fn change_object(&mut self, token: Token, change: impl FnOnce(&mut Object)) {
        if let Token::Object(number) = token {
            self.objects.change(number, change);
        }
    }

    /// Going through an object goes through so many values more.
    pub(crate) fn add_cost(&mut self, object: Token, cost: u32) {
        self.change_object(object, |object| object.cost = object.cost.saturating_add(cost));
    }

    /// Says what an object is, whatever its class.
    pub(crate) fn put_nature(&mut self, object: Token, nature: Nature) {
        self.change_object(object, |object| object.nature = nature);
    }

    /// Something is put into an object: a state or items. Returns what going through them goes through.
    pub(crate) fn put_into(&mut self, target: Token, items: &[Token]) -> u32 {
        let Container { nature, depth, cost, .. } = self.take_in(items);
        let nature = nature.held();
        let mut spreads = false;
        self.change_object(target, |object| {
            object.depth = object.depth.max(depth);
            spreads = object.escaped && object.nature.with(nature) != object.nature;
            object.nature = object.nature.with(nature);
        });
        if spreads {
            self.late = self.late.with(nature.grave());
        }
        cost
    }
}
