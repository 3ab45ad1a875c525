//! A frame as a small table for people.

use std::fmt;

use crate::pandas::DataFrame;
use crate::text::plain;

/// Rows and columns that are printed, and characters of a cell.
const ROWS: usize = 10;
const COLUMNS: usize = 12;
const WIDTH: usize = 24;

/// `table(rows=3, columns=2)` and the first rows below each other.
pub(crate) fn frame(frame: &DataFrame<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "table(rows={}, columns={})", frame.rows(), frame.columns().len())?;
    let levels = frame.index().levels();
    let columns: Vec<_> = levels.iter().chain(frame.columns().iter().take(COLUMNS)).collect();
    let rows = frame.rows().min(ROWS);
    let mut lines: Vec<Vec<String>> = vec![Vec::new(); rows + 2];
    for (at, column) in columns.iter().enumerate() {
        let name = column.name().unwrap_or_default();
        lines[0].push(cut(&name));
        lines[1].push(cut(&column.values().dtype()));
        for row in 0..rows {
            let text = match column.cell(row) {
                Ok(cell) if cell.is_missing() => "-".to_owned(),
                Ok(cell) => plain(&cell),
                Err(error) => format!("<{error}>"),
            };
            lines[row + 2].push(cut(&text.replace(['\n', '\r', '\t'], " ")));
        }
        let width = lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        for line in &mut lines {
            let missing = width - line[at].chars().count();
            line[at].push_str(&" ".repeat(missing));
        }
    }
    for line in lines {
        write!(f, "\n  {}", line.join("  ").trim_end())?;
    }
    if frame.columns().len() > COLUMNS {
        write!(f, "\n  ... {} more columns", frame.columns().len() - COLUMNS)?;
    }
    if frame.rows() > rows {
        write!(f, "\n  ... {} more rows", frame.rows() - rows)?;
    }
    Ok(())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
