package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"millrace/internal/run"
	"millrace/internal/settings"
)

// jobFlags are the flags that run and plan share.
type jobFlags struct {
	options run.Options
	config  string
	funnels string
	alerts  string
	policy  string
	asOf    string
	set     []string
	outputs []string
}

func (f *jobFlags) add(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.options.Source, "source", "", "what to read: a file, folder, glob or s3:// prefix, for example 'file:///var/log/apache2/access*.log*'; or a stream, for example kinesis://access-logs?start=latest")
	fs.StringVar(&f.options.Format, "format", "", "format of the lines: combined, alb, cloudfront, nginx@/etc/nginx/nginx.conf, json@mapping.yaml, ... (default: each file's is detected; millrace jobs show JOB lists them, docs/formats.md explains them)")
	fs.StringVar(&f.options.Lake, "lake", "", "where to write: a folder or s3://bucket/prefix; every output becomes LAKE/<output>/year=/month=/day=/*.parquet")
	fs.StringArrayVar(&f.outputs, "output", nil, "send one output to a sink besides the lake: NAME=URL, for example sessions=kinesis://sessions; of a stream also rows that can still change (repeatable, also for one output)")
	fs.StringVar(&f.options.Only, "only", "", "backfills: outputs to make, separated by commas, for example sessions,products; what serves no other is not computed, and of other outputs the lake keeps what it has (default all; bad_rows are always made)")
	fs.StringVar(&f.config, "config", "", "YAML file of settings by the names of flags, with _ for -; those of --set lie under settings, jobs/JOB/reference.yaml in the sources has all; flags win over it")
	fs.StringArrayVar(&f.set, "set", nil, "a setting of the job: NAME=VALUE (repeatable; millrace jobs show JOB lists them)")
	fs.StringVar(&f.funnels, "funnels", "", "YAML file of funnels, as the key funnels of --config has them, in place of those (docs/funnels.md)")
	fs.StringVar(&f.alerts, "alerts", "", "YAML file of rules of alerts, as the key alerts of --config has them, in place of those (docs/alerts.md)")
	fs.StringVar(&f.options.MaskKey, "mask-key", "", "masking key by reference: file:///path or env://NAME (default: a key of your own, made on first use)")
	fs.StringVar(&f.policy, "mask-policy", "", "YAML file of a masking policy, as the key mask_policy of --config has it, in place of that: how single columns are masked (docs/masking.md)")
	fs.StringVar(&f.options.VaultKey, "vault-key", "", "key of the vault by reference, as --mask-key and another one; for a policy with reversible tokens")
	fs.StringVar(&f.options.Raw, "raw", "", "keep every line as it came in output raw: off, sealed (encrypted) or plain (default off for files, sealed for streams)")
	fs.StringVar(&f.asOf, "as-of", "", "reference data as of a day: of places with {date} the newest version until then, 2006-01-02; short for --set enrich.as_of=DAY")
	fs.StringVar(&f.options.From, "from", "", "first UTC day to write, 2006-01-02; days named so are replaced")
	fs.StringVar(&f.options.To, "to", "", "last UTC day to write")
	fs.StringVar(&f.options.Staging, "staging", "", "backfills: folder or s3:// URL where rows wait for the commit, in its folder _staging (default: the lake; for a lake on S3 without --runner flink your cache folder). A folder must be one for all workers: with TaskManagers on several machines that is yours to see to")
	fs.StringVar(&f.options.Runner, "runner", "", "prism (in this process; the default), its alias direct, or flink")
	f.addLive(fs)
	f.addFlink(fs)
}

// addLive adds what only streams have.
func (f *jobFlags) addLive(fs *pflag.FlagSet) {
	l := &f.options.Live
	fs.StringVar(&l.MaxDisorder, "max-disorder", "", "streams: how far behind the latest event of its shard an event may lie (default "+run.DefaultMaxDisorder+")")
	fs.StringVar(&l.AllowedLateness, "allowed-lateness", "", "streams: how far behind the watermark an event still counts (default "+run.DefaultLateness+")")
	fs.StringVar(&l.Idle, "idle", "", "streams: whether an empty shard holds the watermark back: hold, or advance-after=DURATION (default "+run.DefaultIdle+")")
	fs.StringVar(&l.Roll, "roll", "", "streams: bytes and arrival time of the records that become files together (default "+run.DefaultRoll+")")
	fs.StringVar(&l.Archive, "archive", "", "streams: raw archive to begin with, for example s3://old-lake/raw; with --until-archive")
	fs.StringVar(&l.UntilArchive, "until-archive", "", "streams: arrival time up to which the archive is read, and from which on the stream: 2026-03-01T12:00:00Z")
	fs.StringVar(&l.Seal, "seal", "", "streams: span of event time whose sealed rows become files together (default "+run.DefaultSeal+")")
}

