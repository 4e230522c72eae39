package main

import (
	"strings"
)

// photoPath joins without cleaning: "a/../b" may not be "b" where there are links.
func photoPath(root, rel string) string { return strings.TrimSuffix(root, "/") + "/" + rel }
