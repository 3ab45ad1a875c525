//! New names for the modules, classes and functions of pickles.

use std::{error, fmt};

/// Rules that give modules, classes and functions other names: `OLD=NEW`.
///
/// OLD is a module with all modules below it (`fruit`), or a class or function with all that is nested in it
/// (`fruit.Outer`, `fruit.Outer.Inner`). Where it is not clear which dot begins the name in NEW, a colon says so
/// (`veg:Outer.Inner`); without one it is the dot behind the old module, or else the last. A colon in OLD takes that
/// name of that module alone. The rule with the longest OLD decides, of several with the same OLD the last one. New names
/// are not renamed again, so that two names can be exchanged.
///
/// ```
/// use picklevm_ops::Renames;
///
/// let renames = Renames::parse("fruit=veg\nfruit.Outer=boxes.Box  # a comment")?;
/// assert_eq!(renames.rename("fruit.citrus", "Lemon")?, Some(("veg.citrus".into(), "Lemon".into())));
/// assert_eq!(renames.rename("fruit", "Outer.Inner")?, Some(("boxes".into(), "Box.Inner".into())));
/// assert_eq!(renames.rename("fruits", "Pear")?, None);
/// # Ok::<(), picklevm_ops::RenameError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    /// Those with the longest old name first; of the same old name only one.
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    old: Path,
    new: Path,
}

/// A dotted path, and where its name begins if a colon says so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Path {
    dotted: String,
    module_len: Option<usize>,
}

/// A rule that cannot be understood, or that does not fit a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameError(String);

/// The ready-made sets.
const SETS: &[(&str, &str)] = &[
    ("numpy1", include_str!("numpy1.txt")),
    ("posix-paths", include_str!("posix-paths.txt")),
    ("sklearn-joblib", include_str!("sklearn-joblib.txt")),
    ("windows-paths", include_str!("windows-paths.txt")),
];

impl Renames {
    /// Creates an empty set of rules.
    pub fn new() -> Self {
        Renames::default()
    }

    /// Reads rules, one `OLD=NEW` a line. What follows a `#` is a comment.
    ///
    /// # Errors
    ///
    /// If a line is no rule.
    pub fn parse(lines: &str) -> Result<Self, RenameError> {
        let mut renames = Renames::new();
        for line in lines.lines() {
            let rule = line.split_once('#').map_or(line, |(rule, _)| rule).trim();
            if rule.is_empty() {
                continue;
            }
            let expected = || RenameError(format!("expected OLD=NEW, found {rule:?}"));
            let (old, new) = rule.split_once('=').ok_or_else(expected)?;
            renames.add(old.trim(), new.trim())?;
        }
        Ok(renames)
    }

    /// Returns a ready-made set of rules, if there is one of this name ([`Renames::set_names`]).
    ///
    /// ```
    /// let numpy1 = picklevm_ops::Renames::set("numpy1").unwrap();
    /// let renamed = numpy1.rename("numpy._core.multiarray", "scalar")?;
    /// assert_eq!(renamed, Some(("numpy.core.multiarray".into(), "scalar".into())));
    /// # Ok::<(), picklevm_ops::RenameError>(())
    /// ```
    pub fn set(name: &str) -> Option<Self> {
        let (_, lines) = SETS.iter().find(|set| set.0 == name)?;
        Renames::parse(lines).ok()
    }

    /// Returns the names of the ready-made sets.
    pub fn set_names() -> impl Iterator<Item = &'static str> {
        SETS.iter().map(|set| set.0)
    }

    /// Adds a rule.
    ///
    /// # Errors
    ///
    /// If one of the names is no dotted path.
    pub fn add(&mut self, old: &str, new: &str) -> Result<(), RenameError> {
        let rule = Rule { old: Path::parse(old)?, new: Path::parse(new)? };
        self.rules.retain(|known| known.old != rule.old);
        let at = self.rules.partition_point(|known| known.old.dotted.len() > rule.old.dotted.len());
        self.rules.insert(at, rule);
        Ok(())
    }

    /// Adds all rules of another set; where both have a rule for a name, its rule counts.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn extend(&mut self, other: &Renames) -> Result<(), RenameError> {
        for Rule { old, new } in other.rules.iter().rev() {
            self.add(&old.to_string(), &new.to_string())?;
        }
        Ok(())
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the new module and name of a global, or `None` if no rule is about it.
    ///
    /// # Errors
    ///
    /// If the rule for it names a module where it needs the name of a class or function.
    pub fn rename(&self, module: &str, name: &str) -> Result<Option<(String, String)>, RenameError> {
        self.rules.iter().find_map(|rule| rule.apply(module, name)).transpose()
    }

    /// Whether a text may be the module or the name of a global that a rule is about.
    pub(crate) fn concerns(&self, text: &str) -> bool {
        self.rules.iter().any(|rule| {
            let old = &rule.old.dotted;
            let is_module = below(text, old).is_some() || below(old, text).is_some();
            is_module || old.match_indices('.').any(|(dot, _)| below(text, &old[dot + 1..]).is_some())
        })
    }
}

