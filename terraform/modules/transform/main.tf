# From raw objects to tables: the jobs, the gate that starts them, the report that follows.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  arn_tail  = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  glue_arns = {
    tables = [
      "arn:${local.partition}:glue:${local.arn_tail}:catalog",
      "arn:${local.partition}:glue:${local.arn_tail}:database/${var.database_name}",
      "arn:${local.partition}:glue:${local.arn_tail}:table/${var.database_name}/*",
    ]
    refresh = "arn:${local.partition}:glue:${local.arn_tail}:job/${local.job_names.refresh_lake}"
  }

  scripts   = concat(["refresh_lake"], var.maintenance_schedule == null ? [] : ["maintain_lake"])
  job_names = { for script in ["refresh_lake", "maintain_lake"] : script => "${var.name}-${replace(script, "_", "-")}" }
  code      = "reference/jobs"

  scheduled_class = var.job.is_flex ? "FLEX" : "STANDARD"

  # What both jobs do: read raw objects, write tables under the lease. Maintenance writes packs, too.
  job_statements = [
    {
      Sid       = "List"
      Effect    = "Allow"
      Action    = "s3:ListBucket"
      Resource  = var.bucket_arn
      Condition = { StringLike = { "s3:prefix" = ["raw/*", "processed/*", "results/*", "reference/*", "state/*"] } }
    },
    {
      Sid      = "ReadRawAndCode"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = [for prefix in ["raw", "processed", "reference"] : "${var.bucket_arn}/${prefix}/*"]
    },
    {
      # Iceberg deletes old metadata files, what a failed commit left behind, and what expired.
      Sid      = "WriteTables"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      Resource = "${var.bucket_arn}/results/*"
    },
    {
      Sid      = "LeaseAndJournal"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "${var.bucket_arn}/state/refresh_lake.*"
    },
    {
      Sid      = "Catalog"
      Effect   = "Allow"
      Action   = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable"]
      Resource = local.glue_arns.tables
    },
    {
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "arn:${local.partition}:logs:${local.arn_tail}:log-group:/aws-glue/*"
    },
  ]
  pack_statement = {
    Sid      = "WritePacks"
    Effect   = "Allow"
    Action   = "s3:PutObject"
    Resource = "${var.bucket_arn}/processed/*"
  }
  glue_may_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "glue.amazonaws.com" }
    }]
  })
}

# --- the jobs

resource "aws_s3_object" "script" {
  #checkov:skip=CKV_AWS_186:S3's own keys encrypt it, as all of the bucket.
  for_each = toset(local.scripts)

  bucket      = var.bucket_name
  key         = "${local.code}/${each.key}.py"
  source      = "${var.jobs_folder}/${each.key}.py"
  source_hash = filemd5("${var.jobs_folder}/${each.key}.py")
}

resource "aws_s3_object" "modules" {
  #checkov:skip=CKV_AWS_186:S3's own keys encrypt it, as all of the bucket.
  bucket      = var.bucket_name
  key         = "${local.code}/glue_jobs.zip"
  source      = "${var.build_folder}/glue_jobs.zip"
  source_hash = filemd5("${var.build_folder}/glue_jobs.zip")
}

resource "aws_glue_job" "this" {
  #checkov:skip=CKV_AWS_195:S3's own keys encrypt what the job writes; its log holds counts only.
  for_each = toset(local.scripts)

  name              = local.job_names[each.key]
  description       = { refresh_lake = "Raw objects to tables", maintain_lake = "Compacts tables and packs raw hours" }[each.key]
  role_arn          = each.key == "refresh_lake" ? aws_iam_role.job.arn : one(aws_iam_role.maintenance[*].arn)
  glue_version      = "5.1"
  worker_type       = "G.1X"
  number_of_workers = var.job.workers
  # Also of a refresh that somebody asks for, and waits for. Those on a schedule say for themselves.
  execution_class = each.key == "refresh_lake" ? "STANDARD" : local.scheduled_class
  timeout         = var.job.timeout_minutes
  max_retries     = var.job.retries

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "s3://${var.bucket_name}/${aws_s3_object.script[each.key].key}"
  }

  execution_property {
    max_concurrent_runs = 1
  }

  # Spark's settings are the job's own (glue_jobs/runtime.py), the same here and on a laptop.
  default_arguments = {
    "--datalake-formats" = "iceberg"
    "--extra-py-files"   = "s3://${var.bucket_name}/${aws_s3_object.modules.key}"
    "--region"           = data.aws_region.current.name
    "--lake_bucket"      = var.bucket_name
    "--database"         = var.database_name
    "--shop_time_zone"   = var.shop.time_zone
    "--shop_currency"    = var.shop.currency
    "--shop_hosts"       = join(",", var.shop.hosts)
    "--late_limit_days"  = tostring(var.late_limit_days)
  }
}

resource "aws_iam_role" "job" {
  name               = "${var.name}-job"
  assume_role_policy = local.glue_may_assume
}

