"""Golden numbers for src/core/statistics/hypergeometric.ts: ln of the mean of psi^X under the central hypergeometric law.

40 digits, the plain sum from the mode outwards until terms are below 1e-30 of it, log-factorials from mpmath. Needs
mpmath (pip install mpmath). Refuses to share any code with what it checks.

    python3 tools/golden/hypergeometric.py > tools/golden/hypergeometric.json
"""

import mpmath as mp

mp.mp.dps = 40
MARGINS = [
    (1, 19, 1),
    (5, 7, 6),
    (12, 1, 3),
    (10, 190, 100),
    (50, 950, 11),
    (50, 950, 985),
    (5000, 95000, 1000),
    (5000, 95000, 30000),
    (50000, 50000, 50000),
    (20000, 80000, 3),
    (10**6, 9 * 10**6, 4 * 10**6),
    (5 * 10**8, 5 * 10**8, 5 * 10**8),
    (1000, 10**9, 10**6),
]


def log_choose(n, k):
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def walk(x, end, ratio):
    total, term = mp.mpf(0), mp.mpf(1)
    while x != end:
        factor, x = ratio(x)
        term *= factor
        total += term
        if term < mp.mpf(10) ** -30 * (1 + total):
            break
    return total


def log_mean_power(n_c, n_s, m, psi):
    psi = mp.mpf(psi)
    low, high = max(0, m - n_s), min(m, n_c)
    a, b, c = psi - 1, (m + n_c + 2) * psi + n_s - m, psi * (n_c + 1) * (m + 1)
    mode = min(high, max(low, int(mp.floor(2 * c / (b + mp.sqrt(b * b - 4 * a * c))))))
    up = walk(mode, high, lambda x: (psi * (n_c - x) * (m - x) / (mp.mpf(x + 1) * (n_s - m + x + 1)), x + 1))
    down = walk(mode, low, lambda x: (x * mp.mpf(n_s - m + x) / (psi * (n_c - x + 1) * (m - x + 1)), x - 1))
    at_mode = mode * mp.log(psi) + log_choose(n_c, mode) + log_choose(n_s, m - mode) - log_choose(n_c + n_s, m)
    return at_mode + mp.log(1 + up + down)


if __name__ == "__main__":
    rows = []
    for n_c, n_s, m in MARGINS:
        for psi in (0.05, 0.9, 1.0625, 1.5, 7, 100):
            if n_c + n_s > 10**8 and psi not in (0.9, 1.5):
                continue
            rows.append(f"  [{n_c}, {n_s}, {m}, {psi}, {mp.nstr(log_mean_power(n_c, n_s, m, psi), 17)}]")
    print("[\n" + ",\n".join(rows) + "\n]")
