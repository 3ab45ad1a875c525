"""picklevm.arrays, tables, tensors and convert, beside what NumPy, pandas, pyarrow and Polars make of the same."""

import datetime
import json
import pickle
import sys
import warnings
from pathlib import Path

import pytest

import picklevm

DATA = Path(__file__).parents[3] / "tests" / "data" / "arrays"


def test_arrays_are_lists_without_numpy():
    (array,) = picklevm.arrays(DATA / "f4.pkl").values()
    assert (array.dtype, array.shape, array.kind, array.path) == ("float32", (2, 3), "array", ".")
    assert array.to_pylist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert len(array) == 2 and len(array.tobytes()) == 24
    view = array.memoryview()
    assert view.readonly and view.shape == (2, 3) and view.tolist() == array.to_pylist()
    del array
    assert view[1, 2] == 5.0


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes have the buffer protocol from 3.12 on")
def test_memoryview_takes_arrays():
    (array,) = picklevm.arrays(DATA / "f4.pkl").values()
    assert memoryview(array).tolist() == array.to_pylist()
    with pytest.raises(BufferError):
        memoryview(next(iter(picklevm.arrays(DATA / "np1.16-py3.7-M8ns-p2.pkl").values())))


def test_numpy_shares_the_memory():
    numpy = pytest.importorskip("numpy")
    expected = numpy.arange(1 << 20, dtype="f4").reshape(1024, 1024)
    for value in (expected, expected.T, expected[::2], numpy.asfortranarray(expected)):
        array = picklevm.arrays(pickle.dumps(value, 5))["."]
        made = numpy.asarray(array)
        assert numpy.array_equal(made, value) and not made.flags.writeable and made.flags.aligned
        assert numpy.asarray(array).ctypes.data == made.ctypes.data
        del array
        assert numpy.array_equal(made, value)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_equal_those_of_numpy(protocol):
    numpy = pytest.importorskip("numpy")
    record = numpy.zeros(3, [("a", "<i2"), ("b", "<f8", (2,)), ("c", "S3")])
    record["a"], record["c"] = [1, 2, 3], [b"x", b"yz", b""]
    values = {
        "f8": numpy.linspace(0, 1, 7), "big": numpy.arange(5, dtype=">i4"), "bool": numpy.array([True, False]),
        "c16": numpy.array([1 + 2j, 3]), "U": numpy.array(["a", "éé"]), "M8": numpy.array(["2020-01-02"], "M8[ns]"),
        "record": record, "scalar": numpy.float32(2.5), "zero": numpy.zeros((0, 3)), "0d": numpy.array(5),
        "objects": numpy.array([1, "a", None, [2]], dtype=object).reshape(2, 2), "f2": numpy.array([1.5], "f2"),
    }
    arrays = picklevm.arrays(pickle.dumps(values, protocol))
    assert arrays.keys() == {f"['{name}']" for name in values}
    for name, value in values.items():
        array = arrays[f"['{name}']"]
        made = numpy.asarray(array)
        assert made.shape == numpy.shape(value), name
        if name == "objects":
            assert made[0, 1] == "a" and made[1, 1] == [2]
        else:
            assert made.dtype.newbyteorder("=") == value.dtype.newbyteorder("=")
            assert numpy.array_equal(made, value), name
        if name in ("f8", "bool", "U", "f2", "zero"):
            assert array.to_pylist() == value.tolist()
    assert arrays["['M8']"].to_pylist() == [datetime.datetime(2020, 1, 2)]


def test_masked_arrays_have_their_mask():
    numpy = pytest.importorskip("numpy")
    value = numpy.ma.masked_array([1, 2, 3], [False, True, False])
    array = picklevm.arrays(pickle.dumps(value))["."]
    assert array.kind == "masked"
    assert numpy.array_equal(numpy.ma.masked_array(array, array.mask), value)


def test_tensors_are_read_without_torch():
    tensors = picklevm.tensors(DATA / "t1.13-views.pt")
    assert tensors and all(tensor.kind == "tensor" and tensor.storage is not None for tensor in tensors.values())
    for tensor in tensors.values():
        flat = tensor.to_pylist()
        for _ in tensor.shape[1:]:
            flat = [item for row in flat for item in row]
        numpy = pytest.importorskip("numpy")
        assert numpy.asarray(tensor).ravel().tolist() == flat


def test_a_tensor_that_repeats_a_few_bytes_is_not_written_out():
    for tensor in picklevm.tensors(DATA / "bomb-expand.pt").values():
        with pytest.raises(ValueError):
            tensor.to_pylist()
        with pytest.raises(ValueError):
            tensor.tobytes()


def test_tables_are_python_data_without_pandas():
    table = picklevm.tables(DATA / "pd2.3-mixed-p5.pkl")["."]
    rows, columns = table.to_pylist(), table.to_dict()
    assert len(rows) == len(table) == table.num_rows and table.shape[1] == len(table.columns)
    assert {name: [row[name] for row in rows] for name in columns} == columns
    assert set(table.columns) <= set(columns)
    assert table.columns[0] in repr(table) and "<table>" in table._repr_html_()


