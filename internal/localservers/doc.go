// Package localservers runs what the programs that show or measure the job need
// beside it: Kinesis servers on loopback, and programs whose messages go to logs.
// All that is started at one place ends with it.
//
// How the servers are started, and what the AWS SDK is to find in the environment
// so that no account is reached, is here for package testenv too, which starts the
// same servers for tests.
package localservers
