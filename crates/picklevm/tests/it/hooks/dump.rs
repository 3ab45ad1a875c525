//! The hooks of `Pickler`, compared with the bytes that CPython writes with the same hooks.

use std::sync::Arc;

use picklevm::{
    Call, Construct, DispatchTable, Error, ErrorKind, Extensions, Graph, Id, NativeObject, Pickler, Protocol,
    ReduceContext, Registry, Resolver, Result, Standard, Symbolic, Unpickler, Value, persistent_resolver,
};

use super::vectors::{Vector, vectors};
use crate::support::random_graph;

/// The class of the vectors.
#[derive(Debug)]
struct Point {
    x: i64,
    y: i64,
}

impl NativeObject for Point {
    fn class_name(&self) -> &str {
        "geometry.Point"
    }

    fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
        value.call("geometry", "Point").arg(self.x).arg(self.y).build()
    }
}

impl Construct for Point {
    fn construct(call: &Call<'_>) -> Result<Self> {
        let [x, y] = call.args_array()?;
        Ok(Point { x: x.try_into()?, y: y.try_into()? })
    }
}

/// A table row, identified by its id as text of the graph form.
#[derive(Debug)]
struct Row(Id);

impl NativeObject for Row {}

fn protocol(vector: &Vector) -> Protocol {
    vector.name.rsplit_once('-').unwrap().1.parse().unwrap()
}

fn load_points(pickle: &[u8]) -> Graph {
    let mut registry = Registry::new();
    registry.class::<Point>("geometry.Point");
    Unpickler::new().resolver(registry).loads(pickle).unwrap()
}

/// Two references to one instance of geometry.Point, with its attributes as state.
fn symbolic_points() -> Graph {
    let mut graph = Graph::new();
    let point = graph.instance("geometry", "Point").attr("x", 1).attr("y", 2).build().unwrap();
    graph.set_root([point, point]);
    graph
}

fn attributes(value: Value<'_>) -> Option<(i64, i64)> {
    let object = value.as_object()?;
    Some((object.attr("x")?.as_i64()?, object.attr("y")?.as_i64()?))
}

#[test]
fn native_objects_are_written_as_their_reduction() {
    for vector in vectors("dispatch-") {
        let graph = load_points(&vector.pickle);
        assert!(graph.root().items().all(|item| item.downcast_ref::<Point>().is_some()));
        let written = Pickler::new().protocol(protocol(&vector)).dumps(graph.root()).unwrap();
        assert_eq!(written, vector.pickle, "{}", vector.name);
    }
}

#[test]
fn a_dispatch_table_reduces_instances_of_a_class() {
    let table = Arc::new(DispatchTable::new().reduce("geometry.Point", |point| {
        let (x, y) = attributes(point.this()).ok_or_else(|| Error::other("a point has two attributes"))?;
        point.call("geometry", "Point").arg(x).arg(y).build()
    }));
    for vector in vectors("dispatch-") {
        let pickler = Pickler::new().protocol(protocol(&vector)).dispatch_table(table.clone());
        assert_eq!(pickler.dumps(symbolic_points().root()).unwrap(), vector.pickle, "{}", vector.name);
    }
}

#[test]
fn reducer_override_precedes_the_dispatch_table() {
    let table = DispatchTable::new().reduce("geometry.Point", |_| Err(Error::other("not asked")));
    let pickler = Pickler::new().dispatch_table(table).reducer_override(|value| match attributes(value.this()) {
        Some((x, y)) => value.call("geometry", "Point").arg(x).arg(y).build().map(Some),
        None => Ok(None),
    });
    for vector in vectors("override-") {
        let pickler = pickler.clone().protocol(protocol(&vector));
        assert_eq!(pickler.dumps(symbolic_points().root()).unwrap(), vector.pickle, "{}", vector.name);
    }
}

#[test]
fn a_private_dispatch_table_does_not_affect_other_picklers() {
    let table = DispatchTable::new().reduce("geometry.Point", |point| Ok(point.global("geometry", "ORIGIN")));
    let with = Pickler::new().dispatch_table(table).dumps(symbolic_points().root()).unwrap();
    let without = Pickler::new().dumps(symbolic_points().root()).unwrap();
    let show = |pickle| format!("{:?}", Unpickler::new().resolver(Symbolic).loads(pickle).unwrap().root());
    assert_eq!(show(with), "[geometry.ORIGIN, geometry.ORIGIN]");
    assert_eq!(show(without), "[&1 geometry.Point() with state {'x': 1, 'y': 2}, *1]");
}

