package weblogs

import (
	_ "millrace/internal/testenv"
	_ "millrace/io/lakeio"
	_ "millrace/runners/prism"
)
