package main

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestBrowseWithoutDisplay: a machine without a display says how the page is seen from another one.
func TestBrowseWithoutDisplay(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("macOS always has a browser")
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME", "SSH_CONNECTION"} {
		t.Setenv(name, "")
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	sayHow(&said, 8017, "http://127.0.0.1:8017/", browseFlags{})
	if got := said.String(); !strings.HasPrefix(got, "There is no display here. ") || !strings.Contains(got, "\n    ssh -N -L 8017:127.0.0.1:8017 ") || !strings.Contains(got, "@"+host+"\n") {
		t.Errorf("%q", got)
	}
	said.Reset()
	sayHow(&said, 8017, "http://127.0.0.1:8017/", browseFlags{noOpen: true})
	if got := said.String(); got != "Ctrl-C ends it.\n" {
		t.Errorf("with --no-open: %q", got)
	}
}
