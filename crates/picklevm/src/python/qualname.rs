//! Parsing of global names as callers write them.

/// Splits `module.name` at the last dot, or `module:Outer.Inner` at the colon.
///
/// Without either, the whole entry is a name of the module `builtins`.
pub(crate) fn split(entry: &str) -> (&str, &str) {
    entry.split_once(':').or_else(|| entry.rsplit_once('.')).unwrap_or(("builtins", entry))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_name_is_split_at_its_last_dot_or_its_colon() {
        assert_eq!(split("decimal.Decimal"), ("decimal", "Decimal"));
        assert_eq!(split("os.path.join"), ("os.path", "join"));
        assert_eq!(split("shapes.two:Point.Builder"), ("shapes.two", "Point.Builder"));
        assert_eq!(split("set"), ("builtins", "set"));
    }
}
