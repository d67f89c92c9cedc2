package decode

// Scratch tells how much memory p keeps.
func Scratch(p *Parser) int { return cap(p.scratch.raw) + cap(p.scratch.out) }
