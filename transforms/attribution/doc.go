// Package attribution says where a visit comes from: source, medium, campaign and
// channel of a request, from the parameters of its query and from its referrer.
//
// # Meaning
//
// The first of these that holds decides:
//
//  1. The query has a campaign parameter (utm_source, utm_medium, utm_campaign or
//     utm_id, or another that the rules name) with a value: the request is Tagged.
//     Source and medium are what the parameters say; one that they leave open is
//     that of a click id, and "(not set)" without one.
//  2. The query has a click id (gclid, msclkid, ...) with a value: Clicked, with
//     the source and medium that the rules give for it.
//  3. The referrer is a page of the site itself: Internal. The visit goes on; the
//     request says nothing about where it came from.
//  4. The referrer is another site, or an Android app: Referred. The source is the
//     rules' name for it, and else its host without "www."; the medium is that of
//     the site's category ("organic" of a search engine), and else "referral".
//  5. Direct: source "(direct)", medium "(none)".
//
// The channel follows from source, medium, campaign and the category of the
// source, by the first channel line of the rules that fits. Without one it is
// "Unassigned". Comparing, upper and lower case are one; Source and Medium are in
// lower case (of ASCII letters), the other texts as they came.
//
// # Rules
//
// All names, sites, ids and channels are data: rules.csv, which explains its
// lines and can be replaced by a file of the user's ([Parse]). Its channels are those of
// the default channel group of Google Analytics 4. [Rules.Version] is a hash of
// the content, as of other reference data.
//
// # Text
//
// Names of parameters are looked at after percent-decoding and without the "amp;"
// of a link that was escaped for HTML. Values are percent-decoded up to three times,
// as trackers wrap links; a plus sign is a space; control characters become spaces,
// what is no UTF-8 becomes U+FFFD, and a value ends after 256 bytes. Of parameters that
// fill one field the first with a value counts. Hosts are in lower case and, if
// international, in ASCII (punycode); a referrer without "://" is none, nor is one
// whose host no host can be.
//
// # Masking
//
// Everything but Kind, Channel and Click is text that someone wrote into a link:
// it can hold an address, a number, a name. [Touch] has it as pii.Text, and before it leaves
// it has to pass mask.Masker.AppendMasked as mask.FreeText:
//
//	column                                            mask class
//	source, medium, campaign, campaign_id, term, content   scanned
//	channel, click_id (the parameter's name), rules version  none
//
// The value of a click id names one click of one person. It is not returned.
package attribution
