package generate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// AuthConfig describes the log of authentication of one host. A zero field means
// its default.
type AuthConfig struct {
	Seed    uint64
	Start   time.Time // 2025-03-03 00:00:00 UTC when zero
	Days    int       // 2 when zero
	Users   int       // people who log in about three times a day, at times after a typing error or two; 40 when zero
	Attacks int       // sources that guess passwords; 24 when zero
}

// Kinds of attack in a log of authentication. Guessing slowly stays below every
// count in a time that people do not reach as well.
const (
	bruteForce     = "brute_force"
	slowBruteForce = "slow_brute_force"
)

// AuthLine is one line of syslog, without a line end.
type AuthLine struct {
	At   time.Time
	Text string
}

func (cfg AuthConfig) withDefaults() AuthConfig {
	setDefault(&cfg.Start, time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC))
	setDefault(&cfg.Days, 2)
	setDefault(&cfg.Users, 40)
	setDefault(&cfg.Attacks, 24)
	return cfg
}

// Validate reports settings that cannot work.
func (cfg AuthConfig) Validate() error {
	cfg = cfg.withDefaults()
	if cfg.Days < 1 || cfg.Days > 366 || cfg.Users < 1 || cfg.Users > 10_000 || cfg.Attacks < 0 || cfg.Attacks > 10_000 {
		return errors.New("generate auth log: days are from 1 to 366, users from 1 to 10,000, attacks up to 10,000")
	}
	return nil
}

// AuthLog makes the lines of the log in order, and the attacks in it. Equal
// settings give equal lines.
func AuthLog(cfg AuthConfig) ([]AuthLine, []Attack, error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, err
	}
	cfg = cfg.withDefaults()
	l := authLog{cfg: cfg, rng: newRNG(cfg.Seed, 7)}
	for user := range cfg.Users {
		for range 3 * cfg.Days {
			l.person(user)
		}
	}
	var attacks []Attack
	for i := range cfg.Attacks {
		attacks = append(attacks, l.attack(i))
	}
	slices.SortStableFunc(l.lines, func(a, b AuthLine) int { return cmp.Compare(a.At.Unix(), b.At.Unix()) })
	slices.SortStableFunc(attacks, func(a, b Attack) int { return cmp.Compare(a.Start.Unix(), b.Start.Unix()) })
	return l.lines, attacks, nil
}

type authLog struct {
	cfg   AuthConfig
	rng   rng
	lines []AuthLine
	pid   int
}

// moment is a time of the log that leaves room for what begins then.
func (l *authLog) moment(room time.Duration) time.Time {
	return l.cfg.Start.Add(time.Duration(l.rng.n(int((time.Duration(l.cfg.Days)*24*time.Hour-room)/time.Second))) * time.Second)
}

func (l *authLog) sshd(at time.Time, format string, a ...any) {
	text := fmt.Sprintf("%s web-1 sshd[%d]: ", at.UTC().Format("Jan _2 15:04:05"), 1000+l.pid%30000) + fmt.Sprintf(format, a...)
	l.lines = append(l.lines, AuthLine{at, text})
}

// person logs in from one of two addresses, one time in eight after errors.
func (l *authLog) person(user int) {
	l.pid++
	at := l.moment(time.Hour)
	name, addr, port := "user"+strconv.Itoa(user), "81."+octets[user%200]+"."+octets[l.rng.n(2)]+"."+octets[7+user/200], l.rng.between(30_000, 60_000)
	if l.rng.oneIn(8) {
		for range l.rng.between(1, 3) {
			l.sshd(at, "Failed password for %s from %s port %d ssh2", name, addr, port)
			at = at.Add(time.Duration(l.rng.between(3, 15)) * time.Second)
		}
	}
	l.sshd(at, "Accepted password for %s from %s port %d ssh2", name, addr, port)
	l.sshd(at, "pam_unix(sshd:session): session opened for user %s by (uid=0)", name)
	l.sshd(at.Add(time.Duration(l.rng.between(60, 3000))*time.Second), "pam_unix(sshd:session): session closed for user %s", name)
}

// attack guesses: every fourth one slowly, every third of the others with success.
func (l *authLog) attack(i int) Attack {
	l.pid++
	a := Attack{Source: "45." + octets[l.rng.n(256)] + "." + octets[l.rng.n(256)] + "." + octets[1+i%250], Kind: bruteForce}
	tries, pace := l.rng.between(30, 300), 4
	if i%4 == 3 {
		a.Kind, tries, pace = slowBruteForce, l.rng.between(20, 60), 300
	}
	at := l.moment(8 * time.Hour)
	a.Start = at
	for try := range tries {
		port := 20_000 + try
		switch l.rng.n(4) {
		case 0:
			name := []string{"admin", "test", "oracle", "pi", "git"}[l.rng.n(5)]
			l.sshd(at, "Invalid user %s from %s", name, a.Source)
			l.sshd(at, "Failed password for invalid user %s from %s port %d ssh2", name, a.Source, port)
			a.Lines += 2
		case 1:
			l.sshd(at, "message repeated %d times: [ Failed password for root from %s port %d ssh2]", l.rng.between(2, 5), a.Source, port)
			a.Lines++
		default:
			l.sshd(at, "Failed password for root from %s port %d ssh2", a.Source, port)
			a.Lines++
		}
		at = at.Add(time.Duration(l.rng.wait(pace, 4*pace)) * time.Second)
	}
	if a.Kind == bruteForce && i%3 == 0 {
		l.sshd(at, "Accepted password for root from %s port %d ssh2", a.Source, 20_000+tries)
		a.Lines++
		a.Succeeded = true
	}
	a.End = at
	return a
}
