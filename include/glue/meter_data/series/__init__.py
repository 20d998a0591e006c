"""Hourly and daily series of meters: what forecasts are trained on, made from, and judged by."""
