module millrace

go 1.26

require (
	github.com/apache/beam/sdks/v2 v2.0.0
	github.com/opensearch-project/opensearch-go/v4 v4.0.0
)

replace (
	github.com/apache/beam/sdks/v2 => ./beam
	github.com/opensearch-project/opensearch-go/v4 => ./opensearch-go
)
