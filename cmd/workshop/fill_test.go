package main

import "testing"

func TestFill(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"a line that is too long", "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen.",
			"  One two three four five six seven eight nine ten eleven twelve thirteen\n  fourteen fifteen sixteen."},
		{"short lines are joined, paragraphs are not", "One\ntwo.\n\nThree.", "  One two.\n\n  Three."},
		{"items hang", "- One two three four five six seven eight nine ten eleven twelve thirteen fourteen\n  fifteen.\n- Two.",
			"  - One two three four five six seven eight nine ten eleven twelve thirteen\n    fourteen fifteen.\n  - Two."},
		{"code keeps its lines", "Look:\n\n```text\na:  b\n    c\n```\nSo.", "  Look:\n\n  a:  b\n      c\n  So."},
		{"a link is its text", "See [disthash](../doc.go).", "  See disthash."},
		{"nothing", "", ""},
	} {
		if got := fill(row.text, "  "); got != row.want {
			t.Errorf("%s: fill = \n%s\nwant\n%s", row.name, got, row.want)
		}
	}
}
