import Glibc

// The C library's functions, wrapped so that no test mistakes ours for the reference.

func referenceExp(_ x: Double) -> Double { Glibc.exp(x) }
func referenceTanh(_ x: Double) -> Double { Glibc.tanh(x) }
func referenceErf(_ x: Double) -> Double { Glibc.erf(x) }
func referenceLog(_ x: Double) -> Double { Glibc.log(x) }
func referenceSigmoid(_ x: Double) -> Double { 1 / (1 + Glibc.exp(-x)) }
