package bench

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
)

// archived is a result without what only a run needs.
type archived struct {
	Name, Title string
	Growth      Growth
	Metrics     []Metric
	Scores      []archivedScore
}

type archivedScore struct {
	Name    string
	Samples []Sample
	Err     string
}

// Archive keeps results in a file: those of a workload replace what it had of
// that before. It returns all that are there now, in the order of names, and
// those of other workloads after them.
func Archive(file string, results []Result, names []string) ([]Result, error) {
	kept, err := load(file)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		kept = slices.DeleteFunc(kept, func(a archived) bool { return a.Name == r.Workload.Name })
		kept = append(kept, r.archived())
	}
	place := func(a archived) int {
		if i := slices.Index(names, a.Name); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(kept, func(a, b archived) int { return place(a) - place(b) })
	text, err := json.MarshalIndent(kept, "", " ")
	if err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	all := make([]Result, len(kept))
	for i, a := range kept {
		all[i] = a.result()
	}
	return all, err
}

func load(file string) (kept []archived, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	return kept, err
}

func (r Result) archived() archived {
	w := r.Workload
	a := archived{Name: w.Name, Title: w.Title, Growth: w.Growth, Metrics: w.Metrics}
	for _, s := range r.Scores {
		text := ""
		if s.Err != nil {
			text = s.Err.Error()
		}
		a.Scores = append(a.Scores, archivedScore{s.Name, s.Samples, text})
	}
	return a
}

func (a archived) result() Result {
	r := Result{Workload: Workload{Name: a.Name, Title: a.Title, Growth: a.Growth, Metrics: a.Metrics}}
	for _, s := range a.Scores {
		var err error
		if s.Err != "" {
			err = errors.New(s.Err)
		}
		r.Scores = append(r.Scores, Score{Name: s.Name, Samples: s.Samples, Err: err})
	}
	return r
}
