package reference

import (
	"fmt"
	"strings"
)

// Commands asks a program for its help and that of each of its verbs, theirs
// included. help runs it with the arguments and --help.
func Commands(program string, help func(args ...string) (string, error)) ([]Command, error) {
	return describe(program, nil, help)
}

func describe(program string, args []string, help func(args ...string) (string, error)) ([]Command, error) {
	name := strings.Join(append([]string{program}, args...), " ")
	text, err := help(args...)
	if err != nil {
		return nil, fmt.Errorf("asking for the help of %s: %w", name, err)
	}
	list := []Command{{Name: name, Help: text}}
	for _, verb := range verbs(text) {
		below, err := describe(program, append(args[:len(args):len(args)], verb), help)
		if err != nil {
			return nil, err
		}
		list = append(list, below...)
	}
	return list, nil
}

// verbs finds the commands a help text lists. The one called help is that of the
// library.
func verbs(help string) []string {
	_, list, _ := strings.Cut(help, "\nAvailable Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	var names []string
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "help" {
			names = append(names, fields[0])
		}
	}
	return names
}
