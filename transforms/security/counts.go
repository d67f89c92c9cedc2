package security

// Counts is what one source did in one minute, or one line of it. All are sums.
type Counts struct {
	Requests    int64 // lines that count anything
	Scanner     int64 // paths that only scanners ask for
	Leaks       int64 // secrets that were served
	Injection   int64
	Traversal   int64
	BadAgent    int64
	AuthFailed  int64 // 401, 403 at a login; of sshd failures and users that do not exist
	Logins      int64 // that succeeded: an answer 2xx or 3xx to a POST to a login; Accepted of sshd
	FormPosts   int64 // POSTs to logins and other forms
	LargeBytes  int64 // of answers of a mebibyte and more
	ServerError int64 // 5xx
}

const numFields = 11

func (c *Counts) fields() [numFields]*int64 {
	return [numFields]*int64{
		&c.Requests, &c.Scanner, &c.Leaks, &c.Injection, &c.Traversal, &c.BadAgent, &c.AuthFailed, &c.Logins, &c.FormPosts, &c.LargeBytes, &c.ServerError,
	}
}

// Fields names the counts, in the order of the encoding, as rules call them.
var Fields = [numFields]string{
	"requests", "scanner", "leaks", "injection", "traversal", "bad_agent", "auth_failed", "logins", "form_posts", "large_bytes", "server_errors",
}

// Field gives a count by its name.
func (c *Counts) Field(name string) (n int64, known bool) {
	for i, f := range c.fields() {
		if Fields[i] == name {
			return *f, true
		}
	}
	return 0, false
}

// Add adds o.
func (c *Counts) Add(o *Counts) {
	from := o.fields()
	for i, f := range c.fields() {
		*f += *from[i]
	}
}

// Values are the counts in the order of Fields.
func (c *Counts) Values() (values [numFields]int64) {
	for i, f := range c.fields() {
		values[i] = *f
	}
	return values
}
