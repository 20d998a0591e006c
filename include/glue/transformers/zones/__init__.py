"""What the Glue jobs share: schemas, settings of the session, reading a delivery, writing partitions and summaries."""
