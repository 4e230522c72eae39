package vips

import (
	"fmt"
	"os"
	"testing"
)

// untrustedEnv, when set, has the test's process allow untrusted loaders: a
// process can do only one or the other.
const untrustedEnv = "PHOTODESC_TEST_UNTRUSTED"

func TestMain(m *testing.M) {
	if err := Startup(StartupOptions{Untrusted: os.Getenv(untrustedEnv) != ""}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
