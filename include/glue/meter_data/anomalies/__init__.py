"""Which days of a meter are unusual. Arrays and pandas, no Spark: tests and benchmarks call it directly."""
