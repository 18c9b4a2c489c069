"""Where AWS is: the one map from the environment to boto3, Spark and DuckDB.

On AWS nothing is set and every engine finds AWS by itself. With AWS_ENDPOINT_URL set (the laptop's
emulator, or any other that speaks AWS) all of them are pointed there, and nowhere else in the
product does a line ask which of the two it is.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Endpoints:
    """`endpoint_url` is None on AWS; `bucket` is the lake's, empty where the environment names none."""

    endpoint_url: str | None
    region: str
    bucket: str
    access_key: str = ""
    secret_key: str = ""

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "Endpoints":
        env = os.environ if environment is None else environment
        return Endpoints(
            endpoint_url=env.get("AWS_ENDPOINT_URL", "").rstrip("/") or None,
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
            bucket=env.get("LAKE_BUCKET", ""),
            access_key=env.get("AWS_ACCESS_KEY_ID", ""),
            secret_key=env.get("AWS_SECRET_ACCESS_KEY", ""),
        )

    @property
    def address(self) -> str:
        """host:port of the endpoint, empty on AWS."""
        return self.endpoint_url.split("://", 1)[-1] if self.endpoint_url else ""

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client; `config` are botocore Config settings (timeouts, retries, pool size)."""
        if self.endpoint_url is None:
            return boto3.client(service, region_name=self.region, config=Config(**config))
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            # An emulator has one host name, so the bucket has to stand in the path.
            config=Config(**{"s3": {"addressing_style": "path"}, **config}),
        )

    def spark_settings(self, catalog: str = "lake") -> dict[str, str]:
        """Spark settings that point Iceberg's catalog at the endpoint; none on AWS.

        Credentials are not among them: the JVM reads AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
        from the environment it is started with.
        """
        if self.endpoint_url is None:
            return {}
        return {
            f"spark.sql.catalog.{catalog}.glue.endpoint": self.endpoint_url,
            f"spark.sql.catalog.{catalog}.s3.endpoint": self.endpoint_url,
            f"spark.sql.catalog.{catalog}.s3.path-style-access": "true",
        }

    def duckdb_secret(self, name: str = "lake") -> str:
        """The `create secret` statement that lets DuckDB read the lake's objects."""
        if self.endpoint_url is None:
            chain = f"type s3, provider credential_chain, region {_quoted(self.region)}"
            return f"create or replace secret {name} ({chain})"
        settings = {
            "key_id": _quoted(self.access_key),
            "secret": _quoted(self.secret_key),
            "region": _quoted(self.region),
            "endpoint": _quoted(self.address),
            "url_style": "'path'",
            "use_ssl": str(self.endpoint_url.startswith("https:")).lower(),
        }
        listed = ", ".join(f"{key} {value}" for key, value in settings.items())
        return f"create or replace secret {name} (type s3, {listed})"


def client(service: str, **config: Any) -> Any:
    """A boto3 client for `service` by the process environment."""
    return Endpoints.from_environment().client(service, **config)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
