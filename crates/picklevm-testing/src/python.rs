//! Finds and runs installed Pythons.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::root;

/// Versions of CPython with different picklers. Versions in between write the same as the older one.
const VERSIONS: [&str; 5] = ["2.7", "3.6", "3.8", "3.13", "3.14"];

/// Returns the reference Python. If there is none, prints a message to standard error, where the harness does not
/// capture it.
pub fn reference(test: &str) -> Option<PathBuf> {
    let named = env::var_os("PICKLEVM_PYTHON").map(PathBuf::from);
    let python = named.or_else(|| find("3.13"));
    if python.is_none() {
        let message = format!("SKIPPED {test}: python3.13 was not found and PICKLEVM_PYTHON is not set\n");
        // The test harness captures the output of `eprintln!`.
        let _ = std::io::stderr().write_all(message.as_bytes());
    }
    python
}

/// Returns all Pythons, or the reference. If there is none, prints a message to standard error.
pub fn every(test: &str) -> Vec<PathBuf> {
    let mut pythons = all();
    let reference = reference(test);
    if pythons.is_empty() {
        pythons.extend(reference);
    }
    pythons
}

/// Returns all installed Pythons of `VERSIONS`.
pub fn all() -> Vec<PathBuf> {
    of(&VERSIONS)
}

/// Returns the installed Pythons among `versions`.
pub fn of(versions: &[&str]) -> Vec<PathBuf> {
    versions.iter().filter_map(|version| find(version)).collect()
}

/// Finds `pythonX.Y` in the path or in pyenv.
fn find(version: &str) -> Option<PathBuf> {
    let in_path = PathBuf::from(format!("python{version}"));
    let runs = |python: &Path| Command::new(python).args(["-c", ""]).output().is_ok_and(|run| run.status.success());
    if runs(&in_path) {
        return Some(in_path);
    }
    let prefix = Command::new("pyenv").args(["prefix", version]).output().ok().filter(|run| run.status.success())?;
    let in_pyenv = Path::new(std::str::from_utf8(&prefix.stdout).ok()?.trim()).join("bin").join(in_path);
    runs(&in_pyenv).then_some(in_pyenv)
}

/// Runs a script of tests/python.
///
/// # Panics
///
/// If the script fails.
pub fn run(python: &Path, script: &str, args: &[&OsStr]) -> Output {
    let script = root().join("tests/python").join(script);
    let output = Command::new(python).arg("-B").arg(script).args(args).output().expect("it runs");
    assert!(output.status.success(), "{}: {}", python.display(), String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs a script of tests/python with standard input and returns its standard output.
///
/// # Panics
///
/// If the script fails.
pub fn run_reading(python: &Path, script: &str, args: &[&OsStr], input: &str) -> String {
    let script = root().join("tests/python").join(script);
    let mut command = Command::new(python);
    command.arg("-B").arg(script).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", python.display());
    String::from_utf8(output.stdout).expect("text")
}
