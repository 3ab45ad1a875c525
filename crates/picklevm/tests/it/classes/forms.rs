//! Tests of the derive macro's options.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use picklevm::class::{ClassDef, byte_str, from_slice, to_vec};
use picklevm::{Graph, PickleClass, Pickler, PicklerVersion, Protocol, same_graph, value};

fn graph_of<T: picklevm::class::ToValue>(value: &T) -> String {
    format!("{:?}", Pickler::new().to_graph(value).expect("a graph").root())
}

/// An instance of `shop.NAME` with these attributes.
fn instance(name: &str, attributes: &[(&str, i64)]) -> Graph {
    let mut graph = Graph::new();
    let mut instance = graph.instance("shop", name);
    for (name, value) in attributes {
        instance = instance.attr(name, *value);
    }
    let instance = instance.build().expect("an instance");
    graph.set_root(instance);
    graph
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", alias = "oldshop.Thing", alias = "oldshop:Cart.Thing")]
struct Thing {
    #[pickle(rename = "class", alias = "klass", alias = "cls")]
    class_: i64,
    #[pickle(default)]
    count: i64,
    #[pickle(default = one)]
    factor: i64,
    #[pickle(skip)]
    cached: Option<String>,
    #[pickle(skip, default = one)]
    ones: i64,
    r#type: i64,
}

fn one() -> i64 {
    1
}

/// Borrows from the graph. `K` may, too.
#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
struct Borrowed<'a, 'b, K> {
    name: &'a str,
    data: &'b [u8],
    #[pickle(default)]
    note: Option<Cow<'a, str>>,
    parts: Vec<(&'a str, K)>,
    inner: Option<Box<Borrowed<'a, 'b, K>>>,
}

#[test]
fn fields_borrow_from_the_graph() {
    let inner = Borrowed { name: "in", data: b"", note: Some("old".into()), parts: vec![], inner: None };
    let one = Borrowed {
        name: "out",
        data: b"\xff\0",
        note: None,
        parts: vec![("a", Cow::Borrowed(&b"xyz"[..])), ("bc", Cow::Owned(vec![1, 2]))],
        inner: Some(Box::new(inner)),
    };
    let graph = {
        let pickle = to_vec(&one).expect("written");
        picklevm::loads(pickle).expect("a graph")
    };
    let read: Borrowed<'_, '_, Cow<'_, [u8]>> = graph.root().to().expect("read");
    assert_eq!(read, one);
    assert_eq!(to_vec(&read).expect("written"), to_vec(&one).expect("written"));
    let data = graph.root().attr("data").and_then(|data| data.as_bytes()).expect("bytes");
    assert!(std::ptr::eq(read.data, data) && matches!(read.parts[1].1, Cow::Borrowed(_)));
}

#[test]
fn borrowed_text_and_bytes_have_the_types_of_owned_ones() {
    let graph = value!(["text", 7]);
    let [text, number] = [0, 1].map(|at| graph.root().at(at));
    assert_eq!(text.to::<&str>().expect("text"), "text");
    assert_eq!(number.to::<&str>().expect_err("a number").to_string(), "expected a str, found a value of type int");
    assert_eq!(text.to::<&[u8]>().expect_err("text").to_string(), "expected bytes, found a value of type str");
    let old = picklevm::loads(b"U\x02ab.").expect("an 8-bit string");
    assert_eq!((old.root().to::<&str>(), old.root().to::<&[u8]>()).0.expect("text"), "ab");
    assert_eq!(old.root().to::<Cow<'_, [u8]>>().expect("bytes"), &b"ab"[..]);
}

#[test]
fn a_macro_may_define_the_fields() {
    macro_rules! class {
        ($name:ident { $($field:ident: $type:ty,)* }) => {
            #[derive(PickleClass, Debug, PartialEq)]
            #[pickle(module = "shop")]
            struct $name { $(#[pickle(default)] $field: $type,)* }
        };
    }
    class! { Size { width: i64, height: Option<i64>, } }
    let size = instance("Size", &[("width", 7)]).root().to::<Size>().expect("a size");
    assert_eq!(size, Size { width: 7, height: None });
    assert_eq!(graph_of(&size), "shop.Size() with state {'width': 7, 'height': None}");
}

const THING: Thing = Thing { class_: 7, count: 0, factor: 1, cached: None, ones: 1, r#type: 2 };

#[test]
fn renamed_fields_have_their_new_name_and_skipped_fields_are_not_written() {
    assert_eq!(graph_of(&THING), "shop.Thing() with state {'class': 7, 'count': 0, 'factor': 1, 'type': 2}");
}

#[test]
fn aliases_are_read_and_missing_fields_get_their_default() {
    for name in ["class", "klass", "cls"] {
        assert_eq!(instance("Thing", &[(name, 7), ("type", 2)]).root().to::<Thing>().expect(name), THING);
    }
}

#[test]
fn attributes_without_a_field_are_ignored() {
    let graph = instance("Thing", &[("class", 7), ("type", 2), ("colour", 3)]);
    assert_eq!(graph.root().to::<Thing>().expect("read"), THING);
}

#[test]
fn classes_with_an_alias_are_read() {
    for (module, name) in [("oldshop", "Thing"), ("oldshop", "Cart.Thing")] {
        let mut graph = instance("Thing", &[("class", 7), ("type", 2)]);
        let class = graph.global(module, name);
        graph.root_mut().set_class(class).expect("an instance");
        assert_eq!(graph.root().to::<Thing>().expect(name), THING);
    }
    assert!(Thing::CLASS.is_called("shop", "Thing"));
    assert!(!Thing::CLASS.is_called("oldshop", "Cart"));
}

#[test]
fn a_standard_library_class_is_read_under_both_its_names() {
    #[derive(PickleClass, Debug, PartialEq)]
    #[pickle(module = "socketserver")]
    struct BaseServer {
        port: u16,
    }
    let server = BaseServer { port: 80 };
    for protocol in [Protocol::V2, Protocol::V3] {
        let pickle = Pickler::new().protocol(protocol).to_vec(&server).expect("written");
        assert_eq!(pickle.windows(12).any(|at| at == b"SocketServer"), protocol == Protocol::V2);
        assert_eq!(from_slice::<BaseServer>(&pickle).expect("read"), server);
    }
}

#[test]
fn attributes_are_read_from_a_dict_and_from_slots_whichever_the_class_has_today() {
    let size = super::types::Size { width: 3, height: 4 };
    assert_eq!(instance("Size", &[("width", 3), ("height", 4)]).root().to::<super::types::Size>().expect("read"), size);
    let mut graph = Graph::new();
    let state = value!(in graph, ({"width": 3}, {"height": 4}));
    let instance = graph.instance("shop", "Size").state(state).build().expect("an instance");
    assert_eq!(graph.value(instance).to::<super::types::Size>().expect("read"), size);
}

#[test]
fn a_state_that_is_a_tuple_may_end_early_where_fields_have_defaults() {
    #[derive(PickleClass, Debug, PartialEq)]
    #[pickle(module = "shop", state = "tuple")]
    struct Record {
        id: i64,
        #[pickle(default)]
        added_later: i64,
    }
    let mut graph = Graph::new();
    let old = graph.instance("shop", "Record").state((7,)).build().expect("an instance");
    assert_eq!(graph.value(old).to::<Record>().expect("read"), Record { id: 7, added_later: 0 });
    assert_eq!(graph_of(&Record { id: 7, added_later: 8 }), "shop.Record() with state (7, 8)");
}

#[test]
fn a_hook_reads_states_of_every_version() {
    #[derive(PickleClass, Debug, PartialEq)]
    #[pickle(module = "shop", getstate = Self::getstate, setstate = Self::setstate)]
    struct Config {
        entries: HashMap<String, i64>,
        version: u8,
    }
    impl Config {
        fn getstate(&self) -> (u8, &HashMap<String, i64>) {
            (self.version, &self.entries)
        }

        /// Version 1 had only the entries.
        fn setstate(&mut self, state: Graph) -> picklevm::Result<()> {
            (self.version, self.entries) = match state.root().as_dict() {
                Some(_) => (1, state.root().to()?),
                None => state.root().to()?,
            };
            Ok(())
        }
    }
    let entries = HashMap::from([("depth".to_owned(), 3)]);
    let first = instance("Config", &[("depth", 3)]);
    assert_eq!(first.root().to::<Config>().expect("read"), Config { entries: entries.clone(), version: 1 });
    let second = Config { entries, version: 2 };
    assert_eq!(graph_of(&second), "shop.Config() with state (2, {'depth': 3})");
    assert_eq!(from_slice::<Config>(&to_vec(&second).expect("written")).expect("read"), second);
}

#[test]
fn an_error_of_a_hook_names_the_hook() {
    #[derive(PickleClass, Debug)]
    #[pickle(module = "shop", setstate = Self::setstate)]
    struct Picky {}
    impl Picky {
        fn setstate(&mut self, _: Graph) -> picklevm::Result<()> {
            Err(picklevm::Error::other("not this one"))
        }
    }
    let error = instance("Picky", &[("a", 1)]).root().to::<Picky>().expect_err("it is picky");
    assert_eq!(error.to_string(), "shop.Picky.__setstate__: not this one");
}

#[test]
fn a_generic_type_maps_to_a_class_with_any_content() {
    #[derive(PickleClass, Debug, PartialEq)]
    #[pickle(module = "shop")]
    struct Box2<T, const N: usize> {
        content: [T; N],
    }
    let boxed = Box2 { content: [Some("a".to_owned()), None] };
    assert_eq!(from_slice::<Box2<Option<String>, 2>>(&to_vec(&boxed).expect("written")).expect("read"), boxed);
    assert!(from_slice::<Box2<Option<String>, 3>>(&to_vec(&boxed).expect("written")).is_err());
}

#[test]
fn shared_pointers_are_one_value_and_a_shared_value_is_one_pointer() {
    let shared = Arc::new(vec![1, 2]);
    let pickle = to_vec(&[shared.clone(), shared, Arc::new(vec![1, 2])]).expect("written");
    let graph = picklevm::loads(&pickle).expect("loaded");
    let [a, b, c] = graph.root().items().as_array().expect("three");
    assert!(a.is(b) && !a.is(c));
    let [a, b, c]: [Rc<Vec<i64>>; 3] = from_slice(&pickle).expect("read");
    assert!(Rc::ptr_eq(&a, &b) && !Rc::ptr_eq(&a, &c));
    let names = [Arc::<str>::from("ann"), "bob".into()];
    let names = [names[0].clone(), names[1].clone(), names[0].clone()];
    let [a, _, b]: [Arc<str>; 3] = from_slice(&to_vec(&names).expect("written")).expect("read");
    assert!(Arc::ptr_eq(&a, &b));
}

#[test]
fn values_made_by_a_hook_are_distinct() {
    // The `Arc` of each state is freed before the next is made, probably at the same address.
    #[derive(PickleClass)]
    #[pickle(module = "shop", getstate = Self::getstate)]
    struct Fresh {
        #[pickle(skip)]
        number: i64,
    }
    impl Fresh {
        fn getstate(&self) -> Arc<Vec<i64>> {
            Arc::new(vec![self.number])
        }
    }
    let many: Vec<_> = (0..100).map(|number| Fresh { number }).collect();
    let graph = Pickler::new().to_graph(&many).expect("a graph");
    for (number, item) in (0..).zip(graph.root().items()) {
        assert_eq!(item.as_object().and_then(|o| o.state()).expect("a state").at(0).as_i64(), Some(number));
    }
}

#[test]
fn names_of_attributes_and_classes_are_shared_and_other_texts_are_not() {
    #[derive(PickleClass)]
    #[pickle(module = "shop")]
    struct Named {
        shop: String,
    }
    let two = [Named { shop: "same text".into() }, Named { shop: "same text".into() }];
    let pickle = to_vec(&two).expect("written");
    let count = |text: &[u8]| pickle.windows(text.len()).filter(|at| *at == text).count();
    // The module and the attribute are one interned string.
    assert_eq!((count(b"shop"), count(b"Named"), count(b"same text")), (1, 1, 2));
}

#[test]
fn eight_bit_strings_are_read_as_text_and_written_if_a_field_is_one() {
    #[derive(PickleClass, Debug, PartialEq)]
    #[pickle(module = "shop")]
    struct User {
        #[pickle(with = byte_str)]
        name: String,
        plain: String,
    }
    let user = User { name: "ann".into(), plain: "bob".into() };
    let pickler = Pickler::new().protocol(Protocol::V2).writer("2.7-py".parse::<PicklerVersion>().expect("a writer"));
    let pickle = pickler.to_vec(&user).expect("written");
    assert!(pickle.windows(5).any(|at| at == b"U\x03ann"), "{}", pickle.escape_ascii());
    assert!(pickle.windows(8).any(|at| at == b"X\x03\0\0\0bob"), "{}", pickle.escape_ascii());
    assert_eq!(from_slice::<User>(&pickle).expect("read"), user);
}

#[test]
fn collections_are_read_from_the_containers_that_they_are_written_as() {
    type Collections = (HashSet<u8>, BTreeSet<char>, VecDeque<bool>, HashMap<i64, String>, (), Box<[u8; 2]>);
    let collections: Collections = (
        HashSet::from([5]),
        BTreeSet::from(['a', 'b']),
        VecDeque::from([true, false]),
        HashMap::from([(-1, "minus".to_owned())]),
        (),
        Box::new([1, 2]),
    );
    assert_eq!(graph_of(&collections), r"({5}, {'a', 'b'}, [True, False], {-1: 'minus'}, None, b'\x01\x02')");
    for protocol in 0..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let pickle = pickler.to_vec(&collections).expect("written");
        assert_eq!(from_slice::<Collections>(&pickle).expect("read"), collections);
    }
}

#[test]
fn a_graph_is_a_field_of_any_value() {
    #[derive(PickleClass)]
    #[pickle(module = "shop")]
    struct Event {
        payload: Graph,
    }
    let event = Event { payload: value!({"a": [1, (2, None)]}) };
    let again: Event = from_slice(&to_vec(&event).expect("written")).expect("read");
    assert!(same_graph(again.payload.root(), event.payload.root()));
}

#[test]
fn a_namedtuple_may_also_have_attributes() {
    #[derive(PickleClass, Debug, PartialEq)]
    #[pickle(module = "shop", namedtuple)]
    struct Tagged {
        first: i64,
        second: i64,
        #[pickle(attr)]
        tag: String,
    }
    let tagged = Tagged { first: 1, second: 2, tag: "new".into() };
    assert_eq!(graph_of(&tagged), "shop.Tagged(1, 2) with state {'tag': 'new'}");
    for protocol in [Protocol::V0, Protocol::V2, Protocol::V5] {
        let pickle = Pickler::new().protocol(protocol).to_vec(&tagged).expect("written");
        assert_eq!(from_slice::<Tagged>(&pickle).expect("read"), tagged);
    }
}

#[test]
fn arguments_are_read_below_protocol_2_from_the_state_alone() {
    #[derive(PickleClass, Debug)]
    #[pickle(module = "shop")]
    struct Argued {
        #[pickle(arg)]
        x: i64,
    }
    let pickler = Pickler::new().protocol(Protocol::V1);
    let error = from_slice::<Argued>(&pickler.to_vec(&Argued { x: 1 }).expect("written")).expect_err("as in Python");
    assert_eq!(error.to_string(), "shop.Argued.x: expected argument 0, found an instance without it");
    assert_eq!(from_slice::<Argued>(&to_vec(&Argued { x: 1 }).expect("written")).expect("read").x, 1);
}

#[cfg(feature = "serde")]
#[test]
fn a_field_may_be_read_and_written_by_serde() {
    #[derive(PickleClass, Debug, PartialEq)]
    #[pickle(module = "shop")]
    struct Order {
        id: u32,
        #[pickle(serde)]
        placed: chrono::NaiveDate,
    }
    let mut graph = Graph::new();
    let date = graph.call("datetime", "date").arg(b"\x07\xde\x03\x09").build().expect("a call");
    let order = graph.instance("shop", "Order").attr("id", 7).attr("placed", date).build().expect("an instance");
    let order: Order = graph.value(order).to().expect("read");
    assert_eq!(order.placed.to_string(), "2014-03-09");
    assert_eq!(graph_of(&order), "shop.Order() with state {'id': 7, 'placed': '2014-03-09'}");
}

#[test]
fn a_class_definition_returns_its_names() {
    const DEF: ClassDef = ClassDef::new("shop.cart", "Cart.Line");
    assert_eq!((DEF.module(), DEF.name(), &*DEF.to_string()), ("shop.cart", "Cart.Line", "shop.cart.Cart.Line"));
}
