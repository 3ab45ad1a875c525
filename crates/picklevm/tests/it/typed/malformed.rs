//! Objects that Python would reject, or that hold more than a view can represent, have no view.

use picklevm::typed::{
    Array, Counter, Date, DateTime, Decimal, Deque, Exception, Fraction, InstanceView, IpAddress, IpNetwork,
    OrderedDict, Partial, Path, Range, Regex, Time, TimeDelta, TimeZone, Uuid, View, ZoneInfo,
};
use picklevm::{Construction, ErrorKind, Graph, Value};

fn has_no_view<'g, T: View<'g>>(value: Value<'g>) {
    let error = value.view::<T>().err().unwrap_or_else(|| panic!("{value:?} has a view"));
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(error.expected(), T::EXPECTED);
}

#[allow(elided_lifetimes_in_paths, reason = "which of the views have one does not matter here")]
mod table {
    use super::*;

    macro_rules! has_no_view_tests {
    ($($test:ident: $view:ident of $module:literal $name:literal [$($args:tt),* $(,)?])*) => {$(
        #[test]
        fn $test() {
            let mut graph = Graph::new();
            let values = [$({
                let args = picklevm::value!(in graph, $args);
                let args: Vec<_> = graph.value(args).items().map(|arg| arg.id()).collect();
                graph.call($module, $name).args(args).build().expect("a call")
            }),*];
            for value in values {
                has_no_view::<$view>(graph.value(value));
            }
        }
    )*};
}

    has_no_view_tests! {
        a_date_of_other_bytes_has_no_view: Date of "datetime" "date" [
            [(b"\x07\xee\x0d\x01")], [(b"\x07\xee\x01\x00")], [(b"\x07\xee\x02\x1e")], [(b"\x00\x00\x01\x01")],
            [(b"\x07\xee\x01")], [(b"\x07\xee\x01\x01\x01")], ["\u{20ac}234"], [2030, 13, 2], [2030, 1], [], [(b"\x07\xee\x01\x02"), null],
        ]
        a_time_of_other_bytes_has_no_view: Time of "datetime" "time" [
            [(b"\x18\0\0\0\0\0")], [(b"\0\x3c\0\0\0\0")], [(b"\0\0\0\x0f\x42\x40")], [(b"\0\0\0\0\0")], [(b"\0\0\0\0\0\0"), 1],
            [(b"\0\0\0\0\0\0"), null, null],
        ]
        a_datetime_of_other_bytes_has_no_view: DateTime of "datetime" "datetime" [
            [(b"\x07\xee\x0d\x01\0\0\0\0\0\0")], [(b"\x07\xee\x01\x01\0\0\0\0\0")], [(b"\x07\xee\x01\x01\0\0\0\xff\xff\xff")],
            [(b"\x07\xee\x01\x01\0\0\0\0\0\0"), "UTC"],
        ]
        a_timedelta_out_of_range_has_no_view: TimeDelta of "datetime" "timedelta" [
            [1000000000, 0, 0], [(-1000000000), 0, 0], [0, 9223372036854775807i64, 0], [0, "1", 0], [1, 2, 3, 4, 5, 6, 7, 8],
        ]
        a_timezone_of_something_else_has_no_view: TimeZone of "datetime" "timezone" [[], [3600], [null, "UTC"]]
        a_decimal_of_another_text_has_no_view: Decimal of "decimal" "Decimal" [
            ["1,5"], [""], ["."], ["1e"], ["--1"], ["nan1x"], ["1 0"], [null], ["1", 2],
        ]
        a_fraction_of_nothing_has_no_view: Fraction of "fractions" "Fraction" [
            [1, 0], ["1/0"], ["1/-2"], ["1/2/3"], ["a"], ["1.5.0"], [1.0, 2],
        ]
        a_range_without_a_step_has_no_view: Range of "builtins" "range" [[0, 1, 0], [], [0, 1, "1"]]
        an_ordered_dict_of_no_pairs_has_no_view: OrderedDict of "collections" "OrderedDict" [
            [[1]], [[[1, 2, 3]]], ["ab"], [[[1, 2]], 1],
        ]
        a_counter_of_a_number_has_no_view: Counter of "collections" "Counter" [[1], [[[1]]], [{"a": 1}, 2]]
        a_deque_of_negative_length_has_no_view: Deque of "collections" "deque" [
            [(), (-1)], [(), "a"], [1], [(), 1, 2],
        ]
        a_path_of_numbers_has_no_view: Path of "pathlib" "PurePosixPath" [[1], ["a", null]]
        an_address_out_of_range_has_no_view: IpAddress of "ipaddress" "IPv4Address" [
            [4294967296i64], [(-1)], ["1.2.3"], ["::1"], ["1.2.3.4%eth0"], ["1.2.3.4", 1],
        ]
        a_network_with_host_bits_has_no_view: IpNetwork of "ipaddress" "IPv4Network" [
            ["10.0.0.1/8"], ["10.0.0.0/33"], ["10.0.0.0/+8"], ["::/8"],
        ]
        an_array_that_does_not_fit_has_no_view: Array of "array" "array" [
            ["b", [128]], ["B", [(-1)]], ["x", [1]], ["bb", [1]], ["i", [1.5]], ["u", [1]], ["i", "abc"], [1, [1]],
        ]
        a_regular_expression_of_a_number_has_no_view: Regex of "re" "_compile" [[1, 0], ["a", "b"], ["a"]]
    }
}

