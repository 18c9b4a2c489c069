"""The job and a second reading of the definitions, on the golden week: the same tables and figures."""

from clicklake.cli.verify import REFERENCE, compare
from clicklake.endpoints import Endpoints
from clicklake.local.sql import connect
from clicklake.verify.lake import Bucket
from clicklake.verify.oracle import recompute
from clicklake.verify.rules import Rules, read_reference
from tests.spark.lakes import SmallLake


def test_every_table_and_figure_is_what_the_definitions_say(in_one_go: tuple[SmallLake, dict[str, str]]):
    settings = in_one_go[0].settings
    endpoints = Endpoints.from_environment()
    bucket = Bucket(endpoints, settings.lake_bucket)
    objects = bucket.open(listed.key for listed in bucket.raw())
    oracle = recompute(objects, Rules(hosts=settings.shop_hosts), read_reference(REFERENCE))
    checks = compare(connect(endpoints, settings.database), oracle)
    assert len(checks) > 50
    assert [f"{check.name}: {check.remark}" for check in checks if not check.is_sound] == []
