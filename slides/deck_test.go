package slides

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// chapter is what the manifest says of one.
type chapter struct {
	ID, Dir   string
	Exercises []struct {
		ID, Title string
		Minutes   int
	}
}

func chapters(t testing.TB) []chapter {
	t.Helper()
	data, err := os.ReadFile("../chapters/workshop.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Chapters []chapter }
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Chapters) == 0 {
		t.Fatal("the manifest has no chapters")
	}
	return manifest.Chapters
}

func TestDecks(t *testing.T) {
	notes, err := os.ReadFile("INSTRUCTOR.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chapters(t) {
		d, err := Read(c.Dir + ".slide")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, f := range d.faults {
			t.Error(f)
		}
		shown := map[string]Slide{}
		for _, s := range d.Slides {
			shown[s.Exercise()] = s
		}
		minutes := map[string]int{}
		for _, e := range c.Exercises {
			minutes[e.ID] = e.Minutes
			s, ok := shown[e.ID]
			if !ok {
				t.Errorf("%s has no slide whose title begins with \"Exercise %s: \"", d.File, e.ID)
			} else if s.Minutes != e.Minutes {
				t.Errorf("%s:%d: %q takes %d minutes; the manifest says %d", d.File, s.Line, s.Title, s.Minutes, e.Minutes)
			}
			if heading := fmt.Sprintf("\n### %s %s\n", e.ID, e.Title); !strings.Contains(string(notes), heading) {
				t.Errorf("INSTRUCTOR.md has no heading %q with what people believe", strings.TrimSpace(heading))
			}
		}
		faults, err := agendas("INSTRUCTOR.md", d, minutes)
		if err != nil {
			t.Error(err)
		}
		for _, f := range faults {
			t.Error(f)
		}
	}
}

// TestServed has present itself show each deck.
func TestServed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "present.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "golang.org/x/tools/cmd/present").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, "-http=127.0.0.1:0", "-notes", "-play=false")
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended it
	address := ""
	for lines := bufio.NewScanner(output); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "visit ")
	}
	go func() { _, _ = io.Copy(io.Discard, output) }() // ends with the process
	for _, c := range chapters(t) {
		page := get(t, address+"/"+c.Dir+".slide")
		for _, want := range []string{"What nobody promises you", "func Mix(", "min. "} {
			if !strings.Contains(page, want) {
				t.Errorf("present does not show %q in %s", want, c.Dir)
			}
		}
	}
}

func get(t testing.TB, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s, %v\n%s", url, response.Status, err, body)
	}
	return string(body)
}

// In the rows ' stands for a backquote.
func TestDeckFaults(t *testing.T) {
	const good = "# Deck\n\n## Slide\n\ntext\n\n: 3 min. Say it.\n"
	rows := []struct{ name, deck, want string }{
		{"a slide", good, ""},
		{"a drawing", good + "\n'''text\n    a -> b\n'''\n", ""},
		{"a wide drawing", good + "\n'''text\n" + strings.Repeat("─", 98) + "\n'''\n", "deck.slide:10: a line of a drawing has 98 columns"},
		{"code of the library", good + "\n.code ../pkg/good.go /^func a/,/^}/\n", ""},
		{"a lost marker", good + "\n.code ../pkg/good.go /^func gone/,/^}/\n", "deck.slide:9: no match for ^func gone"},
		{"a moved file", good + "\n.code ../pkg/gone.go /^func a/,/^}/\n", "deck.slide:9: open "},
		{"no notes", "# Deck\n\n## Slide\n\ntext\n", `deck.slide:3: "Slide" has no notes`},
		{"no minutes", "# Deck\n\n## Slide\n\ntext\n\n: Say it.\n", `deck.slide:3: the notes of "Slide" do not begin with minutes`},
		{"code that was typed in", good + "\n'''go\nx := 1\n'''\n", `deck.slide:9: a block of "go" was typed in`},
		{"code that was indented", good + "\n\tx := 1\n", "deck.slide:9: an indented block was typed in"},
		{"code from elsewhere", good + "\n.code ../other/good.go /^func a/,/^}/\n", "deck.slide:3: code comes from ../solutions or ../pkg"},
		{"a long excerpt", good + "\n.code ../pkg/long.go\n", "deck.slide:3: 19 lines of long.go"},
		{"a wide excerpt", good + "\n.code ../pkg/wide.go\n", "deck.slide:3: a line of wide.go has 104 columns"},
		{"the marks of a stub", good + "\n.code ../pkg/marked.go\n", "deck.slide:3: an excerpt of marked.go shows //workshop:solution"},
		{"a program to run", good + "\n.play ../pkg/good.go /^func a/,/^}/\n", "deck.slide:3: .play runs what no test has run"},
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"pkg/good.go":   "package p\n\nfunc a() {\n}\n",
		"other/good.go": "package p\n\nfunc a() {\n}\n",
		"pkg/long.go":   strings.Repeat("// a line\n", 19),
		"pkg/wide.go":   "\t" + strings.Repeat("x", 100) + "\n",
		"pkg/marked.go": "\t//workshop:solution\n",
		"slides/x":      "",
	} {
		write(t, filepath.Join(root, filepath.FromSlash(name)), text)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			file := filepath.Join(root, "slides", "deck.slide")
			write(t, file, strings.ReplaceAll(row.deck, "'", "`"))
			d, err := Read(file)
			var got []string
			if err != nil {
				got = append(got, strings.TrimPrefix(err.Error(), "slides: "))
			} else {
				for _, f := range d.faults {
					got = append(got, f.String())
				}
			}
			expect(t, got, row.want)
		})
	}
}

