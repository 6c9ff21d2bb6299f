"""An installation's own answers: shown with their source and day, beside and never as the plan's."""

from __future__ import annotations

from pathlib import Path

from bot.cli.answering import Answering
from bot.pipeline.resources import Resources, load_resources

ADDITION = """additions:
  - topic: p15
    aspect: contact
    text: 請打{phone}。
    figures:
      phone: {value: "02-1234-5678", unit: phone, source: letter of the bureau}
    source: 勞工局來函
    as_of: 2018-03-01
"""


def test_an_addition_answers_where_the_plan_is_silent(tmp_path: Path, resources: Resources) -> None:
    asked = "尋職津貼的聯絡電話"
    silent = Answering(resources).answer(asked)
    assert silent["topics"][0] == "p15"
    assert silent["aspect"] == "contact"
    assert "沒有寫聯絡電話" in silent["text"]

    (tmp_path / "additions").mkdir()
    (tmp_path / "additions" / "ours.yaml").write_text(ADDITION, encoding="utf-8")
    added = Answering(load_resources(extra=tmp_path)).answer(asked)
    assert "請打02-1234-5678。" in added["text"]
    assert "不在計畫裡" in added["text"]
    assert "勞工局來函" in added["text"]
    assert "107年3月1日" in added["text"]
