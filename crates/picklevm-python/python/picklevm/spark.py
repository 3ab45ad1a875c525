"""Many files on a Spark cluster: scanned, or read as one table, without loading a pickle in Python.

Both functions return a DataFrame with a row, or rows, for each file, and do nothing until it is used. A file that cannot be
read becomes a row with its error and never ends the job. picklevm has to be installed where the workers run.

>>> from pyspark.sql import SparkSession
>>> import picklevm.spark
>>> spark = SparkSession.builder.getOrCreate()
>>> reports = picklevm.spark.scan_files(spark, "s3a://models/")
>>> reports.where("verdict != 'safe'").select("path", "verdict", "findings").show()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from .rows import scan_row, table_of

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

__all__ = ["SCAN_SCHEMA", "scan_files", "to_arrow"]

#: The columns of :func:`scan_files`.
SCAN_SCHEMA = (
    "path string, length bigint, verdict string, format string, pickles bigint, imports array<string>, "
    "findings array<struct<verdict: string, rule: string, name: string, offset: bigint, reason: string, member: string>>, "
    "error string"
)

#: Files that are larger are not read by Spark, whose rows cannot be longer than 2 GiB.
MAX_SIZE = 1 << 30
#: Files in one batch between Spark and Python. All of them are in memory at once.
FILES_PER_BATCH = 16
#: Tasks for each core of the cluster, unless ``partitions`` is given.
TASKS_PER_CORE = 4
#: Rows that a worker gathers before it passes them on.
ROWS_PER_BATCH = 256

_BATCH_SETTING = "spark.sql.execution.arrow.maxRecordsPerBatch"


def scan_files(
    spark: SparkSession,
    path: str | list[str],
    *,
    glob: str | None = None,
    read: str = "spark",
    max_size: int = MAX_SIZE,
    files_per_batch: int | None = FILES_PER_BATCH,
    partitions: int | None = None,
    **options: Any,
) -> DataFrame:
    """Scan all files below a path, and return a DataFrame with the columns of :data:`SCAN_SCHEMA`.

    ``verdict`` is "safe", "suspicious", "dangerous", or "unreadable" with the reason in ``error``. ``glob`` chooses files by name,
    as in ``"*.pkl"``. ``options`` are those of :func:`picklevm.scan`, such as ``allow``.

    ``read="spark"`` has Spark read the files, from any storage that it knows. ``read="local"`` passes only their paths on, and each
    worker opens them: for file systems that all workers have, and for files of any size.

    Spark itself leaves out empty files, and those whose names begin with a dot or an underscore.

    The files are parted among ``partitions`` tasks, of which Spark runs one on each core.

    Memory: a worker holds ``files_per_batch`` files at once, which sets ``spark.sql.execution.arrow.maxRecordsPerBatch`` for the
    session (None leaves it), each of at most ``max_size`` bytes; with ``read="local"`` it holds one.
    """

    def scan(name: str, data: bytes | None) -> Iterator[dict[str, Any]]:
        yield scan_row(name, data, **options)

    def too_large(name: str, length: int) -> dict[str, Any]:
        return _unreadable(name, length, f"a file of {length} bytes, which is more than max_size, {max_size}")

    rows = _Rows(scan, too_large, SCAN_SCHEMA, read, max_size)
    return rows.of(_files(spark, path, glob, files_per_batch, partitions))


def to_arrow(
    spark: SparkSession,
    path: str | list[str],
    schema: StructType | str | None = None,
    *,
    at: str | None = None,
    index: bool = False,
    glob: str | None = None,
    read: str = "spark",
    max_size: int = MAX_SIZE,
    files_per_batch: int | None = FILES_PER_BATCH,
    partitions: int | None = None,
) -> DataFrame:
    """Read the table in each file below a path (a frame of pandas, a table of pyarrow or Polars) as one DataFrame.

    The columns are those of ``schema``, which are taken by name and cast; without a schema it is that of the first file that has a
    table. The column ``_path`` says which file a row is from. A file without such a table is one row, with nulls and the reason in
    ``_error``. ``at`` is the path of the table in the pickle, as :func:`picklevm.tables` has it; without one the file has to hold one
    table. The other arguments are those of :func:`scan_files`.
    """
    from pyspark.sql.types import StringType, StructField, StructType

    files = _files(spark, path, glob, files_per_batch, partitions)
    if schema is None:
        wanted = _first_schema(files, at, index, max_size)
    elif isinstance(schema, str):
        from pyspark.sql.types import _parse_datatype_string

        wanted = _parse_datatype_string(schema)
    else:
        wanted = schema
    all_fields = [StructField("_path", StringType()), StructField("_error", StringType()), *wanted.fields]

    def tables(name: str, data: bytes | None) -> Iterator[pyarrow.Table]:
        import pyarrow

        table = pyarrow.table(table_of(name if data is None else data, at, index))
        missing = [name for name in target_names if name not in table.column_names]
        if missing:
            raise ValueError(f"there is no column {missing[0]!r}; there are {table.column_names}")
        yield table

    def error_row(name: str, length: int) -> dict[str, Any]:
        return {"_path": name, "_error": f"a file of {length} bytes, which is more than max_size, {max_size}"}

    target_names = [field.name for field in wanted.fields]
    rows = _Tables(tables, error_row, StructType(all_fields), read, max_size)
    return rows.of(files)


def _unreadable(name: str, length: int | None, error: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"format": None, "pickles": 0, "imports": [], "findings": []}
    return {"path": name, "length": length, "verdict": "unreadable", "error": error, **empty}


def _files(
    spark: SparkSession, path: str | list[str], glob: str | None, files_per_batch: int | None, partitions: int | None
) -> DataFrame:
    if files_per_batch is not None:
        spark.conf.set(_BATCH_SETTING, str(files_per_batch))
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    if glob is not None:
        reader = reader.option("pathGlobFilter", glob)
    files = reader.load(path)
    if partitions is None:
        try:
            partitions = TASKS_PER_CORE * spark.sparkContext.defaultParallelism
        except Exception:  # Spark Connect has no context: Spark decides.
            return files
    # Spark itself makes a task of some thirty small files. Fewer partitions are joined, without moving contents.
    return files.coalesce(partitions)


def _local(uri: str) -> str:
    """The path that a worker opens."""
    parts = urlparse(uri)
    if parts.scheme in ("", "file"):
        return unquote(parts.path)
    raise ValueError(f"read='local' opens files of the worker, found {uri}; use read='spark'")


class _Rows:
    """Rows that Python makes of files, as dicts."""

    def __init__(
        self,
        make: Callable[[str, bytes | None], Iterator[Any]],
        too_large: Callable[[str, int], dict[str, Any]],
        schema: Any,
        read: str,
        max_size: int,
    ) -> None:
        if read not in ("spark", "local"):
            raise ValueError(f"read: expected 'spark' or 'local', found {read!r}")
        self.make, self.too_large, self.schema, self.read, self.max_size = make, too_large, schema, read, max_size

    def of(self, files: DataFrame) -> DataFrame:
        if self.read == "local":
            return files.select("path", "length").mapInArrow(self.batches(), self.schema)
        small = files.where(files.length <= self.max_size).select("path", "length", "content")
        # The column of contents is not asked for, and so not read.
        large = files.where(files.length > self.max_size).select("path", "length").coalesce(1)
        return small.mapInArrow(self.batches(), self.schema).unionByName(
            large.mapInArrow(self.refusals(), self.schema)
        )

    def arrow_schema(self) -> Callable[[], pyarrow.Schema]:
        from pyspark.sql.types import StructType, _parse_datatype_string

        schema = _parse_datatype_string(self.schema) if isinstance(self.schema, str) else self.schema
        text = StructType.fromJson(schema.jsonValue()).json()

        def get() -> pyarrow.Schema:
            import json

            from pyspark.sql.pandas.types import to_arrow_schema

            return to_arrow_schema(StructType.fromJson(json.loads(text)))

        return get

    def refusals(self) -> Callable[[Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
        too_large, get_schema = self.too_large, self.arrow_schema()

        def run(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
            import pyarrow

            schema = get_schema()
            for batch in batches:
                rows = [too_large(*row) for row in zip(*(batch[name].to_pylist() for name in ("path", "length")))]
                yield pyarrow.RecordBatch.from_pylist(rows, schema)

        return run

    def batches(self) -> Callable[[Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
        make, get_schema = self.make, self.arrow_schema()

        def run(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
            import pyarrow

            schema, rows = get_schema(), []
            for name, length, data in _each(batches):
                try:
                    rows.extend(make(name if data is not None else _local(name), data))
                except Exception as error:
                    rows.append(_unreadable(name, length, f"{type(error).__name__}: {error}"))
                if len(rows) >= ROWS_PER_BATCH:
                    yield pyarrow.RecordBatch.from_pylist(rows, schema)
                    rows = []
            if rows:
                yield pyarrow.RecordBatch.from_pylist(rows, schema)

        return run


class _Tables(_Rows):
    """Rows that are in tables of files."""

    def batches(self) -> Callable[[Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
        make, get_schema = self.make, self.arrow_schema()

        def run(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
            import pyarrow

            schema = get_schema()
            fields = [field for field in schema if field.name not in ("_path", "_error")]
            for name, _length, data in _each(batches):
                try:
                    for table in make(name if data is not None else _local(name), data):
                        columns = [table.column(field.name).cast(field.type) for field in fields]
                        about = [pyarrow.array([text] * table.num_rows, pyarrow.string()) for text in (name, None)]
                        yield from pyarrow.Table.from_arrays([*about, *columns], schema=schema).to_batches()
                except Exception as error:
                    row = {"_path": name, "_error": f"{type(error).__name__}: {error}"}
                    yield pyarrow.RecordBatch.from_pylist([row], schema)

        return run


def _each(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[tuple[str, int, bytes | None]]:
    """The files of batches, one after the other: the bytes of one at a time are Python's own."""
    for batch in batches:
        has_content = "content" in batch.schema.names
        for at in range(batch.num_rows):
            data = batch["content"][at].as_py() if has_content else None
            yield batch["path"][at].as_py(), batch["length"][at].as_py(), data


