//! A field, and where it is in an instance.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Error, Index, LitStr, Member, Path, Result, Type};

use crate::model::{Class, State};
use crate::options::{FieldOptions, Once};

/// A field of a struct.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// The name in Python, and for errors.
    pub(crate) name: String,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) place: Place,
    /// What it is where the pickle does not have it.
    pub(crate) default: Option<Default>,
    pub(crate) with: Option<With>,
    /// The built-in class whose part of the instance it is.
    pub(crate) base: Option<LitStr>,
    /// Where its name is said.
    pub(crate) span: Span,
}

/// Where a field is in an instance.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) arg: Option<usize>,
    pub(crate) kwarg: bool,
    pub(crate) attr: Option<Attr>,
}

#[derive(Clone, Copy)]
pub(crate) enum Attr {
    Own,
    Slot,
    At(usize),
}

pub(crate) enum Default {
    OfType,
    Of(Path),
}

/// What reads and writes it in the place of its type's traits.
pub(crate) enum With {
    Module(Path),
    Serde,
}

/// What was counted in the fields before.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) args: usize,
    pub(crate) attrs: usize,
}

impl Field {
    pub(crate) fn of(at: usize, field: &syn::Field, class: &Class, counts: &mut Counts) -> Result<Self> {
        let options = FieldOptions::of(&field.attrs)?;
        let ty = field.ty.clone();
        let span = field.ident.as_ref().map_or_else(|| syn::spanned::Spanned::span(&field.ty), syn::Ident::span);
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(Index { index: at as u32, span }),
        };
        let place = options.place(class, counts)?;
        let is_named = place.kwarg || place.is_named_attr();
        let named = options.rename.as_ref().map(|given| given.value.value());
        let own_name = field.ident.as_ref().map(|ident| ident.unraw().to_string());
        let (rename, alias) = (options.rename.as_ref().map(|given| given.value.span()), options.aliases.first());
        if let Some(span) = rename.or(alias.map(LitStr::span)).filter(|_| !is_named) {
            return Err(Error::new(span, "only attributes and keyword arguments have names in a pickle"));
        }
        if is_named && named.is_none() && own_name.is_none() {
            let message = "an attribute needs a name: #[pickle(rename = \"…\")], or `namedtuple` of the struct";
            return Err(Error::new(span, message));
        }
        let name = named.or(own_name).unwrap_or_else(|| at.to_string());
        let span = rename.unwrap_or(span);
        let (default, with) = (options.default(), options.with()?);
        let base = options.base.map(|given| given.value);
        Ok(Field { member, ty, name, aliases: options.aliases, place, default, with, base, span })
    }

    /// Whether it is in the pickle at all.
    pub(crate) fn is_skipped(&self) -> bool {
        let Place { arg, kwarg, attr } = &self.place;
        arg.is_none() && !kwarg && attr.is_none() && self.base.is_none()
    }

    /// Whether it is in the state alone.
    pub(crate) fn is_attr_alone(&self) -> bool {
        self.place.attr.is_some() && self.place.arg.is_none() && !self.place.kwarg
    }

    /// Whether it is an attribute with a name.
    pub(crate) fn is_named_attr(&self) -> bool {
        self.place.is_named_attr()
    }

    /// The names that it goes by in Python, and where they are said.
    pub(crate) fn names(&self) -> impl Iterator<Item = (String, Span)> {
        let aliases = self.aliases.iter().map(|alias| (alias.value(), alias.span()));
        std::iter::once((self.name.clone(), self.span)).chain(aliases)
    }

    /// The `class::Field` that describes it.
    pub(crate) fn describe(&self, class: &TokenStream) -> TokenStream {
        let Field { name, aliases, place, .. } = self;
        let mut described = match place.attr {
            _ if self.base.is_some() => quote!(#class::Field::base(#name)),
            Some(Attr::Own) => quote!(#class::Field::attr(#name)),
            Some(Attr::Slot) => quote!(#class::Field::slot(#name)),
            Some(Attr::At(index)) => quote!(#class::Field::at(#name, #index)),
            None => quote!(#class::Field::new(#name)),
        };
        if let Some(index) = place.arg {
            described.extend(quote!(.arg(#index)));
        }
        if place.kwarg {
            described.extend(quote!(.kwarg()));
        }
        if !aliases.is_empty() {
            described.extend(quote!(.alias(&[#(#aliases),*])));
        }
        described
    }
}

impl Place {
    fn is_named_attr(&self) -> bool {
        matches!(self.attr, Some(Attr::Own | Attr::Slot))
    }
}

impl FieldOptions {
    fn place(&self, class: &Class, counts: &mut Counts) -> Result<Place> {
        if let Some(skip) = &self.skip {
            return if self.says_more_than_skip() {
                Err(Error::new(skip.span, "a field that is skipped has no other options than `default`"))
            } else {
                Ok(Place::default())
            };
        }
        let refuse = |given: &Once<()>, what: &str, why: &dyn Display| match given {
            Some(given) => Err(Error::new(given.span, format!("{what} {why}"))),
            None => Ok(()),
        };
        if class.dict {
            let why = "of a plain dict, whose fields are its keys";
            refuse(&self.arg, "no `arg`", &why)?;
            refuse(&self.kwarg, "no `kwarg`", &why)?;
            refuse(&self.slot, "no `slot`", &why)?;
            if let Some(base) = &self.base {
                return Err(Error::new(base.span, format!("no `base` {why}")));
            }
        }
        if class.namedtuple {
            let why = "of a namedtuple, whose fields are its arguments";
            refuse(&self.arg, "no `arg`", &why)?;
            refuse(&self.kwarg, "no `kwarg`", &why)?;
        }
        if class.old_style {
            refuse(
                &self.kwarg,
                "no `kwarg`",
                &"of an old-style class: `__getinitargs__` returns positional arguments alone",
            )?;
        }
        if class.namedtuple || class.old_style {
            let kind = if class.namedtuple {
                "a namedtuple extends `tuple`"
            } else {
                "an old-style class has no built-in base"
            };
            if let Some(base) = &self.base {
                return Err(Error::new(base.span, format!("no `base`: {kind}")));
            }
        }
        if class.state != State::Dict {
            refuse(
                &self.slot,
                "no `slot`:",
                &"it tells slots from the attributes of a state that is a dict, the default",
            )?;
        }
        let mut place = Place { kwarg: self.kwarg.is_some(), ..Place::default() };
        if self.arg.is_some() || (class.namedtuple && self.attr.is_none() && self.slot.is_none()) {
            place.arg = Some(counts.args);
            counts.args += 1;
        }
        let is_elsewhere = place.arg.is_some() || place.kwarg || self.base.is_some();
        if self.attr.is_some() || self.slot.is_some() || !is_elsewhere {
            place.attr = Some(match class.state {
                State::Dict if self.slot.is_some() => Attr::Slot,
                State::Dict | State::Slots => Attr::Own,
                State::Tuple | State::List => Attr::At(counts.attrs),
            });
            counts.attrs += 1;
        }
        match &self.base {
            Some(base) if self.with.is_some() || self.serde.is_some() || self.default.is_some() => {
                let message = "what the built-in class holds is always there, and read by `FromValue` alone";
                Err(Error::new(base.span, message))
            }
            Some(base) if place.attr.is_some() || place.arg.is_some() || place.kwarg => {
                Err(Error::new(base.span, "what the built-in class holds is neither an argument nor an attribute"))
            }
            _ => Ok(place),
        }
    }

    fn says_more_than_skip(&self) -> bool {
        self.rename.is_some()
            || !self.aliases.is_empty()
            || self.with.is_some()
            || self.serde.is_some()
            || self.attr.is_some()
            || self.slot.is_some()
            || self.arg.is_some()
            || self.kwarg.is_some()
            || self.base.is_some()
    }

    fn default(&self) -> Option<Default> {
        match &self.default {
            Some(given) => Some(given.value.clone().map_or(Default::OfType, Default::Of)),
            None => self.skip.as_ref().map(|_| Default::OfType),
        }
    }

    fn with(&self) -> Result<Option<With>> {
        match (&self.with, &self.serde) {
            (Some(with), Some(_)) => Err(Error::new(with.span, "either `with` or `serde`")),
            (Some(with), None) => Ok(Some(With::Module(with.value.clone()))),
            (None, Some(serde)) if cfg!(not(feature = "serde")) => {
                Err(Error::new(serde.span, "`serde` needs the feature `serde` of picklevm"))
            }
            (None, Some(_)) => Ok(Some(With::Serde)),
            (None, None) => Ok(None),
        }
    }
}
