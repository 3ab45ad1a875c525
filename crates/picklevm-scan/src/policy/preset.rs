//! Presets: the parts of the policy that a program allows by the name of a library.

use std::fmt;
use std::sync::OnceLock;

use super::builtin::{
    CHECKED, DANGEROUS, File, LIBRARIES, NUMPY, OTHERS, PANDAS, PYTHON, SCIPY, SKLEARN, STDLIB, TORCH,
};
use super::{Policy, prefixes};

macro_rules! presets {
    ($( $(#[$doc:meta])* $variant:ident $name:literal; )*) => {
        /// A part of the built-in policy, for programs that allow only what they need.
        ///
        /// ```
        /// use picklevm_scan::{Decision, Policy, Preset};
        ///
        /// let policy = Policy::of(&[Preset::Numpy]);
        /// assert!(matches!(policy.judge("numpy", "dtype"), Decision::Allowed(_)));
        /// assert_eq!(policy.judge("pandas", "DataFrame"), Decision::Unknown);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Preset {
            $( $(#[$doc])* $variant, )*
        }

        impl Preset {
            /// All of them; the first that allows a name allows the least beside it.
            pub const ALL: &'static [Preset] = &[$( Preset::$variant ),*];

            /// What it is called.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Preset::$variant => $name, )*
                }
            }
        }
    };
}

presets! {
    /// Python's own plain types: texts, bytes, numbers, containers. What picklers write for them and for instances below
    /// protocol 2 is in it too.
    Plain "plain";
    /// Python's builtins and the data types of its standard library.
    Stdlib "stdlib";
    /// NumPy, and the standard library.
    Numpy "numpy";
    /// pandas with pyarrow, dateutil and pytz, and NumPy.
    Pandas "pandas";
    /// PyTorch, and NumPy.
    Torch "torch";
    /// scikit-learn with SciPy and joblib, and pandas.
    ScikitLearn "scikit-learn";
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Names of builtins that make plain data of plain data.
const PLAIN: &str = "Ellipsis NotImplemented bool bytearray bytes complex dict float frozendict \
                     frozenset int list object range set slice str tuple";

/// What picklers write around instances and bytes.
const HELPERS: &[(&str, &str)] =
    &[("_codecs", "encode"), ("copyreg", "__newobj__"), ("copyreg", "__newobj_ex__"), ("copyreg", "_reconstructor")];

fn is_plain(module: &str, name: &str) -> bool {
    module == "builtins" && PLAIN.split(' ').any(|plain| plain == name) || HELPERS.contains(&(module, name))
}

impl Preset {
    /// The preset of a name.
    ///
    /// ```
    /// assert_eq!(picklevm_scan::Preset::from_name("torch"), Some(picklevm_scan::Preset::Torch));
    /// ```
    pub fn from_name(name: &str) -> Option<Preset> {
        Preset::ALL.iter().copied().find(|preset| preset.name() == name)
    }

    /// The smallest preset that allows a name.
    ///
    /// ```
    /// assert_eq!(picklevm_scan::Preset::with("datetime", "date"), Some(picklevm_scan::Preset::Stdlib));
    /// ```
    pub fn with(module: &str, name: &str) -> Option<Preset> {
        if !matches!(Policy::builtin().judge(module, name), super::Decision::Allowed(_)) {
            return None;
        }
        Preset::ALL.iter().copied().find(|preset| {
            matches!(Policy::of(std::slice::from_ref(preset)).judge(module, name), super::Decision::Allowed(_))
        })
    }

    /// The preset that it adds to.
    const fn base(self) -> Option<Preset> {
        match self {
            Preset::Plain | Preset::Stdlib => None,
            Preset::Numpy => Some(Preset::Stdlib),
            Preset::Pandas | Preset::Torch => Some(Preset::Numpy),
            Preset::ScikitLearn => Some(Preset::Pandas),
        }
    }

    /// The files that it takes whole.
    const fn files(self) -> &'static [File] {
        match self {
            Preset::Plain => &[],
            Preset::Stdlib => &[STDLIB, PYTHON],
            Preset::Numpy => &[NUMPY],
            Preset::Pandas => &[PANDAS],
            Preset::Torch => &[TORCH],
            Preset::ScikitLearn => &[SCIPY, SKLEARN],
        }
    }

    /// The packages of which it takes what files have that are about several libraries.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Preset::Plain | Preset::Stdlib => &[],
            Preset::Numpy => &["numpy"],
            Preset::Pandas => &["dateutil", "pandas", "pyarrow", "pytz"],
            Preset::Torch => &["torch"],
            Preset::ScikitLearn => &["joblib", "scipy", "sklearn"],
        }
    }
}

