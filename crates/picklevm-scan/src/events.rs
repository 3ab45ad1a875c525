//! The actions of a pickle in Python.

use std::fmt;

use serde::Serialize;

use crate::verdict::words;

/// A name that a pickle imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Import {
    /// The module, as Python 3 resolves it.
    pub module: String,
    /// The name in the module; dots separate the attributes that are looked up one in the other.
    pub name: String,
    /// Offset of its first import.
    pub offset: u64,
    /// Number of times it is called, constructed, given a state or given items.
    pub uses: u64,
    /// What is done with it, each once: `calls`, `constructs`, `hands over`, `makes and sets the state of`, `makes and puts
    /// items into`.
    pub how: Vec<&'static str>,
    /// The entry of the policy.
    pub known: PolicyEntry,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

/// One action of a pickle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// The offset of the opcode that does it, in bytes from the beginning of what holds the pickle.
    pub offset: u64,
    /// The action.
    pub action: Action,
    /// The object of the action: a name, or the number of an object, such as `v3`.
    pub subject: String,
    /// The number that its result has in the subjects and texts of later events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<u32>,
    /// The whole of it as a line of Python, shortened where it is long.
    pub python: String,
    /// The policy's entry for the name, if the action has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<PolicyEntry>,
}

/// The policy's entry for the name of an [`Event`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "lowercase")]
#[non_exhaustive]
pub enum PolicyEntry {
    /// It is harmless to import.
    Safe,
    /// Nothing.
    Suspicious,
    /// It does harm: what it does, as the end of a sentence.
    Dangerous(String),
}

words! {
    /// The kinds of things a pickle does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "lowercase")]
    #[non_exhaustive]
    Action {
        /// Imports a module and looks a name up in it.
        Import "import";
        /// Calls something.
        Call "call";
        /// Makes an instance by `__new__` alone.
        Construct "construct";
        /// Sets the state of an object.
        State "state";
        /// Puts items into an object that is no plain list, dict or set.
        Items "items";
        /// Asks the loading program for what a persistent id stands for.
        Persistent "persistent";
        /// Asks copyreg for what an extension code stands for.
        Extension "extension";
        /// Takes an out-of-band buffer.
        Buffer "buffer";
        /// Throws the result of a call away.
        Drop "drop";
    }
}
