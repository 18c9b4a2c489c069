"""Reads policies as JSON lines of [address, policy] and prints what parliament and policy_sentry find in them.

Runs in the environment of checks-requirements.txt, apart from the project's; see test_checks.py.
"""

import json
import sys

from parliament import analyze_policy_string
from policy_sentry.querying.actions import get_action_data


def findings_of(policy: str) -> list[str]:
    found = [f"parliament: {finding.issue} {finding.detail}" for finding in analyze_policy_string(policy).findings]
    for statement in json.loads(policy)["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            service, _, name = action.partition(":")
            data = get_action_data(service, name)
            if not data:
                found.append(f"policy_sentry: there is no action {action}")
            elif any(row["access_level"] == "Permissions management" for row in data[service]):
                found.append(f"policy_sentry: {action} changes permissions")
    return found


if __name__ == "__main__":
    for line in sys.stdin:
        address, policy = json.loads(line)
        for finding in findings_of(policy):
            print(f"{address}: {finding}")
