"""SageMaker on this machine: training, tuning, transform jobs, models, endpoints. The algorithm itself is in deepar."""
