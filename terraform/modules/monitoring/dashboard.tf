# One look at everything. Up to three dashboards are free.

locals {
  panels = [
    {
      title   = "Events"
      metrics = [[local.own, "EventsAccepted", "service", "ingest"], [local.own, "EventsRejected", "service", "ingest"]]
      stat    = "Sum"
    },
    {
      title   = "Requests and errors"
      metrics = [["AWS/ApiGateway", "Count", "ApiId", var.api_id], ["AWS/ApiGateway", "4xx", "ApiId", var.api_id], ["AWS/ApiGateway", "5xx", "ApiId", var.api_id]]
      stat    = "Sum"
    },
    {
      title   = "Milliseconds of the slowest twentieth"
      metrics = [["AWS/ApiGateway", "Latency", "ApiId", var.api_id], [local.own, "RequestMilliseconds", "service", "ingest"]]
      stat    = "p95"
    },
    {
      title   = "Minutes behind"
      metrics = [[local.own, "MinutesBehind", "service", "gate"]]
      stat    = "Maximum"
    },
    {
      title   = "Seconds a refresh took"
      metrics = [[local.own, "RefreshSeconds", "service", "report"]]
      stat    = "Maximum"
    },
    {
      title = "Waiting and dead batches"
      metrics = [
        for queue in [var.queue_names.buffer, var.queue_names.dead_letters] :
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]
      ]
      stat = "Maximum"
    },
    {
      title   = "Failed calls"
      metrics = [for name in values(var.functions) : ["AWS/Lambda", "Errors", "FunctionName", name]]
      stat    = "Sum"
    },
  ]
}

resource "aws_cloudwatch_dashboard" "lake" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type       = "alarm"
        x          = 0
        y          = 0
        width      = 24
        height     = 3
        properties = { title = "Alarms", alarms = sort([for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn]) }
      }],
      [
        for number, panel in local.panels : {
          type   = "metric"
          x      = 8 * (number % 3)
          y      = 3 + 6 * floor(number / 3)
          width  = 8
          height = 6
          properties = {
            title   = panel.title
            metrics = panel.metrics
            stat    = panel.stat
            period  = 3600
            region  = data.aws_region.current.name
            view    = "timeSeries"
          }
        }
      ],
    )
  })
}
