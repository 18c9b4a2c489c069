"""The refresh job, cold, beside DuckDB writing the same tables from the same raw objects.

    python -m tests.benchmarks.refresh [--events 2000000] [--threads 2] [--memory 6g]

Both sides are processes of their own, timed from start to end, one after the other, with as many threads and
as much memory. The job works through the emulator (S3 and the Glue catalog over HTTP) and writes Iceberg
tables; DuckDB reads and writes local files. What DuckDB's side leaves out is printed. Every table but
restatements, which a first run leaves empty, is then compared row by row.
"""

import argparse
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from clicklake.local.places import ROOT
from clicklake.paths import RAW_PREFIX, raw_key
from glue_jobs.tables import TABLES

# The rest is imported where it is used: DuckDB's process would pay for it.
if TYPE_CHECKING:
    from clicklake.local.emulator import Lake

FIRST_DAY = datetime(2026, 9, 1, tzinfo=timezone.utc)
DAYS = 10
EVENTS_A_SESSION = 12
LINES_AN_OBJECT = 10_000
REPEATED = 0.02
SHOP_HOST = "shop.example"

LEFT_OUT = """\
quarantine: the text of a refused line, and the identity made of it where the line carries none
refusals for the type of a field other than money (DuckDB's reader gives null there); blank lines, too long ones
damaged objects: what is wrong with them; an empty one ends DuckDB's run
restatements, and all that an empty lake spares both: copies, sessions, orders and owners stored before
Iceberg's commits, statistics and journal; the emulator's HTTP: the job pays for all of these"""

# These tell of the run, not of the shop. DuckDB's types print alike on both sides, so rows are compared as text.
NOT_COMPARED = ("run_id", "written_at", "started_at", "completed_at", "listed_until", "snapshots")
COMPARED = {
    table.name: [name for name in table.column_names if name not in NOT_COMPARED]
    for table in TABLES.values()
    if table.name != "restatements"
}


# --- raw objects


@dataclass
class RawFolder:
    folder: Path
    objects: int = 0
    lines: int = 0
    bytes: int = 0
    gzipped: int = 0

    def add(self, lines: list[str], put_ms: int, number: int) -> None:
        text = ("\n".join(lines) + "\n").encode()
        body = gzip.compress(text, 1)
        at = datetime.fromtimestamp(put_ms / 1000, timezone.utc)
        path = self.folder / raw_key(f"{number:032x}", len(lines), at)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.objects += 1
        self.lines += len(lines)
        self.bytes += len(text)
        self.gzipped += len(body)


def write_raw(folder: Path, events: int, lines_an_object: int = LINES_AN_OBJECT) -> RawFolder:
    """`events` events in packed objects, and copies of some, sent again in the next object."""
    raw, chance = RawFolder(folder), random.Random(7)
    lines: list[str] = []
    again: list[str] = []
    put_ms = 0
    for line, received_ms, ingest_id in make_lines(chance, events):
        lines.append(line)
        put_ms = max(put_ms, received_ms)
        if chance.random() < REPEATED:
            copy = line.replace(ingest_id, f"{chance.getrandbits(128):032x}", 1)
            received = '"received_at":'
            again.append(copy.replace(f"{received}{received_ms}", f"{received}{received_ms + 20_000}"))
        if len(lines) >= lines_an_object:
            raw.add(lines, put_ms, raw.objects)
            lines, again = again, []
    raw.add(lines + again, put_ms, raw.objects)
    return raw


