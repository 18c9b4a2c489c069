# The shop's own deployment: real visitors only.
# Give region, shop_origins and alert_email here, or as TF_VAR_region, TF_VAR_shop_origins, TF_VAR_alert_email.

# region       = "eu-central-1"
# shop_origins = ["https://shop.example"]
# alert_email  = "owner@shop.example"

environment   = "prod"
database_name = "clickstream_db"

generator_schedule   = null
maintenance_schedule = "cron(0 3 ? * SUN *)"
log_retention_days   = 90
