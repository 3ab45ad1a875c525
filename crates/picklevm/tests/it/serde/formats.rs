//! Conversion of graphs to other formats and back.

use picklevm::{Graph, Pickler, Protocol, loads};
use serde_json::json;

#[test]
fn a_graph_becomes_json_as_it_is_read() {
    // {'point': geometry.Point(x=1.5), 'ids': (1, 2), 'none': None, 'flag': True, 'bytes': b'a', 'big': 1 << 70}
    let bytes = b"\x80\x04}(\x8c\x05pointcgeometry\nPoint\n)\x81}\x8c\x01xG?\xf8\0\0\0\0\0\0sb\
        \x8c\x03idsK\x01K\x02\x86\x8c\x04noneN\x8c\x04flag\x88\x8c\x05bytesC\x01a\
        \x8c\x03big\x8a\x09\0\0\0\0\0\0\0\0@u.";
    let graph = loads(bytes).expect("loads");
    assert_eq!(
        serde_json::to_value(&graph).expect("json"),
        json!({"point": {"x": 1.5}, "ids": [1, 2], "none": null, "flag": true, "bytes": [97],
            "big": "1180591620717411303424"})
    );
    assert_eq!(serde_json::to_string(&graph.root().at("ids")).expect("json"), "[1,2]");
}

#[test]
fn a_cycle_cannot_become_json() {
    let graph = loads(b"\x80\x04]\x94h\x00a.").expect("loads");
    let error = serde_json::to_string(&graph).expect_err("a cycle");
    assert!(error.to_string().contains("expected data without cycles"), "{error}");
}

#[test]
fn values_that_cannot_become_json_are_reported_with_their_path() {
    // [7, {'a': loop}], where loop = [[loop]]
    let graph = loads(b"\x80\x04](K\x07}\x8c\x01a]\x94]h\0aase.").expect("loads");
    assert_eq!(
        serde_json::to_string(&graph).expect_err("a cycle").to_string(),
        "[1].a[0][0]: expected data without cycles, found [1].a again"
    );
    // [{(): 1}]
    let graph = loads(b"\x80\x04]})K\x01sa.").expect("loads");
    assert_eq!(serde_json::to_string(&graph).expect_err("no key of JSON").to_string(), "key must be a string");
}

#[test]
fn toml_becomes_a_graph_and_a_graph_toml() {
    let text = "area = 0.5\nname = \"x\"\n\n[[points]]\nat = [1, 2]\n\n[[points]]\nat = []\nlast = true\n";
    let graph: Graph = toml::from_str(text).expect("a graph");
    let python = "{'area': 0.5, 'name': 'x', 'points': [{'at': [1, 2]}, {'at': [], 'last': True}]}";
    assert_eq!(format!("{:?}", graph.root()), python);
    assert_eq!(toml::to_string(&graph).expect("TOML"), text);
}

#[test]
fn toml_dates_become_text_that_is_read_as_dates() {
    #[derive(serde::Deserialize)]
    struct Times {
        day: chrono::NaiveDate,
        moment: jiff::Timestamp,
    }
    let graph: Graph = toml::from_str("day = 2024-02-29\nmoment = 2024-02-29T12:30:00Z").expect("a graph");
    assert_eq!(format!("{:?}", graph.root()), "{'day': '2024-02-29', 'moment': '2024-02-29T12:30:00Z'}");
    let times: Times = picklevm::serde::from_value(graph.root()).expect("read");
    assert_eq!((times.day.to_string(), times.moment.to_string()), ("2024-02-29".into(), "2024-02-29T12:30:00Z".into()));
}

#[test]
fn json_becomes_a_graph() {
    let data = json!({"a": [1, -2, 0.5, true, null, "x", 18446744073709551615u64], "b": {}});
    let graph: Graph = serde_json::from_value(data.clone()).expect("a graph");
    assert_eq!(format!("{:?}", graph.root()), "{'a': [1, -2, 0.5, True, None, 'x', 18446744073709551615], 'b': {}}");
    assert_eq!(serde_json::to_value(&graph).expect("json"), data);
}

#[test]
fn json_becomes_a_pickle_and_a_pickle_json() {
    let data =
        json!({"orders": [{"id": 1, "lines": [["PX-104", 2]], "note": null}, {"id": 2, "lines": [], "paid": true}]});
    let graph: Graph = serde_json::from_str(&data.to_string()).expect("a graph");
    for protocol in 0..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let pickle = pickler.dumps(graph.root()).expect("a pickle");
        let json = serde_json::to_string(&loads(pickle).expect("loads")).expect("json");
        assert_eq!(json.parse::<serde_json::Value>().expect("json"), data, "protocol {protocol}");
    }
}

#[test]
fn a_field_of_any_data_is_a_graph() {
    #[derive(serde::Deserialize)]
    struct Message {
        kind: String,
        payload: Graph,
    }
    let bytes = b"\x80\x04}(\x8c\x04kind\x8c\x01k\x8c\x07payload]K\x01as.";
    let bytes = [&bytes[..bytes.len() - 2], b"u."].concat();
    let message: Message = picklevm::serde::from_slice(&bytes).expect("read");
    assert_eq!((&*message.kind, format!("{:?}", message.payload.root())), ("k", "[1]".to_owned()));
}

#[test]
fn large_maps_find_their_keys() {
    let data: std::collections::BTreeMap<String, u32> = (0..1000).map(|n| (format!("key{n}"), n)).collect();
    let json = serde_json::to_string(&data).expect("json");
    let graph: Graph = serde_json::from_str(&json).expect("a graph");
    assert_eq!(graph.root().get("key777").and_then(|v| v.as_i64()), Some(777));
    let graph = picklevm::serde::to_graph(&data).expect("written");
    assert_eq!(graph.root().get("key777").and_then(|v| v.as_i64()), Some(777));
}
