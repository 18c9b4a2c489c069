"""The job's arguments, read once into frozen Settings. Nothing below reads the environment or argv."""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
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
    region: str = ""

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


def _is_true(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(host for host in text.lower().split(",") if host)


# Of each argument the setting, what makes it of the text, and how such a text looks.
_ARGUMENTS: Mapping[str, tuple[str, Callable[[str], Any], str]] = {
    "database": ("database", str, "a name"),
    "shop_time_zone": ("shop_time_zone", str, "a name such as Europe/Berlin"),
    "shop_currency": ("shop_currency", str, "three letters, as EUR"),
    "shop_hosts": ("shop_hosts", _hosts, "hosts with commas between them"),
    "late_limit_days": ("late_limit_days", int, "a number"),
    "command": ("command", str, f"one of {', '.join(COMMANDS)}"),
    "reconcile": ("reconcile", _is_true, "true or false"),
    "from": ("first_day", date.fromisoformat, "a day, as 2026-01-31"),
    "to": ("last_day", date.fromisoformat, "a day, as 2026-01-31"),
    "lease_seconds": ("lease_seconds", float, "a number"),
    "correlation_id": ("correlation_id", str, "a name"),
    "keep_days": ("keep_days", int, "a number"),
    "region": ("region", str, "a region's name, as eu-central-1"),
}


def read_arguments(argv: list[str]) -> Settings:
    """Settings from a command line such as Glue's; its own arguments, which Glue adds, are passed over, and one
    without a value is as good as not given.

    Raises ArgumentsError. Source of the form: AWS Glue's `--name value` pairs.
    """
    # awsglue knows only required options, so those that were given are asked for.
    given = [name for name in _ARGUMENTS if any(a == f"--{name}" or a.startswith(f"--{name}=") for a in argv)]
    values = _resolve(argv, ["lake_bucket", *given])
    settings = {}
    for name in given:
        setting, read, expected = _ARGUMENTS[name]
        try:
            if values[name]:
                settings[setting] = read(values[name])
        except ValueError:
            raise ArgumentsError(f"--{name} is {values[name]!r}: expected {expected}") from None
    return Settings(lake_bucket=values["lake_bucket"], **settings)


def _resolve(argv: list[str], names: list[str]) -> dict[str, str]:
    # Imported here: the package exists on Glue and in the development environment, not in a Lambda.
    from awsglue.utils import GlueArgumentError, getResolvedOptions

    try:
        return getResolvedOptions(["refresh_lake", *argv], names)
    except (GlueArgumentError, argparse.ArgumentError) as error:
        raise ArgumentsError(f"the job's arguments are wrong: {error}") from None
