//! Description of a Python class, as far as its pickles show it. `#[derive(PickleClass)]` fills it in.

/// Description of a Python class: its names, how its instances are made, and the form of their state.
///
/// `#[derive(PickleClass)]` makes one from its attributes. Written by hand:
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

/// Form of an instance's state in a pickle.
///
/// When reading, `Dict` and `Slots` accept each other's form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A dict of attributes: the `__dict__` of a plain class or dataclass.
    #[default]
    Dict,
    /// `(None, {…})`: all attributes are in `__slots__`. Without a `__getstate__`, such a class cannot be pickled below
    /// protocol 2.
    Slots,
    /// A tuple of the attributes in order, as returned by a `__getstate__`.
    Tuple,
    /// A list of the attributes in order, as returned by dataclasses with `frozen=True` and `slots=True`.
    List,
}

/// Built-in base class of a class. It decides how instances are made.
///
/// Below protocol 2, the base value is an argument of `copyreg._reconstructor`. From protocol 2 on (PEP 307), it is what
/// `__getnewargs__` of the built-in class returns, or items or pairs that are added to the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Base {
    /// `object`: no other built-in class.
    #[default]
    Object,
    /// `tuple`, made from its fields as separate arguments, as by `collections.namedtuple`.
    NamedTuple,
    /// `tuple`, made from one tuple.
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

/// Place of a Rust field in an instance.
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

/// Place of an attribute in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attr {
    /// The default of the class.
    Own,
    /// In `__slots__`.
    Slot,
    /// At this index of a state that is a tuple or list.
    At(usize),
}

impl ClassDef {
    /// Describes the class `name` of `module`, a plain class that extends `object`.
    ///
    /// Both are the names of Python 3. The name of a nested class has dots.
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

    /// Describes a plain `dict`, whose keys are the names of the attributes. `name` appears in error messages.
    ///
    /// ```
    /// const OPTIONS: picklevm::class::ClassDef = picklevm::class::ClassDef::dict("Options");
    /// assert_eq!(OPTIONS.to_string(), "Options");
    /// ```
    pub const fn dict(name: &'static str) -> Self {
        ClassDef { is_dict: true, ..ClassDef::new("", name) }
    }

    /// Sets other names, as module and name, to accept for this class when reading.
    #[must_use]
    pub const fn alias(mut self, names: &'static [(&'static str, &'static str)]) -> Self {
        self.aliases = names;
        self
    }

    /// Sets the form of the state. Default: [`State::Dict`].
    #[must_use]
    pub const fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// Sets the built-in base class. Default: [`Base::Object`].
    #[must_use]
    pub const fn base(mut self, base: Base) -> Self {
        self.base = base;
        self
    }

    /// Makes it a Python 2 class that does not extend `object`. Its instances are made by INST and OBJ, with the arguments
    /// that `__getinitargs__` returns.
    #[must_use]
    pub const fn old_style(mut self) -> Self {
        self.is_old_style = true;
        self
    }

    /// Returns the module; empty for a plain [`dict`](ClassDef::dict).
    pub const fn module(&self) -> &'static str {
        self.module
    }

    /// Returns the qualified name inside the module.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the class has this name or alias.
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
    /// Returns the name of the class in `builtins`.
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
    /// Describes a field of this name without a place.
    pub const fn new(name: &'static str) -> Self {
        Field { name, aliases: &[], arg: None, is_kwarg: false, attr: None, is_base: false }
    }

    /// Describes an attribute, at the class's default place.
    pub const fn attr(name: &'static str) -> Self {
        Field { attr: Some(Attr::Own), ..Field::new(name) }
    }

    /// Describes an attribute in `__slots__` of a class that also has a `__dict__`.
    pub const fn slot(name: &'static str) -> Self {
        Field { attr: Some(Attr::Slot), ..Field::new(name) }
    }

    /// Describes the attribute at an index of a state that is a tuple or list.
    pub const fn at(name: &'static str, index: usize) -> Self {
        Field { attr: Some(Attr::At(index)), ..Field::new(name) }
    }

    /// Describes the field that holds the contents of the built-in base class.
    pub const fn base(name: &'static str) -> Self {
        Field { is_base: true, ..Field::new(name) }
    }

    /// Sets other names of the attribute or keyword argument, tried when reading if the first is missing.
    #[must_use]
    pub const fn alias(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Returns the names to try when reading.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Makes it a positional argument too, with an index from 0.
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
