package timestreamio

import "millrace/schemas/table"

// letter is a row whose identity is one letter.
type letter struct {
	At      table.Millis `col:"at,sort1,day" doc:"a time"`
	Name    string       `col:"name,sort2" mask:"none" doc:"a letter"`
	Shop    string       `col:"shop,sort3" mask:"none" doc:"what all rows have in common"`
	Pad     *string      `col:"pad,null" mask:"none" doc:"a text"`
	Ratio   *float64     `col:"ratio,null" doc:"a number"`
	On      table.Day    `col:"on" doc:"a day"`
	Seen    table.Millis `col:"seen" doc:"a time"`
	Version int64        `col:"version" doc:"the greater one wins"`
}

var letters = table.MustOf[letter]("timestreamio.letters", 1)

func rowsOf(names string) (rows []any) {
	for _, r := range names {
		rows = append(rows, letter{Name: string(r), Shop: "s"})
	}
	return rows
}
