"""The published schema of results: `python -m edgemat.bench.schema > docs/result-schema.json`."""

from __future__ import annotations

import json

from edgemat.bench.devices import transports
from edgemat.bench.result import Result


def schema_text() -> str:
    """Return the content of ``docs/result-schema.json``: the record, with all ways to a device."""
    schema = Result.model_json_schema()
    transport = schema["$defs"]["Circumstances"]["properties"]["transport"]
    title = transport["title"]
    transport.clear()
    transport |= {
        "enum": [one.word for one in transports.TRANSPORTS],
        "title": title,
        "type": "string",
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
