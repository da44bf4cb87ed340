/* A server as servers are: connections with buffers, a dispatch by name, and a
 * handler that follows the session of a client that has none. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum state { CLOSED, READING, WRITING = 4, LINGERING };
enum flag { KEEP_ALIVE = 1, CHUNKED = 2, SECURE = 8 };

struct session { uint64_t id; char user[16]; long expires; };

struct buffer { char bytes[48]; unsigned start : 12, end : 12; bool full; };

struct connection {
	int fd;
	enum state state;
	enum flag flags;
	struct buffer in;
	struct session *session;
	union { uint32_t ip; unsigned char part[4]; } peer;
	struct connection *next;
};

struct server {
	struct connection *connections;
	unsigned served, refused;
	float load[3];
	const struct route *routes;
};

struct request { const char *method, *path; size_t length; int version; };

struct route {
	const char *path;
	int (*handle)(struct server *, struct connection *, struct request *);
};

static volatile long sink;

__attribute__((noinline)) static long
remaining(const struct session *session, long now)
{
	long left = session->expires - now;
	sink = left;
	return left > 0 ? left : 0;
}

__attribute__((noinline)) static int
show_user(struct server *server, struct connection *connection,
          struct request *request)
{
	struct session *session = connection->session;
	long now = 1700000000 + server->served;
	long left = remaining(session, now);
	int status = left ? 200 : 401;
	server->served++;
	connection->state = WRITING;
	sink = (long)request->length + status;
	return status;
}

__attribute__((noinline)) static int
show_status(struct server *server, struct connection *connection,
            struct request *request)
{
	sink = server->served + connection->fd + request->version;
	return 200;
}

__attribute__((noinline)) static int
dispatch(struct server *server, struct connection *connection,
         struct request *request)
{
	const struct route *route = server->routes;
	int status = 404, tried = 0;
	for (; route->path; route++, tried++) {
		if (strcmp(route->path, request->path) != 0)
			continue;
		status = route->handle(server, connection, request);
		break;
	}
	if (status == 404)
		server->refused++;
	sink = tried;
	return status;
}

__attribute__((noinline)) static int
parse(struct server *server, struct connection *connection)
{
	struct buffer *in = &connection->in;
	struct request request = {.version = 11};
	char line[48], *space;
	int status;
	memcpy(line, in->bytes, sizeof(line));
	line[in->end] = '\0';
	space = strchr(line, ' ');
	if (!space)
		return 400;
	*space = '\0';
	request.method = line;
	request.path = space + 1;
	request.length = in->end - in->start;
	status = dispatch(server, connection, &request);
	in->start = in->end;
	return status + line[0];
}

__attribute__((noinline)) static int
turn(struct server *server, int limit)
{
	struct connection *connection = server->connections;
	int sum = 0, n = 0;
	for (; connection && n < limit; connection = connection->next, n++) {
		if (connection->state != READING)
			continue;
		sum += parse(server, connection);
	}
	return sum + n;
}

__attribute__((noinline)) static void
receive(struct connection *connection, const char *text)
{
	size_t length = strlen(text);
	memcpy(connection->in.bytes, text, length);
	connection->in.end = length & 0xfff;
	connection->state = READING;
}

int
main(void)
{
	static const struct route routes[] = {
		{"/status", show_status}, {"/user", show_user}, {0}};
	struct session session = {42, "alice", 1700003600};
	struct connection second = {.fd = 7, .flags = SECURE | CHUNKED,
		.peer.ip = 0x0100007f};
	struct connection first = {.fd = 6, .flags = KEEP_ALIVE,
		.session = &session, .next = &second};
	struct server server = {.connections = &first, .routes = routes,
		.load = {0.5f, 0.25f, 1.0f}};
	int sum = 0;
	receive(&first, "GET /status");
	receive(&second, "GET /user");
	for (int round = 0; round < 3; round++)
		sum += turn(&server, 8);
	return sum + (int)session.id + second.fd;
}
