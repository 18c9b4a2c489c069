"""Reading a function's environment. Standard library only."""

from collections.abc import Mapping


def required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ValueError(f"the environment variable {name} is missing")
    return value
