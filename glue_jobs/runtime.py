"""The Spark session, with one set of settings for Glue and for a laptop."""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from clicklake.endpoints import Endpoints
from glue_jobs.arguments import Settings

CATALOG = "lake"
T = TypeVar("T")
# A run of at most so many compressed raw bytes (about a hundred thousand events) is small: one task throughout.
SMALL_RUN_BYTES = 8 << 20
# It is large all the same where the stored events of the days around, which every run reads, have more bytes.
SMALL_DAYS_BYTES = 64 << 20
# Raw bytes for one task of a large run.
PARTITION_BYTES = 16 << 20
_FOR_SMALL_RUNS = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    # What is joined lies in one task on either side: to broadcast one side first would be a job more.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    # To join rows before they have come together in one task would be a job more, too.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.PushDownLeftSemiAntiJoin",
    # Rows of unknown size count as endless: too many for one task.
    "spark.sql.defaultSizeInBytes": str(SMALL_RUN_BYTES),
    # One task writes one file of a day without sorting its rows out before.
    "spark.sql.iceberg.distribution-mode": "none",
}
_OFTEN_CALLED = {
    "functions": ("array", "coalesce", "col", "expr", "lit", "not", "struct", "when", "count_if", "max", "sum"),
    "PythonUtils": ("toSeq",),
}


def spark_settings(settings: Settings, endpoints: Endpoints) -> dict[str, str]:
    """Every Spark setting the job relies on, and where AWS is."""
    catalog = f"spark.sql.catalog.{CATALOG}"
    return {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "glue",
        f"{catalog}.warehouse": f"s3://{settings.lake_bucket}/results",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.client.region": endpoints.region,
        # Executors do not have the driver's environment, and their Python reads and packs raw objects.
        "spark.executorEnv.AWS_DEFAULT_REGION": endpoints.region,
        # A run is alone while it holds the lease, and begins by forgetting what its session knew of the tables.
        f"{catalog}.cache-enabled": "true",
        f"{catalog}.cache.expiration-interval-ms": "-1",
        f"{catalog}.io.manifest.cache-enabled": "true",
        # Instants are UTC whatever the computer's clock says; shop-local days are computed by name of zone.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.caseSensitive": "true",
        # A deleted or moved input must not silently shorten a run.
        "spark.sql.files.ignoreMissingFiles": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        # Of shuffled bytes for one task: with Spark's 64 MB a laptop's second core would have nothing to do.
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16m",
        # Java compiles no method that is longer; Spark would write some, and they would be interpreted.
        "spark.sql.codegen.hugeMethodLimit": "8000",
        # A task has thousands of sessions: from 128 on it would sort its events for them.
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "50000",
        # Events that lie together by visitor are joined by event where they are.
        "spark.sql.requireAllClusterKeysForCoPartition": "false",
        # Of the rows a run keeps, those that memory has no room for lie on disk, at a seventh of their size.
        "spark.rdd.compress": "true",
        # Each query is described in words for a web page nobody looks at; short words are cheap.
        "spark.sql.debug.maxToStringFields": "1",
        **endpoints.spark_settings(CATALOG),
    }


def start_session(settings: Settings, extra: dict[str, str] | None = None) -> SparkSession:
    """The running session where there is one (Glue), else a new one.

    `extra` holds what only the place knows: master, memory, jars. The Python workers import this tree,
    so its root is put on their path.
    """
    if settings.region:
        # Whether Glue sets one for a job's Python is documented nowhere.
        os.environ["AWS_DEFAULT_REGION"] = settings.region
    root = str(Path(__file__).resolve().parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    builder = SparkSession.builder.appName("refresh_lake")
    for name, value in spark_settings(settings, Endpoints.from_environment()).items():
        builder = builder.config(name, value)
    for name, value in (extra or {}).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    # PySpark looks classes and their functions up anew for every call, through every jar: a tenth of a small run.
    jvm = session.sparkContext._jvm
    for holder, names in _OFTEN_CALLED.items():
        scala_object = getattr(jvm, holder)
        setattr(jvm, holder, scala_object)
        for name in names:
            setattr(scala_object, name, getattr(scala_object, name))
    return session


def tune(session: SparkSession, input_bytes: int, days_bytes: int = 0) -> None:
    """Fits the engine to the run: for little data compiling code and planning again cost more than they save.

    `input_bytes` are the run's own, `days_bytes` those of the stored events that it reads beside them.
    """
    if input_bytes <= SMALL_RUN_BYTES and days_bytes <= SMALL_DAYS_BYTES:
        for name, value in _FOR_SMALL_RUNS.items():
            session.conf.set(name, value)
        return
    for name in _FOR_SMALL_RUNS:
        session.conf.unset(name)
    # Not getConf(): it copies every setting.
    least = int(session.sparkContext._conf.get("spark.sql.shuffle.partitions", "200"))
    session.conf.set("spark.sql.shuffle.partitions", str(max(least, input_bytes // PARTITION_BYTES)))


def is_small(session: SparkSession) -> bool:
    return session.conf.get("spark.sql.shuffle.partitions") == "1"


def in_one_task(rows: DataFrame) -> DataFrame:
    """The rows in one partition if the run is small: then no query shuffles, and each is one task."""
    return rows.coalesce(1) if is_small(rows.sparkSession) else rows


def few(rows: DataFrame) -> DataFrame:
    """Says that these rows are few beside those they are joined to, which then need not be sorted for it."""
    # Large runs send them to every task.
    return rows.hint("shuffle_hash") if is_small(rows.sparkSession) else F.broadcast(rows)


def at_once(*steps: Callable[[], T]) -> list[T]:
    """Runs steps that do not need one another in threads: planning keeps one core busy, Spark takes the others.

    Waits for all of them; then the fault that came first is raised, or what they return is returned.
    """
    with ThreadPoolExecutor(max(1, len(steps)), "step") as pool:
        running = [pool.submit(step) for step in steps]
        ended, _ = wait(running, return_when=FIRST_EXCEPTION)
    for step in ended:
        step.result()
    return [step.result() for step in running]
