"""The chat and the desk in a real Chromium: the whole story, access for all, lost connections, leaving in a hurry."""

from __future__ import annotations

import itertools

import pytest
from browsing import Cable, Chat, People, Server, case_number
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

P15 = {
    "age": "24",
    "registered_in_city": "=yes",
    "work_since_graduation": "=none",
    "months_without_work_since_graduation": "8",
    "first_job_search": "=yes",
    "accepts_counselling": "=yes",
    "accepts_referral": "=yes",
    "times_received": "0",
}
URGENT = "我被雇主打"
numbers = itertools.count(1)


def staff_name() -> str:
    """A name that no account of this server has yet."""
    return f"caseworker{next(numbers)}"


# -- the whole story


def test_the_whole_story(server: Server, people: People) -> None:
    citizen = people.citizen().open()
    expect(citizen.page.get_by_text("我是新北市政府勞工局的線上小幫手")).to_be_in_viewport()

    # ask, browse to a card, one aspect
    assert "初次尋職青年就業服務計畫" in citizen.say("初次尋職津貼")
    citizen.dock("menu")
    citizen.tap("who")
    citizen.tap("audience:youth")
    card = citizen.page.locator(".card", has=citizen.page.locator('button[value="topic:p15"]')).last
    expect(card).to_contain_text("計畫第15項")
    assert "來源：107年度施政計畫第15項" in citizen.tap("topic:p15")
    assert "5,000" in citizen.tap("aspect:p15:amount")

    # the interview, with a reload in the middle, to a verdict; then one answer changed
    citizen.tap("check:p15")
    citizen.interview(P15)
    assert "看起來符合「青年尋職津貼」" in citizen.newest("bot")
    citizen.reload()
    assert "幾歲" in citizen.tap("change:age")
    citizen.reload()
    assert "目前看起來不符合" in citizen.say("35")
    assert citizen.asked() == ""

    # a person is asked for; the bot still answers while the case waits
    number = case_number(citizen.dock("handoff"))
    expect(citizen.page.locator(".mode-waiting")).to_be_visible()
    assert "107年度" in citizen.say("職訓要多少錢")
    citizen.reload()

    # the first caseworker changes the printed password, sees the case with what was told, and takes it
    desk = people.newcomer()
    desk.log_in("admin", server.password)
    desk.page.locator(".case a", has_text=number).click()
    expect(desk.page.locator("#side")).to_contain_text("35")
    expect(desk.page.locator("#side")).to_contain_text("可能不符合")
    desk.page.get_by_role("button", name="接手這個案件").click()
    expect(citizen.page.locator(".bubble.by-bot").last).to_contain_text("承辦人員admin加入了對話")
    expect(citizen.page.locator(".mode-human")).to_be_visible()
    desk.reply("您好，35歲的話，可以看看別的計畫。")
    said = citizen.page.locator(".bubble.by-staff").last
    expect(said).to_contain_text("可以看看別的計畫")
    expect(said).to_contain_text("承辦人員 admin")

    # held: the bot is silent, except for hotlines marked as automatic
    citizen.write("職訓有哪些？")
    expect(desk.page.locator(".bubble.by-citizen", has_text="職訓有哪些？")).to_be_visible()
    desk.reply("職訓有很多班。")
    expect(citizen.page.locator(".bubble.by-staff", has_text="職訓有很多班。")).to_be_visible()
    assert citizen.page.locator(".bubble[data-seq]").nth(-2).inner_text().endswith("職訓有哪些？")
    hotlines = citizen.answered(lambda: citizen.write(URGENT))
    assert "自動訊息" in hotlines
    assert "113" in hotlines
    expect(desk.page.locator("#head")).to_contain_text("緊急")
    citizen.reload()

    # closed: the bot is back
    desk.close()
    expect(citizen.page.locator(".bubble.by-bot").last).to_contain_text("小幫手回來了")
    expect(citizen.page.locator(".mode-human")).to_be_hidden()
    assert "初次尋職青年就業服務計畫" in citizen.say("初次尋職津貼")
    citizen.reload()


