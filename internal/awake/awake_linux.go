package awake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
)

// busTimeout is how long the system bus may take to answer.
const busTimeout = 5 * time.Second

// inhibitions are what logind is asked for, the most first. A user who works over a
// remote connection may be allowed less.
var inhibitions = []struct{ what, text string }{
	{"sleep:idle:handle-lid-switch", "sleep, idling and the lid"},
	{"sleep:idle", "sleep and idling, but not the lid"},
	{"idle", "idling, but not sleep and the lid"},
}

// hold takes an inhibitor lock of logind. It is a file descriptor and ends when that
// is closed, so the machine can sleep again even if the run is killed.
func hold() (string, func(), error) {
	ctx, cancel := context.WithTimeout(context.Background(), busTimeout)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return "", nil, fmt.Errorf("%w (%w)", ErrNoService, err)
	}
	defer bus.Close()
	logind := bus.Object("org.freedesktop.login1", "/org/freedesktop/login1")
	var refused error
	for _, inhibition := range inhibitions {
		var fd dbus.UnixFD
		err := logind.CallWithContext(ctx, "org.freedesktop.login1.Manager.Inhibit", 0, inhibition.what, who, why, "block").Store(&fd)
		if err == nil {
			lock := os.NewFile(uintptr(fd), "inhibitor")
			return "logind holds off " + inhibition.text, func() { lock.Close() }, nil
		}
		var named dbus.Error
		if errors.As(err, &named) && (named.Name == "org.freedesktop.DBus.Error.ServiceUnknown" || named.Name == "org.freedesktop.DBus.Error.NameHasNoOwner") {
			return "", nil, fmt.Errorf("%w (logind is not running)", ErrNoService)
		}
		refused = err
	}
	return "", nil, fmt.Errorf("logind refuses: %w", refused)
}
