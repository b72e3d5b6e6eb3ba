"""The page: what it lets in, and what a real browser makes of it."""

import contextlib
import http.client
import json
import time

import pytest
from browser import Browser, chromium

from models.music.errors import BadConfig
from realtime_client.controls import control
from realtime_client.desk import Desk
from realtime_client.messages import Beat, Control, Harmony, Played, Server, Stage, Status
from realtime_client.page import MOST_WATCHERS, TOKEN, Page, address_of, token_of
from realtime_client.settings import JamSettings

BAR, S = 3840, 1_000_000_000


class Stage_with_a_page:
    """A page, what was turned on it, and a desk that it shows."""

    def __init__(self, port: int = 0, token: str = "secret word") -> None:
        self.turned: list[Control] = []
        self.desk = Desk(JamSettings(server="127.0.0.1:8001"))
        self.page = Page(("127.0.0.1", port), token, self.turned.append)
        self.port = self.page.server_address[1]

    def show(self) -> None:
        for turned in self.turned:
            self.desk.take(turned)
        self.page.show(self.desk.picture(time.perf_counter_ns()))

    def play(self) -> None:
        now = time.perf_counter_ns()
        self.desk.take(Server("ready", "plays jam 3", ("swing", "bossa"), 14.2))
        self.desk.take(Beat(now, 8 * BAR, 120.0, False, "fl", 4, 0))
        self.desk.take(Status(now, 8 * BAR, 9 * BAR + BAR // 2, 1, 5, 0, 0, 0, 0, False, True, True))
        self.desk.take(Harmony(now - 4 * S, now - 4 * S, 6 * BAR, "F#m7b5", True, 1))
        for step in range(16):
            self.desk.take(Played(now - 4 * S + 14_000_000, 0, 60 + step, 90, 6 * BAR + step * 480, 400, "model", 1))
        self.desk.player.append((54, 127, 7 * BAR, BAR // 2))

    def ask(
        self, method: str = "GET", path: str = "/", body: object = None, **headers: str
    ) -> http.client.HTTPResponse:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        given = {"Host": f"127.0.0.1:{self.port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        line.request(method, path, None if body is None else body if isinstance(body, str) else json.dumps(body), given)
        return line.getresponse()

    def turn(self, body: object, **headers: str) -> tuple[int, str]:
        answer = self.ask("POST", "/control", body, **({TOKEN: "secret word"} | headers))
        return answer.status, answer.read().decode()


@pytest.fixture
def stage():
    made = Stage_with_a_page()
    with made.page:
        yield made


def test_a_control_with_the_token_arrives(stage):
    assert stage.turn({"name": "temperature", "value": 1.2}) == (204, "")
    assert stage.turn({"name": "panic"}, Origin=f"http://127.0.0.1:{stage.port}")[0] == 204
    assert stage.turned == [Control("temperature", 1.2), Control("panic")]


@pytest.mark.parametrize(
    "headers",
    [
        {TOKEN: "guessed"},
        {TOKEN: ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
def test_another_site_turns_nothing(stage, headers):
    assert stage.turn({"name": "panic"}, **headers)[0] == 403
    assert stage.turned == []


@pytest.mark.parametrize("path", ["/", "/state", "/events"])
def test_a_name_that_another_site_points_here_reads_nothing(stage, path):
    answer = stage.ask("GET", path, Host="rebound.example")
    assert answer.status == 403
    assert b"secret" not in answer.read()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("no json", "A control is JSON"),
        ("[1]", "A control is JSON"),
        ({"value": 1}, "A control is JSON"),
        ({"name": "temperature", "value": 99}, "temperature is 99; give 0 to 4."),
        ({"name": "record", "value": "/etc/passwd"}, "give one of on, off."),
        ({"name": "explode"}, "'explode' is no control"),
        ("x" * 1001, "at most 1000 bytes"),
    ],
)
def test_a_control_that_makes_no_sense_is_answered_in_a_sentence(stage, body, sentence):
    code, said = stage.turn(body)
    assert code == 400
    assert sentence in said
    assert stage.turned == []


def test_the_page_may_load_nothing_from_anywhere(stage):
    answer = stage.ask()
    policy, text = answer.headers["Content-Security-Policy"], answer.read().decode()
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "{{" not in text
    assert stage.ask().headers["Content-Security-Policy"] != policy, "a nonce is used once"


def test_every_picture_is_sent_and_watchers_leave_room_for_others(stage):
    stage.show()
    answers = [stage.ask("GET", "/events") for _ in range(MOST_WATCHERS)]
    assert [answer.status for answer in answers] == [200] * MOST_WATCHERS
    assert stage.ask("GET", "/events").status == 503
    lines = [answers[0].fp.readline() for _ in range(4)]
    assert json.loads(lines[2].removeprefix(b"data: "))["session"] == stage.page.session
    answers[0].close()
    end = time.monotonic() + 10
    while stage.ask("GET", "/events").status == 503 and time.monotonic() < end:
        stage.show()
        time.sleep(0.02)
    assert time.monotonic() < end


def test_the_state_is_the_picture(stage):
    stage.play()
    stage.show()
    assert json.loads(stage.ask("GET", "/state").read())["chord"]["symbol"] == "F#m7b5"


def test_a_port_that_is_taken_is_named_with_the_way_out(stage):
    with pytest.raises(BadConfig, match=rf"page_port {stage.port} is taken .*--page-port"):
        Stage_with_a_page(stage.port)


def test_only_this_machine_is_listened_to(stage):
    assert stage.page.server_address[0] == "127.0.0.1"


def test_the_page_of_a_session_is_where_its_letters_go_or_where_it_was_told_to_be():
    stage = Stage.anywhere()
    assert address_of(stage, JamSettings()) == stage.ui
    assert address_of(stage, JamSettings(page_port=4711)) == ("127.0.0.1", 4711)
    assert token_of(stage) == token_of(Stage.read(stage.written()))
    assert stage.secret not in token_of(stage)


# In a real browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def opened(stage, browser):
    stage.play()
    stage.show()
    browser.look()
    browser.open(stage.page.url + "/")
    browser.until("picture !== null")
    return stage


def test_the_page_shows_the_session(opened, browser):
    browser.until("document.getElementById('symbol').textContent === 'F#m7b5'")
    said = {
        name: browser.text(name) for name in ("server", "tempo", "source", "place", "ahead", "first", "share", "notes")
    }
    assert said == {
        "server": "Server ready, 14 ms",
        "tempo": "120.0 BPM",
        "source": "FL Studio, stopped",
        "place": "bar 9",
        "ahead": "1.5",
        "first": "14",
        "share": "100",
        "notes": "of 16 notes",
    }
    assert browser.value("[...document.querySelectorAll('#style option')].map((o) => o.text)") == [
        "any",
        "swing",
        "bossa",
    ]
    assert browser.value("document.getElementById('notice').hidden")


def inked(browser, colour: str) -> int:
    """How many dots of the roll are of a colour, blended as they may be."""
    return browser.value(f"""(() => {{
      draw();
      const [r, g, b] = getComputedStyle(document.documentElement).getPropertyValue("--{colour}").match(/\\w\\w/g).map((x) => parseInt(x, 16));
      const box = document.getElementById("roll"), dots = box.getContext("2d").getImageData(0, 0, box.width, box.height).data;
      let many = 0;
      for (let n = 0; n < dots.length; n += 4) many += dots[n + 3] > 100 && Math.abs(dots[n] - r) + Math.abs(dots[n + 1] - g) + Math.abs(dots[n + 2] - b) < 12;
      return many;
    }})()""")


def test_the_roll_draws_solo_and_player_in_their_colours(opened, browser):
    assert inked(browser, "solo") > 500
    assert inked(browser, "player") > 50
    opened.desk.solo.clear()
    opened.show()
    browser.until("picture.solo.length === 0")
    assert inked(browser, "solo") == 0


def test_escape_is_panic_even_while_a_knob_is_held(opened, browser):
    browser.value("document.getElementById('temperature').focus()")
    browser.press("Escape")
    until(lambda: opened.turned)
    assert opened.turned == [Control("panic")]


def test_buttons_and_knobs_turn_what_they_say(opened, browser):
    browser.click("stop")
    until(lambda: opened.turned)
    browser.click("panic")
    until(lambda: len(opened.turned) == 2)
    browser.value("document.getElementById('temperature').focus()")
    browser.press("ArrowRight")
    until(lambda: len(opened.turned) == 3)
    assert opened.turned[:2] == [Control("stop"), Control("panic")]
    opened.show()
    browser.until("document.getElementById('stop').getAttribute('aria-pressed') === 'true'")


def test_a_knob_that_another_turned_follows(opened, browser):
    opened.desk.take(control("chord_bias", 0.8))
    opened.show()
    browser.until("document.getElementById('chord_bias').value === '0.8'")
    assert browser.text("chord_bias-told") == "0.80"


def test_a_port_that_is_gone_is_said(opened, browser):
    opened.desk.take(Status(0, 0, 0, 0, 0, 0, 0, 0, 0, False, False, True))
    opened.show()
    browser.until("!document.getElementById('notice').hidden")
    assert "No MIDI input" in browser.text("notice")


def test_the_page_says_when_the_session_has_ended_and_finds_the_next_at_the_same_port(browser):
    first = Stage_with_a_page()
    with first.page:
        first.show()
        browser.open(first.page.url + "/")
        browser.until("picture !== null")
        first.desk.ended = True
        first.show()
        browser.until("document.getElementById('notice').textContent.startsWith('The session has ended')")
    assert browser.value("document.body.classList.contains('away')")
    second = Stage_with_a_page(first.port, token="another word")
    with second.page:
        second.play()
        second.show()
        until(lambda: with_patience(lambda: browser.text("symbol") == "F#m7b5"))
        assert browser.value("TOKEN") == "another word"


def test_a_lost_connection_is_said_and_comes_back(browser):
    first = Stage_with_a_page()
    with first.page:
        first.show()
        browser.open(first.page.url + "/")
        browser.until("picture !== null")
    browser.until("document.getElementById('notice').textContent.startsWith('No connection')")
    again = Stage_with_a_page(first.port)
    with again.page:
        again.show()
        browser.until("document.getElementById('notice').hidden")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 390, 800, 1400])
def test_it_fits_every_width_and_every_text_can_be_read(opened, browser, width, dark):
    browser.look(width, 800, dark)
    browser.until(f"innerWidth === {width}")
    assert browser.value("document.documentElement.scrollWidth") <= width
    small = browser.value(
        "[...document.querySelectorAll('button, select, input')].filter((e) => e.offsetHeight < 44).length"
    )
    assert small == 0, "a finger needs 44 dots"
    faint = browser.value(FAINT)
    assert faint == [], "contrast below 4.5 to 1"


FAINT = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
  };
  return [...document.querySelectorAll("h1, span, strong, b, small, output, button, select, p, div")]
    .filter((e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => [e.id || e.className || e.tagName, light(getComputedStyle(e).color), light(behind(e))])
    .filter(([, a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5)
    .map(([name]) => name);
})()"""


def test_everything_can_be_reached_by_keyboard_and_has_a_name(opened, browser):
    nameless = browser.value("""[...document.querySelectorAll("button, select, input")]
      .filter((e) => !(e.textContent.trim() || e.labels?.length)).map((e) => e.id)""")
    assert nameless == []
    assert browser.value("document.querySelectorAll('[tabindex]').length") == 0, (
        "the order of the page is the order of Tab"
    )


def until(true, patience_s: float = 10.0) -> None:
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def with_patience(question) -> bool:
    """A page that is being loaded again cannot be asked for a moment."""
    with contextlib.suppress(AssertionError):
        return question()
    return False
