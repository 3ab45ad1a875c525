"""picklevm.rows: files as rows; picklevm.spark on a local cluster, where pyspark and Java are."""

import os
import pickle
import shutil
import sys

import pytest

import picklevm
from picklevm.rows import scan_row, table_of, write_parquet

ATTACK = b"cos\nsystem\n(S'echo ran'\ntR."


def test_a_file_is_a_row(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(ATTACK)
    row = scan_row(path)
    assert (row["path"], row["length"], row["verdict"], row["error"]) == (str(path), len(ATTACK), "dangerous", None)
    assert row["imports"] == ["os.system"] and row["findings"][0]["name"] == "os.system"
    assert scan_row("elsewhere", ATTACK)["findings"] == row["findings"]
    assert scan_row("x", b"cshop\nOrder\n)\x81.", allow=["shop.Order"])["verdict"] == "safe"


def test_what_cannot_be_read_is_a_row_with_its_error(tmp_path):
    row = scan_row(tmp_path / "none.pkl")
    assert row["verdict"] == "unreadable" and row["error"].startswith("FileNotFoundError") and row["length"] is None
    assert scan_row(tmp_path)["verdict"] == "unreadable"
    assert set(row) == set(scan_row("x", b"N."))


def test_the_only_table_is_found(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1]})
    assert table_of(pickle.dumps({"t": frame})).to_pylist() == [{"a": 1}]
    two = pickle.dumps({"t": frame, "u": pandas.DataFrame({"b": [2]})})
    with pytest.raises(ValueError, match="expected one table, found 2"):
        table_of(two)
    assert table_of(two, "['u']").to_pylist() == [{"b": 2}]
    with pytest.raises(ValueError, match="no table at"):
        table_of(two, "['v']")
    with pytest.raises(ValueError, match="found 0"):
        table_of(pickle.dumps(1))
    with pytest.raises(pickle.UnpicklingError):
        table_of(two[:40])


def test_the_tables_of_files_become_one_parquet_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    parquet = pytest.importorskip("pyarrow.parquet")
    for name, frame in {"a": {"x": [1, 2]}, "b": {"x": [3]}, "other": {"y": [1.5]}}.items():
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(pandas.DataFrame(frame)))
    (tmp_path / "cut.pkl").write_bytes((tmp_path / "a.pkl").read_bytes()[:50])
    names = ["a.pkl", "cut.pkl", "other.pkl", "none.pkl", "b.pkl"]
    count, errors = write_parquet([tmp_path / name for name in names], tmp_path / "out.parquet")
    assert count == 3 and parquet.read_table(tmp_path / "out.parquet").to_pydict() == {"x": [1, 2, 3]}
    assert [os.path.basename(row["path"]) for row in errors] == ["cut.pkl", "other.pkl", "none.pkl"]
    kinds = ["UnpicklingError", "ValueError: its columns are not those of the first table: ['y']", "FileNotFoundError"]
    assert all(row["error"].startswith(kind) for row, kind in zip(errors, kinds))
    assert write_parquet([tmp_path / "cut.pkl"], tmp_path / "no.parquet") == (0, errors[:1])
    assert not (tmp_path / "no.parquet").exists()
    with pytest.raises(FileNotFoundError):
        write_parquet([tmp_path / "a.pkl"], tmp_path / "no" / "folder.parquet")


@pytest.fixture(scope="module")
def spark():
    sql = pytest.importorskip("pyspark.sql")
    pytest.importorskip("pyarrow")
    if shutil.which("java") is None:
        pytest.skip("no Java")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pandas = pytest.importorskip("pandas")
    folder = tmp_path_factory.mktemp("files")
    for number in range(5):
        frame = pandas.DataFrame({
            "id": [number, number + 100], "name": ["a", None], "when": pandas.to_datetime(["2020-01-01", "2020-01-02"]),
            "kind": pandas.Categorical(["x", "y"]),
        })
        frame.to_pickle(folder / f"frame {number}.pkl")
    (folder / "attack.pkl").write_bytes(ATTACK)
    (folder / "short.pkl").write_bytes((folder / "frame 0.pkl").read_bytes()[:100])
    (folder / "page.pkl").write_bytes(b"<html></html>")
    (folder / "large.pkl").write_bytes(pickle.dumps(b"x" * 100_000))
    (folder / "empty.pkl").write_bytes(b"")  # Spark itself leaves empty files out.
    return folder


@pytest.mark.parametrize("read", ["spark", "local"])
def test_spark_scans_a_folder(spark, folder, read):
    import picklevm.spark

    rows = picklevm.spark.scan_files(spark, str(folder), read=read, max_size=50_000).collect()
    found = {row.path.rsplit("/", 1)[-1].replace("%20", " "): row for row in rows}
    assert len(rows) == len(found) == 9
    assert found["attack.pkl"].verdict == "dangerous" and found["attack.pkl"].findings[0].name == "os.system"
    assert all(found[f"frame {number}.pkl"].verdict == "safe" for number in range(5))
    assert found["short.pkl"].verdict not in ("safe", "dangerous")
    if read == "spark":
        assert found["large.pkl"].verdict == "unreadable" and "max_size" in found["large.pkl"].error
    else:
        assert found["large.pkl"].verdict == "safe"


@pytest.mark.parametrize("schema", [None, "id bigint, name string, when timestamp_ntz, kind string"])
def test_spark_reads_tables_and_keeps_bad_files_as_rows(spark, folder, schema):
    import picklevm.spark

    frame = picklevm.spark.to_arrow(spark, str(folder), schema, max_size=50_000)
    assert frame.columns == ["_path", "_error", "id", "name", "when", "kind"]
    rows = frame.collect()
    good = [row for row in rows if row._error is None]
    assert sorted(row.id for row in good) == sorted([*range(5), *range(100, 105)])
    assert {row.kind for row in good} == {"x", "y"} and {row.name for row in good} == {"a", None}
    assert all(row.when.year == 2020 for row in good)
    bad = {row._path.rsplit("/", 1)[-1]: row._error for row in rows if row._error is not None}
    assert bad.keys() == {"attack.pkl", "short.pkl", "page.pkl", "large.pkl"}
    assert "max_size" in bad["large.pkl"]


def test_a_column_that_is_not_there_is_an_error_of_the_file(spark, folder):
    import picklevm.spark

    rows = picklevm.spark.to_arrow(spark, str(folder), "price double", glob="frame*.pkl").collect()
    assert len(rows) == 5 and all("no column 'price'" in row._error for row in rows)
