-- The role and the bucket belong to the deployment; plan_load writes the file.
COPY batches_copied
FROM 's3://{{ var.json.metering.business_bucket }}/_manifests/{{ batch_of(dag_run) }}/batches.csv'
IAM_ROLE '{{ var.json.metering.redshift_copy_role_arn }}'
FORMAT AS CSV
