# Who is told of what: topics, alarms, notices of the job, the bill.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  arn_tail  = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  topic_arn = "arn:${data.aws_partition.current.partition}:sns:${local.arn_tail}:${var.name}-alerts"
  own       = var.metrics_namespace

  # A refresh that is due may be as late as one more interval, and take its time.
  behind_minutes = 2 * var.refresh.interval_minutes + var.refresh.timeout_minutes

  # Each alarm: a metric, how it is read, and when somebody is told. `silence` is what no data means.
  alarms = {
    api-errors = {
      text      = "The API answered with 5xx. Events may not have been taken: see the ingest log."
      namespace = "AWS/ApiGateway", metric = "5xx", dimensions = { ApiId = var.api_id }
      statistic = "Sum", threshold = 5, period = 300, periods = 1, silence = "notBreaching"
    }
    api-latency = {
      text      = "One answer in twenty takes longer than ${var.latency_milliseconds} ms."
      namespace = "AWS/ApiGateway", metric = "Latency", dimensions = { ApiId = var.api_id }
      statistic = "p95", threshold = var.latency_milliseconds, period = 300, periods = 3, silence = "notBreaching"
    }
    ingest-errors = {
      text      = "The ingest function failed or ran out of time or memory."
      namespace = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = var.functions.ingest }
      statistic = "Sum", threshold = 1, period = 300, periods = 1, silence = "notBreaching"
    }
    ingest-throttles = {
      text      = "Calls of the ingest function were turned away: ask AWS for more concurrent calls."
      namespace = "AWS/Lambda", metric = "Throttles", dimensions = { FunctionName = var.functions.ingest }
      statistic = "Sum", threshold = 1, period = 300, periods = 1, silence = "notBreaching"
    }
    puts-failed = {
      text      = "S3 did not take batches; they wait in the buffer, or their senders were asked to try again."
      namespace = local.own, metric = "RequestsBuffered", dimensions = { service = "ingest" }
      statistic = "Sum", threshold = 1, period = 300, periods = 1, silence = "notBreaching"
    }
    # SQS leaves what was received three times out of the age, and a failed try hides a batch for six minutes.
    buffer-age = {
      text      = "Batches have waited in the buffer for ten minutes: see the drain function's log."
      namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = var.queue_names.buffer }
      statistic = "Maximum", threshold = 600, period = 300, periods = 1, silence = "notBreaching"
    }
    dead-letters = {
      text      = "Batches could not be drained and lie among the dead letters: see the runbook before 14 days are over."
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = var.queue_names.dead_letters }
      statistic = "Maximum", threshold = 1, period = 300, periods = 1, silence = "notBreaching"
    }
    schedule-failed = {
      text      = "A schedule could not call its function."
      namespace = "AWS/Scheduler", metric = "TargetErrorCount", dimensions = { ScheduleGroup = var.schedule_group }
      statistic = "Sum", threshold = 1, period = 3600, periods = 1, silence = "notBreaching"
    }
    refresh-failed = {
      text      = "A refresh failed, also after its retry, or upkeep did. The next one undoes and repeats it."
      namespace = "AWS/Events", metric = "MatchedEvents", dimensions = { RuleName = aws_cloudwatch_event_rule.refresh_failed.name }
      statistic = "Sum", threshold = 1, period = 3600, periods = 1, silence = "notBreaching"
    }
    refresh-slow = {
      text      = "A refresh took more than three quarters of its time limit."
      namespace = local.own, metric = "RefreshSeconds", dimensions = { service = "report" }
      statistic = "Maximum", threshold = var.refresh.timeout_minutes * 45, period = 3600, periods = 1, silence = "notBreaching"
    }
    behind = {
      text      = "Events have waited for more than ${local.behind_minutes} minutes to be refreshed, or the gate no longer measures."
      namespace = local.own, metric = "MinutesBehind", dimensions = { service = "gate" }
      statistic = "Maximum", threshold = local.behind_minutes, period = 3600, periods = 3, silence = "breaching"
    }
  }
}

# --- who is told

resource "aws_sns_topic" "alerts" {
  #checkov:skip=CKV_AWS_26:CloudWatch and EventBridge cannot publish through SNS's own key, and one's own costs a dollar a month; a notice holds names and numbers.
  name = "${var.name}-alerts"
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ServicesOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
      {
        # Without a condition: EventBridge supports none in a topic's policy, and drops what it may not send.
        Sid       = "Events"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

module "chat" {
  source = "../function"
  count  = var.chat_webhook_parameter == null ? 0 : 1

  name               = "${var.name}-chat"
  description        = "Passes alerts on to a chat"
  package            = "${var.build_folder}/chat.zip"
  handler            = "lambdas.chat.handler.lambda_handler"
  log_retention_days = var.log_retention_days
  environment        = { WEBHOOK_PARAMETER = var.chat_webhook_parameter }

  statements = [{
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${data.aws_partition.current.partition}:ssm:${local.arn_tail}:parameter${var.chat_webhook_parameter}"]
  }]
}

resource "aws_sns_topic_subscription" "chat" {
  count = length(module.chat)

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "lambda"
  endpoint  = module.chat[0].arn
}

resource "aws_lambda_permission" "chat" {
  count = length(module.chat)

  statement_id  = "sns"
  action        = "lambda:InvokeFunction"
  function_name = module.chat[0].name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.alerts.arn
}

# --- alarms

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic == "p95" ? null : each.value.statistic
  extended_statistic  = each.value.statistic == "p95" ? "p95" : null
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.silence
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "quarantine" {
  alarm_name          = "${var.name}-quarantine"
  alarm_description   = "More than ${var.quarantine_percent} % of the events of an hour were refused: ask the saved query refused_lines why."
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.quarantine_percent
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]

  metric_query {
    id          = "percent"
    label       = "Refused events in percent"
    expression  = "100 * rejected / (accepted + rejected)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { accepted = "EventsAccepted", rejected = "EventsRejected" }

    content {
      id = metric_query.key

      metric {
        namespace   = local.own
        metric_name = metric_query.value
        dimensions  = { service = "ingest" }
        period      = 3600
        stat        = "Sum"
      }
    }
  }
}

# --- notices of the jobs: each failure is told with its reason, which the alarm cannot

resource "aws_cloudwatch_event_rule" "refresh_failed" {
  name        = "${var.name}-refresh-failed"
  description = "A refresh or upkeep failed"
  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Job State Change"]
    detail      = { jobName = var.job_names, state = ["FAILED", "TIMEOUT", "ERROR", "STOPPED"] }
  })
}

resource "aws_cloudwatch_event_target" "notice" {
  for_each = merge(
    { failed = aws_cloudwatch_event_rule.refresh_failed.name },
    var.notifies_completed ? { completed = var.refresh.rule_name } : {},
  )

  rule      = each.value
  target_id = "notice-${each.key}"
  arn       = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths = {
      job     = "$.detail.jobName"
      run     = "$.detail.jobRunId"
      state   = "$.detail.state"
      message = "$.detail.message"
    }
    input_template = "\"<job>, run <run>: <state>. <message>\""
  }
}

# --- the bill

resource "aws_budgets_budget" "month" {
  name         = "${var.name}-month"
  budget_type  = "COST"
  limit_amount = format("%.1f", var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "notification" {
    for_each = [
      { type = "ACTUAL", percent = 80 },
      { type = "ACTUAL", percent = 100 },
      { type = "FORECASTED", percent = 101 },
    ]

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.value.type
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = [var.alert_email]
    }
  }
}
