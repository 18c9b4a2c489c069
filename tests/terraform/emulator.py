"""The project's emulator, mended where the AWS provider trips over it. For tests that apply the configuration.

    python -m tests.terraform.emulator PORT FOLDER

Each patch says which answer of moto's is not AWS's. What moto drops (CloudFront's and replication's settings)
is kept and given back as it was sent. What it keeps without doing, hands.py does; FOLDER takes what that needs.

Two addresses are the tests' own: /_deployed/function/NAME and /_deployed/layer/ARN give what was uploaded, and
/_calls gives who (by access key) asked what: [who, action, resource], each once.
"""

import json
import re
import sys
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.athena.responses import AthenaResponse
from moto.awslambda.models import lambda_backends
from moto.budgets.responses import BudgetsResponse
from moto.cloudfront.models import cloudfront_backends
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket
from moto.sqs.models import Queue
from werkzeug.serving import run_simple

from clicklake.local.emulator_server import keep_table_versions
from tests.terraform.hands import ACCOUNT, INVOKE, Hands

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def mend() -> None:
    """Patches moto's answers, once for the process."""

    # Untagged workgroups have an empty list of tags, not an error.
    def workgroup_tags(self: AthenaResponse) -> str:
        return json.dumps(self.athena_backend.tagger.list_tags_for_resource(self._get_param("ResourceARN")))

    # Deleting a saved query is missing.
    def delete_named_query(self: AthenaResponse) -> str:
        self.athena_backend.named_queries.pop(self._get_param("NamedQueryId"), None)
        return "{}"

    AthenaResponse.list_tags_for_resource = workgroup_tags
    AthenaResponse.delete_named_query = delete_named_query

    # Budgets know no tags, and tell no subscribers.
    create_budget = BudgetsResponse.create_budget
    budget_tags: dict[str, list[dict[str, str]]] = {}

    def create_with_tags(self: BudgetsResponse) -> str:
        name = self._get_param("Budget")["BudgetName"]
        budget_tags[name] = self._get_param("ResourceTags") or []
        return create_budget(self)

    def tags_of_budget(self: BudgetsResponse) -> str:
        return json.dumps({"ResourceTags": budget_tags.get(self._get_param("ResourceARN").rpartition("/")[2], [])})

    def subscribers(self: BudgetsResponse) -> str:
        asked = self._get_param("Notification")
        budget = self.backend.budgets[self._get_param("AccountId")][self._get_param("BudgetName")]
        same = [
            each.subscribers
            for each in budget.notifications
            if all(each.details.get(name) == asked[name] for name in ("Threshold", "NotificationType"))
        ]
        return json.dumps({"Subscribers": same[0] if same else []})

    # SQS gives a redrive policy back as it was sent, without spaces.
    attributes = Queue.attributes.fget

    def compact_attributes(self: Queue) -> dict[str, Any]:
        found = attributes(self)
        if found.get("RedrivePolicy"):
            found["RedrivePolicy"] = json.dumps(json.loads(found["RedrivePolicy"]), separators=(",", ":"))
        return found

    Queue.attributes = property(compact_attributes)

    # Conditions of a bucket policy are passed over, so "deny without TLS" would deny everything.
    def permission(self: FakeBucket, action: str, resource: str) -> Any:
        policy = json.loads(self.policy or b'{"Statement": []}')
        policy["Statement"] = [each for each in policy["Statement"] if "Condition" not in each]
        if not policy["Statement"]:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)

    FakeBucket.get_permission = permission
    BudgetsResponse.create_budget = create_with_tags
    BudgetsResponse.list_tags_for_resource = tags_of_budget
    BudgetsResponse.describe_subscribers_for_notification = subscribers
    keep_table_versions()


CLOUDFRONT = re.compile(r"^/2020-05-31/(distribution|cache-policy)(?:/([^/]+))?(/config)?$")
PUBLISH = re.compile(r"^/2020-05-31/function/[^/]+/publish$")
TAG = re.compile(r"<Tag><Key>([^<]*)</Key><Value>([^<]*)</Value></Tag>")
WHOLE = re.compile(r"<DistributionConfigWithTags[^>]*>(<DistributionConfig>.*</DistributionConfig>)", re.DOTALL)
DECLARATION = re.compile(r"<\?xml[^>]*\?>")
NOT_FOUND = {"distribution": "NoSuchDistribution", "cache-policy": "NoSuchCachePolicy"}
XML = {"Content-Type": "text/xml"}


CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
S3_ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}


def uploaded(kind: str, name: str) -> bytes:
    """The bytes of a function by its name, or of a layer by its ARN."""
    backend = lambda_backends[ACCOUNT]["us-east-1"]
    if kind == "function":
        return backend.get_function(name).code_bytes
    return backend.get_layer_version(*name.split(":")[-2:]).code_bytes


