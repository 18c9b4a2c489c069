# Monitoring: what somebody is told of.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "clicklake-test"
  alert_email        = "owner@shop.example"
  api_id             = "api"
  functions          = { ingest = "i", gate = "g", report = "r", admin = "a" }
  queue_names        = { buffer = "b", dead_letters = "d" }
  job_names          = ["refresh", "upkeep"]
  refresh            = { rule_name = "rule", interval_minutes = 60, timeout_minutes = 30 }
  schedule_group     = "clicklake-test"
  metrics_namespace  = "Clicklake/test"
  build_folder       = "../build"
  log_retention_days = 7
}

run "defaults" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "api-errors", "api-latency", "ingest-errors", "ingest-throttles", "puts-failed", "buffer-age",
      "dead-letters", "schedule-failed", "refresh-failed", "refresh-slow", "behind",
    ])
    error_message = "The runbook has a page for each of these alarms: add or remove both."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["behind"].threshold == 150 && aws_cloudwatch_metric_alarm.this["behind"].treat_missing_data == "breaching"
    error_message = "Behind is two intervals and a run; a gate that no longer measures is an alarm, too."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["buffer-age"].threshold == 600
    error_message = "Batches that wait are told before SQS leaves them out of their age: after three tries of six minutes."
  }

  assert {
    condition     = toset([for each in aws_budgets_budget.month.notification : each.notification_type]) == toset(["ACTUAL", "FORECASTED"])
    error_message = "The bill is told when it is high, and when it is going to be."
  }

  assert {
    condition     = keys(aws_cloudwatch_event_target.notice) == ["failed"] && length(module.chat) == 0
    error_message = "By default failures are told, by e-mail."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.refresh_failed.event_pattern).detail.jobName == ["refresh", "upkeep"]
    error_message = "A failure of any job is told."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_sns_topic_policy.alerts.policy).Statement : contains(keys(statement), "Condition")
      if contains(flatten([statement.Principal.Service]), "events.amazonaws.com")
    ] == [false]
    error_message = "EventBridge publishes nothing where the topic's policy has a condition for it."
  }
}

run "chat_and_good_news" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    chat_webhook_parameter = "/shop/chat-webhook"
    notifies_completed     = true
  }

  assert {
    condition     = keys(aws_cloudwatch_event_target.notice) == ["completed", "failed"] && length(module.chat) == 1
    error_message = "A chat and good news are options."
  }
}

run "mistakes" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    chat_webhook_parameter = "https://chat.example/hook"
    monthly_budget_usd     = 0
    quarantine_percent     = 200
  }

  expect_failures = [
    var.chat_webhook_parameter,
    var.monthly_budget_usd,
    var.quarantine_percent,
  ]
}
