"""Golden numbers for src/core/statistics/gauge-leak.ts and gauge-blocks.ts.

Slopes and their limits come from scipy.stats.theilslopes (method 'joint', 95 %), autocorrelation times from exact
fractions by the definition. Needs scipy (pip install scipy; made with 1.17.1). Refuses to share any code with what it
checks.

    python3 tools/golden/gauges.py > tools/golden/gauges.json
"""

import json
from fractions import Fraction as F

from scipy.stats import theilslopes

SERIES = {
    "a steady rise": [100 + 3 * i for i in range(12)],
    "a rise with outliers": [100, 103, 180, 109, 112, 20, 118, 121, 125, 127, 300, 133, 136, 139],
    "noise": [52, 49, 55, 47, 50, 53, 48, 51, 54, 46, 50, 52, 49, 50],
    "ties": [7, 7, 8, 7, 8, 8, 8, 9, 9, 8, 9, 9, 10, 9],
    "a fall": [90, 88, 89, 84, 85, 80, 79, 77],
}


def leaks():
    out = []
    for title, ys in SERIES.items():
        hours = [i * 5 / 60 for i in range(len(ys))]
        slope, intercept, low, high = theilslopes(ys, hours, 0.95, method="joint")
        out.append(
            dict(
                title=title,
                everyMs=300000,
                values=ys,
                slopePerHour=float(slope),
                lowerSlopePerHour=float(low),
                upperSlopePerHour=float(high),
                level=float(intercept + slope * hours[-1]),
            )
        )
    return out


def smoothed(n, width):
    """Whole numbers from the linear congruential generator of ISO C, summed over neighbours: autocorrelated and exact."""
    x, raw = 1876, []
    for _ in range(n + width):
        x = (1103515245 * x + 12345) % 2**31
        raw.append(x >> 21)
    return [sum(raw[i : i + width]) for i in range(n)]


def autocorrelation():
    out = []
    for ys in (smoothed(300, 5), smoothed(200, 2), smoothed(60, 20), [(-1) ** i for i in range(40)]):
        n = len(ys)
        mean = F(sum(ys), n)
        def cov(lag):
            return sum((ys[i] - mean) * (ys[i - lag] - mean) for i in range(lag, n)) / n
        time, lag = F(1), 0
        while True:
            lag += 1
            time += 2 * cov(lag) / cov(0)
            if lag >= 5 * time:
                break
        out.append(dict(series=ys, time=max(1.0, float(time)), isLongEnough=bool(n >= 10 * time)))
    return out


if __name__ == "__main__":
    print(json.dumps(dict(leaks=leaks(), autocorrelation=autocorrelation()), indent=1))
