//! Verdict, status, and the findings they rest on.

use std::fmt;

use serde::Serialize;

/// An enum with a word for each variant, which `Display` writes.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $( $(#[$of_variant:meta])* $variant:ident $word:literal; )* }) => {
        $(#[$meta])*
        pub enum $name {
            $( $(#[$of_variant])* $variant, )*
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(match self {
                    $( $name::$variant => $word, )*
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The verdict on a pickle or a file: that of its worst finding.
    ///
    /// ```
    /// use picklevm_scan::Verdict;
    ///
    /// assert!(Verdict::Safe < Verdict::Suspicious && Verdict::Suspicious < Verdict::Dangerous);
    /// assert_eq!(Verdict::Dangerous.to_string(), "dangerous");
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(rename_all = "lowercase")]
    Verdict {
        /// All of it was read, every reader reads it alike, and everything it does is known to be harmless.
        #[default]
        Safe "safe";
        /// It does something that is not covered by the policy, or could not be read to its end.
        Suspicious "suspicious";
        /// It does something that is known to do harm.
        Dangerous "dangerous";
    }
}

words! {
    /// How far a pickle could be read. Independent of the verdict, since a broken pickle runs up to the break.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(rename_all = "lowercase")]
    Status {
        /// To its end, and every reader reads it alike.
        #[default]
        Complete "complete";
        /// To its end or not: readers (C, pure Python, Python 2, pickletools) disagree on it.
        Divergent "divergent";
        /// The data end before the pickle does.
        Truncated "truncated";
        /// No reader gets to its end.
        Malformed "malformed";
    }
}

macro_rules! rules {
    ($( $variant:ident $id:literal $doc:literal; )*) => {
        /// The rule of a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Rule {
            $( #[doc = $doc] $variant, )*
        }

        impl Rule {
            /// All rules.
            pub const ALL: &'static [Rule] = &[$( Rule::$variant ),*];

            /// The rule's name in JSON and SARIF.
            pub const fn id(self) -> &'static str {
                match self {
                    $( Rule::$variant => $id, )*
                }
            }

            /// One sentence on what the rule finds.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( Rule::$variant => $doc, )*
                }
            }
        }
    };
}

rules! {
    DangerousName "dangerous-name" "A name is imported that is known to do harm.";
    UnknownName "unknown-name" "A name is imported that is not covered by the policy.";
    HiddenName "hidden-name" "The name of what is imported is computed, so that it cannot be read.";
    Use "use" "A known name is used in a way that the policy does not allow.";
    State "state" "A state is set on what should have none.";
    Items "items" "Items are put into what is no container.";
    Persistent "persistent-id" "The loading program decides what a persistent id stands for.";
    Extension "extension-code" "The loading process decides what an extension code stands for.";
    Divergence "divergence" "Readers disagree on the bytes.";
    Broken "broken" "The pickle breaks before its end; Python executes what precedes the break.";
    Trailing "trailing" "Bytes follow that are no pickle.";
    Hidden "hidden-pickle" "A pickle lies where none is expected.";
    Container "container" "A container contradicts itself or cannot be read.";
    Opaque "opaque" "The content cannot be looked into.";
    Limit "limit" "The scan stopped at a limit.";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A reason for a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule it comes from.
    pub rule: Rule,
    /// Offset in its container, in bytes.
    pub offset: u64,
    /// The Python name it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The reason, in a sentence.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(verdict: Verdict, rule: Rule, offset: u64, message: impl Into<String>) -> Self {
        Finding { verdict, rule, offset, name: None, message: message.into() }
    }

    pub(crate) fn suspicious(rule: Rule, offset: u64, message: impl Into<String>) -> Self {
        Finding::new(Verdict::Suspicious, rule, offset, message)
    }

    pub(crate) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.verdict, self.offset, self.message)
    }
}
