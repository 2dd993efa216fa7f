"""Protocols of series: files by name or by path, values written anew, what is wrong with one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from calling import Call
from toy_series import TINY, write_tiny

from edgemat.errors import UsageError
from edgemat.experiments.protocol import FOLDER, SUBJECTS, Subject, protocol_names, read_protocol


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_has_a_short_protocol_and_the_thesis_where_it_is_no_recipe(
    subject: Subject,
) -> None:
    names = protocol_names(subject)
    assert names == (("short",) if subject == "portraits" else ("short", "thesis"))
    for name in names:
        assert read_protocol(subject, name).name == name


def test_the_thesis_protocols_are_taken_by_path_too() -> None:
    for path in (FOLDER / "thesis").glob("*.toml"):
        (subject,) = (one for one in SUBJECTS if one == path.stem)
        assert read_protocol(subject, str(path)) == read_protocol(subject, "thesis")


def test_a_file_of_ones_own_is_taken(tmp_path: Path) -> None:
    write_tiny(tmp_path / "mine.toml")
    assert read_protocol("denoise", str(tmp_path / "mine.toml")) == TINY


def test_another_value_makes_another_protocol_and_its_name_says_so() -> None:
    kept = read_protocol("depth", "short")
    found = read_protocol("depth", "short", ["epochs=3", "falls=[1, 2]"])
    assert (found.epochs, found.falls) == (3, (1, 2))
    assert (found.name, found.width) == ("short epochs=3 falls=[1, 2]", kept.width)
    assert read_protocol("depth", "short") == kept
    assert read_protocol("depth", "short", ["falls=[1, 2]", "epochs=3"]) == found


def test_the_rate_falls_after_epochs() -> None:
    one, other = (read_protocol(subject, "thesis") for subject in ("reconstruct", "depth"))
    rates = {epoch: one.rate(epoch) for epoch in (0, 49, 50, 69, 70, 84, 85, 99)}
    assert list(rates.values()) == pytest.approx([1e-2] * 2 + [1e-3] * 2 + [1e-4] * 2 + [1e-5] * 2)
    assert [other.rate(e) for e in (4, 5, 10, 25)] == pytest.approx([1e-2, 1e-3, 1e-4, 1e-7])


def test_the_optimiser_is_what_the_file_says(tmp_path: Path) -> None:
    network = torch.nn.Linear(1, 1)
    changes = ["optimizer=sgd", "momentum=0.7", "weight_decay=1e-3"]
    optimizer = read_protocol("segment", "short", changes).create_optimizer(network)
    assert isinstance(optimizer, torch.optim.SGD)
    settings = optimizer.param_groups[0]
    assert (settings["lr"], settings["momentum"], settings["weight_decay"]) == (2e-3, 0.7, 1e-3)
    adam = read_protocol("segment", "short", changes[2:]).create_optimizer(network)
    assert isinstance(adam, torch.optim.Adam) and adam.param_groups[0]["weight_decay"] == 1e-3


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("shorter", None, r"no protocol 'shorter' of segment\..*'short'.*\.toml"),
        ("none.toml", None, r"There is no protocol none\.toml"),
        ("short", "epoch=3", r"no key 'epoch'\..*'epochs'"),
        ("short", "epochs=few", "epochs: .*few"),
        ("short", "batch=7", r"160 samples are no whole batches of 7\..*multiple"),
        ("short", "epochs.x=7", "leads nowhere"),
        ("short", "name=", "the key 'name' is missing"),
        ("short", "learning_rate=0", "learning_rate: .*greater than 0"),
    ],
)
def test_what_is_wrong_is_named(
    name: str, change: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_protocol("segment", name, [change] if change else [])
    assert caught.value.remedy
    assert re.search(said, f"{caught.value.message} {caught.value.remedy}")


def test_the_command_says_it_in_a_sentence(call: Call, tmp_path: Path) -> None:
    words = ["experiments", "series", "portraits", "-o", str(tmp_path / "runs.json")]
    status, _, error = call(*words, "--set", "epoch=1")
    assert status == 2 and "there is no key 'epoch'" in " ".join(error.split())
