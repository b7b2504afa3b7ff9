"""Samples and expected results of Kayenta's own suites, as data: MannWhitneySuite.scala (partly tied to R's
wilcox.test) and ClassifierSuite.scala of spinnaker/kayenta, commit a69573b, Apache License 2.0.

Each sample is written as sorted [value, times] pairs, since ranks do not ask for order. What the suites expect is
written out in the tests beside the code. Needs only Python's standard library and a clone of spinnaker/kayenta.

    python3 tools/golden/kayenta-suites.py CLONE > tools/golden/kayenta-suites.json
"""

import json
import re
import subprocess
import sys
from collections import Counter

COMMIT = "a69573be9d8fededacf80817e4151a2c8df41276"
SUITES = {
    "mannWhitney": "kayenta-mannwhitney/src/test/scala/com/netflix/kayenta/mannwhitney/MannWhitneySuite.scala",
    "classifier": "kayenta-judge/src/test/scala/com/netflix/kayenta/judge/ClassifierSuite.scala",
}
EXPERIMENT = {"x", "experiment", "experimentData"}
# Shorter samples stand in the tests themselves.
LONG = 20


def samples(path):
    text = subprocess.check_output(["git", "-C", sys.argv[1], "show", f"{COMMIT}:{path}"], text=True)
    out = {}
    for part in re.split(r'\n  test\("', text)[1:]:
        arrays = {}
        for name, body in re.findall(r"val (\w+) = Array\(([^)]*)\)", part):
            values = [float(number) for number in re.findall(r"[-\d.eE+]+", body)]
            if len(values) < LONG:
                continue
            side = "experiment" if name in EXPERIMENT else "control"
            arrays[side] = sorted(Counter(values).items())
        # The suites reuse their samples; the first test that has them gives the name.
        if arrays and arrays not in out.values():
            out[part.split('"')[0]] = arrays
    return out


def show(suites):
    lines = []
    for suite, cases in suites.items():
        rows = [f"  {json.dumps(name)}: {json.dumps(arms, separators=(',', ':'))}" for name, arms in cases.items()]
        lines.append(f"{json.dumps(suite)}: {{\n" + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(lines) + "\n}"


print(show({suite: samples(path) for suite, path in SUITES.items()}))
