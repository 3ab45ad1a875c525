//! Lists the public items of each library as `cargo doc` shows them, so that a change of the public API shows in review.
//!
//! `cargo doc --workspace --all-features --no-deps` first; then `public_api` writes `tests/public-api/CRATE.txt`, and
//! `public_api --check` compares. It reads rustdoc's HTML, which has everything that macros make and nothing that is
//! hidden, and needs no nightly compiler.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use picklevm_testing::root;

const LIBRARIES: &[&str] = &[
    "picklevm",
    "picklevm_data",
    "picklevm_derive",
    "picklevm_files",
    "picklevm_ops",
    "picklevm_scan",
    "picklevm_shelf",
    "picklevm_view",
];

fn main() -> ExitCode {
    let is_check = std::env::args().nth(1).as_deref() == Some("--check");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let mut is_same = true;
    for library in LIBRARIES {
        let Some(list) = list(&target.join("doc").join(library)) else {
            eprintln!("no documentation of {library}: run cargo doc --workspace --all-features --no-deps");
            return ExitCode::FAILURE;
        };
        let path = root().join("tests/public-api").join(format!("{library}.txt"));
        let old = fs::read_to_string(&path).unwrap_or_default();
        if is_check && old != list {
            print_difference(&path, &old, &list);
            is_same = false;
        } else if !is_check && let Err(error) = fs::write(&path, list) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    if !is_same {
        eprintln!("if this is meant: cargo run -p picklevm-testing --bin public_api");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints the lines that only one of two lists has.
fn print_difference(path: &Path, old: &str, new: &str) {
    println!("{}:", path.display());
    for (sign, lines, others) in [('-', old, new), ('+', new, old)] {
        let others: std::collections::HashSet<_> = others.lines().collect();
        lines.lines().filter(|line| !others.contains(line)).for_each(|line| println!("{sign} {line}"));
    }
}

/// Lists the items of a library from the folder of its documentation.
fn list(folder: &Path) -> Option<String> {
    let all = fs::read_to_string(folder.join("all.html")).ok()?;
    let all = &all[all.find("<section id=\"main-content\"")?..];
    let mut pages: Vec<&str> = all.split("<a href=\"").skip(1).filter_map(|link| link.split('"').next()).collect();
    pages.retain(|page| page.ends_with(".html") && !page.starts_with("../") && !page.contains("://"));
    pages.sort_unstable();
    pages.dedup();
    let mut out = reexports(&fs::read_to_string(folder.join("index.html")).ok()?);
    for page in pages.into_iter().filter(|page| !page.ends_with("index.html")) {
        let html = fs::read_to_string(folder.join(page)).ok()?;
        out += &format!("\n{}\n", name(page));
        out += &item(&html);
    }
    Some(out)
}

/// Returns the kind and the path of the item on a page: `struct typed::Date` of `typed/struct.Date.html`.
fn name(page: &str) -> String {
    let path = page.trim_end_matches(".html");
    let (modules, file) = path
        .rsplit_once('/')
        .map_or((String::new(), path), |(modules, file)| (format!("{}::", modules.replace('/', "::")), file));
    let (kind, name) = file.split_once('.').unwrap_or(("", file));
    format!("{kind} {modules}{name}")
}

/// Lists the items of other crates that the root exports.
fn reexports(index: &str) -> String {
    let codes = index.split("id=\"reexport.").skip(1).filter_map(|entry| {
        let code = &entry[entry.find("<code>")?..];
        Some(format!("{}\n", text(&code[..code.find("</code>")?])))
    });
    codes.collect()
}

/// Lists what the page of an item declares: the item, its methods, and the traits that it implements.
fn item(html: &str) -> String {
    let mut out = String::new();
    if let Some(at) = html.find("<pre class=\"rust item-decl\">") {
        let rest = &html[at..];
        declaration(&rest[..rest.find("</pre>").unwrap_or(rest.len())], &mut out);
    }
    // The declaration of a trait has its methods.
    if out.contains("pub trait ") {
        return out;
    }
    // Neither auto traits and blanket implementations, nor the implementations of a trait.
    let end = ["id=\"synthetic-implementations\"", "id=\"blanket-implementations\"", "id=\"implementors\""]
        .iter()
        .filter_map(|id| html.find(id))
        .min()
        .unwrap_or(html.len());
    let traits = html.find("id=\"trait-implementations\"").unwrap_or(end).min(end);
    for (part, tags) in [(&html[..traits], &["h3", "h4"][..]), (&html[traits..end], &["h3"])] {
        for header in part.split("class=\"code-header\">").skip(1) {
            let Some(tag) = tags.iter().find(|tag| header.contains(&format!("</{tag}>"))) else { continue };
            let Some(end) = header.find(&format!("</{tag}>")) else { continue };
            // The first end tag is that of the header itself.
            if header.find("</h3>").unwrap_or(usize::MAX).min(header.find("</h4>").unwrap_or(usize::MAX)) != end {
                continue;
            }
            let line = text(&header[..end]);
            // The variants of an enum are in its declaration, and this trait comes with `PartialEq`.
            let is_impl = line.starts_with("impl") || line.starts_with("unsafe impl");
            if *tag == "h3" && !is_impl || line.contains(" StructuralPartialEq for ") {
                continue;
            }
            let indent = if *tag == "h4" { "        " } else { "    " };
            out += &format!("{indent}{line}\n");
        }
    }
    out
}

/// Adds a declaration, a line of it a line.
fn declaration(html: &str, out: &mut String) {
    // Attributes are blocks of their own; long lists are folded, with a summary.
    let html = html.replace("<br>", "\n").replace("</div>", "\n");
    let parts = html.split("<summary").enumerate();
    let unfolded: String = parts
        .map(|(n, part)| match part.split_once("</summary>") {
            Some((_, rest)) if n > 0 => rest,
            _ => part,
        })
        .collect();
    for line in unfolded.lines() {
        let line = plain(line);
        if !line.trim().is_empty() {
            *out += &format!("    {}\n", line.trim_end());
        }
    }
}

/// Returns the text of HTML in one line.
fn text(html: &str) -> String {
    plain(html).split_whitespace().filter(|word| *word != "ⓘ").collect::<Vec<_>>().join(" ")
}

/// Returns the text of HTML: without tags, and with the characters that entities stand for.
fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out += &rest[..at];
        rest = rest[at..].find('>').map_or("", |end| &rest[at + end + 1..]);
    }
    out += rest;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    entities.iter().fold(out, |out, (entity, c)| out.replace(entity, c))
}
