//! The parsed and checked struct.

use std::collections::HashSet;

use syn::{Data, DeriveInput, Error, Generics, Ident, Path, Result};

use crate::class::Class;
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
                return Err(Error::new(data.enum_token.span, "`PickleClass` of an enum is not that of a struct"));
            }
            Data::Union(data) => {
                let message = "`PickleClass` can only be derived for structs and enums";
                return Err(Error::new(data.union_token.span, message));
            }
        };
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
        if let Some(second) = fields.iter().filter(|field| field.rest).nth(1) {
            errors.add(Error::new(second.span, "only one field can have `rest`"));
        }
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
