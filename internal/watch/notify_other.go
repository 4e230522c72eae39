//go:build !linux

package watch

import "errors"

// Notify returns no Waker: on these systems each file that is to be notified of would have to be open.
func Notify(func(name string) bool, func(text string)) (Waker, func(), error) {
	return nil, nil, errors.New("this system does not notify of changes in whole folders")
}
