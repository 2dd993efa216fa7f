"""Artefacts: what they are called, that they are whole, and what is said when they are not."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemat.artifacts.artifact import (
    Agreement,
    Artifact,
    Calibration,
    Card,
    Cost,
    Feeding,
    Manifest,
    MattingErrors,
    Origin,
)
from edgemat.artifacts.draft import Draft, draft_child, git_state, tool_versions, write_artifact
from edgemat.errors import ArtifactError, DiskError
from edgemat.files import sha256_file

FIELDS: dict[str, Any] = {
    "name": "tiny",
    "kind": "float",
    "architecture": "pspm-b5",
    "config": {"width": 0.35},
    "task": "portrait",
    "feeding": Feeding(layout="NCHW", height=64, width=96, channels=3, stride=16),
    "parent": None,
    "seed": 1,
    "cost": Cost(parameters=10, macs=0.25),
    "demonstration": True,
    "licence": "Apache-2.0",
    "data_notice": "none",
}
PAYLOAD = "weights.safetensors"
ERRORS = MattingErrors(sad=1.5, mse=0.25, grad=2.0, conn=1.0)
AGREEMENT = Agreement(
    reference="float", runtime="torch", max_abs=0.5, mean_abs=0.1, psnr_db=40.0, images=2
)


def fill_with(content: bytes = b"payload") -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        (folder / PAYLOAD).write_bytes(content)

    return fill


def make(shelf: Path, content: bytes = b"payload", **changes: Any) -> Artifact:
    return write_artifact(shelf, fill_with(content), Draft(payload=PAYLOAD, **FIELDS | changes))


# Writing and reading


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = make(tmp_path, scores={"unknown": ERRORS}, agreements=(AGREEMENT,))
    read = Artifact(written.path)
    assert read.manifest == written.manifest
    assert read.manifest.scores["unknown"] == ERRORS
    assert read.manifest.config == {"width": 0.35}
    assert read.payload.read_bytes() == b"payload"
    assert read.manifest.payload_bytes == 7
    assert read.manifest.payload_sha256 == sha256_file(read.payload)
    assert written.path.name == f"tiny@{read.manifest.identity[:8]}"
    assert [p.name for p in tmp_path.iterdir()] == [written.path.name]


def test_a_draft_has_the_fields_of_a_manifest_that_are_not_read_off_the_payload() -> None:
    read_off = {"schema_version", "tools", "git", "seal"}
    read_off |= {"payload_sha256", "payload_bytes", "files"}
    drafted = {field.name: field for field in dataclasses.fields(Draft)}
    assert set(drafted) == set(Manifest.model_fields) - read_off | {"made_with"}
    draft = vars(Draft(payload=PAYLOAD, **FIELDS))
    for name, field in Manifest.model_fields.items():
        if name in drafted and not field.is_required() and name not in FIELDS:
            assert draft[name] == field.default, name


def test_a_child_inherits_what_is_true_of_it(tmp_path: Path) -> None:
    card = Card(purpose="hair", data="drawn", limits="all")
    parent = make(tmp_path, card=card, zeros=0.5, scores={"unknown": ERRORS}, kind="float")
    draft = draft_child(parent)
    assert draft.parent == parent.manifest.payload_sha256
    assert (draft.card, draft.zeros, draft.seed) == (card, 0.5, 1)
    assert draft.config == {"width": 0.35} and draft.scores == {}, "what is measured is not"


def test_a_payload_may_be_a_folder(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "model.mlpackage" / "Data").mkdir(parents=True)
        (folder / "model.mlpackage" / "Data" / "weight.bin").write_bytes(b"12345")

    draft = Draft(payload="model.mlpackage", **FIELDS | {"kind": "coreml"})
    made = write_artifact(tmp_path, fill, draft)
    assert made.manifest.payload_bytes == 5
    Artifact(made.path).check()
    (made.payload / "Data" / "weight.bin").rename(made.payload / "Data" / "weights.bin")
    with pytest.raises(ArtifactError, match="damaged"):
        Artifact(made.path)


def test_the_same_content_has_one_place_and_mends_a_damaged_one(tmp_path: Path) -> None:
    first = make(tmp_path)
    first.payload.write_bytes(b"broken")
    second = make(tmp_path)
    assert second.path == first.path
    Artifact(second.path).check()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt()])
def test_a_fill_that_fails_leaves_nothing(tmp_path: Path, failure: BaseException) -> None:
    def fill(folder: Path) -> None:
        fill_with()(folder)
        raise failure

    with pytest.raises(type(failure)):
        write_artifact(tmp_path, fill, Draft(payload=PAYLOAD, **FIELDS))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskError, match="disk is full"):
        write_artifact(tmp_path, fill, Draft(payload=PAYLOAD, **FIELDS))
    assert list(tmp_path.iterdir()) == []


def test_model_names_survive_quantization_and_conversion() -> None:
    def manifest(name: str, target: str | None) -> Manifest:
        hashes = {"payload": "p", "payload_sha256": "0", "payload_bytes": 1}
        return Manifest(**FIELDS | hashes | {"name": name, "target": target})

    assert manifest("hair-net", None).model == "hair-net"
    assert manifest("hair-net-quantized", None).model == "hair-net"
    assert manifest("hair-net-tflite-int8", "tflite-int8").model == "hair-net"


def test_tools_and_git_are_written_down(tmp_path: Path) -> None:
    made = make(tmp_path)
    assert made.manifest.tools == tool_versions()
    assert made.manifest.tools["numpy"][0].isdigit()
    assert made.manifest.git == git_state()


# Identity


def rewritten(artifact: Artifact, **changes: Any) -> Manifest:
    return artifact.manifest.model_copy(update=changes)


@pytest.mark.parametrize(
    "measured",
    [
        {"scores": {"whole": ERRORS}},
        {"agreements": (AGREEMENT,)},
        {"tools": {"python": "3.99"}},
        {"git": "0" * 40},
    ],
)
def test_identity_ignores_what_was_measured(tmp_path: Path, measured: dict[str, Any]) -> None:
    made = make(tmp_path)
    assert rewritten(made, **measured).identity == made.manifest.identity


@pytest.mark.parametrize(
    "change",
    [
        {"payload_sha256": "0" * 64},
        {"config": {"width": 0.5}},
        {"config": {}},
        {"architecture": "indexnet-m2o-nlc"},
        {"parent": "0" * 64},
        {"seed": 2},
        {"target": "tflite-int8"},
        {"licence": "MIT"},
        {"demonstration": False},
        {"recipe_sha256": "0" * 64},
        {"calibration": Calibration(count=8, seed=1, sha256="0" * 64)},
        {"origin": Origin(file="a.pth", sha256="0" * 64, bytes=3, family="dim")},
        {"feeding": FIELDS["feeding"].model_copy(update={"fit": "resize"})},
    ],
)
def test_identity_depends_on_what_the_artifact_is(tmp_path: Path, change: dict[str, Any]) -> None:
    made = make(tmp_path)
    assert rewritten(made, **change).identity != made.manifest.identity


def test_identity_depends_on_the_payload(tmp_path: Path) -> None:
    one, two = make(tmp_path), make(tmp_path, b"another")
    assert one.manifest.identity != two.manifest.identity
    assert one.path != two.path


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(st.integers(-(2**53), 2**53), FLOATS, st.booleans(), st.text(), st.none())
CONFIGS = st.dictionaries(st.text(min_size=1), st.one_of(VALUES, st.lists(VALUES, max_size=3)))


@given(config=CONFIGS, macs=FLOATS, parameters=st.integers(0, 10**12), notice=st.text())
def test_identity_survives_json(
    config: dict[str, Any], macs: float, parameters: int, notice: str
) -> None:
    manifest = Manifest(
        payload=PAYLOAD,
        payload_sha256="0" * 64,
        payload_bytes=1,
        **FIELDS
        | {
            "config": config,
            "cost": Cost(parameters=parameters, macs=macs),
            "data_notice": notice,
        },
    )
    again = Manifest.model_validate_json(manifest.model_dump_json(indent=2))
    assert again == manifest
    assert again.identity == manifest.identity


# What is not an artefact


def test_a_damaged_payload_is_named_with_both_hashes(tmp_path: Path) -> None:
    made = make(tmp_path)
    made.payload.write_bytes(b"payloae")
    with pytest.raises(ArtifactError, match="damaged") as caught:
        Artifact(made.path)
    assert made.manifest.payload_sha256[:12] in caught.value.message
    assert sha256_file(made.payload)[:12] in caught.value.message
    assert PAYLOAD in caught.value.message
    assert caught.value.exit_code == 2
    assert Artifact(made.path, check=False).manifest == made.manifest


def test_a_payload_whose_hash_begins_alike_is_damaged(tmp_path: Path) -> None:
    made = make(tmp_path)
    expected = made.manifest.payload_sha256
    contents = (str(number).encode() for number in range(100_000))
    alike = next(c for c in contents if hashlib.sha256(c).hexdigest()[:3] == expected[:3])
    made.payload.write_bytes(alike)
    with pytest.raises(ArtifactError, match="damaged"):
        Artifact(made.path)


def test_a_missing_payload_is_named(tmp_path: Path) -> None:
    made = make(tmp_path)
    made.payload.unlink()
    with pytest.raises(ArtifactError, match=f"has no payload {PAYLOAD}"):
        Artifact(made.path)


def test_a_folder_without_manifest_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"not an artefact: it has no manifest\.json"):
        Artifact(tmp_path)
    with pytest.raises(ArtifactError, match="not an artefact"):
        Artifact(tmp_path / "nowhere")


def test_a_file_is_no_artifact(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="not an artefact"):
        Artifact(tmp_path / "photo.jpg")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"name": "x"}', b"9" * 5000])
def test_a_garbled_manifest_is_named(tmp_path: Path, content: bytes) -> None:
    made = make(tmp_path)
    (made.path / "manifest.json").write_bytes(content)
    with pytest.raises(ArtifactError, match="not a readable manifest") as caught:
        Artifact(made.path)
    assert "manifest.json" in caught.value.message
    assert ": :" not in caught.value.message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("colour", '"red"'),
        ("schema_version", "3"),
        ("kind", '"any file"'),
        ("payload", '"../weights"'),
        ("payload", f'"{"w" * 300}"'),
        ("name", f'"{"n" * 300}"'),
    ],
)
def test_a_manifest_of_another_schema_names_the_key(tmp_path: Path, key: str, value: str) -> None:
    made = make(tmp_path)
    path = made.path / "manifest.json"
    fields = json.loads(path.read_text())
    fields.pop(key, None)
    path.write_text(f'{{"{key}": {value}, {json.dumps(fields)[1:]}')
    with pytest.raises(ArtifactError, match=f"not a readable manifest: {key}"):
        Artifact(made.path)
