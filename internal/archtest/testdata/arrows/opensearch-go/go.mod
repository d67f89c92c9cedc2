module github.com/opensearch-project/opensearch-go/v4

go 1.26
