"""The configuration without an account: its own tests, what a plan of it would cost, and what it would allow."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from clicklake.cli.build import ROOT
from clicklake.cost.configuration import Configuration
from tests.terraform.workbench import POLICIES, planned_changes

# Billed by the hour or the month even if nobody comes.
STANDING_COST = {
    "aws_db_instance",
    "aws_dms_replication_instance",
    "aws_ecs_service",
    "aws_eip",
    "aws_eks_cluster",
    "aws_elasticache_cluster",
    "aws_elasticache_replication_group",
    "aws_elasticache_serverless_cache",
    "aws_emr_cluster",
    "aws_glue_dev_endpoint",
    "aws_instance",
    "aws_kinesis_stream",
    "aws_kinesisanalyticsv2_application",
    "aws_kms_key",
    "aws_lambda_provisioned_concurrency_config",
    "aws_lb",
    "aws_msk_cluster",
    "aws_msk_serverless_cluster",
    "aws_mwaa_environment",
    "aws_nat_gateway",
    "aws_opensearch_domain",
    "aws_opensearchserverless_collection",
    "aws_quicksight_account_subscription",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_redshift_cluster",
    "aws_redshiftserverless_workgroup",
    "aws_secretsmanager_secret",
    "aws_vpc_endpoint",
    "aws_wafv2_web_acl",
}


@pytest.fixture(scope="module")
def events(workbench) -> list[dict[str, Any]]:
    """What the tests of the whole tell; those of the modules are slow."""
    return workbench.test_events("-filter=tests/root.tftest.hcl")


@pytest.fixture(scope="module")
def plans(events) -> dict[str, list[dict[str, Any]]]:
    return planned_changes(events)


@pytest.fixture(scope="module")
def default_plan(plans) -> list[dict[str, Any]]:
    return [change for change in plans["defaults"] if change["mode"] == "managed"]


def statements(changes: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every IAM policy, with the policy's address."""
    for change in changes:
        if change["type"] in POLICIES:
            for statement in json.loads(change["change"]["after"]["policy"])["Statement"]:
                yield change["address"], statement


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_its_own_tests_pass(events):
    failed = [
        event.get("@message") for event in events if event.get("type") == "diagnostic" and event["@level"] == "error"
    ]
    (summary,) = [event["test_summary"] for event in events if event.get("type") == "test_summary"]
    assert summary["status"] == "pass", failed


@pytest.mark.slow
def test_the_modules_own_tests_pass(workbench):
    workbench.terraform("test", "-no-color")


@pytest.mark.slow
def test_it_is_valid(workbench):
    # Without the tests: it does not see that these mock the providers that modules are handed.
    workbench.terraform("validate", "-no-tests")


def test_every_module_has_tests():
    modules = {path.name for path in (ROOT / "terraform/modules").iterdir()}
    tests = {path.name.removesuffix(".tftest.hcl") for path in (ROOT / "terraform/tests").glob("*.tftest.hcl")}
    # The function module is what the others are made of, and is tested with them.
    assert modules - {"function"} == tests - {"root"}


def test_it_is_formatted(workbench):
    workbench.terraform("fmt", "-check", "-recursive")


@pytest.mark.parametrize("kind", ["variable", "output"])
def test_every_input_and_output_is_described(kind):
    for path in (ROOT / "terraform").rglob("*.tf"):
        for name, body in re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', path.read_text(), re.M | re.S):
            assert "description" in body, f"{path}: {name}"
            assert kind == "output" or re.search(r"^  type +=", body, re.M), f"{path}: {name} has no type"


def test_only_three_variables_need_a_value():
    text = (ROOT / "terraform/variables.tf").read_text()
    bodies = dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.M | re.S))
    needed = {name for name, body in bodies.items() if not re.search(r"^  default +=", body, re.M)}
    assert needed == {"region", "shop_origins", "alert_email"}


def test_the_defaults_have_nothing_that_is_billed_while_nobody_comes(default_plan):
    assert len(default_plan) > 100
    assert [change["address"] for change in default_plan if change["type"] in STANDING_COST] == []
    streaming = [
        change["address"]
        for change in default_plan
        if change["type"] == "aws_glue_job" and change["change"]["after"]["command"][0]["name"] != "glueetl"
    ]
    assert streaming == []


