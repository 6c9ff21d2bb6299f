"""The second stage: its process survives and is survived, its input is bounded, its vectors are used and not needed."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from encoder import fuzz
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.conversation import Conversation
from bot.pipeline.resources import Resources
from intents import Context, artefact
from intents.encoder import SIZE, Vector, frames
from intents.encoder.ahead import Ahead
from intents.encoder.breaker import FAILURES, FIRST_PAUSE, Breaker
from intents.encoder.guard import BYTES, LONGEST, guarded
from intents.encoder.many import EncodingError, encode_all
from intents.encoder.process import EncoderProcess, installed
from intents.understand import Understander

needs_encoder = pytest.mark.skipif(not installed(), reason="the encoder's package is an extra and not installed")
needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler for the sanitizer build")


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


# --- what may go in --------------------------------------------------------------------------------------------------


@given(st.text(max_size=2000))
def test_a_guarded_text_is_short_composed_and_of_ordinary_characters(text: str) -> None:
    found = guarded(text)
    assert len(found) <= LONGEST
    assert len(found.encode()) <= BYTES
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") for char in found)
    assert guarded(found) == found


def test_the_character_that_overruns_the_tokenizer_is_taken_apart() -> None:
    assert "\ufdfa" not in guarded("\ufdfa" * 40)


# --- the process -----------------------------------------------------------------------------------------------------

PROGRAMS = {
    "answers": "for body in texts(): write(numpy.full(384, len(body), '<f4').tobytes())",
    "hangs": "for body in texts(): time.sleep(60)",
    "dies": "for body in texts(): sys.exit(3)",
    "lies": "for body in texts(): write(b'not a vector')",
    "floods": "for body in texts(): out.write(b'\\xff' * 100_000); out.flush()",
    "drips": "for body in texts():\n    while True: out.write(b'\\x00'); out.flush(); time.sleep(0.01)",
    "nan": "for body in texts(): write(numpy.full(384, numpy.nan, '<f4').tobytes())",
    "second try": (
        "for body in texts():\n    if b'bad' in body: sys.exit(1)\n    write(numpy.ones(384, '<f4').tobytes())"
    ),
}
HEAD = """
import sys, time
sys.path.insert(0, {home!r})
import numpy
from intents.encoder import frames
out = sys.stdout.buffer
def texts():
    while (body := frames.read(sys.stdin.buffer)) is not None:
        yield body
def write(body): frames.write(out, body)
frames.write(out, frames.READY)
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., EncoderProcess]]:
    made: list[EncoderProcess] = []

    def make(program: str, clock: Callable[[], float] | None = None, seconds: float = 0.3) -> EncoderProcess:
        path = tmp_path / f"{program.replace(' ', '_')}.py"
        path.write_text(HEAD.format(home=os.getcwd()) + textwrap.dedent(PROGRAMS[program]) + "\n", "utf-8")
        made.append(EncoderProcess(clock or Clock(), (sys.executable, str(path)), seconds, patient=True))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_vector_comes_back_and_is_remembered(process: Callable[..., EncoderProcess]) -> None:
    encoder = process("answers")
    first = encoder.encode("abc")
    assert first is not None
    assert first.shape == (SIZE,)
    assert first[0] == 3
    assert encoder.encode("abc") is first
    assert (encoder.asked, encoder.starts, encoder.state) == (1, 1, "ready")


@pytest.mark.parametrize("program", ["hangs", "dies", "lies", "floods", "drips", "nan"])
def test_a_fault_gives_no_vector_in_time_and_the_process_is_replaced(
    process: Callable[..., EncoderProcess], program: str
) -> None:
    encoder = process(program)
    encoder.start()
    began = time.monotonic()
    assert encoder.encode("one") is None
    assert time.monotonic() - began < 5
    assert encoder.state == "off"
    assert encoder.encode("two") is None
    assert encoder.starts == 2


def test_after_a_fault_the_next_message_is_answered(process: Callable[..., EncoderProcess]) -> None:
    encoder = process("second try")
    assert encoder.encode("bad") is None
    assert encoder.encode("good") is not None


def test_after_several_faults_it_rests_and_then_tries_again(process: Callable[..., EncoderProcess]) -> None:
    clock = Clock()
    encoder = process("dies", clock)
    for number in range(FAILURES):
        assert encoder.encode(f"text {number}") is None
    assert encoder.state == "resting"
    starts = encoder.starts
    assert encoder.encode("while resting") is None
    assert encoder.starts == starts
    clock.seconds += FIRST_PAUSE + 1
    assert encoder.encode("afterwards") is None
    assert encoder.starts == starts + 1


