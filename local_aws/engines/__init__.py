"""The processes that do the work: SeaweedFS, PostgreSQL, the control plane, Airflow."""
