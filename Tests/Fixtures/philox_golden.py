"""Prints the pinned draws of Tests/RandomnessTests from an implementation of its own.

Usage: python3 Tests/Fixtures/philox_golden.py
"""
M = 0xFFFFFFFF


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & M, (a >> 32) ^ c[3] ^ k[1], a & M]
        k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
    return c


class Stream:
    def __init__(self, seed, purpose, chunk=0, environment=0, index=0):
        self.key = philox((chunk, environment, purpose, 0), (seed & M, seed >> 32))[:2]
        self.index, self.block, self.words = index, 0, []

    def next(self):
        if not self.words:
            self.words = philox((self.block & M, self.block >> 32, self.index & M, self.index >> 32), self.key)
            self.block += 1
        return self.words.pop(0)

    def bounded(self, n):
        product = self.next() * n
        if product & M < n:
            threshold = (2**32 - n) % n
            while product & M < threshold:
                product = self.next() * n
        return product >> 32


stream = Stream(42, 5, 3, 5, 7)
print("words", [hex(stream.next()) for _ in range(6)])
order, shuffler = list(range(10)), Stream(42, 4)
for last in range(9, 0, -1):
    other = shuffler.bounded(last + 1)
    order[last], order[other] = order[other], order[last]
print("shuffled", order)
