//! Classes and functions of Python that are known by name.

use super::network::Kin;
use super::paths::Flavour;
use crate::graph::{Global, Value};

/// What is known of a class or function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Any other: what its instances hold says what they are.
    Other,
    /// `copyreg._reconstructor(class, base, value)`: how protocols 0 and 1 make instances.
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
    Network(Kin),
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
    /// `zoneinfo.ZoneInfo._unpickle`.
    ZoneInfo,
}

impl Class {
    /// What is known of the class or function that an object names.
    pub(crate) fn of(class: Value<'_>) -> Class {
        if let Some(global) = class.as_global() {
            return Class::of_global(global);
        }
        // The methods of classes are attributes of a global, as what is nested in classes is below protocol 4.
        let attribute = class.as_object().filter(|object| Class::of(object.class()) == Class::GetAttr);
        match attribute.and_then(|object| object.args().as_array()) {
            Some([owner, name])
                if name == "_unpickle" && owner.as_global().is_some_and(|g| g.is("zoneinfo", "ZoneInfo")) =>
            {
                Class::ZoneInfo
            }
            _ => Class::Other,
        }
    }

    fn of_global(global: Global<'_>) -> Class {
        let (Some(module), Some(name)) = (global.module().as_str(), global.name().as_str()) else {
            return Class::Other;
        };
        match (module, name) {
            ("copyreg" | "copy_reg", "_reconstructor") => Class::Reconstructor,
            ("copyreg" | "copy_reg", "__newobj__") => Class::NewObj,
            ("copyreg" | "copy_reg", "__newobj_ex__") => Class::NewObjEx,
            ("builtins" | "__builtin__", "getattr") => Class::GetAttr,
            ("builtins", "range") | ("__builtin__", "xrange") => Class::Range,
            ("builtins" | "__builtin__", "slice") => Class::Slice,
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
            ("zoneinfo", "ZoneInfo._unpickle") => Class::ZoneInfo,
            ("decimal" | "_pydecimal", "Decimal") => Class::Decimal,
            ("fractions", "Fraction") => Class::Fraction,
            ("functools" | "_functools", "partial") => Class::Partial,
            ("re" | "sre", "_compile") => Class::Regex,
            ("types", "SimpleNamespace") => Class::SimpleNamespace,
            ("uuid", "UUID") => Class::Uuid,
            ("ipaddress", _) => Kin::of_name(name).map_or(Class::Other, Class::Network),
            ("pathlib" | "pathlib._local", _) => Flavour::of_name(name).map_or(Class::Other, Class::Path),
            _ if is_exception(module, name) => Class::Exception,
            _ => Class::Other,
        }
    }
}

/// Whether a class is an exception: those of Python are named so, and by PEP 8 those of programs too.
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
