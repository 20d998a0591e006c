"""Readers judge the texts of meter files: which rows are readings, and why the others are not."""
