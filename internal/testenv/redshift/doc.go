// Package redshift stands in for Amazon Redshift in tests. No server that speaks
// Redshift's SQL can be had, so this is our own, and says so: what it accepts
// proves nothing about AWS beyond what is written here.
//
// The SQL engine is a real PostgreSQL. Warehouse is a server of PostgreSQL's
// protocol before it that
//
//   - passes statements on as they are, MERGE, DELETE, INSERT, LOCK, ALTER and
//     transactions among them;
//   - takes DISTKEY, DISTSTYLE, SORTKEY and ENCODE out of CREATE TABLE, and calls
//     VARBYTE bytea, since PostgreSQL knows none of them;
//   - runs COPY ... FROM 's3://...' IAM_ROLE ... FORMAT AS PARQUET MANIFEST itself:
//     DuckDB reads manifest and Parquet from the S3 server of the test, and the rows
//     go into the table by the order of their columns, as Redshift does it;
//   - refuses other forms of COPY, and what Redshift's MERGE lacks and PostgreSQL's
//     has.
//
// DataAPI is the HTTP interface that the AWS SDK calls before a Warehouse: statements
// that run while they are asked about, batches as one transaction, client tokens,
// results in pages, and faults on demand.
package redshift
