# WAF, as an option. AWS's core rules block bodies over 8 KB and read bodies for attacks; a batch of
# events may be larger, and its search terms may look like anything. So below /v1/ these rules only count.

locals {
  body_rules = [
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
  ]

  # AWS's lists, each with the rules that only count.
  managed_rules = {
    core-site  = { list = "AWSManagedRulesCommonRuleSet", is_events = false, priority = 10, counted = [] }
    core-api   = { list = "AWSManagedRulesCommonRuleSet", is_events = true, priority = 11, counted = local.body_rules }
    bad-inputs = { list = "AWSManagedRulesKnownBadInputsRuleSet", is_events = false, priority = 20, counted = [] }
  }
}

resource "aws_wafv2_web_acl" "site" {
  #checkov:skip=CKV_AWS_192:AWS's known bad inputs are in it, as one of managed_rules, which the check cannot unfold.
  #checkov:skip=CKV2_AWS_31:Its logs hold addresses of visitors; WAF's samples and metrics tell enough.
  count    = var.firewall == null ? 0 : 1
  provider = aws.us_east_1 # where CloudFront's firewalls live

  name        = "${var.name}-site"
  description = "In front of the site and of the API behind it"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 1

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit              = var.firewall.requests_per_five_minutes
        aggregate_key_type = "IP"
      }
    }

    visibility_config {
      metric_name                = "rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value.list

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }

          scope_down_statement {
            dynamic "byte_match_statement" {
              for_each = rule.value.is_events ? [1] : []

              content {
                search_string         = "/v1/"
                positional_constraint = "STARTS_WITH"

                field_to_match {
                  uri_path {}
                }

                text_transformation {
                  priority = 0
                  type     = "NONE"
                }
              }
            }

            dynamic "not_statement" {
              for_each = rule.value.is_events ? [] : [1]

              content {
                statement {
                  byte_match_statement {
                    search_string         = "/v1/"
                    positional_constraint = "STARTS_WITH"

                    field_to_match {
                      uri_path {}
                    }

                    text_transformation {
                      priority = 0
                      type     = "NONE"
                    }
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = rule.key
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = false
      }
    }
  }

  # Only labels: ingest marks bots, it does not turn them away.
  dynamic "rule" {
    for_each = var.firewall.has_bot_control ? [1] : []

    content {
      name     = "bots"
      priority = 30

      override_action {
        count {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = "AWSManagedRulesBotControlRuleSet"

          managed_rule_group_configs {
            aws_managed_rules_bot_control_rule_set {
              inspection_level = "COMMON"
            }
          }
        }
      }

      visibility_config {
        metric_name                = "bots"
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = false
      }
    }
  }

  visibility_config {
    metric_name                = "${var.name}-site"
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }
}
