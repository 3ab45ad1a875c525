//! Parses the options in `#[pickle(…)]`.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, Lit, LitStr, Path, Result, Token};

/// A given option, with its span.
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// An option that can be given at most once.
pub(crate) type Once<T> = Option<Given<T>>;

/// The options of a type.
#[derive(Default)]
pub(crate) struct ClassOptions {
    pub(crate) module: Once<Vec<LitStr>>,
    pub(crate) dict: Once<()>,
    pub(crate) name: Once<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) state: Once<LitStr>,
    pub(crate) namedtuple: Once<()>,
    pub(crate) old_style: Once<()>,
    pub(crate) getstate: Once<Path>,
    pub(crate) setstate: Once<Path>,
    pub(crate) krate: Once<Path>,
}

/// The options of a field.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) rename: Once<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) default: Once<Option<Path>>,
    pub(crate) skip: Once<()>,
    pub(crate) with: Once<Path>,
    pub(crate) serde: Once<()>,
    pub(crate) attr: Once<()>,
    pub(crate) slot: Once<()>,
    pub(crate) arg: Once<()>,
    pub(crate) kwarg: Once<()>,
    pub(crate) base: Once<LitStr>,
    pub(crate) rest: Once<()>,
}

/// The options of a variant.
#[derive(Default)]
pub(crate) struct VariantOptions {
    pub(crate) rename: Once<LitStr>,
    pub(crate) value: Once<Lit>,
}

const CLASS_OPTIONS: [&str; 10] =
    ["module", "dict", "name", "alias", "state", "namedtuple", "old_style", "getstate", "setstate", "crate"];
const FIELD_OPTIONS: [&str; 12] =
    ["attr", "slot", "arg", "kwarg", "base", "rename", "alias", "default", "skip", "with", "serde", "rest"];
const VARIANT_OPTIONS: [&str; 2] = ["rename", "value"];

impl ClassOptions {
    /// Returns the span of the first option that `dict` cannot be combined with.
    pub(crate) fn first_class_option(&self) -> Option<Span> {
        let span = |text: &Once<LitStr>| text.as_ref().map(|given| given.span);
        let flag = |word: &Once<()>| word.as_ref().map(|given| given.span);
        let hook = |path: &Once<Path>| path.as_ref().map(|given| given.span);
        let module = self.module.as_ref().map(|given| given.span);
        let texts = [module, span(&self.name), self.aliases.first().map(LitStr::span), span(&self.state)];
        let others = [flag(&self.namedtuple), flag(&self.old_style), hook(&self.getstate), hook(&self.setstate)];
        texts.into_iter().chain(others).flatten().next()
    }

    /// Returns the span of the first option that only structs have.
    pub(crate) fn first_struct_option(&self) -> Option<Span> {
        let flags = [&self.dict, &self.namedtuple, &self.old_style].map(|word| word.as_ref().map(|given| given.span));
        let hooks = [&self.getstate, &self.setstate].map(|path| path.as_ref().map(|given| given.span));
        let state = self.state.as_ref().map(|given| given.span);
        flags.into_iter().chain(hooks).chain([state]).flatten().next()
    }

    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = ClassOptions::default();
        each(attributes, |meta, name| match name {
            "module" => once(&mut options.module, meta, texts),
            "dict" => once(&mut options.dict, meta, word),
            "name" => once(&mut options.name, meta, text),
            "alias" => text(meta).map(|alias| options.aliases.push(alias)),
            "state" => once(&mut options.state, meta, text),
            "namedtuple" => once(&mut options.namedtuple, meta, word),
            "old_style" => once(&mut options.old_style, meta, word),
            "getstate" => once(&mut options.getstate, meta, path),
            "setstate" => once(&mut options.setstate, meta, path),
            "crate" => once(&mut options.krate, meta, path),
            _ => Err(unknown(meta, name, "a class", &CLASS_OPTIONS, "a field", &FIELD_OPTIONS)),
        })?;
        Ok(options)
    }
}

