-- The role and the bucket belong to the deployment. The file is that of the table geodata, with each meter once, so
-- that it needs no staging: when the copy fails, the transaction brings the rows before back.
COPY geo_data
FROM 's3://{{ var.json.metering.business_bucket }}/geodata/geodata.tsv'
IAM_ROLE '{{ var.json.metering.redshift_copy_role_arn }}'
FORMAT AS CSV
DELIMITER AS '\t'
