package machine

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// OnBattery reports whether the machine runs on its own battery: one is being discharged, and no mains adapter is online. Batteries
// of a mouse or a keyboard do not count. It is false where the system says nothing of its power.
func OnBattery() bool {
	supplies, _ := filepath.Glob(filepath.Join(cmp.Or(os.Getenv("HOST_SYS"), "/sys"), "class", "power_supply", "*"))
	discharging := false
	for _, dir := range supplies {
		property := func(name string) string {
			b, _ := os.ReadFile(filepath.Join(dir, name))
			return strings.TrimSpace(string(b))
		}
		switch kind := property("type"); {
		case property("scope") == "Device":
		case kind == "Battery":
			discharging = discharging || property("status") == "Discharging"
		case property("online") == "1" || property("online") == "2":
			return false
		}
	}
	return discharging
}
