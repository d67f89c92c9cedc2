package operate

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// NewestCheckpoint is the URL of the newest retained checkpoint (or savepoint) of
// a job that has ended: what the JobManager tells of it, or, when that has
// forgotten the job or c is nil, what lies in the folder of checkpoints, a URL.
// It is fault.ErrNotFound when there is none.
func NewestCheckpoint(ctx context.Context, c *rest.Client, id, folder string) (string, error) {
	var silent error
	if c != nil {
		found, err := c.Checkpoints(ctx, id)
		switch {
		case err == nil:
			if last := newest(found); last != "" {
				return last, nil
			}
		case !errors.Is(err, fault.ErrNotFound) && !errors.Is(err, fault.ErrUnavailable):
			return "", err
		default:
			silent = err
		}
	}
	if folder == "" {
		return "", noCheckpoint(id, errors.Join(errors.New("the JobManager tells of none, and the folder of checkpoints is not known"), silent))
	}
	last, err := inFolder(ctx, id, folder)
	if err != nil {
		return "", err
	}
	if last == "" {
		return "", noCheckpoint(id, fmt.Errorf("there is none below %s/%s", folder, id))
	}
	return last, nil
}

func newest(c rest.Checkpoints) string {
	switch {
	case c.Last == nil && c.LastSavepoint == nil:
		return ""
	case c.Last == nil || c.LastSavepoint != nil && c.LastSavepoint.ID > c.Last.ID:
		return c.LastSavepoint.Path
	}
	return c.Last.Path
}

// inFolder looks for FOLDER/JOB/chk-N/_metadata, which is written last: without
// it a checkpoint is not whole.
func inFolder(ctx context.Context, id, folder string) (string, error) {
	store, err := lakeio.OpenStore(ctx, location(folder))
	if err != nil {
		return "", err
	}
	infos, err := store.List(ctx, id+"/chk-")
	if err != nil {
		if errors.Is(err, driver.ErrNotFound) {
			return "", nil
		}
		return "", err
	}
	last, most := "", int64(-1)
	for _, info := range infos {
		dir, name := path.Split(info.Key)
		dir = path.Clean(dir)
		n, err := strconv.ParseInt(strings.TrimPrefix(path.Base(dir), "chk-"), 10, 64)
		if name == "_metadata" && err == nil && n > most {
			last, most = strings.TrimRight(folder, "/")+"/"+dir, n
		}
	}
	return last, nil
}

// location is a folder as the lake's stores name it: Flink writes file:/path, and
// s3p:// and s3a:// for its two ways to S3.
func location(folder string) string {
	for _, scheme := range []string{"s3a://", "s3p://"} {
		if rest, ok := strings.CutPrefix(folder, scheme); ok {
			return "s3://" + rest
		}
	}
	if rest, ok := strings.CutPrefix(folder, "file:"); ok {
		return "file:///" + strings.TrimLeft(rest, "/")
	}
	return folder
}

func noCheckpoint(id string, cause error) error {
	return &fault.Error{
		Doing: "find", Object: "a checkpoint of job " + id, Class: fault.ErrNotFound, Cause: cause,
		Cure: "name a savepoint or checkpoint with --savepoint; without one start anew with millrace run, which reads the stream from the start its URL names",
	}
}
