"""AWS_IAM authorization: is a request signed (Signature Version 4, service execute-api) with the stack's own key?"""

from __future__ import annotations

import hmac
import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local_aws.gateway.events import HttpRequest
from local_aws.settings import Settings

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>\d{8}/[^/]+/execute-api/aws4_request),\s*"
    r"SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


def is_signed(request: HttpRequest, settings: Settings) -> bool:
    """Whether the signature is right for the settings' access key; botocore computes it anew."""
    found = _AUTHORIZATION.fullmatch(request.header("authorization") or "")
    moment = request.header("x-amz-date")
    if found is None or moment is None or found["key"] != settings.access_key:
        return False
    names = found["headers"].split(";")
    if not {"host", "x-amz-date"} <= set(names):
        return False
    host = request.header("host") or ""
    url = f"http://{host}{request.raw_path}" + (f"?{request.raw_query}" if request.raw_query else "")
    signed = AWSRequest(request.method, url, data=request.body)
    for name in names:
        signed.headers[name] = request.header(name) or ""
    signed.context["timestamp"] = moment
    signer = SigV4Auth(Credentials(settings.access_key, settings.secret_key), "execute-api", settings.region)
    signature = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    return hmac.compare_digest(signature, found["signature"])