def test_a_program_that_is_not_there_is_a_fault_like_any_other() -> None:
    encoder = EncoderProcess(Clock(), ("/nowhere/at/all",))
    assert encoder.encode("text") is None
    assert encoder.failed == 1


def test_an_impatient_one_never_waits_for_the_start() -> None:
    encoder = EncoderProcess(Clock(), (sys.executable, "-c", "import time; time.sleep(30)"))
    began = time.monotonic()
    assert encoder.encode("text") is None
    assert time.monotonic() - began < 2
    assert encoder.state == "starting"
    encoder.close()


def test_it_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LABOR_BOT_HOOK_SECRET", "a secret")
    seen = tmp_path / "environment"
    code = f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))"
    EncoderProcess(Clock(), (sys.executable, "-c", code), patient=True).encode("text")
    assert "secret" not in seen.read_text("utf-8")


def test_the_breaker_pauses_longer_each_time() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    pauses = []
    for _ in range(4):
        for _ in range(FAILURES):
            breaker.failed()
        pauses.append(breaker.closed_at - clock.seconds)
        clock.seconds = breaker.closed_at
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    breaker.worked()
    assert not breaker.open


def test_many_texts_are_encoded_once(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="2 of 2"):
        encode_all(["one", "two"], Clock(), processes=1, command=("/nowhere",))
    assert encode_all([], Clock()).shape == (0, SIZE)


# --- what understanding makes of it ----------------------------------------------------------------------------------


class Told:
    """An encoder that answers what it is told to, and counts."""

    def __init__(self, vector: Vector | None) -> None:
        self.vector = vector
        self.texts: list[str] = []

    def encode(self, text: str) -> Vector | None:
        self.texts.append(text)
        return self.vector


UNCLEAR = "zorbly wendel craint something labor money thing"


def test_only_unclear_messages_are_read_twice() -> None:
    told = Told(np.ones(SIZE, np.float32) / SIZE**0.5)
    own = Understander(artefact.load(), {}, told)
    own.understand("現場徵才")
    assert told.texts == []
    own.understand(UNCLEAR)
    assert told.texts == [UNCLEAR]


def test_without_a_vector_the_first_stage_decides_and_it_is_not_remembered() -> None:
    away, alone = Told(None), Understander(artefact.load(), {})
    own = Understander(artefact.load(), {}, away)
    assert own.understand(UNCLEAR) == alone.understand(UNCLEAR)
    away.vector = np.ones(SIZE, np.float32) / SIZE**0.5
    assert any(each.stage == "both stages" for each in own.understand(UNCLEAR).why)


def test_a_vector_fetched_ahead_is_used_and_none_is_waited_for() -> None:
    told = Told(np.ones(SIZE, np.float32) / SIZE**0.5)
    ahead = Ahead(told)
    own = Understander(artefact.load(), {}, ahead)
    wanted = own.to_encode(UNCLEAR, Context())
    assert wanted is not None
    own.understand(UNCLEAR)
    assert told.texts == []
    ahead.fetch([wanted])
    assert any(each.stage == "both stages" for each in own.understand(UNCLEAR).why)
    assert own.to_encode("現場徵才", Context()) is None


def test_the_worker_fetches_vectors_beside_the_event_loop(tmp_path: Path, resources: Resources) -> None:
    """The message is understood with its vector, which was asked for in another thread."""
    threads: set[int] = set()

    class Slow(Told):
        def encode(self, text: str) -> Vector | None:
            threads.add(threading.get_ident())
            time.sleep(0.05)
            return super().encode(text)

    ahead = Ahead(Slow(np.ones(SIZE, np.float32) / SIZE**0.5))
    own = Understander(artefact.load(), {}, ahead)
    with_encoder = dataclasses.replace(resources, understander=own, encoder=ahead)

    async def talk() -> None:
        async with Conversation.open(tmp_path / "chat.db", "", "", with_encoder) as conversation:
            answer = await conversation.line({"text": UNCLEAR})
            assert answer["replies"]

    asyncio.run(talk())
    assert threads
    assert threading.get_ident() not in threads
    assert any(each.stage == "both stages" for each in own.understand(UNCLEAR).why)


