package transforms

import (
	"fmt"
	"strings"

	"millrace/transforms/enrich"
)

// botList is a list of bots as it travels with a pipeline.
type botList struct{ textFile }

const maxBotList = 1 << 20 // bytes of a list

func readBotList(path string) botList {
	return botList{readTextFile("the list of bots", path, maxBotList)}
}

// parse gives the list.
func (l botList) parse() (*enrich.Bots, error) {
	switch err := l.err(); {
	case err != nil:
		return nil, err
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
