//! The parsed and checked struct, and the class that it maps to.

use std::collections::HashSet;

use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, GenericParam, Generics, Ident, LitStr, Path, Result};

use crate::field::{Counts, Field};
use crate::options::ClassOptions;

/// A struct that derives `PickleClass`.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) class: Class,
    pub(crate) fields: Vec<Field>,
    pub(crate) getstate: Option<Path>,
    pub(crate) setstate: Option<Path>,
    pub(crate) krate: Path,
}

/// The Python class.
pub(crate) struct Class {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) state: State,
    pub(crate) base: &'static str,
    pub(crate) namedtuple: bool,
    pub(crate) old_style: bool,
    /// A plain dict instead of a class.
    pub(crate) dict: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Dict,
    Slots,
    Tuple,
    List,
}

/// Built-in base classes: name, variant of `class::Base`, and whether the contents are an argument of `__new__`.
const BASES: [(&str, &str, bool); 8] = [
    ("list", "List", false),
    ("dict", "Dict", false),
    ("tuple", "Tuple", true),
    ("int", "Int", true),
    ("float", "Float", true),
    ("complex", "Complex", true),
    ("str", "Str", true),
    ("bytes", "Bytes", true),
];

impl Model {
    pub(crate) fn of(input: &DeriveInput) -> Result<Model> {
        let data = match &input.data {
            Data::Struct(data) => data,
            Data::Enum(data) => {
                let message = "`PickleClass` can only be derived for structs; for an enum, derive serde's traits or implement `FromValue` and `ToValue`";
                return Err(Error::new(data.enum_token.span, message));
            }
            Data::Union(data) => {
                return Err(Error::new(data.union_token.span, "`PickleClass` can only be derived for structs"));
            }
        };
        if let Some(GenericParam::Lifetime(lifetime)) =
            input.generics.params.iter().find(|param| matches!(param, GenericParam::Lifetime(_)))
        {
            let message = "`PickleClass` types cannot borrow from the pickle: use owned types, such as `String`";
            return Err(Error::new_spanned(lifetime, message));
        }
        let options = ClassOptions::of(&input.attrs)?;
        let mut class = Class::of(&options, &input.ident)?;
        let mut fields = Vec::new();
        let mut counts = Counts::default();
        let mut errors = Errors::default();
        for (at, field) in data.fields.iter().enumerate() {
            match Field::of(at, field, &class, &mut counts) {
                Ok(field) => fields.push(field),
                Err(error) => errors.add(error),
            }
        }
        check_names(&fields, &mut errors);
        errors.into_result()?;
        class.find_base(&fields)?;
        Ok(Model {
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            class,
            fields,
            getstate: options.getstate.map(|given| given.value),
            setstate: options.setstate.map(|given| given.value),
            krate: options.krate.map_or_else(|| syn::parse_quote!(::picklevm), |given| given.value),
        })
    }
}

impl Class {
    fn of(options: &ClassOptions, ident: &Ident) -> Result<Class> {
        if options.dict.is_some() {
            return Class::plain_dict(options, ident);
        }
        let Some(module) = &options.module else {
            let message = format!(
                "missing module of `{ident}`: add #[pickle(module = \"…\")], or #[pickle(dict)] for a plain dict"
            );
            return Err(Error::new(ident.span(), message));
        };
        let name = match &options.name {
            Some(name) => dotted(&name.value, "a qualified name, such as `Line` or `Cart.Line`")?,
            None => ident.unraw().to_string(),
        };
        if let (Some(namedtuple), Some(_)) = (&options.namedtuple, &options.old_style) {
            return Err(Error::new(namedtuple.span, "`namedtuple` and `old_style` cannot be combined"));
        }
        Ok(Class {
            module: dotted(&module.value, "a module, such as `shop` or `shop.cart`")?,
            name,
            aliases: options.aliases.iter().map(alias).collect::<Result<_>>()?,
            state: State::of(options)?,
            base: if options.namedtuple.is_some() { "NamedTuple" } else { "Object" },
            namedtuple: options.namedtuple.is_some(),
            old_style: options.old_style.is_some(),
            dict: false,
        })
    }

