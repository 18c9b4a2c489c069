# Who may sign in, and what administrators may ask for.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  administrators = "administrators"

  # Where signing in and out leads back to.
  pages    = concat([for origin in var.site_origins : "${origin}/report/"], [for origin in var.shop_origins : "${origin}/"])
  callable = [for name in [var.gate_name, var.generator_name] : "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:function:${name}" if name != null]
}

resource "aws_cognito_user_pool" "users" {
  name                     = "${var.name}-users"
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = "OPTIONAL"

  username_configuration {
    case_sensitive = false
  }

  software_token_mfa_configuration {
    enabled = true
  }

  admin_create_user_config {
    allow_admin_create_user_only = !var.allows_sign_up
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = false
    temporary_password_validity_days = 7
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
}

resource "aws_cognito_user_pool_domain" "users" {
  domain       = var.domain_prefix
  user_pool_id = aws_cognito_user_pool.users.id
}

resource "aws_cognito_user_pool_client" "browser" {
  name                                 = "${var.name}-browser"
  user_pool_id                         = aws_cognito_user_pool.users.id
  generate_secret                      = false # a browser can keep none
  prevent_user_existence_errors        = "ENABLED"
  supported_identity_providers         = ["COGNITO"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "email"]
  explicit_auth_flows                  = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  callback_urls                        = local.pages
  logout_urls                          = local.pages
  access_token_validity                = 1
  id_token_validity                    = 1
  refresh_token_validity               = 1

  token_validity_units {
    access_token  = "hours"
    id_token      = "hours"
    refresh_token = "days"
  }
}

resource "aws_cognito_user_group" "administrators" {
  name         = local.administrators
  description  = "May refresh, generate and read the report"
  user_pool_id = aws_cognito_user_pool.users.id
}

resource "aws_cognito_user" "administrator" {
  user_pool_id             = aws_cognito_user_pool.users.id
  username                 = var.administrator_email
  desired_delivery_mediums = ["EMAIL"]

  attributes = {
    email          = var.administrator_email
    email_verified = "true"
  }
}

resource "aws_cognito_user_in_group" "administrator" {
  user_pool_id = aws_cognito_user_pool.users.id
  group_name   = aws_cognito_user_group.administrators.name
  username     = aws_cognito_user.administrator.username
}

module "admin" {
  source = "../function"

  name               = "${var.name}-admin"
  description        = "What administrators ask for: refresh now, generate, the report"
  package            = "${var.build_folder}/admin.zip"
  handler            = "lambdas.admin.handler.lambda_handler"
  timeout_seconds    = 29
  log_retention_days = var.log_retention_days

  api           = var.api
  authorizer_id = var.authorizer_id
  routes = {
    "POST /v1/admin/refresh"  = { is_verified = true }
    "POST /v1/admin/generate" = { is_verified = true }
    "GET /v1/admin/report"    = { is_verified = true }
  }

  environment = merge(
    {
      LAKE_BUCKET   = var.bucket_name
      GATE_FUNCTION = var.gate_name
      ADMIN_GROUP   = local.administrators
    },
    { for name in var.generator_name[*] : "GENERATOR_FUNCTION" => name },
  )

  statements = [
    { actions = ["lambda:InvokeFunction"], resources = local.callable },
    { actions = ["s3:GetObject"], resources = ["${var.bucket_arn}/state/report.html"] },
    # To tell a report that is not there yet from one that must not be read.
    {
      actions   = ["s3:ListBucket"]
      resources = [var.bucket_arn]
      condition = { StringEquals = { "s3:prefix" = ["state/report.html"] } }
    },
  ]
}
