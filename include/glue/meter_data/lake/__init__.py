"""The zones of the data lake: their schemas, their files on S3, what the catalog publishes of them."""
