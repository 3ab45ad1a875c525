//! The order of layers that docs/architecture.md gives for each crate: no module uses one of a layer above its own.
//!
//! A block ```` ```layers CRATE ```` has one layer a line, from top to bottom: the modules of it, which may use each other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use picklevm_testing::root;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

#[test]
fn no_module_uses_one_of_a_layer_above() {
    let document = fs::read_to_string(root().join("docs/architecture.md")).expect("the document");
    let mut crates = 0;
    let mut found = String::new();
    for entry in fs::read_dir(root().join("crates")).expect("the crates") {
        let folder = entry.expect("a folder").path();
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        if name == "picklevm-testing" {
            continue;
        }
        crates += 1;
        match block(&document, name) {
            Some(layers) => {
                found.extend(check(&layers, &sources(&folder.join("src"))).map(|error| format!("{name}: {error}\n")))
            }
            None => writeln!(found, "{name}: docs/architecture.md has no block of its layers").expect("memory"),
        }
    }
    assert!(crates >= 6, "{crates}");
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn an_upward_use_is_found_in_every_notation() {
    let layers = vec![vec!["top".into()], vec!["low".into()]];
    let is_found = |low: &str| {
        let sources = [("", "mod low; mod top; pub use top::Thing;"), ("top", "use crate::low::X;"), ("low", low)];
        let sources = sources.map(|(module, text)| (module.to_owned(), text.to_owned()));
        check(&layers, &sources.into()).next().is_some()
    };
    for upward in [
        "use crate::top::Thing;",
        "use crate::{low::X, top};",
        "use crate::Thing;",
        "use crate::Thing as Other;",
        "use super::top;",
        "mod inner { use super::super::top::Thing; }",
        "fn f() { crate::top::g() }",
        "macro_rules! m { () => { $crate::top::Thing } }",
    ] {
        assert!(is_found(upward), "{upward}");
    }
    for fine in [
        "use crate::low::X; // crate::top",
        "fn f() -> &'static str { \"crate::top\" }",
        "mod inner { use super::X; }",
        "#[cfg(test)] mod tests { use crate::top::Thing; }",
        "#[cfg(test)] use crate::top;",
        "/// [`Thing`](crate::top::Thing)\nstruct X;",
    ] {
        assert!(!is_found(fine), "{fine}");
    }
}

#[test]
fn modules_and_layers_must_be_the_same() {
    let sources = [("a", ""), ("b", "")].map(|(module, text)| (module.to_owned(), text.to_owned()));
    let errors: Vec<_> = check(&[vec!["a".into()], vec!["c".into()]], &sources.into()).collect();
    assert_eq!(errors, ["module b is in no layer", "there is no module c"]);
}

/// Returns the layers of a crate.
fn block(document: &str, name: &str) -> Option<Vec<Vec<String>>> {
    let (_, rest) = document.split_once(&format!("```layers {name}\n"))?;
    let (block, _) = rest.split_once("```")?;
    Some(block.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect())
}

/// Returns the text of each module by its path, such as `graph::edit`, which is empty for the root.
fn sources(folder: &Path) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), Vec::new())];
    while let Some((folder, path)) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let file = entry.expect("an entry").path();
            let stem = file.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            if file.is_dir() {
                folders.push((file, [&path[..], &[stem]].concat()));
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let is_root = path.is_empty() && matches!(&*stem, "lib" | "main");
                let module = if is_root || stem == "mod" { path.clone() } else { [&path[..], &[stem]].concat() };
                sources.insert(module.join("::"), fs::read_to_string(&file).expect("a source"));
            }
        }
    }
    sources
}

/// Returns what is wrong with the modules of a crate.
fn check(layers: &[Vec<String>], sources: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
    let rank = |module: &str| {
        let of = |prefix: &str| layers.iter().position(|layer| layer.iter().any(|module| module == prefix));
        // The longest prefix that is listed.
        std::iter::successors(Some(module), |module| module.rsplit_once("::").map(|(parent, _)| parent)).find_map(of)
    };
    let tokens: BTreeMap<&str, TokenStream> =
        sources.iter().map(|(module, text)| (&**module, text.parse().expect("tokens"))).collect();
    let reexports = tokens.get("").map(|root| reexports(root.clone())).unwrap_or_default();
    let tests: Vec<String> = tokens.iter().flat_map(|(module, tokens)| test_modules(module, tokens.clone())).collect();
    let mut errors = Vec::new();
    for (module, tokens) in &tokens {
        if module.is_empty() || tests.iter().any(|test| test == module) {
            continue;
        }
        let Some(own) = rank(module) else {
            errors.push(format!("module {module} is in no layer"));
            continue;
        };
        let mut uses = Vec::new();
        collect(tokens.clone(), &module.split("::").collect::<Vec<_>>(), &mut uses);
        for used in uses {
            let first = used.split("::").next().unwrap_or_default();
            let target = match reexports.get(first) {
                Some(target) if !sources.contains_key(first) => target,
                _ => &used,
            };
            if let Some(other) = rank(target)
                && other < own
            {
                errors.push(format!("{module} (layer {}) uses {used} (layer {})", own + 1, other + 1));
            }
        }
    }
    let is_module = |listed: &String| sources.contains_key(listed) || tests.contains(listed);
    let missing = layers.iter().flatten().filter(|listed| !is_module(listed));
    errors.extend(missing.map(|listed| format!("there is no module {listed}")));
    errors.sort();
    errors.dedup();
    errors.into_iter()
}

