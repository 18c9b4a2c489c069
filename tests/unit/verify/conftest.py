"""A few days of the simulated shop, through the real ingest function."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from clicklake.local.twin import SHOP_ENVIRONMENT, shop_event
from clicklake.shop import Edge, simulate
from clicklake.shop.truth import Truth, read_truth, write_truth
from clicklake.verify.checks import LakeSide
from clicklake.verify.oracle import Oracle, recompute
from clicklake.verify.raw_objects import open_object
from lambdas.ingest.handler import make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients

from .lakes import REFERENCE, RULES, lake_of

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "the edge's"


@dataclass(frozen=True)
class Shop:
    """A few days of the shop: the truth, the oracle over what was sent, and a lake that says the same."""

    truth: Truth
    oracle: Oracle
    lake: LakeSide


class _Store:
    """S3 in memory: put_object alone is needed."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:
        self.objects[Key] = Body


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("truth")
    with write_truth(folder) as writer:
        requests = list(simulate(days=6, until=UNTIL, visitors=0.4, edge=Edge(SECRET), truth=writer))
    store, now = _Store(), [0.0]
    environment = {
        **SHOP_ENVIRONMENT, "LAKE_BUCKET": "lake", "HASH_KEY_PARAMETER": "keys", "EDGE_SECRET_PARAMETER": "edge",
    }  # fmt: skip
    secrets = {"keys": "1:" + "0f" * 32, "edge": SECRET}
    settings = Settings.from_environment(environment, secrets.__getitem__)
    handle = make_handler(settings, Clients(store, None), clock=lambda: now[0], write_log=lambda _: None)
    for number, request in enumerate(requests):
        now[0] = request.received_at_ms / 1000
        handle(shop_event(request, f"test:{number}"), None)
    objects = [open_object(key, body) for key, body in store.objects.items()]
    oracle = recompute(objects, RULES, REFERENCE)
    return Shop(read_truth(folder), oracle, lake_of(oracle))
