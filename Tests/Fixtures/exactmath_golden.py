#!/usr/bin/env python3
"""Writes the golden points of ExactMath's double functions.

Made by: python3 Tests/Fixtures/exactmath_golden.py > Tests/ExactMathTests/ExactMathGolden.swift   (mpmath 1.3.0)

Each point holds the argument, the correctly rounded result as a bit pattern, and the exact result minus the rounded one in units in the last
place, so that errors are measured against the exact result. The working precision is 400 bits.
"""
import math
import random
import struct

import mpmath

mpmath.mp.prec = 400
POINTS = 40


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def rounded(exact):
    """Nearest double, ties to even, denormals included."""
    if exact == 0:
        return 0.0
    exponent = max(mpmath.frexp(exact)[1] - 53, -1074)
    count = int(mpmath.nint(mpmath.ldexp(exact, -exponent)))
    return float(math.ldexp(count, exponent)) if abs(count) < 2**54 else math.inf


def ulp(x):
    return mpmath.mpf(2) ** max(math.frexp(x)[1] - 53, -1074)


def spread(generator, low, high, count):
    return [generator.uniform(low, high) for _ in range(count)]


def powers(generator, low, high, count, signed=True):
    """Magnitudes of all binary orders between 2^low and 2^high."""
    result = []
    for _ in range(count):
        magnitude = 2.0 ** generator.uniform(low, high)
        result.append(-magnitude if signed and generator.random() < 0.5 else magnitude)
    return result


def cases():
    g = random.Random(20)
    yield "exp", mpmath.exp, [(x,) for x in
        [1.0, -1.0, 0.5, 709.78, 709.0, -708.4, -720.25, -744.4, 0.34657359027997264, -0.34657359027997264]
        + spread(g, -30, 30, 12) + spread(g, -740, 709, 9) + powers(g, -60, 0, 9)]
    yield "log", mpmath.log, [(x,) for x in
        [2.0, 0.5, 10.0, 1 + 2.0**-52, 1 - 2.0**-53, 5e-324, 2.0**-1022, 1.7976931348623157e308, 1.4142135623730951, 0.7071067811865476]
        + spread(g, 0.5, 2, 15) + powers(g, -1074, 1023, 15, signed=False)]
    yield "log1p", mpmath.log1p, [(x,) for x in
        [1.0, -0.5, 0.41, 0.40999, -0.29, -0.28999, -1 + 2.0**-53, 2.0**53, 1e300, 5e-324, 0.39791825899473765]
        + spread(g, -0.999, 2, 14) + powers(g, -60, 0, 10) + powers(g, 0, 200, 5, signed=False)]
    yield "expm1", mpmath.expm1, [(x,) for x in
        [1.0, -1.0, 0.35, 0.34999, -0.35, -0.34999, 709.7, -39.9, -50.0, 5e-324]
        + spread(g, -2, 2, 15) + powers(g, -60, 5, 15)]
    yield "pow", mpmath.power, (
        [(2.0, 0.5), (0.5, 1074.0), (10.0, -5.0), (10.0, 22.0), (0.9, 10000.0), (0.999, 12345.0), (-3.0, 7.0), (-2.5, 4.0),
         (1 + 2.0**-52, 2.0**52), (1 - 2.0**-53, -(2.0**58)), (2.0, -1073.5), (5e-324, 0.5),
         # An error in the logarithm grows with y: the largest seen were here.
         (1.42302165054418, -1483.7631267832726), (1.3626869687177396, 2143.1566368241934), (1.406117785341271, 1821.0455666874188),
         (1.3805408443432063, 59.69902676478416)]
        + [(g.uniform(0, 10), g.uniform(-20, 20)) for _ in range(8)]
        + [(x, g.uniform(-1, 1) * 700 / math.log(x)) for x in powers(g, -1, 1, 8, signed=False) + powers(g, -100, 100, 8, signed=False)])
    for name, function in (("sin", mpmath.sin), ("cos", mpmath.cos)):
        yield name, function, [(x,) for x in
            [0.5, -0.5, math.pi, math.pi / 2, math.pi / 4, -3 * math.pi / 4, 355.0, 1048576.0, 1e-300, 2.0**-26]
            + spread(g, -7, 7, 14) + spread(g, -1048576, 1048576, 10) + powers(g, -30, 0, 6)]
    yield "tanh", mpmath.tanh, [(x,) for x in
        [0.5, 0.49999, -0.5, 1.0, -1.0, 21.9, 22.5, 5e-324, 0.175, 0.17499, 0.17758913936845172]
        + spread(g, -3, 3, 14) + powers(g, -60, 4, 15)]
    yield "erf", mpmath.erf, [(x,) for x in
        [0.5, -0.5, 1.0, 2.99999, 3.0, -3.00001, 5.9, 6.5, 1e-300, 2.0**-40, 2.943182922466387, 2.5789607559555887]
        + spread(g, -3, 3, 16) + spread(g, 3, 6, 4) + powers(g, -60, 0, 8)]


def main():
    print("// Made by: python3 Tests/Fixtures/exactmath_golden.py > Tests/ExactMathTests/ExactMathGolden.swift")
    print()
    print("/// One exact value: the arguments, the correctly rounded result, and what the rounding left, in units in the last place.")
    print("struct GoldenPoint: Sendable {")
    print("  let x: Double")
    print("  let y: Double")
    print("  let result: Double")
    print("  let residue: Double")
    print()
    print("  init(_ x: Double, _ y: Double = 0, result: UInt64, residue: Double) {")
    print("    self.x = x")
    print("    self.y = y")
    print("    self.result = Double(bitPattern: result)")
    print("    self.residue = residue")
    print("  }")
    print("}")
    print()
    print("enum ExactMathGolden {")
    first = True
    for name, function, points in cases():
        assert len(points) == POINTS, (name, len(points))
        if not first:
            print()
        first = False
        print(f"  static let {name}: [GoldenPoint] = [")
        for arguments in points:
            exact = function(*[mpmath.mpf(x) for x in arguments])
            result = rounded(exact)
            residue = float((exact - mpmath.mpf(result)) / ulp(result))
            listed = ", ".join(float(x).hex() for x in arguments)
            print(f"    GoldenPoint({listed}, result: 0x{bits(result):016x}, residue: {residue:.4f}),")
        print("  ]")
    print("}")


main()
