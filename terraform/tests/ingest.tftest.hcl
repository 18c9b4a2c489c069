# Ingest: who may send, what the function may do, what happens while S3 is away.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "clicklake-test"
  build_folder       = "../build"
  bucket_name        = "clicklake-test-lake"
  bucket_arn         = "arn:aws:s3:::clicklake-test-lake"
  shop_origins       = ["https://shop.example", "https://www.shop.example"]
  site_origins       = ["https://site.example", "https://www.site.example"]
  user_pool          = { issuer = "https://cognito.example/pool", client_id = "client" }
  schedule_group     = "clicklake-test"
  metrics_namespace  = "Clicklake/test"
  log_retention_days = 7
  secret_names       = { hash_keys = "/t/hash-keys", edge_secret = "/t/edge-secret", server_key = "/t/server-key" }
}

run "defaults" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  assert {
    condition     = aws_apigatewayv2_api.events.cors_configuration[0].allow_origins == toset(["https://shop.example", "https://www.shop.example"])
    error_message = "Browsers may send from the shop's origins, and from no other."
  }

  assert {
    condition     = join(" ", local.allowed_origins) == "https://shop.example https://www.shop.example https://site.example https://www.site.example"
    error_message = "The function takes events from pages of the shop and of every name of the site."
  }

  assert {
    condition     = aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 200 && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_burst_limit == 500
    error_message = "The API is throttled."
  }

  assert {
    condition     = !can(regex("(?i)sourceIp|userAgent|claims|header|identity", aws_apigatewayv2_stage.default.access_log_settings[0].format))
    error_message = "The access log tells of nobody."
  }

  assert {
    condition     = aws_sqs_queue.buffer.visibility_timeout_seconds >= 6 * local.drain_seconds && aws_sqs_queue.buffer.message_retention_seconds == 1209600
    error_message = "A batch waits for two weeks, hidden for six times as long as the drain may take."
  }

  assert {
    condition     = local.drain_tries * aws_sqs_queue.buffer.visibility_timeout_seconds == 86400 && local.drain_tries <= 1000
    error_message = "A batch is tried for a day before it is left to a person; SQS counts to a thousand."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.drain.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One bad message does not send its batch back."
  }

  assert {
    condition     = length(module.generator) == 0
    error_message = "Without a schedule there are no simulated visitors."
  }
}

run "with_a_generator" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  variables {
    generator_schedule = "rate(5 minutes)"
  }

  assert {
    condition     = length(module.generator) == 1
    error_message = "With a schedule there are."
  }
}

run "mistakes" {
  command = plan

  module {
    source = "./modules/ingest"
  }

  variables {
    throttle                  = { rate = 100, burst = 10 }
    memory_mb                 = 128
    unknown_consent           = "yes"
    generator_events_per_call = 30
  }

  expect_failures = [
    var.throttle,
    var.memory_mb,
    var.unknown_consent,
    var.generator_events_per_call,
  ]
}
