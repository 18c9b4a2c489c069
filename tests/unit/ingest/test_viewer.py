import pytest

from lambdas.ingest.viewer import is_secret, read_viewer
from tests.unit.ingest.requests import recorded

EDGE, SERVER = "edge-secret-for-tests", "server-key-for-tests"


def viewer_of(headers, edge_secret=EDGE, server_key=SERVER):
    return read_viewer(headers, headers.get("user-agent", ""), edge_secret=edge_secret, server_key=server_key)


def test_the_edge_tells_country_and_city():
    viewer = viewer_of(recorded("through_the_edge")["headers"])
    assert (viewer.country, viewer.city) == ("DE", "München")


@pytest.mark.parametrize("secret", ["", "edge-secret-for-test", "edge-secret-for-tests2", "EDGE-SECRET-FOR-TESTS", "ä"])
def test_viewer_headers_without_the_edges_secret_are_forged(secret):
    headers = recorded("through_the_edge")["headers"] | {"x-clicklake-edge-secret": secret}
    assert viewer_of(headers).country is None


def test_without_a_configured_secret_nobody_is_the_edge():
    headers = recorded("through_the_edge")["headers"] | {"x-clicklake-edge-secret": ""}
    assert viewer_of(headers, edge_secret="").country is None


def test_a_forged_forwarding_header_says_nothing():
    headers = {"x-forwarded-for": "8.8.8.8", "cloudfront-viewer-country": "US", "user-agent": "Mozilla/5.0"}
    assert (viewer_of(headers).country, viewer_of(headers).city) == (None, None)


@pytest.mark.parametrize(("header", "country"), [("de", "DE"), ("DEU", None), ("D1", None), ("", None), ("D\n", None)])
def test_a_country_is_two_letters(header, country):
    headers = recorded("through_the_edge")["headers"] | {"cloudfront-viewer-country": header}
    assert viewer_of(headers).country == country


def test_either_secret_counts_while_one_is_replaced():
    assert is_secret("old", "new, old") and is_secret("new", "new, old")
    assert not is_secret("", "new,") and not is_secret("new, old", "new, old")


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"x-clicklake-server-key": SERVER}, "server"),
        ({"x-clicklake-server-key": SERVER, "x-clicklake-origin": "import"}, "import"),
        ({"x-clicklake-server-key": SERVER, "x-clicklake-origin": "nonsense"}, "server"),
        ({"x-clicklake-server-key": "wrong", "x-clicklake-origin": "import"}, "browser"),
        ({"x-clicklake-origin": "server"}, "browser"),
        ({"x-clicklake-edge-secret": EDGE, "x-clicklake-origin": "server"}, "browser"),
    ],
)
def test_only_the_servers_key_makes_an_origin_other_than_browser(headers, origin):
    assert viewer_of(headers | {"user-agent": "python-requests/2.32"}).origin == origin


def test_the_shops_server_is_no_bot():
    assert not viewer_of({"x-clicklake-server-key": SERVER, "user-agent": "python-requests/2.32"}).agent.is_bot
