import pytest

from lambdas.ingest.settings import Settings

PARAMETERS = {"/clicklake/hash": "1:" + "0f" * 32, "/clicklake/edge": "secret"}
REQUIRED = {"LAKE_BUCKET": "lake", "HASH_KEY_PARAMETER": "/clicklake/hash"}


def settings_of(**environment):
    return Settings.from_environment(REQUIRED | environment, PARAMETERS.__getitem__)


def test_defaults_are_the_careful_ones():
    settings = settings_of()
    assert (settings.unknown_consent, settings.accept_flat, settings.collect_user_age) == (
        "denied",
        False,
        False,
    )
    assert (settings.edge_secret, settings.server_key, settings.allowed_origins) == ("", "", ())
    assert settings.search_parameters == ("q", "query", "s", "search")


def test_secrets_are_read_by_their_names_and_not_printed():
    settings = settings_of(EDGE_SECRET_PARAMETER="/clicklake/edge")
    assert settings.edge_secret == "secret" and settings.hash_keys == PARAMETERS["/clicklake/hash"]
    assert "secret'" not in repr(settings) and "0f0f" not in repr(settings)


def test_lists_are_separated_by_commas():
    settings = settings_of(ALLOWED_ORIGINS="https://a.example, https://b.example,", SEARCH_PARAMETERS="suche")
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.search_parameters == ("suche",)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_name_is_said(name):
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({key: value for key, value in REQUIRED.items() if key != name}, PARAMETERS.get)


@pytest.mark.parametrize("wrong", [{"UNKNOWN_CONSENT": "maybe"}, {"ACCEPT_FLAT": "yes"}])
def test_a_wrong_value_is_said(wrong):
    with pytest.raises(ValueError, match="|".join(wrong)):
        settings_of(**wrong)
