"""Croissant: the description of a bundle that search engines for datasets read.

MLCommons Croissant 1.0, which is JSON-LD on schema.org: https://docs.mlcommons.org/croissant
"""

import json
from collections.abc import Mapping
from typing import Any

from .bundle_layout import CONFIG, INPUTS, README, WEIGHTS
from .manifest import About, sha256_of

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_PUBLISHED = "2026-11-23"
"""Of this form of bundles; a date of its own would make the same task other bytes each day."""

_FORMATS = {
    README: "text/markdown",
    CONFIG: "application/json",
    WEIGHTS: "application/octet-stream",
    INPUTS: "application/octet-stream",
}


def croissant(about: About, files: Mapping[str, bytes]) -> str:
    """Return the Croissant record of a task.

    Args:
        about: the task.
        files: the public files of its bundle.
    """
    record: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": about.id,
        "description": about.description,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "citeAs": about.citation,
        "creator": {"@type": "sc:Organization", "name": "Glassbench"},
        "license": f"https://spdx.org/licenses/{about.licence}",
        "url": README,
        "datePublished": _PUBLISHED,
        "isLiveDataset": False,
        "keywords": ["interpretability", "mechanistic interpretability", "RASP", "transformer"],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": name,
                "contentSize": f"{len(files[name])} B",
                "encodingFormat": media_type,
                "sha256": sha256_of(files[name]),
            }
            for name, media_type in _FORMATS.items()
        ],
        "recordSet": [],
    }
    return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
