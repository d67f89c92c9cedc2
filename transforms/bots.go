package transforms

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"millrace/transforms/enrich"
)

// botList is a list of bots as it travels with a pipeline: workers need not have
// the file that it comes from.
type botList struct {
	File  string // empty for the built-in list
	Text  string
	Fault string // why the file could not be read
}

const maxBotList = 1 << 20 // bytes of a list

func readBotList(path string) botList {
	if path == "" {
		return botList{}
	}
	fail := func(err error) botList {
		return botList{File: path, Fault: fmt.Sprintf("reading the list of bots %s: %v", path, err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBotList+1))
	if err != nil {
		return fail(err)
	}
	if len(text) > maxBotList {
		return fail(fmt.Errorf("it has more than %d bytes", maxBotList))
	}
	return botList{File: path, Text: string(text)}
}

// parse gives the list.
func (l botList) parse() (*enrich.Bots, error) {
	switch {
	case l.Fault != "":
		return nil, errors.New(l.Fault)
	case l.File == "":
		return enrich.DefaultBots(), nil
	}
	bots, err := enrich.ParseBots(strings.NewReader(l.Text))
	if err != nil {
		return nil, fmt.Errorf("reading the list of bots %s: %w", l.File, err)
	}
	return bots, nil
}

// BotsVersion names the content of a list of bots; path is empty for the built-in
// one.
func BotsVersion(path string) (string, error) {
	bots, err := readBotList(path).parse()
	if err != nil {
		return "", err
	}
	return bots.Version(), nil
}
