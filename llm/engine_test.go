package llm

import (
	"context"
	"fmt"
	"os"
	"testing"
)

func TestSmoke(t *testing.T) {
	SetLog(func(l Level, s string) { fmt.Println(l, s) })
	name := os.Getenv("M"); if name == "" { name = "tiny" }
	e, err := Open(Options{Model: "/tmp/models/"+name+".gguf", Vision: "/tmp/models/mmproj-"+name+".gguf", Parallel: 4, MaxTokens: 24, Detail: DetailAuto})
	if err != nil { t.Fatal(err) }
	defer e.Close()
	pix := make([]byte, 300*200*3)
	for i := range pix { pix[i] = byte(i * 7) }
	a, err := e.Describe(context.Background(), Picture{Width: 300, Height: 200, Pix: pix})
	fmt.Printf("%+v %v %+v\n", a, err, e.Sizes())
}
