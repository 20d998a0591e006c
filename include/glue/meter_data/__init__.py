"""Meter files as Arrow columns: what the Glue jobs need to turn files into tables without Spark.

`meter_files` cuts files into lines and columns of text and knows nothing about meters. `readers` know the layouts of
meter files and judge their rows. Imports go from `readers` to `meter_files`, never back.
"""
