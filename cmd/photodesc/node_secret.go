package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"photodesc/internal/cluster"
	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

// maxSecrets is how many nodes of one user on one machine are known again when they are started again.
const maxSecrets = 16

// secretLocks are held until this process ends. Their files would otherwise be closed when nothing refers to them any more.
var secretLocks []*flock.Flock

// nodeSecret is what runs know this node by. It is kept in the cache folder, so that a node that is started again has its name again;
// a second node beside it has another. Without a cache folder it is a new one each time.
var nodeSecret = sync.OnceValue(func() string {
	dir, err := fsutil.CacheDir("node")
	if err != nil || os.MkdirAll(dir, 0o700) != nil {
		return cluster.RandomSecret()
	}
	for i := range maxSecrets {
		path := filepath.Join(dir, fmt.Sprintf("secret-%d", i))
		lock := flock.New(path + ".lock")
		if held, err := lock.TryLock(); !held || err != nil {
			continue
		}
		secretLocks = append(secretLocks, lock)
		if data, err := fsutil.ReadSmall(path, 1000); err == nil && len(strings.TrimSpace(string(data))) >= 32 {
			return strings.TrimSpace(string(data))
		}
		secret := cluster.RandomSecret()
		_ = durable.WriteFile(path, []byte(secret+"\n"), 0o600) // if it cannot be kept, the node has another name the next time
		return secret
	}
	return cluster.RandomSecret()
})
