"""The job's arguments, read once into frozen Settings. Nothing below reads the environment or argv."""

import argparse
import re
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

COMMANDS = ("refresh", "rebuild", "reparse")


class ArgumentsError(ValueError):
    """An argument is missing or wrong; the message says which, and what was expected."""


@dataclass(frozen=True)
class Settings:
    """What a run needs to know about the shop and its lake."""

    lake_bucket: str
    database: str = "clickstream_db"
    shop_time_zone: str = "UTC"
    shop_currency: str = "EUR"
    shop_hosts: tuple[str, ...] = ()
    late_limit_days: int = 90
    command: str = "refresh"
    reconcile: bool = False
    first_day: date | None = None
    last_day: date | None = None
    lease_seconds: float = 60.0
    correlation_id: str = ""
    keep_days: int = 7
    listing_overlap_hours: int = field(default=2)

    def __post_init__(self) -> None:
        if not self.lake_bucket:
            raise ArgumentsError("--lake_bucket is missing: give the name of the lake's bucket")
        if self.command not in COMMANDS:
            raise ArgumentsError(f"--command is {self.command!r}: expected one of {', '.join(COMMANDS)}")
        if not re.fullmatch(r"[A-Z]{3}", self.shop_currency):
            raise ArgumentsError(f"--shop_currency is {self.shop_currency!r}: expected three letters, as EUR")
        if self.late_limit_days < 1:
            raise ArgumentsError(f"--late_limit_days is {self.late_limit_days}: expected at least 1")
        try:
            ZoneInfo(self.shop_time_zone)
        except (KeyError, ValueError, OSError):
            raise ArgumentsError(
                f"--shop_time_zone is {self.shop_time_zone!r}: expected a name such as Europe/Berlin"
            ) from None
        if self.keep_days < 1:
            raise ArgumentsError(f"--keep_days is {self.keep_days}: expected at least 1")
        if self.command == "reparse":
            if self.first_day is None or self.last_day is None:
                raise ArgumentsError("reparse needs --from and --to, as 2026-01-31")
            if self.first_day > self.last_day:
                raise ArgumentsError(f"--from {self.first_day} is after --to {self.last_day}")


def _day(name: str, text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentsError(f"{name} is {text!r}: expected a day, as 2026-01-31") from None


def read_arguments(argv: list[str]) -> Settings:
    """Settings from a command line such as Glue's; its own arguments, which Glue adds, are passed over.

    Raises ArgumentsError. Source of the form: AWS Glue's `--name value` pairs.
    """
    optional = {
        "database": "clickstream_db",
        "shop_time_zone": "UTC",
        "shop_currency": "EUR",
        "shop_hosts": "",
        "late_limit_days": "90",
        "command": "refresh",
        "reconcile": "false",
        "from": "",
        "to": "",
        "lease_seconds": "60",
        "correlation_id": "",
        "keep_days": "7",
    }
    # awsglue knows only required options, so those that were given are asked for.
    given = [name for name in optional if any(a == f"--{name}" or a.startswith(f"--{name}=") for a in argv)]
    values = {**optional, **_resolve(argv, ["lake_bucket", *given])}
    try:
        late_limit_days, keep_days = int(values["late_limit_days"]), int(values["keep_days"])
        lease_seconds = float(values["lease_seconds"])
    except ValueError:
        raise ArgumentsError("--late_limit_days, --keep_days and --lease_seconds are numbers") from None
    return Settings(
        lake_bucket=values["lake_bucket"],
        database=values["database"],
        shop_time_zone=values["shop_time_zone"],
        shop_currency=values["shop_currency"],
        shop_hosts=tuple(host for host in values["shop_hosts"].lower().split(",") if host),
        late_limit_days=late_limit_days,
        command=values["command"],
        reconcile=values["reconcile"].lower() == "true",
        first_day=_day("--from", values["from"]),
        last_day=_day("--to", values["to"]),
        lease_seconds=lease_seconds,
        correlation_id=values["correlation_id"],
        keep_days=keep_days,
    )


def _resolve(argv: list[str], names: list[str]) -> dict[str, str]:
    # Imported here: the package exists on Glue and in the development environment, not in a Lambda.
    from awsglue.utils import GlueArgumentError, getResolvedOptions

    try:
        return getResolvedOptions(["refresh_lake", *argv], names)
    except (GlueArgumentError, argparse.ArgumentError) as error:
        raise ArgumentsError(f"the job's arguments are wrong: {error}") from None
