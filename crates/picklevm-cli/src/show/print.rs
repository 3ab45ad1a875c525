//! The pass that writes.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use picklevm::{Kind, Value};

use super::Bounds;
use super::count::Labels;
use super::measure::Measure;
use super::notation::{Group, Notation, Step};
use super::walk::{self, ArgumentsMeeting, Meeting, Pass, Piece, Task};

/// Columns of a line that is not broken.
const WIDTH: usize = 100;
/// Columns a level of nesting.
const INDENT: usize = 4;
/// The deepest indentation: from here on lines are not indented further, so that deep nesting does not make mostly
/// blanks.
const BLANKS: &str = match str::from_utf8(&[b' '; 80]) {
    Ok(blanks) => blanks,
    Err(_) => "",
};

/// Writes to `out`, and knows in which column.
pub(super) struct Print<'g, 'p, N, W> {
    notation: &'p N,
    bounds: Bounds,
    labels: Labels,
    color: bool,
    out: Columns<W>,
    /// The work list of measuring, kept for its memory.
    scratch: Vec<Task<'g>>,
}

impl<'p, N, W> Print<'_, 'p, N, W> {
    pub(super) fn new(notation: &'p N, bounds: Bounds, labels: Labels, color: bool, out: W) -> Self {
        let out = Columns { out, column: 0, error: None };
        Print { notation, bounds, labels, color, out, scratch: Vec::new() }
    }
}

impl<N: Notation, W: Write> Print<'_, '_, N, W> {
    /// Writes in a style.
    fn styled(&mut self, style: Style, write: impl FnOnce(&N, &mut Columns<W>) -> fmt::Result) -> io::Result<()> {
        if self.color {
            self.out.escape(style.render())?;
        }
        if write(self.notation, &mut self.out).is_err() {
            return Err(self.out.error.take().unwrap_or(io::ErrorKind::Other.into()));
        }
        if self.color { self.out.escape(style.render_reset()) } else { Ok(()) }
    }
}

impl<'g, N: Notation, W: Write> Pass<'g> for Print<'g, '_, N, W> {
    type Notation = N;

    fn notation(&self) -> &N {
        self.notation
    }

    fn meet(&mut self, value: Value<'g>) -> Meeting {
        self.labels.meet(value)
    }

    fn meet_arguments(&mut self, tuple: Value<'g>) -> ArgumentsMeeting {
        self.labels.look_at_arguments(tuple)
    }

    fn atom(&mut self, value: Value<'g>) -> io::Result<()> {
        self.styled(style(value), |notation, out| notation.atom(value, out))
    }

    fn piece(&mut self, piece: Piece<'_>) -> io::Result<()> {
        match piece {
            Piece::Text("") => Ok(()),
            Piece::Text(text) => self.styled(Style::new(), |_, out| out.write_str(text)),
            Piece::Written(value, write) => self.styled(AnsiColor::Magenta.on_default(), |_, out| write(value, out)),
            Piece::Key(text) => self.styled(Style::new(), |notation, out| notation.key(text, out)),
            Piece::Label(label) => self.styled(AnsiColor::Yellow.on_default().bold(), |_, out| out.write_str(label)),
            Piece::More(count, [before, after]) => {
                self.styled(Style::new().dimmed(), |_, out| write!(out, "{before}{count}{after}"))
            }
        }
    }

    fn breaks(&mut self, group: Group<'g>, depth: usize) -> bool {
        let room = WIDTH.saturating_sub(self.out.column);
        let mut work = std::mem::take(&mut self.scratch);
        let mut measure = Measure { notation: self.notation, labels: &self.labels, room };
        let fits = walk::walk([Step::Group(group)], depth, self.bounds, &mut work, &mut measure).is_ok();
        work.clear();
        self.scratch = work;
        !fits
    }

    fn line(&mut self, indent: usize) -> io::Result<()> {
        let blanks = BLANKS.get(..INDENT * indent).unwrap_or(BLANKS);
        self.out.column = blanks.len();
        self.out.out.write_all(b"\n")?;
        self.out.out.write_all(blanks.as_bytes())
    }
}

/// The style of an atom.
fn style(value: Value<'_>) -> Style {
    match value.kind() {
        Kind::Str(_) | Kind::Bytes(_) | Kind::ByteStr(_) | Kind::ByteArray(_) => AnsiColor::Green.on_default(),
        Kind::Global(_) | Kind::Ext(_) => AnsiColor::Cyan.on_default(),
        _ => AnsiColor::Magenta.on_default(),
    }
}

/// A writer of text that knows the column.
struct Columns<W> {
    out: W,
    column: usize,
    /// Why `out` failed, which a `fmt::Error` cannot tell.
    error: Option<io::Error>,
}

impl<W: Write> Columns<W> {
    /// Writes what takes no room.
    fn escape(&mut self, code: impl fmt::Display) -> io::Result<()> {
        write!(self.out, "{code}")
    }
}

impl<W: Write> fmt::Write for Columns<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.column += text.chars().count();
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}
