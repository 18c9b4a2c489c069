# The one store: bucket, catalog database, query workgroup.

data "aws_caller_identity" "current" {}

locals {
  # results/ is not among them: Athena cannot read what is archived, and Iceberg deletes its own files.
  tiered_prefixes = ["raw/", "processed/"]
}

module "bucket" {
  source = "../bucket"

  name           = var.bucket_name
  is_destroyable = var.is_destroyable
}

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  #checkov:skip=CKV_AWS_300:The rule old-versions ends failed uploads in the whole bucket; the check wants it in each rule.
  bucket = module.bucket.name
  # Objects below 128 KB would cost more to move than they save.
  transition_default_minimum_object_size = "all_storage_classes_128K"

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.old_versions_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "query-results"
    status = "Enabled"

    filter {
      prefix = "athena-results/"
    }

    expiration {
      days = var.query_results_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  dynamic "rule" {
    for_each = local.tiered_prefixes

    content {
      id     = trimsuffix(rule.value, "/")
      status = "Enabled"

      filter {
        prefix = rule.value
      }

      dynamic "transition" {
        for_each = {
          for class, days in {
            INTELLIGENT_TIERING = var.raw_lifecycle.infrequent_after_days
            GLACIER_IR          = var.raw_lifecycle.archive_after_days
          } : class => days if days != null
        }

        content {
          storage_class = transition.key
          days          = transition.value
        }
      }

      dynamic "expiration" {
        for_each = var.raw_lifecycle.expire_after_days[*]

        content {
          days = expiration.value
        }
      }

      noncurrent_version_expiration {
        noncurrent_days = var.old_versions_days
      }
    }
  }
}

resource "aws_glue_catalog_database" "lake" {
  name         = var.database_name
  description  = "Clicklake: events, sessions, orders and daily tables of the shop"
  location_uri = "s3://${module.bucket.name}/results"
}

resource "aws_athena_workgroup" "lake" {
  name          = var.name
  description   = "Queries on the lake, each ended after ${var.scan_limit_gb} GB"
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    bytes_scanned_cutoff_per_query     = floor(var.scan_limit_gb * pow(1024, 3))
    publish_cloudwatch_metrics_enabled = true

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${module.bucket.name}/athena-results/"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}
