package install

import _ "embed"

// The servers and tools the tests run against, each pinned here and nowhere
// else. Python packages are pinned in requirements.txt, Node.js packages in
// package.json and its lock, the Kinesis Producer Library in kpl/pom.xml,
// OpenSearch in opensearch/pom.xml, PostgreSQL in postgres/pom.xml, developer tools
// in tools.mod.
const (
	versitygwPackage = "github.com/versity/versitygw/cmd/versitygw"
	versitygwVersion = "v1.8.0"

	toxiproxyPackage = "github.com/Shopify/toxiproxy/v2/cmd/server"
	toxiproxyVersion = "v2.5.0"

	// The last of InfluxDB's servers that Go alone builds: later ones link Flux, which
	// is Rust.
	influxdPackage = "github.com/influxdata/influxdb/cmd/influxd"
	influxdVersion = "v1.8.3"
)

//go:embed requirements.txt
var requirements []byte
