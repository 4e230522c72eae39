package awake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience is how long the system bus may take to answer.
const patience = 5 * time.Second

// wishes are what logind is asked for, most first: who works over a remote
// connection may not be allowed all of it.
var wishes = []struct{ what, text string }{
	{"sleep:idle:handle-lid-switch", "sleep, idling and the lid"},
	{"sleep:idle", "sleep and idling, but not the lid"},
	{"idle", "idling, but not sleep and the lid"},
}

// hold takes an inhibitor lock of logind's: a file descriptor that holds as
// long as it is open, so that even a killed run lets the machine sleep.
func hold() (string, func(), error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return "", nil, fmt.Errorf("%w (%w)", ErrNoService, err)
	}
	defer bus.Close()
	logind := bus.Object("org.freedesktop.login1", "/org/freedesktop/login1")
	var refused error
	for _, wish := range wishes {
		var fd dbus.UnixFD
		err := logind.CallWithContext(ctx, "org.freedesktop.login1.Manager.Inhibit", 0, wish.what, who, why, "block").Store(&fd)
		if err == nil {
			lock := os.NewFile(uintptr(fd), "inhibitor")
			return "logind holds off " + wish.text, func() { lock.Close() }, nil
		}
		var named dbus.Error
		if errors.As(err, &named) && (named.Name == "org.freedesktop.DBus.Error.ServiceUnknown" || named.Name == "org.freedesktop.DBus.Error.NameHasNoOwner") {
			return "", nil, fmt.Errorf("%w (logind is not running)", ErrNoService)
		}
		refused = err
	}
	return "", nil, fmt.Errorf("logind refuses: %w", refused)
}
