output "site_origin" {
  description = "Origin of the site, as https://shop.example."
  value       = local.site_origin
}

output "bucket_name" {
  description = "Name of the site's bucket."
  value       = module.bucket.name
}

output "distribution_id" {
  description = "Id of the CloudFront distribution."
  value       = aws_cloudfront_distribution.site.id
}
