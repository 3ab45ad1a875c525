//! Policies as files: TOML or JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Allowed, Policy};

/// What a policy file holds.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    /// Modules that are trusted, with those below them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allow_modules: Vec<String>,
    /// Modules that are vouched for, with those below them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    vouch_for_modules: Vec<String>,
    /// Whether modules of no known package are trusted.
    #[serde(default, skip_serializing_if = "is_false")]
    allow_own: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    remove: Vec<Remove>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allow: Vec<Allow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    danger: Vec<Danger>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

/// Names of a module that are allowed the same.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    module: String,
    /// Further modules that have the names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    modules: Vec<String>,
    names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    may: Vec<Use>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    args: Option<Vec<Arg>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<ResultType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<Check>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    vouched: bool,
}

impl Allow {
    /// Whether another row allows the same, of other names.
    fn allows_as(&self, other: &Allow) -> bool {
        (&self.may, &self.args, self.follows) == (&other.may, &other.args, other.follows)
            && (self.check, &self.attributes, &self.otherwise) == (other.check, &other.attributes, &other.otherwise)
            && self.vouched == other.vouched
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
        /// A use of a name besides importing it.
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

/// The rule for an argument of a call.
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
    /// A number, or an object that a name made which lies in one of these packages.
    Made {
        /// The packages.
        made: Vec<String>,
    },
    /// All further arguments, each as this rule says.
    Rest {
        /// The rule.
        rest: Box<Arg>,
    },
}

macro_rules! kinds {
    ($( $(#[$more:meta])* $name:ident { $( $variant:ident $doc:literal; )* } )*) => { $(
        $(#[$more])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum $name {
            $( #[doc = $doc] $variant, )*
        }
    )* };
}

kinds! {
    /// The kinds of arguments. None takes a function, an iterator or anything unknown unless it says so, however deep it lies.
    Kind {
        Any "What is only kept or copied: data, objects, names.";
        Data "Plain data, or values that known calls make of data.";
        Atom "A number, text or bytes: no container, whose size is more than its parts if they are shared.";
        Count "A number of things that is not great: at most 2 to the power of 20.";
        Label "A short text: at most 256 bytes.";
        Factory "What a `defaultdict` calls without arguments: a name, or a `functools.partial` of a call that is allowed.";
        Number "A number or a text of one, so short that computing with it ends.";
        Rational "A number, or a text of a fraction without a great exponent.";
        Pattern "A regular expression that is compiled soon, or the number of its flags.";
        Attribute "The name of a public attribute, dots and all.";
        Sized "Plain data, but no number: what takes a number for a size cannot be made to fill the memory.";
        Items "What can be gone through to its end by code of its own: a container or a value, of anything that may be stored.";
        Pairs "A dict, or what can be gone through to its end together with each of its items.";
        Fields "A container whose items a library converts: data, values, and names.";
        Class "A class; the call makes an instance of it, so that it must be allowed to `construct`.";
        Function "A function that is called; it must be allowed to `call`, whatever it is given.";
        Name "A name that may be imported, whatever may be done with it otherwise.";
        Stored "Something that is kept and not called: what `any` takes, and what was made to be called.";
        Lazy "Something that is kept and gone through later: what `stored` takes, and iterators.";
        Pickle "Bytes that are a pickle or a file of one; they are scanned.";
        Rest "All further arguments, as `any`.";
    }

    /// What a call says about its result.
    ResultType {
        Attribute "It is the attribute of its first argument that the second names.";
        Names "It is the name in a module that its two arguments give.";
        Module "It is the module that its first argument names.";
        Data "It is a container of what it is given.";
        Value "It is a value whose methods run nothing that the pickle chooses.";
        Bytes "It is the bytes of its first argument in the encoding that the second names.";
        Lazy "It is an iterator that may call functions or never end.";
        Callable "It is something to be called later.";
        New "It is an instance of its first argument, which is given the others.";
        NewEx "It is an instance of its first argument, which is given the second, and the third by keyword.";
        Reconstructor "It is an instance of its first argument, made by the second of the third.";
        Apply "It is what its first argument makes of the tuple that is the third.";
    }

    /// What only code can check: a state or an argument that a library turns into memory, code or work.
    Check {
        Iterator "An iterator over something else than containers and values runs code of it.";
        Range "A `range` is a value if it is short, otherwise an iterator.";
        Index "An index of pandas, which may be a range that is as long as it says.";
        Partial "The state of `functools.partial` may hold what its arguments may.";
        Dtype "A `numpy.dtype` whose state agrees with itself.";
        Array "An array of NumPy whose state has as much data as its shape and type say.";
        Reconstruct "`numpy.core.multiarray._reconstruct`.";
        FromBuffer "An array over bytes, which hold no objects.";
        Scalar "A scalar of NumPy.";
        Distribution "A distribution of `scipy.stats`: its state holds a text that is executed.";
        Formula "A state without what statsmodels would evaluate as a formula.";
        BoosterText "A booster of LightGBM: the handle is a text.";
        BoosterBytes "A booster of XGBoost: the handle is bytes.";
        Image "An image of Pillow with as much data as its size says.";
        Arrow "An array of pyarrow with as much data as its length says.";
        Wkb "Well-known binary of a geometry, no deeper and longer than it says.";
        Expression "What SymPy computes: no great powers, and not too much in all.";
        Tensor "A tensor of PyTorch that lies within its storage.";
        Keys "The items of its arguments are hashed: too many must not have the same hash.";
        Pairs "The first of each item of its arguments is hashed.";
        Union "It compares each of its parts with all others.";
        Uuid "The hash of a UUID is that of the number in its state.";
        Joblib "joblib's stand-in for an array whose data follow.";
        Companion "joblib's stand-in for an array in a file beside it.";
    }
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

    /// Adds what a TOML file says: names to forget, to allow, to call dangerous, in this order. Of a `pyproject.toml` the
    /// table `tool.picklevm.scan` counts.
    ///
    /// # Errors
    ///
    /// Those of [`from_toml`](Policy::from_toml); the policy is as it was then.
    pub fn extend_toml(&mut self, text: &str) -> Result<(), PolicyError> {
        let read = |text: &str| -> Result<PolicyFile, toml::de::Error> {
            if !text.contains("[tool") {
                return toml::from_str(text);
            }
            // A pyproject.toml, in which the policy is a table of a tool.
            let mut file: toml::Table = toml::from_str(text)?;
            let tables = ["tool", "picklevm", "scan"];
            let table =
                tables.iter().try_fold(toml::Value::Table(std::mem::take(&mut file)), |table, name| match table {
                    toml::Value::Table(mut table) => table.remove(*name),
                    _ => None,
                });
            table.map_or_else(|| Ok(PolicyFile::default()), toml::Value::try_into)
        };
        self.extend(read(text).map_err(|error| PolicyError(error.to_string()))?);
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
        for Allow { module, modules, names, may, args, follows, check, attributes, otherwise, vouched } in file.allow {
            let allowed = Allowed { args, follows, check, attributes, otherwise, vouched, ..Allowed::to(&may) };
            let allowed = Arc::new(allowed);
            for module in modules.iter().chain((!module.is_empty()).then_some(&module)) {
                for name in &names {
                    self.insert(module, name, allowed.clone());
                }
            }
        }
        file.allow_modules.iter().for_each(|module| self.allow_module(module));
        file.vouch_for_modules.iter().for_each(|module| self.vouch_for_module(module));
        if file.allow_own {
            self.allow_own();
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
        let mut file = PolicyFile { allow_own: self.trusts_own, ..PolicyFile::default() };
        file.allow_modules = self.trusted_modules.iter().cloned().collect();
        file.allow_modules.sort();
        file.vouch_for_modules = self.vouched_modules.iter().cloned().collect();
        file.vouch_for_modules.sort();
        for (module, names) in sorted(&self.allowed) {
            let mut alike: Vec<Allow> = Vec::new();
            for (name, allowed) in sorted(names) {
                let row = Allow {
                    module: module.clone(),
                    modules: Vec::new(),
                    names: vec![name.clone()],
                    may: allowed.uses().collect(),
                    args: allowed.args.clone(),
                    follows: allowed.follows,
                    check: allowed.check,
                    attributes: allowed.attributes.clone(),
                    otherwise: allowed.otherwise.clone(),
                    vouched: allowed.vouched,
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
