"""What each type of resource in terraform/ costs: prices by their keys, or why there is none.

A test reads the types from the configuration: a new one needs its place here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Free:
    reason: str


_SETTING = Free("a setting of another resource")
_PERMISSION = Free("IAM and resource policies are not billed")

RESOURCES: dict[str, tuple[str, ...] | Free] = {
    "aws_apigatewayv2_api": ("api_requests",),
    "aws_apigatewayv2_authorizer": _SETTING,
    "aws_apigatewayv2_integration": _SETTING,
    "aws_apigatewayv2_route": _SETTING,
    "aws_apigatewayv2_stage": ("log_gb", "log_gb_months"),
    "aws_athena_named_query": Free("a saved text; running it is billed by the data it scans"),
    "aws_athena_workgroup": ("athena_tb",),
    "aws_budgets_budget": Free("budgets without actions are not billed"),
    "aws_cloudfront_cache_policy": _SETTING,
    "aws_cloudfront_distribution": ("cloudfront_requests", "cloudfront_gb"),
    "aws_cloudfront_function": ("cloudfront_function_calls",),
    "aws_cloudfront_origin_access_control": _SETTING,
    "aws_cloudwatch_dashboard": ("dashboards",),
    "aws_cloudwatch_event_rule": Free("events of AWS's own services on the default bus are not billed"),
    "aws_cloudwatch_event_target": Free("deliveries within the account are not billed"),
    "aws_cloudwatch_log_group": ("log_gb", "log_gb_months"),
    "aws_cloudwatch_metric_alarm": ("alarm_metrics", "custom_metrics"),
    "aws_cognito_user": ("cognito_users",),
    "aws_cognito_user_group": _SETTING,
    "aws_cognito_user_in_group": _SETTING,
    "aws_cognito_user_pool": ("cognito_users",),
    "aws_cognito_user_pool_client": Free("a client for people; only those for machines are billed"),
    "aws_cognito_user_pool_domain": Free("Cognito's own domain; one's own would need a certificate only"),
    "aws_glue_catalog_database": ("catalog_requests",),
    "aws_glue_job": ("glue_dpu_hours", "glue_flex_dpu_hours", "log_gb"),
    "aws_glue_trigger": Free("a schedule; what it starts is billed as the job"),
    "aws_iam_role": _PERMISSION,
    "aws_iam_role_policy": _PERMISSION,
    "aws_lambda_event_source_mapping": ("sqs_requests",),
    "aws_lambda_function": ("lambda_requests", "lambda_gb_seconds"),
    "aws_lambda_layer_version": Free("75 GB of code are free, and these are some megabytes"),
    "aws_lambda_permission": _PERMISSION,
    "aws_s3_bucket": ("s3_puts", "s3_gets", "s3_gb_months"),
    "aws_s3_bucket_lifecycle_configuration": Free("expiry is not billed, and objects below 128 KB are not moved"),
    "aws_s3_bucket_ownership_controls": _SETTING,
    "aws_s3_bucket_policy": _PERMISSION,
    "aws_s3_bucket_public_access_block": _SETTING,
    "aws_s3_bucket_replication_configuration": Free(
        "an option that the bill leaves out: it doubles requests and storage"
    ),
    "aws_s3_bucket_server_side_encryption_configuration": Free("S3's own keys are not billed"),
    "aws_s3_bucket_versioning": ("s3_gb_months",),
    "aws_s3_object": Free("a few files, put once a deployment"),
    "aws_scheduler_schedule": ("schedule_calls",),
    "aws_scheduler_schedule_group": _SETTING,
    "aws_sns_topic": ("sns_emails",),
    "aws_sns_topic_policy": _PERMISSION,
    "aws_sns_topic_subscription": ("sns_emails",),
    "aws_sqs_queue": ("sqs_requests",),
    "aws_ssm_parameter": ("kms_requests",),
    "aws_wafv2_web_acl": ("firewall_lists", "firewall_rules", "firewall_requests"),
}
