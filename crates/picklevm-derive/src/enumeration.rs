//! The parsed and checked enum, which stands for a Python enum.

use std::collections::HashSet;

use syn::ext::IdentExt;
use syn::{DataEnum, DeriveInput, Error, Expr, Fields, Ident, Lit, LitStr, Path, Result};

use crate::class::Class;
use crate::options::{ClassOptions, VariantOptions};

/// An enum that derives `PickleClass`.
pub(crate) struct Enum {
    pub(crate) ident: Ident,
    pub(crate) class: Class,
    pub(crate) members: Vec<Member>,
    pub(crate) krate: Path,
}

pub(crate) struct Member {
    pub(crate) variant: Ident,
    /// Name in Python.
    pub(crate) name: String,
    /// The value by which it is pickled; by name if there is none.
    pub(crate) value: Option<Value>,
}

pub(crate) enum Value {
    Int(Expr),
    Str(LitStr),
}

impl Enum {
    pub(crate) fn of(input: &DeriveInput, data: &DataEnum) -> Result<Enum> {
        if !input.generics.params.is_empty() {
            return Err(Error::new_spanned(&input.generics, "an enum that is a Python enum has no parameters"));
        }
        let options = ClassOptions::of(&input.attrs)?;
        if let Some(span) = options.first_struct_option() {
            return Err(Error::new(span, "an enum can have only `module`, `name`, `alias` and `crate`"));
        }
        let class = Class::of(&options, &input.ident)?;
        if data.variants.is_empty() {
            return Err(Error::new(input.ident.span(), "a Python enum needs at least one member"));
        }
        let mut names = HashSet::new();
        let mut members = Vec::new();
        for variant in &data.variants {
            if !matches!(variant.fields, Fields::Unit) {
                let message = "a member of a Python enum has no fields; for other enums, derive serde's traits or implement `FromValue` and `ToValue`";
                return Err(Error::new_spanned(&variant.fields, message));
            }
            let options = VariantOptions::of(&variant.attrs)?;
            let name =
                options.rename.as_ref().map_or_else(|| variant.ident.unraw().to_string(), |name| name.value.value());
            if !names.insert(name.clone()) {
                return Err(Error::new(variant.ident.span(), format!("another member has the name {name:?} already")));
            }
            let value = match (options.value, &variant.discriminant) {
                (Some(value), _) => Some(match value.value {
                    Lit::Str(text) => Value::Str(text),
                    Lit::Int(int) => Value::Int(Expr::Lit(syn::ExprLit { attrs: Vec::new(), lit: Lit::Int(int) })),
                    _ => return Err(Error::new(value.span, "expected an integer or a string")),
                }),
                (None, Some((_, value))) => Some(Value::Int(value.clone())),
                (None, None) => None,
            };
            members.push(Member { variant: variant.ident.clone(), name, value });
        }
        let krate = options.krate.map_or_else(|| syn::parse_quote!(::picklevm), |given| given.value);
        Ok(Enum { ident: input.ident.clone(), class, members, krate })
    }
}
