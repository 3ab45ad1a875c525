//! What ends a command early, and the exit status it ends with.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// The exit status for data that are no pickle, or for output that cannot be written.
const BAD_DATA: u8 = 1;
/// The exit status for a command line that asks for what is not there; clap has the same.
const BAD_USAGE: u8 = 2;

/// Why a command ends before its end.
pub(crate) enum Failure {
    /// Something is wrong with the data, or with the output: status 1.
    Data(String),
    /// Something is wrong with what was asked for, such as a file that is not there: status 2.
    Usage(String),
    /// The command has said what there is to say, and ends with this status.
    Status(u8),
    /// Whoever read the output has seen enough: status 0.
    ClosedPipe,
}

impl Failure {
    /// Something is wrong with the data of the input `name`.
    pub(crate) fn data(name: &str, error: impl Display) -> Failure {
        Failure::Data(format!("{name}: {error}"))
    }

    /// The output `name` cannot be written.
    pub(crate) fn output(name: &str, error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Data(format!("{name}: cannot write: {error}")),
        }
    }

    /// Says what is wrong on standard error, and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        ExitCode::from(self.report_status())
    }

    fn report_status(self) -> u8 {
        let (message, status) = match self {
            Failure::Data(message) => (message, BAD_DATA),
            Failure::Usage(message) => (message, BAD_USAGE),
            Failure::Status(status) => return status,
            Failure::ClosedPipe => return 0,
        };
        let red = anstyle::AnsiColor::Red.on_default().bold();
        anstream::eprintln!("{red}picklevm:{red:#} {message}");
        status
    }
}

/// Runs a command on one input after the other: what is wrong with one is said, and the next has its turn.
///
/// # Errors
///
/// The worst status of all; at once if the output is closed.
pub(crate) fn each<T>(inputs: &[T], mut run: impl FnMut(&T) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut worst = 0;
    for input in inputs {
        match run(input) {
            Ok(()) => {}
            Err(Failure::ClosedPipe) => return Err(Failure::ClosedPipe),
            Err(failure) => worst = worst.max(failure.report_status()),
        }
    }
    if worst == 0 { Ok(()) } else { Err(Failure::Status(worst)) }
}
