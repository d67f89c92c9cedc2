package lakeio

import "millrace/schemas/table"

// concat copies batches of one schema into one.
func concat(s *table.Schema, batches []*table.Batch) *table.Batch {
	if len(batches) == 1 {
		return batches[0]
	}
	all := table.NewBatch(s)
	for _, b := range batches {
		for col, c := range s.Columns {
			switch c.Kind {
			case table.String, table.Bytes:
				appendTexts(all, b, col)
			case table.UUID:
				for row := range b.Len() {
					if b.Null(col, row) {
						all.PutNull(col)
						continue
					}
					all.PutUUID(col, b.UUID(col, row))
				}
			default:
				for row := range b.Len() {
					if b.Null(col, row) {
						all.PutNull(col)
						continue
					}
					all.PutInt(col, b.Int(col, row))
				}
			}
		}
		for range b.Len() {
			all.EndRow()
		}
	}
	return all
}

// appendTexts looks each distinct text up once.
func appendTexts(to, from *table.Batch, col int) {
	codes, distinct := from.Codes(col)
	renamed := make([]uint32, distinct) // new code + 1
	for _, code := range codes {
		if table.IsNullCode(code) {
			to.PutNull(col)
			continue
		}
		if renamed[code] == 0 {
			renamed[code] = to.Intern(col, from.DictValue(col, code)) + 1
		}
		to.PutCode(col, renamed[code]-1)
	}
}

// perDay sorts a batch and gives the rows of each day, in order, the days in the
// order of their first rows.
func perDay(b *table.Batch) (days []int64, rows map[int64][]uint32) {
	rows = map[int64][]uint32{}
	for _, row := range b.Sorted() {
		day := b.DayOf(int(row))
		if rows[day] == nil {
			days = append(days, day)
		}
		rows[day] = append(rows[day], row)
	}
	return days, rows
}
