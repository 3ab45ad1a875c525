//! Policies: which names a pickle may import, and what it may do with them.

mod builtin;
mod dotted;
mod file;
mod preset;

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

pub use self::dotted::split_name;
pub use self::file::{Arg, Check, Kind, PolicyError, ResultType, Use};
pub use self::preset::Preset;

/// The names that a pickle may import, how it may use each, and which names are harmful. What a policy does not know
/// is suspicious.
///
/// Cheap to clone compared with a scan, but not free: a [`Scanner`](crate::Scanner) shares one.
///
/// ```
/// use picklevm_scan::{Decision, Policy};
///
/// let mut policy = Policy::builtin().clone();
/// assert_eq!(policy.judge("shop.models", "Order"), Decision::Unknown);
/// policy.extend_toml(r#"
///     [[allow]]
///     module = "shop.models"
///     names = ["Order", "Customer"]
///     may = ["construct", "state"]
/// "#)?;
/// assert!(matches!(policy.judge("shop.models", "Order"), Decision::Allowed(_)));
/// # Ok::<(), picklevm_scan::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policy {
    allowed: Names<Arc<Allowed>>,
    dangerous: Names<String>,
    /// Modules that do harm whatever is imported from them or from below them.
    dangerous_modules: HashMap<String, String, RandomState>,
    /// Modules that are trusted, with all below them.
    trusted_modules: HashSet<String, RandomState>,
    /// Modules that are vouched for: trusted, and whatever their names are given.
    vouched_modules: HashSet<String, RandomState>,
    /// Whether modules are trusted of which the policy knows nothing.
    trusts_own: bool,
    /// The packages that it says something of, once they are asked for.
    packages: OnceLock<HashSet<String, RandomState>>,
    /// The policy that counts for what this one says nothing of.
    base: Option<Arc<Policy>>,
}

/// What a name of a trusted module may be used for.
static TRUSTED: LazyLock<Allowed> = LazyLock::new(|| Allowed::to(Use::ALL));

/// What a name of a module may be used for that is vouched for.
static VOUCHED: LazyLock<Allowed> = LazyLock::new(|| Allowed { vouched: true, ..Allowed::to(Use::ALL) });

/// Something a name, by module and name.
type Names<T> = HashMap<String, HashMap<String, T, RandomState>, RandomState>;

/// The allowed uses of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allowed {
    uses: u8,
    /// Rules for the arguments of a call; `None` for any that are only stored.
    pub args: Option<Vec<Arg>>,
    /// The kind of the result of a call; an object by default.
    pub follows: Option<ResultType>,
    /// The check in code of a call or a state.
    pub check: Option<Check>,
    /// The attributes of its instances that may be looked up, to be called by whoever loads the pickle.
    pub attributes: Vec<String>,
    /// Why it is dangerous to use it in another way, or to import it and not use it, as the end of a sentence. Without,
    /// other uses are suspicious.
    pub otherwise: Option<String>,
    /// Whether it is trusted with any arguments and states that may be stored.
    pub vouched: bool,
}

impl Allowed {
    /// To be used so, on data.
    fn to(uses: &[Use]) -> Allowed {
        Allowed { uses: uses.iter().fold(0, |bits, what| bits | what.bit()), ..Allowed::default() }
    }

    /// Returns whether this use is allowed.
    pub fn may(&self, what: Use) -> bool {
        self.uses & what.bit() != 0
    }

    /// Whether a pickle may call or construct it so. What may be called with anything may be constructed too: `__init__`
    /// does no less than `__new__`.
    pub(crate) fn may_be(&self, used: Use) -> bool {
        let makes = matches!(self.follows, None | Some(ResultType::Value));
        let calls_anything = self.may(Use::Call) && self.args.is_none() && makes;
        self.may(used) || used == Use::Construct && calls_anything
    }

