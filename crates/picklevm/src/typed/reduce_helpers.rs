//! What constructors of objects share.

use crate::graph::{Arena, Cell, Construction, Id, IntoValue};
use crate::resolve::python2_names::{self, Names};

impl Arena {
    /// A global by its names of Python 3; in a graph that has those of Python 2, by these.
    pub(crate) fn known_global(&mut self, module: &str, name: &str) -> Cell {
        let names = Names::of_protocol(self.protocol.unwrap_or(3));
        let renamed = if names == Names::Python2 { python2_names::renamed(module, name, names) } else { None };
        let (module, name) = renamed.unwrap_or((module, name));
        self.global(module, name).0
    }

    /// What a known function returns when Python calls it.
    pub(super) fn known_call(&mut self, [module, name]: [&str; 2], args: &[Cell]) -> Id {
        let function = self.known_global(module, name);
        Id(self.called(function, args))
    }

    /// What a function returns when Python calls it.
    pub(super) fn called(&mut self, function: Cell, args: &[Cell]) -> Cell {
        let args = self.new_tuple(args);
        self.new_object(Construction::Reduce, function, args)
    }

    /// An instance as protocols 0 and 1 make it: `copyreg._reconstructor(class, base, value)`.
    pub(crate) fn reconstructed(&mut self, class: Cell, base: &str, value: Cell) -> Cell {
        let function = self.known_global("copyreg", "_reconstructor");
        let base = self.known_global("builtins", base);
        self.called(function, &[class, base, value])
    }

    /// The cell of a Rust value.
    pub(super) fn cell(&mut self, value: impl IntoValue) -> Cell {
        self.add(value).0
    }
}

/// `IntoValue` for what is reduced: as CPython 3.13 pickles it at the default protocol. `View` by what an instance is.
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

macro_rules! into_value {
    ($type:ident) => {
        /// As CPython 3.13 pickles it at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT).
        impl $crate::IntoValue for $type {
            fn into_value(self, arena: &mut $crate::Arena) -> $crate::Id {
                $crate::typed::Reduce::reduce(self, arena, $crate::Protocol::DEFAULT)
            }
        }
    };
    ($type:ident <$g:lifetime>) => {
        /// As CPython 3.13 pickles it at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT); what it holds is copied.
        impl $crate::IntoValue for $type<'_> {
            fn into_value(self, arena: &mut $crate::Arena) -> $crate::Id {
                $crate::typed::Reduce::reduce(self, arena, $crate::Protocol::DEFAULT)
            }
        }
    };
}

pub(super) use {into_value, typed};
