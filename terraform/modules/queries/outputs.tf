output "names" {
  description = "Names of the saved queries."
  value       = sort(keys(aws_athena_named_query.saved))
}
