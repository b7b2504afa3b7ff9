"""Golden numbers for src/core/statistics, computed a second time and differently.

50 decimal digits, plain space instead of logarithms, the formulas as they stand in docs/statistics.md (a and b, not the
simplified log form), binomial tails as exact fractions. Needs only Python's standard library. Refuses to share any code
with what it checks.

    python3 tools/golden/statistics.py > tools/golden/statistics.json
"""

import json
from decimal import Decimal as D, getcontext
from fractions import Fraction
from math import comb

getcontext().prec = 60

RATIOS = [D("1.3") * (D(1000) / D("1.3")) ** (D(j) / 15) for j in range(16)]
RAW = [k ** D("-0.25") for k in RATIOS]
WEIGHTS = [w / sum(RAW) for w in RAW]
BETS = [D(0)] + [D(5 + 10 * j) / 100 for j in range(10)]

SCENARIOS = {
    "plain": dict(
        options=dict(toleranceRatio=1, tickMs=10000),
        ticks=[(50, 0, 950, 1), (50, 1, 950, 0), (100, 2, 900, 3), (0, 0, 1000, 7), (10, 0, 0, 0), (37, 1, 501, 2)],
    ),
    "tolerant": dict(
        options=dict(toleranceRatio=1.1, harmMargin=0.002, tickMs=15000, alpha=0.01),
        ticks=[(75, 2, 1425, 2), (75, 3, 1425, 1), (150, 9, 1350, 40), (150, 0, 1350, 0), (300, 4, 1200, 12)],
    ),
    "crash": dict(
        options=dict(toleranceRatio=1.1, tickMs=10000, alpha=0.01),
        ticks=[(20, 20, 980, 0), (20, 20, 980, 1), (20, 19, 980, 0)],
    ),
    "quiet": dict(
        options=dict(toleranceRatio=1, tickMs=10000),
        ticks=[(100, 0, 1900, 0)] * 10,
    ),
    "clustered": dict(
        options=dict(toleranceRatio=1.25, tickMs=60000, dispersion=1.7, clusterCap=3, alpha=0.001),
        ticks=[(500, 12, 4500, 31), (500.5, 7.25, 4400.25, 30.5), (900, 22, 4100, 18)],
    ),
    "weights swing": dict(
        options=dict(toleranceRatio=1, tickMs=700000),
        ticks=[(10, 1, 990, 5), (500, 3, 500, 2), (990, 6, 10, 0)],
    ),
}


def power(base, exponent):
    return D(1) if exponent == 0 else D(0) if base == 0 else base**exponent


def replay(options, ticks):
    r, delta = D(str(options["toleranceRatio"])), D(str(options.get("harmMargin", 0)))
    temper = D(str(options.get("dispersion", 1))) * D(str(options.get("clusterCap", 1)))
    cap = (1 / D(str(options.get("alpha", 0.01)))) ** D("0.65")
    h = min(D(1), D(options["tickMs"]) / 600000)
    staked, spent, seen = [D(0)] * 16, D(0), []
    for n_c, x_c, n_s, x_s in ticks:
        n_c, x_c, n_s, x_s = (D(str(v)) for v in (n_c, x_c, n_s, x_s))
        if n_c == 0 or n_s == 0:
            continue
        seen.append((n_c, x_c, n_s, x_s))
        t = len(seen)
        w = D("0.5") if t == 1 else D("0.5") * h * power(1 - h, t - 2)
        spent += w
        for j, k in enumerate(RATIOS):
            psi = k * r
            a = (psi / r) * (r * n_c + n_s) / (psi * n_c + n_s)
            b = 1 - r * (n_c / n_s) * (a - 1)
            f = (a**x_c * b**x_s * (-delta * n_c * (a - 1)).exp()) ** (1 / temper)
            staked[j] = (staked[j] + w) * min(f, cap)
    harm = sum(p * s for p, s in zip(WEIGHTS, staked)) + 1 - spent

    def plain(d):
        total = D(0)
        for k, weight in zip(RATIOS, WEIGHTS):
            e = weight
            for n_c, x_c, n_s, x_s in seen:
                a = k * (r * n_c + n_s) / (k * r * n_c + n_s)
                b = (r * n_c + n_s) / (k * r * n_c + n_s)
                e *= (a**x_c * b**x_s * (-d * n_c * (a - 1)).exp()) ** (1 / temper)
            total += e
        return total

    def no_harm(d):
        total = D(0)
        for a in BETS:
            e = D(1) / 11
            for n_c, x_c, n_s, x_s in seen:
                b = 1 + r * (n_c / n_s) * (1 - a)
                e *= power(power(a, x_c) * b**x_s * (-d * n_c * (a - 1)).exp(), 1 / temper)
            total += e
        return total

    return harm, plain, no_harm, r


