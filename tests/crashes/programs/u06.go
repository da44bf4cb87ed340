// SPDX-License-Identifier: MIT

/*
 @id u06
 @cls abort
 @dir none
 @env GOTRACEBACK=crash
 @says panicked: runtime error: index out of range \[7\] with length 2$
 @needs go
 @mode core
 @variants no (another language)
*/
package main

import "os"

//go:noinline
func at(v []int, i int) int { return v[i] }

func main() {
	at([]int{1, 2}, len(os.Args)+6)
}
