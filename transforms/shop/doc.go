// Package shop counts what events of a shop come to: [Products] by item and hour,
// [Revenue] by minute and day, and the [Carts] that visitors left. Plain Go over rows of
// clickstream.Events; amounts are added as integers, so no order of events or of
// partial results changes a row.
package shop
