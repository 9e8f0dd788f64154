"""What a node counts as its own work."""

from media.workload import _Busiest


def test_the_busier_of_two_threads_counts_in_each_second() -> None:
    busiest = _Busiest()
    assert busiest.take(1.0, 0.25) == 1.0
    assert busiest.take(1.5, 1.25) == 2.0  # half a second of one, a whole one of the other
    assert busiest.take(1.5, 1.25) == 2.0
    assert busiest.take(1.5, 1.0) == 2.0  # clocks that differ a little never count back
