"""The site in a real browser: what a reader sees and can do, and what must not happen."""

import json
import os
from dataclasses import dataclass

import pytest

if not os.environ.get("GLASSBENCH_BROWSER"):
    pytest.importorskip("selenium")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

PHONE, DESK = (400, 800), (1200, 900)
_IS_STYLED = "return document.readyState === 'complete' && document.styleSheets.length === 1"


@pytest.fixture(scope="module")
def open_page(browser, site):
    """Open a page of the site, in a window of a size, on a ground of a kind."""

    def call(page, size=DESK, scheme="light", media="", folder=site.folder):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": features, "media": media}
        )
        resize(browser, size)
        browser.get("about:blank")
        file, mark, fragment = page.partition("#")
        browser.get(f"{(folder / file).as_uri()}{mark}{fragment}")
        WebDriverWait(browser, 20).until(lambda one: one.execute_script(_IS_STYLED))
        return browser

    return call


@pytest.fixture
def visit(open_page, browser):
    """The same for one test, which starts with nothing said and nothing asked for."""
    drained(browser)
    return open_page


def resize(browser, size):
    """Give the window a size in pixels."""
    width, height = size
    given = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", given)


def drained(browser):
    """Return what the console says since the last call, and the addresses that were asked for."""
    console = [entry["message"] for entry in browser.get_log("browser")]
    asked = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    return console, asked


def rows(browser, table):
    """Return the texts of the rows that can be seen, cell by cell."""
    return browser.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
        ".filter((row) => row.getClientRects().length)"
        ".map((row) => [...row.cells].map((cell) => cell.textContent.trim()))",
        table,
    )


def heading(browser, table, title):
    """Return the heading of a column."""
    (found,) = [
        one
        for one in browser.find_elements(By.CSS_SELECTOR, f"#{table} thead th")
        if one.text.split("\n")[0].startswith(title)
    ]
    return found


@dataclass(frozen=True)
class Seen:
    """What a page shows once it has loaded."""

    title: str
    heading: str
    console: list
    asked: list
    elements: list
    width_on_phone: int


@pytest.fixture(scope="module")
def seen(open_page, site):
    """Every kind of page, loaded once; then its window is made narrow."""
    found = {}
    for page in site.kinds:
        browser = open_page(page)
        console, asked = drained(browser)
        elements, heading = browser.execute_script(
            "return [[document.scripts.length, document.images.length, frames.length],"
            " document.querySelector('h1').textContent]"
        )
        resize(browser, PHONE)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        found[page] = Seen(browser.title, heading, console, asked, elements, width)
    return found


def test_pages_load_without_a_complaint_and_ask_no_one_else(seen, site):
    own = site.folder.as_uri()
    for page, one in seen.items():
        assert one.title.endswith(" - Glassbench"), page
        assert not one.console, page
        files = [address for address in one.asked if address != "about:blank"]
        assert any(address.endswith("/site.js") for address in files), page
        assert all(address.startswith(own) for address in files), page


def test_a_complaint_and_a_foreign_request_would_be_seen(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!DOCTYPE html><title>x</title><img src='http://127.0.0.1:9/x.png'>"
        "<script>console.error('seen')</script>"
    )
    browser.get(page.as_uri())
    console, asked = drained(browser)
    assert any("seen" in one for one in console)
    assert "http://127.0.0.1:9/x.png" in asked


def test_no_page_is_wider_than_a_phone(seen):
    assert {
        page: one.width_on_phone for page, one in seen.items() if one.width_on_phone > 400
    } == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_pass_the_checks_of_axe(visit, site, scheme):
    from axe_core_python.selenium import Axe

    axe = Axe()
    for page in site.layouts:
        browser = visit(page, size=PHONE if scheme == "dark" else DESK, scheme=scheme)
        # Rows of a table are alike, and axe takes seconds for a hundred of them.
        browser.execute_script(
            "for (const body of document.querySelectorAll('tbody'))"
            " [...body.rows].slice(3).forEach((row) => row.remove());"
        )
        found = axe.run(browser)
        assert len(found["passes"]) > 10, page
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], page


def test_a_table_sorts_by_mouse_and_by_keyboard(visit):
    browser = visit("boards/circuit.html")
    scores = [float(row[2]) for row in rows(browser, "standings")]
    assert scores == sorted(scores, reverse=True)
    assert heading(browser, "standings", "Score").get_attribute("aria-sort") == "descending"

    heading(browser, "standings", "Score").find_element(By.TAG_NAME, "button").click()
    assert [float(row[2]) for row in rows(browser, "standings")] == sorted(scores)
    assert heading(browser, "standings", "Score").get_attribute("aria-sort") == "ascending"

    button = heading(browser, "standings", "Method").find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    names = [row[1].lower() for row in rows(browser, "standings")]
    assert names.index("good") < names.index("oracle") < names.index("weak (steps=10)")
    assert heading(browser, "standings", "Method").get_attribute("aria-sort") == "ascending"
    assert heading(browser, "standings", "Score").get_attribute("aria-sort") is None


def test_empty_cells_come_last_whichever_way_a_table_is_sorted(visit):
    browser = visit("boards/circuit.html")
    button = heading(browser, "standings", "Rank").find_element(By.TAG_NAME, "button")
    for _ in range(2):
        button.click()
        ranks = [row[0] for row in rows(browser, "standings")]
        assert not any(ranks[-3:]) and all(ranks[:-3])


