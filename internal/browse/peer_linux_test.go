package browse

import (
	"net"
	"net/netip"
	"os"
	"testing"
)

// TestOwners: the kernel's answer for one connection is that of its list, and no socket is that of another.
func TestOwners(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		local, remote := netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(c.RemoteAddr().String())
		if uid, found := listedOwner(local, remote); !found || uid != os.Getuid() {
			t.Errorf("the list has %d %v", uid, found)
		}
		uid, err := askOwner(local, remote)
		if err != nil {
			t.Skipf("the kernel does not answer here: %v", err)
		}
		if uid != os.Getuid() {
			t.Errorf("the kernel answers %d", uid)
		}
		nobody := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), local.Port())
		if uid, err := askOwner(nobody, remote); err == nil {
			t.Errorf("a connection that is none belongs to %d", uid)
		}
		// Where there is no such connection, the kernel may answer with the socket that listens.
		if uid, err := askOwner(remote, nobody); err == nil {
			t.Errorf("a connection that is none belongs to who listens, %d", uid)
		}
		if uid, found := listedOwner(nobody, remote); found {
			t.Errorf("a connection that is none is in the list with %d", uid)
		}
	}
}
