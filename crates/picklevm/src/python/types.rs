//! Classes and functions of the standard library, recognized by name.

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
    /// `operator.or_(a, b)`.
    BitOr,
    Array,
    ArrayReconstructor,
    Counter,
    Date,
    /// A class method that makes a `date`: `fromisoformat`, `fromordinal`, `fromisocalendar`.
    DateMethod,
    DateTime,
    /// A class method that makes a `datetime`: the same, and `combine`.
    DateTimeMethod,
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
    /// `time.fromisoformat`.
    TimeMethod,
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
    /// Recognizes a module and name of Python 3 or Python 2.
    pub(crate) fn of_names(module: &str, name: &str) -> Class {
        match (module, name) {
            ("copyreg" | "copy_reg", "_reconstructor") => Class::Reconstructor,
            ("copyreg" | "copy_reg", "__newobj__") => Class::NewObj,
            ("copyreg" | "copy_reg", "__newobj_ex__") => Class::NewObjEx,
            ("builtins" | "__builtin__", "getattr") => Class::GetAttr,
            ("_operator" | "operator", "or_") => Class::BitOr,
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
            ("datetime" | "_pydatetime", _) => Class::of_method_name(name),
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

    /// Recognizes a class method by its qualified name.
    fn of_method_name(name: &str) -> Class {
        match name.split_once('.') {
            Some(("date", method)) => Class::Date.method(method),
            Some(("time", method)) => Class::Time.method(method),
            Some(("datetime", method)) => Class::DateTime.method(method),
            _ => Class::Other,
        }
    }

    /// Recognizes a class method of this class by its name.
    pub(crate) fn method(self, name: &str) -> Class {
        match (self, name) {
            (Class::ZoneInfo, "_unpickle") => Class::ZoneInfoUnpickle,
            (Class::ZoneInfo, "no_cache") => Class::ZoneInfoUncached,
            (Class::Date, "fromisoformat" | "fromordinal" | "fromisocalendar") => Class::DateMethod,
            (Class::Time, "fromisoformat") => Class::TimeMethod,
            (Class::DateTime, "fromisoformat" | "fromordinal" | "fromisocalendar" | "combine") => Class::DateTimeMethod,
            _ => Class::Other,
        }
    }

    /// Returns the class of the result of a call.
    pub(crate) fn result(self) -> Class {
        match self {
            Class::DateMethod => Class::Date,
            Class::TimeMethod => Class::Time,
            Class::DateTimeMethod => Class::DateTime,
            other => other,
        }
    }
}

/// A function or class that pickles call to create plain data.
#[derive(Clone, Copy)]
pub(crate) enum Builtin {
    Set,
    FrozenSet,
    ByteArray,
    Bytes,
    Complex,
    Encode,
}

impl Builtin {
    /// Recognizes a module and name of Python 3 or Python 2.
    pub(crate) fn of_names(module: &str, name: &str) -> Option<Builtin> {
        Some(match (module, name) {
            ("builtins" | "__builtin__", "set") => Builtin::Set,
            ("builtins" | "__builtin__", "frozenset") => Builtin::FrozenSet,
            ("builtins" | "__builtin__", "bytearray") => Builtin::ByteArray,
            ("builtins" | "__builtin__", "bytes") => Builtin::Bytes,
            ("builtins" | "__builtin__", "complex") => Builtin::Complex,
            ("_codecs", "encode") => Builtin::Encode,
            _ => return None,
        })
    }
}

/// Returns whether this is the module of the built-in types and functions, of Python 3 or Python 2.
pub(crate) fn is_builtins(module: &[u8]) -> bool {
    matches!(module, b"builtins" | b"__builtin__")
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

/// A class of `ipaddress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IpClass {
    pub(crate) kind: IpKind,
    pub(crate) is_v6: bool,
}

/// Kinds of `ipaddress` classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IpKind {
    Address,
    Network,
    Interface,
}

impl IpClass {
    const ALL: [(&'static str, IpKind, bool); 6] = [
        ("IPv4Address", IpKind::Address, false),
        ("IPv6Address", IpKind::Address, true),
        ("IPv4Network", IpKind::Network, false),
        ("IPv6Network", IpKind::Network, true),
        ("IPv4Interface", IpKind::Interface, false),
        ("IPv6Interface", IpKind::Interface, true),
    ];

    fn of_name(name: &str) -> Option<IpClass> {
        IpClass::ALL.into_iter().find(|class| class.0 == name).map(|(_, kind, is_v6)| IpClass { kind, is_v6 })
    }

    pub(crate) fn name(self) -> &'static str {
        IpClass::ALL.into_iter().find(|class| (class.1, class.2) == (self.kind, self.is_v6)).map_or("", |class| class.0)
    }
}

/// The class of a [`Path`](crate::typed::Path).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// `PurePosixPath`: POSIX syntax, without file system access.
    PurePosix,
    /// `PosixPath`, which Python supports on POSIX systems only.
    Posix,
    /// `PureWindowsPath`: Windows syntax, without file system access.
    PureWindows,
    /// `WindowsPath`, which Python supports on Windows only.
    Windows,
}

impl Flavour {
    /// Returns the name of the class.
    pub fn name(self) -> &'static str {
        match self {
            Flavour::PurePosix => "PurePosixPath",
            Flavour::Posix => "PosixPath",
            Flavour::PureWindows => "PureWindowsPath",
            Flavour::Windows => "WindowsPath",
        }
    }

    /// Returns whether paths have Windows syntax (drives and `\`).
    pub fn is_windows(self) -> bool {
        matches!(self, Flavour::PureWindows | Flavour::Windows)
    }

    /// Recognizes the name of a class. `PurePath` and `Path` make a path of the platform.
    fn of_name(name: &str) -> Option<Flavour> {
        Some(match name {
            "PurePosixPath" => Flavour::PurePosix,
            "PosixPath" => Flavour::Posix,
            "PureWindowsPath" => Flavour::PureWindows,
            "WindowsPath" => Flavour::Windows,
            "PurePath" if cfg!(windows) => Flavour::PureWindows,
            "Path" if cfg!(windows) => Flavour::Windows,
            "PurePath" => Flavour::PurePosix,
            "Path" => Flavour::Posix,
            _ => return None,
        })
    }
}
