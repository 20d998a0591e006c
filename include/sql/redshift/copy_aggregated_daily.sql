-- The role and the bucket belong to the deployment; batch_of() makes nothing but digits, hex letters, T and hyphens.
-- What is copied stands in the manifest, as data.
COPY aggregated_daily_copied
FROM 's3://{{ var.json.metering.business_bucket }}/_manifests/{{ batch_of(dag_run) }}/aggregated_daily.json'
IAM_ROLE '{{ var.json.metering.redshift_copy_role_arn }}'
FORMAT AS PARQUET
MANIFEST
