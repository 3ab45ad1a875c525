//! Helpers for implementations of `Reduce`, `View` and `IntoValue`.

use crate::graph::{Arena, Cell, Id, IntoValue};
use crate::python::{Names, python2_names};

impl Arena {
    /// Adds a global by its Python 3 name. In a graph of Python 2 names, the name is mapped to Python 2.
    pub(crate) fn known_global(&mut self, module: &str, name: &str) -> Cell {
        let names = Names::of_protocol(self.protocol.unwrap_or(3));
        let renamed = if names == Names::Python2 { python2_names::renamed(module, name, names) } else { None };
        let (module, name) = renamed.unwrap_or((module, name));
        self.global(module, name).0
    }

    /// Adds a call of a function by its Python 3 name.
    pub(super) fn known_call(&mut self, [module, name]: [&str; 2], args: &[Cell]) -> Id {
        let function = self.known_global(module, name);
        Id(self.new_call(function, args))
    }

    /// Adds an instance as protocols 0 and 1 write it: `copyreg._reconstructor(class, base, value)`.
    pub(crate) fn reconstructed(&mut self, class: Cell, base: &str, value: Cell) -> Cell {
        let function = self.known_global("copyreg", "_reconstructor");
        let base = self.known_global("builtins", base);
        self.new_reconstructed(function, class, base, value)
    }

    /// Adds `getattr(owner, name)`.
    pub(super) fn attribute_of(&mut self, owner: Cell, name: Cell) -> Cell {
        let getattr = self.known_global("builtins", "getattr");
        self.new_attribute(getattr, owner, name)
    }

    /// Adds a Rust value and returns its cell.
    pub(super) fn cell(&mut self, value: impl IntoValue) -> Cell {
        self.add(value).0
    }
}

/// Implements `View` by the type's `of(&InstanceView)`, and `IntoValue` by `Reduce`.
macro_rules! typed {
    ($($(#[$doc:meta])* $type:ident $(<$g:lifetime>)?, $expected:literal;)*) => {$(
        $(#[$doc])*
        impl<'g> $crate::typed::View<'g> for $type $(<$g>)? {
            const EXPECTED: &'static str = $expected;

            fn view(value: $crate::graph::Value<'g>) -> Option<Self> {
                $type::of(&$crate::typed::InstanceView::of(value)?)
            }
        }

        $crate::typed::reduce_helpers::into_value!($type $(<$g>)?);
    )*};
}

/// Implements `IntoValue` by `Reduce` at the default protocol.
macro_rules! into_value {
    ($type:ident) => {
        /// Reduced as CPython 3.13 pickles it at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT).
        impl $crate::IntoValue for $type {
            fn into_value(self, arena: &mut $crate::Arena) -> $crate::Id {
                $crate::typed::Reduce::reduce(self, arena, $crate::Protocol::DEFAULT)
            }
        }
    };
    ($type:ident <$g:lifetime>) => {
        /// Reduced as CPython 3.13 pickles it at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT); its contents are
        /// copied.
        impl $crate::IntoValue for $type<'_> {
            fn into_value(self, arena: &mut $crate::Arena) -> $crate::Id {
                $crate::typed::Reduce::reduce(self, arena, $crate::Protocol::DEFAULT)
            }
        }
    };
}

pub(super) use {into_value, typed};