def test_what_is_billed_by_the_month_is_an_option(plans):
    added = {change["type"] for change in plans["everything_on"]} & STANDING_COST
    assert added == {"aws_wafv2_web_acl"}


def test_the_bill_counts_what_the_plan_makes(default_plan):
    def made(kind: str) -> list[dict[str, Any]]:
        return [change["change"]["after"] for change in default_plan if change["type"] == kind]

    alarms = made("aws_cloudwatch_metric_alarm")
    metrics = [[query for query in alarm.get("metric_query") or [] if query["metric"]] for alarm in alarms]
    schedules = {schedule["name"]: schedule["schedule_expression"] for schedule in made("aws_scheduler_schedule")}
    (job,) = made("aws_glue_job")
    (retention,) = {group["retention_in_days"] for group in made("aws_cloudwatch_log_group")}
    minutes = Configuration.refresh_minutes, Configuration.measure_minutes, Configuration.generator_minutes
    assert Configuration() == Configuration(
        alarm_metrics=sum(max(1, len(found)) for found in metrics),
        dashboards=len(made("aws_cloudwatch_dashboard")),
        workers=job["number_of_workers"],
        timeout_minutes=job["timeout"],
        log_retention_days=retention,
        memory_mb={
            function["function_name"].removeprefix("clicklake-dev-"): function["memory_size"]
            for function in made("aws_lambda_function")
        },
    )
    assert minutes == (1_440, 60, 5)
    assert [schedules[name] for name in ("refresh", "measure", "generate")] == [
        "rate(1 day)",
        "rate(1 hour)",
        "rate(5 minutes)",
    ]
    scheduled = [json.loads(s["target"][0]["input"]) for s in made("aws_scheduler_schedule") if s["name"] == "refresh"]
    assert scheduled == [{"task": "refresh", "execution_class": "FLEX"}]
    assert Configuration.flex_from_minutes <= Configuration.refresh_minutes
    assert Configuration.reconcile_days == 7 and " SUN " in schedules["reconcile"]
    assert len(schedules) == 4


def test_the_bill_counts_the_firewalls_rules(plans):
    (firewall,) = [c["change"]["after"] for c in plans["everything_on"] if c["type"] == "aws_wafv2_web_acl"]
    assert len([rule for rule in firewall["rule"] if rule["name"] != "bots"]) == Configuration.firewall_rules


def test_nobody_may_delete_under_raw(plans):
    for address, statement in statements(plans["everything_on"]):
        deletes = [action for action in as_list(statement["Action"]) if "delete" in action.lower() or "*" in action]
        if statement["Effect"] == "Allow" and any(action.lower().startswith(("s3:", "*")) for action in deletes):
            assert all("/results/" in resource for resource in as_list(statement["Resource"])), address


def test_every_policy_names_its_actions_and_its_resources(plans):
    for address, statement in statements(plans["everything_on"]):
        assert not any("*" in action for action in as_list(statement["Action"])), address
        # What may be anything would be everything.
        assert not any(resource in ("*", "arn:aws:s3:::*") for resource in as_list(statement["Resource"])), address


def test_listing_the_lake_is_limited_to_prefixes(default_plan):
    for address, statement in statements(default_plan):
        if "s3:ListBucket" in as_list(statement["Action"]):
            assert "s3:prefix" in json.dumps(statement.get("Condition", {})), address


def test_every_name_and_tag_tells_whose_it_is(default_plan):
    named = [
        change for change in default_plan if change["type"] in ("aws_lambda_function", "aws_glue_job", "aws_iam_role")
    ]
    for change in named:
        after = change["change"]["after"]
        assert (after.get("function_name") or after["name"]).startswith("clicklake-dev-"), change["address"]


