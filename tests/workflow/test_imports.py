"""Imports are read from the source: every form of them, and what is not one stays out."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_source import write_source

from edgemat.workflow.imports import Source


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import toy.low", {"toy.low"}),
        ("import toy.low as other, toy.room.leaf", {"toy.low", "toy.room.leaf"}),
        ("from toy.low import value", {"toy.low"}),
        ("from toy import low", {"toy.low"}),
        ("from toy.room import leaf, name", {"toy.room.leaf", "toy.room"}),
        ("from toy.room import *", {"toy.room"}),
        ("from . import low", {"toy.low"}),
        ("from .room.leaf import value", {"toy.room.leaf"}),
        ("def f():\n    if True:\n        from toy import low", {"toy.low"}),
        ("class C:\n    import toy.low", {"toy.low"}),
        ("try:\n    import toy.low\nexcept E:\n    import toy.room", {"toy.low", "toy.room"}),
        ("with f():\n    import toy.low", {"toy.low"}),
        ("match 1:\n    case 1:\n        import toy.low", {"toy.low"}),
        ("if TYPE_CHECKING:\n    import toy.low", set()),
        ("if typing.TYPE_CHECKING:\n    import toy.low\nelse:\n    import toy.room", {"toy.room"}),
        ("import toy_two.low, numpy", set()),
        ("text = 'import toy.low'", set()),
        ("import toy.main", set()),
    ],
)  # fmt: skip
def test_every_form_of_import_is_read(tmp_path: Path, text: str, found: set[str]) -> None:
    source = write_source(tmp_path, main=text, low="", room__="", room__leaf="")
    assert source.imports("toy.main") == found


def test_imports_for_types_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    source = write_source(tmp_path, main="if TYPE_CHECKING:\n    from toy import low", low="")
    assert source.imports("toy.main", typing=True) == {"toy.low"}


def test_relative_imports_climb(tmp_path: Path) -> None:
    source = write_source(
        tmp_path, room__="from .leaf import x", room__leaf="from .. import low", low=""
    )
    assert source.imports("toy.room") == {"toy.room.leaf"}
    assert source.imports("toy.room.leaf") == {"toy.low"}


@pytest.mark.parametrize(
    "text",
    [
        "NAMES = ('leaf', 'other')\nfor n in NAMES:\n    import_module(f'{__name__}.{n}')",
        "NAMES = ['leaf', 'other']\nx = [importlib.import_module('.' + n, P) for n in NAMES]",
        "NAMES = ('.leaf', '.other')\nx = [import_module(n, __name__) for n in NAMES]",
        "def f(x):\n    return import_module({'a': 'toy.room.leaf', 'b': 'toy.room.other'}[x])",
    ],
)  # fmt: skip
def test_modules_that_are_loaded_by_name_are_followed(tmp_path: Path, text: str) -> None:
    source = write_source(tmp_path, room__=text, room__leaf="", room__other="", room__third="")
    assert source.imports("toy.room") == {"toy.room.leaf", "toy.room.other"}


def test_strings_name_no_modules_where_nothing_is_loaded(tmp_path: Path) -> None:
    source = write_source(tmp_path, room__="NAMES = ('leaf',)  # import_module", room__leaf="")
    assert source.imports("toy.room") == set()


def test_what_the_face_loads_for_users_is_left_out(tmp_path: Path) -> None:
    text = "NAMES = {'x': 'toy.low'}\ndef find(name):\n    return import_module(NAMES[name])"
    assert write_source(tmp_path, __=text, low="").imports("toy") == set()


def test_reach_goes_on_and_on_and_through_packages(tmp_path: Path) -> None:
    source = write_source(
        tmp_path,
        main="def f():\n    from toy.room.leaf import x",
        room__="from toy.low import y",
        room__leaf="import toy.main",
        room__other="",
        low="import toy.base",
        base="",
        above="import toy.main",
    )
    assert source.reach("toy.main") == {
        "toy", "toy.main", "toy.room", "toy.room.leaf", "toy.low", "toy.base",
    }  # fmt: skip


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module toy\.nowhere"):
        write_source(tmp_path).reach("toy.nowhere")


def test_links_are_followed_under_the_name_that_is_imported(tmp_path: Path) -> None:
    write_source(tmp_path, main="from toy.room.leaf import x")
    write_source(tmp_path / "apart", leaf="from toy.room import other", other="")
    (tmp_path / "toy" / "room").symlink_to(tmp_path / "apart" / "toy")
    found = Source(tmp_path, "toy").reach("toy.main")
    assert found == {"toy", "toy.main", "toy.room", "toy.room.leaf", "toy.room.other"}


def changed(source: Source, path: str, text: str) -> bool:
    """Return whether what toy.main depends on is another, once a file is written."""
    before = source.sha256("toy.main")
    (source.root / "toy" / path).write_text(text)
    return Source(source.root, "toy").sha256("toy.main") != before


def test_what_is_reached_counts_and_nothing_else(tmp_path: Path) -> None:
    source = write_source(
        tmp_path, main="from toy import low", low="X = 1", above="import toy.main"
    )
    assert source.sha256("toy.main") == Source(tmp_path, "toy").sha256("toy.main")
    assert changed(source, "low.py", "X = 2")
    assert not changed(Source(tmp_path, "toy"), "above.py", "X = 2")


def test_data_beside_a_module_count_where_it_reads_them(tmp_path: Path) -> None:
    text = "PAGE = Path(__file__).with_name('page')\nC = Path(__file__).parent.glob('*.[ch]')"
    source = write_source(tmp_path, main=text)
    for name in ("page/a/index.html", "runner.c", "notes.txt"):
        (tmp_path / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "toy" / name).write_text("one")
    assert changed(source, "page/a/index.html", "two")
    assert changed(Source(tmp_path, "toy"), "runner.c", "two")
    assert not changed(Source(tmp_path, "toy"), "notes.txt", "two")
