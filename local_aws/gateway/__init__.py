"""API Gateway HTTP API and the Lambda functions behind it: routes of infra/api.yaml, answered on the API port."""
