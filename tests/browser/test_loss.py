"""Over a line that loses every tenth packet each way, voices arrive and the picture goes on."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tools.browsers.chromium import Chromium
from tools.browsers.people import sit_down
from tools.browsers.service import RunningService
from tools.browsers.smooth import told, watch
from tools.netns.faults import Fault
from tools.netns.link import Link

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fault,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]
LOSSY = Fault(delay_seconds=0.05, loss=0.1)


async def test_lost_sound_is_asked_for_again_and_pictures_go_on(
    make_link: Callable[..., Awaitable[Link]], tmp_path: Path
) -> None:
    link = await make_link(seed=11)
    service = RunningService(
        tmp_path / "service", media_host=link.server_address, within=link.server
    )
    await service.start()
    with link.client.inside():
        chromium = await Chromium.start(tmp_path)
    base_url = await link.door(service.port)
    pair = await sit_down(chromium, chromium, await service.town("lossy"), base_url)
    await pair.talk()
    await pair.until_moving()
    await link.set(both=LOSSY)
    for seat in pair.both:
        await watch(seat.page, seat.picture)
    # Both ends are behind the line, so that a fifth is lost of what nobody mends.
    for seat in pair.both:
        await seat.page.until(
            "__receives().then((now) => now.audio_packets > 250 ? now : null)", seconds=60
        )
        await seat.until_moving()
    for seat in pair.both:
        found = await told(seat.page)
        assert found.audio_asked > 0
        assert found.audio_lost < 0.05 * found.audio_packets
        assert found.pictures_per_second > 1
    await pair.end()
    await chromium.close()
    await service.stop()
