"""Scan and convert a folder of files with Spark on a local cluster.

usage: spark_files.py FOLDER OUT WORKERS [local]

Needs pyspark, pyarrow and Java. `local` has the workers open the files, in place of Spark.
"""

import sys
import time

from pyspark.sql import SparkSession

import picklevm.spark


def main(folder: str, out: str, workers: str, read: str = "spark") -> None:
    spark = SparkSession.builder.master(f"local[{workers}]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.range(1).mapInArrow(lambda batches: batches, "id bigint").collect()  # The first worker takes seconds to start.

    start = time.perf_counter()
    reports = picklevm.spark.scan_files(spark, folder, read=read)
    verdicts = {row["verdict"]: row["count"] for row in reports.groupBy("verdict").count().collect()}
    middle = time.perf_counter()
    rows = picklevm.spark.to_arrow(spark, folder, "id bigint, price double, name string", read=read)
    rows.where("_error is null").write.mode("overwrite").parquet(out)
    end = time.perf_counter()

    written = spark.read.parquet(out).count()
    errors = rows.where("_error is not null").count()
    files = sum(verdicts.values())
    print(f"spark, {workers} workers, read={read}: {files} files, {verdicts}")
    print(f"scan {middle - start:.2f} s, {files / (middle - start):.0f} files/s")
    print(f"convert {end - middle:.2f} s, {files / (end - middle):.0f} files/s, {written} rows, {errors} files without a table")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
