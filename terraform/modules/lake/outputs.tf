output "bucket_name" {
  description = "Name of the lake's bucket. Who has it may write: by then the bucket is private, encrypted and versioned."
  value       = aws_s3_bucket.lake.id

  depends_on = [
    aws_s3_bucket_public_access_block.lake,
    aws_s3_bucket_server_side_encryption_configuration.lake,
    aws_s3_bucket_versioning.lake,
  ]
}

output "bucket_arn" {
  description = "ARN of the lake's bucket, known before it exists."
  value       = local.bucket_arn
}

output "database_name" {
  description = "Name of the Glue database."
  value       = aws_glue_catalog_database.lake.name
}

output "workgroup_name" {
  description = "Name of the Athena workgroup."
  value       = aws_athena_workgroup.lake.name
}
