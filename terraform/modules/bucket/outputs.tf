output "name" {
  description = "Name of the bucket. Who has it may write: by then the bucket is private, encrypted and versioned."
  value       = aws_s3_bucket.this.id

  depends_on = [
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

output "arn" {
  description = "ARN of the bucket, known before it exists."
  value       = local.arn
}

output "domain_name" {
  description = "The bucket's address in its region, for CloudFront."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
