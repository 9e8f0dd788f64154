"""Finds 個人番号 in a text, so that it is not kept. Pure.

Twelve digits whose last one is the check digit of 総務省令 平成26年第85号 第5条, full-width or not,
with up to three separators between any two. One number in eleven or so has it by chance.
"""

import re
import unicodedata

_SEPARATOR = r"[\s\-‐‑‒–—―−ー_.,/・、]{0,3}"
_TWELVE = re.compile(rf"(?<![0-9])(?=((?:[0-9]{_SEPARATOR}){{11}}[0-9])(?![0-9]))")


def holds_my_number(text: str) -> bool:
    """Tell whether `text` holds what looks like an individual number."""
    plain = unicodedata.normalize("NFKC", text)
    return any(_is_my_number(re.sub(r"[^0-9]", "", found[1])) for found in _TWELVE.finditer(plain))


def _is_my_number(digits: str) -> bool:
    return int(digits[-1]) == check_digit(digits[:-1])


def check_digit(eleven: str) -> int:
    """Return the twelfth digit for the first eleven."""
    weighed = enumerate(reversed(eleven), start=1)
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in weighed)
    rest = total % 11
    return 0 if rest <= 1 else 11 - rest
