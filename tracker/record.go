package tracker

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	fastjson "github.com/segmentio/encoding/json"

	"photodesc/internal/kinds"
)

// Status is the outcome of a photo.
type Status string

// The outcomes.
const (
	OK     Status = "ok"
	Failed Status = "failed"
	// Forgotten takes a path's earlier results back.
	Forgotten Status = "forgotten"
)

// Via is how a record's words came to its path.
type Via string

// The values of Via; "" is a model's answer for this path.
const (
	ViaMoved     Via = "moved"     // the photo was moved or renamed
	ViaDuplicate Via = "duplicate" // another photo has the same picture
)

func (s Status) known() bool { return s == OK || s == Failed || s == Forgotten }

// Finish is the reason why a description ends.
type Finish = kinds.Finish

// The values of Finish, as in package kinds.
const (
	FinishStop   = kinds.FinishStop
	FinishLength = kinds.FinishLength
	FinishRepeat = kinds.FinishRepeat
)

// Kind is a class of failures.
type Kind = kinds.Failure

// The kinds of failure, as in package kinds.
const (
	Unreadable  = kinds.Unreadable
	Unsupported = kinds.Unsupported
	TooLarge    = kinds.TooLarge
	Timeout     = kinds.Timeout
	Crash       = kinds.Crash
	Memory      = kinds.Memory
	Model       = kinds.Model
)

// Kinds are all kinds of failure, in the order in which they are reported.
var Kinds = kinds.Failures

// RecordError is what went wrong with a photo.
type RecordError struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
}

// Seconds are the times that a photo took, by stage.
type Seconds struct {
	Decode   float64 `json:"decode"`   // file to pixels
	Encode   float64 `json:"encode"`   // pixels to embeddings
	Prompt   float64 `json:"prompt"`   // prefill
	Generate float64 `json:"generate"` // writing the description
	Total    float64 `json:"total"`
}

// Record is one line of an output file: one photo, described or failed.
type Record struct {
	Path         string   `json:"path"` // relative to the photo folder, any bytes; EncodePath'd on the line
	Status       Status   `json:"status"`
	Settings     string   `json:"settings,omitempty"` // the ID of what decided the words
	Description  string   `json:"description"`        // the answer to the first prompt
	Keywords     []string `json:"keywords,omitempty"` // where they were asked for, first or not
	Raw          string   `json:"raw,omitempty"`      // the description before it was cleaned, if wanted
	Finish       Finish   `json:"finish,omitempty"`
	Model        string   `json:"model"`
	Prompt       string   `json:"prompt"`
	Language     string   `json:"language,omitempty"` // BCP-47, that answers were asked for in; the prompt is without that request
	Context      string   `json:"context,omitempty"`  // what the model was told of the photo before the prompt, see --context
	Width        int      `json:"width"`              // pixels of the upright photo
	Height       int      `json:"height"`
	Tiles        int      `json:"tiles"`
	PromptTokens int      `json:"prompt_tokens"`
	Tokens       int      `json:"tokens"` // generated
	// Answers to further prompts, by their names: those of the named ones,
	// "prompt-2" for the second of the run if it has none.
	Answers map[string]RecordAnswer `json:"answers,omitempty"`
	// What the file says of itself; each is left out where it does not say so.
	File   *PhotoFile  `json:"file,omitempty"`
	Taken  string      `json:"taken,omitempty"`  // see [ParseTaken]
	Camera string      `json:"camera,omitempty"` // maker and model, "Canon EOS 5D"
	Place  *PhotoPlace `json:"place,omitempty"`  // where it was taken
	// How the words came here, where no model wrote them for this path; a duplicate that was moved stays one.
	Via      Via     `json:"via,omitempty"`
	From     string  `json:"from,omitempty"` // the path that a moved photo had before, EncodePath'd on the line
	Of       string  `json:"of,omitempty"`   // the photo whose words these are, where that has the same picture, EncodePath'd on the line
	Node     string  `json:"node,omitempty"` // the machine that described it, of a run that several share
	Seconds  Seconds `json:"seconds"`
	Attempts int     `json:"attempts"` // 1 when it went well at once
	// Blank is how many answers without a letter came before this one; of a
	// failed photo, how many there were.
	Blank int          `json:"blank,omitempty"`
	Time  time.Time    `json:"time"` // when it ended
	Error *RecordError `json:"error,omitempty"`
	// The request that asked for this description, of a photo that was to be described again.
	Request *RecordRequest `json:"request,omitempty"`

	asked   bool // see [AddAsked]
	refresh bool // the newest record of its path with what its file is now, see [Files.Refresh]
}

// RecordRequest is the request that a record answers.
type RecordRequest struct {
	ID string `json:"id"` // of the [Request]
	// Chosen is whether its prompt is another than the run's. Such a description stays when others are made again because
	// settings have changed.
	Chosen bool `json:"chosen,omitempty"`
}

// PhotoFile is the file that was described, as it was then.
type PhotoFile struct {
	Size    int64     `json:"size"`           // bytes
	ModTime time.Time `json:"mtime"`          // when it was last changed, as its file system says
	ETag    string    `json:"etag,omitempty"` // of an object in a bucket: another one if its content is another
	// Hashes, the first 128 bits of SHA-256 as hexadecimal digits; "": not known.
	Hash    string `json:"hash,omitempty"`    // of the whole file, where it was read whole
	Head    string `json:"head,omitempty"`    // of its size, first and last 64 KiB
	Picture string `json:"picture,omitempty"` // of what carries the picture, with orientation and colours and without other metadata
}

