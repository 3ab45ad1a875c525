//! `functools.partial`, compiled regular expressions, `types.SimpleNamespace`.

use std::borrow::Cow;

use super::Reduce;
use super::builtins::{octets, text};
use super::class::Class;
use super::instance::InstanceView;
use super::reduce_helpers::typed;
use super::signature::{Signature, index};
use crate::error::Result;
use crate::graph::{Arena, Cell, Dict, Id, IntoValue, Items, Kind, OpKind, Value};
use crate::protocol::Protocol;

/// A `functools.partial`.
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
    args: Value<'g>,
    keywords: Value<'g>,
    attributes: Value<'g>,
}

impl<'g> Partial<'g> {
    /// What is called: a global as a rule.
    pub fn function(&self) -> Value<'g> {
        self.function
    }

    /// The arguments that it is called with before others.
    pub fn args(&self) -> Items<'g> {
        self.args.items()
    }

    /// The keyword arguments that it is called with.
    pub fn keywords(&self) -> Option<Dict<'g>> {
        self.keywords.as_dict()
    }

    /// The attributes, `__dict__`, if there are any.
    pub fn attributes(&self) -> Option<Dict<'g>> {
        self.attributes.as_dict()
    }

    /// `partial(function)`, and a state of function, arguments, keywords and attributes.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Partial<'g>> {
        if !instance.is(Class::Partial) || instance.items.is_some() || instance.pairs.is_some() {
            return None;
        }
        let [called] = instance.args.as_array()?;
        let [function, args, keywords, attributes] = instance.state?.as_tuple()?.as_array()?;
        let is_dict = |value: Value<'_>| value.is_none() || value.as_dict().is_some();
        let is_whole = called.is(function) && args.as_tuple().is_some() && is_dict(keywords) && is_dict(attributes);
        is_whole.then_some(Partial { function, args, keywords, attributes })
    }
}

impl Reduce for Partial<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let parts = [self.function, self.args, self.keywords, self.attributes].map(Value::cell);
        let state = arena.copy_each(self.function.arena(), parts);
        arena.partially(&state)
    }
}

/// A compiled regular expression: what `re.compile` returns.
///
/// ```
/// use picklevm::{Graph, typed::Regex};
///
/// let mut graph = Graph::new();
/// let word = graph.regex("[a-z]+", 34);
/// let word: Regex = graph.value(word).view()?;
/// assert_eq!(word.text(), Some("[a-z]+"));
/// assert_eq!(word.flags(), 2 | 32);   // re.IGNORECASE, and re.UNICODE as all of text have it
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regex<'g> {
    pattern: Value<'g>,
    flags: i64,
}

impl<'g> Regex<'g> {
    /// The pattern as the pickle has it: text, or bytes as the protocol writes them.
    pub fn pattern(&self) -> Value<'g> {
        self.pattern
    }

    /// The pattern, if it is text: in Python 2, also of a `str`.
    pub fn text(&self) -> Option<&'g str> {
        text(self.pattern)
    }

    /// The pattern, if it is bytes.
    pub fn bytes(&self) -> Option<Cow<'g, [u8]>> {
        octets(self.pattern).filter(|_| !matches!(self.pattern.kind(), Kind::Str(_)))
    }

    /// The flags, in the bits of `re.RegexFlag`.
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
        // Python adds the flag of patterns of text.
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

/// A `types.SimpleNamespace`.
///
/// ```
/// use picklevm::{Graph, typed::SimpleNamespace};
///
/// let mut graph = Graph::new();
/// let options = graph.simple_namespace([("depth", 3)])?;
/// let options: SimpleNamespace = graph.value(options).view()?;
/// assert_eq!(options.attributes().get("depth").and_then(|depth| depth.as_i64()), Some(3));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SimpleNamespace<'g>(Dict<'g>);

impl<'g> SimpleNamespace<'g> {
    /// Names and values.
    pub fn attributes(&self) -> Dict<'g> {
        self.0
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<SimpleNamespace<'g>> {
        let is_whole = instance.is(Class::SimpleNamespace) && instance.items.is_none() && instance.pairs.is_none();
        let state = instance.state.filter(|_| is_whole && instance.args.is_empty())?;
        state.as_dict().map(SimpleNamespace)
    }
}

impl Reduce for SimpleNamespace<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let Id(state) = self.0.value().into_value(arena);
        arena.namespace(state)
    }
}

impl Arena {
    /// A `functools.partial` of something to call, arguments and keyword arguments; see [`Partial`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if a keyword is one that Python cannot hash.
    pub fn partial<T: IntoValue, K: IntoValue, V: IntoValue>(
        &mut self,
        function: Id,
        args: impl IntoIterator<Item = T>,
        keywords: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Id> {
        let function = self.checked(function);
        let (Id(args), Id(keywords)) = (self.tuple(args), self.dict(keywords)?);
        Ok(self.partially(&[function, args, keywords, Cell::NONE]))
    }

    fn partially(&mut self, state: &[Cell]) -> Id {
        let object = self.known_call(["functools", "partial"], &state[..1]);
        let state = self.new_tuple(state);
        self.object_op(object.0, OpKind::Build, &[state]);
        object
    }

    /// A compiled regular expression: a pattern, text or bytes, and flags in the bits of `re.RegexFlag`; see [`Regex`].
    pub fn regex(&mut self, pattern: impl IntoValue, flags: i64) -> Id {
        let args = [self.cell(pattern), self.cell(flags)];
        self.known_call(["re", "_compile"], &args)
    }

    /// A `types.SimpleNamespace` of names and values; see [`SimpleNamespace`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if a name is one that Python cannot hash.
    pub fn simple_namespace<K: IntoValue, V: IntoValue>(
        &mut self,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Id> {
        let Id(state) = self.dict(attributes)?;
        Ok(self.namespace(state))
    }

    fn namespace(&mut self, state: Cell) -> Id {
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
