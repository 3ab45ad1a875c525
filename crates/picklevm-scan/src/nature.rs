//! The lattice: what a value may be, and what may be in it.
//!
//! A [`Nature`] is a set of kinds, ordered by inclusion; the empty set is plain data. That of a container is the union of those of
//! all that was put into it, however deep, and that of an object the union of its own and those of its arguments, state and
//! items. So whoever is given a value is known to be given nothing else, without going through it. What is put into a
//! container after that was put into another one may be in any container from then on.
//!
//! | kind | what it is | where it may go |
//! | --- | --- | --- |
//! | data | numbers, texts, bytes, `None`, and containers of data | everywhere |
//! | value | what a known call makes of data, and whose methods run nothing that the pickle chose: a date, an array | where data may |
//! | object | an instance of a class that the policy allows | arguments that are kept, states, containers |
//! | name | a function or class that the policy allows to be named | the same |
//! | callable | what was made to be called later, of checked parts: `functools.partial` | arguments that are stored, states, containers |
//! | lazy | an iterator: going through it may call a function or may never end | containers, other iterators |
//! | reaching | a function that reaches whatever the pickle says: `getattr` | where a rule names it |
//! | unknown | anything | nowhere |
//! | long | an integer so long that arithmetic takes unbounded time | arguments that are only kept, states, containers |

/// What a value may be, and what may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nature(pub(crate) u8);

impl Nature {
    pub(crate) const DATA: Nature = Nature(0);
    pub(crate) const VALUE: Nature = Nature(1);
    pub(crate) const OBJECT: Nature = Nature(2);
    pub(crate) const NAME: Nature = Nature(4);
    pub(crate) const CALLABLE: Nature = Nature(8);
    pub(crate) const LAZY: Nature = Nature(16);
    pub(crate) const REACHING: Nature = Nature(32);
    pub(crate) const UNKNOWN: Nature = Nature(64);
    pub(crate) const LONG: Nature = Nature(128);

    /// What may be an argument that is only kept or copied.
    pub(crate) const INERT: Nature = Nature(1 | 2 | 4 | 128);
    /// What may be part of a state.
    pub(crate) const STORED: Nature = Nature(1 | 2 | 4 | 8 | 128);

    /// What either may be.
    #[inline]
    pub(crate) const fn with(self, other: Nature) -> Nature {
        Nature(self.0 | other.0)
    }

    /// Whether it is nothing but what another may be.
    #[inline]
    pub(crate) const fn is_within(self, other: Nature) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether it may be any of what another is.
    #[inline]
    pub(crate) const fn may_be(self, other: Nature) -> bool {
        self.0 & other.0 != 0
    }

    /// What an object may be that holds this: it is no value because it holds one.
    #[inline]
    pub(crate) const fn held(self) -> Nature {
        Nature(self.0 & !Nature::VALUE.0)
    }

    /// The part that is more than inert.
    #[inline]
    pub(crate) const fn grave(self) -> Nature {
        Nature(self.0 & !Nature::INERT.0)
    }

    /// The gravest kind, in words.
    pub(crate) const fn describe(self) -> &'static str {
        const WORDS: [&str; 9] = [
            "data",
            "a value",
            "an object",
            "a function or class",
            "a callable",
            "an iterator that may call something or never end",
            "a function that reaches what the pickle chooses",
            "something that cannot be known",
            "a number of more than 512 bytes",
        ];
        WORDS[(8 - self.0.leading_zeros()) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::Nature;

    #[test]
    fn the_gravest_kind_is_told() {
        assert_eq!(Nature::DATA.describe(), "data");
        assert_eq!(Nature::VALUE.with(Nature::LAZY).describe(), "an iterator that may call something or never end");
        assert_eq!(Nature::UNKNOWN.describe(), "something that cannot be known");
    }
}