def call_of(environ: Environ) -> tuple[str, str, str] | None:
    """Who asks, for which action as IAM names it, on which S3 resource (a list: with its prefix after a #)."""
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if not signed:
        return None
    who, _, service = signed.groups()
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return who, f"{service}:{target.rpartition('.')[2]}", ""
    if service == "lambda" and INVOKE.match(environ["PATH_INFO"]):
        return who, "lambda:InvokeFunction", ""
    if service != "s3":
        return None
    method, query = environ["REQUEST_METHOD"], parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    bucket, _, key = unquote(environ["PATH_INFO"]).strip("/").partition("/")
    arn = f"arn:aws:s3:::{bucket}"
    if key:
        # Parts of a large upload are puts, too.
        return who, S3_ACTIONS.get(method, "s3:PutObject"), f"{arn}/{key}"
    if method == "POST" and "delete" in query:
        return who, "s3:DeleteObject", f"{arn}/results/"
    if method == "HEAD" or "location" in query:
        return who, "s3:ListBucket" if method == "HEAD" else "s3:GetBucketLocation", arn
    return who, "s3:ListBucket", f"{arn}#{query.get('prefix', [''])[0]}"


class Echo:
    """In front of moto: CloudFront and S3 replication answer with what was sent to them."""

    def __init__(self, app: Callable[[Environ, StartResponse], Iterable[bytes]], hands: Hands) -> None:
        self.app = app
        self.hands = hands
        self.kept: dict[tuple[str, str], str] = {}
        self.replications: dict[str, bytes] = {}
        self.calls: set[tuple[str, str, str]] = set()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == "/_calls":
            return self.answer(start_response, 200, json.dumps(sorted(self.calls)).encode(), {})
        if path.startswith("/_deployed/"):
            return self.answer(start_response, 200, uploaded(*path.split("/", 3)[2:]), {})
        call = call_of(environ)
        if call:
            self.calls.add(call)
        response = self.hands.respond(environ)
        if response:
            return response(environ, start_response)
        found = CLOUDFRONT.match(path)
        if found:
            return self.answer(start_response, *self.cloudfront(method, *found.groups(), self.body(environ)))
        if PUBLISH.match(path):
            return self.answer(start_response, 200, b"<FunctionSummary></FunctionSummary>", XML)
        key = path.rstrip("/")
        if re.fullmatch(r"replication=?", environ.get("QUERY_STRING", "")):
            if method == "PUT":
                self.replications[key] = self.body(environ)
                return self.answer(start_response, 200, b"", {})
            if method == "DELETE":
                self.replications.pop(key, None)
                return self.answer(start_response, 204, b"", {})
            if key in self.replications:
                return self.answer(start_response, 200, self.replications[key], XML)
        return self.app(environ, start_response)

    @staticmethod
    def body(environ: Environ) -> bytes:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        return environ["wsgi.input"].read(length) if length else b""

    @staticmethod
    def answer(start_response: StartResponse, status: int, body: bytes, headers: dict[str, str]) -> list[bytes]:
        start_response(f"{status} -", [("Content-Length", str(len(body))), *headers.items()])
        return [body]

    @staticmethod
    def arn(name: str) -> str:
        return f"arn:aws:cloudfront::{ACCOUNT}:distribution/{name}"

    def cloudfront(
        self, method: str, kind: str, name: str | None, config: str | None, sent: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        if method == "POST":
            body = sent.decode()
            inner = WHOLE.search(body)
            name = "E" + uuid.uuid4().hex[:13].upper()
            self.kept[kind, name] = inner[1] if inner else DECLARATION.sub("", body)
            tags = dict(TAG.findall(body))
            cloudfront_backends[ACCOUNT]["aws"].tag_resource(self.arn(name), tags)
        elif name is None or (kind, name) not in self.kept:
            code = NOT_FOUND[kind]
            error = f"<ErrorResponse><Error><Code>{code}</Code><Message>-</Message></Error></ErrorResponse>"
            return 404, error.encode(), XML
        elif method == "PUT":
            self.kept[kind, name] = DECLARATION.sub("", sent.decode())
        elif method == "DELETE":
            del self.kept[kind, name]
            return 204, b"", XML
        text = re.sub(r'^<(\w+) xmlns="[^"]*">', r"<\1>", self.kept[kind, name].strip())
        if kind == "distribution" and "<OriginGroups>" not in text:
            # The provider looks into it without asking whether it is there, and crashes.
            text = text.replace("<Origins>", "<OriginGroups><Quantity>0</Quantity></OriginGroups><Origins>")
        headers = {**XML, "ETag": f"E1{name[1:6]}"}
        if config:
            return 200, text.encode(), headers
        moment = "<LastModifiedTime>2025-01-01T00:00:00Z</LastModifiedTime>"
        if kind == "distribution":
            whole = (
                f"<Distribution><Id>{name}</Id><ARN>{self.arn(name)}</ARN>"
                f"<Status>Deployed</Status>{moment}<InProgressInvalidationBatches>0</InProgressInvalidationBatches>"
                f"<DomainName>{name.lower()}.cloudfront.net</DomainName>{text}</Distribution>"
            )
        else:
            tag = "".join(part.capitalize() for part in kind.split("-"))
            whole = f"<{tag}><Id>{name}</Id>{moment}{text}</{tag}>"
        return (201 if method == "POST" else 200), whole.encode(), headers


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    mend()
    hands = Hands(f"http://127.0.0.1:{port}", folder)
    run_simple("127.0.0.1", port, Echo(DomainDispatcherApplication(create_backend_app), hands), threaded=True)
