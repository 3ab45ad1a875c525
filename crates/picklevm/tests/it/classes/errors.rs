//! Errors for pickles that do not fit the type.

use std::sync::Arc;

use picklevm::class::from_slice;
use picklevm::{ErrorKind, Graph, Limits, PickleClass, Pickler, Protocol, Unpickler, value};

use super::types::{Line, Point, Size};

#[derive(PickleClass, Debug)]
#[pickle(module = "shop")]
struct Node {
    next: Option<Arc<Node>>,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop")]
struct Chain {
    next: Option<Box<Chain>>,
}

fn line(sku: impl picklevm::IntoValue, name: &str) -> Graph {
    let mut graph = Graph::new();
    let line = graph.instance("shop", name).attr("sku", sku).attr("quantity", 300).build().expect("an instance");
    graph.set_root(line);
    graph
}

#[test]
fn an_instance_of_another_class_is_named() {
    let error = line("PX-104", "Point").root().to::<Line>().expect_err("another class");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(error.to_string(), "expected an instance of shop.Cart.Line, found an instance of shop.Point");
}

#[test]
fn a_value_that_is_not_an_instance_is_described() {
    let error = value!({"sku": "PX-104"}).root().to::<Line>().expect_err("a dict");
    assert_eq!(error.to_string(), "expected an instance of shop.Cart.Line, found a value of type dict");
}

#[test]
fn a_missing_attribute_is_named_with_its_class() {
    let error = line("PX-104", "Size").root().to::<Size>().expect_err("other attributes");
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.to_string(), "shop.Size.width: expected the attribute, found an instance without it");
}

#[test]
fn a_field_of_another_type_is_named_with_its_class() {
    let error = line(5, "Cart.Line").root().to::<Line>().expect_err("a number");
    assert_eq!(error.class(), Some("shop.Cart.Line.sku"));
    assert_eq!(error.to_string(), "shop.Cart.Line.sku: expected a str, found a value of type int");
}

#[test]
fn the_innermost_field_is_the_one_that_is_named() {
    let mut graph = Graph::new();
    let point = graph.instance("shop", "Point").attr("lat", "north").attr("lon", 2).build().expect("an instance");
    let list = graph.list([point]);
    graph.set_root(list);
    let error = graph.root().to::<Vec<Point>>().expect_err("text");
    assert_eq!(error.to_string(), "[0]: shop.Point.lat: expected a float, found a value of type str");
}

#[test]
fn errors_of_plain_dicts_name_the_value_or_key() {
    use super::types::Column;

    let error = |graph: Graph| graph.root().to::<Column>().expect_err("no column").to_string();
    assert_eq!(error(value!([1])), "expected a dict, found a value of type list");
    assert_eq!(error(value!({"title": "Sum"})), "Column.width: expected the key, found a dict without it");
    assert_eq!(
        error(value!({"title": "Sum", "width": 1000})),
        "Column.width: expected an integer that fits u8, found 1000"
    );
}

#[test]
fn too_deeply_nested_data_is_an_error_instead_of_an_overflow() {
    let mut graph = Graph::new();
    let mut inner = graph.add(());
    for _ in 0..100_000 {
        inner = graph.instance("shop", "Chain").attr("next", inner).build().expect("an instance");
    }
    graph.set_root(inner);
    let error = graph.root().to::<Chain>().expect_err("too deep");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().starts_with("next.next.next."), "{error}");
    assert!(
        error.to_string().ends_with(": shop.Chain.next: expected at most 128 nested values, found more"),
        "{error}"
    );
}

#[test]
fn writing_too_deeply_nested_rust_values_is_an_error() {
    let mut chain = Chain { next: None };
    for _ in 0..1000 {
        chain = Chain { next: Some(Box::new(chain)) };
    }
    let error = Pickler::new().to_vec(&chain).expect_err("too deep");
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn an_instance_that_contains_itself_is_an_error() {
    let mut graph = Graph::new();
    let node = graph.instance("shop", "Node").attr("next", ()).build().expect("an instance");
    graph.value_mut(node).set_attr("next", node).expect("an instance");
    graph.set_root(node);
    let error = graph.root().to::<Node>().expect_err("a cycle");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(
        error.to_string(),
        "shop.Node.next: expected a value without cycles, found an instance of shop.Node that contains itself"
    );
}

#[test]
fn shared_values_read_again_have_a_budget() {
    // Each list contains the previous one twice.
    let graph = {
        let mut graph = Graph::new();
        let mut list = graph.list([0u8; 0]);
        for _ in 0..30 {
            list = graph.list([list, list]);
        }
        graph.set_root(list);
        graph
    };
    let pickle = picklevm::dumps(graph.root()).expect("a pickle");
    let limits = Limits::default().shared(1 << 20);
    let error = Unpickler::new().limits(limits).from_slice::<Nested>(&pickle).expect_err("a billion lists");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("Limits::shared"), "{error}");
}

