//! A pager for what is longer than the terminal, as git has one.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether `--no-pager` was given.
static DISABLED: AtomicBool = AtomicBool::new(false);

/// Has everything printed without a pager.
pub(crate) fn disable() {
    DISABLED.store(true, Ordering::Relaxed);
}

/// A pager that runs. It is waited for when it is dropped.
pub(crate) struct Pager(Child);

impl Pager {
    /// Starts the pager, if standard output is a terminal and there is one: `$PICKLEVM_PAGER`, `$PAGER` or `less`, which ends
    /// at once if everything fits.
    pub(crate) fn start() -> Option<Pager> {
        if DISABLED.load(Ordering::Relaxed) || !io::stdout().is_terminal() {
            return None;
        }
        let given = ["PICKLEVM_PAGER", "PAGER"].into_iter().find_map(|name| env::var(name).ok());
        let line = given.unwrap_or_else(|| "less".to_owned());
        let mut words = line.split_whitespace();
        let program = words.next().filter(|program| *program != "cat")?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped());
        // What git sets: end if all fits, keep colours, do not clear the screen.
        if env::var_os("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        command.spawn().ok().map(Pager)
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0.stdin {
            Some(stdin) => stdin.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // The reader decides when it ends; its status says nothing about the pickle.
        let _ = self.0.wait();
    }
}
