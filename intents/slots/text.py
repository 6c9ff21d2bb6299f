"""Makes a typed answer plain: one width, one case, traditional characters, ASCII digits."""

from __future__ import annotations

import re
import unicodedata

from intents.normalise import HAN, traditional

LONGEST = 400  # characters; a longer message is a story, not an answer

_SPACE = re.compile(r"\s+")
_QUESTION = re.compile(
    r"[?]|嗎|ㄇ$|幹嘛|如何|算不算|可不可以|能不能|要不要|什麼|甚麼|怎麼|怎樣|為何|哪裡|哪個|多少錢|是不是|有沒有要|會不會"
    r"|^(?:what|how|why|where|when|which|who|do i|can i|could i|should i|does|is it|is that|are there|what's)\b"
    r"|^(?:apa|bagaimana|kenapa|mengapa|apakah|ano|paano|pano|bakit|magkano|saan|san|kailan|kelan|sino)\b"
    r"|\bpo ba\b|\bba (?:ako|yun|yan|ito|to|kami|kayo|ang|yung|sya|siya)\b"
    r"|\b(?:kailangan|pwede|puwede|kasama|kasali|pasok|meron|may|dapat) ba\b"
    r"|\b(?:là gì|tại sao|thế nào|la gi|tai sao)\b|(?<!เกิด)อะไร(?!เลย|ก็ได้)|ยังไง|ทำไม"
    r"|ไหม|มั้ย|หรือเปล่า|หรือยัง|เท่าไหร่|เมื่อไหร่|(?<!งาน)ที่ไหน(?!เลย|ก็ได้|มา)|^ใคร|ใคร$"
)


def tidy(text: str) -> str:
    """The text in one normal form. Also used on word lists, so that both sides look alike."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = traditional(text) if HAN.search(text) else text
    text = text.replace("\u0e4d\u0e32", "\u0e33")  # NFKC parts the Thai vowel am, which patterns write in one
    letters = (_ascii_digit(letter) for letter in text if unicodedata.category(letter) not in ("Cf", "Cs", "Co", "Cn"))
    return _SPACE.sub(" ", "".join(letters).replace("’", "'").replace("臺", "台")).strip()


def _ascii_digit(letter: str) -> str:
    if unicodedata.category(letter) == "Nd":
        return str(unicodedata.digit(letter))
    return " " if unicodedata.category(letter) == "Cc" else letter


def bare(text: str) -> str:
    """The text without accents: how Vietnamese is often typed. Thai keeps its marks, which are letters there."""
    parts = unicodedata.normalize("NFD", text.replace("đ", "d"))
    kept = (mark for mark in parts if unicodedata.category(mark) != "Mn" or "\u0e00" <= mark <= "\u0e7f")
    return unicodedata.normalize("NFC", "".join(kept))


def is_question(text: str) -> bool:
    """Does a tidy text ask something rather than answer?"""
    return _QUESTION.search(text) is not None


def has_phrase(text: str, phrase: str) -> bool:
    """Does the phrase stand in the text, as whole words where the script has words?"""
    if phrase not in text:
        return False
    if not phrase.isascii() and any("\u0e00" <= letter <= "\u9fff" for letter in phrase):
        return True
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) is not None
