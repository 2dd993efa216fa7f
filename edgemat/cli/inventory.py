"""`edgemat models` and `doctor`: which networks there are, and what this machine can do."""

from __future__ import annotations

from edgemat.cli import tables
from edgemat.terminal import AsJson, out, print_json


def models(as_json: AsJson = False) -> None:
    """List the networks, with the thesis' figures, classical methods, and what packages list."""
    from edgemat.matting.classical import METHODS
    from edgemat.models import list_models
    from edgemat.models.adopted.opening import listed_networks
    from edgemat.models.count import count_operations, count_parameters, on_paper
    from edgemat.progress import track

    rows: list[dict[str, object]] = []
    for info in track(list_models(), "counting"):
        network, thesis = on_paper(info.name), info.thesis
        operations = count_operations(network, (info.in_channels, 224, 224))
        rows.append(
            {
                "name": info.name,
                "chapter": None if thesis is None else thesis.chapter,
                "table": None if thesis is None else thesis.table,
                "task": info.task,
                "input_channels": info.in_channels,
                "parameters": count_parameters(network),
                "thesis_parameters_millions": None if thesis is None else thesis.parameters,
                "operations_thesis_convention": operations.thesis,
                "thesis_operations": None if thesis is None else thesis.operations,
                "macs_billions": operations.macs,
                "deploys": info.why_not is None,
                "why_not": info.why_not,
                "note": info.note,
            }
        )
    rows += [_classical(method) for method in METHODS]
    rows += [_listed(name, factory) for name, factory in listed_networks().items()]
    if as_json:
        print_json(rows)
    else:
        tables.show_models(out, rows)


def _classical(method: str) -> dict[str, object]:
    """Return the row of a method that has nothing to learn or to count."""
    return {
        "name": method,
        "chapter": None,
        "table": None,
        "task": "trimap",
        "input_channels": 4,
        "parameters": 0,
        "thesis_parameters_millions": None,
        "operations_thesis_convention": None,
        "thesis_operations": None,
        "macs_billions": None,
        "deploys": False,
        "why_not": "It solves a linear system for each picture.",
        "note": f"edgemat matte PHOTO --trimap TRIMAP --model {method}",
    }


def _listed(name: str, factory: str) -> dict[str, object]:
    """Return the row of a network that another package lists; nothing of its code is run."""
    return dict.fromkeys(_classical(name)) | {
        "name": name,
        "task": "adopted",
        "deploys": True,
        "note": f"{factory}: edgemat adopt {name} --size HEIGHT WIDTH",
    }


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can and cannot do, and how to get it."""
    from edgemat.doctor import examine

    findings = examine()
    if as_json:
        print_json([finding.to_json() for finding in findings])
    else:
        tables.show_findings(out, findings)
