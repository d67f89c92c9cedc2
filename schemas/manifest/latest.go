package manifest

// Key is the place of a run's manifest in its lake.
func Key(run string) string { return "_runs/" + run + ".json" }
