//go:build heavy

package model_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

func TestHeavy(t *testing.T) {
	for _, c := range []model.Config{
		{Nodes: 2, Changes: 2, Leaving: true, Lease: 1, Store: model.StoreNever},
		{Nodes: 2, Changes: 2, Leaving: true, Lease: 1},
		{Nodes: 2, Changes: 2, Lease: 1, Horizon: 2, Override: true, Cancel: true},
		{Nodes: 3, Initial: 2, Changes: 2, Lease: 1, Horizon: 1, Override: true, Store: model.StoreOnly, Ranking: "201"},
		{Nodes: 3, Initial: 2, Changes: 3, Lease: 1, Store: model.StoreOnly, Leaving: true, Ranking: "210"},
		{Nodes: 4, Initial: 2, Plan: "+2,~2+3,-2", Lease: 1, Store: model.StoreOnly, Leaving: true, Ranking: "3201"},
		{Nodes: 3, Initial: 2, Plan: "-0+2", Lease: 1, Ranking: "201"},
		{Nodes: 3, Initial: 1, Plan: "+1,+2", Lease: 1, Ranking: "210"},
	} {
		t.Run(c.String(), func(t *testing.T) {
			got, few := everything(t, newModel(t, c))
			c.Plain = true
			want, all := everything(t, newModel(t, c))
			if at, can, ok := covered(got, want); !ok {
				t.Errorf("only if nothing is left out, in %+v nodes can %+v", at, can)
			}
			if at, can, ok := covered(want, got); !ok {
				t.Errorf("only if steps are left out, in %+v nodes can %+v", at, can)
			}
			t.Logf("%d states instead of %d", few, all)
		})
	}
}
