package main

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"photodesc/internal/bucket/buckettest"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptBucket is the object storage of a script.
type scriptBucket struct{ *buckettest.Server }

type bucketKey struct{}

func init() {
	// bucket start | put KEY FILE | putall PREFIX DIR | rm KEY | fault KIND [KEY] | mend | requests KEY N | writes N
	scriptCommands["bucket"] = func(ts *testscript.TestScript, _ bool, args []string) {
		b := ts.Value(bucketKey{}).(*scriptBucket)
		switch args[0] {
		case "start":
			server, err := buckettest.Start()
			ts.Check(err)
			b.Server = server
			ts.Defer(server.Close)
			for _, v := range server.Environment() {
				name, value, _ := strings.Cut(v, "=")
				ts.Setenv(name, value)
			}
		case "put":
			body, err := os.ReadFile(ts.MkAbs(args[2]))
			ts.Check(err)
			ts.Check(b.Write(args[1], body))
		case "putall":
			dir := ts.MkAbs(args[2])
			ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				body, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				return b.Write(args[1]+strings.TrimPrefix(path, dir), body)
			}))
		case "rm":
			ts.Check(b.Delete(args[1]))
		case "fault":
			b.SetFault(scriptFault(ts, args[1:]))
		case "mend":
			b.SetFault(nil)
		case "writes":
			if n := b.Writes(); n > 0 {
				ts.Fatalf("%d requests that write", n)
			}
		case "requested":
			if b.Requests(args[1]) == 0 {
				ts.Fatalf("%q was not asked for", args[1])
			}
		case "unrequested":
			if n := b.Requests(args[1]); n > 0 {
				ts.Fatalf("%q was asked for %d times", args[1], n)
			}
		default:
			ts.Fatalf("bucket: unknown command %q", args[0])
		}
	}
}

// scriptFault is a fault for one key, or for each request.
func scriptFault(ts *testscript.TestScript, args []string) func(*http.Request, string) buckettest.Fault {
	var f buckettest.Fault
	most := int64(1 << 40)
	switch args[0] {
	case "denied":
		f = buckettest.Fault{Status: 403, Code: "AccessDenied"}
	case "gone":
		f = buckettest.Fault{Status: 404, Code: "NoSuchKey"}
	case "nobucket":
		f = buckettest.Fault{Status: 404, Code: "NoSuchBucket"}
	case "away":
		f, most = buckettest.Fault{Status: 503, Code: "ServiceUnavailable"}, 3 // for a first byte, for the photo, and for the list
	case "cut":
		f, most = buckettest.Fault{Cut: 1000}, 2
	default:
		ts.Fatalf("bucket: unknown fault %q", args[0])
	}
	only := append(args, "")[1]
	var asked atomic.Int64
	return func(_ *http.Request, key string) buckettest.Fault {
		switch {
		case only == "objects" && key == "" && (args[0] != "away" || asked.Load() == 0), // the list is first, and is read
			only != "" && only != "objects" && only != key,
			asked.Add(1) > most:
			return buckettest.Fault{}
		}
		return f
	}
}