// addFlink adds how a job gets to Flink.
func (f *jobFlags) addFlink(fs *pflag.FlagSet) {
	l := &f.options.Flink
	fs.IntVar(&l.Parallelism, "parallelism", 0, "flink: subtasks of each step (default 1)")
	fs.IntVar(&l.Readers, "readers", 0, "flink: readers of a stream, among which its shards are dealt out; to as many the job's parallelism can grow with millrace resume (default: --parallelism)")
	fs.StringVar(&l.Master, "flink-master", "", "flink: host:port of the JobManager's REST API (default "+run.DefaultMaster+")")
	fs.StringArrayVar(&l.Options, "flink-option", nil, "flink: a pipeline option of the Flink runner, NAME=VALUE, for example state_backend=rocksdb (repeatable)")
	fs.StringVar(&l.JobServer, "job-server", "", "flink: host:port of a Beam job server (default: one is started for the submission)")
	fs.StringVar(&l.Environment, "environment", "", "flink: where workers run: process (the TaskManagers start them; the default), external (a worker pool beside each) or loopback (in this process)")
	fs.StringVar(&l.Boot, "boot", "", "flink: path of Beam's boot program on the TaskManagers (default: that of --flink-home)")
	fs.StringVar(&l.Pool, "worker-pool", "", "flink: host:port of the worker pool, for --environment external")
	fs.StringVar(&l.Worker, "worker", "", "flink: program for the workers, when this one is for another system")
	fs.StringVar(&l.Home, "flink-home", "", "flink: folder with Flink's and Beam's pinned parts (default $MILLRACE_FLINK_HOME, or what make flink installed)")
	fs.StringVar(&l.Savepoint, "savepoint", "", "flink: savepoint or checkpoint to resume from")
	fs.StringVar(&l.RecycleAfter, "recycle-after", "", "flink: stop a live job with a savepoint and resume it each time it ran so long, for example 6h (see docs/flink-versions.md)")
	fs.BoolVar(&l.Supervise, "supervise", false, "flink, streams: start the job again from its newest checkpoint when Flink has given it up or its JobManager has forgotten it")
	fs.BoolVar(&l.Detach, "detach", false, "flink: return once the job is submitted")
}

// request gives the options and the user's configuration folder.
func (f *jobFlags) request(job string) (o run.Options, dir string, err error) {
	if o, err = f.read(job); err != nil {
		return o, "", err
	}
	dir, err = configDir()
	return o, dir, err
}

// read gives the options, those of the YAML file where no flag says otherwise.
func (f *jobFlags) read(job string) (run.Options, error) {
	o := f.options
	o.Job = job
	var faults []error
	for _, s := range f.set {
		v, err := settings.Parse(s)
		faults = append(faults, err)
		o.Values = append(o.Values, v)
	}
	if f.asOf != "" {
		o.Values = append(o.Values, settings.Value{Name: "enrich.as_of", Text: f.asOf, Where: "--as-of"})
	}
	for _, s := range f.outputs {
		name, url, ok := strings.Cut(s, "=")
		if !ok || name == "" || url == "" {
			faults = append(faults, fmt.Errorf("--output %s: write NAME=URL", s))
			continue
		}
		o.Outputs.Add(name, url)
	}
	if err := errors.Join(faults...); err != nil {
		return o, &run.UsageError{Err: err}
	}
	if f.funnels != "" {
		b, err := settings.ReadFile(f.funnels)
		if err != nil {
			return o, &run.UsageError{Err: fmt.Errorf("--funnels: %w", err)}
		}
		if o.Funnels, err = run.ReadFunnels(b, f.funnels); err != nil {
			return o, err
		}
	}
	if f.alerts != "" {
		b, err := settings.ReadFile(f.alerts)
		if err != nil {
			return o, &run.UsageError{Err: fmt.Errorf("--alerts: %w", err)}
		}
		if o.Alerts, err = run.ReadAlerts(b, f.alerts); err != nil {
			return o, err
		}
		o.AlertsFile = f.alerts
	}
	if f.policy != "" {
		var err error
		if o.MaskPolicy, err = run.ReadMaskPolicy(f.policy); err != nil {
			return o, err
		}
	}
	if f.config == "" {
		return o, nil
	}
	b, err := settings.ReadFile(f.config)
	if err != nil {
		return o, &run.UsageError{Err: fmt.Errorf("--config: %w", err)}
	}
	return run.Merge(o, b, f.config)
}

// configDir is the user's configuration folder.
func configDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", &run.UsageError{Err: fmt.Errorf("finding your configuration folder: %w; set HOME or XDG_CONFIG_HOME, or give --mask-key", err)}
	}
	return dir, nil
}
