package lakeio

// LocalDir is the folder of a lake or source on this machine's file system; false
// when it is elsewhere, or no place at all.
func LocalDir(location string) (string, bool) {
	p, err := parsePlace(location)
	if err != nil || p.onS3() {
		return "", false
	}
	return p.path, true
}
