# Identity: a pool for customers and administrators, and routes for the latter alone.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                = "clicklake-test"
  domain_prefix       = "clicklake-test"
  administrator_email = "owner@shop.example"
  shop_origins        = ["https://shop.example"]
  site_origins        = ["https://site.example", "https://www.site.example"]
  build_folder        = "../build"
  api                 = { id = "api", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:api" }
  authorizer_id       = "authorizer"
  bucket_name         = "clicklake-test-lake"
  bucket_arn          = "arn:aws:s3:::clicklake-test-lake"
  gate_name           = "clicklake-test-gate"
  log_retention_days  = 7
}

run "defaults" {
  command = plan

  module {
    source = "./modules/identity"
  }

  assert {
    condition     = !aws_cognito_user_pool_client.browser.generate_secret && aws_cognito_user_pool_client.browser.allowed_oauth_flows == toset(["code"])
    error_message = "A browser keeps no secret: it signs in by code, with PKCE."
  }

  assert {
    condition     = aws_cognito_user_pool_client.browser.callback_urls == toset(["https://site.example/report/", "https://www.site.example/report/", "https://shop.example/"])
    error_message = "After signing in one comes back to the report or to the shop, nowhere else."
  }

  assert {
    condition     = aws_cognito_user_in_group.administrator.group_name == "administrators"
    error_message = "The address for alerts is the first administrator."
  }

  assert {
    condition     = length(local.callable) == 1
    error_message = "Without a generator there is none to call."
  }
}

run "by_invitation_only" {
  command = plan

  module {
    source = "./modules/identity"
  }

  variables {
    allows_sign_up = false
    generator_name = "clicklake-test-generator"
  }

  assert {
    condition     = aws_cognito_user_pool.users.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "Customers are invited."
  }

  assert {
    condition     = length(local.callable) == 2
    error_message = "Administrators may call gate and generator."
  }
}
