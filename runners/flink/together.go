package flink

import (
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"google.golang.org/grpc"
)

// together is a stream of elements on which all timers that a bundle sets go in one message.
//
// Beam's Go SDK 2.77 sends each in a message of its own. Beam's Java runner 2.62 keeps the messages of a bundle
// until the worker says that the bundle is done, at most 100 of them: a bundle that has more is never done, as
// nothing more is read from the worker, for no other bundle either, and checkpoints wait with them.
type together struct {
	grpc.ClientStream
	timers map[timerFamily][]byte // of bundles under way; one that fails is the end of the worker
}

// timerFamily names the timers of a step in a bundle.
type timerFamily struct{ bundle, transform, family string }

// SendMsg holds timers back until the last of their family are told. As with any stream,
// there is one call at a time.
func (s *together) SendMsg(m any) error {
	elements, ok := m.(*fnpb.Elements)
	if !ok || len(elements.GetTimers()) == 0 {
		return s.ClientStream.SendMsg(m)
	}
	out := &fnpb.Elements{Data: elements.GetData()}
	for _, t := range elements.GetTimers() {
		of := timerFamily{t.GetInstructionId(), t.GetTransformId(), t.GetTimerFamilyId()}
		if s.timers[of] = append(s.timers[of], t.GetTimers()...); !t.GetIsLast() {
			continue
		}
		if all := s.timers[of]; len(all) > 0 {
			out.Timers = append(out.Timers, &fnpb.Elements_Timers{InstructionId: of.bundle, TransformId: of.transform, TimerFamilyId: of.family, Timers: all})
		}
		out.Timers = append(out.Timers, &fnpb.Elements_Timers{InstructionId: of.bundle, TransformId: of.transform, TimerFamilyId: of.family, IsLast: true})
		delete(s.timers, of)
	}
	if len(out.GetData())+len(out.GetTimers()) == 0 {
		return nil
	}
	return s.ClientStream.SendMsg(out)
}
