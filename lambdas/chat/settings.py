"""What the chat function is told. The webhook's address is a secret: whoever has it can write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clicklake.environment import required


@dataclass(frozen=True)
class Settings:
    webhook_url: str = field(repr=False)

    @staticmethod
    def from_environment(environment: Mapping[str, str], read_parameter: Callable[[str], str]) -> "Settings":
        name = required(environment, "WEBHOOK_PARAMETER")
        url = read_parameter(name)
        if not url.startswith("https://"):
            raise ValueError(f"the SSM parameter {name} holds no https address")
        return Settings(url)
