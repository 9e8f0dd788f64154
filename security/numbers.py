"""Finds numbers in a text that must not be kept: 個人番号, 保険者番号, 基礎年金番号. Pure.

個人番号: twelve digits whose last one is the check digit of 総務省令 平成26年第85号 第5条,
full-width or not, with up to three separators between any two. One number in eleven or so has it
by chance.

保険者番号: eight digits (two for the law, two for the prefecture, three, a check digit) or six
(without the law). 基礎年金番号: four digits, a dash, six digits; or ten digits after the word. What
stands beside further digits, or begins a longer number with dashes, is something else.
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


_DASH = "[-‐‑‒–—―−ー]"
_ALONE = rf"(?<![0-9])(?<![0-9]{_DASH}){{}}(?!{_DASH}?[0-9])"
_INSURER = re.compile(_ALONE.format("(?:[0-9]{2})?[0-9]{6}"))
_PENSION = re.compile(
    _ALONE.format(f"[0-9]{{4}}{_DASH}[0-9]{{6}}") + "|基礎年金番号[^0-9]{0,8}[0-9]{10}(?![0-9])"
)
_PREFECTURES = range(1, 48)


def holds_insurer_number(text: str) -> bool:
    """Tell whether `text` holds what looks like an insurer's or a basic pension number."""
    plain = unicodedata.normalize("NFKC", text)
    if _PENSION.search(plain):
        return True
    return any(_is_insurer_number(found[0]) for found in _INSURER.finditer(plain))


def _is_insurer_number(digits: str) -> bool:
    if int(digits[-6:-4]) not in _PREFECTURES or int(digits[0:2]) == 0:
        return False
    return int(digits[-1]) == insurer_check_digit(digits[:-1])


def insurer_check_digit(digits: str) -> int:
    """Return the last digit for those before it: 2 and 1 in turn from the right, sums of digits."""
    products = (int(x) * (2 if n % 2 == 0 else 1) for n, x in enumerate(reversed(digits)))
    return -sum(p // 10 + p % 10 for p in products) % 10
