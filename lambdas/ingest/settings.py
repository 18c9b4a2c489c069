"""What the ingest function is told, turned once into a frozen Settings. Nothing below reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clicklake.environment import required

SEARCH_PARAMETERS = ("q", "query", "s", "search")


@dataclass(frozen=True)
class Settings:
    """`hash_keys` is "1:hex,2:hex" (see identity.py). An empty `edge_secret` trusts no viewer header, an
    empty `server_key` takes no event as the shop's own; both may hold several values, separated by
    commas, while one is being replaced. `allowed_origins` empty: no browser of another origin."""

    lake_bucket: str
    hash_keys: str = field(repr=False)
    buffer_queue_url: str = ""
    edge_secret: str = field(default="", repr=False)
    server_key: str = field(default="", repr=False)
    allowed_origins: tuple[str, ...] = ()
    accept_flat: bool = False
    collect_user_age: bool = False
    unknown_consent: str = "denied"
    search_parameters: tuple[str, ...] = SEARCH_PARAMETERS
    metrics_namespace: str = "Clicklake"

    @staticmethod
    def from_environment(
        environment: Mapping[str, str], read_parameter: Callable[[str], str] | None = None
    ) -> "Settings":
        """Reads the upper-case names; secrets are read from the parameter store by their names."""
        read_secret = read_parameter or _read_parameter
        unknown_consent = environment.get("UNKNOWN_CONSENT") or "denied"
        if unknown_consent not in ("denied", "granted"):
            raise ValueError(f"UNKNOWN_CONSENT is {unknown_consent!r}, expected denied or granted")

        def secret(name: str) -> str:
            parameter = environment.get(name, "")
            return read_secret(parameter) if parameter else ""

        return Settings(
            lake_bucket=required(environment, "LAKE_BUCKET"),
            hash_keys=read_secret(required(environment, "HASH_KEY_PARAMETER")),
            buffer_queue_url=environment.get("BUFFER_QUEUE_URL", ""),
            edge_secret=secret("EDGE_SECRET_PARAMETER"),
            server_key=secret("SERVER_KEY_PARAMETER"),
            allowed_origins=_listed(environment.get("ALLOWED_ORIGINS", "")),
            accept_flat=_is_on(environment, "ACCEPT_FLAT"),
            collect_user_age=_is_on(environment, "COLLECT_USER_AGE"),
            unknown_consent=unknown_consent,
            search_parameters=_listed(environment.get("SEARCH_PARAMETERS", "")) or SEARCH_PARAMETERS,
            metrics_namespace=environment.get("METRICS_NAMESPACE") or "Clicklake",
        )


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").lower()
    if value not in ("", "true", "false"):
        raise ValueError(f"{name} is {value!r}, expected true or false")
    return value == "true"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_parameter(name: str) -> str:
    from clicklake.endpoints import client

    return client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
