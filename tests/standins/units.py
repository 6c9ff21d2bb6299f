"""The units in which platforms count texts: UTF-16 units, grapheme clusters, bytes."""

from __future__ import annotations

import unicodedata

_ALONE = {0x102B, 0x102C, 0x1038, *range(0x1062, 0x1065), *range(0x1067, 0x106E), 0x1083, *range(0x1087, 0x108D)}
_ALONE |= {0x108F, *range(0x109A, 0x109D), 0x1A61, 0x1A63, 0x1A64, 0xAA7B, 0xAA7D}
_JOINER = 0x200D


def utf16(text: str) -> int:
    """UTF-16 units: an emoji or a rare Han character is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def graphemes(text: str) -> int:
    """Extended grapheme clusters (Unicode annex 29, without the rules for Indic conjuncts and prepended signs)."""
    count = flags = 0
    previous = 0
    for sign in map(ord, text):
        flag = 0x1F1E6 <= sign <= 0x1F1FF
        flags = flags + 1 if flag else 0
        if not (previous and _joined(previous, sign, flag and flags % 2 == 0)):
            count += 1
        previous = sign
    return count


def _joined(previous: int, sign: int, second_of_a_flag: bool) -> bool:
    if (previous, sign) == (0x0D, 0x0A):
        return True
    if previous in (0x0D, 0x0A):
        return False
    return (
        _extends(sign) or second_of_a_flag or (previous == _JOINER and _pictograph(sign)) or _syllable(previous, sign)
    )


def _extends(sign: int) -> bool:
    if sign in (_JOINER, 0x200C, 0x0E33, 0x0EB3) or 0x1F3FB <= sign <= 0x1F3FF or 0xE0020 <= sign <= 0xE007F:
        return True
    category = unicodedata.category(chr(sign))
    return category in ("Mn", "Me") or (category == "Mc" and sign not in _ALONE)


def _pictograph(sign: int) -> bool:
    return sign >= 0x1F000 or unicodedata.category(chr(sign)) == "So"


def _syllable(previous: int, sign: int) -> bool:
    """Korean letters that make one syllable."""
    leading = 0x1100 <= previous <= 0x115F
    whole = 0xAC00 <= previous <= 0xD7A3
    vowel, tail = 0x1160 <= sign <= 0x11A7, 0x11A8 <= sign <= 0x11FF
    if leading:
        return vowel or 0x1100 <= sign <= 0x115F or 0xAC00 <= sign <= 0xD7A3
    if 0x1160 <= previous <= 0x11A7 or (whole and (previous - 0xAC00) % 28 == 0):
        return vowel or tail
    return tail and (whole or 0x11A8 <= previous <= 0x11FF)
