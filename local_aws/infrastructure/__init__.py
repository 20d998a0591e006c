"""Resources from infra/*.yaml: the templates that AWS CloudFormation deploys, carried out on the local stack."""
