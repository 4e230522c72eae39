// Command bench measures photodesc's performance targets.
//
//	go run ./tools/bench [flags] [ROW...]
//
// It runs bin/photodesc with a model of random weights in the 500M's shape. Comparisons with llama.cpp need the commands
// of its programs in the environment: PEER (llama-server) and PEER_BENCH (llama-bench), such as "/usr/bin/llama-server"
// or "chroot /srv/sid llama-server". `make bench` builds what is needed; docs/performance.md describes the method.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"photodesc/internal/bench/targets"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := targets.Run(ctx, os.Args[1:], os.Stdout); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
