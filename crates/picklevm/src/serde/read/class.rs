//! Classes and functions whose instances read as something other than their state.

use crate::graph::{Global, Value};

/// What is known of a class or function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Any other: what its instances hold says what they read as.
    Other,
    /// `copyreg._reconstructor(class, base, value)`: how protocols 0 and 1 make instances.
    Reconstructor,
    /// `copyreg.__newobj__(class, *args)`.
    NewObj,
    /// `copyreg.__newobj_ex__(class, args, kwargs)`.
    NewObjEx,
    /// `getattr(owner, name)`.
    GetAttr,
    Mapping,
    Sequence,
    Exception,
    Date,
    Time,
    DateTime,
    TimeDelta,
    Timezone,
    Uuid,
    PosixPath,
    WindowsPath,
    IpV4Address,
    IpV6Address,
}

impl Class {
    /// What is known of the class or function that an object names.
    pub(crate) fn of(class: Value<'_>) -> Class {
        class.as_global().map_or(Class::Other, Class::of_global)
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
            ("collections", "OrderedDict" | "defaultdict" | "Counter") => Class::Mapping,
            ("collections" | "_collections", "deque") => Class::Sequence,
            ("datetime" | "_pydatetime", "date") => Class::Date,
            ("datetime" | "_pydatetime", "time") => Class::Time,
            ("datetime" | "_pydatetime", "datetime") => Class::DateTime,
            ("datetime" | "_pydatetime", "timedelta") => Class::TimeDelta,
            ("datetime" | "_pydatetime", "timezone") => Class::Timezone,
            ("uuid", "UUID") => Class::Uuid,
            ("pathlib" | "pathlib._local", "PosixPath" | "PurePosixPath") => Class::PosixPath,
            ("pathlib" | "pathlib._local", "WindowsPath" | "PureWindowsPath") => Class::WindowsPath,
            ("ipaddress", "IPv4Address") => Class::IpV4Address,
            ("ipaddress", "IPv6Address") => Class::IpV6Address,
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
