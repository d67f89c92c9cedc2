package transforms

import "millrace/transforms/accesslog"

type noBots struct{}

func (noBots) Match([]byte) (string, bool) { return "", false }
func loadBots(string) (accesslog.Bots, error) { return noBots{}, nil }
func BotsVersion(string) (string, error)      { return "", nil }
