//! Derive macro of [`picklevm`](https://docs.rs/picklevm): `#[derive(PickleClass)]` maps a Rust struct to a Python class.
//!
//! Use it as `picklevm::PickleClass`, with the `derive` feature of `picklevm`. `docs/classes.md` explains all attributes
//! with examples.
//!
//! | Attribute of the type | Meaning |
//! | --- | --- |
//! | `module = "shop.cart"` | module of the class; this or `dict` is required. `module = ["shop", "oldshop"]` also accepts the other modules |
//! | `dict` | a plain `dict` instead of a class: the fields are its keys |
//! | `name = "Cart.Line"` | qualified name of the class; default: the name of the Rust type |
//! | `alias = "oldshop.Line"` | another class name to accept when reading; `module:Outer.Inner` for a nested class |
//! | `state = "slots"` | form of the state: `dict` (default), `slots`, `tuple`, `list` |
//! | `namedtuple` | the fields are the arguments of a `collections.namedtuple` |
//! | `old_style` | a Python 2 class that does not extend `object`, with `__getinitargs__` |
//! | `getstate = Self::f` | `__getstate__`: `fn(&Self) -> S`, for any `S: ToValue` |
//! | `setstate = Self::f` | `__setstate__`: `fn(&mut Self, S) -> picklevm::Result<()>`, for any `S: FromValue` |
//! | `crate = path` | path of the `picklevm` crate |
//!
//! | Attribute of a field | Meaning |
//! | --- | --- |
//! | `attr` | an attribute (default if no other attribute sets the place) |
//! | `slot` | an attribute in `__slots__` of a class with a `__dict__` |
//! | `arg` | the next argument that `__getnewargs__`, `__getnewargs_ex__` or `__getinitargs__` returns |
//! | `kwarg` | a keyword argument that `__getnewargs_ex__` returns |
//! | `base = "list"` | the contents of the built-in base class: `list`, `dict`, `tuple`, `int`, `float`, `complex`, `str`, `bytes` |
//! | `rename = "class"` | name in Python; default: the name of the Rust field |
//! | `alias = "klass"` | another name to accept when reading |
//! | `default`, `default = f` | value to use if the field is missing from the pickle |
//! | `rest` | a `class::Rest`: the attributes that have no field, written back in their places |
//! | `skip` | do not write the field; read it as its default |
//! | `with = module` | use `module::from_value` and `module::to_value` instead of the traits of the field's type |
//! | `serde` | use serde's traits instead; needs the `serde` feature of `picklevm` |
//!
//! An enum without fields stands for a Python enum, with the options `module`, `name`, `alias` and `crate`. A variant is pickled by
//! its value, if it has one (`Red = 1`), otherwise by its name.
//!
//! | Attribute of a variant | Meaning |
//! | --- | --- |
//! | `value = "red"` | value in Python: an integer or a string; default: the discriminant, if it is given |
//! | `rename = "RED"` | name in Python; default: the name of the variant |

mod class;
mod enumeration;
mod expand;
mod field;
mod model;
mod options;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, parse_macro_input};

/// Implements `picklevm::PickleClass`, `FromValue` and `ToValue` for a struct, the latter two for an enum. The crate documentation lists the attributes.
#[proc_macro_derive(PickleClass, attributes(pickle))]
pub fn derive_pickle_class(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = match &input.data {
        Data::Enum(data) => enumeration::Enum::of(&input, data).map(|model| expand::expand_enum(&model)),
        _ => model::Model::of(&input).map(|model| expand::expand(&model)),
    };
    expanded.unwrap_or_else(|error| error.into_compile_error()).into()
}
