"""Sums of days, weeks and months, and how complete days are. The room of aggregate_consumption."""
