//! The derive macro of [`picklevm`](https://docs.rs/picklevm): `#[derive(PickleClass)]`, for Rust types that stand for
//! Python classes. It is used as `picklevm::PickleClass`, with the feature `derive` of `picklevm`, whose chapter
//! `docs/classes.md` tells of all attributes with examples.
//!
//! | of the type | |
//! | --- | --- |
//! | `module = "shop.cart"` | the module of the class; this or `dict` is required |
//! | `dict` | no class of its own but a plain `dict`: the fields are its keys |
//! | `name = "Cart.Line"` | its qualified name; the name of the Rust type by default |
//! | `alias = "oldshop.Line"` | another class that is read as this one; `module:Outer.Inner` for what is nested |
//! | `state = "slots"` | what the state looks like: `dict` (the default), `slots`, `tuple`, `list` |
//! | `namedtuple` | the fields are the arguments of a `collections.namedtuple` |
//! | `old_style` | a class of Python 2 without `object`, with `__getinitargs__` |
//! | `getstate = Self::f` | `__getstate__`: `fn(&Self) -> S`, of any `S: ToValue` |
//! | `setstate = Self::f` | `__setstate__`: `fn(&mut Self, S) -> picklevm::Result<()>`, of any `S: FromValue` |
//! | `crate = path` | where `picklevm` is |
//!
//! | of a field | |
//! | --- | --- |
//! | `attr` | an attribute: what a field is that nothing else is said of |
//! | `slot` | an attribute in `__slots__` of a class with a `__dict__` |
//! | `arg` | the next argument that `__getnewargs__`, `__getnewargs_ex__` or `__getinitargs__` returns |
//! | `kwarg` | a keyword argument that `__getnewargs_ex__` returns |
//! | `base = "list"` | what the built-in class holds that the class extends: `list`, `dict`, `tuple`, `int`, `float`, `complex`, `str`, `bytes` |
//! | `rename = "class"` | the name in Python; that of the Rust field by default |
//! | `alias = "klass"` | another name that is read too |
//! | `default`, `default = f` | what the field is if the pickle does not have it |
//! | `skip` | it is not in the pickle, and its default when read |
//! | `with = module` | `module::from_value` and `module::to_value` in the place of the traits of its type |
//! | `serde` | the same by the traits of `serde`, with the feature `serde` of `picklevm` |

mod expand;
mod field;
mod model;
mod options;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `picklevm::PickleClass` for a struct, with `FromValue` and `ToValue`. Attributes are listed in the
/// documentation of this crate.
#[proc_macro_derive(PickleClass, attributes(pickle))]
pub fn derive_pickle_class(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    model::Model::of(&input).map_or_else(|error| error.into_compile_error(), |model| expand::expand(&model)).into()
}
