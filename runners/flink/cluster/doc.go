// Package cluster runs a Flink cluster on this machine: one JobManager and some
// TaskManagers, each a process of its own, on loopback. It is for development,
// demonstrations and tests that need the real thing; the same processes that
// serve a thousand machines.
//
// A cluster is a folder:
//
//	cluster.json   its id, addresses and processes: Open finds it again
//	conf/          Flink's configuration, also for its own tools
//	logs/          a .log of Flink and an .out of the JVM for each process
//	checkpoints/   kept when a job is cancelled
//	savepoints/
//	tmp/           scratch, gone with the cluster
//
// Down ends its processes and those they started: Beam's workers can outlive a
// TaskManager that was killed. They are known by an environment variable, so
// nothing else is ever ended. Checkpoints, savepoints and logs stay.
package cluster
