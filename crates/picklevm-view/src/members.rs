//! What the page holds of a file: its members, and of each pickle the values and the trace.

use std::rc::Rc;

use picklevm::Graph;
use picklevm_data::files::{self, Joined, Loaded, Members};
use picklevm_data::{Reader, Source};
use picklevm_files::{Contents, Entry, Error, File, Member, Pickle};
use serde_json::{Value as Json, json};

use crate::budget::{Budget, Options};
use crate::html::Data;
use crate::nodes::{KINDS, Nodes};
use crate::preview::Previews;
use crate::safety::{Place, Safety};
use crate::trace;

/// Members that are listed.
const MEMBERS: usize = 5_000;
/// Values and ops that a pickle gets at least, while there are some left.
const SHARE: usize = 500;

/// A pickle of the file that was chosen.
struct Chosen {
    title: String,
    member: String,
    contents: Rc<Contents>,
    pickle: Pickle,
    source: Rc<Members>,
}

/// Reads the file.
pub(crate) fn collect(file: &File, name: &str, options: &Options) -> Result<Data, Error> {
    let mut budget = Budget::new(options);
    let mut previews = Previews::default();
    let (members, chosen, format) = list(file, name, &mut budget);
    let (mut pickles, mut rows) = (Vec::new(), Vec::new());
    let places: Vec<Place> = chosen.iter().map(|chosen| (chosen.member.clone(), chosen.pickle.offset())).collect();
    let safety = Safety::scan(file, name);
    for (at, chosen_) in chosen.iter().enumerate() {
        let Chosen { title, pickle, .. } = chosen_;
        let data = if budget.values == 0 {
            budget.left.pickles += 1;
            None
        } else {
            let findings = safety.as_ref().map_or_else(Vec::new, |safety| safety.places(at, &places));
            Some(match Joined::new(&chosen_.contents, pickle) {
                Ok(joined) => read(&joined, &*chosen_.source, &findings, chosen.len() - at, &mut budget, &mut previews),
                Err(error) => broken(&error.to_string()),
            })
        };
        let element = data.is_some().then(|| format!("pickle-{at}"));
        rows.push(json!([title, pickle.offset(), pickle.len(), pickle.protocol(), element]));
        pickles.extend(element.zip(data));
    }
    if chosen.is_empty() {
        // Arrays of NumPy that are no pickles.
        for (place, loaded) in files::graphs(file).into_iter().filter(|(place, _)| options.has(&place.member)) {
            let Ok(loaded) = loaded else { continue };
            let element = format!("pickle-{}", pickles.len());
            let title = if place.member.is_empty() { name } else { &place.member };
            rows.push(json!([title, place.start, file.root().len(), 0, element]));
            pickles.push((element, value(&loaded, &mut budget, &mut previews)));
        }
    }
    if pickles.is_empty() {
        return Err(file.pickles().find_map(Result::err).unwrap_or(file.root().explain()?));
    }
    let file = json!({
        "name": name,
        "size": file.root().len(),
        "format": format,
        "version": env!("CARGO_PKG_VERSION"),
        "members": members,
        "pickles": rows,
        "kinds": KINDS,
        "opcodes": trace::opcodes(),
        "left": budget.notes(),
        "scan": safety.map(|safety| safety.json(&places)),
    });
    Ok(Data { file, pickles })
}

/// The rows of all members, the pickles in them that were chosen, and the format of the file.
fn list(file: &File, name: &str, budget: &mut Budget<'_>) -> (Vec<Json>, Vec<Chosen>, &'static str) {
    let (mut members, mut chosen) = (Vec::new(), Vec::<Chosen>::new());
    // The storages of checkpoints, by the path of the pickle that refers to them.
    let mut storages: Vec<(String, Rc<Members>)> = Vec::new();
    let mut format = None;
    for Entry { member, contents, .. } in file.walk() {
        format.get_or_insert_with(|| contents.as_ref().map_or("data", |contents| contents.kind().name()));
        let contents = contents.map(Rc::new);
        let mut own = Vec::new();
        if let Ok(contents) = &contents {
            if let Some((pickle, Ok(source))) = Members::checkpoint(contents) {
                storages.push((pickle.path().to_owned(), Rc::new(source)));
            }
            let known = storages.iter().find(|(path, _)| path == member.path()).map(|(_, source)| source.clone());
            let mut source = known;
            for pickle in contents.pickles().iter().filter(|_| budget.options.has(member.path())) {
                let source = source.get_or_insert_with(|| Rc::new(Members::beside(contents))).clone();
                own.push(chosen.len());
                let title = title(name, &member, contents, pickle);
                let member = member.path().to_owned();
                chosen.push(Chosen { title, member, contents: contents.clone(), pickle: pickle.clone(), source });
            }
        }
        if members.len() < MEMBERS {
            members.push(row(&member, contents.as_deref(), &own));
        } else {
            budget.left.members += 1;
        }
    }
    (members, chosen, format.unwrap_or("data"))
}

