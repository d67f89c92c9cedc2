package report

import (
	"cmp"
	"slices"
)

var statusSection = section{
	ID: "status", Title: "Status and errors", Nav: "Status",
	watch: func(d *Data) watcher { return &statusWatcher{d: d, codes: map[int32]int64{}} },
	data: func(d *Data) any {
		return struct {
			Status
			Traffic Traffic
		}{d.Status, d.Traffic}
	},
}

// Status tells how requests were answered.
type Status struct {
	Codes   []CodeCount `json:"codes"`   // all codes, most frequent first
	Failing []PathCount `json:"failing"` // paths by 5xx
	Missing []PathCount `json:"missing"` // paths by 404 and 410
}

// CodeCount counts one status code.
type CodeCount struct {
	Code     int32 `json:"code"`
	Requests int64 `json:"requests"`
}

// maxCodes bounds the memory for nonsense codes; real servers send some dozens.
const maxCodes = 1000

type statusWatcher struct {
	d     *Data
	valid [600]int64 // by code
	codes map[int32]int64
}

func (w *statusWatcher) event(e *event) {
	if 0 <= e.status && int(e.status) < len(w.valid) {
		w.valid[e.status]++
		return
	}
	if _, ok := w.codes[e.status]; ok || len(w.codes) < maxCodes {
		w.codes[e.status]++
	}
}

func (w *statusWatcher) done() {
	for code, n := range w.valid {
		if n > 0 {
			w.codes[int32(code)] = n
		}
	}
	for code, n := range w.codes {
		w.d.Status.Codes = append(w.d.Status.Codes, CodeCount{code, n})
	}
	slices.SortFunc(w.d.Status.Codes, func(a, b CodeCount) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Code, b.Code))
	})
}

// ClassShare is a status class in words.
type ClassShare struct {
	Class, Meaning string
	Requests       int64
}

var classMeanings = [...]string{"informational", "success", "redirect or not modified", "refused: client error", "failed: server error", "no valid status"}

// Shares lists the classes that occur.
func (c ByClass) Shares() (out []ClassShare) {
	for i, n := range c {
		if n > 0 {
			out = append(out, ClassShare{classes[i], classMeanings[i], n})
		}
	}
	return out
}

// Class names the class of a code.
func (c CodeCount) Class() string { return classes[codeClass(c.Code)] }

func codeClass(code int32) int {
	if code >= 100 && code <= 599 {
		return int(code/100) - 1
	}
	return classOther
}
