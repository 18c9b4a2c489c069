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

output "job_names" {
  description = "Names of all Glue jobs: that one, and upkeep where it is scheduled."
  value       = [for job in aws_glue_job.this : job.name]
}

output "refreshed_rule" {
  description = "Name of the EventBridge rule that matches a refresh that went well."
  value       = aws_cloudwatch_event_rule.refreshed.name
}
