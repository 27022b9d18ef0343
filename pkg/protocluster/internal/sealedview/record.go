package sealedview

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

const (
	// maxEpoch keeps a record written by hand from ending the sequence of
	// epochs.
	maxEpoch = 1 << 62
	// maxMembers is more than fit into a value of Consul, half a megabyte.
	// Nodes keep something for each member, and send to each.
	maxMembers = 4096
	// maxRecord, in bytes, is as much for each of them as Consul has room for,
	// and as much again.
	maxRecord = 1 << 20
)

// Parse reads a record and checks all that the protocol relies on, so that a
// record written by hand is refused whole.
func Parse(data []byte) (*View, error) {
	if len(data) > maxRecord {
		return nil, fmt.Errorf("sealedview: the view's record has %d bytes; there are %d at most", len(data), maxRecord)
	}
	v := new(View)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("sealedview: the view's record is not JSON: %w", err)
	}
	if err := v.Check(); err != nil {
		return nil, err
	}
	return v, nil
}

// Encode is the record as it is stored.
func (v *View) Encode() ([]byte, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// Check says all that is wrong with a record.
func (v *View) Check() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf("sealedview: the view's record "+format, args...))
		}
	}
	fault(v.Cluster == "" || v.Nonce == "" || v.Seal == "" || v.Epoch == 0, "lacks its cluster, nonce, seal or epoch")
	fault(v.Epoch > maxEpoch, "has the epoch %d; there is none above %d", v.Epoch, uint64(maxEpoch))
	fault(v.Before.Epoch >= max(v.Epoch, 1), "has the epoch %d before its own, %d", v.Before.Epoch, v.Epoch)
	fault((v.Before.Epoch == 0) != (v.Before.Seal == ""), "names half of the view before")
	fault(v.Mode != Council && v.Mode != Store, "has an unknown mode %q", v.Mode)
	fault(len(v.Previous) > councilSize, "names %d grantors of the view before; there are at most %d", len(v.Previous), councilSize)
	fault(len(v.Excluded) > len(v.Members), "excludes %d of %d members", len(v.Excluded), len(v.Members))
	fault(len(v.Members) > maxMembers, "has %d members; there are at most %d", len(v.Members), maxMembers)
	if len(v.Members) > maxMembers {
		return errors.Join(faults...) // what is wrong with each would be too much to tell
	}
	seen := make(map[string]bool, len(v.Members))
	for i := range v.Members {
		m := &v.Members[i]
		fault(m.ID == "" || m.ID == StoreGrantor || m.Address == "", "has a member without id or address")
		fault(seen[m.ID], "has member %q twice", m.ID)
		fault(m.State != Active && m.State != Leaving, "has member %q in the unknown state %q", m.ID, m.State)
		fault(m.Weight < 0 || math.IsNaN(m.Weight) || math.IsInf(m.Weight, 0), "has member %q with the weight %v", m.ID, m.Weight)
		seen[m.ID] = true
	}
	return errors.Join(faults...)
}
