//! HTML for notebooks: `_repr_html_`. Everything that a file says is escaped.

use std::fmt::Write;

/// Escapes text for an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What moves the cursor or turns the direction of text is shown as its code.
            character if is_hidden(character) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out
}

fn is_hidden(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Text as it is, in a box of limited height.
pub(crate) fn pre(title: &str, text: &str) -> String {
    let (title, text) = (escape(title), escape(text));
    format!("<div><small>{title}</small><pre style=\"max-height:30em;overflow:auto\">{text}</pre></div>")
}

/// A table with a title. Cells are escaped; at most `most` rows are there, and how many more there are.
pub(crate) fn table(title: &str, head: &[&str], rows: &[Vec<String>], most: usize) -> String {
    let mut out = format!("<div><small>{}</small><table><thead><tr>", escape(title));
    head.iter().for_each(|cell| {
        let _ = write!(out, "<th style=\"text-align:left\">{}</th>", escape(cell));
    });
    out.push_str("</tr></thead><tbody>");
    for row in rows.iter().take(most) {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td style=\"text-align:left\">{}</td>", escape(cell));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
    if rows.len() > most {
        let _ = write!(out, "<small>{} more</small>", rows.len() - most);
    }
    out.push_str("</div>");
    out
}
