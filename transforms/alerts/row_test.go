package alerts

import (
	"testing"

	"millrace/schemas/alert"
)

// TestWhatIsSealed: what follows from readings alone, of an absence only its end by
// data.
func TestWhatIsSealed(t *testing.T) {
	const minute = 60_000
	above := 5.0
	limit := Rule{Name: "limit", Above: &above}.WithDefaults()
	absence := Rule{Name: "absence", AbsentFor: 3 * minute, GiveUp: 10 * minute}.WithDefaults()
	readings := []Reading{{Time: 0, Value: 9}, {Time: minute, Value: 1}, {Time: 9 * minute, Value: 9}}
	for _, c := range []struct {
		rule Rule
		want []string
	}{
		{limit, []string{"firing breach true", "resolved cleared true", "firing breach true", "resolved silence true"}},
		{absence, []string{"firing absence false", "resolved data true", "firing absence false", "resolved given_up false"}},
	} {
		rows, _ := NewWatch(&c.rule, "", nil).Fold(readings, 60*minute)
		for i := range rows {
			text := rows[i].State + " " + rows[i].Reason + map[bool]string{true: " true", false: " false"}[Sealed(&rows[i])]
			if i >= len(c.want) || text != c.want[i] {
				t.Errorf("%s: transition %d is %s, want %v", c.rule.Name, i, text, c.want)
			}
		}
		if len(rows) != len(c.want) || rows[0].State != alert.Firing {
			t.Errorf("%s: %d transitions", c.rule.Name, len(rows))
		}
	}
}
