//! `functools.partial`, compiled regular expressions and `types.SimpleNamespace`.

use std::borrow::Cow;

use super::Reduce;
use super::builtins::{octets, text};
use super::contents::Listed;
use super::iterables::{mapping, merged};
use super::reduce_helpers::typed;
use super::signature::{Signature, index, may_be_callable};
use crate::error::Result;
use crate::graph::InstanceView;
use crate::graph::{Arena, Cell, Dict, Id, IntoValue, Items, Kind, OpKind, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a `functools.partial`.
///
/// ```
/// use picklevm::{Graph, typed::Partial};
///
/// let mut graph = Graph::new();
/// let int = graph.global("builtins", "int");
/// let hex = graph.partial(int, ["ff"], [("base", 16)])?;
/// let hex: Partial = graph.value(hex).view()?;
/// assert!(hex.function().as_global().unwrap().is("builtins", "int"));
/// assert_eq!(hex.keywords().unwrap().get("base").and_then(|base| base.as_i64()), Some(16));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Partial<'g> {
    function: Value<'g>,
    args: Items<'g>,
    keywords: Option<Dict<'g>>,
    attributes: Option<Dict<'g>>,
}

impl<'g> Partial<'g> {
    /// Returns the callable, usually a global.
    pub fn function(&self) -> Value<'g> {
        self.function
    }

    /// Returns the positional arguments.
    pub fn args(&self) -> Items<'g> {
        self.args
    }

    /// Returns the keyword arguments.
    pub fn keywords(&self) -> Option<Dict<'g>> {
        self.keywords
    }

    /// Returns the attributes (`__dict__`), if there are any.
    pub fn attributes(&self) -> Option<Dict<'g>> {
        self.attributes
    }

    /// Accepts `partial(function, *args, **keywords)`, or a state of function, arguments, keywords and attributes,
    /// which replaces them.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Partial<'g>> {
        let is_whole = instance.known == Class::Partial && !instance.is_incomplete;
        if !is_whole || instance.items.is_some() || instance.pairs.is_some() {
            return None;
        }
        let called = instance.args.get(0).filter(|function| may_be_callable(*function))?;
        let Some(state) = instance.state else {
            let keywords = match instance.kwargs {
                Some(keywords) => Some(keywords.as_dict()?),
                None => None,
            };
            return Some(Partial { function: called, args: instance.args.from(1), keywords, attributes: None });
        };
        let [function, args, keywords, attributes] = state.as_tuple()?.as_array()?;
        let function = Some(function).filter(|function| may_be_callable(*function))?;
        let dict = |value: Value<'g>| if value.is_none() { Some(None) } else { value.as_dict().map(Some) };
        Some(Partial { function, args: args.as_tuple()?, keywords: dict(keywords)?, attributes: dict(attributes)? })
    }
}

impl Reduce for Partial<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let dicts = [self.keywords, self.attributes].map(|dict| dict.map_or(Cell::NONE, |dict| dict.value().cell()));
        let parts = [self.function.cell()].into_iter().chain(dicts).chain(self.args.cells().iter().copied());
        let copies = arena.copy_each(self.function.arena(), parts);
        let args = arena.new_tuple(&copies[3..]);
        let keywords = if copies[1] == Cell::NONE { arena.new_dict() } else { copies[1] };
        arena.partial_of([copies[0], args, keywords, copies[2]])
    }
}

/// View of a compiled regular expression, as returned by `re.compile`.
///
/// ```
/// use picklevm::{Graph, typed::Regex};
///
/// let mut graph = Graph::new();
/// let word = graph.regex("[a-z]+", 34);
/// let word: Regex = graph.value(word).view()?;
/// assert_eq!(word.text(), Some("[a-z]+"));
/// assert_eq!(word.flags(), 2 | 32);   // re.IGNORECASE, and re.UNICODE, which every text pattern has
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regex<'g> {
    pattern: Value<'g>,
    flags: i64,
}

impl<'g> Regex<'g> {
    /// Returns the pattern: text, or bytes in the representation of the protocol.
    pub fn pattern(&self) -> Value<'g> {
        self.pattern
    }

    /// Returns the pattern if it is text, or a `str` of Python 2.
    pub fn text(&self) -> Option<&'g str> {
        text(self.pattern)
    }

    /// Returns the pattern if it is bytes.
    pub fn bytes(&self) -> Option<Cow<'g, [u8]>> {
        octets(self.pattern).filter(|_| !matches!(self.pattern.kind(), Kind::Str(_)))
    }

    /// Returns the flags as bits of `re.RegexFlag`.
    pub fn flags(&self) -> i64 {
        self.flags
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Regex<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["pattern", "flags"], 1);
        const ASCII: i64 = 256;
        const UNICODE: i64 = 32;
        let [pattern, flags] = instance.bind(Class::Regex, &SIGNATURE)?;
        let pattern = pattern?;
        let is_compile = instance.class.as_global().is_some_and(|function| function.name() == "compile");
        let flags = match flags {
            Some(flags) => index(flags)?,
            None => is_compile.then_some(0)?,
        };
        let is_text = matches!(pattern.kind(), Kind::Str(_)) && flags & ASCII == 0;
        let is_pattern = match pattern.kind() {
            Kind::Str(_) | Kind::Bytes(_) | Kind::ByteStr(_) => true,
            _ => octets(pattern).is_some(),
        };
        // Python sets this flag for text patterns.
        let flags = flags | if is_text { UNICODE } else { 0 };
        is_pattern.then_some(Regex { pattern, flags })
    }
}

