"""picklevm.graph: symbolic graphs, read, walked, changed and written again."""

import collections
import datetime
import decimal
import pickle
import sys

import pytest

import picklevm


class Cart:
    """A class that must not be imported by a graph: see `renamed`."""

    def __init__(self):
        self.items = [{"sku": "A-1", "price": decimal.Decimal("9.99")}, {"sku": "B-2", "price": decimal.Decimal("1")}]
        self.owner = ("Alice", 42)


def renamed(value, protocol=4):
    """The pickle of a value with this module renamed to one that does not exist."""
    data = pickle.dumps(value, protocol)
    return data.replace(__name__.encode(), b"z" * len(__name__))


def test_nothing_is_imported():
    graph = picklevm.graph(renamed(Cart()))
    assert graph.root.class_name == "z" * len(__name__) + ".Cart"
    assert "z" * len(__name__) not in sys.modules
    attack = b"cos\nsystem\n(S'echo ran'\ntR."
    assert repr(picklevm.graph(attack)) == "os.system('echo ran')"


def test_values_are_read_by_path_and_by_key():
    graph = picklevm.graph(renamed(Cart()))
    assert graph["items[0].sku"] == "A-1"
    assert graph.root.attr("items")[1]["sku"] == "B-2"
    assert graph["owner[-1]"] == 42 and graph.root.attr("owner")[-1] == 42
    assert graph.get("items[7]") is None and graph.get("items[7]", "no") == "no"
    assert "owner" in graph and "nobody" not in graph
    with pytest.raises(KeyError, match="nobody"):
        graph["nobody"]
    with pytest.raises(ValueError, match="path"):
        graph["items["]
    assert graph.root.attrs.keys() == {"items", "owner"}
    assert [row["sku"] for row in graph.root.attr("items")] == ["A-1", "B-2"]
    assert graph.root.attr("items")[0].keys() == ["sku", "price"]


def test_numbers_text_and_bytes_are_pythons_own():
    values = [None, True, 1, -(2**70), 2**64, 1.5, 2j, "é", "\ud800", b"\xff", bytearray(b"x"), (), float("inf")]
    root = picklevm.graph(pickle.dumps(values)).root
    assert root.to_python() == values
    for value, read in zip(values, root):
        assert read == value
        assert type(read) is type(value) or value == ()


def test_plain_data_keeps_sharing_and_cycles():
    shared = [1]
    cycle = {"a": shared, "b": shared, "t": (shared, frozenset({1})), "s": {2}}
    cycle["self"] = cycle
    plain = picklevm.graph(pickle.dumps(cycle)).to_python()
    assert plain["a"] is plain["b"] is plain["t"][0]
    assert plain["self"] is plain and plain["s"] == {2} and plain["t"][1] == frozenset({1})


def test_nodes_know_whether_they_are_one_value():
    shared = [1]
    root = picklevm.graph(pickle.dumps([shared, shared, [1]])).root
    assert root[0].same_as(root[1]) and not root[0].same_as(root[2])
    assert root[0] == root[2] == [1] and root[0] != [2]
    with pytest.raises(TypeError):
        hash(root)


def test_nodes_are_equal_by_their_contents():
    data = renamed([Cart(), Cart(), decimal.Decimal("9.99"), {"a": {decimal.Decimal("1")}}])
    one, other = picklevm.graph(data).root, picklevm.graph(data).root
    assert one == other and one[0] == one[1] and one[2] == other[2] and one[3] == other[3]
    assert one[2] != one[0] and one[2] != picklevm.graph(pickle.dumps(decimal.Decimal("9.98"))).root
    other[1].attr("items")[0]["sku"] = "C-3"
    assert one[1] != other[1] and one != other


def test_nodes_that_hold_themselves_are_compared_and_a_nan_equals_only_itself():
    cart = Cart()
    cart.items.append(cart)
    one, other = picklevm.graph(renamed(cart)).root, picklevm.graph(renamed(cart)).root
    assert one == other and one.attr("items") == other.attr("items")
    values = picklevm.graph(pickle.dumps([float("nan")])).root
    assert values == values and values != picklevm.graph(pickle.dumps([float("nan")])).root


def test_a_million_levels_are_read_shown_and_written():
    data = b"\x80\x04" + b"]" * 1_000_000 + b"a" * 999_999 + b"."
    graph = picklevm.graph(data)
    assert repr(graph).startswith("[[[[")
    assert graph.dumps(4)[:2] == b"\x80\x04"
    graph.root = None
    plain = picklevm.graph(b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b".").to_python()
    depth = 0
    while plain:
        (plain,) = plain
        depth += 1
    assert depth == 99_999


def test_every_value_is_walked_with_its_path():
    graph = picklevm.graph(pickle.dumps({"a": [1, 2], "b": {"c": None}}))
    assert [(path, value) for path, value in graph.walk() if not isinstance(value, picklevm.Node)] == [
        ("['a'][0]", 1), ("['a'][1]", 2), ("['b']['c']", None),
    ]
    for path, value in graph.walk():
        assert graph[path] == value
    assert graph.find(".**.c") == [("['b'].c", None)]


