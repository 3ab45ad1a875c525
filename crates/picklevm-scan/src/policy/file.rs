//! Policies as files: TOML or JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Allowed, Policy};

/// What a policy file holds.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    remove: Vec<Remove>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allow: Vec<Allow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    danger: Vec<Danger>,
}

/// Names of a module that are allowed the same.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    module: String,
    names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    may: Vec<Use>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    args: Option<Vec<Arg>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<ResultType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<String>,
}

impl Allow {
    /// Whether another row allows the same, of other names.
    fn allows_as(&self, other: &Allow) -> bool {
        let rules = |row: &Allow| (row.may.clone(), row.args.clone(), row.follows, row.otherwise.clone());
        rules(self) == rules(other)
    }
}

/// Names of a module that are dangerous for the same reason; without `names`, all of them and all modules below it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Danger {
    module: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    why: String,
}

/// Names of a module that are to be forgotten; without `names`, all of them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    module: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
}

macro_rules! uses {
    ($( $variant:ident $doc:literal; )*) => {
        /// What a pickle may do with a name, beside importing it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[non_exhaustive]
        pub enum Use {
            $( #[doc = $doc] $variant, )*
        }

        impl Use {
            /// All of them.
            pub const ALL: &'static [Use] = &[$( Use::$variant ),*];
        }
    };
}

uses! {
    Call "Call it, by REDUCE, OBJ or INST.";
    Construct "Make an instance of it by `__new__`, by NEWOBJ or through a function that does.";
    State "Set the state of what it makes, by BUILD.";
    Items "Put items into what it makes, by APPEND, SETITEM and their like.";
    Members "Look up public attributes of it: the members of an enum.";
}

impl Use {
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What an argument of a call must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Arg {
    /// An argument of a kind.
    Kind(Kind),
    /// One of these texts, or a global of one of these names, such as `operator.or_`.
    OneOf {
        /// The texts or names.
        one_of: Vec<String>,
    },
    /// What any of these rules asks for.
    Either {
        /// The rules.
        either: Vec<Arg>,
    },
}

/// The kinds of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Anything.
    Any,
    /// Plain data: nothing that a call made, so that going through it ends and runs no code.
    Data,
    /// A number, text or bytes: no container, whose size is more than its parts if they are shared.
    Atom,
    /// Plain data, but no number: what takes a number for a size cannot be made to fill the memory.
    Sized,
    /// A class; the call makes an instance of it, so that it must be allowed to `construct`.
    Class,
    /// A function that is called; it must be allowed to `call`, whatever it is given.
    Function,
    /// A name that may be imported, whatever may be done with it otherwise.
    Name,
    /// Something that is kept and not called: data, a name that may be imported, or what such a call made.
    Stored,
    /// Bytes that are a pickle or a file of one; they are scanned.
    Pickle,
    /// All further arguments, whatever they are.
    Rest,
}

/// What a call makes known of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ResultType {
    /// It is the attribute of its first argument that the second names.
    Attribute,
    /// It is the name in a module that its two arguments give.
    Names,
    /// It is the module that its first argument names.
    Module,
    /// It is plain data.
    Data,
    /// It is the bytes of its first argument in the encoding that the second names.
    Bytes,
}

/// Why a policy file could not be read.
#[derive(Debug)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim_end())
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// A policy that is what a TOML file says and nothing more. `docs/scan.md` describes the format.
    ///
    /// # Errors
    ///
    /// If the text is no TOML, or has keys or values that no policy has.
    pub fn from_toml(text: &str) -> Result<Policy, PolicyError> {
        let mut policy = Policy::empty();
        policy.extend_toml(text)?;
        Ok(policy)
    }

    /// Adds what a TOML file says: names to forget, to allow, to call dangerous, in this order.
    ///
    /// # Errors
    ///
    /// Those of [`from_toml`](Policy::from_toml); the policy is as it was then.
    pub fn extend_toml(&mut self, text: &str) -> Result<(), PolicyError> {
        self.extend(toml::from_str(text).map_err(|error| PolicyError(error.to_string()))?);
        Ok(())
    }

    /// Adds what a JSON file says, which has the same keys as the TOML.
    ///
    /// # Errors
    ///
    /// If the text is no JSON, or has keys or values that no policy has; the policy is as it was then.
    ///
    /// ```
    /// let mut policy = picklevm_scan::Policy::empty();
    /// policy.extend_json(r#"{"danger": [{"module": "os", "why": "runs programs"}]}"#)?;
    /// assert_eq!(policy.dangerous_count(), 1);
    /// # Ok::<(), picklevm_scan::PolicyError>(())
    /// ```
    pub fn extend_json(&mut self, text: &str) -> Result<(), PolicyError> {
        self.extend(serde_json::from_str(text).map_err(|error| PolicyError(error.to_string()))?);
        Ok(())
    }

    fn extend(&mut self, file: PolicyFile) {
        for Remove { module, names } in file.remove {
            match names {
                Some(names) => names.iter().for_each(|name| self.forget(&module, name)),
                None => self.forget_module(&module),
            }
        }
        for Allow { module, names, may, args, follows, otherwise } in file.allow {
            let uses = may.iter().fold(0, |bits, what| bits | what.bit());
            let allowed = Allowed { uses, args, follows, otherwise };
            for name in names {
                self.insert(&module, &name, allowed.clone());
            }
        }
        for Danger { module, names, why } in file.danger {
            match names {
                Some(names) => names.iter().for_each(|name| self.forbid(&module, name, &why)),
                None => self.forbid_module(&module, &why),
            }
        }
    }

    /// The policy as TOML, which [`from_toml`](Policy::from_toml) reads back.
    pub fn to_toml(&self) -> String {
        let mut file = PolicyFile::default();
        for (module, names) in sorted(&self.allowed) {
            let mut alike: Vec<Allow> = Vec::new();
            for (name, allowed) in sorted(names) {
                let row = Allow {
                    module: module.clone(),
                    names: vec![name.clone()],
                    may: allowed.uses().collect(),
                    args: allowed.args.clone(),
                    follows: allowed.follows,
                    otherwise: allowed.otherwise.clone(),
                };
                match alike.iter_mut().find(|other| other.allows_as(&row)) {
                    Some(other) => other.names.push(name.clone()),
                    None => alike.push(row),
                }
            }
            file.allow.append(&mut alike);
        }
        for (module, why) in sorted(&self.dangerous_modules) {
            file.danger.push(Danger { module: module.clone(), names: None, why: why.clone() });
        }
        for (module, names) in sorted(&self.dangerous) {
            let mut reasons: BTreeMap<&String, Vec<String>> = BTreeMap::new();
            for (name, why) in sorted(names) {
                reasons.entry(why).or_default().push(name.clone());
            }
            for (why, names) in reasons {
                file.danger.push(Danger { module: module.clone(), names: Some(names), why: why.clone() });
            }
        }
        // Strings and lists of strings can always be written.
        toml::to_string(&file).unwrap_or_default()
    }
}

fn sorted<K: Ord, V, S>(map: &hashbrown::HashMap<K, V, S>) -> Vec<(&K, &V)> {
    let mut rows: Vec<_> = map.iter().collect();
    rows.sort_by_key(|row| row.0);
    rows
}
