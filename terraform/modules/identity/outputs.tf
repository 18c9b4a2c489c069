output "user_pool" {
  description = "Issuer and client of the tokens, as the API's authorizer wants them."
  value = {
    issuer    = "https://${aws_cognito_user_pool.users.endpoint}"
    client_id = aws_cognito_user_pool_client.browser.id
  }
}

output "user_pool_id" {
  description = "Id of the user pool."
  value       = aws_cognito_user_pool.users.id
}

output "sign_in_url" {
  description = "Address of Cognito's sign-in pages."
  value       = "https://${aws_cognito_user_pool_domain.users.domain}.auth.${data.aws_region.current.name}.amazoncognito.com"
}

output "function_name" {
  description = "Name of the admin function."
  value       = module.admin.name
}