def crossing(f, line, low, high):
    """Where f passes the line between low and high; high if it never does (a bound that says nothing yet)."""
    side = f(high) >= line
    if side == (f(low) >= line):
        return high
    for _ in range(100):
        middle = (low + high) / 2
        if (f(middle) >= line) == side:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def evidence():
    out = []
    for title, scenario in SCENARIOS.items():
        harm, plain, no_harm, r = replay(**scenario)
        out.append(
            dict(
                title=title,
                options=scenario["options"],
                ticks=scenario["ticks"],
                logHarmE=float(harm.ln()),
                logPlainHarmE=[[d, float(plain(D(str(d))).ln())] for d in (0, 0.001, -0.01)],
                logNoHarmE=[[d, float(no_harm(D(str(d))).ln())] for d in (0, 0.002, 0.05)],
                upperExcess=float(crossing(no_harm, D(20), -r, D(1))),
                lowerExcess=float(crossing(plain, D(20), -r, D(1))),
            )
        )
    return out


def absolute():
    out = []
    for limit, total, bad in [("0.02", 1000, 45), ("0.02", 1000, 5), ("0.001", 20000, 0), ("0.5", 40, 31)]:
        p0, cap = D(limit), D(100) ** D("0.65")

        def above(p):
            return sum(w * k**bad / (1 + (k - 1) * p) ** total for k, w in zip(RATIOS, WEIGHTS))

        def below(p):
            return sum(power(k, D(bad)) / (1 + (k - 1) * p) ** total for k in BETS) / 11

        staked = sum(w * min(cap, k**bad / (1 + (k - 1) * p0) ** total) for k, w in zip(RATIOS, WEIGHTS))
        out.append(
            dict(
                limitRate=float(limit),
                total=total,
                bad=bad,
                logHarmE=float((staked / 2 + D("0.5")).ln()),
                logNoHarmE=float(below(p0).ln()),
                upper=float(crossing(below, D(20), D(bad) / total, D(1) - D("1e-30"))),
                lower=float(crossing(above, D(20), D(0), D(bad) / total)) if bad else 0,
            )
        )
    return out


def upper_tail(p, k, n):
    """P(X >= k), exactly. It is also I_p(k, n-k+1)."""
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def binomial():
    out = []
    for k, n, confidence in [(0, 30, 0.95), (1, 3, 0.95), (10, 100, 0.95), (7, 200, 0.99), (200, 200, 0.9), (99, 100, 0.98)]:
        tail = (1 - D(str(confidence))) / 2

        def at_least(p, k=k, n=n):
            return sum(D(comb(n, i)) * power(p, i) * power(1 - p, n - i) for i in range(k, n + 1))

        lower = D(0) if k == 0 else crossing(at_least, tail, D(0), D(1))
        upper = D(1) if k == n else crossing(lambda p, k=k: at_least(p, k + 1), 1 - tail, D(0), D(1))
        out.append(dict(successes=k, n=n, confidence=confidence, lower=float(lower), upper=float(upper)))
    return out


def incomplete_beta():
    cases = [(1, 2, 2, 3), (1, 10, 3, 40), (9, 10, 40, 3), (1, 50, 1, 1), (1, 100, 12, 900), (3, 4, 120, 37)]
    return [dict(x=p / q, a=a, b=b, value=float(upper_tail(Fraction(p, q), a, a + b - 1))) for p, q, a, b in cases]


def log_gamma():
    """Integers from exact factorials; halves from Γ(m + 1/2) = (2m)! √π / (4^m m!)."""
    root_pi = D("3.14159265358979323846264338327950288419716939937510582097494").sqrt()
    out, factorial = [], 1
    wanted = {1, 2, 3, 5, 10, 14, 15, 16, 20, 100, 1000, 20000}
    for n in range(1, 20001):
        if n in wanted:
            out.append([float(n), float(D(factorial).ln())])
        factorial *= n
    for m in (0, 1, 3, 14, 15, 200):
        numerator = 1
        for i in range(m + 1, 2 * m + 1):
            numerator *= i
        out.append([m + 0.5, float((D(numerator) / D(4) ** m * root_pi).ln())])
    return out


if __name__ == "__main__":
    golden = dict(
        evidence=evidence(),
        absolute=absolute(),
        binomial=binomial(),
        incompleteBeta=incomplete_beta(),
        logGamma=log_gamma(),
    )
    print(json.dumps(golden, indent=1))
