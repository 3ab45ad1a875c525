//! A field of the struct, and its place in an instance.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Error, Index, LitStr, Member, Path, Result, Type};

use crate::class::{Class, State};
use crate::options::{FieldOptions, Once};

/// A field of a struct.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// Name in Python and in error messages.
    pub(crate) name: String,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) place: Place,
    /// Value to use if the field is missing from the pickle.
    pub(crate) default: Option<Default>,
    pub(crate) with: Option<With>,
    /// Built-in base class whose contents the field holds.
    pub(crate) base: Option<LitStr>,
    /// Whether it holds the attributes that have no field.
    pub(crate) rest: bool,
    /// Span of the name.
    pub(crate) span: Span,
}

/// Place of a field in an instance.
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

/// Functions that replace the traits of the field's type.
pub(crate) enum With {
    Module(Path),
    Serde,
}

/// Arguments and attributes among the fields so far.
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
        if let Some(rest) = &options.rest {
            options.check_rest(rest.span, class)?;
            let name = member_name(&member);
            return Ok(Field {
                member,
                ty,
                name,
                aliases: Vec::new(),
                place: Place::default(),
                default: None,
                with: None,
                base: None,
                rest: true,
                span,
            });
        }
        let place = options.place(class, counts)?;
        let is_named = place.kwarg || place.is_named_attr();
        let named = options.rename.as_ref().map(|given| given.value.value());
        let own_name = field.ident.as_ref().map(|ident| ident.unraw().to_string());
        let (rename, alias) = (options.rename.as_ref().map(|given| given.value.span()), options.aliases.first());
        if let Some(span) = rename.or(alias.map(LitStr::span)).filter(|_| !is_named) {
            let message =
                "`rename` and `alias` need an attribute or keyword argument: other fields have no name in a pickle";
            return Err(Error::new(span, message));
        }
        if is_named && named.is_none() && own_name.is_none() {
            let message = "an attribute needs a name: add #[pickle(rename = \"…\")], or `namedtuple` to the struct";
            return Err(Error::new(span, message));
        }
        let name = named.or(own_name).unwrap_or_else(|| at.to_string());
        let span = rename.unwrap_or(span);
        let (default, with) = (options.default(), options.with()?);
        let base = options.base.map(|given| given.value);
        Ok(Field { member, ty, name, aliases: options.aliases, place, default, with, base, rest: false, span })
    }

    /// Whether the field is not in the pickle.
    pub(crate) fn is_skipped(&self) -> bool {
        let Place { arg, kwarg, attr } = &self.place;
        arg.is_none() && !kwarg && attr.is_none() && self.base.is_none() && !self.rest
    }

    /// Whether the field is only in the state.
    pub(crate) fn is_only_attr(&self) -> bool {
        self.place.attr.is_some() && self.place.arg.is_none() && !self.place.kwarg
    }

    /// Whether the field is an attribute with a name.
    pub(crate) fn is_named_attr(&self) -> bool {
        self.place.is_named_attr()
    }

    /// Returns the names of the field in Python, with their spans.
    pub(crate) fn names(&self) -> impl Iterator<Item = (String, Span)> {
        let aliases = self.aliases.iter().map(|alias| (alias.value(), alias.span()));
        std::iter::once((self.name.clone(), self.span)).chain(aliases)
    }

    /// Returns the expression of the `class::Field` that describes the field.
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

fn member_name(member: &Member) -> String {
    match member {
        Member::Named(ident) => ident.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

impl FieldOptions {
    /// Checks a field for the attributes that have no field.
    fn check_rest(&self, span: Span, class: &Class) -> Result<()> {
        if self.has_other_than_skip() || self.skip.is_some() || self.default.is_some() {
            return Err(Error::new(span, "`rest` cannot be combined with other options"));
        }
        if !matches!(class.state, State::Dict | State::Slots) {
            return Err(Error::new(span, "`rest` is not allowed with this `state`: its items have no names"));
        }
        Ok(())
    }

    fn place(&self, class: &Class, counts: &mut Counts) -> Result<Place> {
        if let Some(skip) = &self.skip {
            return if self.has_other_than_skip() {
                Err(Error::new(skip.span, "`skip` can only be combined with `default`"))
            } else {
                Ok(Place::default())
            };
        }
        let refuse = |given: &Once<()>, option: &str, why: &str| match given {
            Some(given) => Err(Error::new(given.span, format!("`{option}` is not allowed {why}"))),
            None => Ok(()),
        };
        if class.dict {
            let why = "in a plain dict, whose fields are its keys";
            refuse(&self.arg, "arg", why)?;
            refuse(&self.kwarg, "kwarg", why)?;
            refuse(&self.slot, "slot", why)?;
            if let Some(base) = &self.base {
                return Err(Error::new(base.span, format!("`base` is not allowed {why}")));
            }
        }
        if class.namedtuple {
            let why = "in a namedtuple, whose fields are its arguments";
            refuse(&self.arg, "arg", why)?;
            refuse(&self.kwarg, "kwarg", why)?;
        }
        if class.old_style {
            let why = "in an old-style class: `__getinitargs__` returns only positional arguments";
            refuse(&self.kwarg, "kwarg", why)?;
        }
        if class.namedtuple || class.old_style {
            let why = if class.namedtuple {
                "in a namedtuple, which extends `tuple`"
            } else {
                "in an old-style class, which has no built-in base class"
            };
            if let Some(base) = &self.base {
                return Err(Error::new(base.span, format!("`base` is not allowed {why}")));
            }
        }
        if class.state != State::Dict {
            refuse(&self.slot, "slot", "with this `state`: only a dict has slots")?;
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
                let message = "`base` cannot be combined with `with`, `serde` or `default`";
                Err(Error::new(base.span, message))
            }
            Some(base) if place.attr.is_some() || place.arg.is_some() || place.kwarg => {
                Err(Error::new(base.span, "`base` cannot be combined with `attr`, `slot`, `arg` or `kwarg`"))
            }
            _ => Ok(place),
        }
    }

    fn has_other_than_skip(&self) -> bool {
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
            (Some(with), Some(_)) => Err(Error::new(with.span, "`with` and `serde` cannot be combined")),
            (Some(with), None) => Ok(Some(With::Module(with.value.clone()))),
            (None, Some(serde)) if cfg!(not(feature = "serde")) => {
                Err(Error::new(serde.span, "`serde` needs the `serde` feature of picklevm"))
            }
            (None, Some(_)) => Ok(Some(With::Serde)),
            (None, None) => Ok(None),
        }
    }
}
