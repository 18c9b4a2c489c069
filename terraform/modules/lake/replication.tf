# A copy of raw/ and processed/ in another region: everything else can be computed from them again.

locals {
  is_replicated = var.replication != null
}

module "replica" {
  source    = "../bucket"
  count     = local.is_replicated ? 1 : 0
  providers = { aws = aws.replica }

  name           = var.replication.bucket_name
  is_destroyable = var.is_destroyable
}

resource "aws_iam_role" "replication" {
  count = local.is_replicated ? 1 : 0

  name = "${var.name}-replication"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "s3.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "replication" {
  count = local.is_replicated ? 1 : 0

  name = "${var.name}-replication"
  role = aws_iam_role.replication[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = module.bucket.arn
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
        Resource = [for prefix in local.tiered_prefixes : "${module.bucket.arn}/${prefix}*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:ReplicateObject", "s3:ReplicateTags"]
        Resource = [for prefix in local.tiered_prefixes : "${module.replica[0].arn}/${prefix}*"]
      },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "lake" {
  count = local.is_replicated ? 1 : 0

  bucket = module.bucket.name
  role   = aws_iam_role.replication[0].arn

  dynamic "rule" {
    for_each = local.tiered_prefixes

    content {
      id       = trimsuffix(rule.value, "/")
      priority = rule.key
      status   = "Enabled"

      filter {
        prefix = rule.value
      }

      # A deletion is not copied: erasing a person covers the copy by a call of its own.
      delete_marker_replication {
        status = "Disabled"
      }

      destination {
        bucket = module.replica[0].arn
      }
    }
  }

  # S3 replicates into a bucket with versions only.
  depends_on = [module.replica]
}
