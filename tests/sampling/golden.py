"""Prints the goldens of noise.test.ts: the same noise, written independently with Python's integers and libm.

    python tests/sampling/golden.py
"""

import hashlib
import math
import struct

MASK = 0xFFFFFFFF


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def noise(seed, block, step, purpose, n):
    out = []
    for i in range(0, n, 4):
        w = philox([i // 4, block, step, purpose], [seed, 0x4B696E6F])
        for a, b in ((w[0], w[1]), (w[2], w[3])):
            radius, angle = math.sqrt(-2 * math.log((a + 0.5) / 2**32)), 2 * math.pi * b / 2**32
            out += [radius * math.cos(angle), radius * math.sin(angle)]
    return struct.pack(f"<{n}f", *out[:n])


def words(data):
    return " ".join(f"{w:08x}" for w in struct.unpack(f"<{len(data) // 4}I", data))


print(words(noise(7, 0, 0, 0, 8)))
print(words(noise(0xFFFFFFFF, 12, 3, 1, 5)))
print(hashlib.sha256(noise(7, 1, 2, 1, 100_000)).hexdigest())
