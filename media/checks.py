"""Which binding requests of one party may be answered: not replayed ones, and not too many. Pure.

Whoever reads the line can send a genuine check again, from anywhere, as often as he likes. That
must neither lead the party's media astray nor use up what the party may ask.
"""

from collections import OrderedDict

from media.bucket import Bucket
from media.ice import Address

# A browser checks about every 2.5 s: these last for 20 minutes.
MAX_REMEMBERED = 512
MAX_BUCKETS = 16
OWN_BURST, OWN_PER_SECOND = 40, 20
SHARED_BURST, SHARED_PER_SECOND = 60, 25


class Checks:
    """Remembers transaction ids with where they came from, and counts out answers.

    Each address has tokens of its own. Addresses from which nothing of the party ever authenticated
    share more tokens, and so do repetitions, so that neither takes any from a `proven` address.
    `now` is monotonic seconds.
    """

    __slots__ = ("_from", "_own", "_shared")

    def __init__(self) -> None:
        self._from: OrderedDict[bytes, Address] = OrderedDict()
        self._own: OrderedDict[Address, Bucket] = OrderedDict()
        self._shared = Bucket(SHARED_BURST, SHARED_PER_SECOND)

    def repeats(self, transaction: bytes, source: Address) -> bool:
        """Tell whether the check has come from `source` before: it proves nothing anew."""
        return self._from.get(transaction) == source

    def may_answer(self, transaction: bytes, source: Address, *, proven: bool, now: float) -> bool:
        """Tell whether the check is worth verifying. Costs little and takes no token.

        A known one from elsewhere is not, unless `source` is proven: then the other was faster.
        """
        known = self._from.get(transaction)
        if known is not None and known != source and not proven:
            return False
        own = self._own.get(source)
        if known == source:
            return self._shared.has(now)
        return (own is None or own.has(now)) and (proven or self._shared.has(now))

    def answered(self, transaction: bytes, source: Address, *, proven: bool, now: float) -> None:
        """Note a check that verified; to be called once for each that is answered."""
        if self.repeats(transaction, source):
            self._shared.take(now)
            return
        if not proven:
            self._shared.take(now)
        self._bucket(source).take(now)
        self._from[transaction] = source
        if len(self._from) > MAX_REMEMBERED:
            self._from.popitem(last=False)

    def _bucket(self, source: Address) -> Bucket:
        bucket = self._own.get(source)
        if bucket is None:
            bucket = self._own[source] = Bucket(OWN_BURST, OWN_PER_SECOND)
            if len(self._own) > MAX_BUCKETS:
                self._own.popitem(last=False)
        self._own.move_to_end(source)
        return bucket
