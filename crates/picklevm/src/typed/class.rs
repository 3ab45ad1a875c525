//! Classes and functions of the standard library, recognized by name.

use std::borrow::Cow;

use super::network::IpClass;
use super::paths::Flavour;
use crate::graph::{Construction, Global, Value};
use crate::resolve::python2_names::{Names, python3_name};

/// A class or function of the standard library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Any other class or function.
    Other,
    /// `copyreg._reconstructor(class, base, value)`: creates instances at protocols 0 and 1.
    Reconstructor,
    /// `copyreg.__newobj__(class, *args)`.
    NewObj,
    /// `copyreg.__newobj_ex__(class, args, kwargs)`.
    NewObjEx,
    /// `getattr(owner, name)`.
    GetAttr,
    Array,
    ArrayReconstructor,
    Counter,
    Date,
    DateTime,
    Decimal,
    DefaultDict,
    Deque,
    Exception,
    Fraction,
    FrozenDict,
    Ip(IpClass),
    OrderedDict,
    Partial,
    Path(Flavour),
    Range,
    Regex,
    SimpleNamespace,
    Slice,
    Time,
    TimeDelta,
    TimeZone,
    Uuid,
    ZoneInfo,
    /// `zoneinfo.ZoneInfo.no_cache`.
    ZoneInfoUncached,
    /// `zoneinfo.ZoneInfo._unpickle`.
    ZoneInfoUnpickle,
}

impl Class {
    /// Recognizes the class or function of an object.
    pub(crate) fn of(class: Value<'_>) -> Class {
        if let Some(global) = class.as_global() {
            return Class::of_global(global);
        }
        // Methods are attributes of a global.
        match attribute(class) {
            Some((owner, method)) if owner.as_global().is_some_and(|owner| owner.is("zoneinfo", "ZoneInfo")) => {
                match method {
                    "_unpickle" => Class::ZoneInfoUnpickle,
                    "no_cache" => Class::ZoneInfoUncached,
                    _ => Class::Other,
                }
            }
            _ => Class::Other,
        }
    }

    fn of_global(global: Global<'_>) -> Class {
        match (global.module().as_str(), global.name().as_str()) {
            (Some(module), Some(name)) => Class::of_names(module, name),
            _ => Class::Other,
        }
    }

    /// Recognizes a module and name of Python 3 or Python 2.
    pub(crate) fn of_names(module: &str, name: &str) -> Class {
        match (module, name) {
            ("copyreg" | "copy_reg", "_reconstructor") => Class::Reconstructor,
            ("copyreg" | "copy_reg", "__newobj__") => Class::NewObj,
            ("copyreg" | "copy_reg", "__newobj_ex__") => Class::NewObjEx,
            ("builtins" | "__builtin__", "getattr") => Class::GetAttr,
            ("builtins", "range") | ("__builtin__", "xrange") => Class::Range,
            ("builtins" | "__builtin__", "slice") => Class::Slice,
            ("builtins" | "__builtin__", "frozendict") => Class::FrozenDict,
            ("array", "array") => Class::Array,
            ("array", "_array_reconstructor") => Class::ArrayReconstructor,
            ("collections", "OrderedDict") => Class::OrderedDict,
            ("collections", "defaultdict") => Class::DefaultDict,
            ("collections", "Counter") => Class::Counter,
            ("collections" | "_collections", "deque") => Class::Deque,
            ("datetime" | "_pydatetime", "date") => Class::Date,
            ("datetime" | "_pydatetime", "time") => Class::Time,
            ("datetime" | "_pydatetime", "datetime") => Class::DateTime,
            ("datetime" | "_pydatetime", "timedelta") => Class::TimeDelta,
            ("datetime" | "_pydatetime", "timezone") => Class::TimeZone,
            ("zoneinfo", "ZoneInfo") => Class::ZoneInfo,
            ("zoneinfo", "ZoneInfo.no_cache") => Class::ZoneInfoUncached,
            ("zoneinfo", "ZoneInfo._unpickle") => Class::ZoneInfoUnpickle,
            ("decimal" | "_pydecimal", "Decimal") => Class::Decimal,
            ("fractions", "Fraction") => Class::Fraction,
            ("functools" | "_functools", "partial") => Class::Partial,
            ("re" | "sre", "_compile" | "compile") => Class::Regex,
            ("types", "SimpleNamespace") => Class::SimpleNamespace,
            ("uuid", "UUID") => Class::Uuid,
            ("ipaddress", _) => IpClass::of_name(name).map_or(Class::Other, Class::Ip),
            ("pathlib" | "pathlib._local", _) => Flavour::of_name(name).map_or(Class::Other, Class::Path),
            _ if is_exception(module, name) => Class::Exception,
            _ => Class::Other,
        }
    }
}

/// Maximum number of nested classes in a qualified name.
const MAX_NESTING: usize = 100;

/// Returns the Python 3 module and qualified name of a class. Below protocol 4, a nested class is written as a chain of
/// attributes: `getattr(Outer, 'Inner')`.
pub(crate) fn qualified_name<'g>(mut class: Value<'g>) -> Option<(&'g str, Cow<'g, str>)> {
    let mut inner = Vec::new();
    while let Some((parent, name)) = attribute(class) {
        if inner.len() == MAX_NESTING {
            return None;
        }
        inner.push(name);
        class = parent;
    }
    let global = class.as_global()?;
    let (module, name) = (global.module().as_str()?, global.name().as_str()?);
    let is_python2 = Names::of_protocol(class.arena().protocol.unwrap_or(3)) == Names::Python2;
    let (module, name) = if is_python2 { python3_name(module, name) } else { (module, name) };
    if inner.is_empty() {
        return Some((module, name.into()));
    }
    inner.push(name);
    inner.reverse();
    Some((module, inner.join(".").into()))
}

/// Returns the owner and name if the value is a call of `getattr`.
pub(crate) fn attribute<'g>(value: Value<'g>) -> Option<(Value<'g>, &'g str)> {
    let object = value.as_object()?;
    let function = object.class().as_global()?;
    let is_getattr = function.is("builtins", "getattr") || function.is("__builtin__", "getattr");
    let [parent, name] = object.args().as_array()?;
    (is_getattr && object.construction() == Construction::Reduce).then_some((parent, name.as_str()?))
}

/// Returns whether a class is an exception, by its name: PEP 8 asks programs to use the same suffixes as Python.
fn is_exception(module: &str, name: &str) -> bool {
    let builtin = matches!(module, "builtins" | "exceptions");
    name.ends_with("Error")
        || name.ends_with("Exception")
        || name.ends_with("Warning")
        || (builtin
            && matches!(
                name,
                "BaseException"
                    | "BaseExceptionGroup"
                    | "ExceptionGroup"
                    | "GeneratorExit"
                    | "KeyboardInterrupt"
                    | "StopAsyncIteration"
                    | "StopIteration"
                    | "SystemExit"
            ))
}
