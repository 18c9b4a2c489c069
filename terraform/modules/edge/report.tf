# The report's page: it signs in, and asks the API for the report. Nothing in the bucket is secret.

locals {
  report_types = { "index.html" = "text/html; charset=utf-8", "report.js" = "text/javascript; charset=utf-8" }
}

resource "aws_s3_object" "report" {
  #checkov:skip=CKV_AWS_186:Public files; S3's own keys encrypt them.
  for_each = local.report_types

  bucket        = module.bucket.name
  key           = "report/${each.key}"
  source        = "${path.module}/report/${each.key}"
  source_hash   = filemd5("${path.module}/report/${each.key}")
  content_type  = each.value
  cache_control = "no-cache"
}

resource "aws_s3_object" "report_config" {
  #checkov:skip=CKV_AWS_186:Public addresses; S3's own keys encrypt them.
  bucket        = module.bucket.name
  key           = "report/config.json"
  content       = jsonencode({ sign_in_url = var.sign_in.url, client_id = var.sign_in.client_id })
  content_type  = "application/json"
  cache_control = "no-cache"
}