def test_mistakes_get_one_clear_sentence_each(workbench):
    wrong = {
        "region": "Frankfurt",
        "shop_origins": '["http://shop.example", "https://shop.example/"]',
        "alert_email": "owner",
        "build_folder": "nowhere",
        "refresh_schedule": "rate(2 days)",
    }
    options = [f"-var={name}={value}" for name, value in wrong.items()]
    done = workbench.terraform("plan", "-input=false", "-no-color", *options, is_expected_to_fail=True)
    # Terraform breaks its lines and draws a border.
    said = re.sub(r"\s+", " ", done.stderr.replace("│", " "))
    for sentence in (
        "region has to be the name of an AWS region, as eu-central-1",
        "has to begin with https://",
        "without a path, a final slash or a *",
        "alert_email has to be an e-mail address",
        "run `make build` first",
        "refresh_schedule has to be rate(5 minutes) up to rate(1 day)",
    ):
        assert sentence in said, done.stderr
    # The origins have two mistakes.
    assert said.count("Error: Invalid value for variable") == len(wrong) + 1


def test_the_lock_file_is_the_one_terraform_would_write(workbench):
    assert (workbench.configuration / ".terraform.lock.hcl").read_text() == (
        ROOT / "terraform/.terraform.lock.hcl"
    ).read_text()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("/", "/index.html"),
        ("/p/keyboard", "/index.html"),
        ("/assets/app.js", "/assets/app.js"),
        ("/report/", "/report/index.html"),
        ("/report/config.json", "/report/config.json"),
    ],
)
def test_the_edge_finds_the_file_for_a_page(asked, answered):
    code = (ROOT / "terraform/modules/edge/pages.js").read_text()
    call = f"console.log(handler({{request: {{uri: {json.dumps(asked)}}}}}).uri)"
    done = subprocess.run(["node", "-e", f"{code}\n{call}"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == answered


def drawn(picture: str) -> set[str]:
    """What the picture names, as `module: resource`."""
    named, module = set(), ""
    for line in picture.splitlines():
        if opened := re.match(r"\s*subgraph (\w+)$", line):
            module = opened[1]
        elif box := re.search(r'\[\(?"([^"]+)"\)?\]', line):
            _, *resources = box[1].split("<br>")
            named |= {f"{module}: {resource}" for resource in resources}
    return named


def named_in_picture(address: str) -> str:
    """module.transform.module.gate.aws_scheduler_schedule.this["measure"]: `transform: gate.aws_scheduler_schedule`."""
    bare = re.sub(r"\bmodule\.|\.this$", "", re.sub(r"\[[^]]*\]", "", address))
    module, _, resource = bare.partition(".") if address.startswith("module.") else ("root", "", bare)
    return f"{module}: {resource}"


def declared() -> set[str]:
    """Every resource of the configuration, options included, as the picture would name it."""
    found = set()
    folders = [ROOT / "terraform", *(ROOT / "terraform/modules").iterdir()]
    texts = {folder.name: "".join(path.read_text() for path in folder.glob("*.tf")) for folder in folders}
    resources = {
        name: [".".join(each) for each in re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE)]
        for name, text in texts.items()
    }
    for name, text in texts.items():
        prefix = "" if name == "terraform" else f"module.{name}."
        addresses = [f"{prefix}{each}" for each in resources[name]]
        for inner, source in re.findall(r'^module "(\w+)" \{\n  source += "\.\./(\w+)"', text, re.MULTILINE):
            addresses += [f"{prefix}module.{inner}.{each}" for each in resources[source]]
        found |= {named_in_picture(address) for address in addresses}
    return found


def test_the_picture_names_every_resource_of_the_plan_and_no_other(plans):
    text = (ROOT / "docs/architecture.md").read_text()
    boxes = drawn(re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)[1])
    parts = set(re.findall(r"`(aws_\w+)`", text.partition("Not drawn, because")[2].partition("\n\n")[0]))
    planned = {
        (named_in_picture(change["address"]), change["type"])
        for changes in (plans["defaults"], plans["everything_on"])
        for change in changes
        if change["mode"] == "managed"
    }
    assert {name for name, kind in planned if kind not in parts} - boxes == set(), "has no place in the picture"
    assert boxes - declared() == set(), "is drawn, and nowhere declared"
    assert parts - {kind for _, kind in planned} == set(), "is named as a part, and nowhere planned"
