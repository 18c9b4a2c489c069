output "site_origin" {
  description = "Origin of the site, as https://shop.example: the first where it has several names."
  value       = local.site_origins[0]
}

output "site_origins" {
  description = "Every origin of the site."
  value       = local.site_origins
}

output "bucket_name" {
  description = "Name of the site's bucket."
  value       = module.bucket.name
}

output "distribution_id" {
  description = "Id of the CloudFront distribution."
  value       = aws_cloudfront_distribution.site.id
}
