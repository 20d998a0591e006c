"""What the DAGs share: plain functions. `assets`, `operators`, `triggers` import Airflow, some functions when called."""