    /// Returns the allowed uses.
    pub fn uses(&self) -> impl Iterator<Item = Use> + '_ {
        Use::ALL.iter().copied().filter(|&what| self.may(what))
    }
}

/// The decision of a policy on a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision<'p> {
    /// It may be imported, and used in some ways.
    Allowed(&'p Allowed),
    /// It does harm, for this reason.
    Dangerous(&'p str),
    /// The policy does not know it.
    Unknown,
}

impl Policy {
    /// A policy that knows no name: every import is suspicious.
    pub fn empty() -> Self {
        Policy::default()
    }

    /// A policy that adds to another one, which is shared. As text it is what it adds.
    ///
    /// ```
    /// use picklevm_scan::{Decision, Policy, Preset};
    ///
    /// let mut policy = Policy::over(Policy::of(&[Preset::Stdlib]));
    /// policy.vouch_for("shop", "Order");
    /// assert!(matches!(policy.judge("shop", "Order"), Decision::Allowed(_)));
    /// assert!(matches!(policy.judge("datetime", "date"), Decision::Allowed(_)));
    /// ```
    pub fn over(base: impl Into<Arc<Policy>>) -> Self {
        Policy { base: Some(base.into()), ..Policy::default() }
    }

    /// This policy, and those that it adds to.
    fn layers(&self) -> impl Iterator<Item = &Policy> {
        std::iter::successors(Some(self), |policy| policy.base.as_deref())
    }

    /// Returns the decision on a name of Python 3, which may have dots.
    pub fn judge(&self, module: &str, name: &str) -> Decision<'_> {
        if let Some(why) = get(&self.dangerous, module, name) {
            return Decision::Dangerous(why);
        }
        if let Some(allowed) = get(&self.allowed, module, name) {
            return Decision::Allowed(allowed);
        }
        if let Some(base) = &self.base
            && let decision @ (Decision::Dangerous(_) | Decision::Allowed(_)) = base.judge(module, name)
        {
            return decision;
        }
        match self.danger(module, name) {
            Some(why) => Decision::Dangerous(why),
            None if self.is_in(&self.vouched_modules, module, name) => Decision::Allowed(&VOUCHED),
            None if self.trusts(module, name) => Decision::Allowed(&TRUSTED),
            None => Decision::Unknown,
        }
    }

    /// Returns whether a name is allowed because its module is, by [`vouch_for_module`](Policy::vouch_for_module), and not itself.
    pub fn is_allowed_by_module(&self, module: &str, name: &str) -> bool {
        matches!(self.judge(module, name), Decision::Allowed(allowed) if std::ptr::eq(allowed, &*VOUCHED))
    }

    /// Whether a name is of a trusted module.
    fn trusts(&self, module: &str, name: &str) -> bool {
        let is_own = self.trusts_own && is_its_own(name) && self.is_own(module);
        is_own || self.is_in(&self.trusted_modules, module, name)
    }

    /// Whether a name is of one of these modules, or of one below them.
    fn is_in(&self, modules: &HashSet<String, RandomState>, module: &str, name: &str) -> bool {
        if modules.is_empty() || !is_its_own(name) || module.split('.').any(str::is_empty) {
            return false;
        }
        // Importing a package's `__main__` runs the program that it is.
        let is_below = |found: &str| !module[found.len()..].contains(".__");
        prefixes(module).any(|found| modules.contains(found) && is_below(found))
    }

    /// Returns whether a module is in no package that the policy or Python's standard library has: perhaps the program's own.
    pub fn is_own(&self, module: &str) -> bool {
        let root = module.split('.').next().unwrap_or_default();
        let is_known = self.layers().any(|layer| layer.packages().contains(root));
        !is_known && !root.is_empty() && !root.starts_with('_') || root == "__main__"
    }

    /// The packages that this policy says something of.
    fn packages(&self) -> &HashSet<String, RandomState> {
        self.packages.get_or_init(|| {
            let modules = self.allowed.keys().chain(self.dangerous.keys()).chain(self.dangerous_modules.keys());
            modules.filter_map(|module| module.split('.').next()).map(str::to_owned).collect()
        })
    }

    /// Trusts all names of a module and of those below it, except dangerous ones: pickles may call, make and change what
    /// they are, on arguments that are only kept.
    ///
    /// ```
    /// use picklevm_scan::{Policy, Scanner, Verdict};
    ///
    /// let mut policy = Policy::builtin().clone();
    /// policy.allow_module("shop");
    /// let scanner = Scanner::new().policy(policy);
    /// assert_eq!(scanner.scan(b"\x80\x02cshop.models\nOrder\n)\x81}b.").verdict, Verdict::Safe);
    /// assert_eq!(scanner.scan(b"\x80\x04\x8c\x04shop\x8c\x09os.system\x93.").verdict, Verdict::Dangerous);
    /// ```
    pub fn allow_module(&mut self, module: &str) {
        self.trusted_modules.insert(module.to_owned());
    }

    /// Trusts all names of a module and of those below it, except dangerous ones: as [`allow_module`], and what they are
    /// given may be anything that may be stored.
    ///
    /// [`allow_module`]: Policy::allow_module
    pub fn vouch_for_module(&mut self, module: &str) {
        self.vouched_modules.insert(module.to_owned());
    }

    /// Trusts all modules that [`is_own`](Policy::is_own) says may be the program's own, as
    /// [`allow_module`](Policy::allow_module) does.
    pub fn allow_own(&mut self) {
        self.trusts_own = true;
    }

    /// Why a name does harm, by itself, by its module, or by one that it is reached through.
    fn danger(&self, module: &str, name: &str) -> Option<&str> {
        let in_module = |module: &str, name: &str| {
            let first = name.split('.').next().unwrap_or_default();
            let by_name = get(&self.dangerous, module, name).or_else(|| get(&self.dangerous, module, first));
            by_name
                .or_else(|| prefixes(module).find_map(|module| self.dangerous_modules.get(module)))
                .map(String::as_str)
        };
        if let Some(why) = in_module(module, name) {
            return Some(why);
        }
        // `random._os.system`: a module reached as an attribute of another.
        let mut rest = name;
        while let Some((component, after)) = rest.split_once('.') {
            if let Some(why) = in_module(component.trim_start_matches('_'), after) {
                return Some(why);
            }
            rest = after;
        }
        let is_dunder = |part: &str| part.len() > 4 && part.starts_with("__") && part.ends_with("__");
        (name.contains('.') && name.split('.').any(is_dunder))
            .then_some("walks through attributes that lead to Python's internals")
    }

    /// Whether this very name is dangerous, not just everything in its module.
    pub(crate) fn is_forbidden(&self, module: &str, name: &str) -> bool {
        self.layers().any(|layer| get(&layer.dangerous, module, name).is_some())
    }

    /// Why a text is worth a word that spells the import of a name: it is dangerous by itself, or lies in a module whose
    /// name is no short word that texts are full of.
    pub(crate) fn danger_in_text(&self, module: &str, name: &str) -> Option<&str> {
        const SHORT: usize = 4;
        let by_module = || {
            let root = module.split('.').next().filter(|root| root.len() >= SHORT)?;
            self.dangerous_modules.get(module).or_else(|| self.dangerous_modules.get(root))
        };
        let here = get(&self.dangerous, module, name).or_else(by_module).map(String::as_str);
        here.or_else(|| self.base.as_ref()?.danger_in_text(module, name))
    }

    /// Allows a pickle to import a name and to use it like this. Replaces a danger of this name.
    pub fn allow(&mut self, module: &str, name: &str, uses: &[Use]) {
        self.insert(module, name, Allowed::to(uses));
    }

    /// Vouches for a name: a pickle may use it in any way, and give it anything that may be stored. A danger of the same name
    /// is forgotten.
    ///
    /// ```
    /// use picklevm_scan::{Policy, Scanner, Verdict};
    ///
    /// // shop.Order(shop.Customer()): an object is an argument.
    /// let pickle = b"\x80\x02cshop\nOrder\n(cshop\nCustomer\n)\x81tR.";
    /// let mut policy = Policy::builtin().clone();
    /// policy.vouch_for("shop", "Order");
    /// policy.vouch_for("shop", "Customer");
    /// assert_eq!(Scanner::new().policy(policy).scan(pickle).verdict, Verdict::Safe);
    /// ```
    pub fn vouch_for(&mut self, module: &str, name: &str) {
        self.insert(module, name, Allowed { vouched: true, ..Allowed::to(Use::ALL) });
    }

    /// Marks a name as dangerous, with the reason. Replaces an allowance of this name.
    pub fn forbid(&mut self, module: &str, name: &str, why: &str) {
        self.packages = OnceLock::new();
        remove(&mut self.allowed, module, name);
        self.dangerous.entry_ref(module).or_default().insert(name.to_owned(), why.to_owned());
    }

    /// Marks everything in a module and below it as dangerous, with the reason, except names that are allowed.
    pub fn forbid_module(&mut self, module: &str, why: &str) {
        self.packages = OnceLock::new();
        self.dangerous_modules.insert(module.to_owned(), why.to_owned());
    }

    /// Removes a name from the policy.
    pub fn forget(&mut self, module: &str, name: &str) {
        self.packages = OnceLock::new();
        remove(&mut self.allowed, module, name);
        remove(&mut self.dangerous, module, name);
    }

    /// Removes a module from the policy.
    pub fn forget_module(&mut self, module: &str) {
        self.packages = OnceLock::new();
        self.allowed.remove(module);
        self.dangerous.remove(module);
        self.dangerous_modules.remove(module);
    }

    fn insert(&mut self, module: &str, name: &str, allowed: impl Into<Arc<Allowed>>) {
        self.packages = OnceLock::new();
        remove(&mut self.dangerous, module, name);
        self.allowed.entry_ref(module).or_default().insert(name.to_owned(), allowed.into());
    }

    /// The names that are allowed one by one, in no order: module, name, and what may be done with it.
    ///
    /// ```
    /// let policy = picklevm_scan::Policy::of(&[]);
    /// assert!(policy.allowed_names().any(|(module, name, _)| (module, name) == ("builtins", "set")));
    /// ```
    pub fn allowed_names(&self) -> impl Iterator<Item = (&str, &str, &Allowed)> {
        let names = self.layers().flat_map(|layer| &layer.allowed);
        names.flat_map(|(module, names)| names.iter().map(move |(name, allowed)| (&**module, &**name, &**allowed)))
    }

    /// Returns the number of allowed names.
    pub fn allowed_count(&self) -> usize {
        self.allowed.values().map(HashMap::len).sum()
    }

    /// Returns the number of dangerous names and modules.
    pub fn dangerous_count(&self) -> usize {
        self.dangerous.values().map(HashMap::len).sum::<usize>() + self.dangerous_modules.len()
    }
}

/// Whether a name of a module is its own: a class of it, with what is nested in that, or a function. What begins with a
/// small letter and has attributes may be another module.
fn is_its_own(name: &str) -> bool {
    !name.contains('.') || name.starts_with(char::is_uppercase)
}

fn get<'p, T>(names: &'p Names<T>, module: &str, name: &str) -> Option<&'p T> {
    names.get(module)?.get(name)
}

fn remove<T>(names: &mut Names<T>, module: &str, name: &str) {
    if let Some(names) = names.get_mut(module) {
        names.remove(name);
    }
}

/// A dotted name, and the names of what it lies in, the longest first.
fn prefixes(module: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(module), |module| module.rsplit_once('.').map(|(parent, _)| parent))
}

/// The policy as TOML, which [`Policy::from_toml`] reads back.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_toml())
    }
}
