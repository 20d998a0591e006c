"""What the DAGs share: plain functions. `assets` and `operators` import Airflow, `clients` and `alerts` when called."""
