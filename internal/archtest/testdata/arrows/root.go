// Package millrace breaks the rules of this repository on purpose.
package millrace
