# The questions people ask, ready in Athena's console.

locals {
  texts  = { for file in fileset(var.folder, "*.sql") : trimsuffix(file, ".sql") => file("${var.folder}/${file}") }
  titles = { for name, text in local.texts : name => trimprefix(split("\n", text)[0], "-- ") }
}

resource "aws_athena_named_query" "saved" {
  for_each = local.texts

  name        = each.key
  description = local.titles[each.key]
  workgroup   = var.workgroup_name
  database    = var.database_name
  query       = each.value
}
