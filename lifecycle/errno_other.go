//go:build !windows

package lifecycle

// Elsewhere than on Windows the portable names are all there is.
var (
	platformErrnos   []error
	platformAbsences []error
)
