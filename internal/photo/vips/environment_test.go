package vips

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnvironment runs a decode in a process whose environment tells libvips
// and GLib to print, to measure and to take warnings for errors.
func TestEnvironment(t *testing.T) {
	const again = "PHOTODESC_TEST_ENVIRONMENT"
	if path := os.Getenv(again); path != "" {
		photo, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		decode(t, write(t, "whole.jpg", photo), Options{Longest: 100})
		Decode(write(t, "cut.jpg", photo[:len(photo)/2]), Options{Longest: 100}) // libjpeg warns
		Shutdown()                                                               // some is printed and written then
		return
	}
	binary, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir, path := t.TempDir(), write(t, "photo.jpg", read(t, "yellow-circle-orientation-6.jpg"))
	for _, variables := range []string{
		"G_MESSAGES_DEBUG=all VIPS_INFO=1 IM_INFO=1 VIPS_LEAK=1 VIPS_TRACE=1", "G_DEBUG=fatal-warnings",
		"VIPS_PROFILE=1 VIPS_PROGRESS=1 VIPS_CONCURRENCY=nonsense",
	} {
		cmd := exec.Command(binary, "-test.run", "^TestEnvironment$")
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), again+"="+path), strings.Fields(variables)...)
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != "PASS\n" {
			t.Errorf("%s: %v\n%s", variables, err, out)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Fatalf("%s left %v, %v", variables, left, err)
		}
	}
}
