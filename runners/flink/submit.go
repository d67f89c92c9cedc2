package flink

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/util/hooks"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/extworker"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/runnerlib"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

// Job is a submitted job. Close lets go of it; it goes on.
type Job struct {
	ID string // as the job server calls it

	client  jobpb.JobServiceClient
	conn    *grpc.ClientConn
	workers *extworker.Loopback
}

// Submit hands a pipeline to the job server.
func Submit(ctx context.Context, p *beam.Pipeline, o Options) (_ *Job, err error) {
	if err := start(); err != nil {
		return nil, err
	}
	j := &Job{}
	defer func() {
		if err != nil {
			j.Close()
		}
	}()
	pipeline, worker, err := j.translate(ctx, p, &o)
	if err != nil {
		return nil, fmt.Errorf("translating the pipeline for Flink: %w", err)
	}
	if j.conn, err = grpcx.Dial(ctx, o.JobServer, time.Minute); err != nil {
		return nil, fmt.Errorf("reaching Beam's job server at %s: %w", o.JobServer, err)
	}
	j.client = jobpb.NewJobServiceClient(j.conn)
	options, err := o.proto()
	if err != nil {
		return nil, err
	}
	prepared, err := j.client.Prepare(ctx, &jobpb.PrepareJobRequest{Pipeline: pipeline, PipelineOptions: options, JobName: o.Name})
	if err != nil {
		return nil, fmt.Errorf("preparing the job with options %s: %w", names(o.pipelineOptions()), err)
	}
	token, err := runnerlib.Stage(ctx, prepared.GetPreparationId(), prepared.GetArtifactStagingEndpoint().GetUrl(), worker, prepared.GetStagingSessionToken())
	if err != nil {
		return nil, fmt.Errorf("giving the job server the worker's program: %w", err)
	}
	if j.ID, err = runnerlib.Submit(ctx, j.client, prepared.GetPreparationId(), token); err != nil {
		return nil, fmt.Errorf("submitting the job to Flink: %w", err)
	}
	return j, nil
}

// translate gives the pipeline's portable form and the program of its workers.
func (j *Job) translate(ctx context.Context, p *beam.Pipeline, o *Options) (*pipepb.Pipeline, string, error) {
	edges, _, err := p.Build()
	if err != nil {
		return nil, "", err
	}
	worker := o.Worker
	var urn, config string
	if o.Environment == Loopback {
		grpcx.Dial = dialer{lost: func(error) {}}.dial // a worker that is lost is lost with the job
		if j.workers, err = extworker.StartLoopback(ctx, 0); err != nil {
			return nil, "", err
		}
		urn, config = graphx.URNEnvExternal, j.workers.EnvironmentConfig(ctx)
		worker = os.DevNull // they run here already
	} else if urn, config, err = o.environment(); err != nil {
		return nil, "", err
	}
	if worker == "" {
		if worker, err = os.Executable(); err != nil {
			return nil, "", err
		}
	}
	env, err := graphx.CreateEnvironment(ctx, urn, func(context.Context) string { return config })
	if err != nil {
		return nil, "", err
	}
	pipeline, err := graphx.Marshal(edges, &graphx.Options{Environment: env})
	if err != nil {
		return nil, "", err
	}
	return pipeline, worker, runnerlib.UpdateGoEnvironmentWorker(worker, pipeline)
}

func (o *Options) proto() (*structpb.Struct, error) {
	hooks.SerializeHooksToOptions()
	options, err := tools.OptionsToProto(runtime.RawOptionsWrapper{
		Options: beam.PipelineOptions.Export(), AppName: o.Name, Experiments: []string{"beam_fn_api"}, Parallelism: o.Parallelism,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the pipeline's options: %w", err)
	}
	for k, v := range o.pipelineOptions() {
		value, err := structpb.NewValue(v)
		if err != nil {
			return nil, fmt.Errorf("option %s: %w", k, err)
		}
		options.Fields["beam:option:"+k+":v1"] = value
	}
	return options, nil
}

// FailedError is what a job failed with.
type FailedError struct{ Text string }

func (e *FailedError) Error() string { return "the job failed on Flink: " + e.cause() }

// cause is what one of our steps said, without the plan of the bundle and the
// Java around it, or else the first line.
func (e *FailedError) cause() string {
	text := e.Text
	if i := strings.LastIndex(text, " failed:\n"); i >= 0 {
		text = text[i+len(" failed:\n"):]
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// Wait follows a job until it ends. say is told of its states and of what the
// runner warns of.
func (j *Job) Wait(ctx context.Context, say func(string)) error {
	stream, err := j.client.GetMessageStream(ctx, &jobpb.JobMessagesRequest{JobId: j.ID})
	if err != nil {
		return fmt.Errorf("following the job: %w", err)
	}
	var fault string
	var failed bool
	for {
		m, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && failed:
			return &FailedError{fault}
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("following the job: %w", err)
		}
		if s := m.GetStateResponse(); s != nil {
			say("Flink: " + s.GetState().String())
			switch s.GetState() {
			case jobpb.JobState_DONE, jobpb.JobState_CANCELLED:
				return nil
			case jobpb.JobState_FAILED:
				failed = true
				if fault != "" {
					return &FailedError{fault}
				}
			default: // it goes on
			}
		}
		if t := m.GetMessageResponse(); t != nil && t.GetImportance() >= jobpb.JobMessage_JOB_MESSAGE_WARNING {
			fault = t.GetMessageText()
			if failed {
				return &FailedError{fault}
			}
		}
	}
}

// Close lets go of the job. In the Loopback environment it ends the workers.
func (j *Job) Close() {
	if j.workers != nil {
		_ = j.workers.Stop(context.Background())
		j.workers = nil
	}
	if j.conn != nil {
		_ = j.conn.Close()
		j.conn = nil
	}
}

// start initialises Beam once; see runners/prism.
var start = sync.OnceValue(func() error {
	if !flag.Parsed() {
		if err := flag.CommandLine.Parse(nil); err != nil {
			return fmt.Errorf("setting Beam's options: %w", err)
		}
	}
	beam.Init()
	return nil
})