def _first_schema(files: DataFrame, at: str | None, index: bool, max_size: int) -> StructType:
    """The schema of the first table of the files."""
    import pyarrow
    from pyspark.sql.pandas.types import from_arrow_schema

    problem: object = "there is no file"
    for row in files.where(files.length <= max_size).select("path", "content").limit(20).toLocalIterator():
        try:
            return from_arrow_schema(_spark_types(pyarrow.table(table_of(bytes(row.content), at, index)).schema))
        except Exception as error:
            problem = f"{row.path}: {error}"
    raise ValueError(f"no schema was given, and none of the first files has a table: {problem}")


def _spark_types(schema: pyarrow.Schema) -> pyarrow.Schema:
    """A schema with the types of Spark: dictionaries as their values, times in microseconds."""
    import pyarrow

    def plain(type: pyarrow.DataType) -> pyarrow.DataType:
        if pyarrow.types.is_dictionary(type):
            return plain(type.value_type)
        if pyarrow.types.is_timestamp(type):
            return pyarrow.timestamp("us", type.tz)
        if pyarrow.types.is_duration(type):
            return pyarrow.duration("us")
        if pyarrow.types.is_unsigned_integer(type):
            return {1: pyarrow.int16(), 2: pyarrow.int32()}.get(type.bit_width // 8, pyarrow.int64())
        if pyarrow.types.is_float16(type):
            return pyarrow.float32()
        if pyarrow.types.is_large_string(type) or pyarrow.types.is_string_view(type):
            return pyarrow.string()
        if pyarrow.types.is_large_binary(type):
            return pyarrow.binary()
        return type

    return pyarrow.schema([field.with_type(plain(field.type)) for field in schema])
