# The platform, by function. What each part needs of the others is passed here and nowhere else.

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# CloudFront's firewall lives in us-east-1, wherever the shop is.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}

provider "aws" {
  alias  = "replica"
  region = coalesce(var.replica_region, var.region)

  default_tags {
    tags = local.tags
  }
}

resource "aws_scheduler_schedule_group" "all" {
  name = local.name

  lifecycle {
    precondition {
      condition     = contains(["default", var.environment], terraform.workspace)
      error_message = "The workspace is ${terraform.workspace} and the variables are those of ${var.environment}: use `make plan ENV=${var.environment}`, which chooses both."
    }
  }
}

module "lake" {
  source = "./modules/lake"

  providers = {
    aws         = aws
    aws.replica = aws.replica
  }

  name              = local.name
  bucket_name       = local.lake_bucket
  database_name     = var.database_name
  raw_lifecycle     = var.raw_lifecycle
  old_versions_days = var.old_versions_days
  scan_limit_gb     = var.scan_limit_gb
  replication       = var.replica_region == null ? null : { bucket_name = local.replica_bucket }
  is_destroyable    = var.is_destroyable
}

module "ingest" {
  source = "./modules/ingest"

  name                      = local.name
  build_folder              = var.build_folder
  bucket_name               = module.lake.bucket_name
  bucket_arn                = module.lake.bucket_arn
  shop_origins              = var.shop_origins
  site_origins              = module.edge.site_origins
  user_pool                 = module.identity.user_pool
  throttle                  = var.throttle
  unknown_consent           = var.unknown_consent
  accepts_flat_events       = var.accepts_flat_events
  collects_user_age         = var.collects_user_age
  generator_schedule        = var.generator_schedule
  generator_events_per_call = var.generator_events_per_call
  schedule_group            = aws_scheduler_schedule_group.all.name
  secret_names              = local.secret_names
  metrics_namespace         = local.metrics_namespace
  log_retention_days        = var.log_retention_days
}

module "edge" {
  source = "./modules/edge"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name           = local.name
  bucket_name    = local.site_bucket
  api_endpoint   = module.ingest.api_endpoint
  edge_secret    = module.ingest.edge_secret
  domain         = var.domain
  firewall       = var.firewall
  is_destroyable = var.is_destroyable
  sign_in = {
    url       = module.identity.sign_in_url
    client_id = module.identity.user_pool.client_id
  }
}

module "identity" {
  source = "./modules/identity"

  name                = local.name
  domain_prefix       = local.sign_in_prefix
  administrator_email = var.alert_email
  shop_origins        = var.shop_origins
  site_origins        = module.edge.site_origins
  allows_sign_up      = var.allows_sign_up
  build_folder        = var.build_folder
  api                 = module.ingest.api
  authorizer_id       = module.ingest.authorizer_id
  bucket_name         = module.lake.bucket_name
  bucket_arn          = module.lake.bucket_arn
  gate_name           = local.function_names.gate
  generator_name      = module.ingest.generator
  log_retention_days  = var.log_retention_days
}

module "transform" {
  source = "./modules/transform"

  name           = local.name
  build_folder   = var.build_folder
  jobs_folder    = "${path.root}/../glue_jobs"
  bucket_name    = module.lake.bucket_name
  bucket_arn     = module.lake.bucket_arn
  database_name  = module.lake.database_name
  workgroup_name = module.lake.workgroup_name
  shop = {
    time_zone = var.shop_time_zone
    currency  = var.shop_currency
    hosts     = [for origin in var.shop_origins : regex("^https?://([^:/]+)", origin)[0]]
  }
  late_limit_days      = var.late_limit_days
  refresh_schedule     = var.refresh_schedule
  job                  = merge(var.job, { is_flex = local.is_flex })
  maintenance_schedule = var.maintenance_schedule
  report_layer_arn     = var.report_layer_arn
  schedule_group       = aws_scheduler_schedule_group.all.name
  metrics_namespace    = local.metrics_namespace
  log_retention_days   = var.log_retention_days
}

module "queries" {
  source = "./modules/queries"

  folder         = "${path.root}/../athena_queries/saved"
  database_name  = module.lake.database_name
  workgroup_name = module.lake.workgroup_name
}

module "monitoring" {
  source = "./modules/monitoring"

  name                   = local.name
  alert_email            = var.alert_email
  chat_webhook_parameter = var.chat_webhook_parameter
  notifies_completed     = var.notifies_completed
  monthly_budget_usd     = var.monthly_budget_usd
  api_id                 = module.ingest.api.id
  functions              = local.function_names
  queue_names            = module.ingest.queue_names
  schedule_group         = aws_scheduler_schedule_group.all.name
  metrics_namespace      = local.metrics_namespace
  build_folder           = var.build_folder
  log_retention_days     = var.log_retention_days
  job_names              = module.transform.job_names
  refresh = {
    rule_name        = module.transform.refreshed_rule
    interval_minutes = local.refresh_minutes
    timeout_minutes  = var.job.timeout_minutes
  }
}

locals {
  # Minutes between two refreshes; a cron is taken for a daily one.
  refresh_rate    = try(regex("^rate\\(([0-9]+) (minute|hour|day)", var.refresh_schedule), ["1", "day"])
  refresh_minutes = tonumber(local.refresh_rate[0]) * { minute = 1, hour = 60, day = 1440 }[local.refresh_rate[1]]

  # Where refreshes are hours apart, minutes of waiting for a cheaper run change nothing.
  is_flex = coalesce(var.job.is_flex, local.refresh_minutes >= 360)
}

# What programs outside of Terraform look up: clicklake's commands, a shop's servers.
resource "aws_ssm_parameter" "settings" {
  #checkov:skip=CKV2_AWS_34:Names and addresses, no secrets.
  for_each = {
    bucket      = module.lake.bucket_name
    database    = module.lake.database_name
    workgroup   = module.lake.workgroup_name
    events-url  = "${module.ingest.api_endpoint}/v1/events"
    site-origin = module.edge.site_origin
    refresh-job = module.transform.refresh_job_name
  }

  name  = "${local.parameter_prefix}/${each.key}"
  type  = "String"
  value = each.value
}
