"""Number words of six languages turned into digits, in place, so that the other parsers only see digits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

Token: TypeAlias = tuple[str, int]  # ("n", add) or ("x", multiply)


def _words(kind: str, table: str) -> dict[str, Token]:
    """`word=number` pairs."""
    pairs = (pair.split("=") for pair in table.split())
    return {word.replace("_", " "): (kind, int(number)) for word, number in pairs}


_EN = _words(
    "n",
    "zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12 thirteen=13 "
    "fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fourty=40 "
    "fifty=50 sixty=60 seventy=70 eighty=80 ninety=90",
) | _words("x", "hundred=100 thousand=1000")
_VI = _words(
    "n",
    "một=1 mốt=1 hai=2 ba=3 bốn=4 tư=4 năm=5 lăm=5 nhăm=5 sáu=6 bảy=7 bẩy=7 tám=8 chín=9 mười=10 "
    "mot=1 bon=4 lam=5 sau=6 bay=7 tam=8 chin=9 muoi=10",
) | _words("x", "mươi=10 chục=10 chuc=10 trăm=100 nghìn=1000 ngàn=1000 tram=100")
_ID = _words(
    "n",
    "nol=0 satu=1 dua=2 tiga=3 empat=4 lima=5 enam=6 tujuh=7 delapan=8 sembilan=9 sepuluh=10 sebelas=11 "
    "belas=10 seratus=100 seribu=1000",
) | _words("x", "puluh=10 ratus=100 ribu=1000")
_FIL = _words(
    "n",
    "isa=1 isang=1 dalawa=2 dalawang=2 tatlo=3 tatlong=3 apat=4 lima=5 limang=5 anim=6 pito=7 pitong=7 walo=8 "
    "walong=8 siyam=9 sampu=10 sampung=10 dalawampu=20 dalawampung=20 tatlumpu=30 tatlumpung=30 apatnapu=40 "
    "limampu=50 animnapu=60 pitumpu=70 walumpu=80 siyamnapu=90 labing-isa=11 labing-isang=11 labindalawa=12 "
    "labindalawang=12 labintatlo=13 labing-apat=14 labinlima=15 labing-anim=16 labimpito=17 labingwalo=18 "
    "labinsiyam=19 uno=1 dos=2 tres=3 kuwatro=4 singko=5 sais=6 siyete=7 otso=8 nuwebe=9 diyes=10 onse=11 dose=12 "
    "bente=20 beinte=20 trenta=30 treinta=30 kwarenta=40 kuwarenta=40 singkwenta=50 sesenta=60 sisenta=60 "
    "setenta=70 sitenta=70 otsenta=80 nobenta=90 dalawampu't=20 tatlumpu't=30 apatnapu't=40 limampu't=50 "
    "animnapu't=60 pitumpu't=70 walumpu't=80 siyamnapu't=90 apatnapung=40 limampung=50 animnapung=60 pitumpung=70 "
    "walumpung=80 siyamnapung=90 labintatlong=13 labinlimang=15 labimpitong=17 labingwalong=18 sandaan=100 "
    "sandaang=100 isandaan=100 sanlibo=1000 isanlibo=1000",
) | _words("x", "daan=100 daang=100 raan=100 libo=1000 libong=1000")
_LATIN: Mapping[str, Mapping[str, Token]] = {"en": _EN, "vi": _EN | _VI, "id": _EN | _ID, "fil": _EN | _FIL}
_TH = _words("n", "ศูนย์=0 หนึ่ง=1 เอ็ด=1 สอง=2 ยี่=2 สาม=3 สี่=4 ห้า=5 หก=6 เจ็ด=7 แปด=8 เก้า=9") | _words(
    "x", "สิบ=10 ร้อย=100 พัน=1000"
)
_ZH_DIGITS = {letter: number for number, letter in enumerate("零一二三四五六七八九")} | {"〇": 0, "兩": 2}
_ZH_TIMES = {"十": 10, "百": 100, "千": 1000}

_LATIN_WORD = re.compile(r"[a-zà-ỹđ]+(?:['-][a-zà-ỹđ]+)*")
_JOIN = re.compile(r"(?:\s+|-|\s+and\s+|\s+at\s+|\s*y\s+|'y\s+|\s+linh\s+|\s+lẻ\s+)")
_THAI = re.compile("(?:" + "|".join(sorted(_TH, key=len, reverse=True)) + ")+")
_THAI_WORD = re.compile("|".join(sorted(_TH, key=len, reverse=True)))
_STEPS = "|".join(a + b for a, b in zip("一二三四五六七八", "二三四五六七八九", strict=True))
_NEIGHBORS = re.compile(rf"^(?:[二三四五六七八九]?十)?(?:{_STEPS})$|^(?:{_STEPS})十$")
_TWO_DIGITS = re.compile(r"[零〇一二兩三四五六七八九]{2}")
_CHINESE = re.compile(r"[零〇一二兩三四五六七八九十百千]+")
# Words in which a Chinese number is no number.
_NO_NUMBER = re.compile(
    r"一直|一樣|一定|一般|一起|一些|一點|萬一|統一|三重|三峽|三芝|八里|五股|七堵|十分|九份|四處|第一|千萬|百貨"
)
_HALVES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\ba (year|month) and a half"), r"1.5 \1"),
    (
        re.compile(r"\b(one|two|three|four|five|six|seven|eight|nine|ten|\d+) (years?|months?) and a half"),
        r"\1 and a half \2",
    ),
    (re.compile(r"\b(?:a )?half(?: of)? an?\b|(?<!and a )\bhalf(?=[- ](?:year|month))"), "0.5"),
    (re.compile(r"\ba couple(?: of)?\b"), "2"),
    (re.compile(r"\ban?(?= (?:year|month|week|day)\b)"), "1"),
    (re.compile(r"\bse(?=(?:bulan|tahun|minggu|hari)\b)"), "1 "),
    (re.compile(r"\bsetengah\b|\bnửa\b|\bkalahating\b"), "0.5"),
    (re.compile(r"\bnua(?= nam\b)"), "0.5"),
    (re.compile(r"ครึ่ง(?=ปี|เดือน)"), "0.5"),
    (re.compile(r"半(?=年|個月|个月)"), "0.5"),
    (re.compile(r"\bonce\b"), "1 time"),
    (re.compile(r"\b(?:a )?dozen\b"), "12"),
    (re.compile(r"ครั้งเดียว"), "1 ครั้ง"),
    (re.compile(r"คนเดียว"), "1 คน"),
    (re.compile(r"(?<!\d)(?<!\d )ปีกว่า"), "1 ปีกว่า"),
    (re.compile(r"เกือบปี"), "เกือบ 1 ปี"),
    (re.compile(r"(?<!sama )\bsekali\b"), "1 kali"),
    (re.compile(r"\btwice\b"), "2 times"),
    (re.compile(r"(?<=[a-z])-(?=(?:something|ish|odd)\b)"), " "),
    (re.compile(r"廿"), "二十"),
    (re.compile(r"卅"), "三十"),
)
_COUNTS = {"hundred": 100, "thousand": 1000, "nghìn": 1000, "ngàn": 1000, "ribu": 1000, "libo": 1000, "ratus": 100}
_COUNTED = re.compile(rf"(?<![\d.,])(\d+(?:\.\d+)?) ?({'|'.join(_COUNTS)})\b(?! (?:vạn|million|juta|triệu))")
_MIXED = re.compile(r"(?<![\d.])(?:(\d{1,4})千(?:(\d)百)?|(?P<only>\d)百)(?![一二三四五六七八九十百千\d])")
_BARE_YEAR_AND_HALF = re.compile(r"(?<!\d)(?<!\d )ปีครึ่ง")
_PLUS_HALF = re.compile(r"(\d+) and a half\b")
_VI_FIVE = re.compile(r"\bnăm(?= (?:chục|trăm|nghìn|ngàn|triệu|người|tháng|tuổi|lần|năm|mươi|ngày|tuần)\b)")


def digits(text: str, lang: str) -> str:
    """A tidy text with its number words as digits: "seventy-two" -> "72", "半年" -> "0.5年"."""
    for pattern, written in _HALVES:
        text = pattern.sub(written, text)
    text = _MIXED.sub(_mixed, text)
    text = _BARE_YEAR_AND_HALF.sub("1.5ปี", _thai(_chinese(text)))
    return _PLUS_HALF.sub(r"\1.5", _latin(text, lang))


def _mixed(match: re.Match[str]) -> str:
    """8千 and 3千5百 in digits."""
    return str(int(match[1] or 0) * 1000 + int(match[2] or match["only"] or 0) * 100)


def _written(tokens: list[Token]) -> str:
    """The tokens in digits; two neighbors side by side ("two three") are the span between them."""
    if len(tokens) == 2 and all(kind == "n" and 0 < number < 10 for kind, number in tokens):
        low, high = tokens[0][1], tokens[1][1]
        return f"{low}-{high}" if high == low + 1 else f"{low} {high}"
    return str(_value(tokens))


def _product(match: re.Match[str]) -> str:
    return f"{float(match[1]) * _COUNTS[match[2]]:g}" if float(match[1]) < 100_000 else match[0]


def _value(tokens: list[Token]) -> int:
    if (
        len(tokens) >= 2
        and tokens[0] in (("n", 18), ("n", 19), ("n", 20))
        and tokens[1][0] == "n"
        and tokens[1][1] >= 10
    ):
        return tokens[0][1] * 100 + _value(tokens[1:])  # nineteen ninety-five
    total = pending = 0
    for kind, number in tokens:
        if kind == "n":
            pending += number
        else:
            total, pending = total + (pending or 1) * number, 0
    return total + pending


def _latin(text: str, lang: str) -> str:
    table = _LATIN.get(lang, _EN)
    if table.get("năm"):
        text = _VI_FIVE.sub("nhăm", text)
    text = _COUNTED.sub(_product, text)
    out, end, tokens, start = [], 0, list[Token](), 0
    position = 0
    for match in _LATIN_WORD.finditer(text):
        found = _latin_tokens(match[0], table)
        joined = bool(tokens) and _JOIN.fullmatch(text, end, match.start()) is not None
        if tokens and not (found and joined):
            if match[0] in ("and", "at", "y", "linh", "lẻ"):
                continue
            out += [text[position:start], _written(tokens)]
            position, tokens = end, []
        if found:
            start = start if tokens else match.start()
            tokens += found
            end = match.end()
    if tokens:
        out += [text[position:start], _written(tokens)]
        position = end
    return "".join(out) + text[position:]


def _latin_tokens(word: str, table: Mapping[str, Token]) -> list[Token]:
    if word in table and word != "năm":
        return [table[word]]
    parts = word.split("-")
    if len(parts) > 1 and all(part in table for part in parts):
        return [table[part] for part in parts]
    return []


def _thai(text: str) -> str:
    def number(match: re.Match[str]) -> str:
        return str(_value([_TH[word] for word in _THAI_WORD.findall(match[0])]))

    return _THAI.sub(number, text)


def _chinese(text: str) -> str:
    kept = [match.span() for match in _NO_NUMBER.finditer(text)]

    def number(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in kept):
            return match[0]
        return _chinese_value(match[0])

    return _CHINESE.sub(number, text)


def _chinese_value(letters: str) -> str:
    if _NEIGHBORS.search(letters):
        return _chinese_range(letters)
    if any(letter in _ZH_TIMES for letter in letters):
        letters = letters.replace("零", "").replace("〇", "")
        if _TWO_DIGITS.search(letters):
            return letters
        return str(_value([("x", _ZH_TIMES[x]) if x in _ZH_TIMES else ("n", _ZH_DIGITS[x]) for x in letters]))
    return "".join(str(_ZH_DIGITS[letter]) for letter in letters)


def _chinese_range(letters: str) -> str:
    """七八 is seven or eight, 六十五六 sixty-five or -six, 六七十 sixty to seventy-nine."""
    if letters[-1] == "十":
        return f"{_ZH_DIGITS[letters[0]]}0-{_ZH_DIGITS[letters[1]]}9"
    low = _chinese_value(letters[:-1])
    return f"{low}-{int(low) + 1}"