def test_tasks_are_filtered_by_track_suite_regime_and_tag(visit):
    browser = visit("tasks.html")
    labels = [one.text for one in browser.find_elements(By.CSS_SELECTOR, ".tools label")]
    assert labels == ["Search", "Track", "Suites", "Regime", "Tags"]
    selects = {
        label.text: Select(browser.find_element(By.ID, label.get_attribute("for")))
        for label in browser.find_elements(By.CSS_SELECTOR, ".tools label")[1:]
    }
    selects["Track"].select_by_visible_text("features (arm: independent)")
    found = rows(browser, "tasks")
    assert len(found) == 8 and {row[1] for row in found} == {"features (arm: independent)"}
    assert browser.find_element(By.CSS_SELECTOR, "[role=status]").text.startswith("8 of 8 rows")
    tag = selects["Tags"].options[1].text
    selects["Tags"].select_by_visible_text(tag)
    assert 0 < len(rows(browser, "tasks")) <= 8
    assert all(tag in row[4] for row in rows(browser, "tasks"))
    search = browser.find_element(By.CSS_SELECTOR, "input[type=search]")
    search.send_keys("no such task")
    assert rows(browser, "tasks") == []


def test_an_address_can_name_what_is_shown(visit):
    browser = visit("tasks.html#track=features%20(arm%3A%20independent)")
    assert len(rows(browser, "tasks")) == 8


def test_a_large_table_shows_a_part_until_more_is_asked_for_and_prints_whole(visit):
    browser = visit("tasks.html")
    every = len(browser.find_elements(By.CSS_SELECTOR, "#tasks tbody tr"))
    assert every > 100
    assert len(rows(browser, "tasks")) == 100
    assert len(rows(visit("tasks.html", media="print"), "tasks")) == every
    browser = visit("tasks.html")
    more = WebDriverWait(browser, 10).until(
        lambda one: next(
            (b for b in one.find_elements(By.CSS_SELECTOR, "main > button") if b.is_displayed()),
            None,
        )
    )
    more.click()
    assert len(rows(browser, "tasks")) == every
    assert not more.is_displayed()


def test_print_leaves_out_what_paper_cannot_do(visit):
    browser = visit("boards/circuit.html", scheme="dark", media="print")
    for selector in ("header nav", ".tools", ".status"):
        assert not browser.find_element(By.CSS_SELECTOR, selector).is_displayed()
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert browser.execute_script(ground) == "rgb(255, 255, 255)"


def test_the_dark_ground_is_dark(visit):
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert visit("index.html", scheme="dark").execute_script(ground) == "rgb(20, 24, 29)"


def test_the_keyboard_reaches_the_content_first_and_what_has_focus_is_seen(visit):
    browser = visit("index.html")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the content"
    outline = "return getComputedStyle(arguments[0]).outlineStyle"
    assert browser.execute_script(outline, skip) == "solid"
    skip.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.execute_script(outline, browser.switch_to.active_element) == "solid"


def test_names_of_others_are_text(seen, visit):
    for page, one in seen.items():
        assert one.title != "owned"
        assert one.elements in ([1, 0, 0], [1, 1, 0]), page
    headings = [one.heading for one in seen.values()]
    assert "<script>document.title='owned'</script><img src=x onerror=alert(1)>" in headings
    assert any(one.startswith('</script></table>"quo\'te" & `tick` new line') for one in headings)
    assert any("{{ 7*7 }} {% raw %}" in row[1] for row in rows(visit("index.html"), "circuit-top"))


def test_what_submitters_say_is_text(site, visit):
    (page,) = [page for page in site.kinds if page.startswith("methods/script-document-title")]
    browser = visit(page, size=PHONE)
    said = browser.find_element(By.ID, "main").text
    for text in ("<img src=x onerror=alert(3)>", "<b>CC0</b>", '"><svg onload=alert(5)>', "zzzzz"):
        assert text in said
    assert "</main><script>document.title='owned'</script> zzz" in said
    (link,) = browser.find_elements(By.CSS_SELECTOR, "a[rel~=nofollow]")
    assert link.get_attribute("href").startswith("https://example.org/%22%3E%3Cscript%3E")
    assert browser.title != "owned"
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]


def test_a_board_with_files_of_tables_fits_a_phone_and_passes_axe(visit, site_with_tables):
    from axe_core_python.selenium import Axe

    browser = visit("boards/circuit.html", size=PHONE, folder=site_with_tables)
    assert browser.find_elements(By.CSS_SELECTOR, "a[href^='../tables/']")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    assert [one["id"] for one in Axe().run(browser)["violations"]] == []
    assert drained(browser)[0] == []


def test_no_table_is_wider_than_paper_when_it_is_printed(visit):
    """A4 is 210 mm wide, 190 of them between margins: 718 pixels."""
    browser = visit("boards/circuit.html", media="print", size=(718, 1123))
    page, *tables = browser.execute_script(
        "return [document.documentElement.scrollWidth,"
        " ...[...document.querySelectorAll('.scroll')].map((one) => one.scrollWidth)]"
    )
    assert tables and max(page, *tables) <= 718


def test_names_stay_in_sight_when_a_table_is_moved_to_the_side(visit):
    browser = visit("boards/circuit.html", size=PHONE)
    left, moved = browser.execute_script(
        "const frame = document.querySelector('.scroll');"
        "frame.scrollLeft = 10_000;"
        "const name = frame.querySelector('tbody th').getBoundingClientRect();"
        "return [name.left - frame.getBoundingClientRect().left, frame.scrollLeft];"
    )
    assert moved > 100 and 0 <= left < 5
