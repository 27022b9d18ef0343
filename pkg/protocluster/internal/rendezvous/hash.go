package rendezvous

// These functions decide where every identity of a running cluster lives.
// Whatever changes one of their results moves identities while two releases
// run side by side, so the vectors of golden_test.go may only be added to.

// FNV-1a, 64 bit; Fowler, Noll & Vo, draft-eastlake-fnv.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// nameHash is the part of a score that depends on the member only. It is mixed,
// because FNV leaves names that differ in the last digit close together.
func nameHash(name string) uint64 { return mix(fnv1a(fnvOffset, name)) }

// keyHash is the part of a score that depends on the key only. The length of
// the kind comes first, so that ("ab", "c") and ("a", "bc") are two keys.
func keyHash(key Key) uint64 {
	h := uint64(fnvOffset)
	for n, i := uint64(len(key.Kind)), 0; i < 8; i++ {
		h = (h ^ n>>(8*i)&0xff) * fnvPrime
	}
	return fnv1a(fnv1a(h, key.Kind), key.Identity)
}

// score is how much a member wants a key.
func score(name, key uint64) uint64 { return mix(name ^ key) }

func fnv1a(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// mix is a bijection in which each bit of z flips each bit of the result with a
// chance of one half: the finaliser of SplitMix64; Steele, Lea & Flood, OOPSLA
// 2014, with the constants of Stafford's variant 13.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
