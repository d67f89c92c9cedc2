package loopback

import (
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// device is Linux's name of the interface that leads to this machine alone.
const device = "lo"

// Confine has this process's servers on a port answer who comes over loopback, and
// nobody else: the kernel refuses other connections as if nothing listened. It
// needs no rights from Linux 5.7 on.
func Confine(port int) error {
	found := false
	err := listening(func(fd int, address unix.Sockaddr) error {
		if portOf(address) != port {
			return nil
		}
		found = true
		if err := unix.BindToDevice(fd, device); err != nil {
			return fmt.Errorf("bind the server on port %d to %s: %w", port, device, err)
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("nothing listens on port %d", port)
	}
	return err
}

// Exposed are the addresses at which this process listens and others reach it.
func Exposed() (addresses []string, err error) {
	err = listening(func(fd int, address unix.Sockaddr) error {
		if bound, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err != nil || bound == device {
			return err
		}
		var ip net.IP
		switch address := address.(type) {
		case *unix.SockaddrInet4:
			ip = address.Addr[:]
		case *unix.SockaddrInet6:
			ip = address.Addr[:]
		default:
			return nil // of this machine
		}
		if !ip.IsLoopback() {
			addresses = append(addresses, net.JoinHostPort(ip.String(), strconv.Itoa(portOf(address))))
		}
		return nil
	})
	return addresses, err
}

// listening calls visit with each socket of this process that takes connections.
func listening(visit func(fd int, address unix.Sockaddr) error) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			return err
		}
		if takes, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || takes == 0 {
			continue // another kind of file, or closed by now
		}
		address, err := unix.Getsockname(fd)
		if err != nil {
			continue // closed by now
		}
		if err := visit(fd, address); err != nil {
			return err
		}
	}
	return nil
}

// portOf is 0 for an address without one.
func portOf(address unix.Sockaddr) int {
	switch address := address.(type) {
	case *unix.SockaddrInet4:
		return address.Port
	case *unix.SockaddrInet6:
		return address.Port
	}
	return 0
}
