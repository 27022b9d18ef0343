package model

import "math/bits"

// A pairs holds one octal digit for each pair of a grantor and a member, so
// that a clock tick counts down twenty promises at once. Digit 4c+i is what
// grantor c keeps of member i.
type pairs uint64

// everyPair has a one in each digit.
const everyPair pairs = 0o1111_1111_1111_1111_1111

// What else is known of a pair; the bits of a digit of State.marks.
const (
	excluded  pairs = 1 << iota // the grantor gives the member nothing in its installed view
	forgotten                   // the grantor does not know its promise any more; in mutations only
	counted                     // the member counts the promise towards its lease
)

// row has a one in the digits of one grantor.
func row(c int) pairs { return 0o1111 << (12 * c) }

// column has a one in the digits of one member.
func column(i int) pairs { return 0o0001_0001_0001_0001_0001 << (3 * i) }

func (p pairs) at(c, i int) int { return int(p>>(12*c+3*i)) & 7 }

func (p *pairs) set(c, i, value int) {
	shift := 12*c + 3*i
	*p = *p&^(7<<shift) | pairs(value)<<shift
}

// has reports whether the pair has a mark.
func (p pairs) has(mark pairs, c, i int) bool { return p>>(12*c+3*i)&mark != 0 }

// nonzero has a one in each digit that is not zero.
func (p pairs) nonzero() pairs { return (p | p>>1 | p>>2) & everyPair }

// tick takes one off each digit that is not zero.
func (p pairs) tick() pairs { return p - p.nonzero() }

// with is how many digits of where have the mark.
func (p pairs) with(mark, where pairs) int { return bits.OnesCount64(uint64(p & (where * mark))) }

// rows has a one in the digits of several grantors.
func rows(s Set) pairs {
	var p pairs
	for c := range grantors {
		if s.Has(c) {
			p |= row(c)
		}
	}
	return p
}

// columns has a one in the digits of several members.
func columns(s Set) pairs {
	var p pairs
	for i := range Nodes {
		if s.Has(i) {
			p |= column(i)
		}
	}
	return p
}
