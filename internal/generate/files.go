package generate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
)

// Names of what WriteFiles writes beside the logs.
const (
	TruthFile    = "truth.json"
	SessionsFile = "truth_sessions.ndjson.gz" // a Session a line, in the order in which they ended
	CanariesFile = "truth_canaries.txt"       // type, tab, value in its plain form
	AttacksFile  = "truth_attacks.ndjson"     // an Attack a line
)

// WriteFiles runs the farm that cfg describes and writes into dir, which it makes
// if need be, a log access-NN.log[.gz] for each server and the truth. All files
// get their names when all are complete; what is there under these names is
// replaced. progress, if not nil, is called every 65,536 lines and at the end.
// When ctx is cancelled, dir is left as it was and the error is that of ctx.
func WriteFiles(ctx context.Context, dir string, cfg WeblogConfig, progress func(lines int64)) (truth Truth, err error) {
	farm, err := Weblog(cfg)
	if err != nil {
		return Truth{}, err
	}
	cfg = farm.cfg
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Truth{}, fmt.Errorf("make folder for logs: %w", err)
	}
	out := &outputs{dir: dir}
	defer func() { err = errors.Join(err, out.abandon()) }()

	logs := make([]*logFile, cfg.Servers)
	for server := range logs {
		if logs[server], err = out.openLog(server, cfg.Gzip, server < cfg.Redeliver); err != nil {
			return Truth{}, err
		}
		if err := logs[server].begin(cfg.Format.header()); err != nil {
			return Truth{}, err
		}
	}
	sessionErr, err := out.recordSessions(farm)
	if err != nil {
		return Truth{}, err
	}

	done := int64(0)
	for line := range farm.Lines() {
		if err := logs[line.Server].writeLine(line.Text); err != nil {
			return Truth{}, err
		}
		if done++; done&0x3ff == 0 {
			if ctx.Err() != nil {
				return Truth{}, fmt.Errorf("write logs to %s: %w", dir, context.Cause(ctx))
			}
			if *sessionErr != nil {
				return Truth{}, *sessionErr
			}
		}
		if progress != nil && done&0xffff == 0 {
			progress(done)
		}
	}
	if progress != nil {
		progress(done)
	}
	truth = farm.Truth()
	for _, l := range logs {
		truth.Files = append(truth.Files, l.files()...)
	}
	if err := errors.Join(*sessionErr, out.writeTruth(farm, &truth)); err != nil {
		return Truth{}, err
	}
	return truth, out.publish()
}

// recordSessions has the farm write its sessions; the error is set when that goes
// wrong.
func (o *outputs) recordSessions(farm *Farm) (failure *error, err error) {
	sessions, err := o.create(SessionsFile, true)
	if err != nil {
		return nil, err
	}
	lines := json.NewEncoder(sessions)
	failure = new(error)
	farm.OnSession = func(s Session) { *failure = errors.Join(*failure, lines.Encode(s)) }
	return failure, nil
}

func (o *outputs) writeTruth(farm *Farm, truth *Truth) error {
	if tells, ok := FormatFiles[farm.cfg.Format]; ok {
		file, err := o.create(tells.Name, false)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(file, tells.Text); err != nil {
			return err
		}
	}
	if farm.canaries.each > 0 {
		canaries, err := o.create(CanariesFile, false)
		if err != nil {
			return err
		}
		for c := range farm.Canaries {
			if _, err := io.WriteString(canaries, c.Type+"\t"+c.Value+"\n"); err != nil {
				return err
			}
		}
	}
	attacks, err := o.create(AttacksFile, false)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(attacks)
	for _, a := range truth.Attacks {
		if err := lines.Encode(a); err != nil {
			return err
		}
	}
	whole, err := o.create(TruthFile, false)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(whole)
	enc.SetIndent("", "  ")
	return enc.Encode(truth)
}

// logFile is the log of one server, and perhaps its second delivery.
type logFile struct {
	plain, again *output // again may be nil
	lines, bytes int64
}

func (o *outputs) openLog(server int, zip, twice bool) (*logFile, error) {
	base := fmt.Sprintf("access-%02d.log", server+1)
	name, second := base, base+".1.gz"
	if zip {
		name, second = base+".gz", base+".1"
	}
	first, err := o.create(name, zip)
	if err != nil || !twice {
		return &logFile{plain: first}, err
	}
	again, err := o.create(second, !zip)
	return &logFile{plain: first, again: again}, err
}

// begin writes the lines that a log begins with. They are no lines of the farm.
func (l *logFile) begin(header string) error {
	l.bytes += int64(len(header))
	_, err := io.WriteString(l.plain, header)
	if l.again != nil {
		_, second := io.WriteString(l.again, header)
		err = errors.Join(err, second)
	}
	return err
}

func (l *logFile) writeLine(text []byte) error {
	l.lines++
	l.bytes += int64(len(text)) + 1
	if err := l.plain.writeLine(text); err != nil || l.again == nil {
		return err
	}
	return l.again.writeLine(text)
}

func (l *logFile) files() []File {
	files := []File{{Name: l.plain.name, Lines: l.lines, Bytes: l.bytes}}
	if l.again != nil {
		files = append(files, File{Name: l.again.name, Lines: l.lines, Bytes: l.bytes, CopyOf: l.plain.name})
	}
	return files
}

// outputs are the files of one run, under temporary names until published.
type outputs struct {
	dir  string
	open []*output
}

// output is a buffered file, compressed or not. Its errors name it.
type output struct {
	name string
	file *os.File
	zip  *gzip.Writer // nil when not compressed
	buf  *bufio.Writer
}

func (o *outputs) create(name string, zip bool) (*output, error) {
	file, err := os.CreateTemp(o.dir, "."+name+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("create %s in %s: %w", name, o.dir, err)
	}
	out := &output{name: name, file: file}
	o.open = append(o.open, out)
	if zip {
		if out.zip, err = gzip.NewWriterLevel(file, gzip.BestSpeed); err != nil {
			return nil, fmt.Errorf("create %s: %w", name, err)
		}
		out.buf = bufio.NewWriterSize(out.zip, 1<<16)
	} else {
		out.buf = bufio.NewWriterSize(file, 1<<18)
	}
	return out, nil
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.buf.Write(b)
	return n, o.explain(err)
}

func (o *output) writeLine(text []byte) error {
	_, _ = o.buf.Write(text) // an error stays with the buffer
	return o.explain(o.buf.WriteByte('\n'))
}

func (o *output) explain(err error) error {
	if err != nil {
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	return nil
}

func (o *output) close() error {
	err := o.buf.Flush()
	if o.zip != nil {
		err = errors.Join(err, o.zip.Close())
	}
	return o.explain(errors.Join(err, o.file.Chmod(0o644), o.file.Close()))
}

// publish completes every file and then names them all. The truth comes last, so
// who finds it finds the logs it speaks of.
func (o *outputs) publish() error {
	for _, out := range o.open {
		if err := out.close(); err != nil {
			return err
		}
	}
	for _, out := range o.open {
		if err := os.Rename(out.file.Name(), filepath.Join(o.dir, out.name)); err != nil {
			return fmt.Errorf("name %s: %w", out.name, err)
		}
	}
	o.open = nil
	return nil
}

// abandon removes what was not published.
func (o *outputs) abandon() (err error) {
	for _, out := range o.open {
		_ = out.file.Close() // closed already when publishing went wrong
		if e := os.Remove(out.file.Name()); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("remove unfinished %s: %w", out.name, e))
		}
	}
	return err
}
