"""What a text must be before the encoder's C code may read it: short, composed, and of ordinary characters."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 140
"""Characters that are encoded; the time it takes grows with them."""

BYTES = 4 * LONGEST
"""UTF-8 bytes a guarded text has at most."""

_BLANKS = re.compile(r"\s+")
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def guarded(text: str) -> str:
    """The text as the encoder gets it.

    Compatibility forms are taken apart first: the tokenizer expands U+FDFA to 18 characters, more than its buffer was
    made for (found with AddressSanitizer, tests/encoder). After NFKC no character of its table expands any more.
    """
    wide = unicodedata.normalize("NFKC", text[: 4 * LONGEST])
    plain = "".join(" " if unicodedata.category(char) in _UNSAFE else char for char in wide)
    return _BLANKS.sub(" ", plain).strip()[:LONGEST].rstrip()
