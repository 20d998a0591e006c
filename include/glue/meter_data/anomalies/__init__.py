"""Which days of a meter are unusual. Arrays of meters by days; tests and benchmarks call it directly."""
