//! What is kept of an instance that is read, changed and written; enums; ordered maps.

use indexmap::{IndexMap, IndexSet};
use picklevm::class::{self, Rest};
use picklevm::{Graph, PickleClass, Pickler, Protocol};

#[derive(PickleClass, Debug, PartialEq, Clone)]
#[pickle(module = ["shop", "oldshop"])]
struct User {
    name: String,
    #[pickle(default)]
    phone: Option<String>,
    #[pickle(rename = "class", alias = "klass", default)]
    class_: u8,
    #[pickle(rest)]
    rest: Rest,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", state = "slots")]
struct Slotted {
    a: u8,
    #[pickle(rest)]
    rest: Rest,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(dict)]
struct Options {
    width: u8,
    #[pickle(rest)]
    rest: Rest,
}

/// Reads a value as a type, and writes it again at every protocol.
fn again<T: class::FromValueOwned + class::ToValue>(graph: &Graph) -> Vec<String> {
    let value: T = graph.root().to().expect("read");
    (2..=5)
        .map(|protocol| {
            let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
            let pickle = pickler.to_vec(&value).expect("written");
            format!("{:?}", picklevm::loads(pickle).expect("loads").root())
        })
        .collect()
}

#[test]
fn attributes_without_a_field_are_written_back_in_their_places() {
    let mut graph = Graph::new();
    let tags = graph.set([1]).expect("a set");
    let user = graph.instance("shop", "User").attr("id", 7).attr("name", "Ann").attr("tags", tags).build();
    graph.set_root(user.expect("an instance"));
    for written in again::<User>(&graph) {
        assert_eq!(written, "shop.User() with state {'id': 7, 'name': 'Ann', 'tags': {1}, 'class': 0}");
    }
}

#[test]
fn an_instance_that_is_not_changed_is_written_byte_for_byte() {
    let mut graph = Graph::new();
    let user = graph.instance("shop", "User").attr("class", 1).attr("x", 2).attr("name", "Ann").build();
    graph.set_root(user.expect("an instance"));
    let pickle = picklevm::dumps(graph.root()).expect("written");
    let read: User = class::from_slice(&pickle).expect("read");
    assert_eq!(class::to_vec(&read).expect("written"), pickle);
}

#[test]
fn a_missing_attribute_is_written_once_it_has_a_value() {
    let mut graph = Graph::new();
    let user = graph.instance("shop", "User").attr("name", "Ann").attr("klass", 1).build();
    graph.set_root(user.expect("an instance"));
    let mut read: User = graph.root().to().expect("read");
    let show = |user: &User| format!("{:?}", Pickler::new().to_graph(user).expect("written").root());
    assert_eq!(show(&read), "shop.User() with state {'name': 'Ann', 'class': 1}");
    read.phone = Some("1".into());
    read.rest.insert("new", 5.into());
    assert_eq!(show(&read), "shop.User() with state {'name': 'Ann', 'class': 1, 'new': 5, 'phone': '1'}");
    assert_eq!(read.rest.remove("new").map(|graph| graph.root().as_i64()), Some(Some(5)));
    assert_eq!(
        (read.rest.get("new").is_none(), read.rest.remove("name").is_none(), read.rest.is_empty()),
        (true, true, true)
    );
}

#[test]
fn a_new_instance_has_its_fields_in_order() {
    let user = User { name: "Ann".into(), phone: None, class_: 1, rest: Rest::default() };
    let graph = Pickler::new().to_graph(&user).expect("written");
    assert_eq!(format!("{:?}", graph.root()), "shop.User() with state {'name': 'Ann', 'phone': None, 'class': 1}");
}

#[test]
fn a_class_that_moved_is_read_from_its_old_module() {
    let mut graph = Graph::new();
    let user = graph.instance("oldshop", "User").attr("name", "Ann").build();
    graph.set_root(user.expect("an instance"));
    assert_eq!(again::<User>(&graph)[0], "shop.User() with state {'name': 'Ann', 'class': 0}");
}

#[test]
fn slots_and_keys_of_dicts_are_kept_too() {
    let graph =
        picklevm::loads(b"\x80\x02cshop\nSlotted\n)\x81}X\x01\0\0\0dK\x01s}(X\x01\0\0\0bK\x02X\x01\0\0\0aK\x03u\x86b.");
    let graph = graph.expect("loads");
    let shown = format!("{:?}", graph.root());
    for written in again::<Slotted>(&graph) {
        assert_eq!(written, shown);
    }
    let graph = picklevm::value!({"x": 1, "width": 2, 5: 6});
    for written in again::<Options>(&graph) {
        assert_eq!(written, "{'x': 1, 'width': 2, 5: 6}");
    }
}

#[derive(PickleClass, Debug, PartialEq, Clone, Copy)]
#[pickle(module = "paint", name = "Palette.Color", alias = "oldpaint.Color")]
enum Color {
    #[pickle(rename = "RED")]
    Red = 1,
    #[pickle(rename = "GREEN", value = "green")]
    Green,
    #[pickle(rename = "BLUE")]
    Blue,
}

#[test]
fn enums_are_members_by_value_or_name() {
    let colors = vec![Color::Red, Color::Green, Color::Blue, Color::Red];
    for protocol in 0..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let pickle = pickler.to_vec(&colors).expect("written");
        assert_eq!(class::from_slice::<Vec<Color>>(&pickle).expect("read"), colors, "protocol {protocol}");
    }
    let graph = Pickler::new().to_graph(&colors).expect("written");
    assert_eq!(graph.root().at(0).id(), graph.root().at(3).id(), "one value");
    assert_eq!(format!("{:?}", graph.root().at(1)), "paint:Palette.Color('green')",);
}

#[test]
fn a_member_is_read_in_every_form_and_no_other_value() {
    let mut graph = Graph::new();
    let class = graph.global("oldpaint", "Color");
    let by_value = graph.enum_member(class, 1);
    let global = graph.global("oldpaint", "Color.BLUE");
    let wrong = graph.enum_member(class, 3);
    let other = graph.global("other", "Color");
    let other = graph.enum_member(other, 1);
    let read = |id| graph.value(id).to::<Color>();
    assert_eq!((read(by_value).ok(), read(global).ok()), (Some(Color::Red), Some(Color::Blue)));
    assert_eq!(
        read(wrong).expect_err("no such member").to_string(),
        "expected a member of paint.Palette.Color, found oldpaint.Color(3)"
    );
    assert!(read(other).is_err());
    assert!(picklevm::value!(1).root().to::<Color>().is_err());
}

#[test]
fn ordered_maps_have_the_order_of_python() {
    let map: IndexMap<String, IndexSet<i64>> =
        [("z", [3, 1]), ("a", [2, 0])].map(|(key, set)| (key.to_owned(), set.into())).into();
    let graph = Graph::from(map.clone());
    assert_eq!(format!("{:?}", graph.root()), "{'z': {3, 1}, 'a': {2, 0}}");
    let by_class = class::to_vec(&map).expect("written");
    assert_eq!(format!("{:?}", picklevm::loads(&by_class).expect("loads").root()), "{'z': {3, 1}, 'a': {2, 0}}");
    let read: IndexMap<String, IndexSet<i64>> = class::from_slice(&by_class).expect("read");
    assert!(read.keys().eq(map.keys()) && read["z"].iter().eq(&[3, 1]));
    let by_serde = picklevm::serde::to_vec(&map).expect("written");
    let read: IndexMap<String, IndexSet<i64>> = picklevm::serde::from_slice(&by_serde).expect("read");
    assert!(read.keys().eq(map.keys()) && read["z"].iter().eq(&[3, 1]));
}
