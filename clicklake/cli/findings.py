"""What a doctor finds, and how it is told."""

from collections.abc import Iterable
from dataclasses import dataclass

from clicklake.cli.show import console


@dataclass(frozen=True)
class Finding:
    """`is_needed` findings that are not ok make the doctor's exit code 1."""

    what: str
    is_ok: bool
    found: str
    advice: str = ""
    is_needed: bool = True


def tell(findings: Iterable[Finding], next_command: str) -> bool:
    """Prints every finding; True where nothing needed is missing."""
    with console.status("Looking around ..."):
        found = list(findings)
    for finding in found:
        mark = "[green]ok[/]  " if finding.is_ok else "[red]no[/]  " if finding.is_needed else "[yellow]hm[/]  "
        console.print(f"{mark} {finding.what:<10}", end="")
        console.print(finding.found, markup=False, soft_wrap=True)
        if not finding.is_ok:
            console.print(f"{'':16}{finding.advice}", markup=False, soft_wrap=True)
    is_well = all(finding.is_ok or not finding.is_needed for finding in found)
    console.print(f"All is there: {next_command}" if is_well else "Something is missing; see above.", markup=False)
    return is_well
