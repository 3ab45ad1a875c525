//! Paths are read, printed and followed.

use super::{Path, Step};
use crate::graph::{Graph, Kind};
use crate::literal::parse;

fn graph(text: &str) -> Graph {
    parse(text).unwrap()
}

#[track_caller]
fn leads(text: &str, path: &str, to: &str) {
    let graph = graph(text);
    let found = Path::parse(path).unwrap().get(graph.root()).map(|value| value.to_string());
    assert_eq!(found.as_deref(), Some(to), "{path} in {text}");
}

#[test]
fn a_path_is_printed_as_it_is_read() {
    for path in [
        "",
        ".a",
        ".a[0].b",
        "['a b'][-1]",
        "[(1, 2)].x",
        ".'a b'.__args__",
        ".__item__[3]",
        "[*].x.**",
        "[0, 1]",
        "[\"it's\"]",
    ] {
        assert_eq!(Path::parse(path).unwrap().to_string(), path);
    }
    assert_eq!(format!("{:#}", Path::parse(".a.b").unwrap()), "a.b");
    assert_eq!(Path::parse("''").unwrap(), Path::root());
    assert_eq!(Path::parse("/a/0/b~1c").unwrap().to_string(), ".a.'0'.'b/c'");
    assert_eq!(Path::parse("a[0]['b/c']").unwrap().to_pointer(), "/a/0/b~1c");
    assert_eq!(Path::parse("['model'][0].weight[0, 1]").unwrap().dotted(), "model.0.weight.0.1");
}

#[test]
fn a_broken_path_is_an_error_with_its_place() {
    for (path, error) in [
        ("a[", "offset 1: expected `]` after a key, found the end"),
        ("a..b", "offset 2: expected a name, found ."),
        ("a[b c]", "offset 2: expected a value, or the full name of a class or function (`module.Name`), found `b`"),
        ("a['x]", "offset 2: expected the quote at the end of a key, found the end"),
        ("a[0]b", "offset 4: expected `.name` or `[key]`, found `b`"),
    ] {
        assert_eq!(Path::parse(path).unwrap_err().to_string(), error, "{path}");
    }
}

#[test]
fn an_assignment_ends_at_the_first_equals_sign_outside_of_a_key() {
    let (path, value) = Path::parse_assignment("a['x=y'].b=1=2").unwrap();
    assert_eq!((path.to_string(), value), (".a['x=y'].b".to_owned(), "1=2"));
    assert_eq!(Path::parse_assignment("=5").unwrap(), (Path::root(), "5"));
    assert_eq!(Path::parse_assignment("''=5").unwrap(), (Path::root(), "5"));
    assert_eq!(Path::parse_assignment("/a/b=5").unwrap().1, "5");
    assert!(Path::parse_assignment("a").is_err());
}

#[test]
fn names_are_attributes_or_keys() {
    leads("{'a': 1}", "a", "1");
    leads("app.A() with state {'a': 1}", "a", "1");
    leads("app.A() with items {'a': 1} with state {'b': 2}", "a", "1");
    leads("app.A() with items {'a': 1} with state {'a': 2}", "a", "2");
    leads("app.A() with items {'a': 1} with state {'a': 2}", "['a']", "1");
    leads("app.A() with state (None, {'slot': 1})", "slot", "1");
    leads("['x', u'y', {'k': 1}]", "[2].k", "1");
    leads("types.SimpleNamespace(**{'x': 1})", "x", "1");
    leads("{'a-b': 1}", "a-b", "1");
}

#[test]
fn positions_and_keys_lead_into_every_container() {
    leads("[1, (2, 3)]", "[1][0]", "2");
    leads("[1, 2, 3]", "[-1]", "3");
    leads("{5: 'five', -1: 'minus'}", "[-1]", "'minus'");
    leads("{(1, 'x'): 2, None: 3, 1.5: 4, b'b': 5}", "[(1, 'x')]", "2");
    leads("{(1, 'x'): 2}", "[1, 'x']", "2");
    leads("{None: 3}", "[None]", "3");
    leads("{1.5: 4}", "[1.5]", "4");
    leads("{datetime.date(2030, 1, 2): 5}", "[datetime.date(2030, 1, 2)]", "5");
    leads("{app.Color.RED: 5}", "[app.Color.RED]", "5");
    leads("app.L() with items [1, 2]", "[1]", "2");
    leads("app.Point(3, 4)", "[1]", "4");
    leads("collections.OrderedDict({'b': 1})", "b", "1");
    leads("collections.deque([1, 2])", "[-1]", "2");
    leads("{'x', 'y'}", "['y']", "'y'");
}

#[test]
fn what_an_instance_is_made_of_has_names() {
    leads("decimal.Decimal('1.5')", ".args[0]", "'1.5'");
    leads("app.A(1, **{'k': 2})", ".kwargs.k", "2");
    leads("app.A() with state 5", ".state", "5");
    leads("app.A() with state 5", ".class", "app.A");
    leads("app.A(1) by newobj with state {'args': 2}", ".args", "2");
    leads("app.A(1) by newobj with state {'args': 2}", ".__args__[0]", "1");
    leads("persistent(7)", ".id", "7");
}

