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


def laptop_settings(folder: Path, cores: int | None = None, stays: bool = False) -> dict[str, str]:
    """Spark settings for one machine. `folder` takes all temporary files; the caller removes it.

    `stays`: the JVM is to be quick from its fifth small run on, not in its first.
    """
    cores = cores or os.cpu_count() or 2
    # The first compiler alone gets 48 MB: full after one run, and nothing is compiled any more.
    starts_quickly = ["-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=256m"]
    # With all compilers, but less in a hurry than usual: else the first runs would wait for them.
    gets_quick = ["-XX:CompileThresholdScaling=3"]
    return {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # On the class path from the start: with spark.jars they would be copied and loaded later.
        "spark.driver.extraClassPath": os.pathsep.join(map(str, classpath())),
        "spark.driver.extraJavaOptions": " ".join(
            [
                # A laptop's lake is small.
                "-XX:+UseSerialGC",
                *(gets_quick if stays else starts_quickly),
                _option(f"-Djava.io.tmpdir={folder}"),
                _option(f"-Dderby.system.home={folder}"),
                _option(f"-Dlog4j2.configurationFile={(ROOT / 'clicklake' / 'local' / 'log4j2.properties').as_uri()}"),
            ]
        ),
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": str(cores),
        "spark.default.parallelism": str(cores),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _option(text: str) -> str:
    """One option whole: Spark cuts the line at its spaces, and a folder may have some in its name."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
