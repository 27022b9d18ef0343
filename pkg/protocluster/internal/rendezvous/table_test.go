package rendezvous_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/rendezvous"
)

func Example() {
	names := []string{"127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083"}
	before := rendezvous.NewTable(names)
	after := rendezvous.NewTable(names[:2]) // the third member leaves
	for _, identity := range []string{"0", "1", "2", "3"} {
		key := rendezvous.Key{Kind: "user", Identity: identity}
		fmt.Println("user/"+identity, "lives on", names[before.Owner(key)], "then on", names[after.Owner(key)])
	}
	// Output:
	// user/0 lives on 127.0.0.1:8081 then on 127.0.0.1:8081
	// user/1 lives on 127.0.0.1:8083 then on 127.0.0.1:8082
	// user/2 lives on 127.0.0.1:8082 then on 127.0.0.1:8082
	// user/3 lives on 127.0.0.1:8083 then on 127.0.0.1:8082
}

func TestOwner_SharesAreWithinFivePercentOfTheMean(t *testing.T) {
	schemes := map[string]func(i int) rendezvous.Key{
		"numbers": func(i int) rendezvous.Key { return rendezvous.Key{Kind: "user", Identity: strconv.Itoa(i)} },
		"padded":  func(i int) rendezvous.Key { return rendezvous.Key{Kind: "cart", Identity: fmt.Sprintf("%012d", i)} },
		"binary": func(i int) rendezvous.Key {
			return rendezvous.Key{Kind: "k", Identity: string([]byte{byte(i), byte(i >> 8), byte(i >> 16)})}
		},
		"paths": func(i int) rendezvous.Key {
			return rendezvous.Key{Kind: "sensor", Identity: fmt.Sprintf("eu/%d/room/%d", i%97, i/97)}
		},
	}
	for scheme, key := range schemes {
		for _, n := range []int{3, 5, 20} {
			t.Run(fmt.Sprintf("%s/%d", scheme, n), func(t *testing.T) {
				// With fair dice the standard deviation would be 1 % of the mean.
				const mean = 10_000
				table, counts := rendezvous.NewTable(addresses(n)), make([]int, n)
				for i := range n * mean {
					counts[table.Owner(key(i))]++
				}
				for i, count := range counts {
					if math.Abs(float64(count-mean)) > 0.05*mean {
						t.Errorf("member %d of %d owns %d keys, want %d ± 5 %%", i, n, count, mean)
					}
				}
			})
		}
	}
}

func TestOwner_OnlyTheLeaversKeysMove(t *testing.T) {
	names := addresses(5)
	for leaver := range names {
		rest := slices.Delete(slices.Clone(names), leaver, leaver+1)
		before, after := rendezvous.NewTable(names), rendezvous.NewTable(rest)
		heirs := map[string]int{}
		for i := range 10_000 {
			was, is := names[before.Owner(user(i))], rest[after.Owner(user(i))]
			if was == names[leaver] {
				heirs[is]++
			} else if was != is {
				t.Fatalf("Owner(%v) = %s, want %s: it was there before %s left", user(i), is, was, names[leaver])
			}
		}
		if len(heirs) != len(rest) {
			t.Errorf("the keys of %s moved to %d members, want to all %d that stayed", names[leaver], len(heirs), len(rest))
		}
	}
}

func TestOwner_AJoinerOnlyTakes(t *testing.T) {
	names := addresses(6)
	before, after := rendezvous.NewTable(names[:5]), rendezvous.NewTable(names)
	taken := 0
	for i := range 10_000 {
		was, is := before.Owner(user(i)), after.Owner(user(i))
		if is == 5 {
			taken++
		} else if was != is {
			t.Fatalf("Owner(%v) = member %d, want %d: it was there before member 5 joined", user(i), is, was)
		}
	}
	if want := 10_000 / 6; taken < want*9/10 || taken > want*11/10 {
		t.Errorf("the joiner took %d keys, want %d ± 10 %%", taken, want)
	}
}

func TestOwner_DoesNotDependOnTheOrderOfNames(t *testing.T) {
	names := addresses(7)
	reversed := slices.Clone(names)
	slices.Reverse(reversed)
	a, b := rendezvous.NewTable(names), rendezvous.NewTable(reversed)
	for i := range 10_000 {
		if got, want := reversed[b.Owner(user(i))], names[a.Owner(user(i))]; got != want {
			t.Fatalf("Owner(%v) = %s in the reversed table, want %s", user(i), got, want)
		}
	}
}

func TestOwner_OfNobody(t *testing.T) {
	for name, table := range map[string]rendezvous.Table{"zero": {}, "no names": rendezvous.NewTable(nil)} {
		if got := table.Owner(user(1)); got != -1 {
			t.Errorf("%s: Owner = %d, want -1", name, got)
		}
	}
}

func TestOwner_KeepsBothPartsOfAKeyApart(t *testing.T) {
	names := addresses(1000) // so that two keys share an owner by chance once in a thousand
	table := rendezvous.NewTable(names)
	a := table.Owner(rendezvous.Key{Kind: "ab", Identity: "c"})
	for _, key := range []rendezvous.Key{{"a", "bc"}, {"", "abc"}, {"abc", ""}, {"ab\x00c", ""}, {"ab", "\x00c"}} {
		if got := table.Owner(key); got == a {
			t.Errorf("Owner(%q) = %d, want another member than for {\"ab\" \"c\"}", key, got)
		}
	}
}

func TestNewTable_KeepsNoReferenceToNames(t *testing.T) {
	names := addresses(3)
	table := rendezvous.NewTable(names)
	want := table.Owner(user(1))
	names[0], names[1], names[2] = "x", "y", "z"
	if got := table.Owner(user(1)); got != want {
		t.Errorf("Owner after names changed = %d, want %d", got, want)
	}
}

func TestOwner_DoesNotAllocate(t *testing.T) {
	table, key := rendezvous.NewTable(addresses(20)), user(123)
	if got := testing.AllocsPerRun(1000, func() { table.Owner(key) }); got != 0 {
		t.Errorf("Owner makes %v allocations, want 0", got)
	}
}

// FuzzRendezvous adds a member to any others: a key stays where it was or moves
// to the member that was added, whatever the names are.
func FuzzRendezvous(f *testing.F) {
	f.Add("127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083", "user", "123")
	f.Add("", "\x00", "\xff", "", "")
	f.Add("a", "a", "b", "ab", "c")
	f.Fuzz(func(t *testing.T, first, second, joiner, kind, identity string) {
		key := rendezvous.Key{Kind: kind, Identity: identity}
		few, all := []string{first, second}, []string{joiner, second, first}
		was := few[rendezvous.NewTable(few).Owner(key)]
		is := all[rendezvous.NewTable(all).Owner(key)]
		if is != was && is != joiner {
			t.Errorf("Owner(%q) = %q, want %q or the joiner %q", key, is, was, joiner)
		}
	})
}

func BenchmarkOwner(b *testing.B) {
	for _, n := range []int{3, 20, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			table, key := rendezvous.NewTable(addresses(n)), user(123)
			b.ReportAllocs()
			for b.Loop() {
				table.Owner(key)
			}
		})
	}
}

// addresses are those of n members of a cluster on one machine.
func addresses(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "127.0.0.1:" + strconv.Itoa(8081+i)
	}
	return names
}

func user(i int) rendezvous.Key {
	return rendezvous.Key{Kind: "user", Identity: strconv.Itoa(i)}
}
