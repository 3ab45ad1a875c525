//! Golden files: expected output that is committed.

use std::fs;
use std::path::Path;

/// Compares text with a golden file, or writes the file if `UPDATE_GOLDEN` is set.
///
/// # Panics
///
/// If the two differ: the message names the first line that does.
pub fn assert_golden(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, actual).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if let Some((n, (got, want))) =
        actual.lines().zip(expected.lines()).enumerate().find(|(_, (got, want))| got != want)
    {
        panic!("{}:{}: got {got:?}, expected {want:?}", path.display(), n + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "{}", path.display());
}
