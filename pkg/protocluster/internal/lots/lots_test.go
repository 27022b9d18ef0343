package lots_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/lots"
)

func TestLots_KeepOrderAndEmptyOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := background.NewTasks(t.Context())
		var l *lots.Lots[string, int]
		var got []int
		begin := make(chan struct{})
		l = lots.New[string, int](tasks, 2, func(_ context.Context, k string) {
			<-begin
			got = append(got, l.Take(k)...)
		})
		if !l.Park("a", 3) || !l.Park("a", 4) || l.Park("a", 5) {
			t.Error("Park: want room for two")
		}
		if !l.PutBack("a", []int{1, 2}) {
			t.Error("PutBack: want room for what comes back")
		}
		if !l.Park("b", 9) {
			t.Error("Park: want room for another")
		}
		if waits := l.Take("b"); !slices.Equal(waits, []int{9}) || l.Take("b") != nil {
			t.Errorf("Take = %v, want 9 once", waits)
		}
		close(begin)
		synctest.Wait()
		if want := []int{1, 2, 3, 4}; !slices.Equal(got, want) {
			t.Errorf("emptied %v, want %v", got, want)
		}
		if err := tasks.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if l.Park("c", 1) || l.PutBack("c", []int{1}) {
			t.Error("something waits that nobody will deliver")
		}
	})
}
