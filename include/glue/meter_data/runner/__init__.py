"""How a job works through its items: in its own process, or spread over the workers of Spark."""
