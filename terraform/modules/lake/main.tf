# The one store: bucket, catalog database, query workgroup.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket_name}"

  # results/ is not among them: Athena cannot read what is archived, and Iceberg deletes its own files.
  tiered_prefixes = ["raw/", "processed/"]
}

resource "aws_s3_bucket" "lake" {
  #checkov:skip=CKV_AWS_18:Server access logs are small objects that cost more than the lake; CloudTrail's data events are the owner's choice.
  #checkov:skip=CKV_AWS_144:A copy in another region is an option, replication.
  #checkov:skip=CKV_AWS_145:S3's own keys encrypt it; a key of one's own costs a dollar a month and a call a request.
  #checkov:skip=CKV2_AWS_62:The gate looks for new objects when the schedule calls it; a notification an object would cost more.
  bucket        = var.bucket_name
  force_destroy = var.is_destroyable
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "lake" {
  bucket = aws_s3_bucket.lake.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # Both change the bucket's policy status, and S3 refuses two such changes at once.
  depends_on = [aws_s3_bucket_public_access_block.lake]
}

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  #checkov:skip=CKV_AWS_300:The rule old-versions ends failed uploads in the whole bucket; the check wants it in each rule.
  bucket = aws_s3_bucket.lake.id
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

  depends_on = [aws_s3_bucket_versioning.lake]
}

resource "aws_glue_catalog_database" "lake" {
  name         = var.database_name
  description  = "Clicklake: events, sessions, orders and daily tables of the shop"
  location_uri = "s3://${aws_s3_bucket.lake.id}/results"
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
      output_location = "s3://${aws_s3_bucket.lake.id}/athena-results/"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}
