// SPDX-License-Identifier: MIT

/*
 @id u05
 @cls abort
 @dir none
 @env GOTRACEBACK=crash
 @says gave up: all goroutines are asleep - deadlock!$
 @needs go
 @mode core
 @variants no (another language)
*/
package main

func main() {
	println("fatal error: not yet")
	never := make(chan int)
	<-never
}
