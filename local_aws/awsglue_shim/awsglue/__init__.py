"""The part of AWS Glue's Python library that the jobs use, for Spark on one machine. It is on the path of jobs only."""
