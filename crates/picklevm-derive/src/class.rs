//! The Python class that a struct maps to.

use syn::ext::IdentExt;
use syn::{Error, Ident, LitStr, Result};

use crate::options::ClassOptions;

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

impl Class {
    pub(crate) fn of(options: &ClassOptions, ident: &Ident) -> Result<Class> {
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
        let mut modules = module.value.iter().map(|module| dotted(module, "a module, such as `shop` or `shop.cart`"));
        let module = modules.next().unwrap_or_else(|| Ok(String::new()))?;
        // The class was in the other modules before.
        let mut aliases = modules.map(|module| Ok((module?, name.clone()))).collect::<Result<Vec<_>>>()?;
        for given in &options.aliases {
            aliases.push(alias(given)?);
        }
        Ok(Class {
            module,
            name,
            aliases,
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
