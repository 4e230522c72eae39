package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"photodesc/internal/export"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/spf13/pflag"
)

var csvFormat = exportFormat{
	name: "csv", short: "A table for Excel, LibreOffice, pandas and others",
	long: `Writes a table with a row for each photo: path, description, keywords, the
answers to further prompts, when and with what it was taken, model, size, time; --columns chooses others. It is
UTF-8 with a byte order mark, by which Excel knows it, and quoted as in RFC 4180.

Text that a spreadsheet would execute as a formula, because it begins with =, +, -
or @, has an apostrophe before it. --raw leaves it as it is.`,
	example: "  photodesc export csv -o photos.csv\n  photodesc export csv --columns path,description dog beach",
	flags: func(f *exportFlags, set *pflag.FlagSet) {
		f.toFile(set)
		f.withFailed(set)
		f.table(set)
		set.StringVar(&f.separator, "separator", "", "put this `CHARACTER` between fields instead of a comma, as ';' for an Excel that wants it")
		set.BoolVar(&f.noMark, "no-bom", false, "leave out the byte order mark")
	},
	check: func(f *exportFlags) error {
		r, size := utf8.DecodeRuneInString(f.separator)
		if f.separator != "" && (size != len(f.separator) || r == utf8.RuneError || strings.ContainsRune("\"\r\n\x00\ufeff", r)) {
			return ui.UsageError("--separator: %q is not one character that can stand between fields, as ;", f.separator)
		}
		return nil
	},
	run: func(x *exporter) error { return x.exportTable(false) },
}

var tsvFormat = exportFormat{
	name: "tsv", short: "A table with tabs, for cut, awk and databases",
	long: `Writes a table with a row for each photo, as photodesc export csv does, with tabs
between the fields and without a byte order mark. Tabs and line ends in a text
become spaces, so that each line is a photo.`,
	example: "  photodesc export tsv | cut -f 1,2",
	flags: func(f *exportFlags, set *pflag.FlagSet) {
		f.toFile(set)
		f.withFailed(set)
		f.table(set)
	},
	run: func(x *exporter) error { return x.exportTable(true) },
}

var jsonlFormat = exportFormat{
	name: "jsonl", short: "A JSON object a line, with all that is known of a photo",
	long: `Writes a JSON object a line for each photo, as the outputs have it, and corrections in
it; docs/json.md says what its fields are.`,
	example: "  photodesc export jsonl --since 7d -o new.jsonl",
	flags: func(f *exportFlags, set *pflag.FlagSet) {
		f.toFile(set)
		f.withFailed(set)
	},
	run: func(x *exporter) error {
		return x.toFile(func(w io.Writer) (func(*tracker.Photo) error, func() error, error) {
			return func(r *tracker.Photo) error {
				line, err := r.Line()
				if err != nil {
					return err
				}
				_, err = w.Write(line)
				return err
			}, nil, nil
		})
	},
}

// table registers the flags of tables.
func (f *exportFlags) table(set *pflag.FlagSet) {
	set.StringSliceVar(&f.columns, "columns", nil, "write these `COLUMNS`, with commas between them: "+strings.Join(export.ColumnNames(), ", ")+", answers.NAME")
	set.BoolVar(&f.raw, "raw", false, "leave text that begins as a formula does as it is")
}

func (x *exporter) exportTable(tabs bool) error {
	o := export.TableOptions{Tabs: tabs, Mark: !tabs && !x.flags.noMark, Raw: x.flags.raw}
	o.Separator, _ = utf8.DecodeRuneInString(x.flags.separator)
	if x.flags.separator == "" {
		o.Separator = 0
	}
	var err error
	if len(x.flags.columns) > 0 {
		if o.Columns, err = export.ChosenColumns(x.flags.columns); err != nil {
			return ui.UsageError("--columns: %v", err)
		}
	}
	return x.toFile(func(w io.Writer) (func(*tracker.Photo) error, func() error, error) {
		if o.Columns == nil {
			further := export.Further{}
			if err := x.each(func(r *tracker.Photo) error { further.Add(r); return nil }); err != nil {
				return nil, nil, err
			}
			o.Columns = export.UsualColumns(further.Names(), x.flags.failed)
		}
		t, err := export.NewTable(w, o)
		if err != nil {
			return nil, nil, err
		}
		return t.Write, t.Close, nil
	})
}

// errLeftOut is returned for a photo that a format cannot have.
var errLeftOut = errors.New("left out")

// recordWriter begins a format in w. It returns what writes a record and what ends the format, which may be nil.
type recordWriter func(w io.Writer) (write func(*tracker.Photo) error, end func() error, err error)

// toFile writes a format that is one file, to -o or standard output.
func (x *exporter) toFile(begin recordWriter) error {
	photos := 0
	write := func(w io.Writer) error {
		record, end, err := begin(w)
		if err != nil {
			return err
		}
		err = x.each(func(r *tracker.Photo) error {
			err := record(r)
			if errors.Is(err, errLeftOut) {
				return nil
			}
			photos++
			return err
		})
		if err != nil {
			return err
		}
		if end != nil {
			return end()
		}
		return nil
	}
	if x.flags.dryRun {
		if err := write(io.Discard); err != nil {
			return err
		}
		to := "standard output"
		if x.flags.output != "" {
			to = fmt.Sprintf("%q", x.flags.output)
		}
		_, err := fmt.Fprintf(x.out, "%s would be written to %s.\n", wording.Count(photos, "photo"), to)
		return err
	}
	if x.flags.output == "" {
		w := bufio.NewWriterSize(x.out, 1<<16)
		return errors.Join(write(w), w.Flush())
	}
	ledger, err := export.OpenLedger(x.ctx, x.snapshot.Dir)
	if err != nil {
		return err
	}
	defer ledger.Close()
	f, err := export.Create(x.ctx, ledger, x.flags.output, x.flags.force)
	if err != nil {
		return outputError(x.flags.output, err)
	}
	if err := write(f); err != nil {
		f.Discard()
		return outputError(x.flags.output, err)
	}
	if err := f.Commit(x.ctx); err != nil {
		return outputError(x.flags.output, err)
	}
	if !ui.Quiet() {
		fmt.Fprintf(os.Stderr, "%s written to %s\n", wording.Count(photos, "photo"), tracker.EncodePath(x.flags.output))
	}
	return nil
}

// outputError says what to do about an error with the file of -o.
func outputError(path string, err error) error {
	var ours *export.NotOursError
	switch {
	case errors.As(err, &ours):
		return fmt.Errorf("%w\n  name another file with -o, or replace it with --force", ours)
	case errors.Is(err, export.ErrBusy):
		return fmt.Errorf("%q: %w\n  wait for it, or name another file with -o", path, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w\n  the folder of -o has to be there", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		var why syscall.Errno // the rest of the error names the file beside the place
		errors.As(err, &why)
		return fmt.Errorf("%q cannot be written: %w", path, why)
	}
	return err
}
