"""AWS Glue's stand-in (catalog, crawlers, job runs) and CloudWatch Logs, where they write."""
