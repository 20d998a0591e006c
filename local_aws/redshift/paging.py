"""Tokens of pages: opaque to the caller, bound to the list or result they belong to."""

from __future__ import annotations

import base64
import binascii

from local_aws.service import ServiceError


def encode_page(subject: str, place: int) -> str:
    return base64.urlsafe_b64encode(f"{subject}|{place}".encode()).decode()


def decode_page(token: str, subject: str) -> int:
    """The place that a token stands for. Raises ServiceError when it is none of this subject's."""
    try:
        named, _, place = base64.urlsafe_b64decode(token).decode().rpartition("|")
        if named == subject:
            return int(place)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise ServiceError("ValidationException", "Invalid pagination token.")