def make_lines(chance: random.Random, events: int) -> Iterator[tuple[str, int, str]]:
    """Accepted raw lines with their receipt and request: visits in order of time, by old and new visitors."""
    sessions = max(1, events // EVENTS_A_SESSION)
    first_ms = int(FIRST_DAY.timestamp() * 1000)
    visitors: list[str] = []
    orders: list[str] = []
    made = 0
    for number in range(10 * sessions):
        start = first_ms + min(number, sessions) * DAYS * 86_400_000 // (sessions + 1)
        if visitors and chance.random() < 0.35:
            visitor = chance.choice(visitors)
        else:
            visitor = f"{chance.getrandbits(128):032x}"
            visitors.append(visitor)
        for line in _make_visit(chance, visitor, start, orders):
            yield line
            made += 1
            if made == events:
                return


def _make_visit(chance: random.Random, visitor: str, start: int, orders: list[str]) -> Iterator[tuple[str, int, str]]:
    """One visit: some pages, on each some events, sent page by page."""
    is_bot, is_consented = chance.random() < 0.02, chance.random() < 0.92
    # A few browsers' clocks are two hours behind; the job moves their events by what the sending shows.
    behind = 7_200_000 if chance.random() < 0.01 else 0
    browser, system = chance.choice((("Chrome", "Windows"), ("Safari", "iOS"), ("Firefox", "Linux")))
    country = chance.choice(("DE", "AT", "CH", "FR", "US", "GB", "NL", "XX"))
    device = "mobile" if system == "iOS" else "desktop"
    consent = "granted" if is_consented else "denied"
    who = f'"anonymous_id":"{visitor}",' if is_consented else ""
    bot = 'true,"bot_reasons":["user_agent"]' if is_bot else "false"
    tail = f'"device":{{"type":"{device}"}},"geo":{{"country":"{country}"}},'
    tail += f'"consent":{{"analytics":"{consent}"}}}}'
    depth = chance.random()
    at = start
    # One visit in two hundred goes through the shop like a clock.
    is_crawl = 0.45 < depth < 0.455
    for page in range(12 if is_crawl else chance.randrange(1, 6)):
        product = int(2000 * chance.random() ** 2)
        page_view, ingest_id = f"{chance.getrandbits(64):016x}", f"{chance.getrandbits(128):032x}"
        is_campaign = page == 0 and depth < 0.3
        campaign = f"?utm_source=news&utm_campaign=c{chance.randrange(20)}" if is_campaign else ""
        url = f"https://{SHOP_HOST}/p/{product}{campaign}"
        referrer = '"referrer":"https://www.google.com/",' if page == 0 and depth > 0.6 else ""
        price = f'"{5 + product % 300}.99"'
        item = f'{{"product_id":"sku-{product}","name":"Product {product}","price":{price},"qty":1}}'
        types = ["page_view", "page_ping", ("view_item_list", "view_item", "search")[page % 3], "page_leave"]
        if depth > 0.8 and page >= 1:
            types.insert(3, "add_to_cart")
        if depth > 0.93 and page >= 2:
            types[3:] = ["add_to_cart", "begin_checkout", "purchase"]
        elif depth < 0.002 and orders:
            types.insert(2, "refund")
        if is_crawl:
            types = types[:1]
        sent = at + 2000 * len(types)
        for position, event_type in enumerate(types):
            at += 0 if is_crawl else chance.randrange(200, 1999)
            more = ""
            if event_type in ("view_item", "add_to_cart", "begin_checkout", "purchase"):
                more = f'"items":[{item}],"currency":"EUR",'
            if event_type == "purchase":
                orders.append(f"o-{chance.getrandbits(48):012x}")
                more += f'"order_id":"{orders[-1]}","value":{price},"tax":"1.50","shipping":"4.90",'
            elif event_type == "refund":
                more = f'"order_id":"{chance.choice(orders)}","refund_id":"r-{at}","value":"5.00",'
                more += '"currency":"EUR",'
            if event_type in ("page_ping", "page_leave"):
                more = f'"props":{{"engaged_ms":{position * 900}}},'
            if position and depth > 0.9 and is_consented:
                more += f'"user_id":"{visitor[::-1]}",'
            line = (
                f'{{"ingest_id":"{ingest_id}","position":{position},"received_at":{sent + 100},'
                f'"verdict":"accepted","origin":"browser","is_bot":{bot},"browser":"{browser}","os":"{system}",'
                f'"event_id":"{chance.getrandbits(128):032x}","ts":{at - behind},'
                f'"sent_at":{sent - behind},"event_type":"{event_type}",{who}"page_view_id":"{page_view}",'
                f'"page_url":"{url}",{referrer}{more}{tail}'
            )
            yield line, sent + 100, ingest_id
        at = at + 800 if is_crawl else sent + chance.randrange(1000, 120_000)


# --- the two sides, each in a process of its own


def run_job(folder: Path, threads: int, memory: str) -> None:
    """The job with settings for throughput; `folder` takes Spark's temporary files."""
    from pyspark import SparkContext

    from clicklake.local.emulator import DATABASE
    from clicklake.local.spark import laptop_settings, prepare
    from glue_jobs.arguments import Settings
    from glue_jobs.refresh_lake import refresh
    from glue_jobs.runtime import start_session

    prepare()
    spark_settings = laptop_settings(folder, threads)
    # The laptop's flags serve small runs; a large one wants the second compiler and a parallel collector.
    flags = [f for f in spark_settings["spark.driver.extraJavaOptions"].split() if f.startswith("-D")]
    spark_settings["spark.driver.extraJavaOptions"] = " ".join([*flags, "-XX:+UseParallelGC"])
    spark_settings["spark.driver.memory"] = memory
    settings = Settings(os.environ["LAKE_BUCKET"], DATABASE, shop_hosts=(SHOP_HOST,))
    started = time.monotonic()
    spark = start_session(settings, spark_settings)
    _tell("step", f"Python and Spark's session ({time.monotonic() - started:.1f} s of it the session)")
    report = refresh(spark, settings, say=lambda text: _tell("step", text))
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(True)
    shuffled = sum(executors.apply(number).totalShuffleWrite() for number in range(executors.size()))
    _tell("step", f"and shuffled {shuffled:,} bytes in all")
    _tell("report", {**asdict(report), "shuffle_bytes": shuffled})
    gateway = SparkContext._gateway
    gateway.proc.kill()
    gateway.proc.wait()


def run_duckdb(folder: Path, threads: int, memory: str) -> None:
    os.chdir(folder)
    Path("out").mkdir()
    limit = memory.rstrip("gG") + "GB"
    connection = duckdb.connect(
        config={"threads": threads, "memory_limit": limit, "temp_directory": str(folder / "tmp")}
    )
    reference = files("glue_jobs").joinpath("reference")
    variables = {
        "countries": reference / "countries.csv",
        "sources": reference / "sources.json",
        "shop_host": SHOP_HOST,
        "time_zone": "UTC",
    }
    for name, value in variables.items():
        # Not as a parameter: for its type DuckDB would load pandas and pyarrow, for 1.6 s.
        connection.execute(f"set variable {name} = '{value}'")
    connection.execute("set variable now = localtimestamp::timestamp")
    script = (ROOT / "tests" / "benchmarks" / "refresh_duckdb.sql").read_text("utf-8")
    for step in script.split("-- step: ")[1:]:
        title, _, statements = step.partition("\n")
        started = time.monotonic()
        connection.execute(statements)
        _tell("step", f"{title} ({time.monotonic() - started:.1f} s)")
    connection.close()


def _tell(kind: str, what: Any) -> None:
    print(json.dumps({kind: what}, default=str), flush=True)


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


@dataclass
class Measured:
    seconds: float
    cpu: dict[str, float]
    jvm: dict[str, float]
    unused: float
    peak_bytes: dict[str, int]
    report: dict[str, Any]

    @property
    def all_cpu(self) -> float:
        return sum(cpu for kind, cpu in self.cpu.items() if kind != "emulator")

    @property
    def all_peak(self) -> int:
        return self.peak_bytes.get("all", 0)


def measure(
    side: str,
    folder: Path,
    threads: int,
    memory: str,
    environment: dict[str, str],
    emulator_pid: int | None,
) -> Measured:
    """Runs a side from process start to end. Each of its lines is printed with the CPU time of that step."""
    command = [sys.executable, "-m", "tests.benchmarks.refresh", "--side", side, "--folder", str(folder)]
    command += ["--threads", str(threads), "--memory", memory]
    started = time.monotonic()
    with open(folder / f"{side}.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
            start_new_session=True,  # so that all it starts can be found, measured and ended
        )
    watch, unused = ProcessWatch(process.pid, emulator_pid), _unused_seconds()
    try:
        report: dict[str, Any] = {}
        before, then = watch.cpu(), started
        for line in process.stdout:
            told = json.loads(line) if line.startswith("{") else {}
            report = told.get("report", report)
            if "step" in told:
                cpu, now = watch.cpu(), time.monotonic()
                spent = ", ".join(
                    f"{kind} {cpu[kind] - before.get(kind, 0):.1f}"
                    for kind in sorted(cpu)
                    if cpu[kind] - before.get(kind, 0) >= 0.05
                )
                print(f"    {now - then:6.1f} s  (CPU: {spent or 'none'})  {told['step']}", flush=True)
                before, then = cpu, now
        process.wait()
        seconds = time.monotonic() - started
        if process.returncode != 0:
            raise SystemExit(f"{side} failed:\n" + (folder / f"{side}.log").read_text("utf-8")[-3000:])
        return Measured(seconds, watch.cpu(), watch.jvm(), _unused_seconds() - unused, watch.peaks, report)
    finally:
        watch.stop()
        process.stdin.close()
        process.stdout.close()
        end_session(process)


JVM_THREADS = {"C1 Compiler": "compilers", "C2 Compiler": "compilers", "GC Thread": "garbage collector"}


class ProcessWatch:
    """CPU time and memory of a session's processes, by kind, from /proc; nothing where there is none."""

    def __init__(self, session: int, emulator_pid: int | None) -> None:
        self._session, self._emulator = session, emulator_pid
        self._cpu: dict[int, tuple[str, float]] = {}
        self._threads: dict[tuple[int, int], tuple[str, float]] = {}
        self._samples = 0
        self._emulator_before: float | None = None
        self.peaks: dict[str, int] = defaultdict(int)
        self._lock, self._done = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def cpu(self) -> dict[str, float]:
        self._sample()
        sums: dict[str, float] = defaultdict(float)
        with self._lock:
            for kind, seconds in self._cpu.values():
                sums[kind] += seconds
        return dict(sums)

    def jvm(self) -> dict[str, float]:
        """CPU time of the JVM's own work: its compilers and its garbage collector."""
        sums: dict[str, float] = defaultdict(float)
        with self._lock:
            for kind, seconds in self._threads.values():
                sums[kind] += seconds
        return dict(sums)

    def _run(self) -> None:
        while not self._done.wait(0.25):
            self._sample()

    def _sample(self) -> None:
        ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
        resident: dict[str, int] = defaultdict(int)
        with self._lock:
            for pid in pids():
                stat = read_stat(pid)
                if stat is None or (stat.session != self._session and pid != self._emulator):
                    continue
                kind = "emulator" if pid == self._emulator else "JVM" if stat.name == "java" else "Python"
                seconds = stat.cpu_ticks / ticks
                if kind == "emulator":
                    if self._emulator_before is None:
                        self._emulator_before = seconds
                    seconds -= self._emulator_before
                self._cpu[pid] = kind, seconds
                if kind == "JVM" and self._samples % 4 == 0:
                    self._sample_threads(pid, ticks)
                resident[kind] += stat.pages * page
                if kind != "emulator":
                    resident["all"] += stat.pages * page
            self._samples += 1
            for kind, size in resident.items():
                self.peaks[kind] = max(self.peaks[kind], size)

    def _sample_threads(self, pid: int, ticks: int) -> None:
        for thread in pids(f"/proc/{pid}/task"):
            stat = read_stat(thread, f"/proc/{pid}/task")
            kind = stat and next((k for name, k in JVM_THREADS.items() if stat.name.startswith(name)), None)
            if kind:
                self._threads[pid, thread] = kind, stat.cpu_ticks / ticks


@dataclass(frozen=True)
class Stat:
    name: str
    group: int
    session: int
    cpu_ticks: int
    pages: int


def read_stat(pid: int, folder: str = "/proc") -> Stat | None:
    """What Linux tells of a process, or of a thread in a process's `task` folder; None where it has ended."""
    try:
        text = Path(f"{folder}/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return Stat(name, int(fields[2]), int(fields[3]), int(fields[11]) + int(fields[12]), int(fields[21]))


def pids(folder: str = "/proc") -> list[int]:
    try:
        return [int(name) for name in os.listdir(folder) if name.isdigit()]
    except OSError:
        return []


def _unused_seconds() -> float:
    """Seconds in which a core of this computer had nothing to do, or waited for a disk, since its start."""
    try:
        fields = Path("/proc/stat").read_text().split()
    except OSError:
        return 0.0
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def end_session(process: subprocess.Popen[str]) -> None:
    """Ends what the process started and left: its session is its own."""
    if process.poll() is None:
        process.kill()
        process.wait()
    left = [pid for pid in pids() if (stat := read_stat(pid)) and stat.session == process.pid]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


# --- comparing and printing


def compare(lake: "Lake", out: Path) -> dict[str, tuple[int, int, bool]]:
    """Per table: rows of the job, rows of DuckDB, and whether both are equal in every column compared."""
    from clicklake.local.sql import GlueTables

    tables = GlueTables(lake.endpoints(), lake.database)
    found = {}
    with duckdb.connect() as connection:
        tables.prepare(connection)
        for table, columns in COMPARED.items():
            path = out / f"{table}.parquet"
            path = path if path.exists() else out / table / "**" / "*.parquet"
            other = f"read_parquet('{path}', hive_partitioning = true)"
            texts = ", ".join(f"coalesce({name}::varchar, chr(0))" for name in columns)
            prints = []
            for source in (tables.scan(table), other):
                query = f"select count(*), sum(hash(concat_ws('|', {texts}))::hugeint) from {source}"
                prints.append(connection.execute(query).fetchone())
            found[table] = prints[0][0], prints[1][0], prints[0] == prints[1]
    return found


def put_raw(s3: Any, bucket: str, folder: Path) -> None:
    for path in sorted((folder / RAW_PREFIX).rglob("*.gz")):
        s3.put_object(Bucket=bucket, Key=path.relative_to(folder).as_posix(), Body=path.read_bytes())


def print_results(events: int, threads: int, job: Measured, other: Measured) -> None:
    print(f"\n{'':22s}{'refresh_lake':>14s}{'DuckDB':>14s}")
    rows = [
        ("seconds", job.seconds, other.seconds, ".1f"),
        ("events/s", events / job.seconds, events / other.seconds, ",.0f"),
        ("CPU seconds", job.all_cpu, other.all_cpu, ".1f"),
        ("cores busy", job.all_cpu / job.seconds, other.all_cpu / other.seconds, ".2f"),
        ("peak memory, MB", job.all_peak / 1e6, other.all_peak / 1e6, ",.0f"),
    ]
    for name, one, two, form in rows:
        print(f"{name:22s}{one:>14{form}}{two:>14{form}}")
    print(f"refresh_lake runs at {other.seconds / job.seconds:.2f} of DuckDB's speed")
    parts = ", ".join(f"{kind} {cpu:.1f} s" for kind, cpu in sorted(job.cpu.items()))
    by_kind = sorted((kind, size) for kind, size in job.peak_bytes.items() if kind != "all")
    peaks = ", ".join(f"{kind} {size / 1e6:,.0f} MB" for kind, size in by_kind)
    if parts:
        own = ", ".join(f"{kind} {cpu:.1f} s" for kind, cpu in sorted(job.jvm.items()))
        print(f"the job's CPU time: {parts}. Peaks: {peaks}")
        print(f"of the JVM's CPU time: {own or 'nothing told'}; the rest is Spark's work")
        capacity = (os.cpu_count() or threads) * job.seconds
        others = max(0.0, capacity - sum(job.cpu.values()) - job.unused)
        print(
            f"while the job ran, {job.unused / capacity:.0%} of the computer's cores' time was unused, "
            f"and {others / capacity:.0%} was other programs'"
        )


def run(events: int, threads: int, memory: str) -> None:
    from clicklake.local import emulator

    load = os.getloadavg()[0]
    if load > 1:
        print(f"The computer is busy (load {load:.1f}): speeds will be low, and their ratio uncertain.")
    with tempfile.TemporaryDirectory(prefix="clicklake-bench-") as name, emulator.running() as server:
        folder = Path(name)
        started = time.monotonic()
        raw = write_raw(folder, events)
        lake = server.create_lake()
        lake.enter()
        put_raw(server.client("s3"), lake.bucket, folder)
        print(
            f"{events:,} events and {raw.lines - events:,} repeats in {raw.objects:,} objects, "
            f"{raw.bytes / raw.lines:.0f} bytes a line, {raw.gzipped / 1e6:.0f} MB gzipped, {DAYS} days "
            f"(made in {time.monotonic() - started:.0f} s); {threads} threads, {memory} each",
            flush=True,
        )
        emulator_pid = server._process.pid
        print("refresh_lake, cold JVM:")
        job = measure("spark", folder, threads, memory, lake.environment(), emulator_pid)
        print("DuckDB:")
        other = measure("duckdb", folder, threads, memory, {}, None)
        print_results(events, threads, job, other)
        print("rows written (job, DuckDB):")
        is_equal = True
        for table, (ours, theirs, same) in compare(lake, folder / "out").items():
            is_equal = is_equal and same
            print(f"    {table:16s}{ours:>12,}{theirs:>12,}  {'equal' if same else 'DIFFERENT'}")
        print("DuckDB's side leaves out:")
        print("\n".join(f"    {line}" for line in LEFT_OUT.splitlines()))
        if not is_equal or job.report["lines_stored"] != events:
            raise SystemExit("the two sides did not write the same rows")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=2_000_000)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--memory", default="6g", help="the JVM's heap, and DuckDB's limit, in gigabytes")
    arguments.add_argument("--side", choices=("spark", "duckdb"), help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.side is None:
        run(chosen.events, chosen.threads, chosen.memory)
        return
    threading.Thread(target=_end_with_parent, daemon=True).start()
    {"spark": run_job, "duckdb": run_duckdb}[chosen.side](chosen.folder, chosen.threads, chosen.memory)


if __name__ == "__main__":
    main()
