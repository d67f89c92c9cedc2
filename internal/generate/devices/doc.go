// Package devices simulates a ward of patients at monitors and a hall of machines: it
// writes their readings as JSON lines, and beside them the truth that a correct analysis
// finds: what is odd, which patients get worse and when, which machines fall silent, what
// is bad, and the personal data that was planted.
//
// One seed and one configuration give the same bytes on every machine: random numbers
// come from PCG, values are whole numbers of tenths, and the time of the first reading
// is a setting.
package devices
