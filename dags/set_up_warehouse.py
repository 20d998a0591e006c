"""
# Set up the warehouse

## Purpose
Creates the tables of the Redshift warehouse: `daily`, `aggregated_daily`, `aggregated_weekly`, `aggregated_monthly`,
`geo_data`, `cis_data`, and `load_turn`, which loads lock to take turns.

## When it runs
Once, by itself, as soon as it is not paused; by hand at any time. It creates what is missing and changes nothing that
exists. A table whose definition changed has to be migrated by hand.
`cis_data` holds personal data: only the master user reads it, and whom that user grants it by name.

## Reads
The files `include/sql/redshift/create_*.sql` and `include/sql/redshift/revoke_*.sql`.

## Writes
Empty tables in the schema `public` of the warehouse, all or none of them (one transaction).

## Parameters
None.

## On failure
Nothing was created. The log of `create_tables` ends with Redshift's message. Most often the cluster is paused or still
being made, or the secret does not fit the master user: mend that and clear the task. Loads fail until this DAG has
succeeded once; clear them afterwards.
"""

from airflow.sdk import dag
from metering import warehouse
from metering.defaults import DAG_OPTIONS
from metering.operators import RedshiftTransactionOperator


@dag(schedule="@once", tags=["warehouse"], doc_md=__doc__, **DAG_OPTIONS)
def set_up_warehouse():
    RedshiftTransactionOperator(task_id="create_tables", sql=warehouse.CREATE_TABLES, **warehouse.TRANSACTION)


set_up_warehouse()
