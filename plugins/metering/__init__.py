"""What the DAGs share. `assets`, `operators` and `triggers` import Airflow; everything else is plain functions."""
