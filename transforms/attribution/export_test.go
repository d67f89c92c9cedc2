package attribution

// Remembered is the number of channels in memory.
func (a *Attributor) Remembered() int { return len(a.channels) }
