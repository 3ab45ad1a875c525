//! Parsing of global names as callers write them.

/// Splits `module:Outer.Inner` at the colon, or `module.name` at the last dot. `None` if there is neither.
pub(crate) fn split(entry: &str) -> Option<(&str, &str)> {
    entry.split_once(':').or_else(|| entry.rsplit_once('.'))
}

/// Splits a name as [`split`] does. A name without a module is one of the module `builtins`.
pub(crate) fn split_or_builtin(entry: &str) -> (&str, &str) {
    split(entry).unwrap_or(("builtins", entry))
}

#[cfg(test)]
mod tests {
    use super::{split, split_or_builtin};

    #[test]
    fn a_name_is_split_at_its_last_dot_or_its_colon() {
        assert_eq!(split("decimal.Decimal"), Some(("decimal", "Decimal")));
        assert_eq!(split("os.path.join"), Some(("os.path", "join")));
        assert_eq!(split("shapes.two:Point.Builder"), Some(("shapes.two", "Point.Builder")));
    }

    #[test]
    fn a_name_without_a_module_is_none_or_a_builtin() {
        assert_eq!(split("set"), None);
        assert_eq!(split_or_builtin("set"), ("builtins", "set"));
    }
}
