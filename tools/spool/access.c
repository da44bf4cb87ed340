/* SPDX-License-Identifier: MIT */
/*
 * The access list as the kernel takes it (linux/posix_acl_xattr.h): a version,
 * and entries of tag, permissions and id, in the order of their tags.
 */
#include "spool/access.h"

#include <sys/xattr.h>

enum {
	VERSION = 2,
	TAG_OWNER = 0x01,
	TAG_USER = 0x02,
	TAG_GROUP_OWNER = 0x04,
	TAG_MASK = 0x10,
	TAG_OTHER = 0x20,
	MAY_READ = 4,
	MAY_WRITE = 2
};

struct entry {
	uint16_t tag, permissions;
	uint32_t id;
};

struct list {
	uint32_t version;
	struct entry entries[5];
};

bool
access_allow(int fd, uid_t uid)
{
	const struct list list = {
	    .version = VERSION,
	    .entries =
		{
		    {TAG_OWNER, MAY_READ | MAY_WRITE, UINT32_MAX},
		    {TAG_USER, MAY_READ, uid},
		    {TAG_GROUP_OWNER, 0, UINT32_MAX},
		    {TAG_MASK, MAY_READ, UINT32_MAX},
		    {TAG_OTHER, 0, UINT32_MAX},
		},
	};

	return fsetxattr(
		   fd, "system.posix_acl_access", &list, sizeof(list), 0) == 0;
}