#[test]
fn persistent_ids_precede_all_other_hooks() {
    for vector in vectors("persid-") {
        let resolver = persistent_resolver(|_, pid| Ok(Row(pid))).or(Standard);
        let graph = Unpickler::new().resolver(resolver).loads(&vector.pickle).unwrap();
        let pickler = Pickler::new()
            .protocol(protocol(&vector))
            .persistent_id(|value| Ok(value.this().downcast_ref::<Row>().map(|row| row.0)))
            .reducer_override(|value| match value.this().as_native() {
                Some(_) => Err(Error::other("not asked")),
                None => Ok(None),
            });
        let written = pickler.dumps(graph.root()).unwrap();
        let show = |pickle: &[u8]| format!("{:?}", picklevm::loads(pickle).unwrap().root());
        assert_eq!(show(&written), show(&vector.pickle), "{}", vector.name);
        // Each reference has its own id in the graph; CPython had one object for both.
        if vector.name.starts_with("persid-text-0") {
            assert_eq!(written, vector.pickle);
        }
    }
}

#[test]
fn a_persistent_id_that_is_not_a_line_of_text_is_an_error_at_protocol_0() {
    let pickler = Pickler::new().persistent_id(|value| {
        let is_row = value.this().downcast_ref::<Row>().is_some();
        Ok(is_row.then(|| value.add(("row", 7))))
    });
    let mut graph = Graph::new();
    let id = graph.add(0);
    let row = graph.native_object(Row(id));
    graph.set_root(row);
    assert!(pickler.clone().protocol(Protocol::V1).dumps(graph.root()).is_ok());
    let error = pickler.protocol(Protocol::V0).dumps(graph.root()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unrepresentable);
    assert!(error.expected().contains("protocol 0"), "{error}");
}

#[test]
fn extension_codes_of_each_width_are_written_back() {
    for vector in vectors("extension-") {
        let code = i32::from_str_radix(vector.name.split('-').nth(1).unwrap(), 16).unwrap();
        let extensions = Extensions::new().add("geometry.Point", code).unwrap();
        let graph = Unpickler::new().resolver(extensions.clone()).loads(&vector.pickle).unwrap();
        let pickler = Pickler::new().protocol(protocol(&vector)).extensions(extensions);
        assert_eq!(pickler.dumps(graph.root()).unwrap(), vector.pickle, "{}", vector.name);
    }
}

#[test]
fn out_of_band_buffers_are_written_and_loaded_without_a_copy() {
    for name in ["buffers-outside", "buffers-inside", "buffers-first-inside"] {
        let vector = vectors(name).remove(0);
        let graph = Unpickler::new().buffers(vector.buffers.clone()).loads(&vector.pickle).unwrap();
        let (sender, taken) = std::sync::mpsc::channel();
        let pickler = Pickler::new().protocol(Protocol::V5).buffer_callback(move |buffer| {
            let data = buffer.data().expect("the bytes were given").clone();
            sender.send(data).is_ok()
        });
        assert_eq!(pickler.dumps(graph.root()).unwrap(), vector.pickle, "{name}");
        drop(pickler);
        let taken: Vec<_> = taken.iter().collect();
        assert_eq!(taken, vector.buffers);
        assert!(taken.iter().zip(&vector.buffers).all(|(taken, given)| taken.as_ptr() == given.as_ptr()));
    }
}

#[test]
fn a_native_object_without_a_reduction_is_an_error_that_names_it() {
    #[derive(Debug)]
    struct Socket;
    impl NativeObject for Socket {
        fn class_name(&self) -> &str {
            "net.Socket"
        }
    }
    let mut graph = Graph::new();
    let socket = graph.native_object(Socket);
    graph.set_root([socket]);
    let mut out = Vec::new();
    let error = Pickler::new().dump(graph.root(), &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "net.Socket: expected a native object that can be pickled (NativeObject::reduce), found one that cannot"
    );
    assert!(out.is_empty());
}

#[test]
fn values_created_by_hooks_are_not_added_to_the_graph() {
    let graph = load_points(&vectors("dispatch-4")[0].pickle);
    let before = format!("{:?}", graph.root());
    Pickler::new().dumps(graph.root()).unwrap();
    assert_eq!(format!("{:?}", graph.root()), before);
}

/// A point with a state setter function.
#[derive(Debug)]
struct Moved(Point);

impl NativeObject for Moved {
    fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
        let Moved(Point { x, y }) = *self;
        value.call("geometry", "Point").arg(0).arg(0).state((x, y)).state_setter("geometry", "move_to").build()
    }
}

#[test]
fn a_state_setter_is_called_instead_of_build() {
    for vector in vectors("setter-") {
        let mut graph = Graph::new();
        let point = graph.native_object(Moved(Point { x: 1, y: 2 }));
        graph.set_root([point, point]);
        let pickler = Pickler::new().protocol(protocol(&vector));
        assert_eq!(pickler.dumps(graph.root()).unwrap(), vector.pickle, "{}", vector.name);
    }
}

