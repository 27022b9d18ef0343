package patience_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/patience"
)

// Whatever is waited for is told once, in time, and no task is left.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := background.NewTasks(t.Context())
		begin, told := time.Now(), []time.Duration{}
		p := patience.New(tasks, func(those []time.Duration) {
			for _, since := range those {
				took := time.Since(begin) - since
				if took < patience.Most/2 || took > patience.Most {
					t.Errorf("patience lasted for %v, want %v at most, and half of it at least", took, patience.Most)
				}
			}
			told = append(told, those...)
		})
		var want []time.Duration
		for i := range 50 {
			<-time.After(7 * time.Millisecond)
			if i%20 > 15 {
				<-time.After(3 * patience.Most) // until none are left
			}
			want = append(want, time.Since(begin))
			p.With(time.Since(begin))
		}
		if err := tasks.Finish(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("a task is left: %v", err)
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
		p.With(0) // does nothing after the end
	})
}

func TestPatience_StopsWithItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := background.NewTasks(t.Context())
		p := patience.New(tasks, func([]int) { t.Error("told after the end") })
		p.With(1)
		if err := tasks.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
