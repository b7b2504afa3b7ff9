"""Golden numbers for evidence on scores and on shares: label-tilt, bounded-mean, asymptotic-mean, sample-ratio.

60 decimal digits, plain space instead of logarithms, every event by itself instead of counts per level, variances by
definition, multinomial likelihoods from exact factorials. Needs only Python's standard library. Refuses to share any
code with what it checks.

    python3 tools/golden/scores.py > tools/golden/scores.json
"""

import json
from decimal import Decimal as D, getcontext
from fractions import Fraction
from math import factorial

getcontext().prec = 60

TILTS = [D("0.05") * (D(8) / D("0.05")) ** (D(j) / 11) for j in range(12)]
FRACTIONS = [D("0.001") * (D("0.9") / D("0.001")) ** (D(j) / 13) for j in range(14)]
SIZES = [D("0.005") * (D("1.5").ln() / D("0.005")) ** (D(j) / 7) for j in range(8)]

LEVELS = ["0", "0.1", "0.35", "1"]

TICKS = {
    "few sales": [
        ("0.05", [40, 1, 0, 1], [800, 12, 9, 6]),
        ("0.05", [52, 0, 2, 0], [790, 20, 5, 11]),
        ("0.2", [190, 3, 1, 2], [700, 9, 12, 8]),
        ("0", [0, 0, 0, 0], [900, 3, 4, 5]),
        ("0.5", [300, 9, 2, 1], [310, 11, 9, 7]),
    ],
    "all events score": [
        ("0.3", [0, 3, 9, 18], [0, 2, 20, 44]),
        ("0.3", [0, 9, 9, 9], [0, 5, 15, 50]),
        ("0.9", [4, 10, 30, 40], [0, 0, 2, 7]),
    ],
}


def events(tick):
    share, canary, stable = tick
    for arm, counts in ((1, canary), (0, stable)):
        for level, count in zip(LEVELS, counts):
            for _ in range(count):
                yield arm, D(level)


def onset_mixture(factors_per_tick, weights, cap, tick_ms):
    """factors_per_tick: one list of factors per tick that counts."""
    h = min(D(1), D(tick_ms) / 600000)
    staked, spent = [D(0)] * len(weights), D(0)
    for t, factors in enumerate(factors_per_tick):
        w = D("0.5") if t == 0 else D("0.5") * h * ((1 - h) ** (t - 1) if t > 1 else 1)
        spent += w
        staked = [(s + w) * min(f, cap) for s, f in zip(staked, factors)]
    return sum(p * s for p, s in zip(weights, staked)) + 1 - spent


def tilt(ticks, sign, temper, alpha):
    per_tick = []
    for tick in ticks:
        rho = D(tick[0])
        if not 0 < rho < 1:
            continue
        factors = []
        for size in TILTS:
            lam, product = sign * size, D(1)
            for arm, g in events(tick):
                product *= (lam * g * arm).exp() / (1 - rho + rho * (lam * g).exp())
            factors.append(product ** (1 / temper))
        per_tick.append(factors)
    return onset_mixture(per_tick, [D(1) / 12] * 12, (1 / alpha) ** D("0.65"), 15000)


def contrasts(ticks, r):
    """Z of every event after the first tick, with the tick's extreme values."""
    stable_sum, stable_n, out = D(0), 0, []
    for tick in ticks:
        rho = D(tick[0])
        if not 0 < rho < 1:
            continue
        if stable_n:
            b = stable_sum / stable_n
            def z(arm, g, b=b, rho=rho):
                return (g - b) / rho + b * (1 - r) if arm else -r * (g - b) / (1 - rho) + b * (1 - r)
            ends = [z(arm, D(g)) for arm in (0, 1) for g in (0, 1)]
            out.append(([z(arm, g) for arm, g in events(tick)], min(ends), max(ends)))
        for arm, g in events(tick):
            if not arm:
                stable_sum, stable_n = stable_sum + g, stable_n + 1
    return out


def bounded(ticks, r, temper):
    data = contrasts(ticks, r)
    scale = D(1) / 14

    def capital(sign, x):
        total = D(0)
        for f in FRACTIONS:
            product = D(1)
            for zs, low, high in data:
                lam = f / (-low if sign > 0 else high)
                for z in zs:
                    product *= 1 + sign * lam * z
                product *= (-sign * lam * x * len(zs)).exp()
            total += scale * product ** (1 / temper)
        return total

    return data, capital


