package bucket

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"

	"photodesc/internal/photo"
)

// BenchmarkMillion lists and walks a million keys, which a server that does nothing else makes up.
func BenchmarkMillion(b *testing.B) {
	const keys, page = 1_000_000, 1000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _ := strconv.Atoi(r.URL.Query().Get("continuation-token"))
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<?xml version="1.0"?><ListBucketResult><Name>photos</Name><EncodingType>url</EncodingType><KeyCount>%d</KeyCount><MaxKeys>%d</MaxKeys><IsTruncated>%v</IsTruncated><NextContinuationToken>%d</NextContinuationToken>`,
			page, page, first+page < keys, first+page)
		for i := first; i < first+page; i++ {
			fmt.Fprintf(w, `<Contents><Key>family/%04d/holiday-%03d/IMG_%07d.JPG</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>"%032x"</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>`,
				i/100_000, i/500%200, i, i, 1_000_000+i)
		}
		_, _ = io.WriteString(w, `</ListBucketResult>`)
	}))
	defer server.Close()
	b.Setenv("AWS_ACCESS_KEY_ID", "k")
	b.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	for b.Loop() {
		before := heap()
		s, err := Open("s3://photos/family", Options{Endpoint: server.URL, Region: "us-east-1"})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.List(b.Context(), func(int) {}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heap()-before)/keys, "B/key")
		found := 0
		if err := photo.Walk(b.Context(), s.Name(), photo.WalkOptions{Tree: s}, func(string) error { found++; return nil }); err != nil {
			b.Fatal(err)
		}
		if found != keys {
			b.Fatalf("found %d", found)
		}
		runtime.KeepAlive(s)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