/// Returns what follows if `path` is `root` or below it: nothing, or a dot and more.
fn below<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    path.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Rule {
    fn apply(&self, module: &str, name: &str) -> Option<Result<(String, String), RenameError>> {
        let Rule { old, new } = self;
        if old.module_len.is_none()
            && let Some(rest) = below(module, &old.dotted)
        {
            return Some(Ok(match new.module_len {
                None => (format!("{}{rest}", new.dotted), name.to_owned()),
                // A module that became a class: what was in it is nested in the class.
                Some(len) => (new.dotted[..len].to_owned(), format!("{}{rest}.{name}", &new.dotted[len + 1..])),
            }));
        }
        let matched = old.dotted.strip_prefix(module)?.strip_prefix('.')?;
        if old.module_len.is_some_and(|len| len != module.len()) {
            return None;
        }
        let rest = below(name, matched)?;
        let Some((module, name)) = new.split(module) else {
            let found = format!("{new} for {module}.{name}, which is a name of a module; write NEW as module.Name");
            return Some(Err(RenameError(found)));
        };
        Some(Ok((module.to_owned(), format!("{name}{rest}"))))
    }
}

impl Path {
    fn parse(text: &str) -> Result<Path, RenameError> {
        let (module, name) = text.split_once(':').map_or((text, None), |(module, name)| (module, Some(name)));
        let is_path = |path: &str| {
            let is_part = |part: &str| !part.is_empty() && !part.contains([':', '=', '\n', '\r', ' ']);
            path.split('.').all(is_part)
        };
        if !is_path(module) || !name.is_none_or(is_path) {
            return Err(RenameError(format!("expected a name such as module.Name, found {text:?}")));
        }
        Ok(Path { dotted: text.replacen(':', ".", 1), module_len: name.map(|_| module.len()) })
    }

    /// Splits it into module and name, where it stands for a name of the module `old`.
    fn split(&self, old: &str) -> Option<(&str, &str)> {
        if let Some(len) = self.module_len {
            return Some((&self.dotted[..len], &self.dotted[len + 1..]));
        }
        match self.dotted.strip_prefix(old).and_then(|rest| rest.strip_prefix('.')) {
            Some(name) => Some((&self.dotted[..old.len()], name)),
            None => self.dotted.rsplit_once('.'),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.module_len {
            Some(len) => write!(f, "{}:{}", &self.dotted[..len], &self.dotted[len + 1..]),
            None => f.write_str(&self.dotted),
        }
    }
}

impl fmt::Display for RenameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for RenameError {}

#[cfg(test)]
mod tests {
    use super::Renames;

    fn rename(rules: &str, module: &str, name: &str) -> Option<(String, String)> {
        Renames::parse(rules).unwrap().rename(module, name).unwrap()
    }

    fn to(module: &str, name: &str) -> Option<(String, String)> {
        Some((module.to_owned(), name.to_owned()))
    }

    #[test]
    fn a_module_is_renamed_with_all_below_it() {
        assert_eq!(rename("a.b=c", "a.b", "X"), to("c", "X"));
        assert_eq!(rename("a.b=c.d", "a.b.e", "X.Y"), to("c.d.e", "X.Y"));
        assert_eq!(rename("a.b=c", "a.bc", "X"), None);
        assert_eq!(rename("a.b=c", "a", "bc"), None);
    }

    #[test]
    fn a_class_is_renamed_with_what_is_nested_in_it() {
        assert_eq!(rename("a.X=b.Y", "a", "X"), to("b", "Y"));
        assert_eq!(rename("a.X=b.Y", "a", "X.Z"), to("b", "Y.Z"));
        assert_eq!(rename("a.X=b.Y", "a", "XX"), None);
        assert_eq!(rename("a.X.Z=b.Z", "a", "X.Z"), to("b", "Z"));
    }

    #[test]
    fn a_name_that_stays_in_its_module_keeps_it() {
        assert_eq!(rename("a.b.X.Y=a.b.X.Z", "a.b", "X.Y"), to("a.b", "X.Z"));
    }

    #[test]
    fn a_colon_says_where_the_name_begins() {
        assert_eq!(rename("a.X=b:Y.Z", "a", "X"), to("b", "Y.Z"));
        assert_eq!(rename("a:X=b.Y", "a", "X"), to("b", "Y"));
        assert_eq!(rename("a:X=b.Y", "a.X", "Z"), None);
        assert_eq!(rename("a=b:C", "a", "X"), to("b", "C.X"));
    }

    #[test]
    fn the_longest_old_name_decides_and_of_equal_ones_the_last() {
        let rules = "a=b\na.X=c.X\na=d";
        assert_eq!(rename(rules, "a", "X"), to("c", "X"));
        assert_eq!(rename(rules, "a", "Y"), to("d", "Y"));
    }

    #[test]
    fn names_can_be_exchanged() {
        assert_eq!(rename("a=b\nb=a", "a", "X"), to("b", "X"));
        assert_eq!(rename("a=b\nb=a", "b", "X"), to("a", "X"));
    }

    #[test]
    fn a_class_cannot_become_a_module() {
        let error = Renames::parse("a.X=b").unwrap().rename("a", "X").unwrap_err();
        assert!(error.to_string().contains("write NEW as module.Name"), "{error}");
    }

    #[test]
    fn what_is_no_rule_is_an_error() {
        for rule in ["a", "=b", "a=", "a..b=c", "a=b=c", "a:b:c=d", "a b=c"] {
            assert!(Renames::parse(rule).is_err(), "{rule}");
        }
    }

    #[test]
    fn every_set_can_be_read() {
        for name in Renames::set_names() {
            assert!(Renames::set(name).is_some_and(|set| !set.is_empty()), "{name}");
        }
    }

    #[test]
    fn texts_that_may_be_a_part_of_an_old_name_are_concerned() {
        let renames = Renames::parse("a.b.X=c.X").unwrap();
        for text in ["a", "a.b", "a.b.X", "X", "X.Y", "b.X", "a.b.X.c"] {
            assert!(renames.concerns(text), "{text}");
        }
        for text in ["", "b", "c", "XY", "a.c"] {
            assert!(!renames.concerns(text), "{text}");
        }
    }
}
