module millrace

go 1.26

require (
	github.com/apache/beam/sdks/v2 v2.0.0
	github.com/influxdata/influxdb-client-go/v2 v2.0.0
	github.com/opensearch-project/opensearch-go/v4 v4.0.0
)

replace (
	github.com/apache/beam/sdks/v2 => ./beam
	github.com/influxdata/influxdb-client-go/v2 => ./influxdb-client-go
	github.com/opensearch-project/opensearch-go/v4 => ./opensearch-go
)