#[derive(Debug)]
struct Nested(#[expect(dead_code, reason = "it is only made")] Vec<Nested>);

impl<'g> picklevm::class::FromValue<'g> for Nested {
    fn from_value(
        value: picklevm::Value<'g>,
        context: &mut picklevm::class::ReadContext<'g>,
    ) -> picklevm::Result<Self> {
        value.items().map(|item| context.read(item)).collect::<Result<_, _>>().map(Nested)
    }
}

#[test]
fn slots_cannot_be_written_below_protocol_2_as_in_python() {
    for protocol in [Protocol::V0, Protocol::V1] {
        let error = Pickler::new().protocol(protocol).to_vec(&Size { width: 1, height: 2 }).expect_err("slots");
        assert_eq!(error.kind(), ErrorKind::Unrepresentable);
        assert_eq!(
            error.to_string(),
            format!(
                "shop.Size: expected protocol 2 or higher for a class with __slots__ and no __getstate__, \
                 found protocol {protocol}"
            )
        );
    }
}

#[test]
fn a_value_of_another_type_than_the_base_class_is_an_error() {
    #[derive(PickleClass)]
    #[pickle(module = "shop")]
    struct Index {
        #[pickle(base = "dict")]
        entries: Vec<i64>,
    }
    let error = Pickler::new().to_vec(&Index { entries: vec![1] }).expect_err("a list");
    assert_eq!(error.to_string(), "shop.Index: expected a value of type `dict`, found a value of type list");
}

#[test]
fn broken_pickles_are_errors() {
    assert_eq!(from_slice::<Point>(b"\x80\x04").expect_err("cut").kind(), ErrorKind::Truncated);
}

#[test]
fn the_path_to_the_wrong_value_is_reported() {
    #[derive(PickleClass, Debug)]
    #[pickle(module = "shop")]
    struct Cart {
        lines: Vec<(Line, Vec<u8>)>,
        sizes: std::collections::HashMap<String, Size>,
    }
    let mut graph = Graph::new();
    let good = graph.instance("shop", "Cart.Line").attr("sku", "a").attr("quantity", 1).build().expect("an instance");
    let bad = graph.instance("shop", "Cart.Line").attr("sku", 5).attr("quantity", 1).build().expect("an instance");
    let bytes = graph.list([1, 2]);
    let words = graph.list(["x"]);
    let size = graph.instance("shop", "Size").attr("width", 1).attr("height", "tall").build().expect("an instance");
    let mut error = |line, list, sizes: &[(&str, picklevm::Id)]| {
        let lines = graph.add(vec![(good, bytes), (line, list)]);
        let sizes = graph.dict(sizes.iter().copied()).expect("texts");
        let cart = graph.instance("shop", "Cart").attr("lines", lines).attr("sizes", sizes).build().expect("a cart");
        let carts = graph.list([cart]);
        graph.set_root(carts);
        graph.root().to::<Vec<Cart>>().expect_err("does not fit")
    };
    let in_line = error(bad, bytes, &[]);
    assert_eq!(in_line.path(), "[0].lines[1][0].sku".parse().expect("a path"));
    assert_eq!(in_line.to_string(), "[0].lines[1][0]: shop.Cart.Line.sku: expected a str, found a value of type int");
    assert_eq!(
        error(good, words, &[]).to_string(),
        "[0]: shop.Cart.lines[1][1][0]: expected an integer, found a value of type str"
    );
    assert_eq!(
        error(good, bytes, &[("xl", size)]).to_string(),
        "[0].sizes['xl']: shop.Size.height: expected an integer, found a value of type str"
    );
}

#[test]
fn text_with_surrogates_is_distinguished_from_other_types() {
    let graph = picklevm::loads(b"\x8c\x03\xed\xa0\x80.").expect("a pickle");
    let error = graph.root().to::<String>().expect_err("a surrogate");
    assert_eq!(error.to_string(), "expected a str without surrogates, found one with surrogates");
    let error = value!(5).root().to::<String>().expect_err("a number");
    assert_eq!(error.to_string(), "expected a str, found a value of type int");
}