def test_changes_are_written_and_cpython_reads_them():
    graph = picklevm.graph(pickle.dumps({"user": {"name": "Alice"}, "tags": ["a"], "seen": {1}}))
    graph["user.name"] = "Bob"
    graph["user.age"] = 42
    graph.append("tags", "b")
    graph.insert("tags[0]", "first")
    graph.root["new"] = [1, (2, {3: b"x"}), frozenset({4}), {5}, None, 2**80]
    graph.root["when"] = datetime.date(2020, 1, 2)
    graph.root["seen"].add(2)
    graph.root["tags"][1] = "A"
    del graph["seen"]
    expected = {
        "user": {"name": "Bob", "age": 42},
        "tags": ["first", "A", "b"],
        "new": [1, (2, {3: b"x"}), frozenset({4}), {5}, None, 2**80],
        "when": datetime.date(2020, 1, 2),
    }
    for protocol in range(6):
        assert pickle.loads(graph.dumps(protocol)) == expected


def test_nodes_are_used_as_values_and_stay_shared():
    graph = picklevm.graph(pickle.dumps({"a": [1]}))
    graph.root["b"] = graph.root["a"]
    graph.root["c"] = [graph.root["a"], "x"]
    loaded = pickle.loads(graph.dumps())
    assert loaded["a"] is loaded["b"] is loaded["c"][0]
    other = picklevm.Graph({"copied": [2]})
    graph.root["d"] = other.root["copied"]
    other.root["copied"].append(3)
    assert pickle.loads(graph.dumps())["d"] == [2]


def test_python_values_with_cycles_become_graphs():
    row = {"n": 1}
    value = [row, (row,)]
    value.append(value)
    loaded = pickle.loads(picklevm.Graph(value).dumps(4))
    assert loaded[2] is loaded and loaded[0] is loaded[1][0]


def test_instances_are_changed_without_their_class():
    graph = picklevm.graph(pickle.dumps(Cart()))
    graph.root.set_attr("owner", "Bob")
    graph["items[0].price"] = graph.literal("decimal.Decimal('5')")
    cart = pickle.loads(graph.dumps())
    assert cart.owner == "Bob" and cart.items[0]["price"] == decimal.Decimal(5)
    graph.root.del_attr("owner")
    assert not hasattr(pickle.loads(graph.dumps()), "owner")
    ordered = picklevm.graph(pickle.dumps(collections.OrderedDict(a=1)))
    assert ordered.root["a"] == 1 and list(ordered.root) == ["a"] and len(ordered.root) == 1
    ordered.root["b"] = 2
    assert pickle.loads(ordered.dumps()) == collections.OrderedDict(a=1, b=2)


def test_globals_are_renamed():
    data = renamed(Cart())
    graph = picklevm.graph(data)
    assert graph.rename({"z" * len(__name__): __name__}) == 1
    assert pickle.loads(graph.dumps()).owner == ("Alice", 42)


def test_the_writer_and_the_protocol_can_be_chosen():
    value = {"a": 1, "b": [1.5, "é"]}
    graph = picklevm.graph(pickle.dumps(value, 2))
    assert graph.protocol == 2
    for protocol in range(2, 6):
        assert pickle.loads(graph.dumps(protocol, writer="3.8-c")) == value
    with pytest.raises(ValueError):
        graph.dumps(9)
    with pytest.raises(ValueError):
        graph.dumps(writer="4.0-c")


def test_8_bit_strings_of_python_2_are_kept_or_decoded():
    data = b"(lp0\nS'\\xc3\\xa9'\np1\na."
    assert picklevm.graph(data)["[0]"] == b"\xc3\xa9"
    assert picklevm.graph(data).dumps() == data
    assert picklevm.graph(data, encoding="utf-8")["[0]"] == "é"
    with pytest.raises(ValueError, match="encoding"):
        picklevm.graph(data, encoding="klingon")


def test_text_is_that_of_the_program():
    graph = picklevm.graph(pickle.dumps({"when": datetime.date(2020, 1, 2), "n": list(range(300))}))
    assert graph.show(max_items=1) == "{'when': datetime.date(2020, 1, 2), ... 1 more}"
    assert "299" in graph.show() and "299" not in repr(graph)


def test_a_notebook_shows_text_that_is_escaped():
    html = picklevm.graph(pickle.dumps({"<script>alert(1)</script>": "&\u202e"}))._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html and "\u202e" not in html


def test_broken_pickles_are_errors_with_their_offset():
    with pytest.raises(pickle.UnpicklingError, match=r"offset \d"):
        picklevm.graph(b"\x80\x04]K")
    with pytest.raises(pickle.UnpicklingError):
        picklevm.graph(b"no pickle")
    with pytest.raises(FileNotFoundError):
        picklevm.graph("no such file")
    with pytest.raises(IsADirectoryError):
        picklevm.graph(".")
    with pytest.raises(TypeError, match="bytes-like"):
        picklevm.graph(5)
