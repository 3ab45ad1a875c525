//! Where a command writes: standard output, or a file that appears when it is complete.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::input::is_standard;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 16;

/// A buffered output. Call [`finish`](Output::finish): a file that is not finished is taken back.
pub(crate) struct Output {
    name: String,
    sink: BufWriter<Sink>,
}

enum Sink {
    Stdout(StdoutLock<'static>),
    /// What is no regular file (a pipe, a device) is written as it is.
    Open(File),
    /// Beside its target, to be renamed.
    Beside(NamedTempFile, PathBuf),
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Output {
        Output::new("<stdout>".to_owned(), Sink::Stdout(io::stdout().lock()))
    }

    /// The file `path`; standard output where it is `-`.
    ///
    /// # Errors
    ///
    /// [`Failure::Data`] if no file can be made there.
    pub(crate) fn create(path: &Path) -> Result<Output, Failure> {
        if is_standard(path) {
            return Ok(Output::stdout());
        }
        let name = path.display().to_string();
        match Sink::create(path) {
            Ok(sink) => Ok(Output::new(name, sink)),
            Err(error) => Err(Failure::output(&name, error)),
        }
    }

    fn new(name: String, sink: Sink) -> Output {
        Output { name, sink: BufWriter::with_capacity(BUFFER, sink) }
    }

    /// What a failed write comes to.
    pub(crate) fn failure(&self, error: io::Error) -> Failure {
        Failure::output(&self.name, error)
    }

    /// Writes what is left, and gives a file its name.
    ///
    /// # Errors
    ///
    /// [`Failure::Data`] if that fails; [`Failure::ClosedPipe`] if nobody reads any more.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Output { name, sink } = self;
        let sink = sink.into_inner().map_err(|error| error.into_error());
        sink.and_then(Sink::finish).map_err(|error| Failure::output(&name, error))
    }
}

impl Sink {
    fn create(path: &Path) -> io::Result<Sink> {
        // A link stays one: what it points to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".picklevm-");
        match fs::metadata(&target) {
            Ok(there) if !there.is_file() => return Ok(Sink::Open(File::options().write(true).open(&target)?)),
            Ok(there) => builder.permissions(there.permissions()),
            Err(_) => builder.permissions(plain_permissions()),
        };
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(Sink::Beside(builder.tempfile_in(directory.unwrap_or(Path::new(".")))?, target))
    }

    fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        match self {
            Sink::Stdout(_) | Sink::Open(_) => Ok(()),
            Sink::Beside(file, target) => file.persist(target).map(drop).map_err(|error| error.error),
        }
    }
}

/// What a file gets that a program makes: what the user's mask leaves of it.
#[cfg(unix)]
fn plain_permissions() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Stdout(out) => out.write(bytes),
            Sink::Open(file) => file.write(bytes),
            Sink::Beside(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Stdout(out) => out.flush(),
            Sink::Open(file) => file.flush(),
            Sink::Beside(file, _) => file.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
