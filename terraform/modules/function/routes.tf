# The function behind routes of the HTTP API.

locals {
  has_routes = length(var.routes) > 0
}

resource "aws_apigatewayv2_integration" "this" {
  count = local.has_routes ? 1 : 0

  api_id                 = var.api.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:A browser's beacon cannot carry a token: the anonymous route is open, throttled, and looks at the origin.
  for_each = var.routes

  api_id             = var.api.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[0].id}"
  authorization_type = each.value.is_verified ? "JWT" : "NONE"
  authorizer_id      = each.value.is_verified ? var.authorizer_id : null
}

resource "aws_lambda_permission" "api" {
  count = local.has_routes ? 1 : 0

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${var.api.execution_arn}/*/*"
}
