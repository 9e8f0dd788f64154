"""研修モード is burnt into every picture that it leaves."""

import cv2
import numpy as np
import pytest

from files.entry import FileEntry
from files.kinds import JPEG, PNG
from files.rebuild import rebuild
from files.watermark import STRENGTH, burn
from tests.files.conftest import Tray, decoded, encoded, pixels


@pytest.mark.parametrize("ground", [0, 255, 128])
def test_the_mark_shows_on_every_ground_and_hides_nothing(ground: int) -> None:
    picture = np.full((300, 480, 3), ground, np.uint8)
    marked = burn(picture.copy())
    changed = np.abs(marked.astype(int) - ground).max(axis=2) > 8
    assert 0.03 < changed.mean() < 0.4
    assert np.abs(marked.astype(int) - ground).max() <= 255 * STRENGTH * 2
    for half in (changed[:150], changed[150:], changed[:, :240], changed[:, 240:]):
        assert half.any()  # cutting it in two leaves a mark on both


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (8, 8), (40, 60)])
def test_a_picture_of_any_size_keeps_it(size: tuple[int, int]) -> None:
    assert burn(np.zeros((*size, 3), np.uint8)).shape == (*size, 3)


@pytest.mark.parametrize(("suffix", "kind"), [(".jpg", JPEG), (".png", PNG)])
def test_a_grey_picture_is_marked_in_purple_too(suffix: str, kind: str) -> None:
    grey = encoded(suffix, np.full((200, 320), 255, np.uint8))
    marked = decoded(rebuild(grey, kind, training=True))
    least = marked.reshape(-1, 3).min(axis=0)
    assert marked.shape == (200, 320, 3)
    assert least[1] < least[2] < least[0]  # least green, most blue


async def test_a_picture_of_a_training_call_is_kept_with_its_mark_alone(tray: Tray) -> None:
    async def is_training(municipality_id: str, call_id: str) -> bool:
        return call_id == "call-1"

    async def inspect(entry: FileEntry, _: object) -> str | None:
        return None

    tray.uploads.inspect_by(inspect, is_training)
    plain = cv2.resize(pixels(), (240, 160))
    entry = await tray.send(encoded(".png", plain), "card.png")
    offered = decoded(await tray.content(entry))
    assert np.array_equal(offered, burn(plain.copy()))
    assert not np.array_equal(offered, plain)
    assert tray.on_disk() == ["offered"]
