package enrich

import (
	"bytes"
	"strings"
)

// DeviceClass is the kind of device that a user agent tells of: desktop, phone,
// tablet, tv, console or bot; "" when it tells of none. It follows from system and
// device, and on Android from the word Mobile, by which its browsers say what they
// run on. Whether one is a bot is better known by Bots.
func (a *Agent) DeviceClass(userAgent []byte) string {
	model := strings.ToLower(a.Device + " " + a.Brand + " " + a.Model)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(model, w) {
				return true
			}
		}
		return false
	}
	switch {
	case a.Device == "Spider":
		return "bot"
	case has("playstation", "xbox", "nintendo"):
		return "console"
	case has("smarttv", "smart-tv", "smart tv", "appletv", "roku", "chromecast", "bravia", "google tv", "fire tv", "hbbtv") || televisions[a.OS],
		bytes.Contains(userAgent, []byte("; AFT")): // what Amazon calls its own:
		return "tv"
	case has("ipad", "tablet", "kindle"):
		return "tablet"
	case has("iphone", "ipod", "smartphone", "feature phone"):
		return "phone"
	case a.OS == "Android":
		if bytes.Contains(userAgent, []byte("Mobile")) {
			return "phone"
		}
		return "tablet"
	case phones[a.OS]:
		return "phone"
	case desktops[a.OS]:
		return "desktop"
	}
	return ""
}

// Systems by what they run on, named as the rules name them.
var (
	televisions = set("tvOS", "Apple TV", "webOS TV", "WebTV", "Roku", "Chromecast", "Chromecast Android", "Google TV", "ATV OS X", "GoogleTV")
	phones      = set("iOS", "Windows Phone", "Windows Mobile", "BlackBerry OS", "BlackBerry Tablet OS", "Symbian OS", "Symbian^3", "Symbian^3 Anna", "Symbian^3 Belle",
		"Nokia Series 30 Plus", "Nokia Series 40", "Nokia Series 60", "KaiOS", "Firefox OS", "Bada", "Brew MP", "MeeGo", "Maemo", "Sailfish", "webOS", "HarmonyOS")
	desktops = set("Windows", "Mac OS X", "Mac OS", "Linux", "Ubuntu", "Kubuntu", "Debian", "Fedora", "Red Hat", "CentOS", "SUSE", "Gentoo", "Slackware", "Arch Linux", "Mageia",
		"Mandriva", "Linux Mint", "Puppy", "VectorLinux", "PCLinuxOS", "BackTrack", "FreeBSD", "NetBSD", "OpenBSD", "Solaris", "Chrome OS", "OS/2")
)

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}
