package rendezvous_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/rendezvous"
)

// The owners that every release must compute. A failure here means that a
// rolling update would have two owners for one identity: never change a line,
// only add some.
func TestOwner_GoldenVectors(t *testing.T) {
	rows := []struct {
		members int // 127.0.0.1:8081 and the ports after it
		kind    string
		want    string // the owner of the identities 0, 1, 2 …, member 0 as a, 1 as b …
	}{
		{3, "user", "acbcaccaabbccaacabbcbcbacbacbaaacccacbabcccaccaababcbaacacacacaa"},
		{5, "user", "edbeaceadedcceaceedceebaceaddaaadeddcbaeceeacdddbdbdeaadecacdcda"},
		{20, "user", "eogetomjmqqlseqpnqdcgeianmahrfrgqhgdofaoholafljdgqrhlaaifcmkgcfq"},
		{5, "hello", "bbbcecbaccccbcbdaeebbabdbbeeebdbbebcdcebdcedcacaedecabbcdebccdec"},
		{5, "", "ddedadaceaaedcabbbddabedbdbdbeccbdacbcdaaaeabbadbecadebadcaecaad"},
	}
	for _, row := range rows {
		table := rendezvous.NewTable(addresses(row.members))
		got := make([]byte, 64)
		for i := range got {
			key := user(i)
			key.Kind = row.kind
			got[i] = 'a' + byte(table.Owner(key))
		}
		if string(got) != row.want {
			t.Errorf("owners of %q among %d = %q, want %q", row.kind, row.members, got, row.want)
		}
	}
}

// As above, of members with weights.
func TestWeighted_GoldenVectors(t *testing.T) {
	rows := []struct {
		weights []float64 // of 127.0.0.1:8081 and the ports after it
		want    string    // the owner of the identities 0, 1, 2 … of "user"
	}{
		{[]float64{1, 2, 1}, "bbbcaccbabbbbaacbbbcbcbacbabbaabccbacbabbccabbabbbbbbaabacabbcaa"},
		{[]float64{1, 1, 1, 1, 3}, "edeeaeeededcceaeeedceebeceaeeaeeeeddcbaeeeeacdedbeedeaedecaedcda"},
		{[]float64{0.001, 1, 2.5, 1000, 7}, "dddddddddddddddddddcdddddddddddddddddddddddddddddddddddddddddddd"},
		{[]float64{0, 0.3, 1, 0.7, 1.1, 2, 1, 1, 1, 5}, "ejgefjhjjgjjfejjfedcjeiacgahjfjgfjgdcfaehheffdjdgdhhjaaifcafgcfj"},
	}
	for _, row := range rows {
		table := rendezvous.NewWeightedTable(addresses(len(row.weights)), row.weights)
		got := make([]byte, 64)
		for i := range got {
			got[i] = 'a' + byte(table.Owner(user(i)))
		}
		if string(got) != row.want {
			t.Errorf("owners with the weights %v = %q, want %q", row.weights, got, row.want)
		}
	}
}

func TestOwner_GoldenNames(t *testing.T) {
	names := []string{"", "a", "n1", "n2", "n-3/with:signs", "ünïcödé", "shop-7f9c6d5b8-x2x4z"}
	table := rendezvous.NewTable(names)
	for _, row := range []struct {
		key  rendezvous.Key
		want string
	}{
		{rendezvous.Key{Kind: "user", Identity: "123"}, "a"},
		{rendezvous.Key{Kind: "hello", Identity: "user123"}, "n2"},
		{rendezvous.Key{Kind: "ab", Identity: "c"}, "n2"},
		{rendezvous.Key{Kind: "a", Identity: "bc"}, "a"},
		{rendezvous.Key{}, "ünïcödé"},
		{rendezvous.Key{Kind: "file", Identity: "/etc/hosts"}, "n-3/with:signs"},
		{rendezvous.Key{Kind: "bytes", Identity: "\x00\xff"}, "shop-7f9c6d5b8-x2x4z"},
		{rendezvous.Key{Kind: "żółw", Identity: "日本"}, "n2"},
	} {
		if got := names[table.Owner(row.key)]; got != row.want {
			t.Errorf("Owner(%q) = %q, want %q", row.key, got, row.want)
		}
	}
}