def test_an_encoder_that_fails_stops_no_turn(tmp_path: Path, resources: Resources) -> None:
    class Broken(Told):
        def encode(self, text: str) -> Vector | None:
            raise RuntimeError("no encoder raises, and yet")

    ahead = Ahead(Broken(None))
    broken = dataclasses.replace(resources, understander=Understander(artefact.load(), {}, ahead), encoder=ahead)

    async def talk() -> dict[str, Any]:
        async with Conversation.open(tmp_path / "chat.db", "", "", broken) as conversation:
            return await conversation.line({"text": UNCLEAR})

    assert asyncio.run(talk())["replies"]


@needs_encoder
def test_the_real_encoder_answers_and_brings_languages_together() -> None:
    encoder = EncoderProcess(time.monotonic, seconds=20, patient=True)
    texts = ["I want to change my employer", "tôi muốn đổi chủ", "saya mau pindah majikan", "the weather is nice today"]
    vectors = [encoder.encode(text) for text in texts]
    encoder.close()
    english, vietnamese, indonesian, weather = (vector for vector in vectors if vector is not None)
    assert english @ vietnamese > english @ weather
    assert english @ indonesian > english @ weather


@needs_encoder
def test_the_process_ends_with_its_parent() -> None:
    code = (
        "import time\nfrom intents.encoder.process import EncoderProcess\n"
        "e = EncoderProcess(time.monotonic, patient=True)\ne.start()\nprint(e._child.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen((sys.executable, "-c", code), stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(timeout=10)


@needs_encoder
def test_many_threads_share_one_process() -> None:
    encoder = EncoderProcess(time.monotonic, seconds=20, patient=True)
    found: dict[int, Vector | None] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.__setitem__(n, encoder.encode(f"message number {n}")))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = EncoderProcess(time.monotonic, seconds=20, patient=True)
    for number, vector in found.items():
        expected = again.encode(f"message number {number}")
        assert vector is not None
        assert expected is not None
        assert np.allclose(vector, expected)
    encoder.close()
    again.close()


@needs_encoder
def test_the_packaged_head_fits_the_installed_encoder(resources: Resources) -> None:
    """A sentence of a label, encoded now, is read as that label by the second stage alone."""
    trained = artefact.load()
    assert trained.head is not None
    encoder = EncoderProcess(time.monotonic, seconds=20, patient=True)
    probes = {
        "現場徵才活動": "p18",
        "saya mau tanya lowongan kerja di bursa kerja": "p18",
        "i want to die": "urgent.self_harm",
    }
    for text, label in probes.items():
        vector = encoder.encode(text)
        assert vector is not None
        best = np.argsort(-trained.head.scores(vector))[:3]
        assert label in [trained.model.labels[number] for number in best]
    encoder.close()


# --- the C code under the sanitizers ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The package's own C source, built under the sanitizers, and its model."""
    source = fuzz.package()
    assert source is not None
    return fuzz.build(tmp_path_factory.mktemp("sanitized"), source), source / "e5-small-q4.bin"


@needs_encoder
@needs_compiler
@pytest.mark.slow
def test_guarded_texts_never_break_the_c_code(sanitized: tuple[Path, Path]) -> None:
    """A short form; `make endurance` runs millions of bytes (LABOR_BOT_FUZZ_BYTES)."""
    program, model = sanitized
    wanted = int(os.environ.get("LABOR_BOT_FUZZ_BYTES", "1000000"))
    texts, size = [], 0
    for raw in fuzz.broken(seed=7):
        text = guarded(raw.decode("utf-8", "ignore")).encode()
        texts.append(text)
        size += len(raw)
        if size >= wanted:
            break
    done = fuzz.run(program, model, "tokens", texts)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) == len(texts)
    some = list(islice((text for text in texts if text), 0, None, max(1, len(texts) // 12)))
    done = fuzz.run(program, model, "embed", some)
    assert done.returncode == 0, done.stderr[-3000:]


@needs_encoder
@needs_compiler
@pytest.mark.slow
def test_the_known_overrun_is_still_there_without_the_guard(sanitized: tuple[Path, Path]) -> None:
    """If this fails the package was mended: the guard may stay, its docstring should say so."""
    program, model = sanitized
    done = fuzz.run(program, model, "tokens", [("\ufdfa" * 40).encode()])
    assert b"heap-buffer-overflow" in done.stderr


def test_frames_that_are_none_end_the_talk() -> None:
    from io import BytesIO

    assert frames.read(BytesIO(b"")) is None
    assert frames.read(BytesIO(b"\x01")) is None
    assert frames.read(BytesIO(b"\x05\x00\x00\x00abc")) is None
    assert frames.read(BytesIO(b"\xff\xff\xff\xff" + b"x" * 100)) is None
    assert frames.read(BytesIO(frames.packed(b"text"))) == b"text"
