package bucket

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"photodesc/internal/fsutil"
)

// Object is what a listing says of an object.
type Object struct {
	Size    int64
	ModTime time.Time // to the second, as answers to requests have it
	ETag    string
}

// object is an Object in few bytes.
type object struct {
	rel     string // its key without the prefix
	size    int64
	seconds int64 // of ModTime, since 1970
	sum     [16]byte
	parts   int32  // of an upload in parts, see etag
	odd     string // an entity tag of another form
}

// maxParts is the largest number after the dash in an entity tag.
const maxParts = 100_000

func (o *object) setETag(tag string) {
	digits, parts, dash := strings.Cut(tag, "-")
	n, err := strconv.Atoi(parts)
	sum, bad := hex.DecodeString(digits)
	if bad == nil && len(sum) == len(o.sum) && digits == strings.ToLower(digits) && (!dash || err == nil && n > 0 && n < maxParts && strconv.Itoa(n) == parts) {
		copy(o.sum[:], sum)
		o.parts = int32(n)
		return
	}
	o.parts, o.odd = -1, strings.Clone(tag)
}

func (o *object) etag() string {
	switch {
	case o.parts < 0:
		return o.odd
	case o.parts > 0:
		return fmt.Sprintf("%x-%d", o.sum, o.parts)
	}
	return hex.EncodeToString(o.sum[:])
}

// trimETag returns an entity tag without the mark by which a proxy says that it has packed the answer.
func trimETag(tag string) string { return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) }

// Odd counts keys that no path can have: with "." or ".." between slashes.
type Odd struct {
	Count int
	First string
}

// listTries is how often a listing goes on after an error.
const listTries = 5

// List reads all keys below the prefix. progress is told their number now and then.
func (b *Bucket) List(ctx context.Context, progress func(keys int)) error {
	b.objects, b.odd = nil, Odd{}
	last := "" // key
	for failed := 0; ; {
		before := len(b.objects)
		err := b.listAfter(ctx, &last, progress)
		if err == nil {
			break
		}
		if len(b.objects) > before {
			failed = 0
		}
		if region := otherRegion(err); region != "" && region != b.region {
			if err := b.connect(region); err != nil {
				return err
			}
			continue
		}
		failed++
		if denied := (*DeniedError)(nil); errors.As(b.explain(err), &denied) || ctx.Err() != nil || failed == listTries || isSetup(err) {
			return b.explain(err)
		}
		if err := b.sleep(ctx, backoffOf(failed)); err != nil {
			return err
		}
	}
	if !slices.IsSortedFunc(b.objects, byRel) { // not all storages sort by bytes
		slices.SortFunc(b.objects, byRel)
	}
	b.objects = slices.CompactFunc(b.objects, func(x, y object) bool { return x.rel == y.rel })
	return nil
}

func byRel(x, y object) int { return strings.Compare(x.rel, y.rel) }

// listAfter appends the objects whose keys come after last.
func (b *Bucket) listAfter(ctx context.Context, last *string, progress func(int)) error {
	noOwner := false
	for o := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true, StartAfter: *last, FetchOwner: &noOwner}) {
		if o.Err != nil {
			return o.Err
		}
		*last = o.Key
		b.add(o)
		if n := len(b.objects); n%1000 == 0 && n > 0 {
			progress(n)
		}
	}
	return ctx.Err()
}

func (b *Bucket) add(o minio.ObjectInfo) {
	rel, below := strings.CutPrefix(o.Key, b.prefix)
	if !below || rel == "" || strings.HasSuffix(rel, "/") { // a mark for a folder
		return
	}
	for name := range strings.SplitSeq(rel, "/") {
		if name == "." || name == ".." {
			if b.odd.Count++; b.odd.Count == 1 {
				b.odd.First = o.Key
			}
			return
		}
	}
	x := object{rel: strings.Clone(rel), size: o.Size, seconds: o.LastModified.Unix()}
	x.setETag(trimETag(o.ETag))
	b.objects = append(b.objects, x)
}

// Odd returns the keys that are passed over.
func (b *Bucket) Odd() Odd { return b.odd }

// Len returns the number of objects that List has found.
func (b *Bucket) Len() int { return len(b.objects) }

// from returns the index of the first object whose path is not before rel.
func (b *Bucket) from(rel string) int {
	return sort.Search(len(b.objects), func(i int) bool { return b.objects[i].rel >= rel })
}

// Stat returns what the listing says of an object.
func (b *Bucket) Stat(rel string) (Object, bool) {
	i := b.from(rel)
	if i == len(b.objects) || b.objects[i].rel != rel {
		return Object{}, false
	}
	o := &b.objects[i]
	return Object{o.size, time.Unix(o.seconds, 0).UTC(), o.etag()}, true
}

// ReadDir implements [photo.Tree] on what List has found.
func (b *Bucket) ReadDir(rel string, add func(name string, folder bool)) error {
	prefix := ""
	if rel != "." {
		prefix = rel + "/"
	}
	for i := b.from(prefix); i < len(b.objects); {
		name, below := strings.CutPrefix(b.objects[i].rel, prefix)
		if !below {
			break
		}
		folder, _, deeper := strings.Cut(name, "/")
		add(folder, deeper)
		if i++; deeper { // '0' comes after '/'
			i = b.from(prefix + folder + "0")
		}
	}
	return nil
}

// ReadHead implements [photo.Tree]. It tries a few times.
func (b *Bucket) ReadHead(ctx context.Context, rel string, n int) (head []byte, err error) {
	if o, there := b.Stat(rel); !there || o.Size == 0 {
		return nil, map[bool]error{true: nil, false: ErrGone}[there]
	}
	for tries := 1; ; tries++ {
		if head, err = b.head(ctx, rel, n); err == nil || final(err) || tries == headTries {
			return head, b.explain(err)
		}
		if err := b.sleep(ctx, backoffOf(tries)); err != nil {
			return nil, err
		}
	}
}

// headTries is how often the beginning of an object is asked for.
const headTries = 3

// head asks once for the first bytes of an object that is not empty. A storage that is silent for too long is an error.
func (b *Bucket) head(ctx context.Context, rel string, n int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, b.stall)
	defer cancel()
	opts := minio.GetObjectOptions{}
	if err := opts.SetRange(0, int64(n)-1); err != nil {
		return nil, err
	}
	body, _, _, err := b.core.GetObject(ctx, b.name, b.prefix+rel, opts)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, int64(n)))
}

// Path returns the address of an object.
func (b *Bucket) Path(rel string) string { return fsutil.Join(b.Name(), rel) }
