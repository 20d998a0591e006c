-- The role and the bucket belong to the deployment. All delivered files, from where they were delivered.
COPY cis_data_copied
FROM 's3://{{ var.json.metering.landing_bucket }}/reference/cisdata/'
IAM_ROLE '{{ var.json.metering.redshift_copy_role_arn }}'
FORMAT AS CSV
DELIMITER AS ';'
EMPTYASNULL
IGNOREBLANKLINES
