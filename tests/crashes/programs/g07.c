/* SPDX-License-Identifier: MIT */
/*
 @id g07
 @cls use-after-free
 @alt bad-jump,ascii-pointer
 @dir exec
 @flags -O0 -g
 @mode core
 @says handed out again
 @variants no (what is written is never read, and left out)
*/
#include <stdlib.h>
#include <string.h>
/* The memory is a text buffer by now. */
struct obj{ void (*cb)(struct obj*); char name[24]; struct obj *peer; };
static void hello(struct obj*o){(void)o;}
__attribute__((noinline)) void run(struct obj*o){ o->peer->cb(o->peer); }
int main(){ struct obj*a=calloc(1,sizeof*a),*b=calloc(1,sizeof*b); a->cb=b->cb=hello; a->peer=b; free(b); char*t=malloc(sizeof*b); memset(t,'w',sizeof*b); run(a); return 0;}
