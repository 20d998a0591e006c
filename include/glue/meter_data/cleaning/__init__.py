"""From meter files to the clean zone: readings, rejects, and files that are set aside. The room of raw_to_clean."""
