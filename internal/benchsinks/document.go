package main

import (
	"time"

	"github.com/google/uuid"

	"millrace/schemas/weblog"
)

// document is an event as who writes JSON with encoding/json has it: the columns that
// are not null, by their names.
type document struct {
	EventID   string  `json:"event_id"`
	EventTime string  `json:"event_time"`
	VisitorID string  `json:"visitor_id"`
	ClientIP  *string `json:"client_ip,omitempty"`
	Method    *string `json:"method,omitempty"`
	Path      *string `json:"path,omitempty"`
	Query     *string `json:"query,omitempty"`
	Protocol  *string `json:"protocol,omitempty"`
	Status    int32   `json:"status"`
	Bytes     *int64  `json:"bytes,omitempty"`
	Referrer  *string `json:"referrer,omitempty"`
	UserAgent *string `json:"user_agent,omitempty"`
	Bot       bool    `json:"bot"`
	Late      bool    `json:"late"`
	PageView  bool    `json:"page_view"`
	Source    string  `json:"source"`
	Position  int64   `json:"position"`
}

func newDocument(e weblog.Event) document {
	return document{
		EventID: uuid.UUID(e.EventID).String(), EventTime: time.UnixMilli(int64(e.EventTime)).UTC().Format("2006-01-02T15:04:05.000Z"), VisitorID: e.VisitorID,
		ClientIP: e.ClientIP, Method: e.Method, Path: e.Path, Query: e.Query, Protocol: e.Protocol, Status: e.Status, Bytes: e.Bytes, Referrer: e.Referrer,
		UserAgent: e.UserAgent, Bot: e.Bot, Late: e.Late, PageView: e.PageView, Source: e.Source, Position: e.Position,
	}
}