impl Reduce for Regex<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let Id(pattern) = self.pattern.into_value(arena);
        let flags = arena.cell(self.flags);
        arena.known_call(["re", "_compile"], &[pattern, flags])
    }
}

/// View of a `types.SimpleNamespace`.
///
/// ```
/// use picklevm::{Graph, typed::SimpleNamespace};
///
/// let mut graph = Graph::new();
/// let options = graph.simple_namespace([("depth", 3)])?;
/// let options: SimpleNamespace = graph.value(options).view()?;
/// assert_eq!(options.get("depth").and_then(|depth| depth.as_i64()), Some(3));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SimpleNamespace<'g> {
    attributes: Listed<'g>,
    /// The state, if all attributes are in it.
    state: Option<Dict<'g>>,
}

impl<'g> SimpleNamespace<'g> {
    /// Returns names and values of the attributes.
    pub fn attributes(&self) -> impl DoubleEndedIterator<Item = (Value<'g>, Value<'g>)> + ExactSizeIterator + '_ {
        self.attributes.entries()
    }

    /// Returns the value of an attribute. Takes linear time.
    pub fn get(&self, name: &str) -> Option<Value<'g>> {
        self.attributes.get(name.into())
    }

    /// Returns the state, if all attributes are in it.
    pub(crate) fn state(&self) -> Option<Dict<'g>> {
        self.state
    }

    #[cfg(feature = "serde")]
    pub(crate) fn into_listed(self) -> Listed<'g> {
        self.attributes
    }

    /// Accepts a mapping or pairs (from CPython 3.13 on) and keyword arguments, and a state.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<SimpleNamespace<'g>> {
        let is_whole = instance.known == Class::SimpleNamespace && !instance.is_incomplete;
        let (args, kwargs) = (instance.init_args(), instance.init_kwargs());
        if !is_whole || instance.items.is_some() || instance.pairs.is_some() || args.len() > 1 {
            return None;
        }
        let arena = instance.class.arena();
        let state = match instance.state {
            Some(state) => Some(state.as_dict()?),
            None => None,
        };
        if let Some(state) = state.filter(|_| args.is_empty() && kwargs.is_none()) {
            let attributes = Listed::of_entries(arena, state.entries());
            return Some(SimpleNamespace { attributes, state: Some(state) });
        }
        let named = mapping(arena, args.get(0), kwargs)?;
        let is_named = named.entries().all(|(name, _)| matches!(name.kind(), Kind::Str(_) | Kind::ByteStr(_)));
        let attributes = match state {
            None => named,
            Some(state) => {
                let rows = [named.cells(), state.entries().rows().as_flattened()].concat();
                Listed::of_rows(arena, merged(arena, &rows)?.into())
            }
        };
        is_named.then_some(SimpleNamespace { attributes, state: None })
    }
}

impl Reduce for SimpleNamespace<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let rows = self.attributes.copy_into(arena);
        let state = arena.new_dict();
        // They are keys of a dict already, or were hashed.
        let _ = arena.insert_rows(state, &rows);
        arena.new_namespace(state)
    }
}

impl Arena {
    /// Adds a `functools.partial` of a callable, arguments and keyword arguments; see [`Partial`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if Python cannot hash a keyword.
    pub fn partial<T: IntoValue, K: IntoValue, V: IntoValue>(
        &mut self,
        function: Id,
        args: impl IntoIterator<Item = T>,
        keywords: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Id> {
        let function = self.checked(function);
        let (Id(args), Id(keywords)) = (self.tuple(args), self.dict(keywords)?);
        Ok(self.partial_of([function, args, keywords, Cell::NONE]))
    }

    fn partial_of(&mut self, state: [Cell; 4]) -> Id {
        let class = self.known_global("functools", "partial");
        Id(self.new_partial(class, state))
    }

    /// Adds a compiled regular expression: a pattern (text or bytes) and flags as bits of `re.RegexFlag`; see
    /// [`Regex`].
    pub fn regex(&mut self, pattern: impl IntoValue, flags: i64) -> Id {
        let args = [self.cell(pattern), self.cell(flags)];
        self.known_call(["re", "_compile"], &args)
    }

    /// Adds a `types.SimpleNamespace`; see [`SimpleNamespace`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if Python cannot hash a name.
    pub fn simple_namespace<K: IntoValue, V: IntoValue>(
        &mut self,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Id> {
        let Id(state) = self.dict(attributes)?;
        Ok(self.new_namespace(state))
    }

    fn new_namespace(&mut self, state: Cell) -> Id {
        let object = self.known_call(["types", "SimpleNamespace"], &[]);
        self.object_op(object.0, OpKind::Build, &[state]);
        object
    }
}

typed! {
    Partial<'g>, "a functools.partial";
    Regex<'g>, "a compiled regular expression";
    SimpleNamespace<'g>, "a types.SimpleNamespace";
}
