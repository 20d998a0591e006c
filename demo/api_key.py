"""Print the API key of the local platform: curl -H "x-api-key: $(make -s api-key)" …"""

from __future__ import annotations

import json
import sys

from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from demo.__main__ import aws_clients
from local_aws.settings import Settings, SettingsError


def main() -> int:
    try:
        once = Config(retries={"total_max_attempts": 1})
        secrets = aws_clients(Settings.from_environment())("secretsmanager", config=once)
        secret = secrets.get_secret_value(SecretId="metering/api-key")
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except EndpointConnectionError:
        print("The platform does not run. Start it: make up", file=sys.stderr)
        return 1
    print(json.loads(secret["SecretString"])["api_key"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
