"""Print the API key of the local platform: curl -H "x-api-key: $(make -s api-key)" …"""

from __future__ import annotations

import json

from demo.__main__ import aws_clients
from local_aws.settings import Settings

if __name__ == "__main__":
    secret = aws_clients(Settings.from_environment())("secretsmanager").get_secret_value(SecretId="metering/api-key")
    print(json.loads(secret["SecretString"])["api_key"])