/// What a pickle is called.
fn title(name: &str, member: &Member, contents: &Contents, pickle: &Pickle) -> String {
    let own = if member.path().is_empty() { name } else { member.path() };
    match (pickle.role(), contents.pickles().len()) {
        (Some(role), 2..) => format!("{own}: {role}"),
        (None, 2..) => format!("{own} at {}", pickle.offset()),
        _ => own.to_owned(),
    }
}

/// The row of a member.
fn row(member: &Member, contents: Result<&Contents, &Error>, pickles: &[usize]) -> Json {
    let (format, problem) = match contents {
        Ok(contents) => (contents.kind().name(), contents.problem().map(ToString::to_string)),
        Err(error) => ("unreadable", Some(error.to_string())),
    };
    let place = member.place().filter(|_| member.depth() > 0).map(|place| place.offset);
    json!([member.depth(), member.name(), format, member.len(), place, problem, pickles])
}

/// The data of a pickle that cannot be read.
fn broken(error: &str) -> Json {
    json!({"roots": [], "nodes": [], "previews": [], "bytes": [], "trace": {"total": 0, "segments": [], "error": [0, error]}})
}

/// The data of a pickle. `share` pickles are still to be read, this one included; `findings` are offsets of what the scanner
/// found.
fn read(
    pickle: &Joined,
    source: &dyn Source,
    findings: &[u64],
    share: usize,
    budget: &mut Budget<'_>,
    previews: &mut Previews,
) -> Json {
    let part = |left: usize| (left / share).max(SHARE).min(left);
    let mut own = Budget::new(budget.options);
    (own.values, own.ops, own.text, own.left) = (part(budget.values), part(budget.ops), budget.text, budget.left);
    let (values, ops) = (own.values, own.ops);

    let mut recorded = trace::record(pickle, findings, &mut own);
    // An array of objects that cannot be read is a problem of its preview.
    let _ = pickle.add_roots(&mut recorded.graph);
    let graph = &recorded.graph;
    let mut nodes = Nodes::new(graph);
    let roots = add_roots(&mut nodes, graph, &mut own);
    let shown = add_previews(&mut nodes, graph, source, previews);
    let (trace, parts) = recorded.json(&mut nodes, pickle, &mut own);
    nodes.expand(&mut own);

    budget.values = budget.values.saturating_sub((values - own.values).max(1));
    budget.ops = budget.ops.saturating_sub(ops - own.ops);
    (budget.text, budget.left) = (own.text, own.left);
    json!({"roots": roots, "nodes": nodes.rows, "previews": shown, "trace": trace, "bytes": parts})
}

/// The data of values without a pickle.
fn value(loaded: &Loaded, budget: &mut Budget<'_>, previews: &mut Previews) -> Json {
    let mut nodes = Nodes::new(&loaded.graph);
    let roots = add_roots(&mut nodes, &loaded.graph, budget);
    let shown = add_previews(&mut nodes, &loaded.graph, &*loaded.source, previews);
    let trace = json!({"total": 0, "segments": [], "error": null});
    json!({"roots": roots, "nodes": nodes.rows, "previews": shown, "trace": trace, "bytes": []})
}

/// Adds the value of a pickle, calls that were made for their effect, and what they reach.
fn add_roots<'g>(nodes: &mut Nodes<'g>, graph: &'g Graph, budget: &mut Budget<'_>) -> Vec<u32> {
    let roots = graph.roots().take(1_000).chain(graph.effects().take(1_000));
    let roots = roots.map(|root| nodes.node(root, budget)).collect();
    nodes.expand(budget);
    roots
}

/// Makes previews of all arrays, tables and tensors that have nodes.
fn add_previews<'g>(
    nodes: &mut Nodes<'g>,
    graph: &'g Graph,
    source: &dyn Source,
    previews: &mut Previews,
) -> Vec<Json> {
    let Some(root) = graph.roots().next() else { return Vec::new() };
    let reader = Reader::new(root, source).with_roots(graph.roots());
    let mut shown = Vec::new();
    for (node, value) in std::mem::take(&mut nodes.objects) {
        if let Some(preview) = previews.of(value, &reader) {
            nodes.set(node, 5, shown.len().into());
            shown.push(preview);
        }
    }
    shown
}