resource "aws_iam_role_policy" "job" {
  name   = "${var.name}-job"
  role   = aws_iam_role.job.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.job_statements })
}

# --- the gate: a run with nothing new costs nothing, because it is not started

module "gate" {
  source = "../function"

  name               = "${var.name}-gate"
  description        = "Starts the refresh if something is new, and measures how far behind the lake is"
  package            = "${var.build_folder}/gate.zip"
  handler            = "lambdas.gate.handler.lambda_handler"
  timeout_seconds    = 120
  log_retention_days = var.log_retention_days
  schedule_group     = var.schedule_group

  schedules = {
    refresh = {
      expression = var.refresh_schedule
      time_zone  = var.shop.time_zone
      input      = { task = "refresh", execution_class = local.scheduled_class }
    }
    # Lists every raw object once a week, whatever the last runs believed to have seen.
    reconcile = {
      expression = "cron(30 2 ? * SUN *)"
      time_zone  = var.shop.time_zone
      input      = { task = "reconcile", execution_class = local.scheduled_class }
    }
    measure = { expression = "rate(1 hour)", input = { task = "measure" } }
  }

  environment = {
    LAKE_BUCKET       = var.bucket_name
    REFRESH_JOB       = local.job_names.refresh_lake
    METRICS_NAMESPACE = var.metrics_namespace
  }

  statements = [
    { actions = ["glue:StartJobRun", "glue:GetJobRuns"], resources = [local.glue_arns.refresh] },
    {
      actions   = ["s3:ListBucket"]
      resources = [var.bucket_arn]
      condition = { StringLike = { "s3:prefix" = ["raw/*", "state/gate.json"] } }
    },
    { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${var.bucket_arn}/state/gate.json"] },
  ]
}

# --- maintenance

resource "aws_iam_role" "maintenance" {
  count = var.maintenance_schedule == null ? 0 : 1

  name               = "${var.name}-maintenance"
  assume_role_policy = local.glue_may_assume
}

resource "aws_iam_role_policy" "maintenance" {
  count = var.maintenance_schedule == null ? 0 : 1

  name   = "${var.name}-maintenance"
  role   = aws_iam_role.maintenance[0].name
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.job_statements, [local.pack_statement]) })
}

resource "aws_glue_trigger" "maintenance" {
  count = var.maintenance_schedule == null ? 0 : 1

  name     = local.job_names.maintain_lake
  type     = "SCHEDULED"
  schedule = var.maintenance_schedule

  actions {
    job_name = aws_glue_job.this["maintain_lake"].name
  }
}

# --- the report, after each refresh that went well

data "aws_ssm_parameter" "report_layer" {
  count = var.report_layer_arn == null ? 1 : 0

  name = "/aws/service/aws-sdk-pandas/3.12.1/py3.13/arm64/layer-arn"
}

module "report" {
  source = "../function"

  name               = "${var.name}-report"
  description        = "Renders the report after a refresh"
  package            = "${var.build_folder}/report.zip"
  handler            = "lambdas.report.handler.lambda_handler"
  layers             = [coalesce(var.report_layer_arn, one(data.aws_ssm_parameter.report_layer[*].insecure_value))]
  memory_mb          = 1024
  timeout_seconds    = 300
  log_retention_days = var.log_retention_days

  environment = {
    LAKE_BUCKET       = var.bucket_name
    DATABASE          = var.database_name
    WORKGROUP         = var.workgroup_name
    METRICS_NAMESPACE = var.metrics_namespace
  }

  statements = [
    {
      # awswrangler asks for the results' first page, too: the columns' types are there.
      actions   = ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetWorkGroup"]
      resources = ["arn:${local.partition}:athena:${local.arn_tail}:workgroup/${var.workgroup_name}"]
    },
    { actions = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], resources = local.glue_arns.tables },
    { actions = ["glue:GetJobRun"], resources = [local.glue_arns.refresh] },
    { actions = ["s3:GetBucketLocation"], resources = [var.bucket_arn] },
    {
      actions   = ["s3:ListBucket"]
      resources = [var.bucket_arn]
      condition = { StringLike = { "s3:prefix" = ["results/*", "athena-results/*"] } }
    },
    { actions = ["s3:GetObject"], resources = ["${var.bucket_arn}/results/*", "${var.bucket_arn}/athena-results/*"] },
    {
      actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      resources = ["${var.bucket_arn}/athena-results/*", "${var.bucket_arn}/state/report.html"]
    },
  ]
}

resource "aws_cloudwatch_event_rule" "refreshed" {
  name        = "${var.name}-refreshed"
  description = "A refresh went well"
  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Job State Change"]
    detail      = { jobName = [local.job_names.refresh_lake], state = ["SUCCEEDED"] }
  })
}

resource "aws_cloudwatch_event_target" "report" {
  rule = aws_cloudwatch_event_rule.refreshed.name
  arn  = module.report.arn
}

resource "aws_lambda_permission" "report" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = module.report.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.refreshed.arn
}
