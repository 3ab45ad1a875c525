//! The pass that writes the output.

use std::fmt::{self, Write};

use super::count::Labels;
use super::measure::Measure;
use super::notation::{Group, Notation, Step};
use super::walk::{self, ArgumentsForm, Occurrence, Pass, Piece, Task};
use super::{Bounds, Layout, Palette, Token};
use crate::graph::{Kind, Value};

/// Maximum indentation, so that the output of deep nesting is not mostly blanks.
const INDENT: &str = match str::from_utf8(&[b' '; 80]) {
    Ok(blanks) => blanks,
    Err(_) => "",
};

/// Writes to `out`.
pub(super) struct Print<'g, 'p, N> {
    notation: &'p N,
    bounds: Bounds,
    layout: Layout,
    labels: Labels,
    palette: Option<&'p dyn Palette>,
    out: Columns<'p>,
    /// Work list of the measuring pass, reused.
    scratch: Vec<Task<'g>>,
}

impl<'p, N> Print<'_, 'p, N> {
    pub(super) fn new(
        notation: &'p N,
        bounds: Bounds,
        layout: Layout,
        labels: Labels,
        palette: Option<&'p dyn Palette>,
        out: &'p mut dyn Write,
    ) -> Self {
        Print { notation, bounds, layout, labels, palette, out: Columns { out, column: 0 }, scratch: Vec::new() }
    }
}

impl<N: Notation> Print<'_, '_, N> {
    /// Writes a token.
    fn token(&mut self, token: Token, write: impl FnOnce(&N, &mut Columns<'_>) -> fmt::Result) -> fmt::Result {
        let Some(palette) = self.palette.filter(|_| token != Token::Punctuation) else {
            return write(self.notation, &mut self.out);
        };
        // Colours take no columns.
        palette.begin(token, self.out.out)?;
        write(self.notation, &mut self.out)?;
        palette.end(token, self.out.out)
    }
}

impl<'g, N: Notation> Pass<'g> for Print<'g, '_, N> {
    type Notation = N;

    fn notation(&self) -> &N {
        self.notation
    }

    fn visit(&mut self, value: Value<'g>) -> Occurrence {
        self.labels.visit(value)
    }

    fn visit_arguments(&mut self, tuple: Value<'g>) -> ArgumentsForm {
        self.labels.arguments_form(tuple)
    }

    fn atom(&mut self, value: Value<'g>) -> fmt::Result {
        self.token(token(value), |notation, out| notation.atom(value, out))
    }

    fn key_atom(&mut self, value: Value<'g>) -> fmt::Result {
        let token = match token(value) {
            Token::Text => Token::Key,
            token => token,
        };
        self.token(token, |notation, out| notation.atom(value, out))
    }

    fn piece(&mut self, piece: Piece<'_>) -> fmt::Result {
        match piece {
            Piece::Text("") => Ok(()),
            Piece::Text(text) => self.token(Token::Punctuation, |_, out| out.write_str(text)),
            Piece::Written(value, write) => self.token(Token::Constant, |_, out| write(value, out)),
            Piece::Key(text) => self.token(Token::Punctuation, |notation, out| notation.key(text, out)),
            Piece::Label(label) => self.token(Token::Label, |_, out| out.write_str(label)),
            Piece::More(count, [before, after]) => {
                self.token(Token::Omission, |notation, out| write!(out, "{before}{}{after}", notation.count(count)))
            }
        }
    }

    fn breaks(&mut self, group: Group<'g>, depth: usize) -> bool {
        if self.layout.width == usize::MAX {
            return false;
        }
        let columns = self.layout.width.saturating_sub(self.out.column);
        let mut work = std::mem::take(&mut self.scratch);
        let mut measure = Measure { notation: self.notation, labels: &self.labels, columns };
        let bounds = Bounds { values: usize::MAX, ..self.bounds };
        let fits = walk::walk([Step::Group(group)], depth, bounds, &mut work, &mut measure).is_ok();
        work.clear();
        self.scratch = work;
        !fits
    }

    fn line(&mut self, indent: usize) -> fmt::Result {
        let blanks = INDENT.get(..indent.saturating_mul(self.layout.indent)).unwrap_or(INDENT);
        self.out.column = blanks.len();
        self.out.out.write_char('\n')?;
        self.out.out.write_str(blanks)
    }
}

/// Returns the token kind of an atom.
fn token(value: Value<'_>) -> Token {
    match value.kind() {
        Kind::Str(_) | Kind::Bytes(_) | Kind::ByteStr(_) | Kind::ByteArray(_) => Token::Text,
        Kind::Global(_) | Kind::Ext(_) => Token::Name,
        _ => Token::Constant,
    }
}

/// A writer that tracks the column.
struct Columns<'p> {
    out: &'p mut dyn Write,
    column: usize,
}

impl Write for Columns<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.column += text.chars().count();
        self.out.write_str(text)
    }
}