#[test]
fn a_state_setter_changes_its_native_object_argument() {
    let mut registry = Registry::new();
    registry.class::<Point>("geometry.Point").function("geometry.move_to", |call| {
        let [point, state] = call.args_array()?;
        let (point, (x, y)) = (point.id(), state.try_into()?);
        *call.native_mut::<Point>(point)?.ok_or_else(|| Error::other("no point"))? = Point { x, y };
        Ok(call.add(()))
    });
    let unpickler = Unpickler::new().resolver(registry);
    for vector in vectors("setter-") {
        let graph = unpickler.loads(&vector.pickle).unwrap();
        let points: Vec<&Point> = graph.root().items().filter_map(|item| item.downcast_ref()).collect();
        assert!(matches!(points[..], [Point { x: 1, y: 2 }, Point { x: 1, y: 2 }]), "{}: {points:?}", vector.name);
    }
}

#[test]
fn hooks_and_native_objects_work_in_a_stream_of_pickles_with_one_memo() {
    #[derive(Debug)]
    struct Row(&'static str);
    impl NativeObject for Row {}
    for vector in vectors("several-") {
        let mut graph = Graph::new();
        let point = graph.native_object(Point { x: 1, y: 2 });
        let row = graph.native_object(Row("row:7"));
        let (alone, both) = (graph.list([point]), graph.list([row, point]));
        let again = graph.list([point]);
        let pickler = Pickler::new().protocol(protocol(&vector)).persistent_id(|value| {
            let row = value.this().downcast_ref().map(|row: &Row| row.0);
            Ok(row.map(|row| value.add(row)))
        });
        let mut stream = pickler.stream(Vec::new());
        stream.dump(graph.value(alone)).unwrap();
        stream.dump(graph.value(both)).unwrap();
        stream.clear_memo();
        stream.dump(graph.value(again)).unwrap();
        assert_eq!(stream.finish().unwrap(), vector.pickle, "{}", vector.name);
    }
}

/// Writes the items of the root as pickles with one memo, except those that cannot be written.
fn streamed(pickler: &Pickler, graph: &Graph) -> Vec<u8> {
    let mut stream = pickler.stream(Vec::new());
    for item in graph.root().items().filter(|item| pickler.dumps(*item).is_ok()) {
        stream.dump(item).unwrap();
    }
    stream.finish().unwrap()
}

#[test]
fn hooks_that_return_none_do_not_change_the_output() {
    for seed in 0..120 {
        let protocol = Protocol::try_from((seed % 6) as u8).unwrap();
        let graph = random_graph(seed, 60, protocol.into());
        let plain = Pickler::new().protocol(protocol);
        let hooked = plain.clone().persistent_id(|_| Ok(None)).reducer_override(|_| Ok(None));
        assert_eq!(hooked.dumps(graph.root()).unwrap(), plain.dumps(graph.root()).unwrap(), "seed {seed}");
        // The same in a stream of values with one memo.
        assert_eq!(streamed(&hooked, &graph), streamed(&plain, &graph), "seed {seed}");
    }
}

#[test]
fn a_value_replaced_by_a_hook_is_replaced_throughout_a_stream() {
    for seed in 0..120 {
        let protocol = Protocol::try_from((seed % 5 + 1) as u8).unwrap();
        let graph = random_graph(seed, 60, protocol.into());
        let pickler = Pickler::new().protocol(protocol).persistent_id(|value| {
            let is_shape = value.this().as_global().is_some_and(|global| global.module() == "geometry");
            Ok(is_shape.then(|| value.add("a shape")))
        });
        let written = streamed(&pickler, &graph);
        assert!(written.windows(8).all(|window| window != b"geometry"), "seed {seed}");
        assert!(written.windows(7).any(|window| window == b"a shape"), "seed {seed}");
    }
}

#[test]
fn native_objects_of_several_graphs_are_written_to_one_stream() {
    let graph = |x| {
        let mut graph = Graph::new();
        let point = graph.native_object(Point { x, y: 0 });
        graph.set_root([point]);
        graph
    };
    let graphs = [graph(1), graph(2)];
    let mut stream = Pickler::new().stream(Vec::new());
    for n in [0, 1, 0, 1] {
        stream.dump(graphs[n].root()).unwrap();
    }
    let written = stream.finish().unwrap();
    let unpickler = Unpickler::new().shared_memo(true).resolver(Symbolic);
    let loaded = unpickler.stream(&written[..]).last().unwrap().unwrap();
    let [one, two, one_again, two_again] = loaded.roots().as_array().unwrap();
    assert!(one.is(one_again) && two.is(two_again));
    let shown = "[geometry.Point(1, 0) by reduce] [geometry.Point(2, 0) by reduce]";
    assert_eq!(format!("{one:?} {two:?}"), shown);
}

#[test]
fn a_state_that_refers_to_its_object_is_written_as_a_cycle() {
    #[derive(Debug)]
    struct Node;
    impl NativeObject for Node {
        fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
            let this = value.this().id();
            value.instance("app", "Node").state([this]).build()
        }
    }
    let mut graph = Graph::new();
    let node = graph.native_object(Node);
    graph.set_root(node);
    let loaded = picklevm::loads(Pickler::new().dumps(graph.root()).unwrap()).unwrap();
    let state = loaded.root().as_object().unwrap().state().unwrap();
    assert!(state.items().next().unwrap().is(loaded.root()));
}
