//! Rust types written as Python objects: shared names, classes by attribute or configuration, forms of enums.

use picklevm::serde::{Config, Instance, Variants, from_value, to_graph};
use serde::{Deserialize, Serialize};

#[track_caller]
fn written<T: Serialize>(value: T, python: &str) {
    assert_eq!(format!("{:?}", to_graph(&value).expect("written").root()), python);
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(rename = "geometry.Point")]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Serialize)]
#[serde(rename = "geometry:Outer.Inner")]
struct Inner;

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "geometry.Pair")]
struct Pair(u8, u8);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "geometry.Meters")]
struct Meters(f64);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename = "paint.Color")]
enum Color {
    #[serde(rename = "RED")]
    Red,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Shape {
    #[serde(rename = "geometry.Circle")]
    Circle { radius: f64 },
    #[serde(rename = "geometry.Span")]
    Span(u8, u8),
    #[serde(rename = "geometry.Nothing")]
    Nothing,
}

#[test]
fn a_name_with_a_dot_is_a_class() {
    written(Point { x: 1.0, y: 2.0 }, "geometry.Point() with state {'x': 1.0, 'y': 2.0}");
    written(Inner, "geometry:Outer.Inner() by newobj");
    written(Pair(1, 2), "geometry.Pair(1, 2)");
    written(Meters(1.5), "geometry.Meters(1.5) by newobj");
    written(Color::Red, "paint.Color.RED");
    written(Shape::Circle { radius: 1.0 }, "geometry.Circle() with state {'radius': 1.0}");
    written(Shape::Span(1, 2), "geometry.Span(1, 2)");
    written(Shape::Nothing, "geometry.Nothing() by newobj");
}

#[test]
fn types_written_as_classes_are_read_back() {
    let all = (
        Point { x: 1.0, y: 2.0 },
        Pair(1, 2),
        Meters(1.5),
        Color::Red,
        [Shape::Circle { radius: 1.0 }, Shape::Span(1, 2), Shape::Nothing],
    );
    let graph = to_graph(&all).expect("written");
    assert_eq!(from_value::<(Point, Pair, Meters, Color, [Shape; 3])>(graph.root()).expect("read"), all);
}

#[derive(Serialize)]
struct Plain {
    n: u8,
}

#[test]
fn the_configuration_sets_classes() {
    let config = Config::new().class("Plain", "shop.Plain");
    let graph = config.to_graph(&[Plain { n: 1 }, Plain { n: 2 }]).expect("written");
    assert_eq!(format!("{:?}", graph.root()), "(shop.Plain() with state {'n': 1}, shop.Plain() with state {'n': 2})");
    let [a, b] = graph.root().items().as_array().expect("two");
    let class = |value: picklevm::Value<'_>| value.as_object().expect("an object").class().id();
    assert_eq!(class(a), class(b), "the class is one value");
}

#[test]
fn names_are_one_value_everywhere() {
    let graph = to_graph(&[Plain { n: 1 }, Plain { n: 2 }]).expect("written");
    let [a, b] = graph.root().items().as_array().expect("two");
    let key = |value: picklevm::Value<'_>| value.entries().next().expect("a key").0.id();
    assert_eq!(key(a), key(b));
}

#[test]
fn texts_of_one_character_are_one_value_as_in_cpython() {
    let graph = to_graph(&("a", 'a', "", "", "é", "é", "€", "€")).expect("written");
    let ids: Vec<_> = graph.root().items().map(|item| item.id()).collect();
    assert_eq!((ids[0], ids[2], ids[4]), (ids[1], ids[3], ids[5]));
    assert_ne!(ids[6], ids[7]);
}

#[test]
fn enums_are_written_as_tuples_if_configured() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Plain {
        Unit,
        New(u8),
        Pair(u8, u8),
        Struct { a: u8 },
    }
    let config = Config::new().variants(Variants::Tuple);
    let all = [Plain::Unit, Plain::New(1), Plain::Pair(1, 2), Plain::Struct { a: 1 }];
    let graph = config.to_graph(&all).expect("written");
    assert_eq!(format!("{:?}", graph.root()), "(('Unit',), ('New', 1), ('Pair', (1, 2)), ('Struct', {'a': 1}))");
    assert_eq!(from_value::<[Plain; 4]>(graph.root()).expect("read"), all);
}

#[test]
fn an_instance_is_written_with_its_class_arguments_and_state() {
    let instance = Instance { class: "m.Thing".into(), args: (), state: Plain { n: 1 } };
    written(instance, "m.Thing() with state {'n': 1}");
    let error = Instance { class: "builtins.KeyError".to_owned(), args: ("k",), state: () };
    written(error, "KeyError('k')");
    let nowhere = Instance { class: "Thing".to_owned(), args: (), state: () };
    assert_eq!(to_graph(&nowhere).map(drop).expect_err("no module").to_string(), "the class \"Thing\" has no module");
}

#[test]
fn big_integers_are_integers() {
    #[derive(Serialize)]
    struct Big(#[serde(with = "picklevm::serde::bigint")] num_bigint::BigInt);
    for shift in [0u8, 61, 64, 200] {
        let value = -(num_bigint::BigInt::from(1) << shift);
        let graph = to_graph(&Big(value.clone())).expect("written");
        assert_eq!(graph.root().as_int().map(|int| int.to_bigint()), Some(value));
    }
}

#[test]
fn equal_values_are_written_as_equal_pickles() {
    let data = vec![(Point { x: 1.0, y: 2.0 }, Some("text")); 3];
    let form = |data: &_| {
        let mut out = Vec::new();
        let graph = to_graph(data).expect("written");
        picklevm::write_graph_form(graph.root(), &mut out).expect("written");
        out
    };
    assert_eq!(form(&data), form(&data.clone()));
}
