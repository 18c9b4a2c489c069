"""A request as the gateway gets it."""

from collections.abc import Mapping
from dataclasses import dataclass

EVENTS_PATH = "/v1/events"
USER_EVENTS_PATH = "/v1/user/events"


@dataclass(frozen=True, slots=True)
class Request:
    """One POST. Header names are lower-case, as API Gateway's payload 2.0 has them. `user` is the `sub` claim
    of a verified token on the route for signed-in users, else None."""

    received_at_ms: int
    path: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """What CloudFront adds: where the viewer is, and the secret that makes it believed."""

    secret: str = ""
    secret_header: str = "x-clicklake-edge-secret"

    def headers(self, country: str, city: str) -> dict[str, str]:
        place = {"cloudfront-viewer-country": country, "cloudfront-viewer-city": city}
        return place | ({self.secret_header: self.secret} if self.secret else {})


WITHOUT_SECRET = Edge()
