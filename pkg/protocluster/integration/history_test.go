//go:build integration

package integration_test

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
)

// checkPatience bounds the check of one history, which may take exponential time.
const checkPatience = 20 * time.Second

// registerModel is a register that is 0 at first, of one identity. A
// referee.Operation is its input, and for a read the value its output.
func registerModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return int64(0) },
		Step: func(state, input, output any) (bool, any) {
			o, _ := input.(referee.Operation)
			if o.Verb == referee.Write {
				return true, o.Value
			}
			return state == output, state
		},
		DescribeOperation: func(input, output any) string {
			o, _ := input.(referee.Operation)
			return fmt.Sprintf("%s %v by %v: %s %s", o.Verb, output, o.Activation, o.Outcome, o.Error)
		},
	}
}

// checkHistory says of which identities the reads and writes are not those of
// one register, and writes what shows it to files in dir. A write of which
// nobody knows the outcome may take effect at any time after, or never.
func checkHistory(dir string, history []referee.Operation) []error {
	byIdentity := make(map[string][]referee.Operation)
	for _, o := range history {
		if o.Verb == referee.Read || o.Verb == referee.Write {
			byIdentity[o.Identity] = append(byIdentity[o.Identity], o)
		}
	}
	var faults []error
	for _, identity := range slices.Sorted(maps.Keys(byIdentity)) {
		operations := observed(byIdentity[identity])
		result, info := porcupine.CheckOperationsVerbose(registerModel(), operations, checkPatience)
		if result == porcupine.Ok {
			continue
		}
		file := filepath.Join(dir, "history-"+identity+".html")
		if err := porcupine.VisualizePath(registerModel(), info, file); err != nil {
			faults = append(faults, err)
		}
		verdict := "is not that of a register"
		if result == porcupine.Unknown {
			verdict = fmt.Sprintf("was not checked within %v", checkPatience)
		}
		faults = append(faults, fmt.Errorf("the history of %s, of %d reads and writes, %s: see %s", identity, len(operations), verdict, file))
	}
	return faults
}

// observed are the operations that say something: not those that were not
// executed, nor reads without an answer, nor writes without one of what nobody
// has read, for these may have come last.
func observed(history []referee.Operation) []porcupine.Operation {
	read := make(map[int64]bool)
	for _, o := range history {
		if o.Verb == referee.Read && o.Outcome == referee.Answered {
			read[o.Value] = true
		}
	}
	var operations []porcupine.Operation
	for _, o := range history {
		end := int64(o.Came)
		switch {
		case o.Outcome == referee.Answered:
		case o.Outcome == referee.Unknown && o.Verb == referee.Write && read[o.Value]:
			end = math.MaxInt64
		default:
			continue
		}
		operations = append(operations, porcupine.Operation{ClientId: o.Client, Input: o, Call: int64(o.Sent), Output: o.Value, Return: end})
	}
	return operations
}

func TestCheckHistory(t *testing.T) {
	write := func(value int64, outcome referee.Outcome, sent, came time.Duration) referee.Operation {
		o := referee.Operation{Verb: referee.Write, Value: value, Outcome: outcome}
		o.Identity, o.Sent, o.Came = "x", sent, came
		return o
	}
	read := func(value int64, sent, came time.Duration) referee.Operation {
		o := write(value, referee.Answered, sent, came)
		o.Verb = referee.Read
		return o
	}
	rows := []struct {
		name    string
		history []referee.Operation
		fault   bool
	}{
		{"nothing written", []referee.Operation{read(0, 1, 2)}, false},
		{"written and read", []referee.Operation{write(1, referee.Answered, 1, 2), read(1, 3, 4)}, false},
		{"an acknowledged write is lost", []referee.Operation{write(1, referee.Answered, 1, 2), read(0, 3, 4)}, true},
		{"an acknowledged write is overwritten by an older one", []referee.Operation{
			write(1, referee.Answered, 1, 2), write(2, referee.Answered, 3, 4), read(1, 5, 6)}, true},
		{"a write without answer is read late", []referee.Operation{
			write(1, referee.Unknown, 1, 2), write(2, referee.Answered, 3, 4), read(2, 5, 6), read(1, 7, 8)}, false},
		{"a write without answer comes and goes", []referee.Operation{
			write(1, referee.Unknown, 1, 2), read(1, 3, 4), read(0, 5, 6)}, true},
		{"a write without answer is never read", []referee.Operation{write(1, referee.Unknown, 1, 2), read(0, 3, 4)}, false},
		{"a refused write is read", []referee.Operation{write(1, referee.Refused, 1, 2), read(1, 3, 4)}, true},
		{"a write that was not executed is read", []referee.Operation{write(1, referee.NotExecuted, 1, 2), read(1, 3, 4)}, true},
		{"other verbs", []referee.Operation{{Verb: referee.Count, Value: 7, Outcome: referee.Answered}}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if faults := checkHistory(t.TempDir(), row.history); (len(faults) > 0) != row.fault {
				t.Errorf("checkHistory finds %v, want a fault: %v", faults, row.fault)
			}
		})
	}
}
