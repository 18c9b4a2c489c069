# Every name and tag, in this one place.

data "aws_caller_identity" "current" {}

locals {
  name    = "clicklake-${var.environment}"
  account = data.aws_caller_identity.current.account_id

  # Bucket names are shared by all of AWS, so the account's number is in them.
  lake_bucket    = "${local.name}-lake-${local.account}"
  replica_bucket = "${local.name}-replica-${local.account}"
  site_bucket    = "${local.name}-site-${local.account}"
  sign_in_prefix = "${local.name}-${local.account}"

  metrics_namespace = "Clicklake/${var.environment}"
  parameter_prefix  = "/clicklake/${var.environment}"

  secret_names = {
    hash_keys   = "${local.parameter_prefix}/hash-keys"
    edge_secret = "${local.parameter_prefix}/edge-secret"
    server_key  = "${local.parameter_prefix}/server-key"
  }

  function_names = {
    ingest = "${local.name}-ingest"
    gate   = "${local.name}-gate"
    report = "${local.name}-report"
    admin  = "${local.name}-admin"
  }

  tags = {
    Project     = "clicklake"
    Environment = var.environment
    ManagedBy   = "terraform"
  }
}
