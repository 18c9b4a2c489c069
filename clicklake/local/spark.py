"""What Spark needs to know of a laptop; everything else is in glue_jobs/runtime.py, for Glue as well.

prepare()
spark = start_session(settings, laptop_settings(folder))
"""

import os
import sys
from pathlib import Path

from clicklake.local.jars import classpath
from clicklake.local.java import java_home
from clicklake.local.places import ROOT

DRIVER_MEMORY = "2g"


def prepare() -> None:
    """Readies this process for starting a JVM: Java, Python, the loopback address."""
    os.environ["JAVA_HOME"] = str(java_home())
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ.pop("SPARK_HOME", None)  # another Spark's jars would be loaded


def laptop_settings(folder: Path, cores: int | None = None) -> dict[str, str]:
    """Spark settings for one machine. `folder` takes all temporary files; the caller removes it."""
    cores = cores or os.cpu_count() or 2
    return {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # On the class path from the start: with spark.jars they would be copied and loaded later.
        "spark.driver.extraClassPath": os.pathsep.join(map(str, classpath())),
        # A laptop's lake is small: the serial collector and the first compiler start quickest.
        "spark.driver.extraJavaOptions": " ".join(
            [
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                # The first compiler alone gets 48 MB: full after one run, and nothing is compiled any more.
                "-XX:ReservedCodeCacheSize=256m",
                f"-Djava.io.tmpdir={folder}",
                f"-Dderby.system.home={folder}",
                f"-Dlog4j2.configurationFile={ROOT / 'clicklake' / 'local' / 'log4j2.properties'}",
            ]
        ),
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": str(cores),
        "spark.default.parallelism": str(cores),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