    fn plain_dict(options: &ClassOptions, ident: &Ident) -> Result<Class> {
        if let Some(span) = options.first_class_option() {
            return Err(Error::new(span, "`dict` cannot be combined with options of a class"));
        }
        Ok(Class {
            module: String::new(),
            name: ident.unraw().to_string(),
            aliases: Vec::new(),
            state: State::Dict,
            base: "Object",
            namedtuple: false,
            old_style: false,
            dict: true,
        })
    }

    /// Sets the base class from the field with `base`.
    fn find_base(&mut self, fields: &[Field]) -> Result<()> {
        let mut bases = fields.iter().filter_map(|field| field.base.as_ref());
        let Some(base) = bases.next() else { return Ok(()) };
        if let Some(other) = bases.next() {
            return Err(Error::new(other.span(), "only one field can have `base`"));
        }
        let text = base.value();
        let Some((_, variant, is_argument)) = BASES.iter().find(|(name, ..)| *name == text) else {
            let names: Vec<_> = BASES.iter().map(|(name, ..)| *name).collect();
            return Err(Error::new(base.span(), format!("expected one of {}", names.join(", "))));
        };
        let has_args = fields.iter().any(|field| field.place.arg.is_some() || field.place.kwarg);
        if *is_argument && has_args {
            let message =
                format!("`base = {text:?}` cannot be combined with `arg` or `kwarg`: it is the argument of `__new__`");
            return Err(Error::new(base.span(), message));
        }
        self.base = variant;
        Ok(())
    }
}

impl State {
    fn of(options: &ClassOptions) -> Result<State> {
        let Some(given) = &options.state else { return Ok(State::Dict) };
        let state = match &*given.value.value() {
            "dict" => State::Dict,
            "slots" => State::Slots,
            "tuple" => State::Tuple,
            "list" => State::List,
            _ => return Err(Error::new(given.value.span(), "expected one of dict, slots, tuple, list")),
        };
        if let Some(getstate) = &options.getstate {
            return Err(Error::new(getstate.span, "`getstate` and `state` cannot be combined"));
        }
        if let (Some(old_style), State::Slots) = (&options.old_style, state) {
            return Err(Error::new(
                old_style.span,
                "`old_style` and `state = \"slots\"` cannot be combined: an old-style class has no `__slots__`",
            ));
        }
        Ok(state)
    }

    pub(crate) fn variant(self) -> &'static str {
        match self {
            State::Dict => "Dict",
            State::Slots => "Slots",
            State::Tuple => "Tuple",
            State::List => "List",
        }
    }
}

/// Checks a dotted name.
fn dotted(text: &LitStr, what: &str) -> Result<String> {
    let value = text.value();
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if value.split('.').all(is_name) { Ok(value) } else { Err(Error::new(text.span(), format!("expected {what}"))) }
}

/// Parses `module.name` or `module:Outer.Inner`.
fn alias(text: &LitStr) -> Result<(String, String)> {
    let value = text.value();
    let Some((module, name)) = value.split_once(':').or_else(|| value.rsplit_once('.')) else {
        return Err(Error::new(text.span(), "expected `module.Class`, or `module:Outer.Inner`"));
    };
    let part = |part: &str, what| dotted(&LitStr::new(part, text.span()), what);
    Ok((part(module, "a module before the class")?, part(name, "a class after the module")?))
}

/// Checks that no two attributes, and no two keyword arguments, share a name.
fn check_names(fields: &[Field], errors: &mut Errors) {
    let (mut attrs, mut kwargs) = (HashSet::new(), HashSet::new());
    for field in fields {
        let places =
            [(field.is_named_attr(), &mut attrs, "attribute"), (field.place.kwarg, &mut kwargs, "keyword argument")];
        for (_, taken, what) in places.into_iter().filter(|place| place.0) {
            for (name, span) in field.names() {
                let message = format!("another field has the {what} {name:?} already");
                if !taken.insert(name) {
                    errors.add(Error::new(span, message));
                }
            }
        }
    }
}

/// Errors, reported together.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn into_result(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
