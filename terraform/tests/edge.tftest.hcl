# The edge: events are never cached and never become pages; a large batch passes the firewall.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

variables {
  name         = "clicklake-test"
  bucket_name  = "clicklake-test-site"
  api_endpoint = "https://mock.execute-api.eu-central-1.amazonaws.com"
  edge_secret  = "only-for-tests"
  sign_in      = { url = "https://sign-in.example", client_id = "client" }
}

run "defaults" {
  command = plan

  module {
    source = "./modules/edge"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_cache_policy.events.min_ttl == 0,
      aws_cloudfront_cache_policy.events.default_ttl == 0,
      aws_cloudfront_cache_policy.events.max_ttl == 1,
    ])
    error_message = "An answer to events is kept for a second at most."
  }

  assert {
    condition     = aws_cloudfront_cache_policy.events.parameters_in_cache_key_and_forwarded_to_origin[0].headers_config[0].headers[0].items == toset(["Authorization", "CloudFront-Viewer-Country", "CloudFront-Viewer-City"])
    error_message = "Token, country and city reach the API, and keep answers apart."
  }

  assert {
    condition     = aws_cloudfront_distribution.site.ordered_cache_behavior[0].path_pattern == "/v1/*" && length(aws_cloudfront_distribution.site.ordered_cache_behavior[0].allowed_methods) == 7
    error_message = "Below /v1/ every method reaches the API."
  }

  assert {
    condition     = aws_cloudfront_distribution.site.ordered_cache_behavior[0].origin_request_policy_id == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    error_message = "The API gets all the viewer's headers but Host (AWS's AllViewerExceptHostHeader)."
  }

  assert {
    condition     = length(aws_cloudfront_distribution.site.custom_error_response) == 0
    error_message = "No error page: it would turn the API's errors into pages with 200."
  }

  assert {
    condition     = length(aws_wafv2_web_acl.site) == 0
    error_message = "There is no firewall by default: it is billed by the month."
  }

  assert {
    condition     = aws_cloudfront_origin_access_control.site.signing_behavior == "always" && aws_cloudfront_origin_access_control.site.signing_protocol == "sigv4"
    error_message = "CloudFront signs what it asks of the site's bucket."
  }
}

run "with_a_firewall_a_large_batch_passes" {
  command = plan

  module {
    source = "./modules/edge"
  }

  variables {
    firewall = { has_bot_control = true }
  }

  # A body of 60 KB trips SizeRestrictions_BODY (over 8 KB), and its search terms may trip the others that read bodies.
  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.site[0].rule : [
        for group in rule.statement[0].managed_rule_group_statement : [for each in group.rule_action_override : each.name if length(each.action_to_use[0].count) == 1]
      ] if rule.name == "core-api"
      ])) == toset([
      "SizeRestrictions_BODY",
      "CrossSiteScripting_BODY",
      "GenericLFI_BODY",
      "GenericRFI_BODY",
      "EC2MetaDataSSRF_BODY",
    ])
    error_message = "Below /v1/ the rules that read bodies or their size only count."
  }

  # Every list of AWS's either is the one above, or keeps out of /v1/, or only counts as a whole.
  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.site[0].rule : [
        for group in rule.statement[0].managed_rule_group_statement :
        rule.name == "core-api" || length(rule.override_action[0].count) == 1 || try(length(group.scope_down_statement[0].not_statement) == 1, false)
      ]
    ]))
    error_message = "No other list of rules may block what is sent to /v1/."
  }

  assert {
    condition     = length([for rule in aws_wafv2_web_acl.site[0].rule : rule if rule.name == "rate" && try(length(rule.action[0].block) == 1, false)]) == 1
    error_message = "Who sends too much is stopped."
  }
}

run "with_a_name_of_its_own" {
  command = plan

  module {
    source = "./modules/edge"
  }

  variables {
    domain = { names = ["data.shop.example", "shop.example"], certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  assert {
    condition     = output.site_origin == "https://data.shop.example" && aws_cloudfront_distribution.site.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "With a name of its own the site speaks TLS 1.2 or newer."
  }

  assert {
    condition     = output.site_origins == ["https://data.shop.example", "https://shop.example"]
    error_message = "Every name is an origin."
  }
}

run "mistakes" {
  command = plan

  module {
    source = "./modules/edge"
  }

  variables {
    domain      = { names = ["data.shop.example"], certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    firewall    = { requests_per_five_minutes = 1 }
    price_class = "cheap"
  }

  expect_failures = [
    var.domain,
    var.firewall,
    var.price_class,
  ]
}

run "a_name_with_a_star" {
  command = plan

  module {
    source = "./modules/edge"
  }

  variables {
    domain = { names = ["shop.example", "*.shop.example"], certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  expect_failures = [var.domain]
}
