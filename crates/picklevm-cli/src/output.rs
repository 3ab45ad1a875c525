//! The output of a command: standard output, or a file that appears when it is complete.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, IsTerminal, Seek, SeekFrom, Stdout, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, io_error};
use crate::input::{is_standard, shown};
use crate::pager::Pager;
use crate::progress;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 16;

/// The output of a command that writes pickles.
#[derive(clap::Args, Clone)]
pub(crate) struct Destination {
    /// Write to this file; `-` is standard output, even if it is a terminal [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Suffix of the name under which the replaced file is kept.
    #[arg(skip)]
    backup: Option<String>,
}

impl Destination {
    /// The file itself that was read, which is kept under another name if `backup` is a suffix.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if that is standard input.
    pub(crate) fn replacing(path: PathBuf, backup: Option<&str>) -> Result<Destination, Failure> {
        if is_standard(&path) {
            return Err(Failure::Usage("expected a FILE to replace, found standard input".to_owned()));
        }
        Ok(Destination { output: Some(path), backup: backup.map(str::to_owned) })
    }

    /// Refuses to write a pickle to a terminal, unless that was asked for.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`].
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.output.is_none() && io::stdout().is_terminal() {
            let message = "expected a file or a pipe to write a pickle to, found a terminal; \
                           use -o FILE, or -o - to write to the terminal";
            return Err(Failure::Usage(message.to_owned()));
        }
        Ok(())
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// [`Failure::Data`] if no file can be made there.
    pub(crate) fn create(&self) -> Result<Output, Failure> {
        let mut output = self.output.as_deref().map_or_else(|| Ok(Output::stdout()), Output::create)?;
        output.backup = self.backup.clone();
        Ok(output)
    }
}

/// A buffered output. Call [`finish`](Output::finish): a file that is not finished is taken back.
pub(crate) struct Output {
    name: String,
    /// Suffix of the name under which a replaced file is kept.
    backup: Option<String>,
    sink: BufWriter<Sink>,
}

enum Sink {
    Stdout(Stdout),
    /// A pager, which shows it on the terminal.
    Pager(Pager),
    /// A pipe or device, which is written directly.
    Open(File),
    /// In the folder of the target, to be renamed.
    Beside(NamedTempFile, PathBuf),
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Output {
        Output::new("<stdout>".to_owned(), Sink::Stdout(io::stdout()))
    }

    /// Standard output, through a pager where it is a terminal.
    pub(crate) fn paged() -> Output {
        match Pager::start() {
            Some(pager) => Output::new("<stdout>".to_owned(), Sink::Pager(pager)),
            None => Output::stdout(),
        }
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
        let name = shown(path);
        match Sink::create(path) {
            Ok(sink) => Ok(Output::new(name, sink)),
            Err(error) => Err(cannot_create(path, &error)),
        }
    }

    fn new(name: String, sink: Sink) -> Output {
        Output { name, backup: None, sink: BufWriter::with_capacity(BUFFER, sink) }
    }

    /// Whether it is a file of its own, of which nothing is left if it is dropped before it is finished.
    pub(crate) fn is_undone_by_drop(&self) -> bool {
        matches!(self.sink.get_ref(), Sink::Beside(..))
    }

    /// Returns the failure for a failed write.
    pub(crate) fn failure(&self, error: io::Error) -> Failure {
        Failure::output(&self.name, &error)
    }

    /// Returns the failure for a failed write of ops or of a pickle, if the output failed.
    pub(crate) fn failure_in(&self, error: &(dyn std::error::Error + 'static)) -> Option<Failure> {
        io_error(error).map(|error| Failure::output(&self.name, error))
    }

    /// Flushes the output, and renames a file to its target.
    ///
    /// # Errors
    ///
    /// [`Failure::Data`] if that fails; [`Failure::ClosedPipe`] if the reader has closed the pipe.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Output { name, sink, backup } = self;
        let sink = sink.into_inner().map_err(|error| error.into_error());
        sink.and_then(|sink| sink.finish(backup.as_deref())).map_err(|error| Failure::output(&name, &error))
    }
}

/// Why a file cannot be made, without the name of the temporary one.
fn cannot_create(path: &Path, error: &io::Error) -> Failure {
    let name = shown(path);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (shown, kind) = (shown(directory), error.kind());
    match kind {
        io::ErrorKind::NotFound if !directory.exists() => {
            Failure::Data(format!("{name}: cannot write: the directory {shown} does not exist"))
        }
        io::ErrorKind::NotADirectory => Failure::Data(format!("{name}: cannot write: {shown} is not a directory")),
        io::ErrorKind::PermissionDenied => {
            Failure::Data(format!("{name}: cannot write: no permission to create files in {shown}"))
        }
        _ => Failure::output(&name, &kind.into()),
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

    fn finish(mut self, backup: Option<&str>) -> io::Result<()> {
        self.flush()?;
        match self {
            Sink::Stdout(_) | Sink::Open(_) | Sink::Pager(_) => Ok(()),
            Sink::Beside(file, target) => {
                if let Some(suffix) = backup {
                    file.as_file().sync_all()?;
                    keep(&target, suffix)?;
                }
                file.persist(target).map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// Keeps a file under its name with a suffix, by a copy that appears when it is complete.
fn keep(path: &Path, suffix: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut copy = tempfile::Builder::new().prefix(".picklevm-").tempfile_in(directory)?;
    io::copy(&mut File::open(path)?, &mut copy)?;
    copy.as_file().set_permissions(fs::metadata(path)?.permissions())?;
    copy.persist(PathBuf::from(name)).map(drop).map_err(|error| error.error)
}

/// Permissions of a new file: those that the user's mask allows.
#[cfg(unix)]
fn plain_permissions() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = match self {
            Sink::Stdout(out) => {
                if out.is_terminal() {
                    progress::end();
                }
                return out.write(bytes);
            }
            Sink::Pager(pager) => {
                progress::end();
                return pager.write(bytes);
            }
            Sink::Open(file) => file,
            Sink::Beside(file, _) => file.as_file_mut(),
        };
        let written = file.write(bytes)?;
        progress::wrote(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Stdout(out) => out.flush(),
            Sink::Pager(pager) => pager.flush(),
            Sink::Open(file) => file.flush(),
            Sink::Beside(file, _) => file.flush(),
        }
    }
}

/// Standard output cannot go back.
impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Sink::Stdout(_) | Sink::Pager(_) => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "standard output cannot be written out of order"))
            }
            Sink::Open(file) => file.seek(to),
            Sink::Beside(file, _) => file.seek(to),
        }
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.sink.seek(to)
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
