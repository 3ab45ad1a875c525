//! `picklevm FILE` is `picklevm show FILE`, and so is a pipe into `picklevm`.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal};
use std::path::Path;

/// Adds `show` where the command is left out: before the name of a file, or where something comes in on standard input.
pub(crate) fn complete(mut args: Vec<OsString>, command: &clap::Command) -> Vec<OsString> {
    if is_left_out(args.get(1..).unwrap_or_default(), command) {
        args.insert(1, "show".into());
    }
    args
}

fn is_left_out(args: &[OsString], command: &clap::Command) -> bool {
    let mut args = args.iter();
    let mut are_any = false;
    while let Some(arg) = args.next() {
        are_any = true;
        match arg.to_str() {
            Some("-") => return true,
            Some("--color") => drop(args.next()),
            Some("--help" | "-h" | "--version" | "-V" | "help") => return false,
            Some(option) if option.starts_with('-') => {}
            Some(name) if command.find_subcommand(name).is_some() => return false,
            // No command has such a name, and `show` says what is wrong with the file.
            Some(name) if name.contains(['.', '/', '\\']) => return true,
            _ => return Path::new(arg).is_file(),
        }
    }
    !are_any && !io::stdin().is_terminal() && io::stdin().lock().fill_buf().is_ok_and(|bytes| !bytes.is_empty())
}