#[test]
fn a_json_pointer_leads_through_keys_positions_and_attributes() {
    leads("{'cart': [app.Item() with state {'price': 5}]}", "/cart/0/price", "5");
    leads("{5: {'a/b': 1}}", "/5/a~1b", "1");
}

#[test]
fn wildcards_find_all() {
    let find = |text: &str, path: &str| {
        let graph = graph(text);
        let found = Path::parse(path).unwrap().find(graph.root());
        found.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(find("[1, 2]", "[*]"), "[0]=1 [1]=2");
    assert_eq!(find("{'a': {'n': 1}, 'b': {'n': 2}}", "[*].n"), "['a'].n=1 ['b'].n=2");
    assert_eq!(find("[{'n': 1}, [{'n': 2}]]", ".**.n"), "[0].n=1 [1][0].n=2");
    assert_eq!(find("[[1]]", ".**"), "=[[1]] [0]=[1] [0][0]=1");
    assert_eq!(find("app.A() with state {'x': 1, 'y': 2}", "[*]"), ".x=1 .y=2");
    assert_eq!(find("{'a': 1}", "b"), "");
}

#[test]
fn every_place_has_a_path_that_leads_there() {
    let graph = graph(
        "{'a': &1 [1, (2, *1)], 'b': *1, (1, app.K()): {frozenset({(5,)})}, 'o': app.A(&2 [3]) by newobj with items [4] \
         with items {'k': *2, 7: app.f(1)} with state {'x': 6, 'args': [8], 'a b': [9]}, 'p': persistent([1]), \
         'two': app.B() with state (None, {'slot': [1]}), 'e': &3 app.E(1, **{'k': [2]}) with effect app.set(*3, [1])}",
    );
    let places = graph.walk();
    assert!(places.len() > 30);
    for place in places.iter() {
        let path = place.path();
        assert_eq!(Path::parse(&path.to_string()).unwrap(), path);
        assert!(path.get(graph.root()).is_some_and(|found| found.is(place.value())), "{path} {:?}", place.value());
    }
    let mut lists: Vec<_> = places
        .iter()
        .filter(|place| matches!(place.value().kind(), Kind::List(_)))
        .map(|place| place.value().id())
        .collect();
    let all = lists.len();
    lists.sort_by_key(|id| format!("{id:?}"));
    lists.dedup();
    assert_eq!(lists.len(), all);
}

#[test]
fn deep_values_have_deep_paths() {
    let graph = graph(&format!("{}{}", "[".repeat(20_000), "]".repeat(20_000)));
    let places = graph.walk();
    let last = places.iter().last().unwrap();
    assert_eq!(last.path().steps().len(), 19_999);
}

fn edit(text: &str, change: impl FnOnce(&mut Graph) -> crate::Result<()>) -> String {
    let mut graph = graph(text);
    match change(&mut graph) {
        Ok(()) => graph.pretty().one_line().to_string(),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn set(text: &str, path: &str, value: i32, expected: &str) {
    assert_eq!(edit(text, |graph| graph.set_at(&Path::parse(path)?, value)), expected, "{path} in {text}");
}

#[test]
fn values_are_set_where_a_path_leads() {
    set("[1, 2]", "[-1]", 5, "[1, 5]");
    set("{'a': 1}", "a", 5, "{'a': 5}");
    set("{'a': 1}", "['b c']", 5, "{'a': 1, 'b c': 5}");
    set("{'a': 1}", "b", 5, "{'a': 1, 'b': 5}");
    set("{1: 1}", "[2]", 5, "{1: 1, 2: 5}");
    set("[(1, 2)]", "[0][1]", 5, "[(1, 5)]");
    set("app.A() with state {'x': 1}", "x", 5, "app.A() with state {'x': 5}");
    set("app.A() with state {'x': 1}", "y", 5, "app.A() with state {'x': 1, 'y': 5}");
    set("app.A() by newobj", "y", 5, "app.A() with state {'y': 5}");
    set("app.A() with state (None, {'s': 1})", "s", 5, "app.A() with state (None, {'s': 5})");
    set("app.A() with items [1, 2] with state {'x': 1}", "[1]", 5, "app.A() with items [1, 5] with state {'x': 1}");
    set("app.A() with items {'k': 1}", "['k']", 5, "app.A() with items {'k': 5}");
    set("app.A() with items {'k': 1}", "['j']", 5, "app.A() with items {'k': 1, 'j': 5}");
    set("app.Point(1, 2)", "[0]", 5, "app.Point(5, 2)");
    set("decimal.Decimal('1')", ".args[0]", 5, "decimal.Decimal(5)");
    set("[&1 [1], *1]", "[0][0]", 5, "[&1 [5], *1]");
    set("7", "", 5, "5");
    set("collections.Counter({'a': 1})", "['b']", 5, "collections.Counter({'a': 1, 'b': 5})");
    set("collections.Counter({'a': 1})", "a", 5, "collections.Counter({'a': 5})");
    set("collections.OrderedDict({'a': 1})", "b", 5, "collections.OrderedDict({'a': 1, 'b': 5})");
}

#[test]
fn a_new_attribute_of_python_2_has_an_8_bit_name() {
    let text = "['x', u'y', app.A() with state {'a': 1}]";
    set(text, "[2].b", 5, "['x', u'y', app.A() with state {'a': 1, 'b': 5}]");
}

#[test]
fn what_cannot_be_set_is_an_error_with_its_path() {
    set("{'a': [1]}", "a[3]", 5, "a[3]: expected an item at this position, found a list of length 1");
    set(
        "{'a': [1]}",
        "nope.deeper",
        5,
        "nope: expected an attribute or a key with this name, found a dict of length 1",
    );
    set(
        "{(1, 2): 3}",
        ".__key__[0][0]",
        5,
        "__key__[0][0]: expected a tuple that can be changed, found one that is part of a key: set the key",
    );
    set("'text'", "[0]", 5, "[0]: expected a value whose parts can be set, found a value of type str");
}

#[test]
fn values_are_removed_appended_and_inserted() {
    let remove = |text, path| edit(text, |graph| graph.remove_at(&Path::parse(path)?));
    assert_eq!(remove("[1, 2, 3]", "[-2]"), "[1, 3]");
    assert_eq!(remove("{'a': 1, 'b': 2}", "a"), "{'b': 2}");
    assert_eq!(remove("{'a', 'b'}", "['a']"), "{'b'}");
    assert_eq!(
        remove("app.A() with items [1, 2] with state {'x': 1, 'y': 2}", "x"),
        "app.A() with items [1, 2] with state {'y': 2}"
    );
    assert_eq!(remove("app.A() with items [1, 2] with state 5", "[0]"), "app.A() with items [2] with state 5");
    assert_eq!(remove("app.A() with items {'k': 1, 'l': 2}", "k"), "app.A() with items {'l': 2}");
    assert_eq!(remove("[1]", "[1]"), "[1]: expected an item at this position, found a list of length 1");
    let append = |text, path| edit(text, |graph| graph.append_at(&Path::parse(path)?, 9));
    assert_eq!(append("{'a': [1]}", "a"), "{'a': [1, 9]}");
    assert_eq!(append("{'a': {1}}", "a"), "{'a': {1, 9}}");
    assert_eq!(
        append("app.L() with items [1] with state {'x': 1}", ""),
        "app.L() with items [1, 9] with state {'x': 1}"
    );
    assert_eq!(append("app.L() with state {'x': 1}", ""), "app.L() with items [9] with state {'x': 1}");
    assert_eq!(append("app.S() with members {1}", ""), "app.S() with members {1, 9}");
    assert_eq!(append("collections.deque([1])", ""), "collections.deque([1, 9])");
    assert_eq!(append("(1,)", ""), "expected a list or a set, found a tuple of length 1");
    let insert = |text, path| edit(text, |graph| graph.insert_at(&Path::parse(path)?, 9));
    assert_eq!(insert("[1, 2]", "[1]"), "[1, 9, 2]");
    assert_eq!(insert("[1, 2]", "[2]"), "[1, 2, 9]");
    assert_eq!(insert("app.L() with items [1]", "[0]"), "app.L() with items [9, 1]");
    assert_eq!(insert("[1]", "[5]"), "[5]: expected an item at this position, found a list of length 1");
}

#[test]
fn a_key_step_is_written_as_python_writes_the_key() {
    let graph = graph("['a', 5, 1.5, (1, 'x'), None, b'b']");
    let steps: Vec<_> = graph.root().items().map(|key| Step::key(key).to_string()).collect();
    assert_eq!(steps, ["['a']", "[5]", "[1.5]", "[(1, 'x')]", "[None]", "[b'b']"]);
}

#[test]
fn wildcards_find_attributes_once_also_in_slots_and_beside_items() {
    let graph = crate::literal::parse(
        "[app.P() with state (None, {'x': 1, 'y': [2]}), app.L() with items [5] with state {'x': 7}]",
    )
    .unwrap();
    let find = |path: &str| {
        let found = Path::parse(path).unwrap().find(graph.root());
        found.iter().map(|(path, value)| format!("{path:#} {value}")).collect::<Vec<_>>()
    };
    assert_eq!(find("[0].*"), ["[0].x 1", "[0].y [2]"]);
    assert_eq!(find("[1][*]"), ["[1][0] 5", "[1].x 7"]);
    assert_eq!(find(".**.x"), ["[0].x 1", "[1].x 7"]);
    assert_eq!(find(".**.y[0]"), ["[0].y[0] 2"]);
}
