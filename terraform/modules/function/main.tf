# A Lambda function with its role, its log group and its schedules: one shape for all of them.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  log_group = "/aws/lambda/${var.name}"
  log_arn   = "arn:${local.partition}:logs:${data.aws_region.current.name}:${local.account}:log-group:${local.log_group}"
  arn       = "arn:${local.partition}:lambda:${data.aws_region.current.name}:${local.account}:function:${var.name}"

  statements = concat(
    [{ actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${local.log_arn}:*"], condition = null }],
    var.statements,
  )
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:X-Ray would be billed a trace; one log line a call carries the correlation id instead.
  #checkov:skip=CKV_AWS_115:New accounts have ten concurrent calls in all: reserving some here would make the first deployment fail.
  #checkov:skip=CKV_AWS_116:The gateway's, the queue's and the scheduler's callers have retries and dead letters of their own.
  #checkov:skip=CKV_AWS_117:Nothing here is in a VPC; one would need a NAT gateway, billed by the hour.
  #checkov:skip=CKV_AWS_173:The environment holds names, no secrets; a key of one's own costs a dollar a month.
  #checkov:skip=CKV_AWS_272:The zips are built from this tree by whoever applies it; their hashes are in the plan.
  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = var.handler
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  layers           = var.layers
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds

  environment {
    variables = var.environment
  }

  # A first call without the policy would fail in silence; one without the log group would make its own, kept for ever.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Logs hold no personal data and are encrypted by CloudWatch; a key of one's own costs a dollar a month.
  #checkov:skip=CKV_AWS_338:How long logs are kept is the owner's choice, log_retention_days.
  name              = local.log_group
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "this" {
  name = var.name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = var.name
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in local.statements : merge(
        { Effect = "Allow", Action = statement.actions, Resource = statement.resources },
        statement.condition == null ? {} : { Condition = statement.condition },
      )
    ]
  })
}

resource "aws_scheduler_schedule" "this" {
  #checkov:skip=CKV_AWS_297:A schedule holds a name and a time; a key of one's own costs a dollar a month.
  for_each = var.schedules

  name                         = each.key
  group_name                   = var.schedule_group
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.time_zone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.this.arn
    role_arn = aws_iam_role.schedule[0].arn
    input    = jsonencode(each.value.input)

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }
  }
}

resource "aws_iam_role" "schedule" {
  count = length(var.schedules) > 0 ? 1 : 0

  name = "${var.name}-schedule"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  count = length(var.schedules) > 0 ? 1 : 0

  name = "${var.name}-schedule"
  role = aws_iam_role.schedule[0].name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "lambda:InvokeFunction", Resource = local.arn }]
  })
}
