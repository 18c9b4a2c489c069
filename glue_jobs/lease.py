"""One run at a time: a lease object in S3, and a journal that lets the next run undo a killed one."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clicklake.paths import JOURNAL_KEY, LEASE_KEY


class LeaseLost(RuntimeError):
    """Another run took the lease, because this one was silent for too long. Nothing more may be written."""


def _is_conflict(error: ClientError) -> bool:
    # 404: what the condition names is gone; 409: two conditional writes met; 412: the condition was false.
    return error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 409, 412)


@dataclass
class Lease:
    """Held by one run; renewed from a thread; taken over when `seconds` have passed without renewal.

    Ages are read off S3's own clock (the answer's Date against Last-Modified), so no two computers'
    clocks are ever compared.
    """

    s3: Any
    bucket: str
    run_id: str
    seconds: float = 60.0
    say: Callable[[str], None] = print
    _etag: str = ""
    _renewed: float = 0.0
    _lost: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _renewer: threading.Thread | None = None

    def __enter__(self) -> "Lease":
        is_waiting = False
        while not self._try_to_take():
            if not is_waiting:
                self.say("another run is at work: waiting for it to end")
                is_waiting = True
            time.sleep(min(1.0, self.seconds / 10))
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._renewer:
            self._renewer.join()
        if not self._lost.is_set():
            try:
                self._put({"holder": None}, IfMatch=self._etag)
            except (ClientError, BotoCoreError):
                # What the run did stands; the lease runs out by itself.
                self.say(f"the lease could not be given back: the next run waits for at most {self.seconds:.0f} s")

    def check(self) -> None:
        """Raises LeaseLost if the lease is no longer ours, or was given back. Called before every commit."""
        # A renewal that hangs is as good as none: the clock decides, not the answer.
        if self._lost.is_set() or self._stop.is_set() or time.monotonic() - self._renewed > self.seconds:
            raise LeaseLost(f"run {self.run_id} lost its lease on s3://{self.bucket}/{LEASE_KEY}")

    def _put(self, body: dict[str, Any], **condition: str) -> None:
        asked = time.monotonic()
        answer = self.s3.put_object(Bucket=self.bucket, Key=LEASE_KEY, Body=json.dumps(body).encode(), **condition)
        self._etag = answer["ETag"]
        self._renewed = asked

    def _read(self) -> tuple[str | None, str, float] | None:
        """Holder, ETag and age in seconds; None where there was never a lease."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=LEASE_KEY)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            return None
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        holder = json.loads(answer["Body"].read())["holder"]
        return holder, answer["ETag"], (now - answer["LastModified"]).total_seconds()

    def _is_ours_after_all(self) -> bool:
        """Whether a write that was refused had been written by its first try, whose answer was lost."""
        found = self._read()
        if found is None or found[0] != self.run_id:
            return False
        self._etag = found[1]
        return True

    def _try_to_take(self) -> bool:
        found = self._read()
        # Both times of an age are cut to whole seconds, so it may be told as almost a second more than it is.
        if found is not None and found[0] and found[2] < self.seconds + 1:
            return False
        condition = {"IfNoneMatch": "*"} if found is None else {"IfMatch": found[1]}
        asked = time.monotonic()
        try:
            self._put({"holder": self.run_id}, **condition)
        except ClientError as error:
            if not _is_conflict(error):
                raise
            self._renewed = asked
            return self._is_ours_after_all()
        return True

    def _extend(self) -> None:
        try:
            self._put({"holder": self.run_id}, IfMatch=self._etag)
        except ClientError as error:
            if not _is_conflict(error) or not self._is_ours_after_all():
                raise
            self._put({"holder": self.run_id}, IfMatch=self._etag)

    def _renew(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(self.seconds / 3):
            try:
                self._extend()
                last = time.monotonic()
            except ClientError as error:
                if _is_conflict(error):
                    self._lost.set()
                    return
            except Exception:  # noqa: BLE001 - a network fault: try again until the lease has run out
                pass
            if time.monotonic() - last > self.seconds:
                self._lost.set()
                return


@dataclass(frozen=True)
class Journal:
    """What the lake was before a run began: snapshot id of every table, None where it had none.

    `etag` is S3's, of the object it was read from.
    """

    run_id: str
    before: dict[str, int | None]
    etag: str = ""


def write_journal(s3: Any, bucket: str, journal: Journal, former: Journal | None) -> None:
    """Writes it in place of `former`, the one this run found. Raises LeaseLost if that is there no more.

    A write that is held up until another run has completed would else make the next one undo that run.
    """
    body = json.dumps({"run_id": journal.run_id, "before": journal.before})
    condition = {"IfMatch": former.etag} if former is not None else {"IfNoneMatch": "*"}
    try:
        s3.put_object(Bucket=bucket, Key=JOURNAL_KEY, Body=body.encode(), **condition)
    except ClientError as error:
        if not _is_conflict(error):
            raise
        found = read_journal(s3, bucket)
        # Ours after all: the first try wrote it, and its answer was lost.
        if found is None or found.run_id != journal.run_id:
            raise LeaseLost(f"another run has written {JOURNAL_KEY} since run {journal.run_id} began") from error


def read_journal(s3: Any, bucket: str) -> Journal | None:
    try:
        answer = s3.get_object(Bucket=bucket, Key=JOURNAL_KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    body = json.loads(answer["Body"].read())
    return Journal(body["run_id"], body["before"], answer["ETag"])
