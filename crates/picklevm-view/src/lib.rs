//! Shows a file of Python pickles as one HTML page, which needs no network and runs nothing of the file.
//!
//! ```
//! use picklevm_files::Opener;
//! use picklevm_view::{Options, page};
//!
//! let file = Opener::new().bytes(&b"\x80\x04]\x94(K\x01K\x02e."[..]);
//! let html = page(&file, "two.pkl", &Options::default())?;
//! assert!(html.starts_with("<!doctype html>"));
//! # Ok::<(), picklevm_files::Error>(())
//! ```
//!
//! # The page
//!
//! The page is a frame, a style and a script, which are the same for every file (`page/` has their sources; `page/dist` is
//! what `npm run build` makes of them), and data: JSON in `<script type="application/json">`, with `<` escaped. The script
//! makes text nodes of the data, never markup. A Content-Security-Policy allows the style and the script by their hashes and
//! nothing else, and trusted types forbid making markup of text.
//!
//! # The data
//!
//! The element `file` holds an object:
//!
//! | key | is |
//! | --- | --- |
//! | `name`, `size`, `format` | of the file |
//! | `version` | of this crate |
//! | `members` | `[depth, name, format, size, offset, problem, [pickle, …]]` of each member, what holds others before these; `null` for what is not known |
//! | `pickles` | `[title, offset, size, protocol, element]` of each pickle; `element` is `null` if the page leaves it out |
//! | `kinds` | the names of types; a node has an index into it |
//! | `opcodes` | by byte: `[name, what it does, values taken, whether it changes the value below]`; -1 values are all above the mark |
//! | `left` | `[what is left out, option that includes it]` |
//! | `scan` | the report of the scanner: `{verdict, summary, findings, imports, events, more}`; `null` if the file is too large |
//!
//! Each pickle has an element of its own, which is parsed when it is chosen:
//!
//! | key | is |
//! | --- | --- |
//! | `roots` | nodes: the value; then calls that were made for their effect. Of a pickle that breaks, what was on the stack |
//! | `nodes` | the values, each once, as rows; see below |
//! | `previews` | of arrays, tables and tensors |
//! | `trace` | `{total, segments, error}` |
//! | `bytes` | `[offset, base64]` of parts of the pickle |
//!
//! A node is `[kind, text, length, children, …]`; parts that are missing at the end are 0 or empty.
//!
//! | kind | text | length | children |
//! | --- | --- | --- | --- |
//! | numbers, `None`, names | Python's notation | | |
//! | text, bytes | Python's notation, cut | in bytes | of bytes: base64 of the first |
//! | list, tuple, set, frozenset | | items | nodes |
//! | dict | | entries | key and value in turn |
//! | persistent reference | | 1 | its id |
//! | object | Python's notation, cut | parts | role, key and value in turn; then: whether the text is all of it; index of a preview or -1 |
//!
//! There are fewer children than the length says if the page leaves some out. Roles of parts of an object are
//! 0 to 7: argument, keyword argument, item, entry, attribute, state, call made for its effect, class. A key that is missing is -1.
//!
//! A segment of the trace is a run of ops: `first` is the number of its first op, `offset` its place; `stack` (nodes, the
//! bottom first; `below` more are left out below), `marks` and `memo` (entries) are the state before it. `codes`, `lengths`,
//! `pushed` (node or -1) and `operands` have an element for each op. `replaced` are the ops that store at an index of the memo that
//! it had before the run; `skips` has `[op, bytes]` for ops with other bytes before them: arrays of joblib. What an op takes from the stack follows from its opcode, so
//! that the page can step forward, and back by undoing.

mod budget;
mod html;
mod members;
mod nodes;
mod preview;
mod safety;
mod trace;

use picklevm_files::{Error, File};

pub use budget::Options;

/// Makes the page of a file. `name` is what the page calls it.
///
/// # Errors
///
/// If there is no pickle in the file, with what it is instead.
pub fn page(file: &File, name: &str, options: &Options) -> Result<String, Error> {
    let data = members::collect(file, name, options)?;
    Ok(html::page(name, &data))
}

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// Compiles and runs the code of the chapter on the page.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/view.md")]
pub struct ViewChapter;
