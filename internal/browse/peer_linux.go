package browse

import (
	"bufio"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// otherUser is whether the program at the other end of a connection on this machine belongs to
// another user than this one. The kernel lists all connections with their owners. root may see
// everything anyway, and ssh passes a tunnel on as the user who logged in. Where the list has no
// such connection, only the token protects.
func otherUser(local, remote net.Addr) bool {
	me := os.Getuid()
	uid, found := ownerOf(remote, local)
	return found && uid != 0 && uid != me
}

// ownerOf returns the user whose socket has these addresses.
func ownerOf(local, remote net.Addr) (uid int, found bool) {
	l, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return 0, false
	}
	r, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return 0, false
	}
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	wantLocal, wantRemote := tableAddress(l), tableAddress(r)
	for s := bufio.NewScanner(f); s.Scan(); {
		// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid …
		fields := strings.Fields(s.Text())
		if len(fields) < 8 || fields[1] != wantLocal || fields[2] != wantRemote {
			continue
		}
		uid, err := strconv.Atoi(fields[7])
		return uid, err == nil
	}
	return 0, false
}

// tableAddress is an IPv4 address and port as /proc/net/tcp has it on little-endian machines: the
// bytes of the address in reverse order.
func tableAddress(a netip.AddrPort) string {
	ip := a.Addr().Unmap().As4()
	port := []byte{byte(a.Port() >> 8), byte(a.Port())}
	return strings.ToUpper(hex.EncodeToString([]byte{ip[3], ip[2], ip[1], ip[0]}) + ":" + hex.EncodeToString(port))
}
