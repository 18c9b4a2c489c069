# A private bucket: nobody but this account reads it, by TLS alone; encrypted, and what is overwritten is kept.

data "aws_partition" "current" {}

locals {
  # Known before the bucket is, so that policies elsewhere can name it.
  arn = "arn:${data.aws_partition.current.partition}:s3:::${var.name}"
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Server access logs are small objects that cost more than the lake, and hold visitors' addresses.
  #checkov:skip=CKV_AWS_144:A copy of the lake in another region is an option, replica_region; the site is built from this tree.
  #checkov:skip=CKV_AWS_145:S3's own keys encrypt it; a key of one's own costs a dollar a month and a call a request.
  #checkov:skip=CKV2_AWS_61:What moves or expires is its owner's to say: modules lake and edge have rules, the copy keeps all.
  #checkov:skip=CKV2_AWS_62:Nothing waits for an object: the gate looks when its schedule calls it.
  bucket        = var.name
  force_destroy = var.is_destroyable
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.arn, "${local.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [
        for reader in var.readers : {
          Sid       = reader.name
          Effect    = "Allow"
          Principal = { Service = reader.service }
          Action    = "s3:GetObject"
          Resource  = "${local.arn}/*"
          Condition = { StringEquals = { "aws:SourceArn" = reader.source_arn } }
        }
      ],
    )
  })

  # Both change the bucket's policy status, and S3 refuses two such changes at once.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
