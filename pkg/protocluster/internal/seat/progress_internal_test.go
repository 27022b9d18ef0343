package seat

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
)

// A receipt is due for each frame but a grant, and for that as well if many had
// none.
func TestProgress(t *testing.T) {
	grant := &seatpb.Frame{Content: &seatpb.Frame_Grant{Grant: &seatpb.Grant{}}}
	knock := &seatpb.Frame{Content: &seatpb.Frame_Knock{Knock: &seatpb.Knock{}}}
	rows := []struct {
		name     string
		frames   *seatpb.Frame
		number   int
		receipt  uint64
		givesUp  bool
		accepted bool
	}{
		{"a knock", knock, 1, 2, false, true},
		{"a knock that does not arrive", knock, 1, 1, true, true},
		{"one of two", knock, 2, 2, true, true},
		{"grants", grant, unanswered, 1, false, true},
		{"many grants", grant, unanswered + 1, 1, true, true},
		{"a receipt for what was not sent", knock, 1, 3, false, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gaveUp := false
				p := newProgress(time.Second, func() { gaveUp = true })
				defer p.stop()
				p.sending(knock)
				if !p.receipt(1, true) {
					t.Fatal("the first receipt is not accepted")
				}
				for range row.number {
					p.sending(row.frames)
				}
				if got := p.receipt(row.receipt, false); got != row.accepted {
					t.Errorf("a receipt for %d of %d frames is accepted: %t", row.receipt, 1+row.number, got)
				}
				if row.accepted {
					<-time.After(2 * time.Second)
					synctest.Wait()
					if gaveUp != row.givesUp {
						t.Errorf("it gives up: %t, want %t", gaveUp, row.givesUp)
					}
				}
			})
		})
	}
}
