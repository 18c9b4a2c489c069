import pytest

from lambdas.ingest.agent import read_agent

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 "
    "Mobile/15E148 Safari/604.1"
)
PIXEL = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Mobile Safari/537.36"
GALAXY_TAB = f"Mozilla/5.0 (Linux; Android 13; SM-X700) {WEBKIT} Safari/537.36"
CUBOT = f"Mozilla/5.0 (Linux; Android 10; CUBOT NOTE) {WEBKIT} Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "device", "browser", "system"),
    [
        (CHROME, "desktop", "Chrome", "Windows"),
        (IPHONE, "mobile", "Mobile Safari", "iOS"),
        (IPAD, "tablet", "Mobile Safari", "iOS"),
        (PIXEL, "mobile", "Chrome Mobile", "Android"),
        (GALAXY_TAB, "tablet", "Chrome", "Android"),
        (CUBOT, "mobile", "Chrome Mobile", "Android"),
    ],
)
def test_people_are_no_bots_and_have_a_device(user_agent, device, browser, system):
    agent = read_agent(user_agent)
    assert (agent.device_type, agent.browser, agent.os, agent.is_bot) == (device, browser, system, False)


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        CHROME.replace("Chrome/", "HeadlessChrome/"),
        "curl/8.5.0",
        "python-requests/2.32",
    ],
)
def test_bots_say_so(user_agent):
    agent = read_agent(user_agent)
    assert agent.is_bot and agent.bot_reasons == ("user_agent",) and agent.device_type == "bot"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("okhttp/4.12.0", "other"),
        ("MyShop/3.1 (Android 14; Pixel 8) okhttp/4.12.0", "mobile"),
        ("Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B Build/TP1A.220624.014)", "mobile"),
        ("MyShop/3.1 (Android 13; SM-X700) okhttp/4.12.0", "tablet"),
        (PIXEL + " okhttp/4.9.0", "mobile"),
        ("MyShop/12 CFNetwork/1474 Darwin/23.0.0", "mobile"),
    ],
)
def test_an_app_is_no_bot_for_the_client_it_sends_with(user_agent, device):
    agent = read_agent(user_agent)
    assert (agent.is_bot, agent.device_type) == (False, device)


@pytest.mark.parametrize("name", ["Googlebot/2.1", "SomeCrawler/1.0", "python-requests/2.32"])
def test_a_bot_that_sends_by_an_apps_client_is_a_bot(name):
    assert read_agent(f"{name} okhttp/4.12.0").is_bot


@pytest.mark.parametrize("user_agent", ["", "   "])
def test_no_user_agent_is_a_bot(user_agent):
    assert read_agent(user_agent).bot_reasons == ("no_user_agent",)


def test_a_header_of_megabytes_is_read_in_bounded_time():
    assert read_agent("Mozilla/5.0 (" * 100_000).device_type == "other"
