package browse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
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

// ownerOf returns the user whose socket has these addresses. Asking for that one socket takes 0.1 ms, looking through the
// list of all takes milliseconds, so that others could hold the page up with connections alone.
func ownerOf(local, remote net.Addr) (uid int, found bool) {
	l, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return 0, false
	}
	r, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return 0, false
	}
	if uid, err := askOwner(l, r); err == nil {
		return uid, true
	}
	return listedOwner(l, r)
}

// Of the kernel's linux/inet_diag.h and linux/sock_diag.h.
const (
	sockDiagByFamily = 20
	diagRequest      = 56 // bytes of inet_diag_req_v2
	diagAnswer       = 72 // bytes of inet_diag_msg
	diagID           = 4  // where that has the ports and addresses
	diagUID          = 64 // where that has the user
)

var errNoAnswer = errors.New("the kernel does not say whose connection it is")

// askOwner asks the kernel for one socket.
func askOwner(local, remote netip.AddrPort) (uid int, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return 0, err
	}
	id := make([]byte, 36) // ports, addresses of 16 bytes each
	binary.BigEndian.PutUint16(id, local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	copy(id[4:], local.Addr().Unmap().AsSlice())
	copy(id[20:], remote.Addr().Unmap().AsSlice())
	ask := binary.NativeEndian.AppendUint32(nil, unix.SizeofNlMsghdr+diagRequest)
	ask = binary.NativeEndian.AppendUint16(ask, sockDiagByFamily)
	ask = binary.NativeEndian.AppendUint16(ask, unix.NLM_F_REQUEST)
	ask = append(ask, make([]byte, 8)...)                   // number and sender
	ask = append(ask, unix.AF_INET, unix.IPPROTO_TCP, 0, 0) // nothing beside the answer
	ask = append(ask, 0xff, 0xff, 0xff, 0xff)               // in any state
	ask = append(append(ask, id...), make([]byte, 4)...)    // on any interface
	ask = append(ask, bytes.Repeat([]byte{0xff}, 8)...)     // no cookie
	if err := unix.Sendto(fd, ask, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	b := make([]byte, 4096)
	n, from, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		return 0, err
	}
	sender, ok := from.(*unix.SockaddrNetlink)
	if !ok || sender.Pid != 0 || n < unix.SizeofNlMsghdr+diagAnswer || binary.NativeEndian.Uint16(b[4:]) != sockDiagByFamily {
		return 0, errNoAnswer
	}
	answer := b[unix.SizeofNlMsghdr:n]
	if !bytes.Equal(answer[diagID:diagID+len(id)], id) {
		return 0, errNoAnswer
	}
	return int(binary.NativeEndian.Uint32(answer[diagUID:])), nil
}

// listedOwner looks through the list of all connections, where the kernel does not answer, as in some containers.
func listedOwner(l, r netip.AddrPort) (uid int, found bool) {
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
