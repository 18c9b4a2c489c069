# A copy of raw/ and processed/ in another region: everything else can be computed from them again.

locals {
  is_replicated = var.replication != null
  replica_arn   = "arn:${data.aws_partition.current.partition}:s3:::${try(var.replication.bucket_name, "")}"
}

resource "aws_s3_bucket" "replica" {
  #checkov:skip=CKV_AWS_18:See the lake's bucket.
  #checkov:skip=CKV_AWS_21:Versioning is set by aws_s3_bucket_versioning.replica.
  #checkov:skip=CKV_AWS_144:This is the copy.
  #checkov:skip=CKV_AWS_145:See the lake's bucket.
  #checkov:skip=CKV2_AWS_6:All four flags are set by aws_s3_bucket_public_access_block.replica.
  #checkov:skip=CKV2_AWS_61:The copy keeps what the lake has; what is deleted there is deleted here by its owner.
  #checkov:skip=CKV2_AWS_62:Nobody reads the copy until it is needed.
  count    = local.is_replicated ? 1 : 0
  provider = aws.replica

  bucket        = var.replication.bucket_name
  force_destroy = var.is_destroyable
}

resource "aws_s3_bucket_public_access_block" "replica" {
  count    = local.is_replicated ? 1 : 0
  provider = aws.replica

  bucket                  = aws_s3_bucket.replica[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "replica" {
  count    = local.is_replicated ? 1 : 0
  provider = aws.replica

  bucket = aws_s3_bucket.replica[0].id

  versioning_configuration {
    status = "Enabled"
  }
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
        Resource = local.bucket_arn
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
        Resource = [for prefix in local.tiered_prefixes : "${local.bucket_arn}/${prefix}*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:ReplicateObject", "s3:ReplicateTags"]
        Resource = [for prefix in local.tiered_prefixes : "${local.replica_arn}/${prefix}*"]
      },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "lake" {
  count = local.is_replicated ? 1 : 0

  bucket = aws_s3_bucket.lake.id
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
        bucket = aws_s3_bucket.replica[0].arn
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.lake, aws_s3_bucket_versioning.replica]
}
