"""Which packet path is used, and what is said where the fast one cannot be had."""

import logging

import pytest

from media import paths
from media.native import library
from media.native_path import NativePath
from media.node import MediaNode, MediaSettings
from media.python_path import PythonPath
from security.errors import Unavailable
from tests.media.basics import Events


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise library.Unusable("it was not built")

    monkeypatch.setattr(library, "load", load)


def test_the_native_path_is_used_where_it_was_built() -> None:
    assert paths.maker_for("auto") is paths.maker_for("native") is NativePath
    assert paths.maker_for("python") is PythonPath


@pytest.mark.usefixtures("no_library")
def test_without_the_library_packets_go_the_python_way_and_one_line_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    node = MediaNode(MediaSettings("127.0.0.1", 0, ("127.0.0.1",)), Events())
    assert node.packet_path == "python"
    assert len([x for x in caplog.records if x.name == "media.paths"]) == 1


@pytest.mark.usefixtures("no_library")
def test_a_node_that_must_be_native_does_not_begin_without_the_library() -> None:
    settings = MediaSettings("127.0.0.1", 0, ("127.0.0.1",), packet_path="native")
    with pytest.raises(Unavailable, match="cannot be used: it was not built"):
        MediaNode(settings, Events())
