//! The frame of the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

const SCRIPT: &str = include_str!("../page/dist/page.js");
const STYLE: &str = include_str!("../page/dist/page.css");

/// What the page holds: the file, and each pickle under the name of its element.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) file: Json,
    pub(crate) pickles: Vec<(String, Json)>,
}

/// Writes the page.
pub(crate) fn page(name: &str, data: &Data) -> String {
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} — picklevm</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<noscript>This page needs JavaScript. It loads nothing.</noscript>\n",
        escape(name)
    );
    push(&mut html, "file", &data.file);
    for (element, pickle) in &data.pickles {
        push(&mut html, element, pickle);
    }
    html.push_str("<script>");
    html.push_str(SCRIPT);
    html.push_str("</script>\n</body>\n</html>\n");
    html
}

/// Adds an element with data. In JSON `<` occurs in strings alone, where it may be escaped.
fn push(html: &mut String, element: &str, data: &Json) {
    html.push_str(&format!("<script type=\"application/json\" id=\"{element}\">"));
    html.push_str(&data.to_string().replace('<', "\\u003c"));
    html.push_str("</script>\n");
}

/// The hash of a script or style, as a Content-Security-Policy has it.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Text in a title: characters that mean something in HTML, control characters and marks of direction are replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars().take(200) {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                escaped.push('\u{fffd}')
            }
            char if char.is_control() => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}
