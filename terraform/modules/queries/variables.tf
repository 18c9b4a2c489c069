variable "folder" {
  description = "Folder of the saved queries: a file each, whose first line is `-- Title: description`."
  type        = string
}

variable "database_name" {
  description = "Name of the Glue database the queries are for."
  type        = string
}

variable "workgroup_name" {
  description = "Name of the Athena workgroup that keeps them."
  type        = string
}
