package clickevents

// names are the events that are known: those of Google Analytics 4 for shops, and
// those that say who somebody is.
var names = map[string]bool{
	"page_view": true, "screen_view": true, "session_start": true, "first_visit": true, "user_engagement": true, "scroll": true, "click": true,
	"search": true, "view_search_results": true, "view_item_list": true, "select_item": true, "view_item": true,
	"view_promotion": true, "select_promotion": true, "add_to_wishlist": true,
	"add_to_cart": true, "remove_from_cart": true, "view_cart": true,
	"begin_checkout": true, "add_shipping_info": true, "add_payment_info": true, "purchase": true, "refund": true,
	"sign_up": true, "login": true, "logout": true, "identify": true,
	"generate_lead": true, "share": true,
}

// moneyNames are events that nobody can count without an amount.
var moneyNames = map[string]bool{"purchase": true, "refund": true}

var platforms = map[string]bool{"web": true, "android": true, "ios": true, "server": true}

var devices = map[string]bool{"desktop": true, "mobile": true, "tablet": true, "tv": true}

// exponents are the digits after the point, where they are not two, by ISO 4217 code.
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
}

// twoDigits are the other codes of ISO 4217.
var twoDigits = codes("AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE " +
	"CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP " +
	"SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG")

func codes(list string) map[string]bool {
	m := map[string]bool{}
	for i := 0; i+3 <= len(list); i += 4 {
		m[list[i:i+3]] = true
	}
	return m
}

// exponent is how many digits an amount of the currency has after the point.
func exponent(currency string) (int, bool) {
	if e, ok := exponents[currency]; ok {
		return e, true
	}
	return 2, twoDigits[currency]
}
