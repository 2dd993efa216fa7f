"""The published schema of results: `python -m edgemat.bench.schema > docs/result-schema.json`."""

from __future__ import annotations

import json

from edgemat.bench.result import Result


def schema_text() -> str:
    """Return the content of ``docs/result-schema.json``; a new kind of device changes nothing."""
    return json.dumps(Result.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
