"""This is `make references`: it writes down anew what our strategies do on the prices that come with maemae."""

from __future__ import annotations

import json

from tests.references.runs import RESULTS, examples, result_of, told

if __name__ == "__main__":
    found = {settings.kind: told(result_of(settings)) for settings in examples()}
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
