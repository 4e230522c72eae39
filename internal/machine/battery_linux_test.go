package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnBattery(t *testing.T) {
	for name, test := range map[string]struct {
		supplies string // a line for each, of NAME FILE=TEXT…
		want     bool
	}{
		"desktop":                 {"", false},
		"plugged in":              {"AC type=Mains online=1\nBAT0 type=Battery status=Charging", false},
		"on battery":              {"AC type=Mains online=0\nBAT0 type=Battery status=Discharging", true},
		"one of two in use":       {"AC type=Mains online=0\nBAT0 type=Battery status=Full\nBAT1 type=Battery status=Discharging", true},
		"weak adapter":            {"BAT0 type=Battery status=Discharging\nucsi type=USB online=1", false},
		"a mouse":                 {"AC type=Mains online=0\nhid type=Battery status=Discharging scope=Device", false},
		"no adapter is known":     {"BAT0 type=Battery status=Discharging scope=System", true},
		"full and on a dock":      {"BAT0 type=Battery status=Not_charging", false},
		"adapter without a state": {"AC type=Mains\nBAT0 type=Battery status=Discharging", true},
	} {
		sys := t.TempDir()
		t.Setenv("HOST_SYS", sys)
		for line := range strings.Lines(test.supplies) {
			words := strings.Fields(line)
			dir := filepath.Join(sys, "class", "power_supply", words[0])
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, w := range words[1:] {
				file, text, _ := strings.Cut(w, "=")
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := OnBattery(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
