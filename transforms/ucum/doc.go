// Package ucum reads units of measure as the Unified Code for Units of Measure
// (https://ucum.org/ucum, case sensitive) writes them, and converts values from one
// to the other exactly: factors are rational numbers, and so are the offsets of
// temperatures. A value is rounded once, to the nearest float64, at the end.
//
// What is read is a subset: terms of unit atoms with prefixes and whole exponents,
// joined by a point or a slash, whole numbers, powers of ten as 10*3, and annotations
// in braces, which mean 1. Parentheses are not read. The atoms are those in atoms.go:
// those of SI and the ones that sensors, medical devices and machines send. Degrees
// Celsius and Fahrenheit stand alone, as a scale with an offset has no product.
//
// Two atoms differ from UCUM: mol is a dimension of its own, not a number, so that a
// concentration is never taken for a count; and so are the degree of an angle and
// arbitrary units such as [iU], which nothing converts to.
package ucum
