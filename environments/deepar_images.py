"""Write where the image of DeepAR lies in each Region, as the SageMaker SDK knows it:

    .venv-tools/bin/python -m environments.deepar_images

The DAGs cannot ask the SDK: it and Airflow cannot be installed together. Run it again when SageMaker comes to a new
Region and the SDK in environments/tools.in knows it.
"""

from __future__ import annotations

import json
from importlib import metadata, resources
from pathlib import Path

from sagemaker import image_uris  # noqa: TID253 (it is what .venv-tools is for)

PATH = Path(__file__).resolve().parents[1] / "plugins" / "metering" / "deepar_images.py"
FRAMEWORK = "forecasting-deepar"
VERSION = "1"

HEADER = f'''\
"""Where the image of DeepAR ({FRAMEWORK}:{VERSION}) lies, by Region.

Generated from the SageMaker SDK {metadata.version("sagemaker")} by `python -m environments.deepar_images`; do not edit.
"""

IMAGES = {{
'''


def regions() -> list[str]:
    """The Regions in which the SDK knows DeepAR."""
    text = resources.files("sagemaker.image_uri_config").joinpath(f"{FRAMEWORK}.json").read_text(encoding="utf-8")
    return sorted(json.loads(text)["versions"][VERSION]["registries"])


def generate() -> str:
    """The text of the module."""
    images = {region: image_uris.retrieve(FRAMEWORK, region=region, version=VERSION) for region in regions()}
    return HEADER + "".join(f'    "{region}": "{uri}",\n' for region, uri in images.items()) + "}\n"


if __name__ == "__main__":
    PATH.write_text(generate(), encoding="utf-8")
