"""The job's arguments, as Glue gives them."""

from datetime import date

import pytest

from glue_jobs.arguments import ArgumentsError, Settings, read_arguments

BUCKET = ["--lake_bucket", "lake"]


def test_a_bucket_is_enough_and_what_has_no_value_is_not_given():
    assert read_arguments(BUCKET) == Settings("lake")
    assert read_arguments([*BUCKET, "--shop_hosts", "", "--from", "", "--shop_currency", ""]) == Settings("lake")


def test_every_argument_becomes_its_setting_and_those_of_glue_are_passed_over():
    given = "--database d --shop_time_zone Europe/Berlin --shop_currency USD --shop_hosts Shop.example,b.example "
    given += "--late_limit_days 30 --command reparse --reconcile True --from 2026-01-31 --to 2026-02-01 "
    given += "--lease_seconds 2.5 --correlation_id abc --keep_days 3 --region eu-west-1 --JOB_NAME refresh --TempDir s3://tmp"
    assert read_arguments([*BUCKET, *given.split()]) == Settings(
        lake_bucket="lake",
        database="d",
        shop_time_zone="Europe/Berlin",
        shop_currency="USD",
        shop_hosts=("shop.example", "b.example"),
        late_limit_days=30,
        command="reparse",
        reconcile=True,
        first_day=date(2026, 1, 31),
        last_day=date(2026, 2, 1),
        lease_seconds=2.5,
        correlation_id="abc",
        keep_days=3,
        region="eu-west-1",
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--lake_bucket", ""], "--lake_bucket is missing"),
        ([*BUCKET, "--command", "drop"], "'drop': expected one of refresh, rebuild, reparse"),
        ([*BUCKET, "--keep_days", "many"], "--keep_days is 'many': expected a number"),
        ([*BUCKET, "--keep_days", "0"], "expected at least 1"),
        ([*BUCKET, "--reconcile", "yes"], "--reconcile is 'yes': expected true or false"),
        ([*BUCKET, "--from", "31.1.2026"], "--from is '31.1.2026': expected a day, as 2026-01-31"),
        ([*BUCKET, "--shop_time_zone", "Berlin"], "'Berlin': expected a name such as Europe/Berlin"),
        ([*BUCKET, "--shop_currency", "euro"], "'euro': expected three letters, as EUR"),
        ([*BUCKET, "--command", "reparse", "--from", "2026-01-31"], "reparse needs --from and --to"),
        ([], "lake_bucket"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(given, message):
    with pytest.raises(ArgumentsError, match=message):
        read_arguments(given)
