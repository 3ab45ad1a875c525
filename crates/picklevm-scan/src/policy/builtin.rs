//! The policy that comes with the library.

use std::sync::LazyLock;

use super::Policy;

/// The files it is made of, each with what it is about. Later ones win over earlier ones.
pub(super) const FILES: &[(&str, &str)] =
    &[DANGEROUS, STDLIB, PYTHON, NUMPY, PANDAS, SCIPY, SKLEARN, TORCH, OTHERS, LIBRARIES, CHECKED];

/// A file of the policy, and what it is about.
pub(super) type File = (&'static str, &'static str);
pub(super) const DANGEROUS: File = ("dangerous names", include_str!("../../policy/dangerous.toml"));
pub(super) const STDLIB: File =
    ("exceptions, enums and named tuples of the standard library", include_str!("../../policy/stdlib.toml"));
pub(super) const PYTHON: File = ("Python's builtins and standard library", include_str!("../../policy/python.toml"));
pub(super) const NUMPY: File = ("NumPy", include_str!("../../policy/numpy.toml"));
pub(super) const PANDAS: File = ("pandas", include_str!("../../policy/pandas.toml"));
pub(super) const SCIPY: File = ("SciPy", include_str!("../../policy/scipy.toml"));
pub(super) const SKLEARN: File = ("scikit-learn", include_str!("../../policy/sklearn.toml"));
pub(super) const TORCH: File = ("PyTorch", include_str!("../../policy/torch.toml"));
pub(super) const OTHERS: File = ("joblib, networkx and others", include_str!("../../policy/others.toml"));
pub(super) const LIBRARIES: File = ("other libraries", include_str!("../../policy/libraries.toml"));
pub(super) const CHECKED: File = ("names that code checks", include_str!("../../policy/checked.toml"));

impl Policy {
    /// The policy that comes with the library: Python's plain data types and those of NumPy, pandas, SciPy, scikit-learn,
    /// PyTorch, joblib and networkx are allowed; names that run code, load code, touch files or the network are dangerous.
    ///
    /// ```
    /// use picklevm_scan::{Decision, Policy};
    ///
    /// assert!(matches!(Policy::builtin().judge("os", "system"), Decision::Dangerous(_)));
    /// assert!(matches!(Policy::builtin().judge("collections", "OrderedDict"), Decision::Allowed(_)));
    /// ```
    pub fn builtin() -> &'static Policy {
        static BUILTIN: LazyLock<Policy> = LazyLock::new(|| {
            let mut policy = Policy::empty();
            // A table at a time: a whole file takes several times its length to read.
            for table in FILES.iter().flat_map(|(_, text)| tables(text)) {
                // A test reads them all; what cannot be read allows nothing.
                let _ = policy.extend_toml(table);
            }
            policy
        });
        &BUILTIN
    }
}

/// The tables of a policy file, each of which is a policy.
fn tables(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("\n[[").map(|(at, _)| at);
    let ends = starts.clone().skip(1).chain([text.len()]);
    starts.zip(ends).map(|(start, end)| &text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_policy_can_be_read() {
        for (about, text) in FILES {
            if let Err(error) = Policy::from_toml(text) {
                panic!("{about}: {error}");
            }
        }
    }

    #[test]
    fn tables_are_read_apart_as_together() {
        let mut together = Policy::empty();
        FILES.iter().for_each(|(_, text)| together.extend_toml(text).unwrap());
        assert_eq!(Policy::builtin().to_toml(), together.to_toml());
    }

    #[test]
    fn the_policy_reads_back_as_it_was_printed() {
        let printed = Policy::builtin().to_toml();
        let read = Policy::from_toml(&printed).unwrap();
        assert_eq!(read.to_toml(), printed);
        assert_eq!(read.allowed_count(), Policy::builtin().allowed_count());
    }
}
