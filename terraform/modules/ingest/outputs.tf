output "api" {
  description = "The HTTP API: id, execution_arn, for other modules' routes."
  value       = local.api
}

output "api_endpoint" {
  description = "Address of the API, without a path."
  value       = aws_apigatewayv2_api.events.api_endpoint
}

output "authorizer_id" {
  description = "Id of the JWT authorizer."
  value       = aws_apigatewayv2_authorizer.user.id
}

output "layer_arn" {
  description = "ARN of the layer of third-party packages."
  value       = aws_lambda_layer_version.packages.arn
}

output "function_name" {
  description = "Name of the ingest function."
  value       = module.ingest.name
}

output "generator" {
  description = "Name of the generator function; null where there is none."
  value       = one(module.generator[*].name)
}

output "edge_secret" {
  description = "What the edge proves itself with."
  value       = aws_ssm_parameter.edge_secret.value
  sensitive   = true
}

output "queue_names" {
  description = "Names of the buffer and of its dead letters."
  value = {
    buffer       = aws_sqs_queue.buffer.name
    dead_letters = aws_sqs_queue.dead_letters.name
  }
}
