output "bucket_name" {
  description = "Name of the lake's bucket. Who has it may write: by then the bucket is private, encrypted and versioned."
  value       = module.bucket.name
}

output "bucket_arn" {
  description = "ARN of the lake's bucket, known before it exists."
  value       = module.bucket.arn
}

output "database_name" {
  description = "Name of the Glue database."
  value       = aws_glue_catalog_database.lake.name
}

output "workgroup_name" {
  description = "Name of the Athena workgroup."
  value       = aws_athena_workgroup.lake.name
}