def test_a_reload_in_the_middle_of_an_interview(people: People) -> None:
    citizen = people.citizen().open()
    citizen.say("青年尋職津貼")
    citizen.tap("check:p15")
    while fact := citizen.asked():
        citizen.reload()
        assert citizen.asked() == fact
        answer = P15[fact]
        citizen.tap(f"answer:{fact}:{answer[1:]}") if answer.startswith("=") else citizen.say(answer)
    assert "看起來符合" in citizen.newest("bot")
    citizen.reload()


# -- access


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_chat(people: People, scheme: str) -> None:
    citizen = people.citizen(color_scheme=scheme).open()
    citizen.axe("welcome")
    citizen.page.locator(".languages summary").click()
    citizen.axe("languages")
    citizen.page.keyboard.press("Escape")
    citizen.say("初次尋職津貼")
    citizen.axe("topic")
    citizen.page.locator(".more summary").click()
    citizen.axe("more")
    citizen.page.keyboard.press("Escape")
    citizen.dock("menu")
    citizen.tap("themes")
    citizen.tap("theme:allowances")
    citizen.axe("cards")
    citizen.tap("check:p15")
    citizen.axe("question")
    citizen.say("???")
    citizen.axe("misread")
    citizen.interview(P15)
    citizen.axe("verdict")
    citizen.say(URGENT)
    citizen.axe("hotlines")
    citizen.dock("handoff")
    citizen.axe("waiting")
    for path in ("/privacy", "/chat/forget"):
        citizen.open(path).axe(path)


