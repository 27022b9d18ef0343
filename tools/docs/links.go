package docs

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
)

var (
	link       = regexp.MustCompile(`\]\(<?([^)\s>]+)`)
	elsewhere  = regexp.MustCompile(`^[a-z]+:`)
	codeSpan   = regexp.MustCompile("`[^`]*`")
	notInSlugs = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
)

// linkFaults finds the links to files and headings that are not in root.
func linkFaults(root fs.FS, d document) []Fault {
	var faults []Fault
	for i, line := range d.prose {
		for _, match := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
			if elsewhere.MatchString(match[1]) {
				continue
			}
			name, heading, _ := strings.Cut(match[1], "#")
			target := path.Join(path.Dir(d.file), name)
			if name == "" {
				target = d.file
			}
			if _, err := fs.Stat(root, target); err != nil {
				faults = append(faults, d.fault(i+1, "the link %s leads to %s, which is not there", match[1], target))
			} else if heading != "" && !hasHeading(root, target, heading) {
				faults = append(faults, d.fault(i+1, "the link %s leads to a heading that %s does not have", match[1], target))
			}
		}
	}
	return faults
}

// hasHeading says whether GitHub would give a heading of the file that anchor.
func hasHeading(root fs.FS, file, anchor string) bool {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return false
	}
	for _, line := range parse(file, string(text)).prose {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		slug := notInSlugs.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		if strings.ReplaceAll(slug, " ", "-") == anchor {
			return true
		}
	}
	return false
}
