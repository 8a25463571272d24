"""The id of a rule is stable: people select and ignore by it."""

from __future__ import annotations

from whatsapp_flows.flow_json._validate import ANOMALIES, MARKED, NEWER, PARSE, TRUNCATED, UNDOCUMENTED, VERSION
from whatsapp_flows.flow_json.rules import ADVICE, RULES
from whatsapp_flows.flow_json.schema import RULE_OF


def test_no_two_rules_share_an_id() -> None:
    """Parsing and versions, structure, meaning, advice: each id stands for one thing."""
    ids = [
        PARSE,
        VERSION,
        NEWER,
        TRUNCATED,
        UNDOCUMENTED,
        MARKED,
        ANOMALIES,
        *RULE_OF.values(),
        *(rule.id for rule in (*RULES, *ADVICE)),
    ]
    assert len(ids) == len(set(ids))
