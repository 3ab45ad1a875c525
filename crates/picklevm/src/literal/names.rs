//! Names of classes and functions in text, and what a call without further marks stands for.

use crate::graph::{Construction, Kind, Object, Value};
use crate::python::Class;

/// What a dotted name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name<'t> {
    /// `module.name`, or `module:Outer.Inner`.
    Global(&'t str, &'t str),
    /// `module.Class.NAME`: an attribute of a class, such as an enum member.
    Attribute([&'t str; 2], &'t str),
    /// A name without a module.
    Bare(&'t str),
}

impl<'t> Name<'t> {
    /// Reads a dotted name.
    ///
    /// The module ends at the colon, or at the last dot. But where the part before the last dot begins with a capital
    /// letter, it is taken for a class and the last part for its attribute.
    pub(crate) fn of(text: &'t str) -> Name<'t> {
        if let Some((module, name)) = text.split_once(':') {
            return Name::Global(module, name);
        }
        let Some((before, last)) = text.rsplit_once('.') else { return Name::Bare(text) };
        match before.rsplit_once('.') {
            Some((module, class)) if is_capitalized(class) => Name::Attribute([module, class], last),
            _ => Name::Global(before, last),
        }
    }
}

/// Whether a name looks like that of a class: PEP 8 asks for a capital letter.
fn is_capitalized(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(char::is_uppercase)
}

/// Returns how an instance is made if a text does not say so.
///
/// What has items or a state, or several arguments as a named tuple, is created by NEWOBJ, as instances are by default in
/// Python, if its class is not of the standard library and begins with a capital letter. Everything else is a call.
pub(crate) fn default_construction(class: Value<'_>, args: usize, kwargs: bool, changes: bool) -> Construction {
    if kwargs {
        return Construction::NewObjEx;
    }
    let is_class = match class.kind() {
        Kind::Global(global) => {
            let name = global.name();
            let last = name.as_str().unwrap_or_default().rsplit('.').next().unwrap_or_default();
            is_capitalized(last) && Class::of(class) == Class::Other
        }
        _ => false,
    };
    if is_class && (changes || args > 1) { Construction::NewObj } else { Construction::Reduce }
}

/// Returns ` by newobj` and the like if an object is not made as its text would say.
pub(crate) fn construction_mark(object: Object<'_>, class: Value<'_>, args: usize, how: Construction) -> &'static str {
    let changes = object.changes().next().is_some();
    if default_construction(class, args, how == Construction::NewObjEx, changes) == how {
        return "";
    }
    match how {
        Construction::Reduce => " by reduce",
        Construction::NewObj => " by newobj",
        Construction::NewObjEx => " by newobj_ex",
        Construction::Inst => " by inst",
        Construction::Obj => " by obj",
    }
}

/// Returns the way to make an object that [`construction_mark`] names.
pub(crate) fn construction_named(name: &str) -> Option<Construction> {
    [Construction::Reduce, Construction::NewObj, Construction::NewObjEx, Construction::Inst, Construction::Obj]
        .into_iter()
        .find(|how| how.name() == name)
}

/// Whether a name can be written without its module: that of a built-in.
pub(crate) fn is_builtin(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "bool",
        "bytearray",
        "bytes",
        "complex",
        "dict",
        "float",
        "frozendict",
        "frozenset",
        "getattr",
        "int",
        "len",
        "list",
        "object",
        "print",
        "range",
        "repr",
        "set",
        "slice",
        "str",
        "tuple",
        "type",
    ];
    NAMES.contains(&name) || Class::of_names("builtins", name) == Class::Exception
}
