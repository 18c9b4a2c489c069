output "region" {
  description = "The region everything is in."
  value       = var.region
}

output "events_url" {
  description = "Where a shop on another platform sends its events, across origins."
  value       = "${module.ingest.api_endpoint}/v1/events"
}

output "site_origin" {
  description = "The site's own origin; events sent to its /v1/events are first-party."
  value       = module.edge.site_origin
}

output "report_url" {
  description = "The report's page; sign in with the administrator's address."
  value       = "${module.edge.site_origin}/report/"
}

output "sign_in_url" {
  description = "Address of Cognito's sign-in pages."
  value       = module.identity.sign_in_url
}

output "user_pool" {
  description = "Issuer and client id that the shop's sign-in needs."
  value       = module.identity.user_pool
}

output "bucket_name" {
  description = "The lake's bucket."
  value       = module.lake.bucket_name
}

output "replica" {
  description = "The lake's copy in another region: bucket_name and region; null where there is none."
  value       = var.replica_region == null ? null : { bucket_name = local.replica_bucket, region = var.replica_region }
}

output "site_bucket_name" {
  description = "The site's bucket, where the shop's pages may go."
  value       = module.edge.bucket_name
}

output "database_name" {
  description = "The Glue database."
  value       = module.lake.database_name
}

output "workgroup_name" {
  description = "The Athena workgroup."
  value       = module.lake.workgroup_name
}

output "refresh_job_name" {
  description = "The Glue job that refreshes the lake."
  value       = module.transform.refresh_job_name
}

output "function_names" {
  description = "The functions, by their part."
  value = {
    ingest    = module.ingest.function_name
    gate      = module.transform.gate_name
    report    = module.transform.report_name
    admin     = module.identity.function_name
    generator = module.ingest.generator
  }
}

output "alarm_names" {
  description = "All alarms."
  value       = module.monitoring.alarm_names
}

output "dashboard_name" {
  description = "The CloudWatch dashboard."
  value       = module.monitoring.dashboard_name
}
