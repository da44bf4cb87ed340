// SPDX-License-Identifier: MIT

/*
 @id u04
 @cls abort
 @dir none
 @env GOTRACEBACK=crash
 @says panicked: bad count 7$
 @needs go
 @mode core
 @variants no (another language)
 @note a panic of one goroutine; another one has recovered from its own
*/
package main

import "fmt"

//go:noinline
func check(n int) int {
	if n > 0 {
		panic(fmt.Sprintf("bad count %d", n))
	}
	return n
}

func recovers(done chan bool) {
	defer func() {
		recover()
		done <- true
		select {}
	}()
	panic("recovered")
}

func main() {
	done := make(chan bool)
	go recovers(done)
	<-done
	go check(7)
	select {}
}