impl Policy {
    /// A policy that allows what these presets do, and knows what the built-in policy calls dangerous. Plain data are allowed
    /// without any.
    pub fn of(presets: &[Preset]) -> Policy {
        let mut all: Vec<Preset> =
            presets.iter().flat_map(|preset| std::iter::successors(Some(*preset), |it| it.base())).collect();
        all.sort_unstable();
        all.dedup();
        let packages: Vec<&str> = all.iter().flat_map(|preset| preset.packages().iter().copied()).collect();
        let mut policy = Policy::empty();
        // A test reads all files.
        let read = |text: &str| Policy::from_toml(text).unwrap_or_default();
        policy.add(read(DANGEROUS.1), |_, _| true);
        if !all.contains(&Preset::Stdlib) {
            policy.add(read(PYTHON.1), is_plain);
        }
        for (_, text) in all.iter().flat_map(|preset| preset.files()) {
            policy.add(read(text), |_, _| true);
        }
        if !packages.is_empty() {
            let is_of = |module: &str, _: &str| prefixes(module).any(|module| packages.contains(&module));
            for (_, text) in [OTHERS, LIBRARIES, CHECKED] {
                policy.add(read(text), is_of);
            }
        }
        policy
    }

    /// Adds what another policy knows of names that are wanted, and all that it calls dangerous.
    fn add(&mut self, other: Policy, is_wanted: impl Fn(&str, &str) -> bool) {
        self.packages = OnceLock::new();
        for (module, names) in other.allowed {
            for (name, allowed) in names {
                if is_wanted(&module, &name) {
                    self.insert(&module, &name, allowed);
                }
            }
        }
        for (module, names) in other.dangerous {
            self.dangerous.entry(module).or_default().extend(names);
        }
        self.dangerous_modules.extend(other.dangerous_modules);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Decision;

    #[test]
    fn a_preset_allows_a_part_of_the_built_in_policy() {
        let mut last = 0;
        for preset in Preset::ALL {
            let policy = Policy::of(&[*preset]);
            for (module, names) in &policy.allowed {
                for name in names.keys() {
                    assert_eq!(policy.judge(module, name), Policy::builtin().judge(module, name), "{module}.{name}");
                }
            }
            assert!(policy.allowed_count() > last || *preset == Preset::Torch, "{preset}");
            last = policy.allowed_count();
        }
    }

    #[test]
    fn plain_data_are_allowed_without_a_preset() {
        let (none, plain) = (Policy::of(&[]), Policy::of(&[Preset::Plain]));
        assert_eq!(none.allowed_count(), PLAIN.split(' ').count() + HELPERS.len());
        assert_eq!(none.to_toml(), plain.to_toml());
    }

    #[test]
    fn what_a_preset_does_not_allow_is_unknown_or_dangerous() {
        let policy = Policy::of(&[Preset::Torch]);
        assert!(matches!(policy.judge("torch._utils", "_rebuild_tensor_v2"), Decision::Allowed(_)));
        assert_eq!(policy.judge("sklearn.svm", "SVC"), Decision::Unknown);
        assert!(matches!(policy.judge("os", "system"), Decision::Dangerous(_)));
    }

    #[test]
    fn the_smallest_preset_of_a_name_is_found() {
        assert_eq!(Preset::with("builtins", "set"), Some(Preset::Plain));
        assert_eq!(Preset::with("numpy", "ndarray"), Some(Preset::Numpy));
        assert_eq!(Preset::with("os", "system"), None);
    }
}
