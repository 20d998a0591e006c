"""From the clean zone to the business zone: one winner for each reading. The room of clean_to_business."""
