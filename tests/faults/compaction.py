"""Maintenance in a session of its own: rewrites the data files of the tables that a refresh appends to."""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from clicklake.local.spark import laptop_settings, prepare
from glue_jobs.arguments import Settings
from glue_jobs.runtime import start_session

TABLES = ("events", "sessions", "visitor_days", "repeats", "ingested_objects")


@lru_cache(maxsize=1)
def _session(bucket: str) -> SparkSession:
    prepare()
    folder = Path(tempfile.mkdtemp(prefix="clicklake-"))
    return start_session(Settings(bucket), laptop_settings(folder))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    spark = _session("clicklake-lake")
    rewritten = 0
    for table in TABLES:
        spark.catalog.refreshTable(f"lake.{event['database']}.{table}")
        try:
            [row] = spark.sql(
                f"call lake.system.rewrite_data_files(table => '{event['database']}.{table}', "
                "options => map('rewrite-all', 'true'))"
            ).collect()
        except Py4JJavaError as error:
            if "Cannot commit rewrite" not in str(error):
                raise
            # The run was quicker with a commit of another thread, and this one gives way.
            continue
        rewritten += row.rewritten_data_files_count
    return {"rewritten": rewritten}