impl FieldOptions {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = FieldOptions::default();
        each(attributes, |meta, name| match name {
            "rename" => once(&mut options.rename, meta, text),
            "alias" => text(meta).map(|alias| options.aliases.push(alias)),
            "default" => once(&mut options.default, meta, |meta| {
                if meta.input.peek(Token![=]) { path(meta).map(Some) } else { Ok(None) }
            }),
            "skip" => once(&mut options.skip, meta, word),
            "with" => once(&mut options.with, meta, path),
            "serde" => once(&mut options.serde, meta, word),
            "attr" => once(&mut options.attr, meta, word),
            "slot" => once(&mut options.slot, meta, word),
            "arg" => once(&mut options.arg, meta, word),
            "kwarg" => once(&mut options.kwarg, meta, word),
            "base" => once(&mut options.base, meta, text),
            "rest" => once(&mut options.rest, meta, word),
            _ => Err(unknown(meta, name, "a field", &FIELD_OPTIONS, "a class", &CLASS_OPTIONS)),
        })?;
        Ok(options)
    }
}

impl VariantOptions {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = VariantOptions::default();
        each(attributes, |meta, name| match name {
            "rename" => once(&mut options.rename, meta, text),
            "value" => once(&mut options.value, meta, |meta| meta.value()?.parse()),
            _ => Err(unknown(meta, name, "a variant", &VARIANT_OPTIONS, "a class", &CLASS_OPTIONS)),
        })?;
        Ok(options)
    }
}

/// Calls `take` with each option of the `#[pickle(…)]` attributes, and its name.
fn each(attributes: &[Attribute], mut take: impl FnMut(&ParseNestedMeta<'_>, &str) -> Result<()>) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("pickle")) {
        attribute.parse_nested_meta(|meta| take(&meta, &name_of(&meta)))?;
    }
    Ok(())
}

fn once<T>(
    option: &mut Once<T>,
    meta: &ParseNestedMeta<'_>,
    parse: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T>,
) -> Result<()> {
    let span = span_of(meta);
    if option.is_some() {
        return Err(meta.error(format!("`{}` is given twice", name_of(meta))));
    }
    *option = Some(Given { value: parse(meta)?, span });
    Ok(())
}

fn name_of(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

fn span_of(meta: &ParseNestedMeta<'_>) -> Span {
    meta.path.get_ident().map_or_else(Span::call_site, syn::Ident::span)
}

fn word(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) { Err(meta.error(format!("`{}` takes no value", name_of(meta)))) } else { Ok(()) }
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let wrong = |span| Error::new(span, format!("expected a string: `{} = \"…\"`", name_of(meta)));
    if !meta.input.peek(Token![=]) {
        return Err(wrong(span_of(meta)));
    }
    let value = meta.value()?;
    value.parse().map_err(|_| wrong(value.span()))
}

/// Parses one text, or several in brackets.
fn texts(meta: &ParseNestedMeta<'_>) -> Result<Vec<LitStr>> {
    let is_list = meta.input.peek(Token![=]) && meta.input.peek2(syn::token::Bracket);
    if !is_list {
        return text(meta).map(|text| vec![text]);
    }
    let value = meta.value()?;
    let content;
    syn::bracketed!(content in value);
    let texts = content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
    if texts.is_empty() {
        return Err(Error::new(span_of(meta), format!("expected at least one: `{} = [\"…\"]`", name_of(meta))));
    }
    Ok(texts.into_iter().collect())
}

fn path(meta: &ParseNestedMeta<'_>) -> Result<Path> {
    let wrong =
        |span| Error::new(span, format!("expected a path without quotes: `{} = path::to::item`", name_of(meta)));
    if !meta.input.peek(Token![=]) {
        return Err(wrong(span_of(meta)));
    }
    let value = meta.value()?;
    value.parse().map_err(|_| wrong(value.span()))
}

fn unknown(
    meta: &ParseNestedMeta<'_>,
    name: &str,
    here: &str,
    known: &[&str],
    elsewhere: &str,
    others: &[&str],
) -> Error {
    if others.contains(&name) {
        return meta.error(format!("`{name}` is an option of {elsewhere}, not of {here}"));
    }
    meta.error(format!("unknown option `{name}`; options of {here}: {}", known.join(", ")))
}
