package sim

import "time"

// event is something that is going to happen.
type event struct {
	at      time.Duration // real time, which no node can see
	seq     uint64        // no two events share an instant and a place in it
	kind    kind
	proc    int32 // to whom
	from    int32
	payload any
}

// kind is what an event is.
type kind uint8

const (
	tick     kind = iota // of a process
	deliver              // a message
	arrive               // a request at the store
	apply                // a write that is late
	respond              // the store's answer at a process
	watch                // the store's record at a process that watches it
	letGo                // a process has released identities
	announce             // a process tells the store that it wants to join
	start                // a process
	resume               // a paused process
	request              // for some identity
	fault                // the nemesis' turn
	repair               // the end of a fault
	heal                 // the end of all faults
	judge                // the referee's turn
)

// queue holds the events to come, the next one first: a heap with four children
// to a node.
type queue struct {
	events []event
	seq    uint64
}

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.seq < f.seq
}

func (q *queue) push(e event) {
	q.seq++
	e.seq = q.seq
	q.events = append(q.events, e)
	i := len(q.events) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&q.events[parent]) {
			break
		}
		q.events[i] = q.events[parent]
		i = parent
	}
	q.events[i] = e
}

func (q *queue) pop() event {
	first := q.events[0]
	last := len(q.events) - 1
	e := q.events[last]
	q.events[last] = event{}
	q.events = q.events[:last]
	if last == 0 {
		return first
	}
	i := 0
	for {
		least := 4*i + 1
		if least >= last {
			break
		}
		for c := least + 1; c < min(4*i+5, last); c++ {
			if q.events[c].before(&q.events[least]) {
				least = c
			}
		}
		if !q.events[least].before(&e) {
			break
		}
		q.events[i] = q.events[least]
		i = least
	}
	q.events[i] = e
	return first
}
