package main

import (
	"context"
	"time"

	"millrace/internal/localservers"
	"millrace/internal/machine"
	"millrace/internal/operate"
)

// load is what a process, or several, have taken.
type load struct {
	cpu time.Duration // user and system, all threads
	rss int64         // bytes, now
}

// sample is the state of cluster and job at a moment.
type sample struct {
	at              time.Time
	worker, manager load
	job             operate.Status // ID is empty when there was none
}

// sampler looks at a job. What workers took that have ended meanwhile counts.
type sampler struct {
	b       *bencher
	began   time.Time // jobs from before are of other runs
	workers map[int]time.Duration
	base    load // of the TaskManager when the sampler began
	samples []sample
}

func (b *bencher) sampler() (*sampler, error) {
	s := &sampler{b: b, began: time.Now(), workers: map[int]time.Duration{}}
	managers, err := b.servers.cluster.TaskManagers()
	if err != nil {
		return nil, err
	}
	for _, m := range managers {
		s.base.cpu += loadOf(m.PID).cpu
	}
	return s, nil
}

// watch samples until the program has ended.
func (s *sampler) watch(ctx context.Context, p *localservers.Program, every time.Duration, see func(sample)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.Ended():
			if last, lookErr := s.look(ctx); lookErr == nil {
				s.samples = append(s.samples, last)
			}
			return p.Wait()
		case <-s.b.servers.kinesis.Ended():
			return s.b.servers.kinesis.Fault()
		case <-tick.C:
		}
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		s.samples = append(s.samples, now)
		if see != nil {
			see(now)
		}
	}
}

func (s *sampler) look(ctx context.Context) (now sample, err error) {
	// A job that is not there yet, or not any more, is nothing to tell.
	if job, err := (operate.Reader{Client: s.b.servers.cluster.Client()}).Read(ctx, s.b.running); err == nil && job.Started.After(s.began) {
		now.job = job
	}
	managers, err := s.b.servers.cluster.TaskManagers()
	if err != nil {
		return now, err
	}
	for _, m := range managers {
		l := loadOf(m.PID)
		now.manager.cpu += l.cpu
		now.manager.rss += l.rss
		for _, pid := range m.Workers {
			l := loadOf(pid)
			s.workers[pid] = max(s.workers[pid], l.cpu)
			now.worker.rss += l.rss
		}
	}
	now.at = time.Now()
	now.manager.cpu -= s.base.cpu
	for _, cpu := range s.workers {
		now.worker.cpu += cpu
	}
	return now, nil
}

func loadOf(pid int) load {
	u := machine.UsageOf(pid)
	return load{cpu: u.CPU, rss: u.RSS}
}

// reading is the part of the samples in which records came: from the last before
// the first of them to the first that knows them all.
func reading(samples []sample) (first, last sample, ok bool) {
	var most int64
	for _, s := range samples {
		most = max(most, s.job.Read.Records)
	}
	for _, s := range samples {
		if s.job.Read.Records == 0 && !ok {
			first = s
			continue
		}
		ok = true
		if s.job.Read.Records == most {
			return first, s, most > 0
		}
	}
	return first, last, false
}
