package lab

import (
	"context"
	"fmt"
	"strings"
)

// Status is how the lab is at one moment.
type Status struct {
	Code    Code
	Page    string // its address
	Rows    []Row
	Epoch   uint64 // of the view that the client has
	Unheard int    // users that do not answer
	Users   int
	Cuts    []string // "member-1 from consul"
	Silence string   // why the client tells nothing; "" if it does
}

// Row is a container.
type Row struct {
	Name   string
	State  string // running, paused, exited
	Health string // healthy, unhealthy, starting; "" if it does not run
	Users  int    // that the client last heard from there
	InView bool   // the client's
}

// Status looks at the lab.
func (l *Lab) Status(ctx context.Context) (*Status, error) {
	s, err := l.state()
	if err != nil {
		return nil, err
	}
	all, err := l.containers(ctx)
	if err != nil {
		return nil, err
	}
	cuts, err := l.cuts(ctx, all)
	if err != nil {
		return nil, err
	}
	st := &Status{Code: s.Code, Page: fmt.Sprintf("http://127.0.0.1:%d", s.Port)}
	for _, cut := range cuts {
		st.Cuts = append(st.Cuts, strings.Join(cut[:], apart))
	}
	on, view := map[string]int{}, map[string]bool{}
	if r, err := l.Report(ctx, s.Since); err != nil {
		st.Silence = err.Error()
	} else {
		st.Epoch, st.Unheard, st.Users, on = r.Epoch, r.Unheard, r.Users, r.On()
		for _, m := range r.Members {
			view[m] = true
		}
	}
	for _, name := range append([]string{"consul", "client"}, Members...) {
		c := all[name]
		if c.State == "" {
			c.State = "gone"
		}
		st.Rows = append(st.Rows, Row{Name: name, State: c.State, Health: c.Health, Users: on[name], InView: view[name]})
	}
	return st, nil
}
