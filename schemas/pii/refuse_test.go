package pii_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"millrace/schemas/pii"
)

type (
	order  struct{ Items []item }
	item   struct{ Buyer pii.Text }
	tree   struct{ Left, Right *tree }
	ring   struct{ Next *ringB }
	ringB  struct{ Back *ring }
	dirty  struct{ Next *dirtyB }
	dirtyB struct {
		Back *dirty
		who  *[]pii.Text
	}
	box[T any]   struct{ Inner T }
	embeds       struct{ item }
	named        []pii.Text
	unexported   struct{ mail pii.Text }
	notWrittenTo struct {
		C chan pii.Text
		F func(pii.Text) pii.Text
	}
)

func TestRefuseNamesThePathToPersonalData(t *testing.T) {
	_ = unexported{}.mail
	_ = dirtyB{}.who
	tests := map[string]struct {
		typ  reflect.Type
		want string
	}{
		"the type itself":     {reflect.TypeFor[pii.Text](), "Text is pii.Text"},
		"a pointer to it":     {reflect.TypeFor[*pii.Text](), "*pii.Text is pii.Text"},
		"a field in a slice":  {reflect.TypeFor[order](), "order.Items[].Buyer is pii.Text"},
		"an unexported field": {reflect.TypeFor[unexported](), "unexported.mail is pii.Text"},
		"an embedded struct":  {reflect.TypeFor[embeds](), "embeds.item.Buyer is pii.Text"},
		"an array":            {reflect.TypeFor[[2]item](), "[2]pii_test.item[].Buyer is pii.Text"},
		"a map key":           {reflect.TypeFor[map[pii.Text]int](), "map[pii.Text]int[key] is pii.Text"},
		"a map value":         {reflect.TypeFor[map[string]*item](), "[value].Buyer is pii.Text"},
		"a named slice":       {reflect.TypeFor[named](), "named[] is pii.Text"},
		"a generic type":      {reflect.TypeFor[box[map[int][]item]](), ".Inner[value][].Buyer is pii.Text"},
		"behind a recursion":  {reflect.TypeFor[dirty](), "dirty.Next.who[] is pii.Text"},
		"slices of slices":    {reflect.TypeFor[[][]pii.Text](), "[][] is pii.Text"},
		"after a type seen once": {reflect.TypeFor[struct {
			A, B tree
			C    item
		}](), ".C.Buyer is pii.Text"},
	}
	for name, test := range tests {
		err := pii.Refuse(test.typ)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestRefuseAcceptsTypesWithoutPersonalData(t *testing.T) {
	for name, err := range map[string]error{
		"scalar": pii.RefuseFor[int](), "time": pii.RefuseFor[time.Time](), "tree": pii.RefuseFor[tree](),
		"ring": pii.RefuseFor[ring](), "generic": pii.RefuseFor[box[string]](), "nil": pii.Refuse(nil),
		"channels and functions": pii.RefuseFor[notWrittenTo](), "interface": pii.RefuseFor[error](),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
