/* SPDX-License-Identifier: MIT */
/*
 @id g08
 @cls use-after-free
 @alt noncanonical-access
 @dir read
 @flags -O0 -g
 @mode core
*/
#include <map>
#include <string>
/* The iterator of an erased element. */
int main(){ std::map<int,std::string> m; for(int i=0;i<10;i++) m[i]=std::string(40,'a'+i); for(auto it=m.begin();it!=m.end();++it) if(it->first%2==0) m.erase(it); return m.size(); }
