"""How a proof goes on and ends; what its parts try is tried by tests/terraform, as far as an emulator keeps it."""

from typing import Any

import pytest

from clicklake.cli import proof
from clicklake.cli.deploy import Terraform
from clicklake.cli.proof import PARTS, Part, asked_each, run, wait_for
from clicklake.local.places import TwinError


class Recorded(Terraform):
    """Nothing is deployed but by the proof."""

    def run(self, *arguments: str) -> None:
        DONE.append(arguments[0])

    def outputs(self) -> dict[str, Any]:
        return {"region": "us-east-1"} if "apply" in DONE and "destroy" not in DONE else {}


DONE: list[str] = []


@pytest.fixture
def terraform(monkeypatch) -> Terraform:
    DONE.clear()
    monkeypatch.setattr(proof, "check", lambda *arguments: None)
    monkeypatch.setattr(proof, "apply", lambda *arguments: DONE.append("apply"))
    monkeypatch.setattr(proof, "destroy", lambda *arguments, deletes_data: DONE.append("destroy"))
    monkeypatch.setattr(proof, "find_deployment", lambda environment: None)
    monkeypatch.setattr(proof, "dollars", lambda deployment: (0.1, 0.01))
    return Recorded("dev")


def part(name: str, error: str = "") -> Part:
    def prove(deployment: None) -> str:
        DONE.append(name)
        if error:
            raise TwinError(error)
        return "seen"

    return Part(name, prove)


def test_a_part_that_fails_does_not_keep_others_from_being_tried(terraform, monkeypatch, capsys):
    monkeypatch.setattr(proof, "PARTS", (part("one"), part("two", "it is not there."), part("three")))
    assert not run(terraform, keeps=False)
    assert DONE[-4:] == ["one", "two", "three", "destroy"]
    assert "it is not there." in capsys.readouterr().out


def test_all_proved_is_told_and_destroyed(terraform, monkeypatch):
    monkeypatch.setattr(proof, "PARTS", (part("one"),))
    assert run(terraform, keeps=False)
    assert DONE[-1] == "destroy"


def test_it_may_be_kept(terraform, monkeypatch):
    monkeypatch.setattr(proof, "PARTS", (part("one"),))
    assert run(terraform, keeps=True)
    assert "destroy" not in DONE


def test_what_is_deployed_already_is_not_touched(terraform):
    DONE.append("apply")
    with pytest.raises(TwinError, match="deployed already"):
        run(terraform, keeps=False)
    assert "destroy" not in DONE


def test_a_deployment_that_fails_half_way_is_destroyed(terraform, monkeypatch):
    def fail(*_: object) -> None:
        DONE.append("apply")
        raise TwinError("terraform apply failed")

    monkeypatch.setattr(proof, "apply", fail)
    assert not run(terraform, keeps=False)
    assert DONE[-1] == "destroy"


def test_what_ctrl_c_leaves_of_a_deployment_is_destroyed(terraform, monkeypatch, capsys):
    def stop(*_: object) -> None:
        DONE.append("apply")
        raise KeyboardInterrupt

    monkeypatch.setattr(proof, "apply", stop)
    monkeypatch.setattr(proof, "Terraform", lambda environment: terraform)
    assert proof.main(["--env", "dev"]) == 130
    assert DONE[-1] == "destroy"
    assert capsys.readouterr().err.count("\n") == 1


def test_waiting_ends(monkeypatch):
    with pytest.raises(TwinError, match="the mail did not come within 0 s"):
        wait_for("the mail", lambda: [], seconds=0, pause=0)
    assert wait_for("the mail", lambda: ["it"], seconds=0) == ["it"]


def test_every_query_is_asked_and_those_that_fail_are_named(monkeypatch):
    def ask(deployment: None, sql: str) -> None:
        if sql == "bad":
            raise TwinError("Athena: no")

    monkeypatch.setattr(proof, "ask_athena", ask)
    assert asked_each(None, {"a": "good"}, "views") == "1 views"
    with pytest.raises(TwinError, match=r"1 of 2 views failed.*b.*Athena: no"):
        asked_each(None, {"a": "good", "b": "bad"}, "views")


def test_parts_have_names_of_their_own():
    assert len({part.name for part in PARTS}) == len(PARTS)
