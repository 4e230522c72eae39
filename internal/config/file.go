package config

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// configName is the name of a file of settings, in the workdir and in the
// user's configuration folder.
const configName = "photodesc.toml"

// maxConfig is the largest size of a file of settings in bytes, enough for a list of
// thousands of values.
const maxConfig = 1 << 20

// configEntry is a setting of a file: key = value or key = [value, …].
type configEntry struct {
	key    string
	line   int // from 1
	values []string
	list   bool
}

// lineError is an error in a line of a file.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return e.text }

// parseConfig returns the settings of a file in their order, without checking the
// keys. Its errors are of type *lineError.
func parseConfig(data []byte) ([]configEntry, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors begin with it
	values := map[string]any{}
	if err := toml.Unmarshal(data, &values); err != nil {
		return nil, syntaxError(err)
	}
	// toml.Unmarshal gives no positions, so a second parser finds the lines.
	var entries []configEntry
	p := unstable.Parser{}
	p.Reset(data)
	for p.NextExpression() {
		x := p.Expression()
		if x.Kind != unstable.KeyValue && x.Kind != unstable.Table && x.Kind != unstable.ArrayTable {
			continue
		}
		keys := x.Key()
		if !keys.Next() {
			continue
		}
		first := keys.Node()
		e := configEntry{key: string(first.Data), line: p.Shape(first.Raw).Start.Line}
		if x.Kind != unstable.KeyValue || keys.Next() {
			return nil, &lineError{e.line, fmt.Sprintf("%q is a table; settings are not in tables, as in: batch-size = 50", e.key)}
		}
		var err error
		if e.values, e.list, err = configValues(values[e.key]); err != nil {
			return nil, &lineError{e.line, fmt.Sprintf("%s: %v", e.key, err)}
		}
		entries = append(entries, e)
	}
	if err := p.Error(); err != nil {
		return nil, syntaxError(err)
	}
	return entries, nil
}

func syntaxError(err error) error {
	line := 1
	var d *toml.DecodeError
	if errors.As(err, &d) {
		line, _ = d.Position()
	}
	return &lineError{line, fmt.Sprintf("this is not TOML: %v\n  settings look like this: detail = \"high\"", strings.TrimPrefix(err.Error(), "toml: "))}
}

// configValues returns a value of a file as the texts that a flag takes.
func configValues(v any) (values []string, list bool, err error) {
	items, list := v.([]any)
	if !list {
		items = []any{v}
	}
	values = []string{}
	for _, item := range items {
		var text string
		switch x := item.(type) {
		case string:
			text = x
		case bool:
			text = strconv.FormatBool(x)
		case int64:
			text = strconv.FormatInt(x, 10)
		case float64:
			text = strconv.FormatFloat(x, 'g', -1, 64)
		case []any:
			return nil, list, errors.New("a list within a list is not a value")
		case map[string]any:
			return nil, list, errors.New("a table is not a value")
		default:
			return nil, list, errors.New("a date is not a value; put text in quotes")
		}
		values = append(values, text)
	}
	return values, list, nil
}
