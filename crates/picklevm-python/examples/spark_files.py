"""Scan and convert a folder of files with Spark on a local cluster.

usage: spark_files.py FOLDER OUT WORKERS [local]

Needs pyspark, pyarrow and Java. `local` has the workers open the files, in place of Spark.
"""

import sys
import time
from collections import Counter

from many_files import report
from pyspark.sql import SparkSession

import picklevm.spark


def main(folder: str, out: str, workers: str, read: str = "spark") -> None:
    spark = SparkSession.builder.master(f"local[{workers}]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.range(1).mapInArrow(lambda batches: batches, "id bigint").collect()  # The first worker takes seconds to start.

    start = time.perf_counter()
    reports = picklevm.spark.scan_files(spark, folder, read=read)
    verdicts = Counter({row["verdict"]: row["count"] for row in reports.groupBy("verdict").count().collect()})
    middle = time.perf_counter()
    rows = picklevm.spark.to_arrow(spark, folder, "id bigint, price double, name string", read=read)
    rows.where("_error is null").write.mode("overwrite").parquet(out)
    end = time.perf_counter()

    written = spark.read.parquet(out).count()
    errors = rows.where("_error is not null").select("_path", "_error").collect()
    report(f"spark, {workers} workers, read={read}", verdicts, written, errors, (start, middle, end))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