// mtimeTolerance is by how much times of the same file may differ: file systems round them when files are copied, FAT to
// two seconds.
const mtimeTolerance = 2 * time.Second

// Same is whether both can have the same picture: the hashes decide where both are known, else size and time. What is not
// known, nil, differs from nothing.
func (f *PhotoFile) Same(other *PhotoFile) bool {
	if f == nil || other == nil {
		return true
	}
	if f.Picture != "" && other.Picture != "" {
		return f.Picture == other.Picture
	}
	return f.Size == other.Size && f.ModTime.Sub(other.ModTime).Abs() <= mtimeTolerance
}

// Layouts of [Record.Taken].
const (
	takenLayout      = "2006-01-02T15:04:05"
	takenZonedLayout = "2006-01-02T15:04:05Z07:00"
)

// ParseTaken reads when a photo was taken: the date and time of the camera's clock, "2019-07-14T12:30:05", with the
// offset from UTC, "+02:00", only where the file has it. Without it the time is one in UTC and zoned is false.
func ParseTaken(text string) (t time.Time, zoned bool, err error) {
	if t, err := time.Parse(takenLayout, text); err == nil {
		return t, false, nil
	}
	t, err = time.Parse(takenZonedLayout, text)
	return t, err == nil, err
}

// RecordAnswer is the answer to a further prompt. The picture's part of the
// work, its time included, is the record's.
type RecordAnswer struct {
	Prompt string `json:"prompt"`
	Text   string `json:"text"`
	Raw    string `json:"raw,omitempty"`
	Finish Finish `json:"finish,omitempty"`
	Tokens int    `json:"tokens"`
}

// described is whether a model wrote the record's words for this line.
func (r *Record) described() bool { return r.Status == OK && r.Via == "" && !r.refresh }

// chosen is whether the record's settings are those that a person chose for this photo. They are as good as any run's.
func (r *Record) chosen() bool { return r.Request != nil && r.Request.Chosen }

// Share gives the record the words of another, whose picture is the same. What is known of its own file stays.
func (r *Record) Share(of *Record) {
	original := cmp.Or(of.Of, of.Path)
	if original == r.Path { // it was gone, and a copy has kept the words
		original = of.Path
	}
	r.Status, r.Error, r.Via, r.Of, r.From = OK, nil, ViaDuplicate, original, ""
	r.Settings, r.Model, r.Prompt, r.Language = of.Settings, of.Model, of.Prompt, of.Language
	r.Description, r.Keywords, r.Answers, r.Raw, r.Finish = of.Description, of.Keywords, of.Answers, of.Raw, of.Finish
	r.Tiles, r.PromptTokens, r.Tokens, r.Blank = of.Tiles, of.PromptTokens, of.Tokens, 0
}

// IsDuplicate is whether the words are those of another photo with the same picture.
func (r *Record) IsDuplicate() bool { return r.Of != "" }

// check returns an error for a record that would not be a valid line.
func (r *Record) check() error {
	switch {
	case r.Path == "":
		return errors.New("record without a path")
	case r.Status == OK && r.Error != nil:
		return fmt.Errorf("record of %q is ok and has an error", r.Path)
	case r.Status == Failed && (r.Error == nil || !slices.Contains(Kinds, r.Error.Kind)):
		return fmt.Errorf("failed record of %q without a known kind of error", r.Path)
	case !r.Status.known():
		return fmt.Errorf("record of %q has status %q", r.Path, r.Status)
	}
	return nil
}

// appendLine adds the record as one line, newline included, to buf. Bytes that
// are not UTF-8 outside the path become U+FFFD.
func (r Record) appendLine(buf []byte) ([]byte, error) {
	if err := r.check(); err != nil {
		return buf, err
	}
	r.encodePaths()
	r.Time = r.Time.Truncate(time.Millisecond)
	w := bytes.NewBuffer(buf)
	enc := json.NewEncoder(w)
	// The lines are for people and jq, not for web pages: "<" stays "<".
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return buf, fmt.Errorf("record of %q: %w", r.Path, err)
	}
	return w.Bytes(), nil
}

// encodePaths makes the paths what they are on the line.
func (r *Record) encodePaths() {
	r.Path = EncodePath(r.Path)
	for _, path := range []*string{&r.From, &r.Of} {
		if *path != "" {
			*path = EncodePath(*path)
		}
	}
}

func (r *Record) decodePaths() (err error) {
	for _, path := range []*string{&r.Path, &r.From, &r.Of} {
		if *path != "" && err == nil {
			*path, err = DecodePath(*path)
		}
	}
	return err
}

// parseRecord reads a whole line of an output file.
func parseRecord(line []byte) (Record, error) {
	var r Record
	if !utf8.Valid(line) {
		return r, errors.New("not valid UTF-8")
	}
	if !validJSON(line) { // the fast reader lets some of it pass
		return r, errNotJSON
	}
	// encoding/json takes six times as long, which is most of the time of reading a million descriptions.
	if err := fastjson.Unmarshal(line, &r); err != nil {
		return r, err
	}
	if err := r.decodePaths(); err != nil {
		return r, err
	}
	return r, checkRead(r.Path, r.Status)
}

// checkRead is what a line read back must have. It is less than what a line
// written must have, so that files of later versions stay readable.
func checkRead(path string, status Status) error {
	if path == "" || !status.known() {
		return errors.New("no path or status")
	}
	return nil
}

// Line is the record as a line of an output file, newline included. The error says why it would not be one.
func (r Record) Line() ([]byte, error) { return r.appendLine(nil) }
