# A deployment to try things in: simulated visitors, short memory, gone with one command.
# Give region, shop_origins and alert_email here, or as TF_VAR_region, TF_VAR_shop_origins, TF_VAR_alert_email.

# region       = "eu-central-1"
# shop_origins = ["https://shop.example"]
# alert_email  = "owner@shop.example"

environment   = "dev"
database_name = "clickstream_dev_db"

generator_schedule = "rate(5 minutes)"
log_retention_days = 7
