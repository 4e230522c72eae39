package machine

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// powerInterval is how long an answer of pmset is used again.
const powerInterval = 20 * time.Second

var power struct {
	sync.Mutex
	asked     time.Time
	onBattery bool
}

// OnBattery reports whether the machine runs on its own battery. It is false where pmset does not tell.
func OnBattery() bool {
	power.Lock()
	defer power.Unlock()
	if power.asked.IsZero() || time.Since(power.asked) > powerInterval {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		text, err := exec.CommandContext(ctx, "pmset", "-g", "batt").Output()
		power.asked, power.onBattery = time.Now(), err == nil && strings.Contains(string(text), "'Battery Power'")
	}
	return power.onBattery
}
