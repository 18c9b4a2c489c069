# One address for the site and for its events: CloudFront before a private bucket and before the API.

locals {
  api_host     = trimprefix(var.api_endpoint, "https://")
  site_origins = [for name in try(var.domain.names, [aws_cloudfront_distribution.site.domain_name]) : "https://${name}"]

  # AWS's own policies, by the ids that are the same in every account.
  caching_optimized             = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  all_viewer_except_host_header = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
  security_headers              = "67f7725c-6f97-4210-82d7-5512b31e9d03"
}

# --- the site's bucket: nobody but CloudFront reads it

module "bucket" {
  source = "../bucket"

  name           = var.bucket_name
  is_destroyable = var.is_destroyable
  readers = [{
    name       = "CloudFrontReads"
    service    = "cloudfront.amazonaws.com"
    source_arn = aws_cloudfront_distribution.site.arn
  }]
}

resource "aws_s3_bucket_lifecycle_configuration" "site" {
  bucket = module.bucket.name

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

# --- CloudFront

resource "aws_cloudfront_origin_access_control" "site" {
  name                              = "${var.name}-site"
  description                       = "CloudFront signs what it asks of the site's bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# Answers are never kept for more than a second, and never between two signed-in users. The viewer's
# country and city are in the key because only headers of the key are added for the origin.
resource "aws_cloudfront_cache_policy" "events" {
  name        = "${var.name}-events"
  comment     = "Not cached; passes the token and the viewer's place on"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 1

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = false
    enable_accept_encoding_gzip   = false

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "whitelist"

      headers {
        items = ["Authorization", "CloudFront-Viewer-Country", "CloudFront-Viewer-City"]
      }
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

# A page's address that is no file is the single-page shop's to answer. Not an error page of the
# distribution: that would turn the API's errors into pages, too.
resource "aws_cloudfront_function" "pages" {
  name    = "${var.name}-pages"
  comment = "Which file answers a page's address"
  runtime = "cloudfront-js-2.0"
  code    = file("${path.module}/pages.js")
}

resource "aws_cloudfront_distribution" "site" {
  #checkov:skip=CKV_AWS_68:A firewall is an option, as it costs several times the rest; see firewall.
  #checkov:skip=CKV2_AWS_47:See CKV_AWS_68; the option has AWS's known bad inputs, Log4j among them.
  #checkov:skip=CKV_AWS_86:Access logs hold addresses of visitors.
  #checkov:skip=CKV_AWS_174:Without a name of one's own the certificate is CloudFront's, and so are its protocols; with one it is TLS 1.2.
  #checkov:skip=CKV2_AWS_42:A name and certificate of one's own are an option, domain.
  #checkov:skip=CKV2_AWS_32:The site's pages have AWS's security headers; the API's answers bring their own.
  #checkov:skip=CKV_AWS_310:The bucket is one store in many places; the API has its own second way, across origins.
  #checkov:skip=CKV_AWS_374:A shop sells where it wants to.
  enabled             = true
  comment             = "${var.name}: site and first-party events"
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  default_root_object = "index.html"
  price_class         = var.price_class
  aliases             = try(var.domain.names, [])
  web_acl_id          = one(aws_wafv2_web_acl.site[*].arn)

  origin {
    origin_id                = "site"
    domain_name              = module.bucket.domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.site.id
  }

  origin {
    origin_id   = "api"
    domain_name = local.api_host

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }

    custom_header {
      name  = "x-clicklake-edge-secret"
      value = var.edge_secret
    }
  }

  default_cache_behavior {
    target_origin_id           = "site"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = local.security_headers

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.pages.arn
    }
  }

  ordered_cache_behavior {
    path_pattern             = "/v1/*"
    target_origin_id         = "api"
    viewer_protocol_policy   = "https-only"
    allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = false
    cache_policy_id          = aws_cloudfront_cache_policy.events.id
    origin_request_policy_id = local.all_viewer_except_host_header
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = try(var.domain.certificate_arn, null)
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? null : "TLSv1.2_2021"
  }
}
