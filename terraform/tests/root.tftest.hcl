# The whole, with AWS mocked: what the defaults make, what options add, what is refused.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "replica"
  source = "./tests/mocks"
}

variables {
  region       = "eu-central-1"
  shop_origins = ["https://shop.example"]
  alert_email  = "owner@shop.example"
}

run "defaults" {
  command = plan

  assert {
    condition     = local.refresh_minutes == 1440
    error_message = "By default the lake is refreshed once a day."
  }

  assert {
    condition     = local.is_flex
    error_message = "A daily refresh may wait for workers that cost a third less."
  }

  assert {
    condition     = alltrue([for name in values(local.function_names) : startswith(name, "clicklake-dev-")])
    error_message = "Every name begins with the deployment's."
  }

  assert {
    condition     = output.replica == null
    error_message = "There is no copy by default."
  }
}

run "everything_on" {
  command = plan

  variables {
    environment            = "prod"
    generator_schedule     = null
    replica_region         = "eu-west-1"
    refresh_schedule       = "rate(6 hours)"
    maintenance_schedule   = "cron(0 3 ? * SUN *)"
    firewall               = { has_bot_control = true }
    domain                 = { names = ["data.shop.example"], certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
    chat_webhook_parameter = "/shop/chat-webhook"
    notifies_completed     = true
    raw_lifecycle          = { archive_after_days = 180, expire_after_days = 365 }
    job                    = { is_flex = false }
    report_layer_arn       = "arn:aws:lambda:eu-central-1:123456789012:layer:pandas:1"
  }

  assert {
    condition     = local.refresh_minutes == 360 && !local.is_flex
    error_message = "The alarms follow the schedule, and who wants runs at once has them."
  }

  assert {
    condition     = module.ingest.generator == null
    error_message = "A real shop gets no simulated visitors."
  }

  assert {
    condition     = module.edge.site_origin == "https://data.shop.example"
    error_message = "The site's origin is its own name."
  }

  assert {
    condition     = output.replica == { bucket_name = "clicklake-prod-replica-123456789012", region = "eu-west-1" }
    error_message = "Who destroys the deployment learns where its copy is."
  }
}

run "hourly" {
  command = plan

  variables {
    refresh_schedule = "rate(1 hour)"
  }

  assert {
    condition     = !local.is_flex
    error_message = "Who looks every hour does not wait for workers."
  }
}

run "mistakes" {
  command = plan

  variables {
    region             = "Frankfurt"
    shop_origins       = ["http://shop.example"]
    alert_email        = "owner"
    environment        = "Production!"
    build_folder       = "nowhere"
    shop_time_zone     = "CET+1"
    shop_currency      = "Euro"
    unknown_consent    = "maybe"
    late_limit_days    = 0
    replica_region     = "Dublin"
    refresh_schedule   = "rate(1 minute)"
    generator_schedule = "often"
    log_retention_days = 31
  }

  expect_failures = [
    var.region,
    var.shop_origins,
    var.alert_email,
    var.environment,
    var.build_folder,
    var.shop_time_zone,
    var.shop_currency,
    var.unknown_consent,
    var.late_limit_days,
    var.replica_region,
    var.refresh_schedule,
    var.generator_schedule,
    var.log_retention_days,
  ]
}