/// Returns the names that the root exports, with the paths that they come from.
fn reexports(root: TokenStream) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut tokens = root.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_ident(&token, "use") {
            let path: TokenStream = tokens.by_ref().take_while(|token| !is_punct(token, ';')).collect();
            leaves(path, "", &mut |path, name| {
                found.insert(name.to_owned(), path.to_owned());
            });
        }
    }
    found
}

/// Calls `leaf` with the path and the name of everything that a tree of `use` imports.
fn leaves(tree: TokenStream, prefix: &str, leaf: &mut impl FnMut(&str, &str)) {
    let (mut path, mut name, mut is_alias) = (prefix.to_owned(), String::new(), false);
    for token in tree {
        match token {
            TokenTree::Ident(ident) if ident == "self" || ident == "crate" => {}
            TokenTree::Ident(ident) if ident == "as" => is_alias = true,
            TokenTree::Ident(ident) if is_alias => name = ident.to_string(),
            TokenTree::Ident(ident) => {
                name = ident.to_string();
                if !path.is_empty() {
                    path += "::";
                }
                path += &name;
            }
            TokenTree::Group(group) => {
                leaves(group.stream(), &path, leaf);
                name.clear();
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => {
                if !name.is_empty() {
                    leaf(&path, &name);
                }
                (path, name, is_alias) = (prefix.to_owned(), String::new(), false);
            }
            _ => {}
        }
    }
    if !name.is_empty() {
        leaf(&path, &name);
    }
}

/// Returns the modules in files of their own that only tests have.
fn test_modules(module: &str, tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for window in tokens.windows(5) {
        if let [hash, TokenTree::Group(cfg), keyword, TokenTree::Ident(name), end] = window
            && is_punct(hash, '#')
            && is_cfg_test(cfg.stream())
            && is_ident(keyword, "mod")
            && is_punct(end, ';')
        {
            found.push(if module.is_empty() { name.to_string() } else { format!("{module}::{name}") });
        }
    }
    found
}

/// Adds the modules that tokens name, by paths that begin with `crate` or `super`.
fn collect(tokens: TokenStream, module: &[&str], uses: &mut Vec<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            // Skip what only tests have: the rest of the item, up to its body or semicolon.
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if matches!(tokens.get(at), Some(TokenTree::Group(group)) if is_cfg_test(group.stream())) {
                    let is_end = |token: &TokenTree| {
                        is_punct(token, ';')
                            || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
                    };
                    at += tokens[at..].iter().position(is_end).map_or(tokens.len(), |end| end + 1);
                }
            }
            TokenTree::Ident(ident) if ident == "mod" => {
                if let [TokenTree::Ident(name), TokenTree::Group(body), ..] = &tokens[at..] {
                    let name = name.to_string();
                    collect(body.stream(), &[module, &[&name]].concat(), uses);
                    at += 2;
                }
            }
            TokenTree::Ident(ident) if ident == "crate" => at = collect_path(&tokens, at, String::new(), uses),
            TokenTree::Ident(ident) if ident == "super" => {
                let mut base = module.len().saturating_sub(1);
                while let [a, b, TokenTree::Ident(next), ..] = &tokens[at..]
                    && is_punct(a, ':')
                    && is_punct(b, ':')
                    && next == "super"
                {
                    base = base.saturating_sub(1);
                    at += 3;
                }
                at = collect_path(&tokens, at, module[..base].join("::"), uses);
            }
            TokenTree::Group(group) => collect(group.stream(), module, uses),
            _ => {}
        }
    }
}

/// Adds the paths that follow `crate` or `super`. Returns the position after them.
fn collect_path(tokens: &[TokenTree], mut at: usize, mut path: String, uses: &mut Vec<String>) -> usize {
    while let [a, b, next, ..] = &tokens[at..]
        && is_punct(a, ':')
        && is_punct(b, ':')
    {
        at += 3;
        match next {
            TokenTree::Ident(name) => {
                if !path.is_empty() {
                    path += "::";
                }
                path += &name.to_string();
            }
            TokenTree::Group(group) => {
                leaves(group.stream(), &path, &mut |path, _| uses.push(path.to_owned()));
                return at;
            }
            _ => break,
        }
    }
    uses.push(path);
    at
}

/// Returns whether the brackets of an attribute hold `cfg(test)`, alone or among others that `all` needs.
fn is_cfg_test(attribute: TokenStream) -> bool {
    let tokens: Vec<_> = attribute.into_iter().collect();
    let [TokenTree::Ident(name), TokenTree::Group(condition)] = &tokens[..] else { return false };
    let condition = condition.stream().to_string();
    name == "cfg" && (condition == "test" || (condition.starts_with("all") && condition.contains("test")))
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}
