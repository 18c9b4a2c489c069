# From the browser's request to a durable object: HTTP API, ingest function, buffer, drain, secrets.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  arn_tail    = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  queue_arn   = "arn:${data.aws_partition.current.partition}:sqs:${local.arn_tail}:${var.name}-buffer"
  secret_arns = { for use, name in var.secret_names : use => "arn:${data.aws_partition.current.partition}:ssm:${local.arn_tail}:parameter${name}" }
  api         = { id = aws_apigatewayv2_api.events.id, execution_arn = aws_apigatewayv2_api.events.execution_arn }

  # The API answers pages of the shop across origins; those of the edge ask it from their own.
  allowed_origins = concat(var.shop_origins, var.site_origins)

  # What a batch takes at most; the buffer hides a message for six times as long, as AWS advises.
  drain_seconds  = 60
  hidden_seconds = 6 * local.drain_seconds

  # Tries of a day: S3 may be away for hours, and what lies among the dead letters waits for a person.
  drain_tries = 24 * 3600 / local.hidden_seconds
}

# --- the API

resource "aws_apigatewayv2_api" "events" {
  name          = "${var.name}-events"
  description   = "Takes the shop's events, and what its administrators ask for"
  protocol_type = "HTTP"

  cors_configuration {
    allow_origins = var.shop_origins
    allow_methods = ["POST"]
    allow_headers = ["authorization", "content-type"]
    max_age       = 86400
  }
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.events.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }

  # No address, no user agent, no claim: nothing here tells who it was.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id      = "$context.requestId"
      route           = "$context.routeKey"
      status          = "$context.status"
      milliseconds    = "$context.responseLatency"
      response_length = "$context.responseLength"
      error           = "$context.error.responseType"
    })
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:No personal data, encrypted by CloudWatch; a key of one's own costs a dollar a month.
  #checkov:skip=CKV_AWS_338:How long logs are kept is the owner's choice, log_retention_days.
  name              = "/aws/apigateway/${var.name}-events"
  retention_in_days = var.log_retention_days
}

resource "aws_apigatewayv2_authorizer" "user" {
  api_id           = aws_apigatewayv2_api.events.id
  name             = "user"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.user_pool.issuer
    audience = [var.user_pool.client_id]
  }
}

# --- ingest

resource "aws_lambda_layer_version" "packages" {
  layer_name               = "${var.name}-packages"
  description              = "Third-party packages, by the lock file"
  filename                 = "${var.build_folder}/layer.zip"
  source_code_hash         = filebase64sha256("${var.build_folder}/layer.zip")
  compatible_runtimes      = ["python3.13"]
  compatible_architectures = ["arm64"]
}

module "ingest" {
  source = "../function"

  name               = "${var.name}-ingest"
  description        = "Validates, scrubs and stores a request of events"
  package            = "${var.build_folder}/ingest.zip"
  handler            = "lambdas.ingest.handler.lambda_handler"
  layers             = [aws_lambda_layer_version.packages.arn]
  memory_mb          = var.memory_mb
  timeout_seconds    = 29 # the API's own limit is 30
  log_retention_days = var.log_retention_days

  api           = local.api
  authorizer_id = aws_apigatewayv2_authorizer.user.id
  routes = {
    "POST /v1/events"      = { is_verified = false }
    "POST /v1/user/events" = { is_verified = true }
  }

  environment = {
    LAKE_BUCKET           = var.bucket_name
    BUFFER_QUEUE_URL      = aws_sqs_queue.buffer.url
    HASH_KEY_PARAMETER    = aws_ssm_parameter.hash_keys.name
    EDGE_SECRET_PARAMETER = aws_ssm_parameter.edge_secret.name
    SERVER_KEY_PARAMETER  = aws_ssm_parameter.server_key.name
    ALLOWED_ORIGINS       = join(",", local.allowed_origins)
    UNKNOWN_CONSENT       = var.unknown_consent
    ACCEPT_FLAT           = tostring(var.accepts_flat_events || var.generator_schedule != null)
    COLLECT_USER_AGE      = tostring(var.collects_user_age)
    SEARCH_PARAMETERS     = join(",", var.search_parameters)
    METRICS_NAMESPACE     = var.metrics_namespace
  }

  statements = [
    { actions = ["s3:PutObject"], resources = ["${var.bucket_arn}/raw/*"] },
    { actions = ["sqs:SendMessage"], resources = [local.queue_arn] },
    { actions = ["ssm:GetParameter"], resources = values(local.secret_arns) },
  ]
}

# --- the buffer, for when S3 will not take it

resource "aws_sqs_queue" "buffer" {
  name                       = "${var.name}-buffer"
  message_retention_seconds  = 14 * 24 * 3600
  visibility_timeout_seconds = local.hidden_seconds
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = local.drain_tries
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
}

module "drain" {
  source = "../function"

  name               = "${var.name}-drain"
  description        = "Puts what waits in the buffer into raw/"
  package            = "${var.build_folder}/drain.zip"
  handler            = "lambdas.drain.handler.lambda_handler"
  timeout_seconds    = local.drain_seconds
  log_retention_days = var.log_retention_days
  environment        = { LAKE_BUCKET = var.bucket_name }

  statements = [
    { actions = ["s3:PutObject"], resources = ["${var.bucket_arn}/raw/*"] },
    {
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      resources = [local.queue_arn]
    },
  ]
}

resource "aws_lambda_event_source_mapping" "drain" {
  event_source_arn        = aws_sqs_queue.buffer.arn
  function_name           = module.drain.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
}

# --- secrets: made here, once; whoever replaces one does it in SSM, and Terraform leaves it alone

resource "aws_ssm_parameter" "hash_keys" {
  #checkov:skip=CKV_AWS_337:The account's own SSM key encrypts it; a key of one's own costs a dollar a month.
  name        = var.secret_names.hash_keys
  description = "Keys that user ids are hashed with, as version:hex, separated by commas; see the runbook before you change it"
  type        = "SecureString"
  value       = "1:${sha256("${uuid()}${uuid()}")}"

  lifecycle {
    ignore_changes = [value]
  }
}

resource "aws_ssm_parameter" "edge_secret" {
  #checkov:skip=CKV_AWS_337:See hash_keys.
  name        = var.secret_names.edge_secret
  description = "What CloudFront proves itself with, so that its viewer headers are believed"
  type        = "SecureString"
  value       = sha256("${uuid()}${uuid()}")

  lifecycle {
    ignore_changes = [value]
  }
}

resource "aws_ssm_parameter" "server_key" {
  #checkov:skip=CKV_AWS_337:See hash_keys.
  name        = var.secret_names.server_key
  description = "What the shop's own servers prove themselves with"
  type        = "SecureString"
  value       = sha256("${uuid()}${uuid()}")

  lifecycle {
    ignore_changes = [value]
  }
}

# --- simulated visitors

module "generator" {
  source = "../function"
  count  = var.generator_schedule == null ? 0 : 1

  name               = "${var.name}-generator"
  description        = "Sends simulated events through the API"
  package            = "${var.build_folder}/generator.zip"
  handler            = "lambdas.generator.handler.lambda_handler"
  layers             = [aws_lambda_layer_version.packages.arn]
  timeout_seconds    = 120
  log_retention_days = var.log_retention_days
  statements         = []
  schedule_group     = var.schedule_group
  schedules          = { generate = { expression = var.generator_schedule } }

  environment = {
    INGEST_URL      = "${aws_apigatewayv2_api.events.api_endpoint}/v1/events"
    EVENTS_PER_CALL = tostring(var.generator_events_per_call)
  }
}
