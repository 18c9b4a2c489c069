output "gate_name" {
  description = "Name of the gate function."
  value       = module.gate.name
}

output "report_name" {
  description = "Name of the report function."
  value       = module.report.name
}

output "refresh_job_name" {
  description = "Name of the Glue job refresh_lake."
  value       = aws_glue_job.this["refresh_lake"].name
}

output "refreshed_rule" {
  description = "Name of the EventBridge rule that matches a refresh that went well."
  value       = aws_cloudwatch_event_rule.refreshed.name
}