@pytest.mark.parametrize("lang", ["en", "vi", "th"])
def test_axe_finds_nothing_in_other_languages(people: People, lang: str) -> None:
    citizen = people.citizen(lang=lang).open()
    citizen.axe("welcome")
    citizen.tap(f"lang:{lang}")
    citizen.dock("menu")
    citizen.axe("menu")
    citizen.tap("checks")
    citizen.tap("check:p15")
    citizen.axe("question")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_errors_and_receipts(people: People, tolerated: list[str], scheme: str) -> None:
    tolerated += ["404", "413"]
    citizen = people.citizen(color_scheme=scheme).open()
    page = citizen.page
    citizen.open("/nowhere").axe("404")
    citizen.open()
    # a form sent past the script, as by a browser without it
    page.locator("#text").evaluate("(box) => { box.value = '勞'.repeat(2001); box.form.submit(); }")
    expect(page.locator("#notice")).to_contain_text("太長")
    citizen.axe("error with draft")
    citizen.open().say("職訓")
    for path in ("/chat/forget", "/chat/end"):
        citizen.open("/chat/forget")
        page.locator("form").evaluate("(form, path) => { form.action = path; form.submit(); }", path)
        page.wait_for_url(f"**{path}")
        expect(page.locator("h1")).to_contain_text("已經")
        citizen.axe(path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_desk(people: People, tolerated: list[str], scheme: str) -> None:
    tolerated += ["401", "400"]
    citizen = people.citizen().open()
    citizen.say("初次尋職津貼")
    citizen.tap("check:p15")
    citizen.interview(P15)
    citizen.say(URGENT)
    number = case_number(citizen.tap("handoff:urgent"))
    desk = people.newcomer(color_scheme=scheme)
    desk.page.goto(f"{desk.server.url}/desk")
    desk.axe("log-in")
    desk.page.fill("#name", "nobody")
    desk.page.fill("#password", "x")
    desk.page.get_by_role("button").click()
    expect(desk.page.locator(".notice")).to_contain_text("不正確")
    desk.axe("log-in refused")
    desk = people.caseworker(staff_name(), color_scheme=scheme)
    desk.axe("queue")
    desk.page.locator(".case a", has_text=number).click()
    expect(desk.page.locator(".claim")).to_be_visible()
    desk.axe("waiting case")
    desk.take(number)
    desk.reply("您好")
    desk.page.locator(".closing summary").click()
    desk.axe("own case")
    desk.page.get_by_role("button", name="確定結案").click()
    desk.page.locator(".views a").last.click()
    expect(desk.page.locator(".case").first).to_be_visible()
    desk.axe("closed cases")
    desk.page.goto(f"{desk.server.url}/desk/password")
    desk.axe("password")


# 1280 px at 400 % is 320 by 180 to 256 CSS pixels.
@pytest.mark.parametrize("size", [(320, 640), (320, 256), (320, 180)])
@pytest.mark.parametrize("lang", ["zh-TW", "en", "th"])
def test_nothing_scrolls_sideways(people: People, size: tuple[int, int], lang: str) -> None:
    citizen = people.citizen(*size, lang=lang).open()
    citizen.fits("welcome")
    citizen.tap(f"lang:{lang}")
    for choice in ("menu", "handoff"):
        citizen.dock(choice)
        citizen.fits(choice)
    citizen.tap("menu")
    citizen.tap("themes")
    citizen.tap("theme:allowances")
    citizen.fits("cards")
    citizen.tap("check:p15")
    citizen.fits("question")
    citizen.say(URGENT)
    citizen.fits("hotlines")
    citizen.write("x" * 500)
    citizen.fits("one long word")
    for menu in (".languages", ".more"):
        citizen.page.locator(f"{menu} summary").click()
        citizen.fits(menu)
        citizen.page.keyboard.press("Escape")
    citizen.page.focus("#text")
    expect(citizen.page.locator("#text")).to_be_in_viewport(ratio=0.9)
    expect(citizen.page.locator(".send")).to_be_in_viewport(ratio=0.9)
    for path in ("/privacy", "/chat/forget"):
        citizen.open(path).fits(path)


@pytest.mark.parametrize("size", [(320, 640), (320, 256)])
def test_nothing_scrolls_sideways_at_the_desk(people: People, size: tuple[int, int]) -> None:
    citizen = people.citizen().open()
    citizen.say("初次尋職津貼")
    number = case_number(citizen.dock("handoff"))
    desk = people.caseworker(staff_name())
    desk.page.set_viewport_size({"width": size[0], "height": size[1]})
    desk.fits("queue")
    desk.take(number)
    desk.reply("x" * 300)
    desk.fits("case")


def test_targets_are_large_enough(people: People) -> None:
    citizen = people.citizen().open()
    citizen.say("初次尋職津貼")
    citizen.say(URGENT)
    small = citizen.page.evaluate(
        """() => [...document.querySelectorAll("button, summary, a:not(.skip), textarea")]
        .map((e) => [e, e.getBoundingClientRect()])
        .filter(([e, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
        .map(([e, box]) => `${e.outerHTML.slice(0, 80)} ${box.width} x ${box.height}`)"""
    )
    assert small == []


def focused(page: Page, what: str) -> None:
    """Tab until an element has the focus; it must show so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(what) => document.activeElement.matches(what)", what):
            style = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]; }"
            )
            assert page.evaluate("document.activeElement.id") == "text" or style == ["solid", "3px"]
            return
    raise AssertionError(f"{what} is never reached with Tab")


def test_the_keyboard_alone_is_enough(people: People) -> None:
    citizen = people.citizen(width=1280, height=900).open()
    page = citizen.page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("初次尋職津貼")
    citizen.answered(lambda: page.keyboard.press("Enter"))
    assert page.evaluate("document.activeElement.id") == "text"
    focused(page, ".languages summary")
    page.keyboard.press("Enter")
    focused(page, ".languages .panel button")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.languages summary')")
    expect(page.locator(".languages .panel")).to_be_hidden()
    focused(page, "#log")
    focused(page, 'button[value="check:p15"]')
    citizen.answered(lambda: page.keyboard.press("Enter"))
    assert citizen.asked() == "age"
    focused(page, '.is-current button[value="answer:age:declined"]')
    own = page.locator(".by-citizen").count()
    citizen.answered(lambda: citizen.until_taken(own, lambda: page.keyboard.press("Space")))
    assert citizen.asked() not in ("", "age")


def compose(page: Page, **key: object) -> None:
    """Press Enter in the message box as an input method does while a candidate is chosen."""
    page.locator("#text").evaluate(
        """(box, key) => {
            box.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
            const options = { key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...key };
            box.dispatchEvent(new KeyboardEvent("keydown", options));
            box.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "職訓" }));
        }""",
        key,
    )


def test_enter_that_chooses_a_candidate_does_not_send(people: People) -> None:
    citizen = people.citizen().open()
    page = citizen.page
    page.fill("#text", "職訓")
    compose(page, isComposing=True)
    compose(page, isComposing=False, keyCode=229)
    assert page.input_value("#text") == "職訓"
    assert page.locator(".by-citizen").count() == 0
    page.press("#text", "Shift+Enter")
    page.keyboard.type("補助")
    assert page.input_value("#text") == "職訓\n補助"
    citizen.answered(lambda: page.press("#text", "Enter"))
    assert page.locator(".by-citizen").count() == 1
    assert citizen.newest("citizen").endswith("職訓\n補助")


def test_a_real_composition_does_not_send(people: People) -> None:
    citizen = people.citizen().open()
    page = citizen.page
    page.focus("#text")
    devtools = citizen.context.new_cdp_session(page)
    devtools.send("Input.imeSetComposition", {"text": "ㄓˊㄒㄩㄣ", "selectionStart": 6, "selectionEnd": 6})
    devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Process", "windowsVirtualKeyCode": 229})
    devtools.send("Input.insertText", {"text": "職訓"})
    assert page.input_value("#text") == "職訓"
    assert page.locator(".by-citizen").count() == 0


def test_enter_that_chooses_a_candidate_does_not_send_at_the_desk(people: People) -> None:
    citizen = people.citizen().open()
    desk = people.caseworker(staff_name())
    desk.take(case_number(citizen.dock("handoff")))
    desk.page.fill("#text", "您好")
    compose(desk.page, isComposing=True)
    compose(desk.page, isComposing=False, keyCode=229)
    desk.page.press("#text", "Shift+Enter")
    assert desk.page.input_value("#text") == "您好\n"
    assert desk.page.locator(".by-staff").count() == 0


def test_only_new_messages_are_announced(people: People) -> None:
    citizen = people.citizen(lang="en").open()
    page = citizen.page
    log = page.get_by_role("log", name="Conversation")
    assert log.get_attribute("aria-live") == "polite"
    assert log.get_attribute("aria-relevant") == "additions"
    citizen.say("first job search allowance")
    citizen.say("初次尋職津貼")
    expect(page.locator("html")).to_have_attribute("lang", "zh-TW")
    langs = page.eval_on_selector_all(".bubble", "all => all.map((b) => b.lang)")
    assert {"en", "zh-TW"} == set(langs)
    page.evaluate(
        """() => {
            window.added = [];
            new MutationObserver((all) => {
                for (const change of all) for (const node of change.addedNodes) {
                    if (!node.matches?.(".bubble") || node.closest("[aria-hidden]")) continue;
                    if (node.ariaLive !== "off") added.push(node.dataset.seq);
                }
            }).observe(document.getElementById("log"), { childList: true, subtree: true });
        }"""
    )
    before = citizen.last()
    citizen.say("地點")
    added = [int(seq) for seq in page.evaluate("window.added")]
    assert added == [seq for seq in range(before + 2, citizen.last() + 1)]
    for status in ("#typing", "#connection"):
        assert page.locator(status).get_attribute("role") == "status"
        assert not page.locator(f"#log {status}").count()
    assert page.locator("#notice").get_attribute("role") == "alert"


# -- scrolling


def test_it_follows_only_those_who_are_at_the_end(people: People) -> None:
    citizen = people.citizen().open()
    page = citizen.page
    for _ in range(4):
        citizen.say("初次尋職津貼")
    number = case_number(citizen.dock("handoff"))
    newer = page.get_by_role("button", name="有新訊息")
    expect(newer).to_be_hidden()
    desk = people.caseworker(staff_name())
    desk.take(number)
    expect(page.locator(".bubble.by-bot").last).to_be_in_viewport()
    first = page.locator(".bubble.by-citizen").first
    first.evaluate("(bubble) => bubble.scrollIntoView({ block: 'start' })")
    before = first.bounding_box()
    desk.reply("請看這裡")
    expect(newer).to_be_visible()
    after = first.bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=1)
    newer.click()
    expect(newer).to_be_hidden()
    expect(page.locator(".bubble.by-staff").last).to_be_in_viewport()
    desk.reply("還有這裡")
    expect(page.locator(".bubble.by-staff", has_text="還有這裡")).to_be_in_viewport()
    expect(newer).to_be_hidden()


def test_a_long_answer_is_read_from_its_beginning(people: People) -> None:
    citizen = people.citizen(320, 480).open()
    citizen.say("初次尋職津貼")
    expect(citizen.page.locator(".bubble.by-citizen").last).to_be_in_viewport()
    expect(citizen.page.locator(".bubble.by-bot .who").last).to_be_in_viewport()


def test_reduced_motion_is_honored(people: People) -> None:
    citizen = people.citizen(reduced_motion="reduce").open()
    citizen.say("職訓")
    moving = citizen.page.evaluate("() => document.getAnimations().length")
    assert moving == 0


# -- lost connections


def test_a_cut_connection_comes_back_without_loss(server: Server, people: People, tolerated: list[str]) -> None:
    tolerated += ["ERR_", "Failed to load resource"]
    with Cable(server.url) as cable:
        citizen = people.citizen()
        citizen.page.goto(cable.url)
        citizen.say("職訓")
        elsewhere = people.same_citizen(citizen).open()
        connection = citizen.page.locator("#connection")
        cable.cut()
        expect(connection).to_have_text("連線中斷，正在重新連線")
        citizen.write("這句話不能不見")
        expect(citizen.page.locator("#notice")).to_contain_text("沒有送出")
        expect(citizen.page.locator("#text")).to_have_value("這句話不能不見")
        assert citizen.page.locator(".bubble.is-pending").count() == 0
        elsewhere.say("津貼")
        elsewhere.say("移工")
        assert citizen.last() == 2
        cable.mend()
        expect(connection).to_have_text("已恢復連線")
        citizen.quiet()
        assert citizen.seqs() == elsewhere.seqs()
        expect(connection).to_have_text("")
        citizen.answered(lambda: citizen.page.press("#text", "Enter"))
        assert citizen.seqs() == sorted(set(citizen.seqs()))
        assert citizen.page.locator(".by-citizen .body", has_text="這句話不能不見").count() == 1
        citizen.reload()


def test_offline_is_told_at_once(people: People, tolerated: list[str]) -> None:
    tolerated += ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK"]
    citizen = people.citizen().open()
    citizen.say("職訓")
    connection = citizen.page.locator("#connection")
    citizen.context.set_offline(True)
    expect(connection).to_have_text("連線中斷，正在重新連線")
    citizen.write("津貼")
    expect(citizen.page.locator("#notice")).to_contain_text("沒有送出")
    citizen.context.set_offline(False)
    expect(connection).to_have_text("已恢復連線")
    citizen.answered(lambda: citizen.page.press("#text", "Enter"))
    assert citizen.page.locator(".by-citizen").count() == 2


def test_a_button_pressed_offline_can_be_pressed_again(people: People, tolerated: list[str]) -> None:
    tolerated += ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK"]
    citizen = people.citizen().open()
    citizen.say("職訓")
    citizen.context.set_offline(True)
    citizen.page.locator('.quick button[value="menu"]').click()
    again = citizen.page.get_by_role("button", name="再送一次")
    expect(again).to_be_visible()
    citizen.context.set_offline(False)
    citizen.answered(again.click)
    assert citizen.page.locator(".by-citizen .body", has_text="主選單").count() == 1


# -- without script


def test_the_whole_conversation_works_without_script(people: People) -> None:
    citizen = people.citizen(java_script_enabled=False).open()
    page = citizen.page

    def say(text: str) -> str:
        page.fill("#text", text)
        page.locator(".send").click()
        return newest()

    def tap(choice: str) -> str:
        page.locator(f'button[value="{choice}"]').last.click()
        return newest()

    def newest() -> str:
        page.wait_for_load_state()
        seqs = citizen.seqs()
        assert seqs == sorted(set(seqs))
        return page.locator(".bubble.by-bot").last.inner_text()

    assert "初次尋職青年就業服務計畫" in say("初次尋職津貼")
    expect(page.locator(".bubble").last).to_be_in_viewport()
    tap("check:p15")
    while fact := citizen.asked():
        answer = P15[fact]
        tap(f"answer:{fact}:{answer[1:]}") if answer.startswith("=") else say(answer)
    assert "看起來符合" in newest()
    tap("menu")
    number = case_number(tap("handoff"))
    desk = people.caseworker(staff_name())
    desk.take(number)
    desk.reply("您好，請說。")
    page.get_by_role("link", name="查看新訊息").click()
    expect(page.locator(".bubble.by-staff")).to_contain_text("您好，請說。")
    expect(page.locator(".mode-human")).to_be_visible()
    desk.close()
    page.locator(".languages summary").click()
    page.locator('.panel button[value="lang:en"]').click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator(".more summary").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button").click()
    citizen.open()
    assert citizen.seqs() == []


def test_the_desk_works_without_script(people: People) -> None:
    citizen = people.citizen().open()
    number = case_number(citizen.dock("handoff"))
    desk = people.caseworker(staff_name(), java_script_enabled=False)
    desk.take(number)
    desk.page.fill("#text", "您好")
    desk.page.get_by_role("button", name="送出回覆").click()
    expect(citizen.page.locator(".by-staff")).to_contain_text("您好")
    desk.close()


def test_forms_work_over_plain_http_under_a_name(people: People, tolerated: list[str]) -> None:
    tolerated += ["Cross-Origin-Opener-Policy", "401"]
    citizen = people.citizen(java_script_enabled=False)
    citizen.page.goto(citizen.server.by_name())
    citizen.page.fill("#text", "初次尋職津貼")
    citizen.page.locator(".send").click()
    expect(citizen.page.locator(".bubble.by-bot").last).to_contain_text("初次尋職青年就業服務計畫")
    desk = people.newcomer(java_script_enabled=False)
    desk.page.goto(f"{desk.server.by_name()}/desk")
    desk.page.fill("#name", "nobody")
    desk.page.fill("#password", "x")
    desk.page.get_by_role("button").click()
    expect(desk.page.locator(".notice")).to_contain_text("不正確")


# -- leaving, forgetting, languages


@pytest.mark.parametrize("way", ["button", "escape"])
def test_quick_exit_after_an_urgent_message(people: People, tolerated: list[str], way: str) -> None:
    tolerated.append("404")  # the page it leads to here has no icon
    citizen = people.citizen().open()
    page = citizen.page
    assert page.title() == "新北勞工小幫手"
    expect(page.locator(".exit")).to_be_hidden()
    citizen.say(URGENT)
    expect(page.locator(".exit")).to_be_visible()
    assert page.title() == "資訊查詢"
    expect(page.locator(".is-safety a[href='tel:113']")).to_be_visible()
    page.reload()
    assert page.title() == "資訊查詢"
    if way == "button":
        page.get_by_role("link", name="快速離開").click()
    else:
        for _ in range(3):
            page.keyboard.press("Escape")
    page.wait_for_url("**/healthz")
    page.go_back()
    assert "/healthz" in page.url or page.url == "about:blank"


def test_end_and_clear_on_this_device(people: People) -> None:
    citizen = people.citizen().open()
    citizen.say("我的秘密")
    citizen.page.locator(".more summary").click()
    other = citizen.tab()
    other.goto(citizen.server.url)
    expect(other.get_by_text("我的秘密")).to_be_visible()
    citizen.page.get_by_role("button", name="結束並清除此裝置的對話").click()
    expect(other.get_by_text("我的秘密")).to_have_count(0)
    expect(citizen.page.get_by_role("heading", name="已經結束")).to_be_visible()
    citizen.page.get_by_role("link", name="回到對話").click()
    expect(citizen.page.locator("#text")).to_be_visible()
    assert citizen.seqs() == []
    with citizen.page.expect_navigation():
        citizen.page.evaluate("() => { setTimeout(() => history.go(-2)); }")  # not while the answer is on its way
    expect(citizen.page.locator("#text")).to_be_visible()
    expect(citizen.page.get_by_text("我的秘密")).to_have_count(0)


def test_forget_me_reaches_every_open_tab(people: People) -> None:
    citizen = people.citizen().open()
    citizen.say("我的秘密")
    other = citizen.tab()
    other.goto(citizen.server.url)
    expect(other.get_by_text("我的秘密")).to_be_visible()
    citizen.page.locator(".more summary").click()
    citizen.page.get_by_role("link", name="刪除我的資料").click()
    citizen.page.get_by_role("button", name="是，全部刪除").click()
    expect(citizen.page.get_by_role("heading", name="已經刪除")).to_be_visible()
    expect(other.get_by_text("我的秘密")).to_have_count(0)
    assert "我的秘密" not in citizen.open().page.content()


def test_forgetting_in_the_chat_clears_the_page(people: People) -> None:
    citizen = people.citizen().open()
    citizen.say("我的秘密")
    citizen.dock("menu")
    citizen.tap("privacy")
    citizen.tap("forget")
    citizen.press("forget:yes")
    expect(citizen.page.get_by_text("已經刪除了")).to_be_visible()
    expect(citizen.page.locator(".bubble.by-bot").last).to_contain_text("刪除紀錄")  # the receipt
    expect(citizen.page.get_by_text("我的秘密")).to_have_count(0)


def test_a_language_is_chosen_in_its_own_name(people: People) -> None:
    citizen = people.citizen().open()
    page = citizen.page
    names = ["中文", "English", "Tiếng Việt", "Bahasa Indonesia", "ภาษาไทย", "Filipino"]
    page.locator(".languages summary").click()
    assert [name.strip() for name in page.locator(".languages .panel button").all_inner_texts()] == names
    page.get_by_role("button", name="ภาษาไทย").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "th")
    expect(page.locator(".by-bot .body").last).to_contain_text("ภาษาไทย")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "th")
    assert "answer in English" in citizen.tap("lang:en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    answer = citizen.say("first job search allowance")
    assert "(初次尋職青年就業服務計畫)" in answer
    assert page.locator(".bubble.by-bot").last.get_attribute("lang") == "en"


def test_two_browsers_are_two_conversations(people: People) -> None:
    one, other = people.citizen().open(), people.citizen().open()
    one.say("我的秘密")
    other.say("職訓")
    for chat in (one, other):
        chat.reload()
        assert chat.page.locator(".by-citizen").count() == 1
    expect(other.page.get_by_text("我的秘密")).to_have_count(0)


def test_two_tabs_show_the_same_conversation_once(people: People) -> None:
    citizen = people.citizen().open()
    citizen.say("職訓")
    tab = citizen.tab()
    tab.goto(citizen.server.url)
    citizen.say("津貼")
    newest = citizen.last()
    expect(tab.locator(f'.bubble[data-seq="{newest}"]')).to_be_visible()
    other = Chat(citizen.server, citizen.context, tab)
    assert other.seqs() == citizen.seqs()
    assert other.texts() == citizen.texts()
