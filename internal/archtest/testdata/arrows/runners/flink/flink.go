package flink

import (
	_ "millrace/internal/config"

	_ "millrace/io/driver"  // want runners-know-no-jobs
	_ "millrace/jobs"       // want runners-know-no-jobs
	_ "millrace/transforms" // want runners-know-no-jobs
)
