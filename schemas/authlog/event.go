// Package authlog defines the rows that the authlogs job writes of logs of
// authentication. Names follow the Elastic Common Schema where it has one.
package authlog

import "millrace/schemas/table"

// Event is one line of a log of authentication, masked. Messages are not in it: they
// name users, whom no search finds in a text.
type Event struct {
	EventID   table.ID     `col:"event_id" ecs:"event.id" doc:"UUID v5 of the record's origin: the same line always gets the same id"`
	EventTime table.Millis `col:"event_time,sort1,day" ecs:"@timestamp" doc:"when it was logged, UTC; of lines without a year see docs/jobs/authlogs.md"`
	Action    string       `col:"action" mask:"none" ecs:"event.action" doc:"what the line says: accepted, failed, invalid_user, too_many, no_ident, closed of sshd; other for everything else"`
	Outcome   string       `col:"outcome" mask:"none" ecs:"event.outcome" doc:"of an authentication: success or failure; unknown for what is none"`
	Times     int64        `col:"times" doc:"how often it happened: syslog folds equal lines into message repeated N times"`
	ClientID  *string      `col:"client_id,null" mask:"token" ecs:"source.user.id" doc:"keyed token of the full address or host name of the client, as the column source of output sources; null when the line names none"`
	ClientIP  *string      `col:"client_ip,null" mask:"truncated" ecs:"source.ip" doc:"network of the client: IPv4 /24, IPv6 /48; null when the line names none, or a host name"`
	Port      *int32       `col:"port,null" ecs:"source.port" doc:"port of the client; null when the line names none"`
	User      *string      `col:"user,null" mask:"token" ecs:"user.name" doc:"keyed token of the user who was asked for, whether he exists or not; null when the line names none"`
	Method    *string      `col:"method,null" mask:"scanned" doc:"how it was tried: password, publickey, keyboard-interactive/pam; null when the line does not say; findings masked"`
	Host      string       `col:"host" mask:"scanned" ecs:"host.name" doc:"name of the machine that logged it; findings masked"`
	Program   *string      `col:"program,null" mask:"scanned" ecs:"process.name" doc:"program that logged it, for example sshd; null when the line names none; findings masked"`
	PID       *int32       `col:"pid,null" ecs:"process.pid" doc:"its process id; null when the line names none"`
	Late      bool         `col:"late" doc:"read after the watermark and the allowed lateness had passed it"`
	Source    string       `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard, 32 hex digits of SHA-256: over the first 64 KiB of the file, or over the names of stream and shard"`
	Position  int64        `col:"position,sort4" ecs:"log.offset" doc:"byte offset of the line in the decompressed file, or number of the line in the stream record"`
	Sequence  *string      `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record, with leading zeros; null for files"`
}

// Columns of Event.
const (
	EventID = iota
	EventTime
	EventAction
	EventOutcome
	EventTimes
	EventClientID
	EventClientIP
	EventPort
	EventUser
	EventMethod
	EventHost
	EventProgram
	EventPID
	EventLate
	EventSource
	EventPosition
	EventSequence
)

// Events is the schema of Event.
var Events = table.MustOf[Event]("authlog.events", 1)
