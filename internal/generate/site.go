package generate

import "strconv"

// pageKind is a kind of page of the simulated shop.
type pageKind uint8

const (
	home pageKind = iota
	category
	product
	search
	cart
	checkout
	order
	blog
	login
	account
	team
	external // not a page: a referrer elsewhere
)

// page is one page: its kind and number.
type page struct {
	kind pageKind
	id   uint32
}

const (
	site     = "https://shop.example.com"
	products = 5000
	articles = 400
)

var (
	categories = []string{"garden", "kitchen", "lighting", "office", "outdoor", "audio", "books", "toys", "tools", "travel", "baby", "sale"}
	words      = []string{"lamp", "oak+table", "usb+c+cable", "red", "tent", "kettle", "desk", "wool", "gift", "mini", "chair", "caf%C3%A9", "bluetooth", "set", "blue", "rug"}
	slugs      = []string{"how-to-oil-oak", "ten-gifts-under-20", "a-visit-to-the-mill", "spring-lamps", "caring-for-wool", "tents-compared", "small-desks", "the-quiet-kettle"}

	productRank = zipf(1.1, 10, products)
)

// next is where people go from each kind of page, in per cent.
var next = [...][]struct {
	to      pageKind
	percent int
}{
	home:     {{category, 33}, {product, 30}, {search, 20}, {blog, 9}, {login, 8}},
	category: {{product, 60}, {category, 20}, {search, 10}, {home, 10}},
	product:  {{product, 35}, {cart, 20}, {category, 15}, {search, 15}, {home, 15}},
	search:   {{product, 60}, {search, 25}, {home, 15}},
	cart:     {{checkout, 45}, {product, 40}, {home, 15}},
	checkout: {{order, 60}, {cart, 25}, {home, 15}},
	order:    {{home, 60}, {account, 40}},
	blog:     {{blog, 40}, {product, 20}, {home, 40}},
	login:    {{account, 75}, {home, 25}},
	account:  {{home, 50}, {product, 30}, {account, 20}},
	team:     {{team, 80}, {home, 20}},
}

// newPage draws a page of a kind.
func (f *Farm) newPage(kind pageKind) page {
	p := page{kind: kind}
	switch kind {
	case product:
		p.id = uint32(productRank.draw(&f.rng))
	case category, search:
		p.id = uint32(f.rng.n(1 << 12))
	case order:
		f.orders++
		p.id = f.orders
	case blog:
		p.id = uint32(f.rng.logUniform(8, articles))
	case team:
		p.id = uint32(f.rng.n(40))
	case home, cart, checkout, login, account, external: // one page each
	}
	return p
}

func (f *Farm) follow(from pageKind) page {
	x := f.rng.n(100)
	for _, way := range next[from] {
		if x -= way.percent; x < 0 {
			return f.newPage(way.to)
		}
	}
	return page{}
}

// appendTo writes path and query.
func (p page) appendTo(dst []byte) []byte {
	switch p.kind {
	case category:
		dst = append(dst, "/category/"...)
		dst = append(dst, categories[p.id%uint32(len(categories))]...)
		if n := p.id >> 8; n > 4 {
			dst = append(dst, "?page="...)
			dst = strconv.AppendUint(dst, uint64(n-3), 10)
		}
		return dst
	case product:
		dst = append(dst, "/product/"...)
		return strconv.AppendUint(dst, uint64(p.id), 10)
	case search:
		dst = append(dst, "/search?q="...)
		dst = append(dst, words[p.id&15]...)
		if p.id>>4&3 != 0 {
			dst = append(dst, '+')
			dst = append(dst, words[p.id>>6&15]...)
		}
		return dst
	case cart:
		return append(dst, "/cart"...)
	case checkout:
		return append(dst, "/checkout"...)
	case order:
		dst = append(dst, "/order/"...)
		return strconv.AppendUint(dst, 2_000_000+uint64(p.id), 10)
	case blog:
		dst = append(dst, "/blog/"...)
		dst = append(dst, slugs[p.id%uint32(len(slugs))]...)
		dst = append(dst, '-')
		return strconv.AppendUint(dst, uint64(p.id), 10)
	case login:
		return append(dst, "/login"...)
	case account:
		return append(dst, "/account?tab=orders"...)
	case team:
		dst = append(dst, "/team/reports/"...)
		return strconv.AppendUint(dst, uint64(p.id), 10)
	case home, external:
	}
	return append(dst, '/')
}

// size is the length of the page in bytes.
func (p page) size() int64 {
	return 4000 + int64(mix(uint64(p.kind)<<32|uint64(p.id))%56_000)
}

// assets are the files every page needs, with their sizes.
var assets = []struct {
	path string
	size int64
}{
	{"/static/css/main.4f2a1c.css", 48_211},
	{"/static/js/app.9be771.js", 182_733},
	{"/static/js/vendor.c0ffee.js", 391_020},
	{"/static/fonts/inter-var.woff2", 99_532},
	{"/static/img/logo.svg", 3_911},
	{"/favicon.ico", 15_086},
	{"/static/css/print.77aa01.css", 2_204},
	{"/static/img/hero.webp", 84_120},
}

// Where people come from.
var (
	sources = []string{
		"-", "-", "-", "https://www.google.com/", "https://www.google.com/", "https://www.google.com/", "https://www.bing.com/",
		"https://duckduckgo.com/", "https://t.co/Xy7Kq2", "https://www.reddit.com/r/BuyItForLife/", "https://news.example.org/a?id=88", "android-app://com.google.android.gm/",
	}
	campaigns = []struct{ query, referrer string }{
		{"utm_source=newsletter&utm_medium=email&utm_campaign=spring-3", "-"},
		{"utm_source=google&utm_medium=cpc&utm_campaign=lamps&gclid=EAIaIQobChMI", "https://www.google.com/"},
		{"utm_source=instagram&utm_medium=social&utm_campaign=garden%20week", "https://l.instagram.com/"},
		{"utm_source=partner&utm_medium=affiliate&utm_campaign=desks", "https://partner.example.net/best-desks"},
		{"utm_source=facebook&utm_medium=paid&utm_campaign=spring-3", "https://www.facebook.com/"},
	}
)
