//! What a Python class is like, as far as its pickles show it: data that `#[derive(PickleClass)]` fills in.

/// A Python class as its pickles show it: its names, how its instances are made, and what their state looks like.
///
/// `#[derive(PickleClass)]` makes one of its attributes. A constant of the type:
///
/// ```
/// use picklevm::class::{ClassDef, State};
///
/// const PIXEL: ClassDef = ClassDef::new("geometry", "Point.Pixel").alias(&[("shapes", "Pixel")]).state(State::Slots);
/// assert_eq!(PIXEL.to_string(), "geometry.Point.Pixel");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClassDef {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    aliases: &'static [(&'static str, &'static str)],
    pub(super) state: State,
    pub(super) base: Base,
    pub(super) is_old_style: bool,
    pub(super) is_dict: bool,
}

/// What the state of an instance looks like in a pickle.
///
/// Read are the first two alike, whichever of them is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A dict of attributes: the `__dict__` of a plain class or dataclass.
    #[default]
    Dict,
    /// `(None, {…})`, attributes in `__slots__` alone. Without a `__getstate__`, such a class has no pickles below
    /// protocol 2.
    Slots,
    /// A tuple of the attributes in order: what a `__getstate__` returns.
    Tuple,
    /// A list of the attributes in order: what dataclasses with `frozen=True` and `slots=True` return.
    List,
}

/// The built-in class that a class extends, which decides how its instances are made.
///
/// Below protocol 2 its value is an argument of `copyreg._reconstructor`. From 2 on (PEP 307) it is what
/// `__getnewargs__` of the built-in class returns, or items and pairs that are added to the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Base {
    /// None: the class extends `object`.
    #[default]
    Object,
    /// `tuple`, made of its fields one by one, as by `collections.namedtuple`.
    NamedTuple,
    /// `tuple`, made of a tuple.
    Tuple,
    /// `list`.
    List,
    /// `dict`.
    Dict,
    /// `int`.
    Int,
    /// `float`.
    Float,
    /// `complex`.
    Complex,
    /// `str`.
    Str,
    /// `bytes`.
    Bytes,
}

/// Where the value of a Rust field is in an instance.
///
/// ```
/// use picklevm::class::Field;
///
/// const X: Field = Field::attr("x");                     // an attribute
/// const LOW: Field = Field::attr("low").arg(0);          // an attribute, and the first argument of `__new__`
/// const UNIT: Field = Field::new("unit").kwarg();        // a keyword argument alone
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) arg: Option<usize>,
    pub(super) is_kwarg: bool,
    pub(super) attr: Option<Attr>,
    pub(super) is_base: bool,
}

/// Where Python keeps an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attr {
    /// Where the class keeps those that nothing else is said of.
    Own,
    /// In `__slots__`.
    Slot,
    /// At this place of a state that is a tuple or list.
    At(usize),
}

impl ClassDef {
    /// The class `name` of `module`: a plain class that extends `object`. The names are those of Python 3; a name may be
    /// dotted, for what is nested in a class.
    pub const fn new(module: &'static str, name: &'static str) -> Self {
        ClassDef {
            module,
            name,
            aliases: &[],
            state: State::Dict,
            base: Base::Object,
            is_old_style: false,
            is_dict: false,
        }
    }

    /// No class of its own but a plain `dict`, whose keys are the names of the attributes. `name` is for errors.
    ///
    /// ```
    /// const OPTIONS: picklevm::class::ClassDef = picklevm::class::ClassDef::dict("Options");
    /// assert_eq!(OPTIONS.to_string(), "Options");
    /// ```
    pub const fn dict(name: &'static str) -> Self {
        ClassDef { is_dict: true, ..ClassDef::new("", name) }
    }

    /// Other names, by module and name, that are read as this class.
    #[must_use]
    pub const fn alias(mut self, names: &'static [(&'static str, &'static str)]) -> Self {
        self.aliases = names;
        self
    }

    /// What the state looks like; [`State::Dict`] by default.
    #[must_use]
    pub const fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// The built-in class that it extends; [`Base::Object`] by default.
    #[must_use]
    pub const fn base(mut self, base: Base) -> Self {
        self.base = base;
        self
    }

    /// Makes it a class of Python 2 that does not extend `object`: its instances are made by INST and OBJ, with the
    /// arguments that `__getinitargs__` returns.
    #[must_use]
    pub const fn old_style(mut self) -> Self {
        self.is_old_style = true;
        self
    }

    /// The module; nothing for a plain [`dict`](ClassDef::dict).
    pub const fn module(&self) -> &'static str {
        self.module
    }

    /// The qualified name inside the module.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the class is called so.
    pub fn is_called(&self, module: &str, name: &str) -> bool {
        (self.module, self.name) == (module, name) || self.aliases.contains(&(module, name))
    }
}

/// `module.name`.
impl std::fmt::Display for ClassDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_dict {
            return f.write_str(self.name);
        }
        write!(f, "{}.{}", self.module, self.name)
    }
}

impl Base {
    /// The name of the class in `builtins`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Base::Object => "object",
            Base::NamedTuple | Base::Tuple => "tuple",
            Base::List => "list",
            Base::Dict => "dict",
            Base::Int => "int",
            Base::Float => "float",
            Base::Complex => "complex",
            Base::Str => "str",
            Base::Bytes => "bytes",
        }
    }
}

impl Field {
    /// A field of this name, which is nowhere yet.
    pub const fn new(name: &'static str) -> Self {
        Field { name, aliases: &[], arg: None, is_kwarg: false, attr: None, is_base: false }
    }

    /// An attribute, where the class keeps its attributes.
    pub const fn attr(name: &'static str) -> Self {
        Field { attr: Some(Attr::Own), ..Field::new(name) }
    }

    /// An attribute in `__slots__`, of a class that has a `__dict__` besides.
    pub const fn slot(name: &'static str) -> Self {
        Field { attr: Some(Attr::Slot), ..Field::new(name) }
    }

    /// The attribute at a place of a state that is a tuple or list, counted from 0.
    pub const fn at(name: &'static str, index: usize) -> Self {
        Field { attr: Some(Attr::At(index)), ..Field::new(name) }
    }

    /// What the built-in class holds that the class extends.
    pub const fn base(name: &'static str) -> Self {
        Field { is_base: true, ..Field::new(name) }
    }

    /// Other names that the attribute or keyword argument is read by where the first is not there.
    #[must_use]
    pub const fn alias(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// The names that it is read by.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Makes it a positional argument too, counted from 0.
    #[must_use]
    pub const fn arg(mut self, index: usize) -> Self {
        self.arg = Some(index);
        self
    }

    /// Makes it a keyword argument too.
    #[must_use]
    pub const fn kwarg(mut self) -> Self {
        self.is_kwarg = true;
        self
    }
}