func TestAgendaFaults(t *testing.T) {
	d := &Deck{Slides: []Slide{{"A", 1, 3}, {"Exercise 4.1: Kinds", 2, 20}, {"B", 3, 4}}}
	const head = "### 30 minutes\n\n| at | minutes | what |\n|---|---|---|\n"
	rows := []struct{ name, text, want string }{
		{"it adds up", head + "| 0:00 | 3 | slides *A* |\n| 0:03 | 20 | exercise 4.1 |\n| 0:23 | 7 | questions |\n", ""},
		{"a range of slides", head + "| 0:00 | 7 | slides *A* to *B* |\n| 0:07 | 23 | lunch |\n", ""},
		{"other tables", head + "| 0:00 | 30 | lunch |\n\n# Other\n\n| cut | gains | say |\n|---|---|---|\n| a | 5 | b |\n", ""},
		{"a wrong sum", head + "| 0:00 | 31 | lunch |\n", "x.md:1: the rows last 31 minutes"},
		{"a wrong beginning", head + "| 0:00 | 10 | lunch |\n| 0:11 | 20 | break |\n", "x.md:6: this begins at 0:10, not at 0:11"},
		{"slides that take longer", head + "| 0:00 | 30 | slides *A* |\n", "x.md:5: slides *A*: that takes 3 minutes, not 30"},
		{"a slide that is not there", head + "| 0:00 | 30 | slides *C* |\n", `x.md:5: the deck has no slides "C" to "C"`},
		{"slides from back to front", head + "| 0:00 | 30 | slides *B* to *A* |\n", `x.md:5: the deck has no slides "B" to "A"`},
		{"an exercise that takes longer", head + "| 0:00 | 30 | exercise 4.1 |\n", "x.md:5: exercise 4.1: that takes 20 minutes, not 30"},
		{"an exercise that is not there", head + "| 0:00 | 30 | exercise 9.9 |\n", "x.md:5: there is no exercise 9.9"},
		{"no agenda", "# Title\n", "x.md:1: there is no agenda"},
	}
	t.Chdir(t.TempDir())
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			write(t, "x.md", row.text)
			faults, err := agendas("x.md", d, map[string]int{"4.1": 20})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.String())
			}
			expect(t, got, row.want)
		})
	}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// expect wants no fault, or only one, at the place and with the text of want.
func expect(t testing.TB, got []string, want string) {
	t.Helper()
	if want == "" && len(got) == 0 {
		return
	}
	if len(got) != 1 || want == "" || !strings.Contains(got[0], want) {
		t.Errorf("faults = %q, want one with %q", got, want)
	}
}