def crossing(f, line, low, high):
    """Where f passes the line between low and high; high if it never does."""
    side = f(high) >= line
    if side == (f(low) >= line):
        return high
    for _ in range(70):
        middle = (low + high) / 2
        if (f(middle) >= line) == side:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def band(zs, alpha, n_star, sides):
    n = D(len(zs))
    mean = sum(zs) / n
    sigma = (sum((z - mean) ** 2 for z in zs) / n).sqrt()
    u = -2 * (alpha if sides == "both" else 2 * alpha).ln()
    rho2 = (u + (u + 1).ln()) / n_star
    root = (n * rho2 + 1).sqrt()
    log = (root / alpha).ln() if sides == "both" else (1 + root / (2 * alpha)).ln()
    return mean, sigma * (2 * (n * rho2 + 1) / (n * n * rho2) * log).sqrt()


def scores():
    out = []
    for title, ticks in TICKS.items():
        for r, dispersion in (("1", "1"), ("0.9", "1.6")):
            R, temper = D(r), D(dispersion)
            data, capital = bounded(ticks, R, temper)
            zs = [z for tick in data for z in tick[0]]
            bands = []
            for alpha, n_star, sides in ((0.05, 5000, "both"), (0.01, 500, "both"), (0.05, 500, "lower")):
                mean, half = band(zs, D(str(alpha)), n_star, sides)
                bands.append(dict(alpha=alpha, tuneTo=n_star, sides=sides, estimate=float(mean), half=float(half)))
            out.append(
                dict(
                    title=f"{title}, r = {r}, dispersion {dispersion}",
                    levels=[float(level) for level in LEVELS],
                    ticks=[dict(share=float(s), canary=c, stable=b) for s, c, b in ticks],
                    toleranceRatio=float(r),
                    dispersion=float(dispersion),
                    decrease=float(tilt(ticks, -1, temper, D("0.01")).ln()),
                    increase=float(tilt(ticks, 1, temper, D("0.01")).ln()),
                    above=[[x, float(capital(1, D(str(x))).ln())] for x in (0, -0.05, 0.01)],
                    below=[[x, float(capital(-1, D(str(x))).ln())] for x in (0, -0.01, 0.05)],
                    lower=float(-crossing(lambda x: capital(1, -x), D(20), D(-1), R)),
                    upper=float(crossing(lambda x: capital(-1, x), D(20), -R, D(1))),
                    bands=bands,
                )
            )
    return out


def shares():
    out = []
    for dispersion, ticks in (
        ("1", [("0.1", 180, 1320), ("0.1", 150, 1350), ("0.5", 800, 700), ("0.5", 760, 740)]),
        ("3", [("0.02", 60, 940), ("0.02", 5, 995), ("0.02", 44, 956)]),
    ):
        logs = SIZES + [-size for size in SIZES]
        per_tick = []
        for share, canary, stable in ticks:
            w, factors = D(share), []
            for log in logs:
                psi = log.exp()
                p = psi * w / (psi * w + 1 - w)
                factors.append(((p / w) ** canary * ((1 - p) / (1 - w)) ** stable) ** (1 / D(dispersion)))
            per_tick.append(factors)
        e = onset_mixture(per_tick, [D(1) / 16] * 16, D(1000) ** D("0.65"), 15000)
        rows = [dict(share=float(s), canary=c, stable=b) for s, c, b in ticks]
        out.append(dict(dispersion=float(dispersion), ticks=rows, logE=float(e.ln())))
    return out


def constant_shares():
    out = []
    for counts, weights in (([1030, 8970], [10, 90]), ([1200, 8800], [10, 90]), ([31, 20, 55], [1, 1, 2]), ([0, 3], [1, 1])):
        arms, n = len(counts), sum(counts)
        e = Fraction(factorial(arms - 1), factorial(arms - 1 + n))
        for count, weight in zip(counts, weights):
            e *= factorial(count) / Fraction(weight, sum(weights)) ** count
        log = D(e.numerator).ln() - D(e.denominator).ln()
        out.append(dict(counts=counts, weights=weights, logE=float(log)))
    return out


if __name__ == "__main__":
    print(json.dumps(dict(scores=scores(), shares=shares(), constantShares=constant_shares()), indent=1))