def test_pyarrow_and_polars_read_tables():
    pyarrow = pytest.importorskip("pyarrow")
    for path in sorted(DATA.glob("pd*.pkl")) + sorted(DATA.glob("m2-p*.pkl")):
        for table in picklevm.tables(path).values():
            try:
                made = pyarrow.table(table)
            except ValueError as error:
                assert "has no type of Arrow" in str(error) or "period" in str(error).lower(), (path, error)
                continue
            assert made.num_rows == table.num_rows
            assert pyarrow.schema(table) == made.schema
            made.validate(full=True)
            batch = pyarrow.record_batch(table)
            assert batch.num_rows == made.num_rows
    polars = pytest.importorskip("polars")
    table = picklevm.tables(DATA / "pd2.3-mixed-p5.pkl")["."]
    assert polars.DataFrame(table).height == table.num_rows


def test_tables_equal_those_of_pandas():
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({
        "i": [1, 2, 3], "f": [0.5, None, 2.5], "s": ["a", None, "c"], "b": [True, False, True],
        "t": pandas.to_datetime(["2020-01-01", None, "2021-05-06"]),
        "z": pandas.to_datetime(["2020-01-01", None, "2021-05-06"], utc=True),
        "k": pandas.Categorical(["x", "y", "x"]), "n": pandas.array([1, None, 3], dtype="Int64"),
    }, index=pandas.Index([10, 20, 30], name="id"))
    table = picklevm.tables(pickle.dumps({"frame": frame, "series": frame["f"]}))
    assert table.keys() == {"['frame']", "['series']"}
    table = table["['frame']"]
    made = pyarrow.table(table).to_pandas().set_index("id")
    for name in frame:
        left, right = made[name].astype(object), frame[name].astype(object)
        assert [a for a in left.where(left.notna(), None)] == [b for b in right.where(right.notna(), None)], name
    rows = table.to_pylist()
    assert rows[0]["t"] == datetime.datetime(2020, 1, 1) and rows[1]["t"] is None and rows[2]["n"] == 3
    assert rows[0]["z"] == datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc) and rows[1]["s"] is None
    plain = picklevm.tables(pickle.dumps(pandas.DataFrame({"a": [1]})), index=True)["."]
    assert plain.to_pylist() == [{"a": 1, "__index_level_0__": 0}]


def test_the_memory_of_columns_is_shared_with_arrow():
    numpy, pandas, pyarrow = map(pytest.importorskip, ("numpy", "pandas", "pyarrow"))
    frame = pandas.DataFrame({"a": numpy.arange(1 << 16, dtype="f8")})
    table = picklevm.tables(pickle.dumps(frame, 5))["."]
    first, second = pyarrow.table(table), pyarrow.table(table)
    address = [made["a"].chunk(0).buffers()[1].address for made in (first, second)]
    assert address[0] == address[1]
    del table, second
    assert first["a"].to_numpy().sum() == frame["a"].sum()


def test_files_are_converted(tmp_path):
    picklevm.convert(DATA / "f4.pkl", tmp_path / "f4.npy")
    assert (tmp_path / "f4.npy").read_bytes().startswith(b"\x93NUMPY")
    picklevm.convert(str(DATA / "pd2.3-mixed-p5.pkl"), tmp_path / "frame.parquet")
    assert (tmp_path / "frame.parquet").read_bytes().startswith(b"PAR1")
    path = tmp_path / "user.pkl"
    path.write_bytes(pickle.dumps({"name": "Zoë"}))
    picklevm.convert(path, tmp_path / "user.json")
    assert json.loads((tmp_path / "user.json").read_text()) == {"name": "Zoë"}
    with pytest.raises(ValueError, match="choose one of"):
        picklevm.convert(path, tmp_path / "user.xyz")
    with pytest.raises(FileNotFoundError):
        picklevm.convert(tmp_path / "none.pkl", tmp_path / "x.json")
    assert not (tmp_path / "user.xyz").exists()


def test_what_is_left_out_of_a_conversion_is_a_warning(tmp_path):
    numpy = pytest.importorskip("numpy")
    path = tmp_path / "two.pkl"
    path.write_bytes(pickle.dumps({"a": numpy.arange(3), "o": numpy.array([None, []], dtype=object)}))
    with pytest.raises(ValueError, match="'o'"):
        picklevm.convert(path, tmp_path / "out.npz")
    with pytest.warns(UserWarning, match="'o'"):
        picklevm.convert(path, tmp_path / "out.npz", skip=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picklevm.convert(path, tmp_path / "a.npy", at="['a']")
    assert numpy.array_equal(numpy.load(tmp_path / "a.npy"), numpy.arange(3))