#[test]
fn an_array_of_a_broken_machine_format_has_no_view() {
    let mut graph = Graph::new();
    let class = graph.global("array", "array");
    for (code, format, bytes) in
        [("i", 8, &b"\0\0\0"[..]), ("i", 22, b""), ("i", -1, b""), ("B", 8, b"\0\0\0\0"), ("u", 20, b"\0\xd8\0\0")]
    {
        let call = graph.call("array", "_array_reconstructor").arg(class).arg(code).arg(format).arg(bytes);
        let array = call.build().expect("a call");
        has_no_view::<Array>(graph.value(array));
    }
    let call = graph.call("array", "_array_reconstructor").arg("array").arg("i").arg(8).arg(b"");
    let array = call.build().expect("a call");
    has_no_view::<Array>(graph.value(array));
}

/// Windows arrays with type code `l` have items of 32 bits.
#[test]
fn an_array_of_another_machine_holds_the_same_numbers() {
    let mut graph = Graph::new();
    let class = graph.global("array", "array");
    for (format, bytes) in [(8, &b"\x01\0\0\0\xfe\xff\xff\xff"[..]), (9, b"\0\0\0\x01\xff\xff\xff\xfe")] {
        let call = graph.call("array", "_array_reconstructor").arg(class).arg("l").arg(format).arg(bytes);
        let array = call.build().expect("a call");
        let array: Array = graph.value(array).view().expect("an array");
        assert_eq!(array.items(), &picklevm::typed::ArrayItems::Int(vec![1, -2]));
    }
}

#[test]
fn an_object_with_more_than_its_view_can_represent_has_no_view() {
    let mut graph = Graph::new();
    let date = graph.call("datetime", "date").arg(b"\x07\xee\x01\x02").attr("era", "new").build().expect("a date");
    has_no_view::<Date>(graph.value(date));
    let ordered = graph.call("collections", "OrderedDict").pair(1, 2).attr("x", 1).build().expect("a dict");
    has_no_view::<OrderedDict<'_>>(graph.value(ordered));
    let keywords = graph.instance("decimal", "Decimal").arg("1").kwarg("context", 1).build().expect("a decimal");
    has_no_view::<Decimal<'_>>(graph.value(keywords));
    let error = graph.call("builtins", "ValueError").items([1]).build().expect("an error");
    has_no_view::<Exception<'_>>(graph.value(error));
}

#[test]
fn an_id_with_another_state_has_no_view() {
    let mut graph = Graph::new();
    for state in ["{'int': -1}", "{'int': 1 << 128}", "{'int': 1, 'is_safe': 7}", "{'int': 1, 'x': 1}", "{}"] {
        let state = match state {
            "{'int': -1}" => picklevm::value!(in graph, {"int": -1}),
            "{'int': 1 << 128}" => {
                let int = graph.add(picklevm::typed::Range::from(0..0));
                picklevm::value!(in graph, {"int": int})
            }
            "{'int': 1, 'is_safe': 7}" => picklevm::value!(in graph, {"int": 1, "is_safe": 7}),
            "{'int': 1, 'x': 1}" => picklevm::value!(in graph, {"int": 1, "x": 1}),
            _ => picklevm::value!(in graph, {}),
        };
        let id = graph.instance("uuid", "UUID").state(state).build().expect("an instance");
        has_no_view::<Uuid>(graph.value(id));
    }
    let id = graph.instance("uuid", "UUID").build().expect("an instance");
    has_no_view::<Uuid>(graph.value(id));
}

#[test]
fn a_partial_has_the_function_of_its_state() {
    let mut graph = Graph::new();
    let [max, min] = ["max", "min"].map(|name| graph.global("builtins", name));
    let state = picklevm::value!(in graph, (min, (), null, null));
    let partial = graph.call("functools", "partial").arg(max).state(state).build().expect("a call");
    let partial: Partial<'_> = graph.value(partial).view().expect("a partial");
    assert!(partial.function().as_global().is_some_and(|function| function.is("builtins", "min")));
}

#[test]
fn an_attribute_of_another_class_is_no_zone() {
    let mut graph = Graph::new();
    let class = graph.global("os", "system");
    let method = graph.call("builtins", "getattr").arg(class).arg("_unpickle").build().expect("a call");
    let zone = graph
        .instance_of(method)
        .construction(Construction::Reduce)
        .arg("Europe/Berlin")
        .arg(1)
        .build()
        .expect("a call");
    has_no_view::<ZoneInfo<'_>>(graph.value(zone));
}

#[test]
fn plain_data_are_no_instances() {
    let graph = picklevm::value!([1, "a", null]);
    for value in graph.root().items().chain([graph.root()]) {
        has_no_view::<InstanceView<'_>>(value);
        has_no_view::<Date>(value);
        has_no_view::<Decimal<'_>>(value);
    }
}
