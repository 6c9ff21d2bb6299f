"""Finds the numbers of a person in what was typed: identity, passport, account, card, telephone, mail address."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

IDENTITY, PASSPORT, ACCOUNT, CARD, PHONE, MAIL = "identity", "passport", "account", "card", "phone", "mail"
SECRET = frozenset({IDENTITY, PASSPORT, ACCOUNT, CARD})  # what nobody needs to send through a chat at all

ROUNDS = 8  # a number may come to light when the one before it is covered
_COVER = "‹"
FEWEST = 6  # digits of the shortest number
_DIGIT = re.compile(r"\d")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))

_S = r"[ ._\-]{0,2}"  # what people put between digits
_END = r"(?![A-Za-z0-9])"
_GAP = r"[^\d‹›。！？!?\n@]{0,28}?"  # between the name of a number and the number: words, but no other sentence
_CODE = rf"(?P<number>(?:(?<![A-Za-z])(?:[A-Za-z]{{1,2}}|(?-i:[A-Z]{{1,2}}){_S}))?\d(?:{_S}\d){{%d,%d}}[A-Za-z]?{_END})"

_IDENTITY_WORDS = (
    r"身[分份]證|居留證|統一證號|證件號|健保卡號|外僑|\b(?:identity|id|arc|uid|ui)\b|resident (?:certificate|card)"
    r"|\b(?:cccd|cmnd|cmt|căn cước|chứng minh|thẻ cư trú|so cccd)\b|\b(?:ktp|nik|kitas|nomor identitas)\b"
    r"|บัตรประชาชน|เลขประจำตัว|บัตรประจำตัว|ใบถิ่นที่อยู่|\b(?:philsys|national id)\b"
)
_PASSPORT_WORDS = r"護照|passport|hộ chiếu|ho chieu|\bpaspor\b|หนังสือเดินทาง|พาสปอร์ต|pasaporte"
_ACCOUNT_WORDS = (
    r"帳號|帳戶|賬號|賬戶|戶頭|存摺|匯款到|轉帳到|\baccount|\bacct\b|\biban\b|tài khoản|tai khoan|\bstk\b|\brekening\b"
    r"|\bno ?rek\b|\bnorek\b|บัญชี"
)
_CARD_WORDS = r"信用卡|金融卡|提款卡|credit card|debit card|bank card|\bkartu\b|บัตรเครดิต|thẻ tín dụng"
_PHONE_WORDS = (
    r"電話|手機|行動|聯絡號碼|\b(?:tele)?phone\b|\bcell(?:phone)?\b|\bmobile\b|whats ?app|\bwa\b|\bzalo\b|viber"
    r"|điện thoại|dien thoai|\bsđt\b|\bsdt\b|\bđt\b|\b(?:telepon|telp|hp|nomor hp|ponsel)\b|โทรศัพท์|เบอร์|โทร|มือถือ"
    r"|\b(?:telepono|selpon|cp)\b|call me (?:at|on)|text me (?:at|on)"
)
_MONEY_BEFORE = re.compile(r"(?:NT|US|HK)?\$ *$|\b(?:NTD?|TWD|USD|VND|IDR|PHP|THB|Rp)\.? *$|[₱฿€¥₫] *$", re.IGNORECASE)
_MONEY_AFTER = re.compile(
    r" *(?:元|塊|圓|萬|億|[₱฿€¥₫$]|đồng|dong\b|đ\b|triệu|nghìn|บาท"
    r"|(?:vnd|ntd?|twd|usd|php|thb|idr|baht|rupiah|ribu|juta|piso|pesos?|dollars?)\b)",
    re.IGNORECASE,
)
_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:[0-2]?\d|3[01])(?!\d)"
_DATE = re.compile(
    rf"(?:19|20|25)\d\d[ .-]?{_MONTH}[ .-]?{_DAY}|0?\d{{2,3}}[.-]{_MONTH}[.-]{_DAY}"
    r"|1[01]\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])$|[0-3]?\d[ .-][01]?\d[ .-](?:19|20|25|1)\d\d(?!\d)"
)
_HOURS = re.compile(r"\d{1,2}[.:]\d\d ?- ?\d{1,2}[.:]\d\d")
_MORE = re.compile(r",\d")
_FREE_LINES = re.compile(r"080[09]")

# ROC letters in the order of their codes: A is 10, B is 11, and so on.
_LETTERS = {letter: code for code, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", 10)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 1, 1)


@dataclass(frozen=True, slots=True)
class Found:
    """A number in a text: `text[start:end]`, and what kind it is."""

    start: int
    end: int
    kind: str


Check = Callable[[str, re.Match[str]], bool]


def find(text: str) -> tuple[Found, ...]:
    """The numbers of a person in order, none over another. Full-width digits and characters without width count in."""
    if "@" not in text and "＠" not in text and len(_DIGIT.findall(text)) < FEWEST:
        return ()
    plain, places = _plain(text)
    spans: list[tuple[int, int, str]] = []
    for _ in range(ROUNDS):
        fresh = list(_round(plain))
        if not fresh:
            break
        for start, end, kind in fresh:
            plain = plain[:start] + _COVER * (end - start) + plain[end:]
            spans.append((start, end, kind))
    return tuple(Found(places[start], places[end - 1] + 1, kind) for start, end, kind in sorted(spans))


def _round(plain: str) -> Iterator[tuple[int, int, str]]:
    taken: list[tuple[int, int]] = []
    for kind, pattern, check in _PATTERNS:
        for match in pattern.finditer(plain):
            start, end = match.span("number")
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            if check(plain, match):
                taken.append((start, end))
                yield start, end, kind


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """The text with plain digits, letters and blanks, without what has no width; where each character stood."""
    if text.isascii():
        return text, range(len(text))
    letters, places = [], []
    for place, letter in enumerate(text):
        simple = _simple(letter)
        if simple:
            letters.append(simple)
            places.append(place)
    return "".join(letters).translate(_DASHES), places


def _simple(letter: str) -> str:
    if letter.isascii():
        return letter
    if unicodedata.category(letter) == "Cf":
        return ""
    if (digit := unicodedata.decimal(letter, None)) is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", letter)
    if len(folded) != 1 or folded.isdigit():
        return letter
    return " " if folded.isspace() and folded != "\n" else folded


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


def _any(plain: str, match: re.Match[str]) -> bool:
    return True


def _registered(plain: str, match: re.Match[str]) -> bool:
    """Does the check digit of a national identity number or of either kind of residence number fit?"""
    number = re.sub(r"[^A-Za-z0-9]", "", match["number"]).upper()
    first = _LETTERS[number[0]]
    second = str(_LETTERS[number[1]] % 10) if number[1].isalpha() else number[1]
    digits = [int(digit) for digit in second + number[2:]]
    weighed = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return (first // 10 + first % 10 * 9 + weighed) % 10 == 0


def _luhn(plain: str, match: re.Match[str]) -> bool:
    digits = [int(digit) for digit in reversed(_digits(match["number"]))]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + doubled) % 10 == 0 and _no_amount(plain, match)


def _no_amount(plain: str, match: re.Match[str]) -> bool:
    start, end = match.span("number")
    return not (_MONEY_BEFORE.search(plain[max(0, start - 8) : start]) or _MONEY_AFTER.match(plain, end))


def _named(plain: str, match: re.Match[str]) -> bool:
    """A number after its name; no amount, no date, no number of a case."""
    start, end = match.span("number")
    if _DATE.match(match["number"]) or re.match(r"-[A-Z0-9]{5}(?![A-Za-z0-9])", plain[end:]):
        return False
    return plain[start - 1 : start] not in (",", "/") and _no_amount(plain, match) and not _MORE.match(plain, end)


def _telephone(plain: str, match: re.Match[str]) -> bool:
    number = match["number"].lstrip("(")
    if _DATE.match(number) or _HOURS.match(number) or _FREE_LINES.match(_digits(number)):
        return False
    return _no_amount(plain, match)


def _after(words: str, least: int, most: int) -> re.Pattern[str]:
    """A number of `least` to `most` digits, with letters before it or one after it, that follows its name."""
    return re.compile(rf"(?i:{words}){_GAP}{_CODE % (least - 1, most - 1)}", re.IGNORECASE)


_EXTENSION = r"(?: ?(?:#|分機|轉|ext\.? ?)\d{1,5})?"
_IN_PHONE = r"[ ._()\-]{0,3}"
_PATTERNS: tuple[tuple[str, re.Pattern[str], Check], ...] = (
    (
        MAIL,
        re.compile(
            r"(?P<number>[A-Za-z0-9][A-Za-z0-9._%+-]{0,63} ?@ ?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4})"
        ),
        _any,
    ),
    (
        IDENTITY,
        re.compile(
            rf"(?<![A-Za-z0-9])(?P<number>(?:[A-Za-z]{_S}[1289]{_S}\d|[A-Z]{_S}[A-D]{_S}\d|[A-Za-z][A-Da-d]-?\d)"
            rf"(?:{_S}\d){{7}}{_END}(?![.-]\d))"
        ),
        _registered,
    ),
    (PHONE, re.compile(rf"(?<!\d)(?<!\d[.,/])(?P<number>0{_S}9(?:{_S}\d){{8}}(?!\d|,\d))"), _telephone),
    (PASSPORT, _after(_PASSPORT_WORDS, 6, 9), _named),
    (IDENTITY, _after(_IDENTITY_WORDS, 7, 18), _named),
    (ACCOUNT, _after(_ACCOUNT_WORDS, 8, 19), _named),
    (CARD, _after(_CARD_WORDS, 12, 19), _named),
    (CARD, re.compile(r"(?<![\d.,$])(?P<number>\d(?:[ -]?\d){12,18}(?!\d|,\d))"), _luhn),
    (
        PHONE,
        re.compile(rf"(?<!\d)(?P<number>(?:\+ ?|00)[1-9](?:{_IN_PHONE}\d){{7,14}}(?!\d){_EXTENSION})"),
        _telephone,
    ),
    (PHONE, re.compile(rf"(?<!\d)(?P<number>886(?:{_IN_PHONE}\d){{8,10}}(?!\d){_EXTENSION})"), _telephone),
    (
        PHONE,
        re.compile(rf"(?<!\d)(?<!\d[.,/])(?P<number>\(?0[2-9](?:{_IN_PHONE}\d){{7,11}}(?!\d|,\d){_EXTENSION})"),
        _telephone,
    ),
    (
        PHONE,
        re.compile(rf"(?i:{_PHONE_WORDS}){_GAP}(?P<number>\d(?:{_S}\d){{6,12}}(?!\d|,\d){_EXTENSION})", re.IGNORECASE),
        _named,
    ),
)
