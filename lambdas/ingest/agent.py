"""Device, browser, operating system and bots from the user agent, by ua-parser and crawlerdetect."""

import re
from dataclasses import dataclass
from functools import lru_cache

from crawlerdetect import CrawlerDetect
from ua_parser import Parser
from ua_parser.basic import Resolver
from ua_parser.loaders import load_lazy_builtins

# Longer ones are made up, and every pattern of two libraries is tried on them.
MAX_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Agent:
    """`device_type` is mobile, desktop, tablet, bot or other; browser and os are families; None: unknown."""

    browser: str | None
    os: str | None
    device_type: str | None
    is_bot: bool
    bot_reasons: tuple[str, ...]


NO_AGENT = Agent(None, None, "other", True, ("no_user_agent",))
# The shop's own servers are no visitors: what they are written in says nothing.
SERVER = Agent(None, None, None, False, ())

_MOBILE_SYSTEMS = frozenset({"iOS", "Android", "Windows Phone", "BlackBerry OS", "KaiOS", "HarmonyOS"})
_DESKTOP_SYSTEMS = frozenset({"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD"})
# What apps for Android send with, and say where they set no name of their own. To the list of crawlers
# it is one; who has nothing else to say for a bot is an app.
_APP_CLIENT = re.compile(r"okhttp(?:/[\w.-]*)?", re.IGNORECASE)
_TABLETS = ("iPad", "Kindle", "Nexus 7", "Nexus 10", "Tablet", "GT-P", "SM-T", "SM-X", "Tab ", "MediaPad")


@lru_cache(maxsize=1)
def _libraries() -> tuple[Parser, CrawlerDetect]:
    # Both are loaded on first use. lru_cache below is the only cache: keyed by the whole answer.
    return Parser(Resolver(load_lazy_builtins())), CrawlerDetect()


def read_agent(user_agent: str) -> Agent:
    """Reads a User-Agent header; an empty one is a bot's."""
    text = user_agent.strip()[:MAX_LENGTH]
    return _read(text) if text else NO_AGENT


@lru_cache(maxsize=4096)
def _read(text: str) -> Agent:
    parser, crawlers = _libraries()
    result = parser.parse(text)
    browser = result.user_agent.family if result.user_agent else None
    system = result.os.family if result.os else None
    family = result.device.family if result.device else ""
    if family == "Spider" or crawlers.isCrawler(_APP_CLIENT.sub("", text)):
        return Agent(browser, system, "bot", True, ("user_agent",))
    return Agent(browser, system, _device_type(text, system, family), False, ())


def _device_type(text: str, system: str | None, family: str) -> str:
    if any(mark in family or mark in text for mark in _TABLETS):
        return "tablet"
    if system == "Android":
        # Google's rule for browsers: a phone says Mobile, a tablet does not. Apps say neither, and are on
        # phones mostly. Televisions are neither.
        if "TV" in text:
            return "other"
        return "mobile" if "Mobile" in text or not text.startswith("Mozilla/") else "tablet"
    if system in _MOBILE_SYSTEMS:
        return "mobile"
    return "desktop" if system in _DESKTOP_SYSTEMS else "other"
