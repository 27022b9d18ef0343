package referee

// note is one line on a connection to the referee, in JSON; one field is set.
type note struct {
	Process   string     `json:"process,omitempty"` // who speaks, first of all
	Enter     *Entry     `json:"enter,omitempty"`
	Exit      *Exit      `json:"exit,omitempty"`
	Operation *Operation `json:"op,omitempty"`
	Load      string     `json:"load,omitempty"` // an identity; answered
	Save      *save      `json:"save,omitempty"` // answered
}

type save struct {
	By    Activation `json:"by"`
	Value int64      `json:"value"`
}

// answer is the line that answers Load and Save.
type answer struct {
	Value int64       `json:"value"`
	Stale *StaleError `json:"stale,omitempty"`
}
